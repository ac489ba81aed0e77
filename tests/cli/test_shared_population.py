"""What most subjects of a run share makes nobody positive and speaks against no LAIP; it is frozen with the reference."""

import shutil

import pandas as pd
import pytest
import yaml

from mrd.cli.call import different, shared_by_most
from mrd.cli.main import main
from mrd.core.contracts import DIFFERENCES
from mrd.detect import judge
from mrd.files.tables import read_table
from mrd.quantify import shared
from tests.cohort import read_calls, run_some


def called(settings, results, **changed):
    told = yaml.safe_load(settings.read_text())
    for path in (settings, results / "settings.yaml"):
        path.write_text(yaml.safe_dump({**told, **changed}))
    run_some(settings, "call")
    row = read_calls(results).loc[("P1", "FU1")]
    return row["call"], row["flags"].split(";"), row["reason"]


def lose_laip(results):
    """The LAIP sees nothing at P1_FU1, and what differs there is new."""
    table = results / "detect" / "s001.tsv"
    burdens = pd.read_csv(table, sep="\t", dtype=str)
    here = burdens["tube_id"].eq("P1_FU1_T1")
    burdens.loc[here & burdens["arm"].isin(["laip", "learned"]), "n_found"] = "0"
    burdens.loc[here & burdens["arm"].eq("dfn"), "flags"] = "clearly-different;new-population"
    burdens.to_csv(table, sep="\t", index=False)


@pytest.fixture
def alone_is_most(monkeypatch):
    """One subject of a run is enough for what it shows to be shared; call `.undo()` for the rule as it is."""
    monkeypatch.setattr(shared, "LEAST_SUBJECTS", 1)
    monkeypatch.setattr(shared, "LEAST_SHARE", 0.0)
    return monkeypatch


def test_what_is_shared_is_indeterminate(copied, alone_is_most):
    settings, results = copied
    call, flags, reason = called(settings, results, combine="dfn")
    assert (call, "shared-population" in flags) == ("indeterminate", True)
    assert "most subjects show such a population" in reason
    alone_is_most.undo()
    call, flags, _ = called(settings, results)
    assert (call, "shared-population" in flags) == ("positive", False)


def test_what_was_shared_is_frozen_with_the_reference(copied, alone_is_most):
    settings, results = copied
    assert called(settings, results, combine="dfn")[0] == "indeterminate"
    told = (results / "shared.tsv").read_text()
    alone_is_most.undo()
    for _ in range(2):  # a run that was given a reference hands on what was frozen with it
        assert called(settings, results, reference=str(results / "reference"))[0] == "indeterminate"
        assert (results / "shared.tsv").read_text() == told
    (results / "shared.tsv").unlink()
    assert called(settings, results)[0] == "positive"


def test_with_a_frozen_reference_no_call_hangs_on_other_subjects_of_the_run(copied, alone_is_most):
    settings, results = copied
    call, flags, _ = called(settings, results, combine="dfn", reference=str(results / "reference"))
    assert (call, "shared-population" in flags) == ("positive", False)


def test_calls_that_hang_on_what_is_shared_are_the_same_when_they_are_locked(copied, alone_is_most, capsys):
    settings, results = copied
    assert called(settings, results, combine="dfn")[0] == "indeterminate"
    assert main(["manifest", str(results)]) == 0
    assert main(["lock", str(results)]) == 0
    alone_is_most.undo()
    locked = {"reference": str(results / "lock" / "reference"), "laip_folder": str(results / "lock" / "laip")}
    assert called(settings, results, **locked)[0] == "indeterminate"
    assert main(["compare", "--settings", str(settings)]) == 0
    assert read_table(results / "differences.tsv", DIFFERENCES).empty


