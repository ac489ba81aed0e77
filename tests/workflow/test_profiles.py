"""The profiles are read by Snakemake, and what they ask for reaches the jobs."""

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROFILES = sorted(p.parent.name for p in (ROOT / "workflow/profiles").glob("*/config.yaml"))
DEVICE = {"reference", "laip", "detect"}
pytestmark = pytest.mark.slow


def plan(tmp_path, profile, *words, **config):
    """A dry run of the test tubes with a profile."""
    told = {"samples": ROOT / "test_fcs/plan.tsv", "results": tmp_path / "out", **config}
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--profile", f"workflow/profiles/{profile}", *words]
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        [*command, "--config", *(f"{k}={v}" for k, v in told.items())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )


def resources(text):
    """By rule, the resources of its last job in a dry run."""
    jobs = re.findall(r"^rule (\w+):$(.*?)^    resources: (.*?)$", text, re.M | re.S)
    return {rule: dict(pair.split("=") for pair in told.split(", ")) for rule, _, told in jobs}


def test_there_is_a_profile_for_each_kind_of_machine():
    assert PROFILES == ["cuda", "default", "slurm"]


@pytest.mark.parametrize(("profile", "device"), [("default", "cpu"), ("cuda", "auto"), ("slurm", "cuda")])
def test_a_dry_run_plans_every_job_with_its_memory_time_and_device(tmp_path, profile, device):
    done = plan(tmp_path, profile, device=device)
    assert done.returncode == 0, done.stderr
    asked = resources(done.stdout)
    assert {"prepare", "call", "endpoint", "manifest", "report_subjects", "report_cohort"} | DEVICE == set(asked) - {"all"}
    rules = [r for r in asked if r != "all"]
    assert all(int(asked[r]["mem_mb"]) >= 500 and int(asked[r]["runtime"]) >= 10 for r in rules)
    assert {r for r in rules if asked[r].get("gpu") == "1"} == (set() if device == "cpu" else DEVICE)


def test_the_workflow_can_be_started_from_any_folder(tmp_path):
    done = plan(tmp_path, "default", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path), device="cpu")
    assert done.returncode == 0, done.stderr
    assert "prepare" in resources(done.stdout)


def test_the_cuda_profile_gives_the_device_to_one_job_at_a_time():
    told = yaml.safe_load((ROOT / "workflow/profiles/cuda/config.yaml").read_text())
    assert told["resources"] == ["gpu=1"]
    assert told["cores"] == "all"


def test_the_slurm_profile_tries_again_and_takes_up_what_was_left_half_done():
    told = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    assert told["executor"] == "slurm"
    assert told["retries"] >= 1
    assert told["rerun-incomplete"] is True


def test_a_second_run_in_one_results_folder_is_refused_while_the_first_lives(tmp_path):
    held = tmp_path / "out" / "logs" / ".running"
    held.parent.mkdir(parents=True)
    with held.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        told = ["--config", f"samples={ROOT}/test_fcs/plan.tsv", f"results={tmp_path}/out"]
        second = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", *told], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert second.returncode == 2
    assert f"flowmrd: results = {tmp_path}/out: another run is writing into it; wait for it, or end it" in second.stderr
    assert "Traceback" not in second.stderr
    assert not (tmp_path / "out" / "prepare").exists()
