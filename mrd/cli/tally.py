"""`mrd tally`: what a run did, in a few lines: tubes, calls, failures, and the time of each stage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mrd.cli.run_options import batches_of
from mrd.core.contracts import BURDENS, CALLS_TABLE, LAIPS, SHARED, TUBES
from mrd.core.progress import minutes_text
from mrd.core.tables import Table, records
from mrd.core.words import FAILED
from mrd.files.layout import detect_tables, laip_tables, prepare_tables, result_table
from mrd.files.settings import read_settings
from mrd.files.sheet import read_samples
from mrd.files.tables import read_table

MOST_TOLD = 10
"""Failures told one by one; the tables hold them all."""
NO_DIAGNOSIS = "no diagnosis tube of this panel"
"""How the sheet is, not a failure of the run."""
BENCHMARK = ["stage", "s", "max_rss", "cpu_time"]


class Spent(NamedTuple):
    """What a run took: from its start to its end (s), and of how many cores."""

    seconds: float
    cores: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, help="results folder of the run")


def run(options: argparse.Namespace) -> None:
    """Print the tally of a results folder, whole or not."""
    sys.stdout.write(tally_text(options.results))


def tally_text(results: Path, *, since: float = 0.0, spent: Spent | None = None) -> str:
    """The tally, of tables that are there; only jobs that ended after `since` (seconds of the epoch) are counted."""
    batches = run_batches(results)
    patients = [b for b in batches if b.startswith("s")]
    tubes = together([prepare_tables(results, b)[0] for b in batches], TUBES)
    laips = together([laip_tables(results, b)[0] for b in patients], LAIPS)
    looks = together([detect_tables(results, b)[0] for b in patients], BURDENS)
    jobs = read_benchmarks(results, since)
    parts = [
        tubes_line(tubes),
        calls_line(result_table(results, "calls")),
        failures_text(failures_of(tubes, laips, looks)),
        shared_text(result_table(results, "shared")),
        times_text(jobs),
        overhead_line(jobs, spent),
    ]
    return "\n".join(p for p in parts if p) + "\n"


def run_batches(results: Path) -> list[str]:
    """Batches of the run that a results folder belongs to."""
    settings = read_settings(results / "settings.yaml")
    return list(batches_of(read_samples(settings, whole_run=False), settings))


def together(paths: list[Path], table: Table) -> pd.DataFrame:
    """Several tables as one; those that are not written yet are left out."""
    frames = [f for f in (read_table(p, table) for p in paths if p.is_file()) if len(f)]
    return pd.concat(frames, ignore_index=True) if frames else table.empty()


def tubes_line(tubes: pd.DataFrame) -> str:
    """How many tubes there are, and how many could not be used."""
    controls, failed = int(tubes["role"].eq("control").sum()), int(tubes["outcome"].eq(FAILED).sum())
    return f"tubes    {len(tubes)} ({controls} of controls), {failed} failed"


def calls_line(path: Path) -> str:
    """How many visits got which call; the commonest first."""
    if not path.is_file():
        return "calls    none yet"
    calls = read_table(path, CALLS_TABLE)
    counted = [f"{n} {call}" for call, n in calls["call"].value_counts(sort=True).items()]
    return f"calls    {len(calls)}: " + ", ".join(counted)


def failures_of(tubes: pd.DataFrame, laips: pd.DataFrame, looks: pd.DataFrame) -> list[str]:
    """Tubes without cells, diagnoses without a LAIP and arms that saw nothing, each with its reason; what follows is not told."""
    tubes, laips, looks = (f[f["outcome"].eq(FAILED)] for f in (tubes, laips, looks))
    looks = looks[~looks["reason"].isin([*laips["reason"], NO_DIAGNOSIS])]
    return [
        *named("tube " + tubes["tube_id"], tubes["reason"]),
        *named("LAIP of " + laips["subject"] + " (" + laips["arm"] + ")", laips["reason"]),
        *named("tube " + looks["tube_id"] + " (" + looks["arm"] + ")", looks["reason"]),
    ]


def named(names: Iterable[str], reasons: Iterable[str]) -> list[str]:
    """Each name with its reason."""
    return [f"{n}: {r}" for n, r in zip(names, reasons, strict=True)]


def failures_text(failures: list[str]) -> str:
    """The first failures, a line each, and how many more there are."""
    rest = len(failures) - MOST_TOLD
    more = [f"and {rest} more, in the tables of prepare, laip and detect"] if rest > 0 else []
    told = [*failures[:MOST_TOLD], *more] or ["none"]
    return "failures " + "\n         ".join(told)


def shared_text(path: Path) -> str:
    """Populations that most subjects share, as the calls took them; nothing where there are none."""
    told = records(read_table(path, SHARED)) if path.is_file() else []
    why = "likelier normal marrow that no control shows than leukaemia: review their calls, add controls that show it"
    lines = [f"{r['phenotype']} in {r['n_subjects']} of {r['n_searched']} subjects, {why}" for r in told]
    return "shared   " + "\n         ".join(lines) if lines else ""


def read_benchmarks(results: Path, since: float = 0.0) -> pd.DataFrame:
    """One row per job that Snakemake timed: its stage, seconds, peak memory (MB) and seconds of CPU."""
    folder = results / "benchmarks"
    paths = [p for p in sorted(folder.rglob("*.tsv")) if p.stat().st_mtime >= since]
    rows = [pd.read_csv(p, sep="\t", na_values=["-", "NA"]).tail(1).assign(stage=stage_of(p.relative_to(folder))) for p in paths]
    return pd.concat(rows, ignore_index=True)[BENCHMARK] if rows else pd.DataFrame(columns=BENCHMARK)


def stage_of(path: Path) -> str:
    """The stage of a benchmark file: its folder, or its own name."""
    return path.parts[0].removesuffix(".tsv")


def times_text(jobs: pd.DataFrame) -> str:
    """Per stage how many jobs ran, how long in all, the longest, its CPU and memory; the stage that took most first."""
    if jobs.empty:
        return "time     nothing was run"
    head = f"time     {'stage':<12}{'jobs':>6}{'total':>10}{'longest':>10}{'CPU':>10}{'memory':>12}"
    stages = sorted((frame for _, frame in jobs.groupby("stage")), key=lambda f: -f["s"].sum())
    return "\n".join([head, *(f"         {stage_line(f)}" for f in stages)])


def stage_line(jobs: pd.DataFrame) -> str:
    """One stage's jobs in columns."""
    times = [minutes_text(float(v)) for v in (jobs["s"].sum(), jobs["s"].max(), jobs["cpu_time"].sum())]
    memory = "" if jobs["max_rss"].isna().all() else f"{jobs['max_rss'].max():,.0f} MB"
    return f"{jobs['stage'].iloc[0]:<12}{len(jobs):>6}" + "".join(f"{x:>10}" for x in times) + f"{memory:>12}"


def overhead_line(jobs: pd.DataFrame, spent: Spent | None) -> str:
    """From start to end, the jobs' own time, and how much of the cores' time no job used."""
    if spent is None or jobs.empty:
        return ""
    busy = float(jobs["s"].sum())
    idle = max(0.0, 1 - busy / (spent.seconds * spent.cores))
    whole = f"{minutes_text(spent.seconds)} on {spent.cores} core{'' if spent.cores == 1 else 's'}"
    return f"run      {whole}, {minutes_text(busy)} in jobs; {100 * idle:.0f} % of the cores' time was idle or the workflow's own"
