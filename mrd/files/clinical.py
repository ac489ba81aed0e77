"""Read the clinical tables, with every problem told at once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mrd.core.contracts import RESPONSES, SUBJECTS
from mrd.core.errors import SheetError
from mrd.core.tables import Table
from mrd.files.tables import read_text_table, typed


@dataclass(frozen=True)
class Order:
    """Two dates of one subject: `later` never lies before `earlier`, nor on the same day unless `same_day`."""

    earlier: str
    later: str
    same_day: bool
    fix: str = ""


HISTORY = "what came before this trial belongs in disease_at_entry"
ORDERS = (
    Order("first_dose", "consolidation", same_day=False),
    Order("first_dose", "transplant", same_day=False, fix="an earlier transplant is history"),
    Order("first_dose", "new_therapy", same_day=False, fix="an earlier therapy is history"),
    Order("first_dose", "relapse", same_day=False, fix=HISTORY),
    Order("first_dose", "refractory", same_day=False, fix=HISTORY),
    Order("first_dose", "cr_date", same_day=False, fix="an earlier remission is history"),
    Order("first_dose", "death", same_day=True),
    Order("first_dose", "last_alive", same_day=True),
    Order("refractory", "relapse", same_day=False, fix="refractory means the regimen brought no remission"),
    Order("cr_date", "relapse", same_day=False),
    *(
        Order(name, "death", same_day=True)
        for name in ("consolidation", "transplant", "new_therapy", "relapse", "refractory", "last_alive", "cr_date")
    ),
)
"""What the dates of a subject must keep to."""
NEED_DOSE = ("consolidation", "relapse", "refractory", "cr_date")
"""Dates that only a treated subject has."""


def read_subjects(path: Path) -> pd.DataFrame:
    """Read the clinical table of subjects, table SUBJECTS; further columns pass through as text.

    Raises
    ------
    FileError
        The file is missing or not tab-separated text.
    SheetError
        Columns, values or dates are wrong; every problem is listed with its row and column.
    """
    frame = read_text_table(path, where=str(path))
    return _checked(frame, SUBJECTS, list(_order_problems(frame)), path)


def read_responses(path: Path) -> pd.DataFrame:
    """Read the response table, table RESPONSES; further columns pass through as text.

    Raises
    ------
    FileError
        The file is missing or not tab-separated text.
    SheetError
        Columns or values are wrong; every problem is listed with its row and column.
    """
    return _checked(read_text_table(path, where=str(path)), RESPONSES, [], path)


def _checked(frame: pd.DataFrame, table: Table, found: list[str], path: Path) -> pd.DataFrame:
    with warnings.catch_warnings():  # pandas warns that it cannot guess the format of a wrong date; the wrong date is told below
        warnings.simplefilter("ignore", UserWarning)
        found = table.problems(frame) + found
    if found:
        raise SheetError("; ".join(found), where=str(path), fix="correct the table")
    return typed(frame, table)


def _order_problems(frame: pd.DataFrame) -> Iterator[str]:
    """Yield dates of one subject that cannot both be right; dates that are none are told elsewhere."""
    for row, dates in enumerate(_days(frame), 2):
        for order in ORDERS:
            yield from _disorder(row, dates, order)
        for name in NEED_DOSE:
            if name in dates and "first_dose" not in dates and "first_dose" in frame:
                yield f"row {row}: {name} {dates[name]} without first_dose"


def _disorder(row: int, dates: dict[str, str], order: Order) -> Iterator[str]:
    first, then = dates.get(order.earlier), dates.get(order.later)
    if first is None or then is None or first < then or (first == then and order.same_day):
        return
    told = "lies before" if then < first else "is the day of"
    yield f"row {row}: {order.later} {then} {told} {order.earlier} {first}" + (f" ({order.fix})" if order.fix else "")


def _days(frame: pd.DataFrame) -> Iterator[dict[str, str]]:
    """Yield the dates of each row, as text that sorts like days."""
    names = [c.name for c in SUBJECTS.columns if c.kind == "d" and c.name in frame]
    text = {name: frame[name].where(_is_day(frame[name])) for name in names}
    for i in range(len(frame)):
        yield {name: str(values.iloc[i]) for name, values in text.items() if pd.notna(values.iloc[i])}


def _is_day(values: pd.Series) -> pd.Series:
    shaped = values.astype("string").str.fullmatch(r"\d{4}-\d{2}-\d{2}").fillna(False)
    return shaped & pd.to_datetime(values, format="%Y-%m-%d", errors="coerce").notna()
