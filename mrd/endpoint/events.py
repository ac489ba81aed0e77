"""ADAE: adverse events with their imputed days, and which of them are treatment-emergent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from mrd.core.contracts import ADAE
from mrd.core.settings import Settings
from mrd.endpoint.clinical import Row, source_of
from mrd.endpoint.cohort import Person
from mrd.endpoint.datasets import find_last_dose
from mrd.endpoint.days import count_days, to_text
from mrd.endpoint.impute import IMPUTATIONS, impute_day

Line = dict[str, Any]


def derive_adae(persons: Sequence[Person], settings: Settings, head: Callable[[Person, Line | None], Line]) -> pd.DataFrame:
    """Derive table ADAE, one row per adverse event."""
    rows = []
    for person in persons:
        own = flag_first([_row(person, row, settings) for row in person.rows("adverse_events")])
        rows += [head(person, None) | row for row in own]
    return ADAE.frame(rows)


def find_emergent_end(person: Person, settings: Settings) -> date | None:
    """Find the last day on which an event is treatment-emergent; None without a first dose."""
    if person.first_dose is None:
        return None
    last, end = find_last_dose(person), person.first_dose + timedelta(days=settings.window_days)
    return end if last is None else min(end, last + timedelta(days=settings.teae_days))


def _row(person: Person, row: Row, settings: Settings) -> Line:
    first = person.first_dose
    onset, onset_flag = impute_day(row["onset"], IMPUTATIONS["adverse_events", "onset"], first)
    end, end_flag = _end(person, row, onset)
    closing = find_emergent_end(person, settings)
    emergent = first is not None and closing is not None and first <= onset <= closing
    return {
        "TRTSDT": to_text(first),
        "AESEQ": row["sequence"],
        "AEDECOD": row["term"],
        "AEBODSYS": row["system"],
        "AETOXGR": str(row["grade"]),
        "ATOXGRN": row["grade"],
        "ASTDT": onset.isoformat(),
        "ASTDTF": onset_flag,
        "ASTDY": count_days(onset, first),
        "AENDT": to_text(end),
        "AENDTF": end_flag,
        "AENDY": count_days(end, first),
        "AESER": row["serious"],
        "AEREL": row["related"],
        "TRTEMFL": "Y" if emergent else None,
        **source_of(row, "term").columns(),
    }


def _end(person: Person, row: Row, onset: date) -> tuple[date | None, str | None]:
    """Impute the end, never after death nor before the onset."""
    if row["end"] is None:
        return None, None
    day, flag = impute_day(row["end"], IMPUTATIONS["adverse_events", "end"])
    death = person.dates["death"]
    if flag and death is not None:
        day = min(day, death)
    return (max(day, onset) if flag else day), flag


def flag_first(rows: Sequence[Line]) -> list[Line]:
    """Flag the first treatment-emergent event, of the subject and of each term, and the first of the highest grade."""
    emergent = sorted((r for r in rows if r["TRTEMFL"]), key=lambda r: (r["ASTDT"], r["AESEQ"]))
    worst = sorted(emergent, key=lambda r: (-r["ATOXGRN"], r["ASTDT"], r["AESEQ"]))
    flags: dict[int, Line] = {}
    for ordered, name, by_term in (
        (emergent, "AOCCFL", False),
        (emergent, "AOCCPFL", True),
        (worst, "AOCCIFL", False),
        (worst, "AOCCPIFL", True),
    ):
        for row in _firsts(ordered, by_term=by_term):
            flags.setdefault(row["AESEQ"], {})[name] = "Y"
    return [row | flags.get(row["AESEQ"], {}) for row in rows]


def _firsts(rows: Sequence[Line], *, by_term: bool) -> list[Line]:
    seen: dict[Any, Line] = {}
    for row in rows:
        seen.setdefault(row["AEDECOD"] if by_term else None, row)
    return list(seen.values())
