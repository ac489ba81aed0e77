"""Response by the criteria: one assessment in, one response out; then the best one and the rate."""

from functools import cache

import pytest

from .tables import call, day, derive, derive_each, name_of, rows, subject

FULL = {"marrow_blasts": 2.0, "circulating": "N", "extramedullary": "N", "anc": 1.0, "platelets": 100.0, "cells_counted": 200}


def reading(offset=28, **other):
    return {"subject": "P01", "assessed": day(offset), **FULL, **other}


def _responses(readings, dates=None, **settings):
    adrs = derive([call(-3, "positive")], [subject(**(dates or {}))], readings, **settings).adam["adrs"]
    return {code: [r["AVALC"] for r in rows(adrs, PARAMCD=code)] for code in ("OVR", "OVRINV", "BOR", "ORR")}


BASELINE = reading(-3, marrow_blasts=40.0)
CASES = {
    "blasts under 5 percent and both counts at their limits are CR": ({}, "CR"),
    "neutrophils just under 1.0 are CRi": ({"anc": 0.99}, "CRi"),
    "platelets just under 100 are CRi": ({"platelets": 99.9}, "CRi"),
    "no neutrophils at all and platelets recovered are CRi": ({"anc": 0.0}, "CRi"),
    "both counts low are MLFS": ({"anc": 0.99, "platelets": 99.9}, "MLFS"),
    "both low on 199 cells of unknown cellularity are not evaluable": (
        {"anc": 0.2, "platelets": 20.0, "cells_counted": 199},
        "NE",
    ),
    "both low on 199 cells of 10 percent cellularity are MLFS": (
        {"anc": 0.2, "platelets": 20.0, "cells_counted": 199, "cellularity": 10.0},
        "MLFS",
    ),
    "both low in an aplastic marrow are not evaluable": (
        {"anc": 0.2, "platelets": 20.0, "cells_counted": None, "cellularity": 9.9},
        "NE",
    ),
    "both low, nothing known of the marrow's cells": ({"anc": 0.2, "platelets": 20.0, "cells_counted": None}, "NE"),
    "blasts of 4.9 percent are cleared": ({"marrow_blasts": 4.9}, "CR"),
    "blasts of 5 percent are not, and halved they are PR": ({"marrow_blasts": 5.0}, "PR"),
    "exactly half of the baseline is PR": ({"marrow_blasts": 20.0}, "PR"),
    "a little more than half is no response": ({"marrow_blasts": 20.1}, "NR"),
    "more than 25 percent is no response": ({"marrow_blasts": 25.1}, "NR"),
    "halved without recovery of the counts is no response": ({"marrow_blasts": 10.0, "anc": 0.9}, "NR"),
    "blasts in the blood are no response": ({"circulating": "Y"}, "NR"),
    "disease outside the marrow is no response": ({"extramedullary": "Y"}, "NR"),
    "blood that was not looked at cannot be told": ({"circulating": None}, "NE"),
    "extramedullary disease that was not looked for cannot be told": ({"extramedullary": None}, "NE"),
    "a marrow without a blast count cannot be told": ({"marrow_blasts": None}, "NE"),
    "counts that are not known cannot be told": ({"anc": None}, "NE"),
    "one count low and the other unknown cannot be told": ({"anc": None, "platelets": 20.0}, "NE"),
}


@cache
def _classified():
    cases = [{"subjects": [subject()], "responses": [BASELINE, reading(**changed)]} for changed, _ in CASES.values()]
    return derive_each(cases).adam["adrs"]


@pytest.mark.parametrize("case", CASES)
def test_one_assessment_is_classified(case):
    expected, number = CASES[case][1], list(CASES).index(case) + 1
    own = rows(_classified(), USUBJID=f"VENAZACAG-{name_of(number)}")
    told = {code: [r["AVALC"] for r in own if r["PARAMCD"] == code] for code in ("OVR", "BOR", "ORR")}
    assert told == {"OVR": ["NR", expected], "BOR": [expected], "ORR": ["Y" if expected in ("CR", "CRi", "MLFS") else "N"]}


def test_a_partial_recovery_is_crh_only_where_the_trial_uses_it():
    partial = [BASELINE, reading(anc=0.5, platelets=50.0), reading(35, anc=0.49, platelets=50.0)]
    assert _responses(partial)["OVR"][1:] == ["MLFS", "MLFS"]
    assert _responses(partial, criteria="ELN 2022 with CRh")["OVR"][1:] == ["CRh", "MLFS"]
    one = [reading(anc=0.5)]
    assert _responses(one)["OVR"] == ["CRi"]
    assert _responses(one, criteria="ELN 2022 with CRh")["OVR"] == ["CRh"]


