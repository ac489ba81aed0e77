"""What the page of one visit shows one person: evidence, their own seat, and of the others only what they may know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from mrd.core.settings import Settings
from mrd.core.words import CALLS, FLAGS, split_flags
from mrd.report.looks import LOOKS
from mrd.report.wording import verdict
from mrd.review.accounts import Account, list_accounts
from mrd.review.evidence import Evidence, RunTables, find_differences
from mrd.review.judgement import DISAGREED, MEANINGS, SETTLED, settling
from mrd.review.records import Record, Round, read_comments, read_evidence
from mrd.review.recount import (
    Recount,
    can_be_below,
    changes_number,
    check_rejected,
    cluster_key,
    clusters_of,
    deciding_clusters,
    recount,
    recount_arm,
)
from mrd.review.schema import ACCOUNTS, ADJUDICATOR, NEW_RUN, READERS, SEAT_ROLE, SEATS
from mrd.review.worklist import OVERSEERS, reasons_of, status_of

Row = dict[str, Any]


@dataclass(frozen=True)
class Tube:
    """A tube to draw: its place in the page's list, which the browser asks by, and whose it is."""

    index: int
    tube_id: str
    panel: str
    visit: str
    artefact: str


def visit_page(connection: Connection, record: Record, run: RunTables, account: Account) -> Row:
    """Everything the template names, for one person."""
    evidence = read_evidence(connection, record.current.evidence_id)
    beside = run.visit(record.key)
    mine = {cluster_key(c) for c in deciding_clusters(evidence)}
    return {
        "record": record,
        "call": evidence.call,
        "look": LOOKS[str(evidence.call["call"])],
        "verdict": verdict(evidence.call, run.settings.model_copy(update={"threshold": evidence.threshold})),
        "threshold": evidence.threshold,
        "why": reasons_of(evidence),
        "flags": [(f, FLAGS.get(f, "")) for f in split_flags(evidence.call["flags"])],
        "arms": evidence.arms,
        "clusters": [{**c, "key": cluster_key(c), "counts": cluster_key(c) in mine} for c in evidence.clusters],
        "tubes": drawn_tubes(record, run),
        "nodes": beside.nodes,
        "limits": beside.limits,
        "in_run": record.key in run.visits,
        "calls": [(c, LOOKS[c].label) for c in CALLS],
        "meanings": MEANINGS,
        "can_be_below": can_be_below(evidence, run.settings),
        **standing(record, account),
        "history": history(connection, record, account),
        "difference": difference(connection, record, evidence),
        "comments": [c for c in read_comments(connection, record.id) if may_read(c, record, account)],
        "seats": seat_lines(connection, record) if account.role in OVERSEERS else [],
        "people": [a for a in list_accounts(connection) if a.active] if account.role == "admin" else [],
        "seat_role": SEAT_ROLE,
    }


def standing(record: Record, account: Account) -> Row:
    """Where the visit stands for a person, and what they may do."""
    seat = record.seat_of(account.id)
    seat = seat if seat and SEAT_ROLE[seat] == account.role else None
    own = record.current.decisions.get(seat) if seat else None
    free = seat is not None and own is None and record.state != SETTLED
    settled = settling(dict(record.current.decisions))
    return {
        "seat": seat,
        "own": own,
        "state": status_of(record, account),
        "can_sign": free and (seat in READERS or record.state == DISAGREED),
        "locked": record.state == SETTLED,
        "can_reopen": record.state == SETTLED and (account.role == "admin" or seat == ADJUDICATOR),
        "can_comment": account.role != "auditor",
        "settled": settled,
        "shown": shown_decisions(record.current, record, account),
    }


def shown_decisions(made: Round, record: Record, account: Account) -> list[Row]:
    """The single decisions of a round that a person may see.

    Who oversees sees all; the adjudicator sees the readers' once both have signed; a reader sees only their own.
    """
    seat = record.seat_of(account.id)
    both = all(s in made.decisions for s in READERS)
    everything = account.role in OVERSEERS or (account.role == "adjudicator" and seat == ADJUDICATOR and both)
    return [d for s in SEATS if (d := made.decisions.get(s)) and (everything or d["account_id"] == account.id)]


def history(connection: Connection, record: Record, account: Account) -> list[Row]:
    """Earlier rounds: why each was opened, what it settled on, and the decisions this person may see."""
    return [
        {
            "round": made,
            "settled": settling(dict(made.decisions)),
            "shown": shown_decisions(made, record, account),
            "call": read_evidence(connection, made.evidence_id).call,
        }
        for made in record.rounds[:-1]
    ]


def difference(connection: Connection, record: Record, evidence: Evidence) -> list[tuple[str, Any, Any]]:
    """What the run that opened the current round tells otherwise than the one before it."""
    if record.current.cause != NEW_RUN or len(record.rounds) < 2:
        return []
    return find_differences(read_evidence(connection, record.rounds[-2].evidence_id), evidence)


def may_read(comment: Mapping[str, Any], record: Record, account: Account) -> bool:
    """Whether a person may read a comment: a reader only their own, so that both stay independent."""
    return account.role != "reader" or comment["account_id"] == account.id


def seat_lines(connection: Connection, record: Record) -> list[tuple[str, str]]:
    """Each seat with the name of whoever holds it."""
    names = {r.id: r.printed_name for r in connection.execute(select(ACCOUNTS.c.id, ACCOUNTS.c.printed_name))}
    return [(s, names.get(record.seats.get(s, -1), "")) for s in SEATS]


def drawn_tubes(record: Record, run: RunTables) -> list[Tube]:
    """The tubes with cells of this visit, then those of the subject's diagnosis to compare with."""
    subject, visit = record.key
    keys = [record.key] + [
        k for k, e in run.visits.items() if k[0] == subject and e.call["role"] == "diagnosis" and k[1] != visit
    ]
    rows = [t for k in keys for t in run.tubes.get(k, []) if t["artefact"]]
    return [Tube(i, t["tube_id"], t["panel"], t["visit"], str(t["artefact"])) for i, t in enumerate(rows)]


def told_recount(evidence: Evidence, rejected: Collection[str], settings: Settings) -> Row:
    """The number without the rejected clusters as the browser shows it, and that of each arm they were found by."""
    counted = recount(evidence, rejected, settings)
    taken = set(check_rejected(evidence, rejected))
    touched = [a for a in evidence.arms if taken & {cluster_key(c) for c in clusters_of(evidence, a)}]
    arms = [r for a in touched if (r := recount_arm(evidence, a, rejected, settings)) is not None]
    if counted is None:
        return {"error": "nothing was counted in this visit"}
    return {**_told(counted), "changes": changes_number(evidence, rejected), "arms": [_told(r) for r in arms]}


def _told(counted: Recount) -> Row:
    return {
        "arm": counted.arm,
        "n_found": counted.n_found,
        "n_leukocytes": counted.n_leukocytes,
        "percent": 100 * counted.value,
        "low": 100 * counted.interval[0],
        "high": 100 * counted.interval[1],
        "call": counted.call,
        "label": LOOKS[counted.call].label,
    }
