"""Settled visits as rows of the declared table `review`, for the endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select

from mrd.core.contracts import REVIEW
from mrd.review.evidence import Evidence, Key
from mrd.review.judgement import settling
from mrd.review.records import Record, Round, read_digests, read_records
from mrd.review.schema import ADJUDICATOR, AUDIT, DECISIONS, READERS

Row = dict[str, Any]


@dataclass(frozen=True)
class Exported:
    """Table REVIEW, and the visits that were settled on another run than this one: they are asked again."""

    review: pd.DataFrame
    stale: list[Key]


def export_review(connection: Connection, visits: Mapping[Key, Evidence]) -> Exported:
    """Every settled round whose evidence is that of the run, earlier ones first: the last row of a visit holds."""
    digests, sources = read_digests(connection), _sources(connection)
    rows: list[Row] = []
    stale: list[Key] = []
    for record in read_records(connection):
        settled = [r for r in record.rounds if settling(dict(r.decisions)) is not None]
        told = visits[record.key].digest if record.key in visits else ""
        mine = [r for r in settled if digests[r.evidence_id] == told]
        rows += [_row(record, r, sources) for r in mine]
        if settled and not mine:
            stale.append(record.key)
    return Exported(REVIEW.frame(rows), stale)


def _sources(connection: Connection) -> dict[int, int]:
    """The log's entry of each decision."""
    chosen = select(AUDIT.c.row_id, AUDIT.c.seq).where(AUDIT.c.place == DECISIONS.name)
    return {r.row_id: r.seq for r in connection.execute(chosen)}


def _row(record: Record, made: Round, sources: Mapping[int, int]) -> Row:
    """One settled round; the entry of its settling signature in the log is the table's key."""
    decision = settling(dict(made.decisions)) or {}
    alone = ADJUDICATOR in made.decisions
    signed = [decision] if alone else [made.decisions[s] for s in READERS]
    return {
        "subject": record.subject,
        "visit": record.visit,
        "call": decision["call"],
        "value": decision["value"],
        "reviewer": "; ".join(str(d["printed_name"]) for d in signed),
        "reviewed_at": decision["signed_at"],
        "meaning": decision["meaning"],
        "reason": _line("; ".join(dict.fromkeys(str(d["reason"]) for d in signed))),
        "source_id": f"audit {sources[int(decision['id'])]:07d}",
    }


def _line(text: str) -> str:
    """A reason on one line, as a cell of a tab-separated table."""
    return " ".join(text.split())
