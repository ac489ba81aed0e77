import numpy as np
import pytest

from mrd.report.maps import NAMES, fit_map, map_words, on_map
from tests.report.cases import drawn

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(0, 0.2, (500, 4)).astype(np.float32)
FOUND = RNG.normal([0, 3, 0, 0], 0.2, (50, 4)).astype(np.float32)
CHANNELS = ("A", "B", "C", "D")


def test_the_first_direction_is_that_in_which_found_cells_lie_apart():
    told = fit_map(NORMAL, FOUND, CHANNELS)
    assert abs(told.axes[0][1]) > 0.99
    assert told.share[0] > 0.8
    assert map_words(told).startswith("map 1 (")
    assert "B" in map_words(told).split(";")[0]


def test_the_axes_are_at_right_angles_and_of_length_one():
    axes = fit_map(NORMAL, FOUND, CHANNELS).axes
    assert axes @ axes.T == pytest.approx(np.eye(2), abs=1e-9)


def test_the_same_cells_give_the_same_map():
    assert np.array_equal(fit_map(NORMAL, FOUND, CHANNELS).axes, fit_map(NORMAL, FOUND, CHANNELS).axes)


def test_few_found_cells_leave_the_map_to_the_normal_ones_and_none_at_all_gives_no_map():
    assert fit_map(NORMAL, FOUND[:9], CHANNELS).axes == pytest.approx(fit_map(NORMAL, FOUND[:0], CHANNELS).axes)
    assert fit_map(NORMAL[:9], FOUND[:9], CHANNELS) is None


def test_every_cell_of_a_tube_gets_its_place():
    tube = drawn()
    told = fit_map(tube.leukocytes, tube.found, tube.channels)
    placed = on_map(tube, told)
    assert placed.channels == NAMES
    assert placed.leukocytes.shape == (300, 2)
    assert placed.found[0] == pytest.approx((tube.found[0] - told.centre) @ told.axes.T, abs=1e-4)
    assert on_map(drawn(None), told).found is None
