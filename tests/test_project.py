"""The project's own files agree with each other."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from mrd import __version__
from mrd.cli.main import COMMANDS
from mrd.core.contracts import PIPELINE_TABLES
from mrd.core.settings import Settings, default_yaml
from mrd.core.tables import dictionary, json_schema

ROOT = Path(__file__).parents[1]
CONDA = {"pytorch-cpu": "torch", "pytorch-gpu": "torch", "matplotlib-base": "matplotlib", "snakemake-minimal": "snakemake"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def named(requirement):
    """Name and bounds of a requirement."""
    name, bounds = re.fullmatch(r"([A-Za-z0-9_.\-]+)\s*(.*)", requirement).groups()
    return CONDA.get(name, name).lower(), bounds


def conda(path):
    """Requirements of an environment file, pip's among them; what is not a requirement left out."""
    told = yaml.safe_load((ROOT / path).read_text())["dependencies"]
    flat = [r for d in told for r in (d["pip"] if isinstance(d, dict) else [d])]
    return dict(named(r) for r in flat if not r.startswith(("python>", "pip", "--editable", "pytest")))


@pytest.mark.parametrize("path", ["environment.yml", "environment-gpu.yml"])
def test_the_conda_environment_asks_for_what_the_project_needs(path):
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["slurm"]
    assert conda(path) == dict(named(r) for r in wanted)


def test_the_gpu_environment_differs_in_pytorch_only():
    cpu, gpu = ((ROOT / p).read_text().splitlines()[3:] for p in ("environment.yml", "environment-gpu.yml"))
    assert [b for a, b in zip(cpu, gpu, strict=True) if a != b] == ["  - pytorch-gpu>=2.6"]


def test_every_direct_dependency_is_pinned_by_the_constraints():
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"] + PROJECT["optional-dependencies"]["slurm"]
    assert {named(r)[0] for r in wanted} <= pinned
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


def test_the_default_config_and_its_schema_are_those_of_the_code():
    assert (ROOT / "workflow/config/config.yaml").read_text() == default_yaml()
    assert json.loads((ROOT / "workflow/schemas/settings.schema.json").read_text()) == Settings.model_json_schema()


def test_the_table_schemas_and_the_dictionary_are_those_of_the_code():
    for table in PIPELINE_TABLES:
        assert json.loads((ROOT / f"workflow/schemas/{table.name}.schema.json").read_text()) == json_schema(table), table.name
    assert (ROOT / "docs/tables.md").read_text() == dictionary(PIPELINE_TABLES)


def test_every_command_has_its_module_and_a_rule_calls_only_commands_that_exist():
    for name in COMMANDS:
        assert (ROOT / "mrd/cli" / f"{name}.py").is_file()
    for rules in (ROOT / "workflow/rules").glob("*.smk"):
        assert set(re.findall(r'"mrd (\w+)', rules.read_text())) <= set(COMMANDS)


def test_the_container_recipes_copy_what_there_is_and_all_that_a_run_needs():
    docker = (ROOT / "workflow/containers/Dockerfile").read_text()
    apptainer = (ROOT / "workflow/containers/flowmrd.def").read_text()
    copied = {w for line in re.findall(r"^COPY (.+)$", docker, re.M) for w in line.split()[:-1]}
    listed = set(re.findall(r"^    (\S+) /opt/flowmrd/", apptainer, re.M))
    allowed = set(re.findall(r"^!(.+)$", (ROOT / "workflow/containers/Dockerfile.dockerignore").read_text(), re.M))
    assert copied == listed == allowed
    assert {"mrd", "workflow", "panels", "Snakefile", "pyproject.toml", "constraints.txt"} <= copied
    assert all((ROOT / name).exists() for name in copied)


def test_the_benchmarks_of_the_makefile_can_be_skipped_and_a_missing_one_is_told():
    make = ["make", "--dry-run", "--old-file=.venv/.ready", "benchmark", "SKIP=slurm", "BENCHMARKS=resume slurm nothing"]
    told = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "for name in resume nothing; do" in told
    assert "not here" in told


def test_the_changelog_tells_of_this_version():
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_no_file_in_the_repository_is_large():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split("\0")
    large = [p for p in tracked if p and (ROOT / p).is_file() and (ROOT / p).stat().st_size > 2_000_000]
    assert not large
    assert sum((ROOT / p).stat().st_size for p in tracked if p.startswith("test_fcs/")) < 3_000_000
