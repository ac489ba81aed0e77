"""Whether the log is whole, and whether every record still says what the log says it said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from mrd.review.accounts import account_body
from mrd.review.anchor import find_lost
from mrd.review.audit import Entry, Head, canonical, find_breaks, read_entries
from mrd.review.guards import missing_guards
from mrd.review.schema import ACCOUNTS, GUARDED, KEPT


@dataclass(frozen=True)
class Verdict:
    """What was found wrong (nothing where all is well), and the log's head."""

    problems: list[str]
    head: Head


def verify(connection: Connection, anchors: Sequence[Head], *, expected: str = "") -> Verdict:
    """Check the chain, its anchors, every kept record against its entry, the accounts, and the guards.

    Parameters
    ----------
    expected : hash that was noted down as a head earlier, to be found in the log; empty: none was.
    """
    entries = list(read_entries(connection))
    hashes = {e.seq: e.hash for e in entries}
    found = [*find_breaks(entries), *find_lost(anchors, hashes)]
    if entries and not anchors:
        found.append("there is no anchor file: whether entries were cut off cannot be told")
    if expected and expected not in hashes.values():
        found.append(f"no entry has the expected hash {expected}")
    found += [p for table in KEPT for p in _compare(connection, table, entries, once=True)]
    found += _compare(connection, ACCOUNTS, entries, once=False)
    found += [f"trigger {name} is missing or switched off" for name in missing_guards(connection, tuple(t.name for t in GUARDED))]
    last = entries[-1] if entries else None
    return Verdict(found, Head(last.seq, last.hash) if last else Head(0, ""))


def _compare(connection: Connection, table: Table, entries: list[Entry], *, once: bool) -> Iterator[str]:
    """Yield rows that differ from their latest entry, lack one, or are gone."""
    told: dict[int | None, list[Entry]] = {}
    for entry in entries:
        if entry.place == table.name:
            told.setdefault(entry.row_id, []).append(entry)
    rows: dict[int | None, dict[str, Any]] = {r["id"]: dict(r) for r in connection.execute(select(table)).mappings()}
    for row_id, row in rows.items():
        mine = told.get(row_id, [])
        if not mine:
            yield f"{table.name} {row_id} has no entry in the log: it was put in from outside"
        elif _body(table, row) != canonical(_loads(mine[-1].body)):
            yield f"{table.name} {row_id} differs from entry {mine[-1].seq}: it was changed from outside"
        if once and len(mine) > 1:
            yield f"{table.name} {row_id} has {len(mine)} entries in the log"
    yield from (f"{table.name} {i} is gone: entry {mine[-1].seq} tells of it" for i, mine in told.items() if i not in rows)


def _body(table: Table, row: dict[str, Any]) -> str:
    return canonical(account_body(row) if table is ACCOUNTS else row)


def _loads(body: str) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
