"""The auditor's pages: the log, whether it is whole, and both as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from math import ceil

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import select

from mrd.core.contracts import REVIEW
from mrd.review.accounts import ADMIN
from mrd.review.anchor import anchor_path, read_anchors
from mrd.review.audit import find_head, read_entries
from mrd.review.export import export_review
from mrd.review.schema import AUDIT
from mrd.review.signing import note
from mrd.review.verify import verify
from mrd.review.web import TheDesk, page

router = APIRouter()
SHOWN = 100
MAY_SEE = (ADMIN, "auditor")


@router.get("/audit")
def audit(request: Request, desk: TheDesk, at: int = 1, check: bool = False) -> Response:
    """The log, newest entries first; with `check` also whether it is whole."""
    desk.need(*MAY_SEE)
    with desk.store.reading() as connection:
        head = find_head(connection)
        pages = max(ceil(head.seq / SHOWN), 1)
        at = min(max(at, 1), pages)
        chosen = select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(SHOWN).offset((at - 1) * SHOWN)
        entries = [dict(r) for r in connection.execute(chosen).mappings()]
        verdict = verify(connection, read_anchors(anchor_path(desk.store.results))) if check else None
    return page(request, "audit.html", desk, entries=entries, head=head, at=at, pages=pages, verdict=verdict)


@router.get("/audit.jsonl")
def audit_file(desk: TheDesk) -> Response:
    """The whole log, one entry a line."""
    desk.need(*MAY_SEE)
    with desk.store.writing() as connection:
        note(connection, desk.account.name, "audit-exported")
    headers = {"content-disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(_lines(desk), media_type="application/x-ndjson", headers=headers)


def _lines(desk: TheDesk) -> Iterator[str]:
    with desk.store.reading() as connection:
        for entry in read_entries(connection):
            yield json.dumps(asdict(entry), sort_keys=True) + "\n"


@router.get("/review.tsv")
def review_file(desk: TheDesk) -> Response:
    """Settled visits as the table that the endpoint reads."""
    desk.need(*MAY_SEE)
    run = desk.store.run()
    with desk.store.writing() as connection:
        review = export_review(connection, run.visits).review
        note(connection, desk.account.name, "review-exported", rows=len(review))
    text = review[REVIEW.names].to_csv(sep="\t", index=False, float_format="%.9g", lineterminator="\n")
    return Response(
        text, media_type="text/tab-separated-values", headers={"content-disposition": 'attachment; filename="review.tsv"'}
    )
