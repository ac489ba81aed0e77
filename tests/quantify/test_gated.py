import numpy as np
import pytest

from mrd.quantify.gated import gate_recall, share_inside


def test_the_share_inside_weighs_each_cell_by_its_chance_of_being_leukaemic():
    """Leukaemic 1 + 0.5 + 0.5 = 2 cells, of which 1.5 lie inside."""
    chance = np.array([1.0, 0.5, 0.5, 0.0], dtype=np.float32)
    assert share_inside(np.array([True, True, False, True]), chance) == pytest.approx(0.75)


def test_the_error_adds_sampling_drift_and_the_base_drift_in_squares():
    """80 of 100 cells inside: sampling 0.04, two markers 0.03 and 0.04, base drift 0.045 x 0.8."""
    told = gate_recall(np.arange(100) < 80, np.ones(100, dtype=np.float32), [0.03, -0.04])
    assert told.value == pytest.approx(0.8)
    assert told.error == pytest.approx(np.sqrt(0.04**2 + 0.03**2 + 0.04**2 + 0.036**2))


def test_without_leukaemic_cells_nothing_is_inside_and_nothing_fails():
    assert gate_recall(np.ones(5, dtype=bool), np.zeros(5, dtype=np.float32), []).value == 0.0
