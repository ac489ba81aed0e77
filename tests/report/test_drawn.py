import numpy as np
from hypothesis import given, strategies as st

from mrd.report.drawn import axis_limits, draw_cells, inside
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


def test_found_cells_are_never_among_the_others_and_everything_is_counted():
    told = draw()
    assert (told.n_leukocytes, told.n_blasts, told.n_found, told.n_found_blast) == (470, 70, 30, 30)
    assert (told.leukocytes[:, 0] >= 60).all()
    assert (told.blasts[:, 0] >= 60).all()
    assert (told.found[:, 0] < 60).all()
    assert len(told.found) == 30


def test_cells_that_are_no_leukocytes_are_drawn_in_proportion():
    told = draw(most=47)
    assert len(told.leukocytes) == 47
    assert len(told.others) == 47  # a tenth of 500 would be 50; never more than asked for
    assert len(draw(most=235).others) == 235
    assert len(draw(most=1000).others) == 500
    assert (told.others[:, 0] >= 1000).all()


def test_where_no_arm_looked_found_is_none_and_not_empty():
    assert draw(found=None).found is None
    assert draw(found=0).found.shape == (0, 2)


@given(st.integers(1, 400), st.integers(0, 400))
def test_no_more_is_drawn_than_asked_for_and_never_a_cell_twice(most, found):
    told = draw(found=found, most=most)
    assert len(told.leukocytes) == min(most, told.n_leukocytes)
    assert len(told.blasts) == min(most, told.n_blasts)
    assert len(told.found) == min(most, found)
    assert len(np.unique(told.leukocytes[:, 0])) == len(told.leukocytes)


def test_the_same_seed_draws_the_same_cells():
    assert np.array_equal(draw(seed=4).leukocytes, draw(seed=4).leukocytes)
    assert not np.array_equal(draw(seed=4).leukocytes, draw(seed=5).leukocytes)


def test_axes_reach_over_found_and_background_of_every_tube():
    low, high = axis_limits([drawn(found=None), drawn()])["CD45"]
    assert low < 0.5
    assert high > 5.5


def test_axes_exist_even_where_no_tube_has_a_cell():
    empty = draw(n=0, found=0)
    assert axis_limits([empty])["A"] == (-1.0, 8.0)


GATES = {
    "singlets": {"parent": "events", "spans": {"area_to_height": [None, 2.0]}, "minus": []},
    "nucleated": {"parent": "singlets", "spans": {"A": [1.0, None]}, "minus": []},
    "red": {"parent": "nucleated", "spans": {"B": [None, 0.0]}, "minus": []},
    "white": {"parent": "nucleated", "spans": {}, "minus": ["red"]},
    "low": {"parent": "white", "spans": {"A": [None, 3.0], "B": [None, 5.0]}, "minus": []},
}


def test_a_gate_is_replayed_with_its_parents_and_what_it_leaves_out():
    cells = np.array([[0.9, 1], [1.0, 1], [2, -1], [2.9, 4.9], [3.0, 1], [2, 5.0]], dtype=np.float32)
    assert inside(GATES, "low", cells, ("A", "B")).tolist() == [False, True, False, True, False, False]
    assert inside(GATES, "white", cells, ("A", "B")).tolist() == [False, True, False, True, True, True]


def test_a_gate_that_is_not_known_lets_every_cell_through():
    assert inside({}, "low", np.zeros((3, 2), dtype=np.float32), ("A", "B")).all()
