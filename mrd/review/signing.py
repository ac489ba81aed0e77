"""Signed records: a decision, a comment, a round opened again; each is added once, whatever is sent twice."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from mrd.core.settings import Settings
from mrd.review.accounts import Account
from mrd.review.audit import add_row, append_entry, utc_now
from mrd.review.judgement import DISAGREED, SETTLED, Asked, Judged, check_text, judge, meaning_of
from mrd.review.records import Record, read_evidence, read_record
from mrd.review.recount import DecisionError
from mrd.review.schema import ADJUDICATOR, COMMENTS, DECISIONS, REOPENED, ROUNDS, SEAT_ROLE

LEAST_OPENING = 10


def sign(connection: Connection, place: tuple[int, int], account: Account, asked: Asked, settings: Settings) -> int:
    """Sign a decision for the seat an account holds, and return its id; the same decision sent again is the same record.

    Parameters
    ----------
    place : ids of the visit, and of the round the page showed

    Raises
    ------
    DecisionError
        The account may not sign now, the round is over, or the decision does not hold.
    """
    visit_id, round_id = place
    record = load(connection, visit_id)
    seat = seat_to_sign(record, account)
    if record.current.id != round_id:
        raise DecisionError("what the run tells of this visit changed while the page was open", fix="look at it again, then sign")
    judged = judge(asked, read_evidence(connection, record.current.evidence_id), settings)
    before = record.current.decisions.get(seat)
    if before is not None:
        return _same(before, judged)
    if seat == ADJUDICATOR and record.state != DISAGREED:
        raise DecisionError("the adjudicator signs where both readers have signed and disagree")
    values = decision_values(judged, round_id, seat, account)
    return add_row(connection, DECISIONS, values, actor=account.name, action="decision-signed")


def seat_to_sign(record: Record, account: Account) -> str:
    """The seat an account may sign for.

    Raises
    ------
    DecisionError
        It holds none in the role it has.
    """
    seat = record.seat_of(account.id)
    if seat is None or account.role != SEAT_ROLE[seat]:
        raise DecisionError("this visit is not yours to sign")
    return seat


def decision_values(judged: Judged, round_id: int, seat: str, account: Account) -> dict[str, Any]:
    """The columns of a decision."""
    return {
        "round_id": round_id,
        "seat": seat,
        "account_id": account.id,
        "kind": judged.kind,
        "call": judged.call,
        "value": judged.value,
        "reason": judged.reason,
        "rejected": json.dumps(judged.rejected),
        "meaning": meaning_of(judged.kind, seat),
        "printed_name": account.printed_name,
        "signed_at": utc_now(),
    }


def _same(before: dict[str, Any], judged: Judged) -> int:
    told = {"kind": judged.kind, "call": judged.call, "value": judged.value, "reason": judged.reason, "rejected": judged.rejected}
    if any(before[n] != v for n, v in told.items()):
        raise DecisionError("you have signed this visit already", fix="a signed decision is never changed; add a comment")
    return int(before["id"])


def comment(connection: Connection, visit_id: int, account: Account, text: str, nonce: str) -> int:
    """Add a comment once; the form's nonce tells a second sending from a second comment.

    Raises
    ------
    DecisionError
        There is no text, or too much.
    """
    record = load(connection, visit_id)
    there = connection.execute(select(COMMENTS.c.id).where(COMMENTS.c.nonce == nonce)).scalar()
    if there is not None:
        return int(there)
    values = {"visit_id": record.id, "account_id": account.id, "printed_name": account.printed_name}
    values |= {"text": check_text(text, "the comment"), "nonce": nonce, "written_at": utc_now()}
    return add_row(connection, COMMENTS, values, actor=account.name, action="comment-added")


def reopen(connection: Connection, visit_id: int, round_id: int, account: Account, reason: str) -> int:
    """Open a locked visit again, with a reason; its signed decisions stay on record.

    Raises
    ------
    DecisionError
        It is not locked, was opened meanwhile, or the reason is missing.
    """
    record = load(connection, visit_id)
    told = check_text(reason, "the reason", least=LEAST_OPENING)
    if record.current.id != round_id or record.state != SETTLED:
        raise DecisionError("this visit is not locked", fix="look at it again")
    values = {
        "visit_id": record.id,
        "number": record.current.number + 1,
        "evidence_id": record.current.evidence_id,
        "cause": REOPENED,
        "reason": told,
        "printed_name": account.printed_name,
        "opened_at": utc_now(),
    }
    return add_row(connection, ROUNDS, values, actor=account.name, action="visit-reopened")


def load(connection: Connection, visit_id: int) -> Record:
    """A visit on record.

    Raises
    ------
    DecisionError
        There is no such visit.
    """
    record = read_record(connection, visit_id)
    if record is None:
        raise DecisionError("there is no such visit")
    return record


def note(connection: Connection, actor: str, action: str, **told: Any) -> None:
    """Put into the log what leaves no record of its own: sign-ins, sign-outs, exports."""
    append_entry(connection, actor=actor, action=action, body=told)
