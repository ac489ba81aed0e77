"""Seconds of each step of one tube, taken inside the real commands in a warm process."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.kit import WARM, Kit, copy_kit, make_tube, name_tubes
from mrd.cli import arms, detect, prepare
from mrd.cli.main import main
from tests.cohort import read_calls

STEPS = {
    "read FCS": (prepare, "measure_tube"),
    "compensate, transform, gate": (prepare, "prepare_events"),
    "write cells": (prepare, "write_cells"),
    "read cells": (detect, "read_cells"),
    "shuffle": (detect, "shuffled"),
    "align": (detect, "align"),
    "score: LAIP": (arms, "see_laip"),
    "score: classifier": (arms, "see_learned"),
    "different from normal": (arms, "see_dfn"),
    "write scores": (detect, "write_scores"),
}
"""The function behind each step, where its caller looks it up."""
PARTS = {"prepare": (prepare, "prepare_tube"), "detect": (detect, "sight_record"), "bank": (detect, "bank_on")}
"""What is done for each tube, and the reading of the reference in it, which is done once for all."""
TUBE, ONCE, ALL = "the tube, FCS to burden", "once: sheet, reference, call", "all"
Took = dict[str, tuple[float, float]]


@contextlib.contextmanager
def timed(device: str) -> Iterator[Took]:
    """Wall and CPU seconds of every step that runs meanwhile."""
    took: Took = {}
    before = [(module, name, getattr(module, name)) for module, name in [*STEPS.values(), *PARTS.values()]]
    table = dict(arms.ARMS)
    for step, (module, name) in [*STEPS.items(), *PARTS.items()]:
        setattr(module, name, watched(step, getattr(module, name), took, device))
    arms.ARMS.update(laip=arms.see_laip, learned=arms.see_learned, dfn=arms.see_dfn)
    try:
        yield took
    finally:
        for module, name, function in before:
            setattr(module, name, function)
        arms.ARMS.update(table)


def watched(step: str, function: Callable[..., Any], took: Took, device: str) -> Callable[..., Any]:
    """A function that notes how long it ran; on a device until the device is done."""

    def run(*words: Any, **named: Any) -> Any:
        with clock(step, took, device):
            return function(*words, **named)

    return run


@contextlib.contextmanager
def clock(step: str, took: Took, device: str) -> Iterator[None]:
    """Add the seconds of a block to a step."""
    start = time.perf_counter(), time.process_time()
    yield
    if device == "cuda":
        torch.cuda.synchronize()
    wall, cpu = took.get(step, (0.0, 0.0))
    took[step] = wall + time.perf_counter() - start[0], cpu + time.process_time() - start[1]


def time_tube(kit: Kit, fcs: Path, folder: Path, device: str, threads: int) -> dict[str, Any]:
    """Every step of one tube after a small one has warmed the process, and the process's largest resident memory."""
    settings, small = copy_kit(kit, folder, device), make_tube(fcs.parent / "warm.fcs", WARM)
    name_tubes(kit, folder, {"FU8": small})
    run_commands(settings, threads)
    name_tubes(kit, folder, {"FU8": small, "FU9": fcs})
    with timed(device) as took, clock("all", took, device):
        run_commands(settings, threads)
    steps = {n: took.get(n, (0.0, 0.0)) for n in STEPS}
    tube = less(added(took["prepare"], took["detect"]), took["bank"])
    rest, once = less(tube, added(*steps.values())), less(took["all"], tube)
    results = folder / "results"
    return {
        "steps": {**steps, "the rest": rest, TUBE: tube, ONCE: once, ALL: took["all"]},
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "cells": str(results / "prepare" / "cells" / "S1_FU9_T1.h5ad"),
        "call": str(read_calls(results).loc[("S1", "FU9"), "call"]),
    }


def added(*seconds: tuple[float, float]) -> tuple[float, float]:
    """Wall and CPU seconds of several together."""
    return sum(s[0] for s in seconds), sum(s[1] for s in seconds)


def less(whole: tuple[float, float], part: tuple[float, float]) -> tuple[float, float]:
    """Wall and CPU seconds without a part of them."""
    return whole[0] - part[0], whole[1] - part[1]


def run_commands(settings: Path, threads: int) -> None:
    """FCS to call, as the workflow does it; what was made before is not made again."""
    results, given = settings.parent / "results", ["--settings", str(settings)]
    tubes, laips = str(results / "prepare" / "s001.tsv"), str(results / "laip" / "s001.tsv")
    told = [str(results / stage / f"s001.{name}.tsv") for stage, name in (("laip", "limits"), ("detect", "limits"))]
    call = ["--tubes", tubes, "--laips", laips, "--limits", *told, "--clusters", str(results / "detect" / "s001.clusters.tsv")]
    call += ["--burdens", str(results / "detect" / "s001.tsv"), "--qc", str(results / "prepare" / "s001.qc.tsv")]
    batch = [*given, "--batch", "s001"]
    detect_words = ["detect", *batch, "--tubes", tubes, "--laips", laips, "--threads", str(threads)]
    for words in (["prepare", *batch, "--threads", str(threads)], detect_words, ["call", *given, *call]):
        if main(words):
            raise SystemExit(2)