def test_halved_blasts_without_a_known_baseline_cannot_be_told():
    assert _responses([reading(marrow_blasts=10.0)])["OVR"] == ["NE"]


@pytest.mark.parametrize("again", [{"marrow_blasts": 5.0}, {"circulating": "Y"}, {"extramedullary": "Y"}])
def test_disease_after_remission_is_relapse(again):
    assert _responses([reading(28), reading(56, **again)])["OVR"] == ["CR", "RELAPSE"]
    assert _responses([reading(28, anc=0.1, platelets=10.0), reading(56, **again)])["OVR"][1] != "RELAPSE"  # MLFS is no remission


CYCLES = {
    "the last day of two nominal cycles counts": (56, [], "Y"),
    "the day after does not": (57, [], "N"),
    "the day of the first dose is baseline": (0, [], "N"),
    "the day after the first dose counts": (1, [], "Y"),
    "a delayed second cycle lasts its 28 days": (63, [35], "Y"),
    "and no longer": (64, [35], "N"),
    "a marrow of the day the third cycle starts is of the second": (70, [35, 70], "Y"),
    "a day later it is not": (71, [35, 70], "N"),
}
CLOSED = {
    "new therapy of the day": ({"new_therapy": 28}, "NE"),
    "new therapy a day later": ({"new_therapy": 29}, "CR"),
    "transplant of the day": ({"transplant": 28}, "NE"),
    "relapse of the day": ({"relapse": 28}, "NE"),
    "death of the day": ({"death": 28}, "CR"),
    "consolidation before": ({"consolidation": 20}, "CR"),
}


@cache
def _rated():
    cases = [{"subjects": [subject()], "responses": [reading(d)], "exposure": _cycles(more)} for d, more, _ in CYCLES.values()]
    cases += [{"subjects": [subject(**dates)], "responses": [reading(28)]} for dates, _ in CLOSED.values()]
    adrs = derive_each(cases).adam["adrs"]
    told = [[r["AVALC"] for r in rows(adrs, PARAMCD=code)] for code in ("BOR", "ORR")]
    return dict(zip([*CYCLES, *CLOSED], zip(*told, strict=True), strict=True))


def _cycles(starts):
    return [{"treatment": "induction", "start": day(d), "cycle": i} for i, d in enumerate([0, *starts], 1)]


@pytest.mark.parametrize("case", CYCLES)
def test_the_rate_counts_the_first_two_cycles(case):
    offset, _, responder = CYCLES[case]
    assert _rated()[case] == ("CR" if offset else "NE", responder)


@pytest.mark.parametrize("case", CLOSED)
def test_what_comes_after_a_closing_event_does_not_count(case):
    best = CLOSED[case][1]
    assert _rated()[case] == (best, "Y" if best == "CR" else "N")


def test_the_best_response_is_the_best_not_the_last_and_names_its_record():
    tables = derive([call(-3, "positive")], [subject()], [reading(56, anc=0.1), reading(28), BASELINE])
    (best,) = rows(tables.adam["adrs"], PARAMCD="BOR")
    assert (best["AVALC"], best["AVAL"], best["ADT"], best["ADY"]) == ("CR", 1.0, day(28), 29)
    assert (best["SRCDOM"], best["SRCVAR"], best["SRCSEQ"]) == ("RESPONSES", "marrow_blasts", 2)
    assert best["REASON"] == "marrow cleared, both counts recovered"


def test_the_investigator_stands_beside_the_criteria_and_can_be_made_primary():
    readings = [reading(28, anc=None, response="CR")]
    assert _responses(readings) == {"OVR": ["NE"], "OVRINV": ["CR"], "BOR": ["NE"], "ORR": ["N"]}
    tables = derive([call(-3, "positive")], [subject()], readings, estimands={"response": {"judged_by": "investigator"}})
    assert [r["AVALC"] for r in rows(tables.adam["adrs"], PARAMCD="ORR")] == ["Y"]
    (note,) = rows(tables.notes, topic="response")
    assert note["note"] == "the investigator told CR, the criteria NE (marrow cleared, counts not told)"


def test_subjects_without_an_assessment_are_no_responders_and_name_their_own_row():
    tables = derive([], [subject(), subject("P02", first_dose=None)])
    told = {(r["USUBJID"][-3:], r["PARAMCD"]): r for r in rows(tables.adam["adrs"])}
    assert [(told[k]["AVALC"], told[k]["SRCDOM"], told[k]["SRCVAR"], told[k]["ANL01FL"]) for k in told] == [
        ("NE", "SUBJECTS", "subject", "Y"),
        ("N", "SUBJECTS", "subject", "Y"),
        ("NE", "SUBJECTS", "first_dose", None),
        ("N", "SUBJECTS", "first_dose", None),
    ]
