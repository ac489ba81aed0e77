"""Join calls and clinical tables into one person per subject, with the specimens of each in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from mrd.core.contracts import CALLS_TABLE, RESPONSES, SUBJECTS
from mrd.endpoint.coherence import Record, check_calls, check_subjects, to_records

DATES = tuple(c.name for c in SUBJECTS.columns if c.kind == "d")


@dataclass(frozen=True)
class Specimen:
    """One row of calls. `row` counts calls ordered by subject and visit, from 1; `blasts` are the marrow's own, in percent."""

    row: int
    collected: date
    record: Mapping[str, Any]
    blasts: float | None

    @property
    def visit(self) -> str:
        """Timepoint."""
        return str(self.record["visit"])

    @property
    def below(self) -> str | None:
        """Y below the threshold, N at or above it, None where it cannot be told."""
        below = self.record["below_threshold"]
        return None if below is None else str(below)


@dataclass(frozen=True)
class Person:
    """One subject. `row` counts subjects ordered by name, from 1; 0 where there is no clinical table."""

    row: int
    subject: str
    site: str | None
    entry: str | None
    dates: Mapping[str, date | None]
    specimens: tuple[Specimen, ...]

    @property
    def first_dose(self) -> date | None:
        """Day of the first dose; None: not treated, or not known."""
        return self.dates["first_dose"]


def derive_cohort(
    calls: pd.DataFrame, subjects: pd.DataFrame | None, responses: pd.DataFrame, *, blast_days: int
) -> tuple[Person, ...]:
    """Join the tables, in an order that does not depend on theirs.

    Parameters
    ----------
    calls, subjects, responses : tables CALLS_TABLE, SUBJECTS (None: no clinical table) and RESPONSES.
    blast_days : a blast count belongs to a marrow at most this many days away; the nearest one, the higher of two.

    Raises
    ------
    ContractError
        A table breaks its declaration, or a call contradicts itself.
    SheetError
        The clinical tables do not fit the calls.
    """
    drawn = _number(CALLS_TABLE.check(calls).sort_values(["subject", "visit"]))
    drawn = {i: row for i, row in drawn.items() if row["role"] != "control"}
    read = to_records(RESPONSES.check(responses))
    check_calls(drawn.values())
    if subjects is None:
        names = sorted({str(row["subject"]) for row in drawn.values()})
        return tuple(_person(0, {"subject": s}, _specimens(s, drawn, read, blast_days)) for s in names)
    clinical = _number(SUBJECTS.check(subjects).sort_values("subject"))
    check_subjects(drawn.values(), clinical.values(), read)
    return tuple(_person(i, row, _specimens(row["subject"], drawn, read, blast_days)) for i, row in clinical.items())


def _number(frame: pd.DataFrame) -> dict[int, dict[str, Any]]:
    return dict(enumerate(to_records(frame), 1))


def _person(row: int, record: Record, specimens: tuple[Specimen, ...]) -> Person:
    return Person(
        row=row,
        subject=str(record["subject"]),
        site=record.get("site"),
        entry=record.get("disease_at_entry"),
        dates={name: _day(record.get(name)) for name in DATES},
        specimens=specimens,
    )


def _specimens(subject: str, calls: Mapping[int, Record], responses: Iterable[Record], blast_days: int) -> tuple[Specimen, ...]:
    own = [r for r in responses if r["subject"] == subject and r["marrow_blasts"] is not None]
    counts = [(date.fromisoformat(r["assessed"]), float(r["marrow_blasts"])) for r in own]
    return tuple(_specimen(i, row, counts, blast_days) for i, row in calls.items() if row["subject"] == subject)


def _specimen(row: int, record: Record, counts: list[tuple[date, float]], blast_days: int) -> Specimen:
    collected = date.fromisoformat(record["collected"])
    near = [(abs((day - collected).days), -blasts) for day, blasts in counts if abs((day - collected).days) <= blast_days]
    return Specimen(row=row, collected=collected, record=record, blasts=-min(near)[1] if near else None)


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None
