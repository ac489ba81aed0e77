"""Partial dates: the stated rule, its flag, and where they lead."""

from datetime import date

import pytest

from mrd.endpoint.impute import FIRST, LAST, Imputation, impute_day

from .tables import call, day, derive, rows, subject


@pytest.mark.parametrize(
    ("text", "take", "earliest", "expected"),
    [
        ("2026-02-11", FIRST, date(2026, 2, 20), ("2026-02-11", None)),
        ("2026-02", FIRST, None, ("2026-02-01", "D")),
        ("2026-02", LAST, None, ("2026-02-28", "D")),
        ("2024-02", LAST, None, ("2024-02-29", "D")),
        ("2026", FIRST, None, ("2026-01-01", "M")),
        ("2026", LAST, None, ("2026-12-31", "M")),
        ("2026-02", FIRST, date(2026, 2, 20), ("2026-02-20", "D")),
        ("2026-02", FIRST, date(2026, 2, 1), ("2026-02-01", "D")),
        ("2026-02", FIRST, date(2026, 2, 28), ("2026-02-28", "D")),
        ("2026-02", FIRST, date(2026, 3, 1), ("2026-02-01", "D")),
        ("2026-02", FIRST, date(2026, 1, 31), ("2026-02-01", "D")),
        ("2026", FIRST, date(2026, 6, 5), ("2026-06-05", "M")),
    ],
)
def test_a_partial_date_becomes_the_stated_day(text, take, earliest, expected):
    told, flag = impute_day(text, Imputation(take), earliest)
    assert (told.isoformat(), flag) == expected


def follow(event, when):
    return {"subject": "P01", "event": event, "date": when}


def treat(what, when):
    return {"subject": "P01", "treatment": what, "start": when}


# the first dose is 2026-01-05, the last marrow 2026-02-02
CALLS = [call(-3, "positive"), call(28, "below")]


def _adsl(**more):
    (row,) = rows(derive(CALLS, [subject()], more=more).adam["adsl"])
    return row


@pytest.mark.parametrize(
    ("more", "column", "expected"),
    [
        pytest.param(
            {"disposition": [follow("death", "2026-05")]}, "DTHDT", ("2026-05-01", "D"), id="death: the first day of its month"
        ),
        pytest.param(
            {"disposition": [follow("death", "2026-02")]}, "DTHDT", ("2026-02-02", "D"), id="death: never before the last record"
        ),
        pytest.param({"disposition": [follow("death", "2026")]}, "DTHDT", ("2026-02-02", "M"), id="death: only the year"),
        pytest.param({"disposition": [follow("relapse", "2026-03")]}, "RELDT", ("2026-03-01", "D"), id="relapse: the first day"),
        pytest.param(
            {"exposure": [treat("consolidation", "2026-01")]},
            "CONSDT",
            ("2026-01-06", "D"),
            id="consolidation: the day after the first dose at the earliest",
        ),
        pytest.param({"exposure": [treat("transplant", "2026")]}, "TRANSDT", ("2026-01-06", "M"), id="transplant: only the year"),
        pytest.param(
            {"exposure": [treat("new-therapy", "2026-04-09")]}, "NEWTRDT", ("2026-04-09", None), id="a whole date is left"
        ),
    ],
)
def test_dates_of_a_subject_are_imputed_and_flagged(more, column, expected):
    row = _adsl(**more)
    assert (row[column], row[f"{column}F"]) == expected


def test_an_imputed_date_closes_the_window_early_and_carries_its_flag_into_the_times():
    tables = derive(CALLS, [subject()], more={"exposure": [treat("new-therapy", "2026-02")]})
    assert rows(tables.conversion)[0]["reason"] == "new-therapy"
    tables = derive(CALLS, [subject()], more={"disposition": [follow("death", "2026-05")]})
    (row,) = rows(tables.adam["adtte"], PARAMCD="OS")
    assert (row["ADT"], row["ADTF"], row["SRCDOM"], row["SRCSEQ"]) == ("2026-05-01", "D", "DISPOSITION", 1)


EVENTS = [
    # sequence, term, grade, onset, end; day 0 is 2026-01-05
    (1, "Nausea", 2, "2026-01", "2026-01"),
    (2, "Anemia", 3, "2026-01-04", None),
    (3, "Nausea", 3, "2026-01-20", "2026-01-25"),
    (4, "Sepsis", 4, "2026-03-08", None),
    (5, "Sepsis", 4, "2026-03-09", None),
    (6, "Fatigue", 1, "2025", "2026"),
]


def _adae(more=None):
    names = ("sequence", "term", "grade", "onset", "end")
    events = [{"subject": "P01", **dict(zip(names, e, strict=True))} for e in EVENTS]
    exposure = [{"subject": "P01", "treatment": "induction", "start": day(0), "end": "2026-02-06"}]
    return rows(derive(CALLS, [subject()], more={"adverse_events": events, "exposure": exposure, **(more or {})}).adam["adae"])


def test_adverse_events_are_imputed_and_emergent_from_the_first_dose_to_30_days_after_the_last():
    told = {r["AESEQ"]: (r["ASTDT"], r["ASTDTF"], r["ASTDY"], r["AENDT"], r["AENDTF"], r["TRTEMFL"]) for r in _adae()}
    assert told == {
        1: ("2026-01-05", "D", 1, "2026-01-31", "D", "Y"),
        2: ("2026-01-04", None, -1, None, None, None),
        3: ("2026-01-20", None, 16, "2026-01-25", None, "Y"),
        4: ("2026-03-08", None, 63, None, None, "Y"),
        5: ("2026-03-09", None, 64, None, None, None),
        6: ("2025-01-01", "M", -369, "2026-12-31", "M", None),
    }


def test_an_end_is_never_imputed_after_death():
    told = {r["AESEQ"]: r["AENDT"] for r in _adae({"disposition": [follow("death", "2026-03-20")]})}
    assert (told[1], told[3], told[6]) == ("2026-01-31", "2026-01-25", "2026-03-20")


def test_first_and_worst_events_are_flagged():
    flags = ("AOCCFL", "AOCCPFL", "AOCCIFL", "AOCCPIFL")
    assert {r["AESEQ"]: "".join("Y" if r[f] else "-" for f in flags) for r in _adae()} == {
        1: "YY--",
        2: "----",
        3: "---Y",
        4: "-YYY",
        5: "----",
        6: "----",
    }
