"""The exact interval against published numbers, and the rates of a small trial."""

from math import comb

import pytest
from hypothesis import given, strategies as st

from mrd.endpoint.intervals import estimate_share

from .tables import call, derive, rows, subject


@pytest.mark.parametrize(
    ("count", "total", "confidence", "low", "high"),
    [
        # R 3.4.3, stats::binom.test, example (Conover 1971, p. 97): binom.test(682, 682 + 243, p = 3/4)
        (682, 925, 0.95, 0.7076683, 0.7654066),
        # TERR 6.1.5 / R, binom.test(9, 24, 1/6) and binom.test(1, 1497, 0.0033, conf.level = 0.9)
        (9, 24, 0.95, 0.1879929, 0.5940636),
        (1, 1497, 0.90, 3.426347e-5, 3.164954e-3),
    ],
)
def test_the_interval_is_that_of_r(count, total, confidence, low, high):
    assert estimate_share(count, total, confidence=confidence) == pytest.approx((low, high), abs=1e-7)


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_the_interval_is_that_of_newcombe_1998(count, total, low, high):
    """Statistics in Medicine 1998;17:857, table I, method 5 (Clopper-Pearson)."""
    assert estimate_share(count, total) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0, 8.4), (14, 19.6, 49.5), (21, 34.2, 65.8), (28, 50.5, 80.4), (42, 91.6, 100)]
)
def test_the_interval_of_the_trial_of_42(count, low, high):
    assert [round(100 * v, 1) for v in estimate_share(count, 42)] == [low, high]


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_each_end_leaves_its_tail_outside(pair):
    count, total = pair
    low, high = estimate_share(count, total)
    above = sum(comb(total, i) * low**i * (1 - low) ** (total - i) for i in range(count, total + 1))
    below = sum(comb(total, i) * high**i * (1 - high) ** (total - i) for i in range(count + 1))
    assert above == (pytest.approx(0.025, abs=1e-9) if count else 1.0)
    assert below == (pytest.approx(0.025, abs=1e-9) if count < total else pytest.approx(1.0))
    assert low <= count / total <= high


@pytest.mark.parametrize(("count", "total"), [(-1, 4), (5, 4), (0, 0)])
def test_what_is_no_share_is_refused(count, total):
    with pytest.raises(ValueError, match="is not a share"):
        estimate_share(count, total)


def _trial():
    """Eight subjects: converted in remission, converted, lost again, passed over, missing, dead, positive in CR, not treated."""
    outcomes = {
        "P1": ({"cr_date": 30}, ["below"]),
        "P2": ({}, ["below"]),
        "P3": ({}, ["below", "positive"]),
        "P4": ({}, ["below", "background"]),
        "P5": ({}, []),
        "P6": ({"death": 20}, []),
        "P7": ({"cr_date": 30}, ["positive"]),
        "P8": ({"first_dose": None}, ["below"]),
    }
    calls = [call(28 * i, o, subject=s) for s, (_, marrows) in outcomes.items() for i, o in enumerate(marrows, 1)]
    return calls, [subject(s, **dates) for s, (dates, _) in outcomes.items()]


def test_the_rates_of_a_small_trial():
    summary = derive(*_trial()).summary
    told = {(r["set"], r["rule"]): (r["n_converted"], r["n_subjects"]) for r in rows(summary)}
    assert told == {
        ("treated", "last"): (3, 7),
        ("treated", "any"): (4, 7),
        ("treated", "best"): (4, 7),
        ("treated", "worst"): (2, 7),
        ("evaluable", "last"): (3, 5),
        ("evaluable", "any"): (4, 5),
        ("evaluable", "best"): (3, 5),
        ("evaluable", "worst"): (2, 5),
        ("cr-cri", "last"): (1, 2),
        ("cr-cri", "any"): (1, 2),
        ("cr-cri", "best"): (1, 2),
        ("cr-cri", "worst"): (1, 2),
    }
    (row,) = rows(summary, primary="Y")
    assert (row["set"], row["rule"], row["percent"], row["confidence"]) == ("treated", "last", pytest.approx(300 / 7), 95.0)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(100 * v for v in estimate_share(3, 7)))


def test_the_primary_row_follows_the_setting():
    (row,) = rows(derive(*_trial(), conversion_rule="any").summary, primary="Y")
    assert (row["rule"], row["n_converted"]) == ("any", 4)


def test_an_empty_set_has_counts_and_no_rate():
    summary = derive([], [subject(first_dose=None)]).summary
    assert {(r["n_converted"], r["n_subjects"], r["percent"], r["ci_low"], r["ci_high"]) for r in rows(summary)} == {
        (0, 0, None, None, None)
    }
    assert len(summary) == 12
