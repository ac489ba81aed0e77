from pathlib import Path

import flowio
import numpy as np
import pytest

from mrd.core.errors import FileError
from mrd.files.fcs import read_fcs

TUBES = sorted((Path(__file__).parents[2] / "test_fcs" / "fcs").glob("*.fcs"))


def test_a_file_gives_events_names_ranges_and_its_spillover():
    data = read_fcs(TUBES[0], where="t")
    assert data.events.shape == (3400, len(data.pnn))
    assert data.pnn[0] == "FSC-A"
    assert data.spill.split(",")[0] == str(sum(n.endswith("-A") and "SC-" not in n for n in data.pnn))
    assert (data.events.max(axis=0) <= np.maximum(data.ranges, data.events.max(axis=0))).all()
    assert data.version == "3.1"


@pytest.mark.parametrize("keep", [0, 10, 57, 100, 700, 5000, -1])
def test_a_file_cut_short_anywhere_is_refused_in_one_line(tmp_path, keep):
    path = tmp_path / "Jane_Doe.fcs"
    path.write_bytes(TUBES[0].read_bytes()[:keep])
    with pytest.raises(FileError, match=r"^tube P1: .*; export it again") as error:
        read_fcs(path, where="tube P1")
    assert "Jane" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_fcs_is_refused(tmp_path):
    path = tmp_path / "x.fcs"
    path.write_bytes(b"%PDF-1.4" + b"0" * 5000)
    with pytest.raises(FileError, match="not a readable FCS file"):
        read_fcs(path, where="t")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileError, match="t: the FCS file is missing; correct the fcs column"):
        read_fcs(tmp_path / "no.fcs", where="t")


def test_the_values_of_a_synthetic_tube_are_those_of_flowio():
    theirs = flowio.FlowData(str(TUBES[0]))
    mine = read_fcs(TUBES[0], where="t")
    assert np.array_equal(mine.events, theirs.as_array(preprocess=True))
    assert mine.ranges.tolist()[:-1] == theirs.pnr_values[:-1], "all but time, whose range is in seconds here"
    assert (mine.pnn, mine.pns) == (tuple(theirs.pnn_labels), tuple(theirs.pns_labels))