def test_what_is_shared_does_not_speak_against_a_laip_and_what_is_its_own_does(copied, monkeypatch):
    settings, results = copied
    lose_laip(results)
    alone, flags, _ = called(settings, results)
    assert (alone, "shared-population" in flags) == ("positive", False)
    monkeypatch.setattr(shared, "LEAST_SUBJECTS", 1)
    monkeypatch.setattr(shared, "LEAST_SHARE", 0.0)
    call, flags, reason = called(settings, results)
    assert "does not speak against the LAIP" in reason
    row = read_calls(results).loc[("P1", "FU1")]
    assert (row["arm"], row["mrd_fraction"], call) == ("laip", 0, "indeterminate")
    assert {"shared-population", "arms-disagree"} <= set(flags)
    assert row["ci_high"] < float(row["threshold"])


def test_what_has_changed_is_no_normal_population_though_others_show_one_alike(copied, alone_is_most):
    settings, results = copied
    lose_laip(results)
    assert "does not speak against the LAIP" in called(settings, results)[2]
    table, frozen = results / "detect" / "s001.clusters.tsv", str(results / "reference")
    clusters = pd.read_csv(table, sep="\t", dtype=str)
    clusters.loc[clusters["tube_id"].eq("P1_FU1_T1"), "change"] = "5"
    clusters.to_csv(table, sep="\t", index=False)
    call, flags, _ = called(settings, results, reference=frozen)
    assert (call, "shared-population" in flags) == ("positive", False)


def test_the_call_takes_for_changed_what_the_search_does():
    assert shared.CHANGED == judge.CHANGED


def test_what_subjects_of_another_run_shared_leaves_no_relapse_to_the_laip(copied, alone_is_most):
    settings, results = copied
    lose_laip(results)
    assert "does not speak against the LAIP" in called(settings, results)[2]
    other = results.parent / "other"
    shutil.copytree(results / "reference", other / "reference")
    shutil.copy(results / "shared.tsv", other)
    (results.parent / "current").symlink_to(other / "reference")
    for reference in (other / "reference", results.parent / "current"):
        call, flags, _ = called(settings, results, reference=str(reference))
        assert (call, "shared-population" in flags) == ("indeterminate", True)
        assert read_calls(results).loc[("P1", "FU1"), "arm"] == "dfn"
    (other / "shared.tsv").unlink()
    assert called(settings, results, reference=str(other / "reference"))[0] == "positive"


CLUSTERS = ["subject", "tube_id", "arm", "phenotype", "change"]


def test_what_is_found_at_diagnosis_or_has_changed_is_shared_with_nobody():
    tubes = pd.DataFrame({"tube_id": ["P1_DX", "P1_FU1", "P2_FU1"], "role": ["diagnosis", "follow-up", "follow-up"]})
    found = [
        ("P1", "P1_DX", "dfn", "A", None),
        ("P1", "P1_FU1", "dfn", "B", 2.0),
        ("P1", "P1_FU1", "dfn", "D", 5.0),
        ("P2", "P2_FU1", "dfn", "B", None),
        ("P2", "P2_FU1", "laip", "C", None),
    ]
    clusters = pd.DataFrame(found, columns=CLUSTERS)
    assert different(clusters, tubes) == [("P1", "B"), ("P2", "B")]


def test_of_subjects_are_those_with_a_follow_up_that_could_be_looked_at():
    subjects = [f"P{i}" for i in range(1, 9)]
    rows = [(s, f"{s}_DX", "diagnosis", "ok") for s in subjects]
    rows += [(s, f"{s}_FU1", "follow-up", "failed" if s == "P6" else "ok") for s in subjects[:6]]
    tubes = pd.DataFrame(rows, columns=["subject", "tube_id", "role", "outcome"])
    found = [(s, f"{s}_FU1", "dfn", "CD45midCD34hi/CD45+", 1.0) for s in subjects[:5]]
    [told] = shared_by_most(pd.DataFrame(found, columns=CLUSTERS), tubes)
    assert (told.n_subjects, told.n_searched) == (5, 5)
