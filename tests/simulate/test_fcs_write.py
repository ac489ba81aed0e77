"""FCS files as written: read back by the reader of the pipeline, and the same bytes every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrd.core.errors import FileError
from mrd.files.fcs import read_fcs
from mrd.files.fcs_write import FcsImage, fcs_header, format_spill, write_codes, write_fcs
from mrd.prepare.compensate import parse_spill

IMAGE = FcsImage(
    events=np.array([[1.5, -20.0, 3.0], [262143.0, 4.0, 5.0]], dtype=np.float32),
    pnn=("FSC-A", "PE/Cy7-A", "Time"),
    pns=("", "CD117", ""),
    ranges=(262144, 262144, 262144),
    spill=(("FSC-A", "PE/Cy7-A"), np.array([[1, 0.125], [1 / 3, 1]])),
    keywords={"$CYT": "synthetic", "$TIMESTEP": "0.01"},
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_fcs(tmp_path / "a.fcs", IMAGE)
    data = read_fcs(tmp_path / "a.fcs", where="test")
    assert data.events[:, :2] == pytest.approx(IMAGE.events[:, :2])
    assert data.events[:, 2] == pytest.approx([0.03, 0.05])
    assert data.pnn == IMAGE.pnn
    assert data.pns == IMAGE.pns
    assert data.version == "3.1"
    spill = parse_spill(data.spill, where="test")
    assert spill.detectors == ("FSC-A", "PE/Cy7-A")
    assert spill.matrix == pytest.approx(np.array([[1, 0.125], [1 / 3, 1]]), rel=1e-8)


def test_the_bytes_hold_no_clock_and_are_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a.fcs", "b.fcs"):
        write_fcs(tmp_path / name, IMAGE)
    first, second = ((tmp_path / n).read_bytes() for n in ("a.fcs", "b.fcs"))
    assert first == second
    assert not any(key in first for key in (b"$DATE", b"$BTIM", b"$ETIM", b"$FIL", b"$OP"))


def test_the_header_points_at_text_and_data() -> None:
    assert fcs_header(100, 24) == b"FCS3.1          58     157     158     181       0       0"


def test_a_header_of_a_file_over_its_digits_leaves_the_data_to_the_text() -> None:
    assert fcs_header(100, 10**8)[26:42] == b"       0       0"


def test_a_spillover_is_spelt_row_by_row() -> None:
    assert format_spill(["A", "B"], np.array([[1, 0.25], [0, 1]])) == "2,A,B,1,0.25,0,1"


def test_names_that_do_not_fit_the_columns_are_refused(tmp_path: Path) -> None:
    for pnn in (("FSC-A", "Time"), ("FSC-A", "FSC-A", "Time")):
        with pytest.raises(FileError, match="one name of its own to each column"):
            write_fcs(tmp_path / "a.fcs", replace(IMAGE, pnn=pnn))
    assert list(tmp_path.iterdir()) == []


def test_codes_are_read_back_with_their_names(tmp_path: Path) -> None:
    write_codes(tmp_path / "a.npz", [0, 2, 1], ["x", "y", "z"])
    with np.load(tmp_path / "a.npz") as told:
        assert told["names"][told["code"]].tolist() == ["x", "z", "y"]
