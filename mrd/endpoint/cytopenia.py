"""The first episode of low counts: when it began, recovered, or could not be followed any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from mrd.core.contracts_clinical import ANC, CELL_UNIT, INDUCTION, PLATELETS, TRANSFUSION
from mrd.endpoint.clinical import Row, source_of
from mrd.endpoint.facts import FIRST_DOSE, Fact, Facts

UNTRANSFUSED_DAYS = 7
"""A platelet count within so many days of a transfusion shows no recovery."""
ENDINGS = ("consolidation", "transplant", "new_therapy")
"""What ends the time in which an episode may begin."""


@dataclass(frozen=True)
class Cytopenia:
    """A count that falls too low: its name among the facts, its test, and the value (10^9/L) below which it is low."""

    name: str
    test: str
    limit: float


CYTOPENIAS = (Cytopenia("neutropenia", ANC, 0.5), Cytopenia("thrombocytopenia", PLATELETS, 50.0))


@dataclass(frozen=True)
class Count:
    """The lowest value (10^9/L) of one day, its row, and whether it can show a recovery."""

    day: date
    value: float
    row: Row
    own: bool


def find_episodes(labs: Sequence[Row], exposure: Sequence[Row], facts: Facts) -> dict[str, Fact]:
    """Find the first episode of each cytopenia, as facts named after it: `_start`, `_recovered`, `_cycle`, `_last`."""
    start = facts.get(FIRST_DOSE)
    if start is None:
        return {}
    found: dict[str, Fact] = {}
    for what in CYTOPENIAS:
        counts = list(read_counts(labs, what.test))
        begin = _find_start(counts, what.limit, start.day, facts)
        if begin is None:
            continue
        found[f"{what.name}_start"] = begin
        found |= {f"{what.name}_recovered": f for f in _find_recovery(counts, what.limit, begin.day)}
        found |= {f"{what.name}_cycle": f for f in _find_cycle(exposure, begin.day)}
        found[f"{what.name}_last"] = Fact(max(counts[-1].day, begin.day), source_of(counts[-1].row, "value"))
    return found


def read_counts(labs: Sequence[Row], test: str) -> Iterator[Count]:
    """Read the counts of one test, one per day in the order of time; of several of one day the lowest speaks."""
    transfused = sorted(date.fromisoformat(r["collected"]) for r in labs if r["test"] == TRANSFUSION)
    rows = sorted((r for r in labs if r["test"] == test), key=lambda r: (r["collected"], _value(r), r.number))
    seen: set[str] = set()
    for row in rows:
        if row["collected"] not in seen:
            seen.add(row["collected"])
            day = date.fromisoformat(row["collected"])
            near = test == PLATELETS and any(0 <= (day - t).days < UNTRANSFUSED_DAYS for t in transfused)
            yield Count(day, _value(row), row, own=not near)


def _value(row: Row) -> float:
    return float(row["value"]) / (1000 if row["unit"] == CELL_UNIT else 1)


def _find_start(counts: Sequence[Count], limit: float, first_dose: date, facts: Facts) -> Fact | None:
    """Find the first low count; one that is low at baseline starts on the day of the first dose."""
    ends = [facts[name].day for name in ENDINGS if name in facts]
    before = [c for c in counts if c.day <= first_dose]
    if before and before[-1].value < limit:
        return Fact(first_dose, source_of(before[-1].row, "value"))
    low = [c for c in counts if c.day > first_dose and c.value < limit and all(c.day < end for end in ends)]
    return Fact(low[0].day, source_of(low[0].row, "value")) if low else None


def _find_recovery(counts: Sequence[Count], limit: float, start: date) -> list[Fact]:
    """Find the first of two consecutive recovered counts, as a list of one or none."""
    after = [c for c in counts if c.day > start]
    pairs = [a for a, b in pairwise(after) if all(c.own and c.value >= limit for c in (a, b))]
    return [Fact(pairs[0].day, source_of(pairs[0].row, "value"))] if pairs else []


def _find_cycle(exposure: Sequence[Row], start: date) -> list[Fact]:
    """Find the start of the next cycle, as a list of one or none."""
    days = [(date.fromisoformat(r["start"]), r) for r in exposure if r["treatment"] == INDUCTION]
    later = sorted(((day, r) for day, r in days if day > start), key=lambda pair: pair[0])
    return [Fact(later[0][0], source_of(later[0][1], "start"))] if later else []
