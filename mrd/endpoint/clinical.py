"""The clinical tables of a trial as rows, each with its number and the line of the file it stood in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from mrd.core.contracts import ADVERSE_EVENTS, DISPOSITION, EXPOSURE, LABS, RESPONSES, REVIEW, SUBJECTS
from mrd.core.tables import Table

Record = Mapping[str, Any]
TABLES = {t.name: t for t in (SUBJECTS, EXPOSURE, RESPONSES, LABS, ADVERSE_EVENTS, DISPOSITION, REVIEW)}


@dataclass(frozen=True)
class Row:
    """One row of an input table. `number` counts the rows ordered by key, from 1; `line` is that of the file, header 1."""

    table: str
    number: int
    line: int
    record: Record

    def __getitem__(self, name: str) -> Any:
        """The value of a column; None where it is missing or has no such column."""
        return self.record.get(name)

    @property
    def place(self) -> str:
        """Where the row stands, as a person looks it up."""
        return f"{self.table} row {self.line}"


@dataclass(frozen=True)
class Source:
    """The record behind a value: SRCDOM, SRCVAR, SRCSEQ."""

    domain: str
    variable: str
    row: int

    def columns(self) -> dict[str, Any]:
        """The three columns of an analysis dataset."""
        return {"SRCDOM": self.domain, "SRCVAR": self.variable, "SRCSEQ": self.row}


@dataclass(frozen=True)
class Clinical:
    """The clinical tables a trial handed in, by name; `subjects` is always among them, the others where there are any."""

    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def rows(self, name: str) -> tuple[Row, ...]:
        """Rows of one table, ordered by its key; none where there is no such table."""
        return number_rows(self.frames.get(name), TABLES[name])


def number_rows(frame: pd.DataFrame | None, table: Table) -> tuple[Row, ...]:
    """Number the rows of a table in an order that does not depend on the file's.

    Raises
    ------
    ContractError
        The frame breaks its declaration.
    """
    if frame is None or frame.empty:
        return ()
    absent = [n for n in table.key if n not in frame and table.column(n).optional]
    keyed = pd.concat([frame.reset_index(drop=True), table.empty()[absent].reindex(range(len(frame)))], axis=1)
    ordered = table.check(keyed).sort_values(list(table.key))
    told = zip(ordered.index, to_records(ordered), strict=True)
    return tuple(Row(table.name, i, int(line) + 2, record) for i, (line, record) in enumerate(told, 1))


def to_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn rows into plain mappings; a missing value is None."""
    return [{str(k): None if pd.isna(v) else v for k, v in row.items()} for row in frame.to_dict("records")]


def source_of(row: Row, column: str) -> Source:
    """Name a row's column as a source."""
    return Source(row.table.upper(), column, row.number)


def by_subject(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    """Group rows by subject, their order kept."""
    out: dict[str, list[Row]] = {}
    for row in rows:
        out.setdefault(str(row["subject"]), []).append(row)
    return {name: tuple(own) for name, own in out.items()}
