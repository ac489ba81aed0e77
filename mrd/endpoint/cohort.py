"""Join calls and clinical tables into one person per subject, with the specimens of each in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from mrd.core.contracts import CALLS_BESIDE
from mrd.core.estimand import Estimands
from mrd.core.settings import Settings
from mrd.endpoint.clinical import TABLES, Clinical, Record, Row, by_subject, number_rows, source_of
from mrd.endpoint.coherence import check_calls, check_clinical
from mrd.endpoint.cutoff import apply_cutoff
from mrd.endpoint.cytopenia import find_episodes
from mrd.endpoint.facts import DATES, REMISSIONS, Fact, Facts, derive_facts, find_last_alive
from mrd.endpoint.response import CRITERIA, Assessment, assess, choose_counting


@dataclass(frozen=True)
class Specimen:
    """One row of calls. `row` counts calls ordered by subject and visit, from 1; `blasts` are the marrow's own, in percent.

    `review` is the decision that the call is told by; None: the pipeline's.
    """

    row: int
    collected: date
    record: Record
    blasts: float | None
    review: Row | None = None

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
    record: Record
    facts: Facts
    specimens: tuple[Specimen, ...]
    assessments: tuple[Assessment, ...]
    tables: Mapping[str, tuple[Row, ...]]

    @property
    def dates(self) -> dict[str, date | None]:
        """Every date of the clinical table, None where it did not happen or is not known."""
        return {name: self.facts[name].day if name in self.facts else None for name in DATES}

    @property
    def first_dose(self) -> date | None:
        """Day of the first dose; None: not treated, or not known."""
        return self.dates["first_dose"]

    @property
    def site(self) -> str | None:
        """Site."""
        return self.record.get("site")

    @property
    def entry(self) -> str | None:
        """Disease state on entry."""
        return self.record.get("disease_at_entry")

    def rows(self, table: str) -> tuple[Row, ...]:
        """Rows of one of the clinical tables."""
        return self.tables.get(table, ())


def derive_cohort(calls: pd.DataFrame, clinical: Clinical | None, settings: Settings, estimands: Estimands) -> tuple[Person, ...]:
    """Join the tables, in an order that does not depend on theirs.

    Parameters
    ----------
    calls : table CALLS_TABLE, alone or with the specimens beside it.
    clinical : the clinical tables; None where there are none.

    Raises
    ------
    ContractError
        A table breaks its declaration, or a call contradicts itself.
    SheetError
        The clinical tables do not fit the calls or each other.
    """
    drawn = tuple(r for r in number_rows(calls, CALLS_BESIDE) if r["role"] != "control")
    check_calls([r.record for r in drawn])
    read = {"calls": drawn, **({} if clinical is None else {name: clinical.rows(name) for name in TABLES})}
    tables = apply_cutoff(read, settings.cutoff)
    grouped = {name: by_subject(rows) for name, rows in tables.items()}
    names = sorted({n for name in grouped if clinical is None or name == "subjects" for n in grouped[name]})
    own = {subject: {name: groups.get(subject, ()) for name, groups in grouped.items()} for subject in names}
    stated = {subject: derive_facts(rows) for subject, rows in own.items()}
    if clinical is not None:
        check_clinical(
            tables, {subject: facts for subject, (facts, _) in stated.items()}, [c for _, cs in stated.values() for c in cs]
        )
    return tuple(_person(subject, own[subject], stated[subject][0], settings, estimands) for subject in names)


def _person(
    subject: str, tables: Mapping[str, tuple[Row, ...]], stated: dict[str, Fact], settings: Settings, estimands: Estimands
) -> Person:
    told = next(iter(tables.get("subjects", ())), None)
    responses = tables.get("responses", ())
    assessments = assess(responses, stated, CRITERIA[settings.criteria])
    facts = _with_responses(stated, assessments, estimands)
    facts |= find_episodes(tables.get("labs", ()), tables.get("exposure", ()), facts)
    last = find_last_alive(tables, facts)
    return Person(
        row=0 if told is None else told.number,
        subject=subject,
        record={} if told is None else told.record,
        facts=facts if last is None or told is None else {**facts, "alive": last},
        specimens=_specimens(tables["calls"], responses, settings.blast_days),
        assessments=assessments,
        tables=tables,
    )


def _with_responses(stated: dict[str, Fact], assessments: Sequence[Assessment], estimands: Estimands) -> dict[str, Fact]:
    """Add the first remission, and the relapse an investigator judged, where no date of theirs is stated."""
    facts, by = dict(stated), estimands.response.judged_by
    counting = choose_counting(assessments, estimands.response, facts, end=None)
    column = "marrow_blasts" if by == "criteria" else "response"
    if "cr_date" not in facts:
        remissions = [Fact(a.day, source_of(a.row, column)) for a in counting if a.judged(by) in REMISSIONS]
        facts |= dict(zip(["cr_date"], remissions, strict=False))
    if "relapse" not in facts and "cr_date" in facts:
        after = [a for a in assessments if a.told == "RELAPSE" and a.day > facts["cr_date"].day]
        facts |= dict(zip(["relapse"], [Fact(a.day, source_of(a.row, "response")) for a in after], strict=False))
    return facts


def _specimens(calls: Iterable[Row], responses: Iterable[Row], blast_days: int) -> tuple[Specimen, ...]:
    counts = [(date.fromisoformat(r["assessed"]), float(r["marrow_blasts"])) for r in responses if r["marrow_blasts"] is not None]
    return tuple(_specimen(row, counts, blast_days) for row in calls)


def _specimen(row: Row, counts: list[tuple[date, float]], blast_days: int) -> Specimen:
    collected = date.fromisoformat(row["collected"])
    near = [(abs((day - collected).days), -blasts) for day, blasts in counts if abs((day - collected).days) <= blast_days]
    return Specimen(row=row.number, collected=collected, record=row.record, blasts=-min(near)[1] if near else None)
