"""Takes a run in: new visits are opened for review, changed ones are asked again; what was decided stays on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from mrd.review.audit import add_row, canonical, utc_now
from mrd.review.evidence import Evidence, Key
from mrd.review.records import Record, read_digests, read_records
from mrd.review.schema import EVIDENCE, FIRST, NEW_RUN, ROUNDS, VISITS

ACTOR = "pipeline"


@dataclass(frozen=True)
class Taken:
    """Visits that are new, changed since they were last seen, and on record but not in this run."""

    new: list[Key]
    changed: list[Key]
    absent: list[Key]


def compare_run(connection: Connection, visits: Mapping[Key, Evidence]) -> Taken:
    """Compare a run with what is on record."""
    records, digests = {r.key: r for r in read_records(connection)}, read_digests(connection)
    known = [k for k in visits if k in records]
    return Taken(
        new=[k for k in visits if k not in records],
        changed=[k for k in known if digests[records[k].current.evidence_id] != visits[k].digest],
        absent=[k for k in records if k not in visits],
    )


def take_run(connection: Connection, visits: Mapping[Key, Evidence]) -> Taken:
    """Put a run on record: a first round for a new visit, a further one where the evidence changed."""
    taken, records = compare_run(connection, visits), {r.key: r for r in read_records(connection)}
    for key in taken.new:
        visit = add_row(connection, VISITS, {"subject": key[0], "visit": key[1]}, actor=ACTOR, action="visit-added")
        _open(connection, visit, 1, visits[key], cause=FIRST, reason="first seen")
    for key in taken.changed:
        record = records[key]
        _open(connection, record.id, record.current.number + 1, visits[key], cause=NEW_RUN, reason=_why(record))
    return taken


def _why(record: Record) -> str:
    return f"a new run tells this visit otherwise; what was signed in round {record.current.number} rests on the earlier run"


def _open(connection: Connection, visit: int, number: int, evidence: Evidence, *, cause: str, reason: str) -> None:
    kept = {"visit_id": visit, "digest": evidence.digest, "told": canonical(evidence.told), "seen_at": utc_now()}
    evidence_id = add_row(connection, EVIDENCE, kept, actor=ACTOR, action="evidence-added")
    values = {"visit_id": visit, "number": number, "evidence_id": evidence_id, "cause": cause, "reason": reason}
    values |= {"printed_name": ACTOR, "opened_at": utc_now()}
    add_row(connection, ROUNDS, values, actor=ACTOR, action="round-opened")
