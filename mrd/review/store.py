"""One review: its database, its anchor, and the run it judges, read again when the run's tables change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from mrd.core.errors import MrdError
from mrd.files.layout import result_table
from mrd.review.anchor import add_anchor, anchor_path, read_anchors
from mrd.review.audit import EMPTY, Head, find_head
from mrd.review.database import writing
from mrd.review.evidence import RunTables, read_run
from mrd.review.records import Record, read_records
from mrd.review.runs import take_run

log = logging.getLogger(__name__)
WATCHED = ("calls", "arms", "clusters", "qc", "limits")
SETTLED_SECONDS = 2.0
"""A run that is being written is left alone until its tables have rested this long."""
T = TypeVar("T")
Stamp = tuple[tuple[int, int] | None, ...]


@dataclass
class Store:
    """The engine and the results folder; what was read of them is kept until it changes."""

    engine: Engine
    results: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _run: RunTables | None = None
    _stamp: Stamp = ()
    _records: tuple[Head, list[Record]] = (Head(-1, ""), [])
    _kept: dict[object, tuple[tuple[object, ...], Any]] = field(default_factory=dict)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes, in turn with all others; a grown log is anchored once it stands."""
        with writing(self.engine) as connection:
            before = find_head(connection)
            yield connection
            after = find_head(connection)
        if after != before:
            add_anchor(anchor_path(self.results), after)

    def start(self) -> None:
        """Take the run in, and anchor what a server that was killed may have left without one."""
        with self.reading() as connection:
            head = find_head(connection)
        if head != EMPTY and head not in read_anchors(anchor_path(self.results)):
            add_anchor(anchor_path(self.results), head)
        self.run(rested=0.0)

    def run(self, *, rested: float = SETTLED_SECONDS) -> RunTables:
        """The run as its tables stand; where they changed, the review takes the new ones in first.

        Raises
        ------
        MrdError
            There is no run to review.
        """
        stamp = _stamp(self.results)
        if self._run is not None and (stamp == self._stamp or not _rests(stamp, rested)):
            return self._run
        with self._lock:
            if self._run is None or stamp != self._stamp:
                self._take(stamp)
            if self._run is None:
                raise MrdError("there is no run to review", where=str(self.results), fix="run the workflow first")
            return self._run

    def _take(self, stamp: Stamp) -> None:
        try:
            run = read_run(self.results)
        except MrdError as error:
            if self._run is None:
                raise
            log.warning("review: the run cannot be read, the one before stays: %s", error)
            return
        with self.writing() as connection:
            taken = take_run(connection, run.visits)
        told = (len(taken.new), len(taken.changed), len(taken.absent))
        log.info("review: %d new visits, %d changed and asked again, %d no longer in the run", *told)
        self._run, self._stamp = run, stamp

    def records(self) -> list[Record]:
        """All visits on record; read again only when the log has grown."""
        with self.reading() as connection:
            head = find_head(connection)
            known, records = self._records
            if head != known:
                records = read_records(connection)
                self._records = (head, records)
        return records

    def kept(self, name: object, made_from: tuple[object, ...], make: Callable[[], T]) -> T:
        """What `make` gave for these very objects the last time, or makes it anew."""
        known = self._kept.get(name)
        if known is None or any(a is not b for a, b in zip(known[0], made_from, strict=True)):
            known = (made_from, make())
            self._kept[name] = known
        made: T = known[1]
        return made


def _stamp(results: Path) -> Stamp:
    """Time and size of each table of the run."""
    found = [result_table(results, n) for n in WATCHED]
    return tuple((s.st_mtime_ns, s.st_size) if (s := p.stat() if p.is_file() else None) else None for p in found)


def _rests(stamp: Stamp, seconds: float) -> bool:
    newest = max((s[0] for s in stamp if s), default=0)
    return time.time_ns() - newest >= seconds * 1e9
