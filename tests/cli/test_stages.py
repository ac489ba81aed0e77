import re
import shutil

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from mrd.cli.main import main
from mrd.core.contracts import ARMS_TABLE, CALLS_TABLE, CLUSTERS, LIMITS, QC
from mrd.files.ledger import record_path
from mrd.files.tables import read_table
from tests.cohort import controls, make_cohort, patient, read_calls, run_stages, tube

ROWS = [*controls(), *patient("P1", "CD56+", [0.06, 0.0]), *patient("P2", "CD19+", [0.002])]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Settings file and results of a finished run."""
    settings = make_cohort(tmp_path_factory.mktemp("cohort"), ROWS)
    return settings, run_stages(settings)


@pytest.fixture
def copied(cohort, tmp_path):
    """A copy of the finished run to change; its settings point at the copy."""
    settings, _ = cohort
    folder = tmp_path / "run"
    shutil.copytree(settings.parent, folder)
    path = folder / "settings.yaml"
    path.write_text(path.read_text().replace(str(settings.parent), str(folder)))
    return path


def artefacts(results):
    """Every file a run wrote with its time, tables left out."""
    return {p.relative_to(results): p.stat().st_mtime_ns for p in results.rglob("*") if p.suffix in (".h5ad", ".safetensors")}


def test_calls_meet_the_truth(cohort):
    calls = read_calls(cohort[1])
    truth = pd.read_csv(cohort[0].parent / "truth" / "truth.tsv", sep="\t").set_index("tube_id")
    true = np.array([truth.loc[f"{s}_{v}_T1", "true_fraction"] for s, v in calls.index])
    assert calls["call"].to_dict() == {
        ("P1", "DX"): "positive",
        ("P1", "FU1"): "positive",
        ("P1", "FU2"): "not-detected",
        ("P2", "DX"): "positive",
        ("P2", "FU1"): "not-detected",
    }
    assert ((calls["ci_low"] <= true) & (true <= calls["ci_high"])).all()
    leukocytes = np.array([truth.loc[f"{s}_{v}_T1", "n_leukocytes"] for s, v in calls.index])
    assert np.abs(calls["n_leukocytes"] / leukocytes - 1).max() < 0.05


def test_every_table_keeps_its_declaration(cohort):
    for name, table in (("calls", CALLS_TABLE), ("arms", ARMS_TABLE), ("limits", LIMITS), ("qc", QC)):
        assert len(read_table(cohort[1] / f"{name}.tsv", table)) > 0


def test_diagnosis_is_marked_in_sample_and_follow_ups_are_not(cohort):
    calls = read_calls(cohort[1])
    assert calls["flags"].str.contains("in-sample").to_dict() == {k: k[1] == "DX" for k in calls.index}


def test_counted_columns_follow_from_each_other(cohort):
    calls = read_calls(cohort[1])
    assert calls["laip_fraction"].to_numpy() == pytest.approx((calls["n_laip"] / calls["n_leukocytes"]).to_numpy())
    assert (calls["laip_below"] == np.where(50 * calls["n_laip"] < calls["n_leukocytes"], "Y", "N")).all()
    net = (calls["laip_fraction"] - calls["background"]) / (calls["recall"] - calls["background"])
    assert calls["mrd_fraction"].to_numpy() == pytest.approx(net.clip(0).to_numpy(), rel=1e-6)


def test_limits_tell_every_control_of_every_laip(cohort):
    limits = read_table(cohort[1] / "limits.tsv", LIMITS)
    assert limits.groupby(["subject", "arm"]).size().to_dict() == {
        **{(s, a): 6 for s in ("P1", "P2") for a in ("laip", "learned")},
        ("P1", "dfn"): 18,
        ("P2", "dfn"): 12,
    }
    assert set(limits["control_kind"]) == {"normal", "regenerating"}


def test_found_cells_are_the_counted_ones_and_open_in_scverse(cohort):
    calls = read_calls(cohort[1])
    scores = ad.read_h5ad(cohort[1] / "detect" / "scores" / "P1_FU1_T1.h5ad")
    cells = ad.read_h5ad(cohort[1] / "prepare" / "cells" / "P1_FU1_T1.h5ad")
    assert scores.obs["laip"].sum() == calls.loc[("P1", "FU1"), "n_laip"]
    assert scores.obs["event"].tolist() == cells.obs["event"].tolist()
    assert (scores.obs["laip"].to_numpy() | cells.obs["leukocytes"].to_numpy()).sum() == calls.loc[("P1", "FU1"), "n_leukocytes"]


def test_every_arm_sees_the_residual_leukaemia_and_names_it(cohort):
    arms = read_table(cohort[1] / "arms.tsv", ARMS_TABLE)
    mine = arms[arms["subject"].eq("P1") & arms["visit"].eq("FU1")].set_index("arm")
    assert set(mine.index) == {"laip", "learned", "dfn"}
    assert mine["mrd_fraction"].to_numpy() == pytest.approx(0.0605, rel=0.2)
    assert mine["decided"].to_dict() == {"laip": "Y", "learned": "N", "dfn": "N"}
    clusters = read_table(cohort[1] / "clusters.tsv", CLUSTERS)
    told = clusters[clusters["tube_id"].eq("P1_FU1_T1")].iloc[0]
    assert told["phenotype"].startswith("CD45")
    assert re.search(r"CD56\+\d", told["differs"])
    scores = ad.read_h5ad(cohort[1] / "detect" / "scores" / "P1_FU1_T1.h5ad").obs
    assert (scores["cluster"] == told["cluster"]).sum() == told["n_cells"]
    assert ((scores["cluster"] > 0) == scores["dfn"]).all()


def test_without_a_diagnosis_disease_is_found_and_its_absence_is_not_told(cohort, tmp_path):
    settings, results = cohort
    folder = tmp_path / "later"
    shutil.copytree(settings.parent / "fcs", folder / "fcs")
    rows = [r for r in ROWS if r[1] != "DX"]
    calls = read_calls(run_stages(make_cohort(folder, rows, reference=str(results / "reference"))))
    assert calls["call"].to_dict() == {("P1", "FU1"): "positive", ("P1", "FU2"): "indeterminate", ("P2", "FU1"): "indeterminate"}
    assert set(calls["arm"]) == {"dfn"}
    assert calls["flags"].str.contains("dfn-only").all()
    assert calls.loc[("P1", "FU1"), "mrd_fraction"] == pytest.approx(0.0605, rel=0.25)


def test_running_again_makes_nothing_anew_and_the_same_calls(copied):
    results = copied.parent / "results"
    before, calls = artefacts(results), (results / "calls.tsv").read_bytes()
    run_stages(copied)
    assert artefacts(results) == before
    assert (results / "calls.tsv").read_bytes() == calls


def test_a_whole_new_run_gives_the_same_bytes(cohort, tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text(cohort[0].read_text().replace(str(cohort[0].parent / "results"), str(tmp_path / "results")))
    assert (run_stages(settings) / "calls.tsv").read_bytes() == (cohort[1] / "calls.tsv").read_bytes()


def test_a_changed_follow_up_redoes_its_own_tube_and_what_is_held_against_it(copied):
    results = copied.parent / "results"
    before, calls = artefacts(results), read_calls(results)
    assert main(["simulate", "--plan", str(copied.parent / "samples.tsv"), "--seed", "9", "--tubes", "P1_FU1_T1"]) == 0
    run_stages(copied)
    changed = {str(p) for p, when in artefacts(results).items() if before.get(p) != when}
    beside = {
        f"{folder}/P1_FU{i}_T1.{end}"
        for i in (1, 2)
        for folder, end in (("detect/scores", "h5ad"), ("laip/searches", "safetensors"))
    }
    assert changed == {"prepare/cells/P1_FU1_T1.h5ad", *beside}
    after = read_calls(results)
    others = [k for k in calls.index if k != ("P1", "FU1")]
    pd.testing.assert_frame_equal(after.loc[others], calls.loc[others])
    assert after.loc[("P1", "FU1"), "n_laip"] != calls.loc[("P1", "FU1"), "n_laip"]


def test_with_frozen_models_a_new_follow_up_and_a_new_control_change_no_other_row(cohort, tmp_path):
    settings, results = cohort
    folder = tmp_path / "later"
    shutil.copytree(settings.parent / "fcs", folder / "fcs")
    rows = [
        *ROWS,
        tube("P2", "FU2", "follow-up", 7_000, day="2024-05-01", burden=0.05, laip="CD19+"),
        tube("N9", "V1", "control", 5_000, kind="normal"),
    ]
    later = make_cohort(folder, rows, reference=str(results / "reference"), laip_folder=str(results / "laip"))
    calls = read_calls(run_stages(later))
    before = read_calls(results)
    pd.testing.assert_frame_equal(calls.loc[before.index], before)
    assert calls.loc[("P2", "FU2"), "call"] == "positive"
    assert not (folder / "results" / "reference").exists()


def test_a_record_says_what_its_artefact_was_made_from(cohort):
    import json

    record = json.loads(record_path(cohort[1] / "prepare" / "cells" / "P1_FU1_T1.h5ad").read_text())
    assert record["row"]["n_events"] == 7000
    told = json.loads(ad.read_h5ad(cohort[1] / "detect" / "scores" / "P1_FU1_T1.h5ad").uns["provenance"])
    assert told["inputs"]["cells"] == record["artefact"]
    assert {"software", "version", "code", "settings", "libraries", "device"} <= set(told)
