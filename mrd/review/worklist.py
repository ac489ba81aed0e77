"""The lines of the work list: each visit as one person may see it, in the order it should be looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mrd.core.words import FLAGS
from mrd.report.looks import LOOKS, Look
from mrd.report.wording import review_rank, review_reasons
from mrd.review.accounts import Account
from mrd.review.agreement import Agreement, cohen_kappa, side_of
from mrd.review.evidence import Evidence, RunTables
from mrd.review.judgement import DISAGREED, SETTLED, STATES, UNASSIGNED, settling
from mrd.review.records import Record
from mrd.review.schema import ADJUDICATOR, READERS

ARMS_DISAGREE = "arms-disagree"
OVERSEERS = ("admin", "auditor")


@dataclass(frozen=True)
class Line:
    """One visit of the list; `call` is None where the run no longer holds it, `mine` says that it waits for this person."""

    id: int
    subject: str
    visit: str
    call: dict[str, Any] | None
    look: Look | None
    why: tuple[tuple[str, str], ...]
    status: str
    mine: bool
    settled: bool
    asked_again: bool
    free: bool
    outcome: str
    rank: tuple[Any, ...]


FILTERS: dict[str, tuple[str, Callable[[Line], bool]]] = {
    "todo": ("To do", lambda line: line.mine),
    "first": ("Needs review first", lambda line: bool(line.why) and not line.settled),
    "again": ("Asked again", lambda line: line.asked_again and not line.settled),
    "settled": ("Settled", lambda line: line.settled),
    "all": ("All", lambda _: True),
}


def may_see(record: Record, account: Account) -> bool:
    """Whether a person may open a visit: those who hold a seat of it, and who oversees."""
    return account.role in OVERSEERS or record.seat_of(account.id) is not None


def see_agreement(account: Account) -> bool:
    """Whether a person may see how readers agree: not the blinded readers."""
    return account.role != "reader"


def work_lines(records: Sequence[Record], run: RunTables, account: Account) -> list[Line]:
    """The lines a person may see, most urgent first."""
    lines = [_line(r, run.visits.get(r.key), account) for r in records if may_see(r, account)]
    return sorted(lines, key=lambda line: line.rank)


def _line(record: Record, evidence: Evidence | None, account: Account) -> Line:
    state, mine = record.state, is_waiting_for(record, account) and evidence is not None
    why = reasons_of(evidence) if evidence else []
    settled = settling(dict(record.current.decisions))
    return Line(
        id=record.id,
        subject=record.subject,
        visit=record.visit,
        call=evidence.call if evidence else None,
        look=LOOKS[str(evidence.call["call"])] if evidence else None,
        why=tuple((w, FLAGS.get(w, "")) for w in why),
        status=status_of(record, account) if evidence else "no longer in the run",
        mine=mine,
        settled=state == SETTLED,
        asked_again=record.asked_again,
        free=state == UNASSIGNED,
        outcome=LOOKS[str(settled["call"])].label if settled else "",
        rank=(not mine, state == SETTLED, *rank_of(evidence), record.subject, record.visit),
    )


def reasons_of(evidence: Evidence) -> list[str]:
    """Why a visit should be looked at first: what its call and flags say, and arms that contradict each other."""
    why = review_reasons(evidence.call)
    apart = any(a["agrees"] == "N" for a in evidence.arms) and ARMS_DISAGREE not in why
    return [*why, ARMS_DISAGREE] if apart else why


def rank_of(evidence: Evidence | None) -> tuple[int, int]:
    """Near the threshold first, then arms that disagree, then no plain answer, then flags."""
    if evidence is None:
        return 9, 0
    kind, count = review_rank(evidence.call)
    disagree = ARMS_DISAGREE in reasons_of(evidence)
    return (1 if disagree and kind > 0 else kind + (kind > 0)), count


def is_waiting_for(record: Record, account: Account) -> bool:
    """Whether a visit waits for this very person: their signature, or an admin's assignment."""
    if account.role == "admin":
        return record.state == UNASSIGNED
    seat = record.seat_of(account.id)
    if seat in READERS:
        return account.role == "reader" and seat not in record.current.decisions and record.state != SETTLED
    return seat == ADJUDICATOR and account.role == "adjudicator" and record.state == DISAGREED


def status_of(record: Record, account: Account) -> str:
    """Where a visit stands, as far as this person may know: a reader is not told what the other one did."""
    seat, state = record.seat_of(account.id), record.state
    if state == SETTLED:
        return STATES[SETTLED]
    if account.role == "reader":
        return "you have signed" if seat in record.current.decisions else "to sign"
    if account.role == "adjudicator":
        return "to adjudicate" if state == DISAGREED else "with the readers"
    return STATES[state]


def agreements(records: Sequence[Record]) -> dict[str, Agreement]:
    """How the two readers agree, on the side of the threshold and on the call, over each visit's current round."""
    signed = [r.current.decisions for r in records if all(s in r.current.decisions for s in READERS)]
    pairs = [(str(d[READERS[0]]["call"]), str(d[READERS[1]]["call"])) for d in signed]
    return {"side": cohen_kappa([(side_of(a), side_of(b)) for a, b in pairs]), "call": cohen_kappa(pairs)}
