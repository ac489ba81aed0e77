from itertools import product

import pytest

from mrd.core.settings import Settings
from mrd.core.words import ABOVE, BELOW, CALLS
from mrd.quantify.decide import Finding, adequacy_gaps, counted_below, decide, is_detected, not_evaluable

S = Settings()
T = 1e-3


def finding(x, *, found=200, lob=1e-4, lloq=3e-4, adequate=True, interval=None):
    return Finding(x, lob, 2e-4, lloq, found, interval or (0.8 * x, 1.2 * x), adequate)


@pytest.mark.parametrize(
    ("given", "call", "below"),
    [
        (finding(2e-3), "positive", "N"),
        (finding(2e-3, adequate=False), "positive", "N"),
        (finding(T), "positive", "N"),
        (finding(T * (1 - 1e-9)), "low-quantifiable", "Y"),
        (finding(2e-3, found=50), "positive", "N"),
        (finding(2e-3, found=49), "positive-not-quantifiable", "N"),
        (finding(2e-3, found=20), "positive-not-quantifiable", "N"),
        (finding(2e-3, found=19), "indeterminate", ""),
        (finding(2e-3, lob=2e-3), "indeterminate", ""),
        (finding(2e-3, lob=2e-3 - 1e-9), "positive", "N"),
        (finding(5e-4, adequate=False), "indeterminate", ""),
        (finding(0.0, found=0, adequate=False), "indeterminate", ""),
        (finding(5e-4), "low-quantifiable", "Y"),
        (finding(3e-4), "low-quantifiable", "Y"),
        (finding(3e-4 - 1e-9), "low-not-quantifiable", "Y"),
        (finding(1e-4), "not-detected", "Y"),
        (finding(1e-4 + 1e-9), "low-not-quantifiable", "Y"),
        (finding(5e-4, found=19), "not-detected", "Y"),
        (finding(0.0, found=0), "not-detected", "Y"),
    ],
)
def test_each_row_of_the_table_at_and_around_its_borders(given, call, below):
    decision = decide(given, S)
    assert (decision.call, decision.below) == (call, below)


@pytest.mark.parametrize(
    ("x", "found", "lob", "lloq", "adequate"),
    list(product((0, 5e-4, T, 5e-3), (0, 19, 20, 49, 50), (1e-4, 6e-3), (3e-4, 2e-3), (True, False))),
)
def test_every_case_has_one_call_and_below_is_never_said_of_an_inadequate_specimen(x, found, lob, lloq, adequate):
    decision = decide(finding(x, found=found, lob=lob, lloq=lloq, adequate=adequate), S)
    assert decision.call in CALLS
    assert (decision.below == "Y") == (decision.call in BELOW)
    assert (decision.below == "N") == (decision.call in ABOVE)
    assert adequate or decision.below != "Y"
    assert x < T or decision.below != "Y"
    assert decision.reason


@pytest.mark.parametrize(
    ("interval", "told"), [((1.1e-3, 2e-3), "Y"), ((T, 2e-3), "Y"), ((9e-4, 2e-3), "N"), ((1e-4, T), "N"), ((1e-4, 9.99e-4), "Y")]
)
def test_sure_is_an_interval_on_one_side_of_the_threshold(interval, told):
    assert decide(finding(1e-3, interval=interval), S).confident == told


@pytest.mark.parametrize(
    ("found", "n", "below"),
    [(499, 500_000, True), (500, 500_000, False), (501, 500_000, False), (0, 1, True), (1, 1000, False), (1, 1001, True)],
)
def test_counted_below_is_decided_in_whole_numbers(found, n, below):
    assert counted_below(found, n, 1e-3) is below
    assert counted_below(found, n, 1e-3) is (1000 * found < n)


def test_a_threshold_that_no_binary_fraction_is_stays_exact():
    assert not counted_below(3, 30_000, 1e-4)
    assert counted_below(3, 30_001, 1e-4)


GOOD = {"marrow": True, "n": 500_000, "blasts": 100, "lod": 9.99e-4}


@pytest.mark.parametrize(
    ("change", "gap"),
    [
        ({}, []),
        ({"marrow": False}, ["blood"]),
        ({"n": 499_999}, ["few-leukocytes"]),
        ({"blasts": 99}, ["few-blasts"]),
        ({"lod": T}, ["lod-above-threshold"]),
    ],
)
def test_an_adequate_specimen_meets_every_condition_at_its_border(change, gap):
    assert adequacy_gaps(**{**GOOD, **change}, settings=S) == gap


def test_detection_needs_both_the_lob_and_the_cells():
    assert is_detected(finding(2e-4, found=20), S)
    assert not is_detected(finding(2e-4, found=19), S)
    assert not is_detected(finding(1e-4, found=20), S)


def test_row_one_tells_nothing_but_its_reason():
    decision = not_evaluable("the file is missing")
    assert (decision.call, decision.below, decision.confident, decision.reason) == (
        "not-evaluable",
        "",
        "",
        "the file is missing",
    )


def test_a_few_cells_over_what_blanks_show_are_told_as_such():
    assert "19 cells, a finding needs 20" in decide(finding(5e-4, found=19), S).reason
    assert decide(finding(1e-4), S).reason.startswith("nothing over the LoB")
