from mrd.report.cohort import call_counts, grid, shares, visit_names
from mrd.report.pages import render_cohort
from tests.report.cases import call, cohort, unread

CALM = call("not-detected", subject="A", visit="FU1", mrd_fraction=0.0, below_threshold="Y")
NEAR = call(subject="C", visit="FU2", flags="near-threshold", confident="N")
UNTOLD = call("indeterminate", subject="B", visit="FU1", below_threshold=None)


def test_the_subject_with_the_most_urgent_visit_comes_first():
    rows = [CALM, UNTOLD, call(subject="C", visit="FU1"), NEAR]
    assert [s for s, _ in grid(rows, ["FU1", "FU2"])] == ["C", "B", "A"]


def test_the_grid_has_a_place_for_every_subject_and_visit():
    told = dict(grid([CALM, NEAR], ["FU1", "FU2"]))
    assert [c and c["visit"]["call"] for c in told["A"]] == ["not-detected", None]
    assert told["C"][1]["why"] == ["near-threshold"]
    assert told["A"][0]["why"] == []


def test_visits_stand_in_the_order_in_which_subjects_go_through_them():
    rows = [
        call(subject=s, visit=v) for s, visits in (("A", "DX C1 C2"), ("B", "DX C2"), ("C", "DX C1 C2")) for v in visits.split()
    ]
    assert visit_names(rows) == ["DX", "C1", "C2"]


def test_follow_ups_and_diagnoses_are_counted_apart():
    told = {r["call"]: (r["follow"], r["diagnosis"]) for r in call_counts([call(), call(role="diagnosis"), unread()])}
    assert told["positive"] == (1, 1)
    assert told["not-evaluable"] == (1, 0)
    assert told["not-detected"] == (0, 0)


def test_the_filters_name_every_call_there_is_and_each_cell_carries_what_they_ask():
    page = render_cohort(cohort(calls=[CALM, NEAR, UNTOLD]))
    assert page.count('name="call"') == 3
    assert 'data-call="positive" data-review="Y"' in page
    assert 'data-call="not-detected" data-review="N"' in page
    assert "Only visits to review first (2)" in page


def test_shares_are_of_their_own_base_and_unknown_without_it():
    told = shares({"events": 1000, "cells": 800, "leukocytes": 400, "blasts": 20, "lymphocytes": 100})
    assert (told["cells"], told["leukocytes"], told["blasts"], told["lymphocytes"]) == (0.8, 0.5, 0.05, 0.25)
    assert told["monocytes"] is None
    assert set(shares({}).values()) == {None}
