"""Exported tubes open in other software and give the counts of the results."""

import shutil
import struct

import anndata as ad
import flowio
import flowkit
import numpy as np
import pandas as pd

from mrd.cli.main import main
from mrd.core.contracts import EXPORTS
from mrd.files.tables import read_table
from tests.cohort import read_calls
from tests.planted import MARKERS


def read_plainly(path):
    """A second reader, written from FCS 3.1 alone: keywords and events."""
    data = path.read_bytes()
    assert data[:10] == b"FCS3.1    "
    begin, end = int(data[10:18]), int(data[18:26])
    text = data[begin : end + 1].decode("utf-8")
    words = text[1:-1].split(text[0])
    keys = dict(zip(words[::2], words[1::2], strict=True))
    n, width = int(keys["$TOT"]), int(keys["$PAR"])
    assert (keys["$DATATYPE"], keys["$BYTEORD"], keys["$MODE"]) == ("F", "1,2,3,4", "L")
    first, last = int(keys["$BEGINDATA"]), int(keys["$ENDDATA"])
    assert (first, last) == (int(data[26:34]), int(data[34:42]))
    assert last == len(data) - 1
    values = struct.unpack(f"<{n * width}f", data[first : last + 1])
    return keys, np.array(values, dtype=np.float32).reshape(n, width)


def test_flowkit_counts_on_the_original_file_what_the_qc_table_says(finished):
    settings, results = finished
    qc = pd.read_csv(results / "qc.tsv", sep="\t").set_index("tube_id").loc["P1_FU1_T1"].set_index("node")["count"]
    strategy = flowkit.parse_gating_xml(str(results / "export" / "P1_FU1_T1.gates.xml"))
    gated = strategy.gate_sample(flowkit.Sample(settings.parent / "fcs" / "P1_FU1_T1.fcs", sample_id="t"))
    got = {n: gated.get_gate_count(n) for n in qc.index if n != "events"}
    assert got == qc.drop("events").to_dict()
    assert len(got) >= 14
    assert 0 < gated.get_gate_count("laip-1") < qc["cells"]


def test_two_readers_see_the_same_events_scores_and_bits(finished):
    settings, results = finished
    path = results / "export" / "P1_FU1_T1.fcs"
    keys, plain = read_plainly(path)
    other = flowio.FlowData(str(path))
    assert (other.as_array(preprocess=False) == plain).all()
    names = [keys[f"$P{i}N"] for i in range(1, int(keys["$PAR"]) + 1)]
    assert names == other.pnn_labels
    original = flowio.FlowData(str(settings.parent / "fcs" / "P1_FU1_T1.fcs")).as_array(preprocess=True)
    assert (plain[:, : original.shape[1]] == original.astype(np.float32)).all()
    cells = ad.read_h5ad(results / "prepare" / "cells" / "P1_FU1_T1.h5ad")
    for gate in ("leukocytes", "blasts"):
        bit = plain[:, names.index(f"GATE_{gate}")]
        assert np.flatnonzero(bit).tolist() == cells.obs["event"].to_numpy()[cells.obs[gate].to_numpy()].tolist()
    scores = ad.read_h5ad(results / "detect" / "scores" / "P1_FU1_T1.h5ad").obs
    assert (plain[scores["event"], names.index("MRD_SCORE")] == scores["laip_score"].to_numpy(dtype=np.float32)).all()
    others = np.setdiff1d(np.arange(len(plain)), scores["event"])
    assert plain[others, names.index("MRD_SCORE")].max() < scores["laip_score"].min()
    assert plain[:, names.index("ARM_laip")].sum() == read_calls(results).loc[("P1", "FU1"), "n_laip"]


def test_gates_on_the_further_parameters_count_the_found_cells(finished):
    _, results = finished
    sample = flowkit.Sample(results / "export" / "P1_FU1_T1.fcs", sample_id="t")
    gated = flowkit.parse_gating_xml(str(results / "export" / "P1_FU1_T1.found.xml")).gate_sample(sample)
    calls = read_calls(results)
    assert gated.get_gate_count("ARM_laip") == calls.loc[("P1", "FU1"), "n_laip"]
    assert gated.get_gate_count("laip") == calls.loc[("P1", "FU1"), "n_laip"]
    assert gated.get_gate_count("GATE_blasts") == calls.loc[("P1", "FU1"), "n_blast"]


def test_every_range_holds_its_values_and_no_keyword_is_the_originals(finished):
    _, results = finished
    keys, values = read_plainly(results / "export" / "P1_FU1_T1.fcs")
    tops = np.array([int(keys[f"$P{i}R"]) for i in range(1, values.shape[1] + 1)])
    assert (values.max(axis=0) <= tops).all()
    assert keys["$FIL"] == "P1_FU1_T1.fcs"
    assert "$CYT" not in keys
    assert not [m for m in MARKERS if m in "".join((*keys, *keys.values()))]


def test_the_table_tells_each_file_by_its_digest(finished):
    table = read_table(finished[1] / "export" / "exports.tsv", EXPORTS)
    assert table["tube_id"].tolist() == ["P1_DX_T1", "P1_FU1_T1"]
    found = read_calls(finished[1]).loc[("P1", "FU1"), "n_laip"]
    assert table.loc[1, "n_found"] == f"ARM_laip={found}"


def test_a_file_that_changed_since_is_refused(finished, tmp_path, capsys):
    settings, _ = finished
    copy = tmp_path / "settings.yaml"
    shutil.copytree(settings.parent / "fcs", tmp_path / "fcs")
    shutil.copy(settings.parent / "samples.tsv", tmp_path)
    copy.write_text(settings.read_text().replace(str(settings.parent / "samples.tsv"), str(tmp_path / "samples.tsv")))
    shutil.copy(tmp_path / "fcs" / "N0_V1_T1.fcs", tmp_path / "fcs" / "P1_FU1_T1.fcs")
    capsys.readouterr()
    assert main(["export", "--settings", str(copy), "--tubes", "P1_FU1_T1", "--out", str(tmp_path / "out")]) == 2
    assert "tube P1_FU1_T1: its FCS file, settings or code are no longer those of the results" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_unknown_tube_is_named(finished, capsys):
    assert main(["export", "--settings", str(finished[0]), "--tubes", "P7_FU1_T1"]) == 2
    assert "no cells of P7_FU1_T1" in capsys.readouterr().err


def test_an_export_after_the_run_is_listed_and_nothing_else_is_listed_anew(copied, capsys):
    settings, results = copied
    (results / "arms.tsv").write_text("changed")
    assert main(["export", "--settings", str(settings), "--tubes", "N0_V1_T1"]) == 0
    assert (results / "export" / "N0_V1_T1.fcs").is_file()
    capsys.readouterr()
    assert main(["verify", str(results)]) == 2
    assert capsys.readouterr().out == "changed\tarms.tsv\n"
