"""Kaplan-Meier and exact intervals against published and R numbers."""

from math import exp, log, sqrt

import pytest

from mrd.endpoint.curves import estimate_curve, estimate_median, find_crossing
from mrd.endpoint.intervals import estimate_rate

# Freireich et al., Blood 1963;21:699, as in Cox 1972 and MASS::gehan: weeks of remission; censored ones are marked
SIX_MP = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
SIX_MP_RELAPSED = [True] * 9 + [False] * 12
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
# survival::aml, maintained arm (Miller 1981, p. 49)
MAINTAINED = ([9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161], [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0])


def _at(curve, column="survival"):
    return dict(zip(curve["time"], curve[column], strict=True))


def test_the_curve_is_the_product_of_the_published_fractions():
    """18/21, 16/17, 14/15, 11/12, 10/11, 6/7, 5/6 (Kalbfleisch & Prentice 1980, table 1.2; R gives .857 .807 ... .448)."""
    survival, expected = _at(estimate_curve(SIX_MP, SIX_MP_RELAPSED)), 1.0
    for time, left, of in ((6, 18, 21), (7, 16, 17), (10, 14, 15), (13, 11, 12), (16, 10, 11), (22, 6, 7), (23, 5, 6)):
        expected *= left / of
        assert survival[time] == pytest.approx(expected, abs=1e-12)
    assert [round(survival[t], 3) for t in (6, 7, 10, 13, 16, 22, 23)] == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]


def test_the_interval_is_that_of_r_with_log_log():
    """MASS 4th ed., section 13.1: summary(survfit(Surv(time, cens) ~ treat, gehan, conf.type = "log-log"))."""
    curve = estimate_curve(SIX_MP, SIX_MP_RELAPSED)
    low, high = _at(curve, "ci_low"), _at(curve, "ci_high")
    assert [round(low[t], 3) for t in (6, 7, 10, 13, 16, 22, 23)] == [0.620, 0.563, 0.503, 0.432, 0.368, 0.268, 0.188]
    assert [round(high[t], 3) for t in (6, 7, 10, 13, 16, 22, 23)] == [0.952, 0.923, 0.889, 0.849, 0.805, 0.747, 0.680]


def test_the_interval_is_greenwoods_on_the_log_log_scale_to_a_millionth():
    """Kalbfleisch & Prentice 1980, equation 1.13, written out for the first two steps."""
    curve = estimate_curve(SIX_MP, SIX_MP_RELAPSED)
    survival, greenwood = 1.0, 0.0
    for time, events, at_risk in ((6, 3, 21), (7, 1, 17), (10, 1, 15)):
        survival *= 1 - events / at_risk
        greenwood += events / (at_risk * (at_risk - events))
        half = 1.959963984540054 * sqrt(greenwood) / abs(log(survival))
        assert _at(curve, "ci_low")[time] == pytest.approx(survival ** exp(half), abs=1e-6)
        assert _at(curve, "ci_high")[time] == pytest.approx(survival ** exp(-half), abs=1e-6)


def test_the_maintained_arm_of_aml_is_that_of_r():
    """R: summary(survfit(Surv(time, status) ~ x, aml)): .909 .818 .716 .614 .491 .368 .184; median 31."""
    curve = estimate_curve(*MAINTAINED)
    expected = {9: 10 / 11, 13: 9 / 11, 18: 9 / 11 * 7 / 8, 23: 9 / 11 * 6 / 8, 31: 9 / 11 * 6 / 8 * 4 / 5}
    for time, value in expected.items():
        assert _at(curve)[time] == pytest.approx(value, abs=1e-12)
    assert estimate_median(curve)["median"] == 31


@pytest.mark.parametrize(
    ("times", "events", "expected"),
    [
        # SAS LIFETEST and R with conf.type = "log-log": 6-MP 23 (13, not reached), placebo 8 (4, 11)
        (SIX_MP, SIX_MP_RELAPSED, {"median": 23.0, "ci_low": 13.0, "ci_high": None}),
        (PLACEBO, [True] * 21, {"median": 8.0, "ci_low": 4.0, "ci_high": 11.0}),
    ],
)
def test_medians_and_their_intervals_are_published_ones(times, events, expected):
    assert estimate_median(estimate_curve(times, events)) == expected


def test_a_curve_that_lies_on_one_half_has_its_median_in_the_middle_of_the_step():
    """R: survfit(Surv(c(1, 2, 3, 4), c(1, 1, 1, 1)) ~ 1) prints 2.5."""
    assert estimate_median(estimate_curve([1, 2, 3, 4], [True] * 4))["median"] == 2.5


def test_a_median_that_is_not_reached_is_none():
    assert find_crossing(estimate_curve([5, 6, 7], [True, False, False]), "survival") is None


def test_nobody_with_an_event_leaves_the_curve_at_one():
    curve = estimate_curve([5, 9], [False, False])
    assert curve[["survival", "ci_low", "ci_high"]].to_numpy().tolist() == [[1.0] * 3] * 3
    assert estimate_median(curve) == {"median": None, "ci_low": None, "ci_high": None}


@pytest.mark.parametrize(
    ("count", "exposure", "low", "high"),
    [
        # R, stats::poisson.test, example: poisson.test(137, 24.19893)
        (137, 24.19893, 4.753125, 6.692709),
        # R: poisson.test(10)$conf.int and poisson.test(0)$conf.int
        (10, 1.0, 4.795389, 18.390356),
        (0, 1.0, 0.0, 3.688879),
    ],
)
def test_the_rate_is_that_of_r(count, exposure, low, high):
    assert estimate_rate(count, exposure) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(
    ("count", "low", "high"), [(10, 4.8, 18.4), (20, 12.2, 30.9), (50, 37.1, 65.9), (100, 81.4, 121.6), (500, 457, 546)]
)
def test_the_rate_is_that_of_published_tables(count, low, high):
    assert estimate_rate(count, 1.0) == pytest.approx((low, high), abs=0.55 if count == 500 else 0.051)


@pytest.mark.parametrize(("count", "exposure"), [(-1, 1.0), (3, 0.0)])
def test_what_is_no_rate_is_refused(count, exposure):
    with pytest.raises(ValueError, match="is not a rate"):
        estimate_rate(count, exposure)
