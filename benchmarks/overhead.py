"""`python -m benchmarks.overhead`: what the workflow costs beside the work, on one core, where nothing runs side by side.

Work is what the jobs take without starting Python and its libraries; starting is measured for every command by itself, as what
Python takes to load it; the rest, from start to end, is Snakemake: reading the rules, planning, starting and waiting.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
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
    starts = {str(stage): min(timed(partial(load, str(stage))) for _ in range(3)) for stage in sorted(set(jobs["stage"]))}
    inside, starting = float(jobs["s"].sum()), sum(starts[str(stage)] for stage in jobs["stage"])
    print(f"{'':<44}{'seconds':>9}{'share':>8}")
    for what, seconds in (
        ("start to end", whole),
        (f"work in {len(jobs)} jobs", inside - starting),
        (f"starting {len(jobs)} commands", starting),
        ("Snakemake: rules, plan, starting and waiting", whole - inside),
    ):
        print(f"{what:<44}{seconds:>9.1f}{100 * seconds / whole:>7.0f} %")
    print(f"{'a second run, in which nothing is to be done':<44}{again:>9.1f}")
    print("to start: " + ", ".join(f"{command} {seconds:.1f} s" for command, seconds in starts.items()))
    return 0


def load(command: str) -> None:
    """Python, loading a command and nothing else."""
    subprocess.run([sys.executable, "-c", f"import mrd.cli.main, mrd.cli.{command}"], cwd=ROOT, check=True)


def timed(work: Callable[[], None]) -> float:
    """Seconds that a piece of work takes."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main())
