"""A visit of two tubes with different panels through the commands, with known truth."""

import pandas as pd
import pytest
import yaml

from mrd.cli.main import main
from mrd.core.contracts import ARMS_TABLE
from mrd.files.tables import read_table
from tests.cohort import read_calls, run_some

SECOND = "eln-core-8"


def second_tubes(settings):
    """A second tube of another panel beside every tube, and a follow-up without leukaemia of both."""
    plan = settings.parent / "samples.tsv"
    frame = pd.read_csv(plan, sep="\t", dtype=str, keep_default_na=False)
    later = frame[frame["visit"].eq("FU1")].assign(
        visit="FU2", specimen="P1-FU2", fcs="fcs/P1_FU2_T1.fcs", burden="", events="7000", collected="2024-05-01"
    )
    first = pd.concat([frame, later]).assign(panel="")
    second = first.assign(tube="T2", panel=SECOND, fcs=first["fcs"].str.replace("T1", "T2"))
    pd.concat([first, second]).to_csv(plan, sep="\t", index=False)
    made = [*(second["subject"] + "_" + second["visit"] + "_T2"), "P1_FU2_T1"]
    assert main(["simulate", "--plan", str(plan), "--tubes", *made]) == 0
    told = yaml.safe_load(settings.read_text()) | {"batch_tubes": 20}
    settings.write_text(yaml.safe_dump(told))


def truth_of(settings):
    told = pd.read_csv(settings.parent / "truth" / "truth.tsv", sep="\t")
    return told.set_index("tube_id")["true_fraction"]


def test_the_higher_of_two_panels_decides_and_a_lost_tube_of_one_leaves_nothing_below(copied):
    settings, results = copied
    second_tubes(settings)
    given = ["--settings", str(settings)]
    assert main(["prepare", *given, "--batch", "c001"]) == 0
    controls = str(results / "prepare" / "c001.tsv")
    assert main(["reference", *given, "--panel", SECOND, "--tubes", controls]) == 0
    run_some(settings, "prepare", "laip", "detect", "call")
    calls, true = read_calls(results).loc["P1"], truth_of(settings)
    arms = read_table(results / "arms.tsv", ARMS_TABLE)
    laip = arms[arms["arm"].eq("laip")].set_index(["visit", "panel"])
    assert set(laip.loc["FU1"].index) == {"aml-lyric-9", SECOND}
    for tube, panel in (("P1_FU1_T1", "aml-lyric-9"), ("P1_FU1_T2", SECOND)):
        row = laip.loc[("FU1", panel)]
        assert row["ci_low"] <= true[tube] <= row["ci_high"]
        assert row["mrd_fraction"] == pytest.approx(true[tube], rel=0.2)
    deciding = laip.loc["FU1"]["mrd_fraction"].idxmax()
    assert (calls.loc["FU1", "call"], calls.loc["FU1", "panel"], calls.loc["FU1", "n_tubes"]) == ("positive", deciding, 2)
    assert calls.loc["FU1", "n_laip"] == laip.loc[("FU1", deciding), "n_found"]
    assert laip.loc["FU1", "decided"].to_dict() == {p: "Y" if p == deciding else "N" for p in ("aml-lyric-9", SECOND)}
    assert (calls.loc["FU2", "call"], calls.loc["FU2", "below_threshold"]) == ("not-detected", "Y")
    assert (laip.loc["FU2", "mrd_fraction"] <= laip.loc["FU2", "lob"]).all()
    (settings.parent / "fcs" / "P1_FU2_T2.fcs").write_bytes(b"")
    run_some(settings, "prepare", "laip", "detect", "call")
    row = read_calls(results).loc[("P1", "FU2")]
    assert row["call"] == "indeterminate"
    assert f"no tube of panel {SECOND}, which carries the subject's LAIP, could be counted" in row["reason"]
    assert "tube-failed" in row["flags"]
