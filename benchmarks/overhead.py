"""`python -m benchmarks.overhead`: what the workflow costs beside the work, on one core, where nothing runs side by side.

Work is what the jobs take without starting Python and its libraries; starting is measured as the second run of a command that
finds all its work remembered; the rest, from start to end, is Snakemake: reading the rules, planning, starting and waiting.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.flows import COHORTS, ROOT, run_flow
from mrd.cli.tally import read_benchmarks


def main() -> int:
    """Run a cohort on one core and print where the time went."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--cohort", choices=COHORTS, default="small")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config, results = COHORTS[options.cohort](folder / "cohort"), folder / "results"
        whole = timed(lambda: run_flow(config, results, log=folder / "run.log", cores=1))
        jobs = read_benchmarks(results)
        again = timed(lambda: run_flow(config, results, log=folder / "run.log", cores=1))
        start = min(timed(lambda: detect_again(results)) for _ in range(3))
    inside, starting = float(jobs["s"].sum()), start * len(jobs)
    print(f"{'':<44}{'seconds':>9}{'share':>8}")
    for what, seconds in (
        ("start to end", whole),
        (f"work in {len(jobs)} jobs", inside - starting),
        (f"starting a command {len(jobs)} times ({start:.1f} s each)", starting),
        ("Snakemake: rules, plan, starting and waiting", whole - inside),
    ):
        print(f"{what:<44}{seconds:>9.1f}{100 * seconds / whole:>7.0f} %")
    print(f"{'a second run, in which nothing is to be done':<44}{again:>9.1f}")
    return 0


def detect_again(results: Path) -> None:
    """The first batch's detect once more: every tube is remembered."""
    tables = ["--tubes", str(results / "prepare/s001.tsv"), "--laips", str(results / "laip/s001.tsv")]
    words = ["detect", "--settings", str(results / "settings.yaml"), "--batch", "s001", *tables]
    subprocess.run([sys.executable, "-m", "mrd.cli.main", *words], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)


def timed(work: Callable[[], None]) -> float:
    """Seconds that a piece of work takes."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main())
