import flowkit as fk
import numpy as np
import pytest
from hypothesis import given, strategies as st

from mrd.core.errors import FileError
from mrd.prepare.compensate import Spill, check_spill, compensate, compensated, compensated_names, fit_spill, parse_spill

PNN = ("FSC-A", "FITC-A", "PE-A", "Time")
SPILL = Spill(("PE-A", "FITC-A"), np.array([[1.0, 0.1], [0.25, 1.0]]))


def test_overlap_is_undone_by_hand():
    """10 of PE spill 1 into FITC, 40 of FITC spill 10 into PE: measured PE 20, FITC 41."""
    measured = np.array([[5.0, 41.0, 20.0, 7.0]])
    assert compensate(measured, PNN, SPILL, where="t") == pytest.approx(np.array([[5.0, 40.0, 10.0, 7.0]]))


def test_compensation_equals_flowkit():
    rng = np.random.default_rng(1)
    events = rng.normal(1000, 400, (500, 4)).astype(np.float32).astype(np.float64)
    sample = fk.Sample(events, sample_id="s", channel_labels=list(PNN))
    matrix = fk.Matrix(SPILL.matrix, list(SPILL.detectors))
    assert compensate(events, PNN, SPILL, where="t") == pytest.approx(matrix.apply(sample), rel=1e-6)


def test_a_tube_taken_in_stretches_is_compensated_to_the_bit_and_equals_flowkit():
    rng = np.random.default_rng(2)
    events = rng.normal(1000, 400, (70_001, 4)).astype(np.float32).astype(np.float64)
    whole, lazy = compensate(events, PNN, SPILL, where="t"), compensated(events, PNN, SPILL, where="t")
    parts = np.concatenate([lazy[a : a + 32_768] for a in range(0, len(lazy), 32_768)])
    assert np.array_equal(parts, whole)
    sample = fk.Sample(events, sample_id="s", channel_labels=list(PNN))
    np.testing.assert_allclose(parts, fk.Matrix(SPILL.matrix, list(SPILL.detectors)).apply(sample), rtol=1e-6, atol=1e-3)


@given(st.integers(0, 2**32 - 1), st.integers(2, 8))
def test_spilling_then_compensating_gives_the_events_back(seed, n):
    rng = np.random.default_rng(seed)
    matrix = np.eye(n) + rng.uniform(0, 0.08, (n, n)) * (1 - np.eye(n))
    names = tuple(f"D{i}" for i in range(n))
    events = rng.normal(0, 1e4, (20, n))
    assert compensate(events @ matrix, names, Spill(names, matrix), where="t") == pytest.approx(events, abs=1e-6)


def test_the_spillover_keyword_is_read_row_by_row():
    spill = parse_spill("2,PE-A,FITC-A,1,0.1,0.25,1", where="t")
    assert spill.detectors == SPILL.detectors
    assert spill.matrix.tolist() == SPILL.matrix.tolist()
    assert spill.digest == SPILL.digest


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2,PE-A,FITC-A,1,0.1,0.25", "keyword is broken"),
        ("two,PE-A", "keyword is broken"),
        ("2,PE-A,FITC-A,1,x,0.25,1", "keyword is broken"),
        ("2,PE-A,PE-A,1,0,0,1", "a detector twice"),
        ("2,PE-A,FITC-A,1,nan,0,1", "non-numbers"),
        ("2,PE-A,FITC-A,100,10,25,100", "diagonal other than 1"),
        ("2,PE-A,FITC-A,1,1,1,1", "singular"),
    ],
)
def test_what_cannot_be_a_spillover_matrix_is_refused(text, told):
    with pytest.raises(FileError, match=told):
        check_spill(parse_spill(text, where="tube T"), where="tube T")


