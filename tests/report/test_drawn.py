import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mrd.report.drawn import axis_limits, clipped, draw_cells
from tests.report.cases import drawn


def draw(n=1000, found=30, most=100, seed=1):
    """A tube of `n` cells of which the first `found` are found and the first half are leukocytes."""
    values = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    order = np.arange(n)
    return draw_cells(
        "T",
        values,
        ("A", "B"),
        leukocytes=order < n // 2,
        blasts=order < n // 10,
        found=None if found is None else order < found,
        gates={},
        most=most,
        rng=np.random.default_rng(seed),
    )


def test_found_cells_are_never_among_the_background_and_everything_is_counted():
    told = draw()
    assert (told.n_background, told.n_found, told.n_found_blast) == (470, 30, 30)
    assert (told.background[:, 0] >= 60).all()
    assert (told.found[:, 0] < 60).all()
    assert len(told.found) == 30


def test_where_no_arm_looked_found_is_none_and_not_empty():
    assert draw(found=None).found is None
    assert draw(found=0).found.shape == (0, 2)


@given(st.integers(1, 400), st.integers(0, 400))
def test_no_more_is_drawn_than_asked_for_and_never_a_cell_twice(most, found):
    told = draw(found=found, most=most)
    assert len(told.background) == min(most, told.n_background)
    assert len(told.found) == min(most, found)
    assert len(np.unique(told.background[:, 0])) == len(told.background)


def test_the_same_seed_draws_the_same_cells():
    assert np.array_equal(draw(seed=4).background, draw(seed=4).background)
    assert not np.array_equal(draw(seed=4).background, draw(seed=5).background)


def test_axes_reach_over_found_and_background_of_every_tube():
    low, high = axis_limits([drawn(found=None), drawn()])["CD45"]
    assert low < 0.5
    assert high > 5.5


def test_axes_exist_even_where_no_tube_has_a_cell():
    assert axis_limits([drawn(found=0, background=0)])["CD45"] == (-1.0, 8.0)


def test_a_cell_beyond_the_axis_is_drawn_at_its_end():
    moved = clipped(np.array([-99.0, 1.0, 99.0], dtype=np.float32), (0.0, 2.0))
    assert moved[1] == 1.0
    assert 0 < moved[0] < 0.1
    assert 1.9 < moved[2] < 2
