"""The audit log: every entry carries the hash of the one before it, so that no entry can be changed unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from mrd.review.schema import AUDIT

ROOT = "0" * 64
"""What stands before the first entry."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One entry: when, who, what; `place` and `row_id` name the row it is about and `body` holds that row as JSON."""

    seq: int
    at: str
    actor: str
    action: str
    place: str
    row_id: int | None
    body: str
    previous: str
    hash: str


@dataclass(frozen=True)
class Head:
    """The last entry of the log."""

    seq: int
    hash: str


EMPTY = Head(0, ROOT)


def utc_now() -> str:
    """The time as records state it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def canonical(row: Mapping[str, Any]) -> str:
    """A row as JSON text that is the same on every machine and database."""
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def entry_hash(entry: Mapping[str, Any]) -> str:
    """SHA-256 over everything an entry says, the hash of the one before it included."""
    return hashlib.sha256(canonical({n: v for n, v in entry.items() if n != "hash"}).encode()).hexdigest()


def find_head(connection: Connection) -> Head:
    """Find the last entry of the log."""
    found = connection.execute(select(AUDIT.c.seq, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)).first()
    return Head(found.seq, found.hash) if found else EMPTY


def append_entry(
    connection: Connection, *, actor: str, action: str, place: str = "", row_id: int | None = None, body: Mapping[str, Any]
) -> None:
    """Append one entry; the caller's transaction holds the writers' lock."""
    head = find_head(connection)
    told: Row = {
        "seq": head.seq + 1,
        "at": utc_now(),
        "actor": actor,
        "action": action,
        "place": place,
        "row_id": row_id,
        "body": canonical(body),
        "previous": head.hash,
    }
    connection.execute(insert(AUDIT).values(**told, hash=entry_hash(told)))


def add_row(connection: Connection, table: Table, values: Row, *, actor: str, action: str) -> int:
    """Add a row to a kept table and to the log, and return its id."""
    made = connection.execute(insert(table).values(**values)).inserted_primary_key
    row_id = int(made[0]) if made else 0
    append_entry(connection, actor=actor, action=action, place=table.name, row_id=row_id, body={"id": row_id, **values})
    return row_id


def read_entries(connection: Connection) -> Iterator[Entry]:
    """Yield the log from its first entry to its last."""
    for row in connection.execute(select(AUDIT).order_by(AUDIT.c.seq)).mappings():
        yield Entry(**row)


def find_breaks(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield every place where the chain does not hold: an entry changed, taken out, put in or moved."""
    before = EMPTY
    for entry in entries:
        if entry.seq != before.seq + 1:
            yield f"entry {before.seq + 1} is missing: entry {entry.seq} follows entry {before.seq}"
        elif entry.previous != before.hash:
            yield f"entry {entry.seq} does not follow from entry {before.seq}"
        if entry_hash(asdict(entry)) != entry.hash:
            yield f"entry {entry.seq} was changed: its hash does not fit what it says"
        before = Head(entry.seq, entry.hash)
