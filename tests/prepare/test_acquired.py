import numpy as np
import pytest

from mrd.core.errors import FileError
from mrd.prepare.acquired import lights, parse_acquired, says_compensated
from mrd.prepare.compensate import compensate

PNN = ("FSC-H", "SSC-H", "FL1-H", "FL2-H", "FL3-H", "Time")
COMP = "3,0.0,-0.1,0.0,-40.0,0.0,-0.6,0.0,-36.4,0.0"
"""The example of FCS 3.0, section 3.2.20: 40 % of parameter 1 was subtracted from parameter 2."""


def test_the_standards_example_is_read_as_it_explains_it():
    spill = parse_acquired({"$COMP": COMP}, PNN, where="t")
    assert spill.detectors == ("FL1-H", "FL2-H", "FL3-H")
    assert spill.matrix == pytest.approx(np.array([[1, 0.4, 0], [0.001, 1, 0.364], [0, 0.006, 1]]))
    signal = np.array([[0.0, 0, 1000, 400, 0, 0]])
    assert compensate(signal, PNN, spill, where="t")[0, 3] == pytest.approx(0, abs=0.5)


def test_a_matrix_of_all_parameters_names_all():
    text = "6," + ",".join("0" if r != 3 or c != 2 else "-25" for r in range(6) for c in range(6))
    spill = parse_acquired({"$COMP": text}, PNN, where="t")
    assert spill.detectors == PNN
    assert spill.matrix[2, 3] == 0.25


def test_percentages_from_one_fluorescence_to_another():
    spill = parse_acquired({"$DFC1TO2": "13.4", "$DFC2TO1": "1.2", "$DFC1TO1": "0.0"}, PNN, where="t")
    assert spill.detectors == ("FL1-H", "FL2-H", "FL3-H")
    assert spill.matrix == pytest.approx(np.array([[1, 0.134, 0], [0.012, 1, 0], [0, 0, 1]]))
    beckman = ("FS INT LIN", "SS INT LIN", "FL1 INT LOG", "FL2 INT LOG", "FL10 INT LOG")
    assert parse_acquired({"$DFC10TO1": "5"}, beckman, where="t").matrix[2, 0] == 0.05
    named = ("FSC-A", "FITC", "PE")
    assert parse_acquired({"$DFC2TO1": "7"}, named, where="t").matrix[1, 0] == 0.07


@pytest.mark.parametrize(
    ("acquired", "told"),
    [
        ({}, "says of no compensation"),
        ({"$DFC1TO9": "3"}, "keywords are broken"),
        ({"$DFC1TO2": "x"}, "keywords are broken"),
        ({"$COMP": "3,1,2"}, "COMP keyword is broken"),
        ({"$COMP": "4," + ",".join(["0"] * 16)}, "COMP keyword is broken"),
        ({"$COMP": ""}, "COMP keyword is broken"),
        ({"$DFC1TO2": "400"}, "outside"),
    ],
)
def test_what_says_nothing_is_refused(acquired, told):
    with pytest.raises(FileError, match=told):
        parse_acquired(acquired, PNN, where="t")


@pytest.mark.parametrize(
    ("acquired", "told"),
    [
        ({}, False),
        ({"$DFC1TO2": "0.0", "$DFC2TO1": "0"}, False),
        ({"$DFC1TO2": "0.1"}, True),
        ({"$COMP": "2,1.0,0.0,0.0,1.0"}, False),
        ({"$COMP": "2,0,0,0,0"}, False),
        ({"$COMP": COMP}, True),
        ({"$COMP": "nonsense"}, False),
    ],
)
def test_whether_anything_was_subtracted(acquired, told):
    assert says_compensated(acquired) is told


def test_fluorescences_are_what_is_neither_scatter_nor_time():
    assert lights(["FS Lin", "SS Lin", "FSC-A", "TIME", "FL1 Log", "FITC-A", "SSC-B-A", "PE-A", "Width"]) == [
        "FL1 Log",
        "FITC-A",
        "PE-A",
    ]
