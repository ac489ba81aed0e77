import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from mrd.quantify.blanks import (
    Blanks,
    Rate,
    background_rates,
    between_variance,
    blank_bound,
    count_quantile,
    each_look,
    mean_background,
)


def blanks(normal, regenerating=(), total=100_000):
    found = np.array([*normal, *regenerating])
    kinds = ("normal",) * len(normal) + ("regenerating",) * len(regenerating)
    return Blanks(found, np.full(len(found), total), kinds)


def test_the_background_is_never_zero_because_no_control_cell_happened_to_pass():
    """Half a cell in 5 x 100,000."""
    assert mean_background(blanks([0, 0, 0, 0, 0])) == pytest.approx(1e-6)


def test_the_background_subtracted_is_the_mean_over_kinds_however_many_controls_each_has():
    """Means (20.5/2 + 60.5/... by hand: normal 20.5 / 200,000; regenerating 180.5 / 600,000."""
    assert mean_background(blanks([10, 10], [30] * 6)) == pytest.approx((20.5 / 2e5 + 180.5 / 6e5) / 2)


def test_variance_between_controls_is_what_lies_beyond_poisson_noise():
    """Shares 1e-4 and 3e-4: variance 2e-8, Poisson part 2e-4 / 100,000 = 2e-9."""
    assert between_variance(blanks([10, 30])) == pytest.approx(2e-8 - 2e-9)
    assert between_variance(blanks([10, 11, 9, 10])) == 0.0


def test_the_rate_of_a_new_blank_is_widened_for_the_few_blanks_it_rests_on():
    found = [10, 30, 50, 20]
    b = blanks(found)
    few = (stats.t.ppf(0.95, 3) / stats.norm.ppf(0.95)) ** 2
    mean = 110.5 / 4e5
    assert background_rates(b)[0].variance == pytest.approx(between_variance(b) * 1.25 * few + mean / 4e5)


def test_without_spread_the_bound_is_the_poisson_quantile():
    assert count_quantile(Rate(1e-4, 0.0), 100_000, 0.95) == stats.poisson.ppf(0.95, 10) == 15


def test_with_spread_the_bound_is_the_quantile_of_simulated_blanks():
    rng = np.random.default_rng(1)
    rate = Rate(1e-4, (5e-5) ** 2)
    simulated = rng.poisson(rng.gamma(4, 1e-4 / 4, 400_000) * 100_000)
    assert count_quantile(rate, 100_000, 0.95) == pytest.approx(np.quantile(simulated, 0.95), abs=1)


def test_the_worse_kind_of_control_sets_the_bound():
    quiet, loud = [10] * 8, [40] * 8
    assert blank_bound(blanks(quiet, loud), 100_000) == blank_bound(blanks(loud[:0], loud), 100_000)
    assert blank_bound(blanks(loud, quiet), 100_000) > blank_bound(blanks(quiet, quiet), 100_000)


def test_from_sixty_blanks_on_their_own_percentile_is_used():
    """57 quiet blanks and 3 of 400 cells: the fitted gamma spreads, the percentile lies among the quiet ones' noise."""
    found = [10] * 57 + [400] * 3
    bound = blank_bound(blanks(found), 100_000)
    assert bound == next(k for k in range(500) if np.mean([stats.poisson.cdf(k, m) for m in np.array(found) + 0.5 / 60]) >= 0.95)
    assert bound != blank_bound(blanks(found[:59]), 100_000)


def test_a_new_blank_exceeds_the_bound_about_one_time_in_twenty():
    """The promise itself: 14 blanks drawn, a bound stated, a new blank drawn, many times over."""
    rng = np.random.default_rng(2)
    over = []
    for _ in range(1500):
        rates = rng.gamma(6, 1e-4 / 6, 15)
        counts = rng.poisson(rates * 160_000)
        bound = blank_bound(blanks(counts[:14], total=160_000), 160_000)
        over.append(counts[14] > bound)
    assert 0.02 < np.mean(over) < 0.07


@given(st.lists(st.integers(0, 200), min_size=3, max_size=20), st.integers(1000, 1_000_000))
def test_more_background_never_lowers_the_bound(found, n):
    assert blank_bound(blanks([f + 50 for f in found]), n) >= blank_bound(blanks(found), n) - 1


def test_several_looks_share_the_error_and_one_look_keeps_all_of_it():
    """Sidak: 0.95 = level ** looks."""
    assert each_look(1) == 0.95
    assert each_look(2) == pytest.approx(0.974679434)
    assert each_look(3) ** 3 == pytest.approx(0.95)


def test_the_bound_of_one_of_two_looks_is_the_stricter_quantile_by_hand():
    found = [10, 30, 50, 20, 25, 40]
    level = 0.95**0.5
    few = (stats.t.ppf(level, 5) / stats.norm.ppf(level)) ** 2
    mean = 175.5 / 6e5
    rate = Rate(mean, between_variance(blanks(found)) * (7 / 6) * few + mean / 6e5)
    assert blank_bound(blanks(found), 100_000, 2) == count_quantile(rate, 100_000, level) > blank_bound(blanks(found), 100_000)


def test_about_one_blank_visit_in_twenty_exceeds_any_bound_of_its_two_tubes_and_not_two():
    """Each tube has 20 controls of its own panel; held one by one, about 10 % of the visits would be over."""
    found = np.random.default_rng(1).gamma(9, 50 / 9, (1600, 21))
    found = np.random.default_rng(2).poisson(found)

    def share_over(looks):
        over = np.array([f[20] > blank_bound(blanks(f[:20]), 100_000, looks) for f in found])
        return over.reshape(-1, 2).any(axis=1).mean()

    assert 0.03 < share_over(2) < 0.07 < share_over(1)


def test_a_percentile_of_the_blanks_needs_so_many_more_the_more_looks_there_are():
    many = blanks([10, 11, 9, 10] * 15)
    assert blank_bound(many, 100_000) == 16
    rates = background_rates(many, each_look(2))
    assert blank_bound(many, 100_000, 2) == count_quantile(rates[0], 100_000, each_look(2))
