"""The work list: what needs a look first, and what is left to do."""

from __future__ import annotations

from math import ceil

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mrd.review.web import TheDesk, page
from mrd.review.worklist import FILTERS, agreements, see_agreement, work_lines

router = APIRouter()
SHOWN = 50


@router.get("/")
def work(request: Request, desk: TheDesk, show: str = "todo", subject: str = "", at: int = 1) -> Response:
    """The visits that whoever is signed in may see, those that need review first on top."""
    show = show if show in FILTERS else "todo"
    run, records = desk.store.run(), desk.store.records()
    who = (desk.account.id, desk.account.role)
    lines = desk.store.kept(who, (records, run), lambda: work_lines(records, run, desk.account))
    wanted = subject.strip().lower()
    chosen = [line for line in lines if FILTERS[show][1](line) and wanted in str(line.subject).lower()]
    pages = max(ceil(len(chosen) / SHOWN), 1)
    at = min(max(at, 1), pages)
    return page(
        request,
        "work.html",
        desk,
        lines=chosen[(at - 1) * SHOWN : at * SHOWN],
        found=len(chosen),
        counts={name: sum(map(test, lines)) for name, (_, test) in FILTERS.items()},
        filters={name: label for name, (label, _) in FILTERS.items()},
        show=show,
        subject=subject,
        at=at,
        pages=pages,
        agreement=desk.store.kept("agreement", (records,), lambda: agreements(records)) if see_agreement(desk.account) else None,
    )
