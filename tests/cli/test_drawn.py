"""LAIPs that the lab drew, through the commands: counted as every arm is, with limits from the controls and known truth."""

import json
import shutil

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml

from mrd.cli.drawn import drawn_columns
from mrd.cli.main import main
from mrd.core.contracts import ARMS_TABLE, DIFFERENCES, LAIPS, LIMITS
from mrd.core.panel import Scale
from mrd.files.tables import read_table
from mrd.prepare.drawn import undo_scale
from mrd.quantify.burden import Recall
from mrd.simulate.truth import CODE, LEUKAEMIC
from tests.cohort import make_cohort, patient, read_calls, run_some, tube
from tests.files.test_gates import box, gatingml, span

PHENOTYPE = "CD45loSSCloCD117+CD56+CD19-"


def draw(settings, *laips, subject="P1", **values):
    """Have the lab draw LAIPs of a subject, and change settings."""
    path = settings.parent / "laips.yaml"
    path.write_text(json.dumps({"subjects": {subject: list(laips)}}))
    change(settings, drawn_laips=str(path), **values)
    return path


def change(settings, **values):
    """Change settings of a run."""
    settings.write_text(yaml.safe_dump(yaml.safe_load(settings.read_text()) | values))


def draw_gate(folder, low=2.2):
    """A rectangle on CD56 and CD117 as GatingML, on compensated detectors of the tube; returns the LAIP that names it."""
    ends = undo_scale(np.array([low, 2.0, 7.0]), Scale())
    parent = box("CD117", span("PE-Cy7-A", ends[1], ends[2], compensation="FCS"))
    gatingml(folder / "g.xml", parent, box("LAIP", span("APC-R700-A", ends[0], ends[2], compensation="FCS"), parent="CD117"))
    return {"gates": "g.xml", "gate": "LAIP"}


def truth_of(settings, name):
    """Leukaemic cells per leukocyte of a tube, and the code of each of its events."""
    folder = settings.parent / "truth"
    told = pd.read_csv(folder / "truth.tsv", sep="\t").set_index("tube_id")
    return told.loc[name, "true_fraction"], np.load(folder / f"{name}.npz")["code"]


def arm_of(results, visit="FU1", arm="drawn"):
    arms = read_table(results / "arms.tsv", ARMS_TABLE)
    return arms[arms["visit"].eq(visit) & arms["arm"].eq(arm)].iloc[0]


@pytest.mark.parametrize("way", ["phenotype", "gatingml"])
def test_a_drawn_laip_is_counted_corrected_and_called_like_any_other(copied, way):
    settings, results = copied
    draw(settings, {"phenotype": PHENOTYPE} if way == "phenotype" else draw_gate(settings.parent), combine="drawn")
    run_some(settings, "laip", "detect", "call")
    true, code = truth_of(settings, "P1_FU1_T1")
    call, row = read_calls(results).loc[("P1", "FU1")], arm_of(results)
    assert (call["arm"], call["call"]) == ("drawn", "positive")
    assert row["ci_low"] <= true <= row["ci_high"]
    assert row["mrd_fraction"] == pytest.approx(true, rel=0.15)
    obs = ad.read_h5ad(results / "detect" / "scores" / "P1_FU1_T1.h5ad").obs
    inside = obs.loc[obs["drawn"], "event"].to_numpy()
    assert len(inside) == call["n_laip"] == row["n_found"]
    assert (code[inside] == CODE[LEUKAEMIC]).mean() > 0.9
    told = read_table(results / "laip" / "s001.tsv", LAIPS).set_index("arm").loc["drawn"]
    assert call["laip"] == f"sha256:{told['artefact']}"
    _, diagnosis = truth_of(settings, "P1_DX_T1")
    found = ad.read_h5ad(results / "detect" / "scores" / "P1_DX_T1.h5ad").obs
    leukaemic = diagnosis[found["event"].to_numpy()] == CODE[LEUKAEMIC]
    assert told["recall"] == pytest.approx(found["drawn"].to_numpy()[leukaemic].mean(), abs=3 * told["recall_se"])
    assert 0.02 < told["recall_se"] < 0.2
    limits = read_table(results / "limits.tsv", LIMITS)
    mine = limits[limits["arm"].eq("drawn")]
    assert set(mine["control_kind"]) == {"normal", "regenerating"}
    assert mine["fraction"].mean() == pytest.approx(told["background"])
    if way == "gatingml":  # the tube it was drawn on stays where it is
        cells = ad.read_h5ad(results / "prepare" / "cells" / "P1_DX_T1.h5ad")
        by_hand = (cells[:, "CD56"].X[:, 0] >= 2.2) & (cells[:, "CD117"].X[:, 0] >= 2.0)
        assert (found["drawn"].to_numpy() == by_hand).all()
    change(settings, combine="laip-first")
    run_some(settings, "call")
    call = read_calls(results).loc[("P1", "FU1")]
    assert (call["arm"], call["call"], arm_of(results)["agrees"]) == ("laip", "positive", "Y")
    assert "arms-disagree" not in str(call["flags"])


