"""Who reads a visit: two readers and an adjudicator, three different people."""

from __future__ import annotations

from sqlalchemy import Connection

from mrd.review.accounts import Account
from mrd.review.audit import add_row, utc_now
from mrd.review.records import Record
from mrd.review.recount import DecisionError
from mrd.review.schema import ADJUDICATOR, ASSIGNMENTS, READERS, SEAT_ROLE, SEATS


def assign(connection: Connection, record: Record, seat: str, account: Account, *, actor: str) -> None:
    """Give a seat of a visit to an account; to whom it belongs already, nothing is added.

    Raises
    ------
    DecisionError
        The account cannot take this seat.
    """
    if record.seats.get(seat) == account.id:
        return
    check_seat(record, seat, account)
    values = {"visit_id": record.id, "seat": seat, "account_id": account.id, "assigned_at": utc_now()}
    add_row(connection, ASSIGNMENTS, values, actor=actor, action="seat-assigned")


def check_seat(record: Record, seat: str, account: Account) -> None:
    """Pass only where an account may take a seat.

    Raises
    ------
    DecisionError
        Its role, another seat of this visit or a signature stands against it.
    """
    where = f"{record.subject} {record.visit}, {seat}"
    if seat not in SEATS or not account.active or account.role != SEAT_ROLE[seat]:
        raise DecisionError(
            f"{account.name} cannot take this seat", where=where, fix="seats follow the role of an active account"
        )
    if record.seat_of(account.id) is not None:
        told = f"{account.name} holds the seat {record.seat_of(account.id)} of this visit"
        raise DecisionError(told, where=where, fix="two readers and an adjudicator are three people")
    if seat in record.current.decisions:
        raise DecisionError("this seat has signed in this round", where=where, fix="it can be given to another in a later round")
    if account.id in _signed_otherwise(record, seat):
        raise DecisionError(f"{account.name} has signed this visit in another seat", where=where, fix="choose somebody else")


def _signed_otherwise(record: Record, seat: str) -> set[int]:
    """Accounts that signed this visit as the other kind of judge, in any round."""
    others = READERS if seat == ADJUDICATOR else (ADJUDICATOR,)
    return {int(d["account_id"]) for r in record.rounds for s, d in r.decisions.items() if s in others}
