"""What a page is drawn from: the rows and cells of one subject, or the tables of the cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import pandas as pd

from mrd.core.panel import Panel
from mrd.core.settings import Settings
from mrd.core.tables import records
from mrd.report.acquired import Acquired
from mrd.report.drawn import Drawn

Row = dict[str, Any]


class Tables:
    """A dataclass some of whose fields are tables."""

    @cached_property
    def rows(self) -> Mapping[str, list[Row]]:
        """The rows of every table, by the name of its field."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return {n: told_rows(t) for n, t in named.items() if isinstance(t, pd.DataFrame)}


@dataclass(frozen=True)
class TubeLook:
    """Cells of a tube to draw, what its artefact says of how it came to be, and its events where the file could be read."""

    drawn: Drawn
    provenance: Mapping[str, Any]
    acquired: Acquired | None = None


@dataclass(frozen=True)
class ControlLook:
    """Cells of a control to draw beside a subject's, counted with the subject's LAIP where there is one."""

    name: str
    kind: str
    drawn: Drawn


@dataclass(frozen=True)
class SubjectEvidence(Tables):
    """Everything a subject's page shows; the tables hold the subject's rows only.

    clinical : the subject's row of the clinical table, or None · looks : by tube id, for tubes with cells
    panels : by the name the tubes table uses · controls : by panel, those with the most background of each kind
    received : by tube id, the day a tube was received, where the sheet tells it
    """

    subject: str
    calls: pd.DataFrame
    arms: pd.DataFrame
    limits: pd.DataFrame
    laips: pd.DataFrame
    tubes: pd.DataFrame
    qc: pd.DataFrame
    burdens: pd.DataFrame
    clusters: pd.DataFrame
    clinical: Mapping[str, Any] | None
    looks: Mapping[str, TubeLook]
    panels: Mapping[str, Panel]
    controls: Mapping[str, Sequence[ControlLook]]
    received: Mapping[str, str | None]
    settings: Settings


@dataclass(frozen=True)
class CohortEvidence(Tables):
    """Everything the cohort's page shows.

    tubes, qc : of patients and controls · references : per panel, the record of its reference (controls, excluded)
    summary : the endpoint's rates, or None · libraries : versions of what ran
    """

    calls: pd.DataFrame
    tubes: pd.DataFrame
    qc: pd.DataFrame
    limits: pd.DataFrame
    laips: pd.DataFrame
    references: Mapping[str, Mapping[str, Any]]
    summary: pd.DataFrame | None
    settings: Settings
    libraries: Mapping[str, str]


def told_rows(frame: pd.DataFrame) -> list[Row]:
    """Rows as plain mappings, absent values as None."""
    return [{n: None if _absent(v) else v for n, v in row.items()} for row in records(frame)]


def _absent(value: Any) -> bool:
    return bool(pd.isna(value))


def visits_in_order(calls: pd.DataFrame) -> list[Row]:
    """Calls rows by day of the draw; a diagnosis comes before a follow-up of the same day."""
    return sorted(told_rows(calls), key=lambda r: (str(r["collected"]), r["role"] != "diagnosis", str(r["visit"])))
