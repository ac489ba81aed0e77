"""What stands on record of the visits: their rounds, seats and decisions, read in a few queries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from mrd.review.evidence import Evidence, Key, evidence_of
from mrd.review.judgement import state_of
from mrd.review.schema import ASSIGNMENTS, COMMENTS, DECISIONS, EVIDENCE, NEW_RUN, ROUNDS, VISITS

Row = dict[str, Any]


@dataclass(frozen=True)
class Round:
    """One round of reading: why it was opened, on which evidence, and the decisions of its seats."""

    id: int
    number: int
    evidence_id: int
    cause: str
    reason: str
    printed_name: str
    opened_at: str
    decisions: Mapping[str, Row] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """A visit on record: its seats (seat to account id) and its rounds, the current one last."""

    id: int
    subject: str
    visit: str
    seats: Mapping[str, int]
    rounds: tuple[Round, ...]

    @property
    def key(self) -> Key:
        """Subject and visit."""
        return self.subject, self.visit

    @property
    def current(self) -> Round:
        """The round that is read now."""
        return self.rounds[-1]

    @property
    def state(self) -> str:
        """Where the current round stands."""
        return state_of(self.seats, dict(self.current.decisions))

    @property
    def asked_again(self) -> bool:
        """Whether a new run asks for what was decided, or begun, before."""
        return self.current.cause == NEW_RUN

    def seat_of(self, account_id: int) -> str | None:
        """The seat an account holds."""
        return next((s for s, a in self.seats.items() if a == account_id), None)


def read_records(connection: Connection, visit_id: int | None = None) -> list[Record]:
    """Read all visits on record, or one, in order of subject and visit."""
    visits = select(VISITS).order_by(VISITS.c.subject, VISITS.c.visit)
    rounds = select(ROUNDS).order_by(ROUNDS.c.number)
    seats = select(ASSIGNMENTS.c.visit_id, ASSIGNMENTS.c.seat, ASSIGNMENTS.c.account_id).order_by(ASSIGNMENTS.c.id)
    decisions = select(DECISIONS).order_by(DECISIONS.c.id)
    if visit_id is not None:
        visits, rounds = visits.where(VISITS.c.id == visit_id), rounds.where(ROUNDS.c.visit_id == visit_id)
        seats = seats.where(ASSIGNMENTS.c.visit_id == visit_id)
        decisions = decisions.where(DECISIONS.c.round_id.in_(select(ROUNDS.c.id).where(ROUNDS.c.visit_id == visit_id)))
    taken: dict[int, dict[str, int]] = {}
    for row in connection.execute(seats):
        taken.setdefault(row.visit_id, {})[row.seat] = row.account_id
    made = _rounds(connection, rounds, decisions)
    return [Record(v.id, v.subject, v.visit, taken.get(v.id, {}), tuple(made.get(v.id, ()))) for v in connection.execute(visits)]


def _rounds(connection: Connection, rounds: Any, decisions: Any) -> dict[int, list[Round]]:
    signed: dict[int, dict[str, Row]] = {}
    for row in connection.execute(decisions).mappings():
        signed.setdefault(row["round_id"], {})[row["seat"]] = {**row, "rejected": json.loads(row["rejected"])}
    out: dict[int, list[Round]] = {}
    for row in connection.execute(rounds).mappings():
        told = {n: v for n, v in row.items() if n != "visit_id"}
        out.setdefault(row["visit_id"], []).append(Round(**told, decisions=signed.get(row["id"], {})))
    return out


def read_record(connection: Connection, visit_id: int) -> Record | None:
    """Read one visit; None where there is no such visit."""
    found = read_records(connection, visit_id)
    return found[0] if found else None


def read_evidence(connection: Connection, evidence_id: int) -> Evidence:
    """Evidence as it was kept when it was first seen."""
    told = connection.execute(select(EVIDENCE.c.told).where(EVIDENCE.c.id == evidence_id)).scalar_one()
    return evidence_of(json.loads(told))


def read_digests(connection: Connection) -> dict[int, str]:
    """The digest of every kept evidence, by its id."""
    return {r.id: r.digest for r in connection.execute(select(EVIDENCE.c.id, EVIDENCE.c.digest))}


def read_comments(connection: Connection, visit_id: int) -> list[Row]:
    """Comments on a visit, oldest first."""
    chosen = select(COMMENTS).where(COMMENTS.c.visit_id == visit_id).order_by(COMMENTS.c.id)
    return [dict(r) for r in connection.execute(chosen).mappings()]
