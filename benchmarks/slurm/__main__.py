"""`python -m benchmarks.slurm`: the workflow on a real Slurm; a job, then the run are killed; the calls stay the same."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.flows import COHORTS, differing, run_flow, start_flow
from benchmarks.slurm.node import missing_daemons, one_node

PROFILE = [
    *("--profile", "workflow/profiles/slurm"),
    *("--slurm-status-command", "squeue", "--slurm-no-account", "--slurm-init-seconds-before-status-checks", "3"),
    *("--latency-wait", "10"),
]
"""As a user starts it on a cluster without accounting, only that jobs are asked for more often."""
ASKED = "JobID:12,State:14,Comment:120,NumCPUs:6,MinMemory:12,TimeLimit:14,tres-per-job:24"
"""squeue: id, state, comment (the rule and its batch), cores, memory, time, GPUs; none of them holds a blank."""


def main() -> int:
    """Run locally, run on Slurm with two kills, compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slurm", description=__doc__)
    parser.add_argument("--cohort", choices=COHORTS, default="small")
    parser.add_argument("--stage", default="detect", help="stage of which a job is killed while it runs")
    parser.add_argument("--local", type=Path, help="results of a local run of the cohort up to the calls; else one is made")
    options = parser.parse_args()
    if missing := missing_daemons():
        tell(f"skipped: {', '.join(missing)} not installed (Debian: apt-get install slurm-wlm munge)")
        return 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        config = {**COHORTS[options.cohort](folder / "cohort"), "device": "auto"}
        local = options.local or folder / "local"
        if not options.local:
            run_flow(config, local, log=folder / "local.log")
        with one_node(folder / "node") as environment:
            os.environ.update({k: environment[k] for k in ("SLURM_CONF", "PATH")})
            kill_twice(config, folder, options.stage)
            begun = time.monotonic()
            run_flow(config, folder / "slurm", log=folder / "slurm.log", words=PROFILE)
            tell(f"resumed to the end: {time.monotonic() - begun:.0f} s")
            tell_jobs()
        different = differing(local, folder / "slurm")
        tell(f"tables that differ from the local run: {', '.join(different) or 'none'}")
    return 1 if different else 0


def kill_twice(config: dict[str, object], folder: Path, stage: str) -> None:
    """Cancel a running job of a stage, and when the stage runs again kill Snakemake and what it left running."""
    flow = start_flow(config, folder / "slurm", log=folder / "slurm.log", words=PROFILE)
    first = wait_for_job(stage, flow, folder)
    slurm("scancel", "--signal=KILL", "--full", first)
    tell(f"killed job {first} ({stage}) while it ran")
    again = wait_for_job(stage, flow, folder, after=first)
    tell(f"job {again} ({stage}) was started in its place or beside it")
    os.killpg(flow.pid, signal.SIGKILL)
    flow.wait()
    left = [row[0] for row in jobs() if row[1] in ("RUNNING", "PENDING")]
    slurm("scancel", *left)
    tell(f"killed Snakemake with SIGKILL and cancelled the jobs it left: {', '.join(left)}")


def wait_for_job(stage: str, flow: subprocess.Popen[bytes], folder: Path, after: str = "0") -> str:
    """The id of a job of a stage that runs now and came after another."""
    while flow.poll() is None:
        for row in jobs():
            if row[1] == "RUNNING" and f"rule_{stage}" in row[2] and int(row[0]) > int(after):
                time.sleep(2)
                return row[0]
        time.sleep(0.2)
    sys.exit(f"the run ended before a job of {stage} was killed:\n{(folder / 'slurm.log').read_text()[-3000:]}")


def jobs() -> list[list[str]]:
    """What Slurm tells of the jobs it still knows."""
    return [line.split() for line in slurm("squeue", "-h", "-t", "all", "-O", ASKED).splitlines()]


def tell_jobs() -> None:
    """Print the jobs with what they asked for."""
    tell(f"{'job':>5} {'state':<12} {'rule':<34} {'cores':>5} {'memory':>8} {'time':>10} gpu")
    for number, state, rule, cores, memory, limit, gpu in sorted(jobs(), key=lambda r: int(r[0])):
        tell(f"{number:>5} {state:<12} {rule[:34]:<34} {cores:>5} {memory:>8} {limit:>10} {gpu}")


def tell(text: str) -> None:
    """Print at once, for a run takes long."""
    print(text, flush=True)


def slurm(*words: str) -> str:
    """What a command of Slurm prints."""
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    sys.exit(main())
