"""A locked trial: later runs add to it and tell what they would have called otherwise; they change nothing."""

import json
import shutil

import pandas as pd
import pytest
import yaml

from mrd.cli.main import main
from mrd.core.contracts import CALLS_TABLE, DIFFERENCES
from mrd.core.settings import check_settings
from mrd.files.lock import with_lock
from mrd.files.tables import read_table
from tests.cohort import run_some


def change(settings, **values):
    """Change settings of a run."""
    told = yaml.safe_load(settings.read_text()) | values
    settings.write_text(yaml.safe_dump(told))


@pytest.fixture
def locked(copied, capsys):
    """A locked copy of the finished run, and the rows of its calls as text."""
    assert main(["lock", str(copied[1])]) == 0
    assert "2 calls are locked in" in capsys.readouterr().out
    return *copied, (copied[1] / "calls.tsv").read_text()


def differences(results):
    return read_table(results / "differences.tsv", DIFFERENCES)


def test_the_lock_holds_reference_laips_and_calls_with_their_digests(locked):
    folder = locked[1] / "lock"
    told = json.loads((folder / "lock.json").read_text())
    assert {
        "calls.tsv",
        "shared.tsv",
        "reference/aml-lyric-9/reference.safetensors",
        "reference/aml-lyric-9/controls.h5ad",
        "laip/models/P1.aml-lyric-9.safetensors",
        "laip/models/P1.aml-lyric-9.safetensors.json",
    } <= set(told["files"])
    assert told["n_calls"] == 2
    assert set(told["code"]) == {"prepare", "reference", "laip", "detect", "call"}
    assert not (folder / "calls.tsv").stat().st_mode & 0o222
    assert main(["verify", str(locked[1])]) == 0


def test_nothing_changed_is_no_difference(locked):
    settings, results, calls = locked
    assert main(["compare", "--settings", str(settings)]) == 0
    assert differences(results).empty
    assert (results / "calls.tsv").read_text() == calls


def test_a_changed_setting_is_told_and_the_locked_call_stays(locked):
    settings, results, calls = locked
    change(settings, threshold=0.2)
    run_some(settings, "call")
    assert (results / "calls.tsv").read_text() != calls
    for _ in range(2):  # comparing again loses nothing
        assert main(["compare", "--settings", str(settings)]) == 0
        assert (results / "calls.tsv").read_text() == calls
        rows = differences(results).set_index(["subject", "visit", "column"])
        assert rows.loc[("P1", "FU1", "call"), "old"] == "positive"
        assert rows.loc[("P1", "FU1", "call"), "new"] != "positive"
        assert rows.loc[("P1", "FU1", "call"), "decides"] == "Y"
        assert rows.loc[("P1", "FU1", "threshold"), ["old", "new", "why"]].tolist() == [
            "0.02",
            "0.2",
            "setting threshold 0.02 -> 0.2",
        ]
        assert set(rows["why"]) == {"setting threshold 0.02 -> 0.2"}
    again = read_table(results / "recalled.tsv", CALLS_TABLE)
    assert set(again["threshold"]) == {0.2}


def test_a_changed_fcs_file_is_the_reason_of_its_own_visit(locked):
    settings, results, calls = locked
    plan = str(settings.parent / "samples.tsv")
    assert main(["simulate", "--plan", plan, "--seed", "9", "--tubes", "P1_FU1_T1"]) == 0
    run_some(settings, "prepare", "laip", "detect", "call")
    assert main(["compare", "--settings", str(settings)]) == 0
    rows = differences(results)
    assert set(zip(rows["subject"], rows["visit"], strict=True)) == {("P1", "FU1")}
    assert set(rows["why"]) == {"FCS file of P1_FU1_T1"}
    assert (results / "calls.tsv").read_text() == calls


def test_a_new_visit_is_called_and_a_dropped_one_stays(locked):
    settings, results, calls = locked
    plan = settings.parent / "samples.tsv"
    frame = pd.read_csv(plan, sep="\t", dtype=str, keep_default_na=False)
    later = frame[frame["visit"] == "FU1"].assign(visit="FU2", specimen="P1-FU2", collected="2024-03-01")
    pd.concat([frame[frame["visit"] != "FU1"], later]).to_csv(plan, sep="\t", index=False)
    run_some(settings, "prepare", "laip", "detect", "call")
    assert main(["compare", "--settings", str(settings)]) == 0
    kept = (results / "calls.tsv").read_text().splitlines()
    assert kept[:3] == calls.splitlines()
    assert kept[3].split("\t")[:2] == ["P1", "FU2"]
    rows = differences(results)
    assert rows[["visit", "column", "new", "why"]].fillna("").to_numpy().tolist() == [["FU1", "call", "", "no longer called"]]


def test_later_runs_use_the_frozen_reference_and_laips(locked):
    settings, results, _ = locked
    told = with_lock(check_settings(yaml.safe_load(settings.read_text())))
    assert told.reference == str(results / "lock" / "reference")
    assert told.laip_folder == str(results / "lock" / "laip")
    other = with_lock(check_settings({**yaml.safe_load(settings.read_text()), "reference": "elsewhere"}))
    assert other.reference == "elsewhere"


def test_a_broken_lock_stops_every_comparison(locked, capsys):
    settings, results, _ = locked
    path = results / "lock" / "calls.tsv"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("positive", "not-detected"))
    for words in (["compare", "--settings", str(settings)], ["verify", str(results)]):
        capsys.readouterr()
        assert main(words) == 2
        assert "the lock is broken: changed calls.tsv" in capsys.readouterr().err


def test_a_trial_is_locked_once_and_only_as_it_was_written(copied, capsys):
    results = copied[1]
    calls = (results / "calls.tsv").read_text()
    (results / "calls.tsv").write_text(calls.replace("positive", "not-detected"))
    assert main(["lock", str(results)]) == 2
    assert "its files are not what the run wrote" in capsys.readouterr().err
    (results / "calls.tsv").write_text(calls)
    assert main(["lock", str(results)]) == 0
    assert main(["lock", str(results)]) == 2
    assert "the trial is locked already" in capsys.readouterr().err


def test_without_calls_there_is_nothing_to_lock(copied, capsys):
    shutil.rmtree(copied[1])
    assert main(["lock", str(copied[1]), "--settings", str(copied[0])]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_calls_of_a_version_that_did_not_tell_what_is_shared_are_not_locked(copied, capsys):
    (copied[1] / "shared.tsv").unlink()
    (copied[1] / "manifest.json").unlink()
    assert main(["lock", str(copied[1])]) == 2
    assert "shared.tsv: missing, and the calls may hang on it; run the workflow again, then lock" in capsys.readouterr().err
    assert not (copied[1] / "lock").exists()