def test_a_matrix_for_other_detectors_is_refused_by_name():
    with pytest.raises(FileError, match="tube T: its spillover matrix names APC-A, which the file lacks"):
        compensate(np.zeros((1, 4)), PNN, Spill(("APC-A", "PE-A"), np.eye(2)), where="tube T")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("6,FL2-A,FL2-H,FL4-A,FL4-H,FL7-A,FL7-H", "names detectors and holds no values"),
        ("2,PE-A,FITC-A,-1,0,0,1", "negative diagonal"),
        ("2,PE-A,FITC-A,1,5,0,1", "outside -0.5 to 2"),
        ("2,PE-A,FITC-A,1,-0.6,0,1", "outside -0.5 to 2"),
        ("2,PE-A,FITC-A,1,inf,0,1", "non-numbers"),
        ("2,PE-A,FITC-A,1,0_1,0,1", "keyword is broken"),
        ("0", "keyword is broken"),
        ("", "keyword is broken"),
        ("999999999,a", "keyword is broken"),
        ("-2,PE-A,FITC-A,1,0,0,1", "keyword is broken"),
    ],
)
def test_what_no_instrument_writes_is_refused_too(text, told):
    with pytest.raises(FileError, match=rf"tube T: .*{told}"):
        parse_spill(text, where="tube T")


@pytest.mark.parametrize(
    "text", ["2;PE-A;FITC-A;1;0.1;0.25;1", "2\tPE-A\tFITC-A\t1\t0.1\t0.25\t1", " 2, PE-A , FITC-A,1,0.1,0.25,1, "]
)
def test_other_separators_and_blanks_are_read(text):
    assert parse_spill(text, where="t").digest == SPILL.digest


@pytest.mark.parametrize(
    "names",
    [
        ("PE-A", "FITC-A"),
        ("Comp-PE-A", "Comp-FITC-A"),
        ("FJComp-PE-A", "FJComp-FITC-A"),
        ("pe-a", "fitc a"),
        ("CD34", "CD38"),
        ("3", "2"),
        ("<PE-A>", "<FITC-A>"),
    ],
)
def test_a_matrix_is_fitted_to_the_files_names(names):
    fitted = fit_spill(Spill(names, SPILL.matrix), PNN, ("", "CD38", "CD34", ""), where="t")
    assert fitted.detectors == ("PE-A", "FITC-A")
    assert fitted.digest == SPILL.digest


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("PE-A", "APC-A"), r"names APC-A, which the file lacks; give a matrix whose names are the file's \$PnN: FSC-A, FITC-A"),
        (("3", "9"), "names 9, which the file lacks"),
        (("0", "1"), "names 0, which the file lacks"),
        (("PE-A", "pe a"), "a detector twice"),
        (("CD3", "PE-A"), "names CD3, which the file has more than once"),
    ],
)
def test_names_that_do_not_fit_are_refused_with_those_of_the_file(names, told):
    with pytest.raises(FileError, match=told):
        fit_spill(Spill(names, SPILL.matrix), PNN, ("CD3", "CD3", "", ""), where="t")


def test_channels_that_were_compensated_before_are_not_compensated_again():
    pnn = ("FSC-A", "Comp-FITC-A", "Comp-PE-A")
    assert compensated_names(SPILL, pnn)
    assert not compensated_names(SPILL, (*pnn, "FITC-A", "PE-A"))
    assert not compensated_names(Spill(("Comp-PE-A", "Comp-FITC-A"), SPILL.matrix), PNN)
    with pytest.raises(FileError, match="its channels are compensated already; write none"):
        fit_spill(SPILL, pnn, ("", "", ""), where="t")


def test_a_digest_tells_matrices_apart_and_only_them():
    other = Spill(SPILL.detectors, SPILL.matrix + np.array([[0, 1e-9], [0, 0]]))
    assert other.digest != SPILL.digest
    assert Spill(SPILL.detectors[::-1], SPILL.matrix).digest != SPILL.digest
    assert Spill(SPILL.detectors, SPILL.matrix.copy()).digest == SPILL.digest
    assert Spill(("A", "B"), np.eye(2)).identity
    assert not SPILL.identity
