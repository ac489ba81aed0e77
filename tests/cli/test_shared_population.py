"""What most subjects of a run share makes nobody positive and speaks against no LAIP, unless the reference is frozen."""

import pandas as pd
import yaml

from mrd.cli.call import different
from mrd.quantify import shared
from tests.cohort import read_calls, run_some


def called(settings, results, **changed):
    told = yaml.safe_load(settings.read_text())
    for path in (settings, results / "settings.yaml"):
        path.write_text(yaml.safe_dump({**told, **changed}))
    run_some(settings, "call")
    row = read_calls(results).loc[("P1", "FU1")]
    return row["call"], row["flags"].split(";"), row["reason"]


def test_what_is_shared_is_indeterminate_and_with_a_frozen_reference_stands(copied, monkeypatch):
    settings, results = copied
    call, flags, _ = called(settings, results, combine="dfn")
    assert (call, "shared-population" in flags) == ("positive", False)
    monkeypatch.setattr(shared, "LEAST_SUBJECTS", 1)
    monkeypatch.setattr(shared, "LEAST_SHARE", 0.0)
    call, flags, reason = called(settings, results)
    assert (call, "shared-population" in flags) == ("indeterminate", True)
    assert "most subjects of this run show such a population" in reason
    call, flags, _ = called(settings, results, reference=str(results / "reference"))
    assert (call, "shared-population" in flags) == ("positive", False)


def test_what_is_shared_does_not_speak_against_a_laip_and_what_is_its_own_does(copied, monkeypatch):
    settings, results = copied
    table = results / "detect" / "s001.tsv"
    burdens = pd.read_csv(table, sep="\t", dtype=str)
    laip = burdens["tube_id"].eq("P1_FU1_T1") & burdens["arm"].isin(["laip", "learned"])
    burdens.loc[laip, "n_found"] = "0"
    burdens.to_csv(table, sep="\t", index=False)
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
    call, flags, _ = called(settings, results, reference=str(results / "reference"))
    assert (call, "shared-population" in flags) == (alone, False)


def test_populations_of_diagnosis_tubes_are_shared_with_nobody():
    tubes = pd.DataFrame({"tube_id": ["P1_DX", "P1_FU1", "P2_FU1"], "role": ["diagnosis", "follow-up", "follow-up"]})
    found = [
        ("P1", "P1_DX", "dfn", "A"),
        ("P1", "P1_FU1", "dfn", "B"),
        ("P2", "P2_FU1", "dfn", "B"),
        ("P2", "P2_FU1", "laip", "C"),
    ]
    clusters = pd.DataFrame(found, columns=["subject", "tube_id", "arm", "phenotype"])
    assert different(clusters, tubes) == [("P1", "B"), ("P2", "B")]
