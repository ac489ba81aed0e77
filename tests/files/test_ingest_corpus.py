"""The files of a dozen instruments: outcome, number of events, and values against FlowIO and the arrays beside them."""

import csv
import tracemalloc
import warnings
from pathlib import Path

import flowio
import numpy as np
import pytest

from benchmarks.ingest import HEAD, corpus_table
from mrd.cli.inspect import judge
from mrd.files.fcs import read_fcs
from mrd.files.fcs_write import FcsImage, write_fcs

ROOT = Path(__file__).parents[3] / "shared" / "data" / "ingest"
EXPECTED = list(csv.DictReader((ROOT / "expected.tsv").read_text().splitlines(), delimiter="\t")) if ROOT.is_dir() else []
ABSENT = pytest.mark.skipif(not EXPECTED, reason="../shared/data is absent")
BEYOND_FLOWIO = ("FlowCal/Data003", "Cytek_xP5", "ADM_", "variable_int", "discrepancy", "fake_large", "coulter")
"""24-bit integers, log amplification of floats, $TIMESTEP xxx, and offsets that FlowIO does not take or takes otherwise."""


@ABSENT
@pytest.mark.parametrize("row", EXPECTED, ids=[r["file"] for r in EXPECTED])
def test_each_file_gets_the_outcome_a_reader_owes_it(row):
    told = judge(ROOT / row["file"])
    assert told.outcome == row["outcome"], told.why
    assert row["n_events"] in ("", str(told.n_events))


@ABSENT
@pytest.mark.parametrize("row", [r for r in EXPECTED if r["outcome"] in ("read", "repaired")], ids=lambda r: r["file"])
def test_the_values_are_those_of_flowio_wherever_it_can_read(row):
    if any(part in row["file"] for part in BEYOND_FLOWIO):
        pytest.skip("FlowIO does not read this file, or not by the standard")
    mine = read_fcs(ROOT / row["file"], where="t")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = flowio.FlowData(str(ROOT / row["file"]), ignore_offset_error=row["outcome"] == "repaired")
    assert mine.pnn == tuple(n.strip() for n in theirs.pnn_labels)
    assert np.array_equal(mine.events, theirs.as_array(preprocess=True))


@ABSENT
@pytest.mark.parametrize(
    ("fcs", "npy"), [("data1", "data1_preprocessed"), ("B01 KC-A-W---91-US", "B01 KC-A-W---91-US_preprocessed_events")]
)
def test_the_values_are_those_of_the_arrays_beside_the_files(fcs, npy):
    mine = read_fcs(ROOT / "FlowIO" / f"{fcs}.fcs", where="t").events
    theirs = np.load(ROOT / "FlowIO" / f"{npy}.npy")  # powers of ten differ in the last bit from processor to processor
    assert mine == pytest.approx(theirs, rel=1e-14, abs=0)


@ABSENT
def test_each_data_set_of_the_coulter_file_is_read_once_it_is_named():
    path = ROOT / "FlowIO" / "coulter.lmd"
    first, second = (read_fcs(path, where="t", dataset=d) for d in "12")
    assert (first.outcome, first.repairs) == ("repaired", ("DATA's end is off by one byte",))
    assert (len(first.events), len(second.events)) == (18110, 18110)
    assert (first.events[:, 0].max(), second.events[:, 0].max()) == (1023, 1048544)
    high = np.abs(first.events[:, 0] - second.events[:, 0] / 1024).max()
    assert high <= 1, "both data sets hold the same forward scatter, on 10 and on 20 bits"


def test_memory_stays_at_what_comes_out(tmp_path):
    path, n = tmp_path / "a.fcs", 200_000
    names = [f"C{i}" for i in range(13)]
    write_fcs(path, FcsImage(np.ones((n, 13), dtype=np.float32), names, [""] * 13, [1024] * 13, None, {}))
    tracemalloc.start()
    try:
        data = read_fcs(path, where="t")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert data.events.nbytes == n * 13 * 8
    assert peak < data.events.nbytes + 16e6


@ABSENT
def test_the_page_of_the_corpus_is_what_the_reader_says_today():
    page = (Path(__file__).parents[2] / "docs" / "ingest.md").read_text()
    assert page == HEAD + corpus_table(EXPECTED)
    assert f"{len(EXPECTED)} of {len(EXPECTED)}" in page
