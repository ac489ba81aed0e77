"""Runs of the workflow that the benchmarks start, kill and compare."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.cohort import SMALL, controls, make_cohort, patient

ROOT = Path(__file__).resolve().parents[1]
TABLES = ("calls.tsv", "arms.tsv", "limits.tsv", "clusters.tsv", "qc.tsv")
"""What two runs of one cohort must agree in, byte for byte."""


def small_cohort(folder: Path) -> dict[str, Any]:
    """Seconds of work in many jobs: 4 controls and 3 subjects of a few thousand events, made into the folder; its settings."""
    rows = [
        *controls(4, 4_000),
        *(r for i in (1, 2, 3) for r in patient(f"P{i}", ("CD56+", "CD19+", "CD56+")[i - 1], [0.06, 0.001])),
    ]
    told = yaml.safe_load(make_cohort(folder, rows).read_text())
    return {**SMALL, **told, "batch_tubes": 3, "device": "cpu"}


def demo_cohort(folder: Path) -> dict[str, Any]:
    """The demo's settings; its files are made by the workflow itself."""
    return {**yaml.safe_load((ROOT / "workflow/config/demo.yaml").read_text()), "device": "cpu"}


COHORTS = {"small": small_cohort, "demo": demo_cohort}


def start_flow(
    config: Mapping[str, Any], results: Path, *, log: Path, words: Sequence[str] = (), cores: int = 2
) -> subprocess.Popen:
    """Start the workflow up to the calls, as a user would, in a process group of its own."""
    told = [f"{k}={v}" for k, v in {**config, "results": results}.items()]
    program = [sys.executable, "-m", "snakemake", str(results / "calls.tsv"), *words]
    where = [] if "--profile" in words else ["--cores", str(cores)]
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    with log.open("a") as out:
        return subprocess.Popen(
            [*program, *where, "--config", *told], cwd=ROOT, stdout=out, stderr=out, env=env, start_new_session=True
        )


def run_flow(config: Mapping[str, Any], results: Path, *, log: Path, words: Sequence[str] = (), cores: int = 2) -> None:
    """Run the workflow to its end; a failed one ends the benchmark with the end of its log."""
    if start_flow(config, results, log=log, words=words, cores=cores).wait():
        sys.exit(f"the workflow failed:\n{log.read_text()[-3000:]}")


def differing(one: Path, other: Path) -> list[str]:
    """Tables in which two results folders differ."""
    return [n for n in TABLES if (one / n).read_bytes() != (other / n).read_bytes()]
