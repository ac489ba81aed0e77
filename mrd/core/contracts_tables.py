"""The tables of the analysis, one row per line of a page, and the records behind each of their cells."""

from __future__ import annotations

from mrd.core.tables import Column, Table

C = Column
CELL = C("cell", "s", "name of the cell in table cells, which lists its records", required=True)
COUNTS = (
    C("count", "i", "subjects", required=True, low=0),
    C("total", "i", "of so many", required=True, low=0),
    C("percent", "f", "100 count / total", "%", low=0, high=100),
)
EXACT = (
    C("ci_low", "f", "lower end of the exact (Clopper-Pearson) interval", "%", low=0, high=100),
    C("ci_high", "f", "upper end of the exact (Clopper-Pearson) interval", "%", low=0, high=100),
)
PRIMARY = C("primary", "s", "this is the primary analysis", required=True, codes=("Y", "N"))

RATES = Table(
    "rates",
    1,
    "endpoint, analysis set and rule: a share with its exact interval",
    (
        C("endpoint", "s", "endpoint", required=True),
        C("set", "s", "denominator", required=True),
        C("rule", "s", "rule", required=True),
        PRIMARY,
        *COUNTS,
        *EXACT,
        CELL,
    ),
    key=("endpoint", "set", "rule"),
)
VISITS = Table(
    "visits",
    1,
    "visit: MRD of its marrows",
    (
        C("visit", "s", "visit", required=True),
        C("marrows", "i", "subjects with a marrow", required=True, low=0),
        C("below", "i", "called below the threshold", required=True, low=0),
        C("above", "i", "called at or above the threshold", required=True, low=0),
        C("untold", "i", "could not be told", required=True, low=0),
        C("median", "f", "median of the corrected estimate", "%", low=0),
        C("lowest", "f", "lowest estimate", "%", low=0),
        C("highest", "f", "highest estimate", "%", low=0),
        CELL,
    ),
    key=("visit",),
)
TIMES = Table(
    "times",
    1,
    "time to event and group: Kaplan-Meier median with its 95 % interval",
    (
        C("endpoint", "s", "parameter of ADTTE", required=True),
        C("group", "s", "all, or MRD status at the landmark", required=True),
        C("origin", "s", "what time is counted from", required=True),
        C("total", "i", "subjects", required=True, low=0),
        C("events", "i", "events", required=True, low=0),
        C("censored", "i", "censored", required=True, low=0),
        C("median", "f", "median; empty: not reached", "day", low=0),
        C("ci_low", "f", "lower end of its interval (log-log); empty: not reached", "day", low=0),
        C("ci_high", "f", "upper end of its interval (log-log); empty: not reached", "day", low=0),
        CELL,
    ),
    key=("endpoint", "group"),
)
CURVES = Table(
    "curves",
    1,
    "time to event, group and time: the Kaplan-Meier curve",
    (
        C("endpoint", "s", "parameter of ADTTE", required=True),
        C("group", "s", "all, or MRD status at the landmark", required=True),
        C("time", "f", "time", "day", required=True, low=0),
        C("at_risk", "i", "subjects at risk just before", required=True, low=0),
        C("events", "i", "events at that time", required=True, low=0),
        C("censored", "i", "censored at that time", required=True, low=0),
        C("survival", "f", "share without the event just after", "1", required=True, low=0, high=1),
        C("ci_low", "f", "lower end of its interval (log-log)", "1", low=0, high=1),
        C("ci_high", "f", "upper end of its interval (log-log)", "1", low=0, high=1),
    ),
    key=("endpoint", "group", "time"),
)
EVENTS = Table(
    "events",
    1,
    "term and grade: treatment-emergent adverse events",
    (
        C("term", "s", "CTCAE term, or `any`", required=True),
        C("grade", "s", "highest grade of the subject, `any`, or `3-5`", required=True),
        *COUNTS,
        *EXACT,
        C("events", "i", "events", required=True, low=0),
        C("years", "f", "subject-years in the treatment-emergent window", "year", low=0),
        C("rate", "f", "events per subject-year", "1/year", low=0),
        C("rate_low", "f", "lower end of the exact (Poisson) interval of the rate", "1/year", low=0),
        C("rate_high", "f", "upper end of the exact (Poisson) interval of the rate", "1/year", low=0),
        CELL,
    ),
    key=("term", "grade"),
)
MISSING = Table(
    "missing",
    1,
    "item: subjects without it",
    (C("item", "s", "what is missing", required=True), *COUNTS, CELL),
    key=("item",),
)
NOTES = Table(
    "notes",
    1,
    "thing in the inputs that a statistician should know",
    (
        C("subject", "s", "subject", required=True),
        C("topic", "s", "what it is about", required=True),
        C("note", "s", "what was found, and what was done", required=True),
        C("source", "s", "table and row it stands in", required=True),
    ),
    key=("subject", "topic", "source"),
)
CELLS = Table(
    "cells",
    1,
    "record behind a cell of a table",
    (
        C("table", "s", "table of the cell", required=True),
        C("cell", "s", "cell", required=True),
        C("dataset", "s", "dataset of the record", required=True),
        C("row", "i", "its row there, from 1", required=True, low=1),
        C("subject", "s", "subject", required=True),
        C("counted", "s", "Y: in the count, N: in the total only", required=True, codes=("Y", "N")),
    ),
    key=("table", "cell", "dataset", "row"),
)
TRIAL_TABLES = [RATES, VISITS, TIMES, CURVES, EVENTS, MISSING, NOTES]
