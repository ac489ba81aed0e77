"""Times to event: clinical rows in, one row of ADTTE out."""

from functools import cache

import pytest

from .tables import call, day, derive, derive_each, rows, subject


def _time(code, dates=None, *, more=None, estimands=None, calls=(), responses=None, **settings):
    tables = derive(list(calls), [subject(**(dates or {}))], responses, more=more, estimands=estimands, **settings)
    (row,) = rows(tables.adam["adtte"], PARAMCD=code)
    return row


def _short(row):
    return row["AVAL"], row["CNSR"], row["EVNTDESC"]


OVERALL = {
    "death is the event, the first dose day 1": ({"death": 99}, (100.0, 0, "DEATH")),
    "death on the day of the first dose is day 1": ({"death": 0}, (1.0, 0, "DEATH")),
    "who lives is censored when last known alive": ({"last_alive": 99}, (100.0, 1, "LAST KNOWN ALIVE")),
    "death counts though last seen earlier": ({"last_alive": 50, "death": 99}, (100.0, 0, "DEATH")),
    "transplant and new therapy are ignored": ({"transplant": 30, "new_therapy": 40, "death": 99}, (100.0, 0, "DEATH")),
    "a relapse is no death": ({"relapse": 30, "last_alive": 99}, (100.0, 1, "LAST KNOWN ALIVE")),
    "nothing known after the first dose is censored there": ({}, (1.0, 1, "LAST KNOWN ALIVE")),
    "who was not treated has no time": ({"first_dose": None, "death": 99}, (None, 4, "NOT TREATED")),
}
FREE = {
    "relapse ends it, the day of remission is day 1": ({"cr_date": 30, "relapse": 129, "death": 200}, (100.0, 0, "RELAPSE")),
    "death in remission ends it": ({"cr_date": 30, "death": 129}, (100.0, 0, "DEATH")),
    "relapse and death of one day are a death first": ({"cr_date": 30, "relapse": 129, "death": 129}, (100.0, 0, "DEATH")),
    "who lives in remission is censored": ({"cr_date": 30, "last_alive": 129}, (100.0, 1, "LAST KNOWN ALIVE")),
    "without a remission it never starts": ({"death": 99}, (1.0, 3, "NO CR OR CRI")),
    "transplant is ignored": ({"cr_date": 30, "transplant": 60, "relapse": 129}, (100.0, 0, "RELAPSE")),
}


@cache
def _dated(code):
    cases = OVERALL if code == "OS" else FREE
    trial = derive_each([{"subjects": [subject(**dates)]} for dates, _ in cases.values()])
    return dict(zip(cases, rows(trial.adam["adtte"], PARAMCD=code), strict=True))


@pytest.mark.parametrize("case", OVERALL)
def test_overall_survival(case):
    assert _short(_dated("OS")[case]) == OVERALL[case][1]


@pytest.mark.parametrize("case", FREE)
def test_leukaemia_free_survival(case):
    assert _short(_dated("LFS")[case]) == FREE[case][1]


def test_a_row_in_full():
    row = _time("LFS", {"cr_date": 30, "relapse": 129}, study="TRIAL")
    assert len(row.pop("RUNID")) == 16
    assert row == {
        "STUDYID": "TRIAL",
        "USUBJID": "TRIAL-P01",
        "SITEID": None,
        "TRT01A": "VEN+AZA+CAG",
        "FASFL": "Y",
        "SAFFL": "Y",
        "PARAMCD": "LFS",
        "PARAM": "Leukaemia-free survival (days)",
        "STARTDT": day(30),
        "ADT": day(129),
        "ADTF": None,
        "AVAL": 100.0,
        "AVALU": "DAYS",
        "CNSR": 0,
        "EVNTDESC": "RELAPSE",
        "CNSDTDSC": None,
        "ANL01FL": "Y",
        "SRCDOM": "SUBJECTS",
        "SRCVAR": "relapse",
        "SRCSEQ": 1,
        "PIPEVER": "1",
    }


def test_a_time_that_never_started_stands_outside_the_analysis_with_its_reason():
    row = _time("LFS", {"death": 99})
    assert (row["ANL01FL"], row["STARTDT"], row["ADT"], row["CNSDTDSC"]) == (None, day(0), day(0), "FIRST DOSE")


