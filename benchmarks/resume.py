"""`python -m benchmarks.resume`: SIGKILL at random moments, then a run to the end, whose calls must be an undisturbed run's.

Every second kill takes the whole process group, the others Snakemake alone, so that its jobs go on as orphans beside the run
that follows. Each run is started by the same plain command, without --unlock or --rerun-incomplete.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.flows import COHORTS, differing, run_flow, start_flow

STARTED = 3.0
"""Seconds in which a run only starts."""


def main() -> int:
    """Run, kill, resume, compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resume", description=__doc__)
    parser.add_argument("--cohort", choices=COHORTS, default="small")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=None, help="of the moments; random where none is given")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        config = COHORTS[options.cohort](folder / "cohort")
        begun = time.monotonic()
        run_flow(config, folder / "whole", log=folder / "whole.log")
        whole = time.monotonic() - begun
        print(f"undisturbed run: {whole:.0f} s", flush=True)
        for number in range(options.kills):
            kill_once(config, folder, number, rng.uniform(STARTED, max(0.5 * whole, STARTED + 1)))
        begun = time.monotonic()
        run_flow(config, folder / "killed", log=folder / "killed.log")
        different = differing(folder / "whole", folder / "killed")
        print(f"to the end: {time.monotonic() - begun:.0f} s; tables that differ: {', '.join(different) or 'none'}")
    return 1 if different else 0


def kill_once(config: Mapping[str, Any], folder: Path, number: int, moment: float) -> None:
    """Start or resume the run and kill it at a moment; a run that ends before is begun anew, so that each kill is one."""
    results, group = folder / "killed", number % 2 == 0
    while True:
        flow = start_flow(config, results, log=folder / "killed.log")
        try:
            flow.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            break
        if flow.returncode:
            sys.exit(f"the resumed run failed:\n{(folder / 'killed.log').read_text()[-3000:]}")
        shutil.rmtree(results)
    (os.killpg if group else os.kill)(flow.pid, signal.SIGKILL)
    flow.wait()
    done = len(list((results / "benchmarks").rglob("*.tsv")))
    print(
        f"kill {number + 1}: after {moment:.1f} s, {'with its jobs' if group else 'Snakemake alone'}, {done} jobs done",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
