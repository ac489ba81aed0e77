"""What happened to one subject and when: every dated fact with the record it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mrd.core.contracts import SUBJECTS
from mrd.core.contracts_clinical import CONSOLIDATION, INDUCTION, NEW_THERAPY, TRANSPLANT
from mrd.endpoint.clinical import Row, Source, source_of
from mrd.endpoint.impute import IMPUTATIONS, impute_day

DATES = tuple(c.name for c in SUBJECTS.columns if c.kind == "d")
FROM_EXPOSURE = {CONSOLIDATION: "consolidation", TRANSPLANT: "transplant", NEW_THERAPY: "new_therapy"}
FROM_DISPOSITION = {"death": "death", "last-alive": "last_alive", "relapse": "relapse", "refractory": "refractory"}
FIRST_DOSE = "first_dose"
REMISSIONS = ("CR", "CRh", "CRi")


@dataclass(frozen=True)
class Fact:
    """A day, what of it was imputed (None, D or M), and the record behind it."""

    day: date
    source: Source
    flag: str | None = None


Facts = Mapping[str, Fact]


def derive_facts(tables: Mapping[str, Sequence[Row]]) -> tuple[dict[str, Fact], list[str]]:
    """Derive the facts of one subject from its rows of every table.

    A date may stand in subjects, or in exposure and disposition; the earliest start of a treatment is its date.

    Parameters
    ----------
    tables : the subject's rows by table.

    Returns
    -------
    tuple
        Facts by the name of the date, and what the tables tell differently.
    """
    facts = _stated(tables.get("subjects", ()))
    clashes: list[str] = []
    for name, fact, place in [*_exposed(tables, facts), *_followed(tables, facts)]:
        told = facts.get(name)
        if told is None or (told.source.domain == fact.source.domain and fact.day < told.day):
            facts[name] = fact
        elif told.source.domain == "SUBJECTS" and told.day != fact.day:
            clashes.append(f"{place}: {name} is {fact.day}, and {told.day} in subjects")
    return facts, clashes


def _stated(rows: Iterable[Row]) -> dict[str, Fact]:
    return {name: Fact(_day(row[name]), source_of(row, name)) for row in rows for name in DATES if row[name] is not None}


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _exposed(tables: Mapping[str, Sequence[Row]], stated: Facts) -> list[tuple[str, Fact, str]]:
    rows = tables.get("exposure", ())
    starts = [Fact(_day(r["start"]), source_of(r, "start")) for r in rows if r["treatment"] == INDUCTION]
    first = min(starts, key=lambda f: f.day, default=None)
    found = [] if first is None else [(FIRST_DOSE, first, f"exposure of {INDUCTION}")]
    known = {**({FIRST_DOSE: first} if first else {}), **stated}
    for row in rows:
        name = FROM_EXPOSURE.get(row["treatment"])
        if name:
            found.append((name, _imputed(row, "start", row["treatment"], known), row.place))
    earliest = {name: min((f.day for n, f, _ in found if n == name)) for name, _, _ in found}
    return [(name, fact, place) for name, fact, place in found if fact.day == earliest[name]]


def _followed(tables: Mapping[str, Sequence[Row]], stated: Facts) -> list[tuple[str, Fact, str]]:
    known = dict(stated)
    for name, fact, _ in _exposed(tables, stated):
        known.setdefault(name, fact)
    last = find_last_record(tables)
    if last is not None:
        known["last_record"] = last
    rows = [r for r in tables.get("disposition", ()) if r["event"] in FROM_DISPOSITION]
    return [(FROM_DISPOSITION[r["event"]], _imputed(r, "date", r["event"], known), r.place) for r in rows]


def _imputed(row: Row, column: str, what: str, known: Facts) -> Fact:
    rule = IMPUTATIONS[row.table, what]
    anchor = known.get(rule.not_before)
    earliest = None if anchor is None else anchor.day + timedelta(days=rule.offset)
    day, flag = impute_day(row[column], rule, earliest)
    return Fact(day, source_of(row, column), flag)


RECORDED = {"calls": "collected", "responses": "assessed", "labs": "collected", "exposure": "start", "adverse_events": "onset"}
"""Columns whose whole dates show that a subject was alive."""


def find_last_record(tables: Mapping[str, Sequence[Row]]) -> Fact | None:
    """Find the last whole date of any record that shows the subject alive."""
    dated = [(row[column], row, column) for name, column in RECORDED.items() for row in tables.get(name, ())]
    facts = [Fact(_day(text), source_of(row, column)) for text, row, column in dated if text is not None and len(text) == 10]
    return max(facts, key=lambda f: f.day, default=None)


def find_last_alive(tables: Mapping[str, Sequence[Row]], facts: Facts) -> Fact | None:
    """Find the day last known alive: as stated, or a later record or date of the subject, never after death."""
    dated = [facts.get("last_alive"), find_last_record(tables), *(facts.get(name) for name in DATES if name != "death")]
    told = [f for f in dated if f is not None]
    last = max(told, key=lambda f: f.day, default=None)
    death = facts.get("death")
    return death if last is not None and death is not None and last.day > death.day else last