def test_without_a_diagnosis_the_drawn_laip_decides_and_its_assumed_recall_never_tells_below(copied, tmp_path):
    settings, results = copied
    shutil.copytree(settings.parent / "fcs", tmp_path / "later" / "fcs")
    rows = [*patient("P1", "CD56+", [0.06], events=5_000)[1:], tube("P1", "FU2", "follow-up", 5_000, day="2024-04-01")]
    later = make_cohort(tmp_path / "later", rows, reference=str(results / "reference"))
    draw(later, {"phenotype": PHENOTYPE})
    run_some(later, "prepare", "laip", "detect", "call")
    out = later.parent / "results"
    calls = read_calls(out)
    assert calls["arm"].tolist() == ["drawn", "drawn"]
    assert calls["call"].tolist() == ["positive", "indeterminate"]
    assert calls["flags"].str.contains("recall-assumed").all()
    true, _ = truth_of(settings, "P1_FU1_T1")
    low, high = calls.loc[("P1", "FU1"), ["ci_low", "ci_high"]]
    assert low < true < high < 4 * low
    assert calls.loc[("P1", "FU2"), "n_laip"] < 20
    change(later, drawn_below=True)
    run_some(later, "call")
    assert read_calls(out).loc[("P1", "FU2"), "call"] == "not-detected"


def test_a_gate_that_misses_the_leukaemia_of_the_diagnosis_is_no_arm():
    rows = [{"fraction": 0.0, "control_kind": "normal"}] * 20
    told = drawn_columns(Recall(0.149, 0.02), rows, assumed=False, excluded=False)
    assert told["outcome"] == "failed"
    assert told["reason"] == "the drawn LAIP holds 15 % of the leukaemic cells of the diagnosis tube: too few to count by"
    told = drawn_columns(Recall(0.151, 0.02), rows, assumed=False, excluded=False)
    assert (told["outcome"], told["flags"]) == ("ok", "no-regenerating-controls;weak-laip")


def test_what_the_lab_changes_is_measured_anew_and_nothing_else_is(copied):
    settings, results = copied

    def made():
        return {p.name: p.stat().st_mtime_ns for stage in ("laip", "detect") for p in (results / stage).rglob("P1*.json")}

    draw(settings, draw_gate(settings.parent))
    run_some(settings, "laip", "detect")
    first = made()
    run_some(settings, "laip", "detect")
    assert made() == first
    draw_gate(settings.parent, low=2.6)
    run_some(settings, "laip", "detect")
    then = made()
    assert {n for n in then if then[n] != first[n]} == {
        "P1.aml-lyric-9.drawn.safetensors.json",
        "P1_DX_T1.h5ad.json",
        "P1_FU1_T1.h5ad.json",
    }


@pytest.mark.parametrize(
    ("laips", "told"),
    [
        ([{"phenotype": "CD34+CD7+"}], "CD7+ does not begin with a marker of panel aml-lyric-9"),
        ([{"gates": "none.xml", "gate": "L"}], "drawn LAIP of P1"),
        ([{"phenotyp": "CD34+"}], "Extra inputs are not permitted"),
        ([{"phenotype": "CD34+", "panel": "aml-9"}], "no tube of the subject is of panel aml-9; use aml-lyric-9"),
        ([{"where": {"CD99": {"min": {"value": 1}}}}], "a LAIP needs CD99"),
    ],
)
def test_what_the_lab_drew_wrong_is_one_line_before_any_work_starts(copied, capsys, laips, told):
    settings, results = copied
    draw(settings, *laips, results=str(results.parent / "other"))
    capsys.readouterr()
    assert main(["prepare", "--settings", str(settings), "--batch", "s001"]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (results.parent / "other").exists()


def test_laips_of_nobody_in_the_sheet_are_refused(copied, capsys):
    draw(copied[0], {"phenotype": "CD34+"}, subject="P01")
    assert main(["prepare", "--settings", str(copied[0]), "--batch", "s001"]) == 2
    assert "none of its subjects is a patient of the sheet" in capsys.readouterr().err


def test_a_locked_trial_keeps_what_was_measured_and_tells_of_another_gate(copied):
    settings, results = copied
    path = draw(settings, {"phenotype": PHENOTYPE}, combine="drawn")
    run_some(settings, "laip", "detect", "call")
    shutil.copy(settings, results / "settings.yaml")
    assert main(["manifest", str(results)]) == 0
    assert main(["lock", str(results)]) == 0
    locked = (results / "calls.tsv").read_text()
    run_some(settings, "laip", "detect", "call")
    assert main(["compare", "--settings", str(settings)]) == 0
    assert read_table(results / "differences.tsv", DIFFERENCES).empty
    path.write_text(json.dumps({"subjects": {"P1": [{"phenotype": "CD45loCD56+"}]}}))
    run_some(settings, "laip", "detect", "call")
    assert main(["compare", "--settings", str(settings)]) == 0
    rows = read_table(results / "differences.tsv", DIFFERENCES)
    assert "n_laip" in set(rows["column"])
    assert set(rows["why"]) == {"LAIPs that the lab drew: P1 aml-lyric-9"}
    assert (results / "calls.tsv").read_text() == locked
