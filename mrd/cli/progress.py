"""`mrd progress`: how far a run is, from what lies in its results folder: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mrd.cli.run_options import Run, batches_of, start_run
from mrd.core.progress import minutes_text
from mrd.files.layout import (
    cohort_page_path,
    detect_tables,
    laip_tables,
    pages_table,
    prepare_tables,
    reference_path,
    result_table,
)
from mrd.files.ledger import record_path

EVERY = 2.0
"""Seconds between two looks; a line is written where there is no terminal when the percent changed by five."""
TOLD = re.compile(r"^(?:prepare|laip|detect|report|rehearse on controls): (\d+) of (\d+)", re.M)


class Part(NamedTuple):
    """A job of the run: what it makes and from what, its log, and about how long it takes (s)."""

    makes: Path
    needs: tuple[Path, ...]
    log: Path
    cost: float


COST = {"prepare": 1.0, "reference": 4.0, "laip": 10.0, "detect": 4.0, "report": 7.0}
"""What a tube (prepare, reference, detect) or subject (laip, report) takes, relative to each other; the estimate only bends."""
WHOLE = 10.0
"""The same, of a step that reads tables only."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, help="results folder of the run")
    parser.add_argument("--until", type=int, metavar="PID", help="go on until this process, or the run, has ended")


def run(options: argparse.Namespace) -> None:
    """Say how far the run is, once, or until a process ends."""
    shares = looks(options.results, options.until) if options.until else iter([share_done(options.results)])
    (show_bar if options.until and sys.stderr.isatty() else show_lines)(shares)


def looks(results: Path, pid: int) -> Iterator[float]:
    """The share that is done, again and again while the process lives and there is something to do."""
    while alive(pid):
        share = share_done(results) if (results / "settings.yaml").is_file() else 0.0
        yield share
        if share >= 1:
            return
        time.sleep(EVERY)


def alive(pid: int) -> bool:
    """Whether a process lives."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def show_bar(shares: Iterator[float]) -> None:
    """A bar with the time gone and about left; what was done before the first look does not count for the pace."""
    from tqdm import tqdm

    layout = "{desc} {percentage:3.0f} %|{bar}| {elapsed} gone, about {remaining} left"
    told = {"desc": "run", "bar_format": layout, "file": sys.stderr, "leave": False, "dynamic_ncols": True}
    with tqdm(total=1.0, initial=next(shares, 0.0), **told) as bar:
        for share in shares:
            bar.update(share - bar.n)


def show_lines(shares: Iterator[float]) -> None:
    """A line at every twentieth."""
    begun, first, told = time.monotonic(), None, -1.0
    for share in shares:
        first = share if first is None else first
        if share - told >= 0.05 or share >= 1:
            told = share
            sys.stderr.write(f"run: {100 * share:.0f} %{left_text(share - first, 1 - share, time.monotonic() - begun)}\n")


def left_text(gained: float, rest: float, gone: float) -> str:
    """About how long the rest takes, once something was seen to be done."""
    return f", about {minutes_text(gone * rest / gained)} left" if gained > 0 and rest > 0 else ""


def share_done(results: Path) -> float:
    """The share of a run's work that is done, by about how long each job takes."""
    parts = parts_of(start_run(argparse.Namespace(settings=results / "settings.yaml")))
    return sum(p.cost * done_of(p) for p in parts) / sum(p.cost for p in parts)


def parts_of(job: Run) -> list[Part]:
    """The jobs of a run, in the order of the workflow."""
    batches = batches_of(job.samples, job.settings)
    prepared = {b: prepare_tables(job.results, b)[0] for b in batches}
    logs, calls = job.results / "logs", result_table(job.results, "calls")
    learned = reference_parts(job, tuple(path for b, path in prepared.items() if b.startswith("c")))
    references = tuple(p.makes for p in learned)
    parts = [Part(prepared[b], (), logs / "prepare" / f"{b}.log", COST["prepare"] * len(job.batch(b))) for b in batches] + learned
    patients = {b: len(subjects) for b, subjects in batches.items() if b.startswith("s")}
    found = {b: detect_tables(job.results, b)[0] for b in patients}
    for b, subjects in patients.items():
        laips, pages = laip_tables(job.results, b)[0], pages_table(job.results, b)
        parts += [
            Part(laips, (prepared[b], *references), logs / "laip" / f"{b}.log", COST["laip"] * subjects),
            Part(found[b], (laips, *references), logs / "detect" / f"{b}.log", COST["detect"] * len(job.batch(b))),
            Part(pages, (calls,), logs / "report" / f"{b}.log", COST["report"] * subjects),
        ]
    return [*parts, *whole_parts(job.results, logs, tuple(found.values()))]


def reference_parts(job: Run, prepared: tuple[Path, ...]) -> list[Part]:
    """One job for each panel's reference; none where a frozen one is given."""
    if job.settings.reference:
        return []
    controls = job.samples[job.samples["role"].eq("control")]["panel"]
    made = {p: record_path(reference_path(job.results / "reference", p)) for p in sorted(job.samples["panel"].unique())}
    logs = job.results / "logs" / "reference"
    return [
        Part(path, prepared, logs / f"{path.parent.name}.log", COST["reference"] * int(controls.eq(p).sum()))
        for p, path in made.items()
    ]


def whole_parts(results: Path, logs: Path, found: tuple[Path, ...]) -> list[Part]:
    """The steps that read the tables of all batches."""
    calls = result_table(results, "calls")
    endpoint = results / "endpoint" / "admrd.csv"
    return [
        Part(calls, found, logs / "call.log", WHOLE),
        Part(endpoint, (calls,), logs / "endpoint.log", WHOLE),
        Part(cohort_page_path(results), (endpoint,), logs / "report.log", WHOLE),
    ]


def done_of(part: Part) -> float:
    """All where the file stands and is not older than what it is made from; else what the job's log tells."""
    if part.makes.is_file():
        made = part.makes.stat().st_mtime
        return float(all(p.is_file() and p.stat().st_mtime <= made for p in part.needs))
    told = TOLD.findall(part.log.read_text(encoding="utf-8", errors="replace")) if part.log.is_file() else []
    return min(int(told[-1][0]) / max(int(told[-1][1]), 1), 0.99) if told else 0.0
