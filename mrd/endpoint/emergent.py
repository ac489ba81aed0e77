"""Treatment-emergent adverse events by term and highest grade."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mrd.core.contracts_tables import EVENTS
from mrd.core.settings import Settings
from mrd.endpoint.cells import Line, Record, list_records, read_records, tell_share
from mrd.endpoint.cohort import Person
from mrd.endpoint.events import find_emergent_end
from mrd.endpoint.intervals import estimate_rate

ANY, SEVERE = "any", "3-5"
GRADES = {ANY: range(1, 6), SEVERE: range(3, 6), **{str(g): range(g, g + 1) for g in range(1, 6)}}
YEAR = 365.25


def summarise_events(
    adae: pd.DataFrame, adsl: pd.DataFrame, persons: Sequence[Person], settings: Settings
) -> tuple[pd.DataFrame, list[Line]]:
    """Summarise treatment-emergent events, the most frequent term first, into table EVENTS.

    A subject counts once per term, under the highest grade it had; `3-5` and `any` count every subject with such a grade.
    """
    emergent = read_records("adae", adae, TRTEMFL="Y")
    total = len(read_records("adsl", adsl, SAFFL="Y"))
    years = sum(_years(p, settings) for p in persons)
    terms = sorted(
        {str(r["AEDECOD"]) for r in emergent}, key=lambda t: (-_subjects([r for r in emergent if r["AEDECOD"] == t]), t)
    )
    rows, cells = [], []
    for term in (ANY, *terms):
        own = [r for r in emergent if term in (ANY, r["AEDECOD"])]
        for grade, grades in GRADES.items():
            told = _worst(own, grades) if len(grades) == 1 else [r for r in own if r["ATOXGRN"] in grades]
            if told or grade == ANY:
                cell = f"teae-{term}-{grade}".replace(" ", "-").lower()
                rows.append(_row(term, grade, told, total, years) | {"cell": cell})
                cells += list_records("events", cell, told, lambda _: True)
    return EVENTS.frame(rows), cells


def _subjects(records: Sequence[Record]) -> int:
    return len({r.subject for r in records})


def _worst(records: Sequence[Record], grades: range) -> list[Record]:
    """Keep the events of the subjects whose highest grade is this one, of that grade."""
    highest: dict[str, int] = {}
    for r in records:
        highest[r.subject] = max(int(r["ATOXGRN"]), highest.get(r.subject, 0))
    return [r for r in records if r["ATOXGRN"] in grades and highest[r.subject] in grades]


def _row(term: str, grade: str, records: Sequence[Record], total: int, years: float) -> Line:
    row = {"term": term, "grade": grade, "events": len(records), "years": years, **tell_share(_subjects(records), total)}
    if not years:
        return row
    low, high = estimate_rate(len(records), years)
    return row | {"rate": len(records) / years, "rate_low": low, "rate_high": high}


def _years(person: Person, settings: Settings) -> float:
    """Count the years in which an event of the subject would be treatment-emergent and known."""
    end = find_emergent_end(person, settings)
    if end is None or person.first_dose is None:
        return 0.0
    known = [person.facts[n].day for n in ("death", "alive") if n in person.facts]
    return ((min([end, *known]) - person.first_dose).days + 1) / YEAR
