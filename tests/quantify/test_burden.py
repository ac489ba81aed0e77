import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from mrd.quantify.blanks import Blanks
from mrd.quantify.burden import Nuisance, Recall, corrected, count_tail, estimate_fraction, fraction_where, interval, nuisance

CLEAN = Nuisance(np.array([0.0]), np.array([1.0]), np.array([1.0]))
QUIET = Blanks(np.array([8, 9, 10, 11, 12, 10]), np.full(6, 100_000), ("normal", "regenerating") * 3)


def test_the_estimate_takes_background_and_recall_out():
    """(60 / 100,000 - 1e-4) / (0.5 - 1e-4)."""
    assert estimate_fraction(60, 100_000, 1e-4, 0.5) == pytest.approx(5e-4 / 0.4999)


def test_fewer_cells_than_the_background_estimate_nothing():
    assert estimate_fraction(5, 100_000, 1e-4, 0.9) == 0.0


@pytest.mark.parametrize(
    ("found", "low", "high"),
    [(0, 0.0, 3.69), (10, 4.8, 18.4), (20, 12.2, 30.9), (50, 37.1, 65.9), (100, 81.4, 121.6), (500, 457, 546)],
)
def test_without_background_and_at_full_recall_the_interval_is_the_exact_poisson_one(found, low, high):
    """The published limits, and Garwood's (Biometrika 1936;28:437) from the chi-squared quantiles to 1e-6."""
    n = 500_000
    ends = (0.0 if found == 0 else fraction_where(found - 1, n, 0.975, CLEAN)) * n, fraction_where(found, n, 0.025, CLEAN) * n
    assert ends == pytest.approx((low, high), rel=0.005)
    garwood = (stats.chi2.ppf(0.025, 2 * found) / 2 if found else 0.0, stats.chi2.ppf(0.975, 2 * found + 2) / 2)
    assert ends == pytest.approx(garwood, rel=1e-6)


@pytest.mark.parametrize(
    ("n", "low", "high"), [(50_000, 37, 64), (100_000, 81, 120), (200_000, 173, 228), (500_000, 457, 544), (1_000_000, 938, 1062)]
)
def test_the_counts_whose_interval_holds_the_threshold_are_those_published(n, low, high):
    def holds(k):
        return fraction_where(k - 1, n, 0.975, CLEAN) < 1e-3 < fraction_where(k, n, 0.025, CLEAN)

    assert [holds(k) for k in (low - 1, low, high, high + 1)] == [False, True, True, False]


def test_uncertain_recall_and_background_widen_the_interval():
    sure, unsure = (interval(200, 100_000, QUIET, Recall(0.9, e)) for e in (0.001, 0.15))
    assert unsure[0] < sure[0] < corrected(200, 100_000, QUIET, Recall(0.9, 0.0)) < sure[1] < unsure[1]


def test_cells_that_blanks_explain_leave_zero_inside_the_interval():
    assert interval(12, 100_000, QUIET, Recall(0.9, 0.03))[0] == 0.0
    assert interval(60, 100_000, QUIET, Recall(0.9, 0.03))[0] > 0.0


def test_slices_keep_mean_and_spread_of_background_and_recall():
    given_ = nuisance(QUIET, Recall(0.8, 0.06))
    assert given_.weight @ given_.recall == pytest.approx(0.8, abs=0.002)
    assert np.sqrt(given_.weight @ (given_.recall - 0.8) ** 2) == pytest.approx(0.06, rel=0.1)
    assert given_.weight @ given_.background == pytest.approx(1.01e-4, rel=0.03)


def test_the_interval_covers_what_it_says():
    rng = np.random.default_rng(3)
    n, level, recall = 150_000, 8e-4, Recall(0.85, 0.05)
    hits = []
    for _ in range(300):
        r = np.clip(rng.normal(0.85, 0.05), 0, 1)
        found = rng.poisson(n * (rng.normal(1.0e-4, 1e-5) + level * (r - 1e-4)))
        low, high = interval(int(found), n, QUIET, recall)
        hits.append(low <= level <= high)
    assert 0.91 <= np.mean(hits) <= 0.995


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5000), st.integers(10_000, 1_000_000), st.floats(0.2, 1.0))
def test_the_estimate_lies_in_its_interval_and_more_cells_never_mean_less(found, n, recall):
    r = Recall(recall, 0.02)
    low, high = interval(found, n, QUIET, r)
    assert low <= corrected(found, n, QUIET, r) + 1e-12
    assert corrected(found, n, QUIET, r) <= high
    assert interval(found + 10, n, QUIET, r)[0] >= low


def test_the_tail_falls_as_the_fraction_grows():
    tails = [count_tail(30, 100_000, f, nuisance(QUIET, Recall(0.9, 0.02))) for f in (0, 1e-4, 5e-4, 1e-2)]
    assert tails == sorted(tails, reverse=True)
    assert tails[0] > 0.99
    assert tails[-1] < 1e-6


def test_fewer_cells_than_expected_never_prove_less_than_no_cell_without_background():
    """Exact Poisson: none found says up to 3.689 (chi-squared with 2 degrees of freedom, 0.975, halved)."""
    noisy = Blanks(np.full(6, 40), np.full(6, 100_000), ("normal", "regenerating") * 3)
    for found in (0, 5, 15):
        assert interval(found, 100_000, noisy, Recall(0.9, 0.0))[1] >= 3.6889 / 0.9 / 100_000 * 0.999
    assert interval(0, 100_000, noisy, Recall(0.9, 0.0))[1] == pytest.approx(3.6889 / 0.9 / 100_000, rel=1e-4)
