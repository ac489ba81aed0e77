"""What a tube is scored with, learned once on a small synthetic cohort and kept; and tubes of any size to score."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from mrd.cli.simulate import fcs_image
from mrd.core.seeds import generator
from mrd.core.settings import Settings
from mrd.files.fcs_write import FcsImage, write_fcs
from mrd.simulate.plan import TubePlan
from mrd.simulate.tube import simulate_tube
from tests.cohort import COLUMNS, SMALL, controls, make_cohort, patient, run_stages, tube

BASE = 20_000
"""Events that are simulated; larger tubes draw from them, each event blurred anew."""
BLUR = 0.02
WARM = 10_000
BURDEN, KIND = 0.005, "CD56+"
PLAIN = {n: Settings.model_fields[n].default for n in SMALL if n != "batch_tubes"}
"""The default settings, where those of the test cohort differ."""
ALONE = {"follow_found": False}
"""The tube at hand is timed by itself, not beside the subject's other visits."""


class Kit(NamedTuple):
    """A finished run of controls, one diagnosis and one follow-up: its folder, and the rows of its sheet."""

    folder: Path
    rows: list[list[Any]]


def make_kit(folder: Path, *, events: int, settings: dict[str, Any]) -> Kit:
    """Learn reference, LAIP and classifier, unless they lie there already."""
    rows = [*controls(6, events), *patient("S1", KIND, [BURDEN], events=WARM)]
    if not (folder / "results" / "calls.tsv").is_file():
        run_stages(make_cohort(folder, rows, **{**PLAIN, **ALONE, **settings}))
    return Kit(folder, rows)


def copy_kit(kit: Kit, folder: Path, device: str) -> Path:
    """A copy of a kit to run on; returns its settings file."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(kit.folder, folder)
    path = folder / "settings.yaml"
    here = {"samples": str(folder / "samples.tsv"), "results": str(folder / "results"), "device": device}
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **here}))
    return path


def name_tubes(kit: Kit, folder: Path, visits: dict[str, Path]) -> None:
    """Write the sheet of a kit's copy, its subject having further follow-ups."""
    more = [tube("S1", v, "follow-up", WARM, day="2025-01-01", burden=BURDEN, laip=KIND) for v in visits]
    for row, path in zip(more, visits.values(), strict=True):
        row[COLUMNS.index("fcs")] = str(path.resolve())
    pd.DataFrame([*kit.rows, *more], columns=COLUMNS).to_csv(folder / "samples.tsv", sep="\t", index=False)


def make_tube(path: Path, events: int) -> Path:
    """An FCS file of so many events of the kit's subject, unless it lies there already."""
    if not path.is_file():
        plan = TubePlan("S1", "FU9", "T1", "follow-up", "", False, "aml-lyric-9", path.name, min(BASE, events), BURDEN, KIND, "")
        write_fcs(path, grown(fcs_image(simulate_tube(plan, 1)), events))
    return path


def grown(image: FcsImage, events: int) -> FcsImage:
    """A tube with so many events drawn from those of another, each blurred by 2 %, time running on."""
    rng = generator(1, "speed", str(events))
    out = np.empty((events, len(image.pnn)), np.float32)
    for first in range(0, events, BASE):
        part = out[first : first + BASE]
        drawn = image.events[rng.integers(len(image.events), size=len(part))]
        part[:] = drawn * rng.normal(1.0, BLUR, drawn.shape).astype(np.float32)
    time = image.pnn.index("Time")
    out[:, time] = np.linspace(0, image.events[:, time].max(), events)
    return FcsImage(out, image.pnn, image.pns, image.ranges, image.spill, image.keywords)
