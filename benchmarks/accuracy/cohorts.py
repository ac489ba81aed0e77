"""The cohorts, made where they are not there yet, and our own results on them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mrd.core.errors import FileError

ROOT = Path(__file__).resolve().parents[2]
MAKER = {
    "plain": (),
    "hard": ("--drift", "0.4", "--switch", "0.15"),
    "nodx": ("--no-diagnosis",),
    "poor": ("--poor", "0.4"),
    "wide": ("--shift", "0.25", "--gain", "0.3"),
}
"""Options of make_cohort.py for each kind of cohort."""


@dataclass(frozen=True)
class Cohort:
    """A cohort's kind and seed, the folder of its files and truth, and the folder of our results."""

    kind: str
    seed: int
    folder: Path
    results: Path

    @property
    def name(self) -> str:
        """Kind and seed."""
        return f"{self.kind}{self.seed}"


def check_shared(shared: Path) -> Path:
    """The folder with bench/ and data/.

    Raises
    ------
    FileError
        It is not there.
    """
    if not (shared / "bench" / "score_cohort.py").is_file():
        raise FileError("no bench/score_cohort.py there", where=str(shared), fix="give the folder with --shared")
    return shared


def labels_path(shared: Path) -> Path:
    """The expert-labelled events behind the cohorts."""
    return shared / "data" / "lyric" / "lyric_dev.csv"


def ensure_cohort(cohort: Cohort, shared: Path) -> None:
    """Make the cohort unless its truth is there."""
    if (cohort.folder / "truth.tsv").is_file():
        return
    lyric = shared / "data" / "lyric"
    maker = [sys.executable, str(shared / "bench" / "make_cohort.py"), "--events", str(labels_path(shared))]
    spill = ["--spill", str(lyric / "lyric_spillover.csv"), "--out", str(cohort.folder), "--seed", str(cohort.seed)]
    run([*maker, *spill, *MAKER[cohort.kind]], what=f"making {cohort.name}")


def ensure_results(cohort: Cohort, *, cores: int, cells_only: bool = False) -> None:
    """Run the workflow up to the calls, or only until the cells are prepared, unless they are there."""
    target = cohort.results / "calls.tsv"
    if target.is_file() or (cells_only and any((cohort.results / "prepare").glob("s*.tsv"))):
        return
    told = {"samples": cohort.folder / "samples.tsv", "results": cohort.results, "min_leukocytes": 100_000}
    snakemake = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--quiet", "all"]
    until = ["--until", "prepare"] if cells_only else []
    config = [f"{name}={value}" for name, value in told.items()]
    run([*snakemake, *until, "--config", *config, "--", str(target)], what=f"the workflow on {cohort.name}")


def run(command: Sequence[str], *, what: str) -> None:
    """Run a program from the root of the project.

    Raises
    ------
    FileError
        It failed.
    """
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise FileError(f"{what} failed", where=command[1], fix="see what it says above")
