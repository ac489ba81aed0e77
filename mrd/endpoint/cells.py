"""The records behind each cell of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mrd.endpoint.clinical import to_records
from mrd.endpoint.intervals import estimate_share

Line = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """One row of a dataset: its number from 1, its values."""

    dataset: str
    row: int
    values: Line

    def __getitem__(self, name: str) -> Any:
        """The value of a variable."""
        return self.values[name]

    @property
    def subject(self) -> str:
        """Unique subject identifier."""
        return str(self.values["USUBJID"])


def read_records(dataset: str, frame: pd.DataFrame, **where: Any) -> tuple[Record, ...]:
    """Read the rows of a dataset whose variables hold what is asked for."""
    told = enumerate(to_records(frame), 1)
    return tuple(Record(dataset, i, row) for i, row in told if all(row[k] == v for k, v in where.items()))


def list_records(table: str, cell: str, records: Iterable[Record], counted: Callable[[Record], bool]) -> list[Line]:
    """List the records behind one cell, as rows of table CELLS."""
    return [
        {
            "table": table,
            "cell": cell,
            "dataset": r.dataset,
            "row": r.row,
            "subject": r.subject,
            "counted": "Y" if counted(r) else "N",
        }
        for r in records
    ]


def tell_share(count: int, total: int) -> Line:
    """Tell a share in percent with its exact interval; of nobody there is none."""
    told: Line = {"count": count, "total": total}
    if not total:
        return told
    low, high = estimate_share(count, total)
    return told | {"percent": 100 * count / total, "ci_low": 100 * low, "ci_high": 100 * high}
