import numpy as np
import pytest

from mrd.core.stretches import STRETCH
from mrd.prepare.qc import flag_margins, flag_unstable, share_saturated

RULE = {"bins": 100, "mads": 6.0, "least": 0.15}


def steady(n, rng):
    """A run in which half of the cells carry the second marker: medians would jump, the signal does not."""
    carrying = rng.random(n) < 0.5
    return np.column_stack([rng.normal(4, 0.5, n), np.where(carrying, 4.0, 0.2) + rng.normal(0, 0.3, n)])


def test_events_at_the_top_of_the_range_or_at_zero_are_margins():
    events = np.array([[1.0, 50.0], [100.0, 50.0], [99.0, 50.0], [98.9, 50.0], [0.0, 50.0], [50.0, 100.0]])
    assert flag_margins(events, np.array([100.0, 100.0]), [0]).tolist() == [False, True, True, False, True, False]


def test_the_most_saturated_channel_counts():
    events = np.array([[100.0, 1.0], [100.0, 100.0], [1.0, 1.0], [1.0, 1.0]])
    assert share_saturated(events, np.array([100.0, 100.0]), [0, 1]) == 0.5


def test_saturated_events_are_counted_over_all_stretches():
    n = 2 * STRETCH + 5
    events = np.ones((n, 3))
    events[[0, STRETCH, n - 1], 1] = 100.0
    assert share_saturated(events, np.full(3, 100.0), [0, 1]) == 3 / n
    assert share_saturated(events, np.full(3, 100.0), [0, 2]) == 0.0
    assert share_saturated(events[:0], np.full(3, 100.0), [0]) == share_saturated(events, np.full(3, 100.0), []) == 0.0


def test_threads_change_no_stretch_and_signals_may_be_given_when_they_are_asked_for():
    rng = np.random.default_rng(8)
    time, signals = np.sort(rng.uniform(0, 200, 30_000)), steady(30_000, rng).T
    signals[0, (time > 60) & (time < 68)] -= 1.0
    one = flag_unstable(time, signals, **RULE)
    assert one.any()
    assert (flag_unstable(time, [signals[0].copy, signals[1].copy], **RULE, threads=3) == one).all()


@pytest.mark.parametrize("n", [2_000, 20_000, 100_000])
def test_a_steady_run_loses_nothing_even_where_half_of_the_cells_carry_a_marker(n):
    rng = np.random.default_rng(3)
    assert not flag_unstable(np.sort(rng.uniform(0, 200, n)), steady(n, rng).T, **RULE).any()


@pytest.mark.parametrize("factor", [0.3, 0.7])
def test_a_sagging_stretch_is_removed_whole_and_hardly_more(factor):
    rng = np.random.default_rng(4)
    n = 100_000
    time, signals = np.sort(rng.uniform(0, 200, n)), steady(n, rng)
    sag = (time > 60) & (time < 68)
    signals[sag] += np.log(factor)
    bad = flag_unstable(time, signals.T, **RULE)
    assert bad[sag].mean() > 0.99
    assert bad[~sag].mean() < 0.02


def test_a_stretch_in_which_events_hardly_come_is_removed():
    rng = np.random.default_rng(5)
    time = np.sort(rng.uniform(0, 200, 50_000))
    thin = (time > 100) & (time < 110)
    keep = ~thin | (rng.random(len(time)) < 0.1)
    bad = flag_unstable(time[keep], steady(int(keep.sum()), rng).T, **RULE)
    assert bad[thin[keep]].mean() > 0.7
    assert bad[~thin[keep]].mean() < 0.02


def test_too_few_events_to_compare_stretches_are_left_alone():
    rng = np.random.default_rng(6)
    assert not flag_unstable(np.arange(900.0), steady(900, rng).T, **RULE).any()


def test_a_run_without_a_running_clock_is_left_alone():
    rng = np.random.default_rng(7)
    assert not flag_unstable(np.zeros(5000), steady(5000, rng).T, **RULE).any()