def test_the_last_record_of_any_table_shows_a_subject_alive():
    calls = [call(28, "below")]
    assert _short(_time("OS", {"last_alive": 20}, calls=calls)) == (29.0, 1, "LAST KNOWN ALIVE")
    labs = [{"subject": "P01", "test": "ANC", "collected": day(40), "value": 2.0, "unit": "10^9/L"}]
    row = _time("OS", {"last_alive": 20}, calls=calls, more={"labs": labs})
    assert (row["AVAL"], row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"]) == (41.0, "LABS", "collected", 1)


def test_a_strategy_of_the_estimand_changes_what_ends_or_censors():
    dates = {"cr_date": 30, "transplant": 60, "relapse": 129}
    censored = {"leukaemia_free": {"variable": "v", "events": {"relapse": "composite", "transplant": "hypothetical"}}}
    assert _short(_time("LFS", dates, estimands=censored)) == (31.0, 2, "TRANSPLANT")
    event = {"leukaemia_free": {"variable": "v", "events": {"relapse": "composite", "transplant": "composite"}}}
    assert _short(_time("LFS", dates, estimands=event)) == (31.0, 0, "TRANSPLANT")


def test_the_cut_off_hides_what_came_later():
    dates = {"cr_date": 30, "relapse": 129, "death": 200}
    assert _short(_time("OS", dates, cutoff=day(150))) == (151.0, 1, "LAST KNOWN ALIVE")
    assert _short(_time("OS", dates, cutoff=day(200))) == (201.0, 0, "DEATH")
    assert _short(_time("LFS", dates, cutoff=day(128))) == (99.0, 1, "LAST KNOWN ALIVE")
    assert _short(_time("LFS", dates, cutoff=day(129))) == (100.0, 0, "RELAPSE")


def test_the_first_remission_of_the_responses_starts_it_where_none_is_stated():
    cleared = {"marrow_blasts": 2.0, "circulating": "N", "extramedullary": "N", "platelets": 150.0}
    responses = [
        {"subject": "P01", "assessed": day(28), **cleared, "anc": None},
        {"subject": "P01", "assessed": day(56), **cleared, "anc": 0.4},
        {"subject": "P01", "assessed": day(155), "marrow_blasts": 30.0, "response": "RELAPSE"},
    ]
    row = _time("LFS", {}, responses=responses)
    assert (row["STARTDT"], *_short(row)) == (day(56), 100.0, 0, "RELAPSE")
    assert (row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"]) == ("RESPONSES", "response", 3)


def test_disease_again_that_nobody_called_a_relapse_is_noted_and_not_counted():
    responses = [{"subject": "P01", "assessed": day(100), "marrow_blasts": 30.0}]
    tables = derive([], [subject(cr_date=30, last_alive=200)], responses)
    (row,) = rows(tables.adam["adtte"], PARAMCD="LFS")
    assert _short(row) == (171.0, 1, "LAST KNOWN ALIVE")
    assert [n["note"] for n in rows(tables.notes, topic="relapse")] == [
        f"disease again on {day(100)}, but no relapse is told: none is counted"
    ]


def anc(*values):
    return [{"subject": "P01", "test": "ANC", "collected": day(d), "value": v, "unit": "10^9/L"} for d, v in values]


def platelets(*values, transfused=()):
    counts = [{"subject": "P01", "test": "PLT", "collected": day(d), "value": v, "unit": "10^9/L"} for d, v in values]
    return counts + [{"subject": "P01", "test": "PLTTRANS", "collected": day(d)} for d in transfused]


NEUTROPENIA = {
    "from the first low value to the first of two recovered ones":
        (anc((-1, 2.0), (8, 0.49), (15, 0.2), (20, 0.5), (22, 0.9)), {}, [], (13.0, 0, "ANC RECOVERED")),
    "exactly 0.5 is not low":
        (anc((-1, 2.0), (8, 0.5)), {}, [], (1.0, 3, "NO ANC BELOW 0.5")),
    "one recovered value between low ones is no recovery":
        (anc((8, 0.1), (12, 0.6), (15, 0.3), (20, 0.5), (21, 0.5)), {}, [], (13.0, 0, "ANC RECOVERED")),
    "a single recovered value at the end is no recovery":
        (anc((8, 0.1), (20, 0.6)), {}, [], (13.0, 1, "LAST ANC VALUE")),
    "low at baseline starts on day 1":
        (anc((-2, 0.3), (10, 0.6), (12, 0.7)), {}, [], (11.0, 0, "ANC RECOVERED")),
    "low on the day of the first dose is low at baseline":
        (anc((-2, 1.3), (0, 0.3), (10, 0.6), (12, 0.7)), {}, [], (11.0, 0, "ANC RECOVERED")),
    "low before, recovered at baseline, starts later":
        (anc((-9, 0.3), (-1, 0.8), (8, 0.2), (10, 0.6), (12, 0.7)), {}, [], (3.0, 0, "ANC RECOVERED")),
    "the next cycle closes it":
        (anc((8, 0.1), (20, 0.2), (35, 0.6), (36, 0.7)), {}, [28], (21.0, 2, "NEXT CYCLE")),
    "a recovery on the day of the next cycle counts":
        (anc((8, 0.1), (28, 0.6), (30, 0.7)), {}, [28], (21.0, 0, "ANC RECOVERED")),
    "consolidation closes it":
        (anc((8, 0.1), (40, 0.6), (41, 0.7)), {"consolidation": 30}, [], (23.0, 2, "CONSOLIDATION")),
    "what is low only after consolidation is none of the regimen":
        (anc((8, 0.9), (40, 0.1)), {"consolidation": 30}, [], (1.0, 3, "NO ANC BELOW 0.5")),
    "death after the last value leaves the last value":
        (anc((8, 0.1), (18, 0.1)), {"death": 20}, [], (11.0, 1, "LAST ANC VALUE")),
    "of two values of a day the lower speaks":
        ([*anc((8, 0.1), (20, 0.6), (22, 0.7), (24, 0.8)), {**anc((20, 0.4))[0], "sequence": 2}],
         {}, [], (15.0, 0, "ANC RECOVERED")),
    "no values at all":
        ([], {}, [], (1.0, 3, "NO ANC BELOW 0.5")),
}  # fmt: skip
THROMBOCYTOPENIA = {
    "untransfused platelets recover":
        (platelets((8, 49.9), (15, 50.0), (18, 60.0)), (8.0, 0, "PLATELET RECOVERED")),
    "six days after a transfusion is no recovery":
        (platelets((8, 20.0), (16, 60.0), (18, 70.0), (20, 80.0), transfused=[10]), (11.0, 0, "PLATELET RECOVERED")),
    "seven days after it is":
        (platelets((8, 20.0), (17, 60.0), (18, 70.0), transfused=[10]), (10.0, 0, "PLATELET RECOVERED")),
    "a count of the day of a transfusion is no recovery":
        (platelets((8, 20.0), (16, 60.0), (17, 70.0), (30, 70.0), (31, 80.0), transfused=[17]), (23.0, 0, "PLATELET RECOVERED")),
    "transfused to the end is censored":
        (platelets((8, 20.0), (12, 60.0), (15, 70.0), transfused=[8, 11, 14]), (8.0, 1, "LAST PLATELET VALUE")),
}  # fmt: skip


def _cycles(starts):
    return [{"subject": "P01", "treatment": "induction", "start": day(d)} for d in (0, *starts)]


@cache
def _counted(code):
    if code == "PLTDUR":
        cases = [{"subjects": [subject()], "labs": labs} for labs, _ in THROMBOCYTOPENIA.values()]
        names = THROMBOCYTOPENIA
    else:
        told = NEUTROPENIA.values()
        cases = [{"subjects": [subject(**dates)], "labs": labs, "exposure": _cycles(c)} for labs, dates, c, _ in told]
        names = NEUTROPENIA
    return dict(zip(names, rows(derive_each(cases).adam["adtte"], PARAMCD=code), strict=True))


@pytest.mark.parametrize("case", NEUTROPENIA)
def test_duration_of_neutropenia(case):
    assert _short(_counted("NEUTDUR")[case]) == NEUTROPENIA[case][-1]


@pytest.mark.parametrize("case", THROMBOCYTOPENIA)
def test_duration_of_thrombocytopenia(case):
    assert _short(_counted("PLTDUR")[case]) == THROMBOCYTOPENIA[case][-1]


def test_cells_per_microlitre_are_the_same_counts():
    labs = [{**row, "value": 1000 * row["value"], "unit": "/uL"} for row in anc((8, 0.499), (20, 0.5), (22, 0.9))]
    assert _short(_time("NEUTDUR", more={"labs": labs})) == (13.0, 0, "ANC RECOVERED")


def test_an_episode_starts_and_ends_at_records_of_labs():
    row = _time("NEUTDUR", more={"labs": anc((8, 0.1), (20, 0.6), (22, 0.9))})
    assert (row["STARTDT"], row["ADT"], row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"]) == (day(8), day(20), "LABS", "value", 2)
