"""Times to event of all treated, and of those at a landmark by their MRD status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from mrd.core.contracts_tables import CURVES, TIMES
from mrd.core.settings import Settings
from mrd.endpoint.cells import Line, Record, list_records, read_records
from mrd.endpoint.clinical import to_records
from mrd.endpoint.cohort import Person
from mrd.endpoint.convert import BELOW, UNTOLD, mark_specimens
from mrd.endpoint.curves import estimate_curve, estimate_median
from mrd.endpoint.window import Conversion

STATUS = ("MRD below", "MRD not below", "MRD not told")
AT_LANDMARK = ("OS", "LFS")
ORIGINS = {"OS": "first dose", "LFS": "first CR or CRi", "NEUTDUR": "first low value", "PLTDUR": "first low value"}


@dataclass(frozen=True)
class Group:
    """Subjects whose times are estimated together: their records of ADTTE, each with its time in days."""

    endpoint: str
    name: str
    origin: str
    members: tuple[tuple[Record, float], ...]

    @property
    def cell(self) -> str:
        """Name of the cell."""
        return f"{self.endpoint}-{self.name}".replace(" ", "-").lower()


def group_times(adtte: pd.DataFrame, persons: Sequence[Person], endpoint: Conversion, settings: Settings) -> list[Group]:
    """Group the times of every endpoint: all subjects in its analysis, and those at the landmark by MRD status."""
    status = {f"{settings.study}-{p.subject}": _status(p, endpoint, settings.landmark_days) for p in persons}
    starts = {f"{settings.study}-{p.subject}": p.first_dose for p in persons}
    groups = []
    for code, origin in ORIGINS.items():
        records = read_records("adtte", adtte, PARAMCD=code, ANL01FL="Y")
        groups.append(Group(code, "all", origin, tuple((r, float(r["AVAL"])) for r in records)))
        if code in AT_LANDMARK:
            groups += _at_landmark(code, records, status, starts, settings.landmark_days)
    return groups


def _at_landmark(
    code: str, records: Sequence[Record], status: Mapping[str, str], starts: Mapping[str, date | None], days: int
) -> list[Group]:
    """Group those still followed and without the event after the landmark; their time is counted from it."""
    told: list[tuple[Record, float]] = []
    for r in records:
        start = starts[r.subject]
        if start is None or date.fromisoformat(r["STARTDT"]) > start + timedelta(days=days):
            continue
        left = (date.fromisoformat(r["ADT"]) - start).days - days
        if left > 0:
            told.append((r, float(left)))
    origin = f"landmark, day {days} after the first dose"
    return [Group(code, name, origin, tuple(m for m in told if status[m[0].subject] == name)) for name in STATUS]


def _status(person: Person, endpoint: Conversion, days: int) -> str:
    """Tell the MRD status at the landmark: the last marrow of the window with a verdict up to that day."""
    start = person.first_dose
    if start is None:
        return STATUS[2]
    until = start + timedelta(days=days)
    told = [v for v, s in mark_specimens(endpoint, person) if v != UNTOLD and s.collected <= until]
    return STATUS[2] if not told else STATUS[0] if told[-1] == BELOW else STATUS[1]


def is_event(record: Record) -> bool:
    """Tell whether a time ended in the event."""
    return bool(record["CNSR"] == 0)


def summarise_times(groups: Sequence[Group]) -> tuple[pd.DataFrame, pd.DataFrame, list[Line]]:
    """Summarise the groups: table TIMES, table CURVES, and the records behind the cells."""
    drawn = [(g, _curve(g)) for g in groups]
    times = TIMES.frame([_row(g, curve) for g, curve in drawn])
    curves = [
        {"endpoint": g.endpoint, "group": g.name, **row} for g, curve in drawn if curve is not None for row in to_records(curve)
    ]
    cells = [line for g in groups for line in list_records("times", g.cell, [r for r, _ in g.members], is_event)]
    return times, CURVES.frame(curves), cells


def _curve(group: Group) -> pd.DataFrame | None:
    if not group.members:
        return None
    return estimate_curve([t for _, t in group.members], [is_event(r) for r, _ in group.members])


def _row(group: Group, curve: pd.DataFrame | None) -> dict[str, Any]:
    events = sum(is_event(r) for r, _ in group.members)
    return {
        "endpoint": group.endpoint,
        "group": group.name,
        "origin": group.origin,
        "total": len(group.members),
        "events": events,
        "censored": len(group.members) - events,
        "cell": group.cell,
        **({} if curve is None else estimate_median(curve)),
    }
