import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mrd.cli.main import main
from tests.cohort import SMALL, controls, make_cohort, patient, read_calls

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def snakemake(*words, **config):
    """Run the workflow from the root of the checkout, as a user does."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--nolock",
        "--cores",
        "2",
        *words,
        "--config",
        *(f"{k}={v}" for k, v in config.items()),
    ]
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env, check=False)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A cohort, and the settings with which the workflow was run on it."""
    folder = tmp_path_factory.mktemp("flow")
    settings = make_cohort(folder, [*controls(4, 4_000), *patient("P1", "CD56+", [0.06], events=5_000)])
    config = {**SMALL, **yaml.safe_load(settings.read_text())}
    first = snakemake(**config)
    assert first.returncode == 0, first.stderr
    return folder, config


def test_the_workflow_ends_in_calls_endpoint_and_settings(done):
    folder, config = done
    results = folder / "results"
    assert read_calls(results)["call"].to_dict() == {("P1", "DX"): "positive", ("P1", "FU1"): "positive"}
    assert (results / "endpoint" / "admrd.parquet").is_file()
    assert yaml.safe_load((results / "settings.yaml").read_text())["threshold"] == config["threshold"]


def test_a_second_run_does_nothing(done):
    again = snakemake(**done[1])
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


def test_a_changed_setting_reruns_its_stage_and_what_follows_only(done):
    listed = snakemake("--dry-run", **{**done[1], "min_blasts": 5}).stdout
    rules = {line.split()[1].rstrip(":") for line in listed.splitlines() if line.startswith(("rule ", "localrule "))}
    assert {"call", "endpoint"} <= rules
    assert not rules & {"prepare", "reference", "laip", "detect"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"samples": "no.tsv"}, "samples: the table is missing; check the path"),
        ({"samples": ""}, "no sample sheet is given; give --config samples=PATH"),
        ({"panel": "aml9"}, "there is no panel aml9"),
        ({"treshold": 1}, "treshold is not a setting"),
        ({"reference": "nowhere"}, "reference = nowhere: it holds no reference of panel aml-lyric-9"),
    ],
)
def test_what_cannot_be_run_is_one_line_before_any_work_starts(done, tmp_path, change, told):
    result = snakemake(**{**done[1], "results": tmp_path / "none", **change})
    assert result.returncode == 2
    assert next(line for line in result.stderr.splitlines() if line.startswith("flowmrd: ")).count(told) == 1
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "none").exists()


def test_what_people_settled_becomes_the_table_for_the_endpoint(done, monkeypatch):
    folder, config = done
    results = folder / "results"
    assert "rule review" not in snakemake("--dry-run", **config).stdout
    monkeypatch.setenv("MRD_REVIEW_PASSWORD", "a long enough secret")
    assert main(["review", str(results), "--create-admin", "ada"]) == 0
    done_again = snakemake(str(results / "review.tsv"), **config)
    assert done_again.returncode == 0, done_again.stderr
    assert (
        (results / "review.tsv").read_text().startswith("subject\tvisit\tcall\tvalue\treviewer\treviewed_at\tmeaning\treason\t")
    )


def test_a_run_on_its_own_reference_keeps_what_most_subjects_share_and_calls_again_where_that_changed(done):
    folder, config = done
    table, own = folder / "results" / "shared.tsv", {**config, "reference": folder / "results" / "reference"}
    table.write_text(table.read_text() + "CD45midSSCloCD34+/CD45+\t5\t6\n")
    told = table.read_text()
    assert snakemake("--until", "call", **own).returncode == 0
    assert table.read_text() == told
    table.write_text(told + "CD45midSSCloCD34-/CD45+\t5\t6\n")
    listed = snakemake("--dry-run", "--until", "call", **own).stdout
    assert {line.split()[1].rstrip(":") for line in listed.splitlines() if line.startswith(("rule ", "localrule "))} == {"call"}
