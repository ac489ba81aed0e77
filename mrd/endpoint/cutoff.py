"""The data cut-off: what came later is not used, and a subject seen later was alive on that day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mrd.endpoint.clinical import Row
from mrd.endpoint.facts import DATES

DATED = {
    "calls": "collected",
    "responses": "assessed",
    "labs": "collected",
    "exposure": "start",
    "adverse_events": "onset",
    "disposition": "date",
}
"""The column that says when a row happened."""
ALIVE = {"subjects": ("death", "last_alive"), "disposition": ("death", "last-alive")}


def apply_cutoff(tables: Mapping[str, Sequence[Row]], cutoff: str) -> dict[str, tuple[Row, ...]]:
    """Leave out what came after the cut-off; rows keep their numbers. An empty cut-off leaves all as it is."""
    if not cutoff:
        return {name: tuple(rows) for name, rows in tables.items()}
    return {name: tuple(kept for row in rows for kept in _cut(row, cutoff)) for name, rows in tables.items()}


def is_later(text: str | None, cutoff: str) -> bool:
    """Tell whether a date, partial or not, lies after the cut-off for certain."""
    return text is not None and text > cutoff[: len(text)]


def _cut(row: Row, cutoff: str) -> list[Row]:
    if row.table == "subjects":
        return [replace(row, record=_cut_subject(row.record, cutoff))]
    column = DATED.get(row.table)
    if column is None or not is_later(row[column], cutoff):
        return [row]
    if row.table == "disposition" and row["event"] in ALIVE["disposition"]:
        return [replace(row, record={**row.record, "event": "last-alive", "date": cutoff})]
    return []


def _cut_subject(record: Mapping[str, Any], cutoff: str) -> dict[str, Any]:
    later = {name for name in DATES if is_later(record.get(name), cutoff)}
    kept = {name: None if name in later else value for name, value in record.items()}
    return kept | ({"last_alive": cutoff} if later & set(ALIVE["subjects"]) else {})
