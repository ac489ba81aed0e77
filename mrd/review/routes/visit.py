"""One visit: its evidence and cells, and what may be done there."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import IntegrityError

from mrd.core.errors import MrdError
from mrd.review.cells import Plotted, plot_tube
from mrd.review.judgement import Asked
from mrd.review.records import Record, read_evidence, read_record
from mrd.review.recount import DecisionError
from mrd.review.signing import comment, reopen, sign
from mrd.review.visitpage import drawn_tubes, told_recount, visit_page
from mrd.review.web import Desk, Form, Posted, RefusedError, TheDesk, check_signature, nonce, page, to
from mrd.review.worklist import may_see

router = APIRouter()


def record_for(desk: Desk, visit_id: int) -> Record:
    """A visit that whoever is signed in may see.

    Raises
    ------
    RefusedError
        There is none, or it is not theirs: both are told alike.
    """
    desk.store.run()
    with desk.store.reading() as connection:
        record = read_record(connection, visit_id) if visit_id < 2**31 else None
    if record is None or not may_see(record, desk.account):
        raise RefusedError(404, "There is no such visit among yours.")
    return record


def show(
    request: Request, desk: Desk, visit_id: int, *, status: int = 200, error: str = "", asked: Asked | None = None
) -> Response:
    """The page of a visit, with what was typed where it is shown again."""
    record, run = record_for(desk, visit_id), desk.store.run()
    with desk.store.reading() as connection:
        told = visit_page(connection, record, run, desk.account)
    asked = asked or Asked("")
    return page(request, "visit.html", desk, status=status, error=error, asked=asked, nonce=nonce(), **told)


@router.get("/visits/{visit_id}")
def visit(request: Request, desk: TheDesk, visit_id: int) -> Response:
    """The page of a visit."""
    return show(request, desk, visit_id)


@router.post("/visits/{visit_id}/decision")
def decide(request: Request, desk: TheDesk, form: Posted, visit_id: int) -> Response:
    """Sign a decision."""
    record_for(desk, visit_id)
    desk.need("reader", "adjudicator")
    asked = asked_of(form)
    try:
        check_signature(request, desk, form.get("password"))
        with desk.store.writing() as connection:
            sign(connection, (visit_id, form.number("round")), desk.account, asked, desk.store.run().settings)
    except DecisionError as error:
        return show(request, desk, visit_id, status=422, error=f"Nothing was signed: {error}.", asked=asked)
    except RefusedError as error:
        return show(request, desk, visit_id, status=error.status, error=error.told, asked=asked)
    except IntegrityError:
        return show(request, desk, visit_id, status=409, error="This seat has signed meanwhile. Nothing was signed twice.")
    return to(f"/visits/{visit_id}")


def asked_of(form: Form) -> Asked:
    """A decision as the form brings it."""
    return Asked(form.get("kind"), form.get("call"), form.get("value"), form.get("reason"), tuple(form.all("rejected")))


@router.post("/visits/{visit_id}/recount")
def count_again(desk: TheDesk, form: Posted, visit_id: int) -> JSONResponse:
    """The visit's number without the rejected clusters; nothing is saved."""
    record = record_for(desk, visit_id)
    with desk.store.reading() as connection:
        evidence = read_evidence(connection, record.current.evidence_id)
    try:
        return JSONResponse(told_recount(evidence, form.all("rejected"), desk.store.run().settings))
    except DecisionError as error:
        return JSONResponse({"error": str(error)}, status_code=422)


@router.post("/visits/{visit_id}/comment")
def add_comment(request: Request, desk: TheDesk, form: Posted, visit_id: int) -> Response:
    """Add a comment."""
    record_for(desk, visit_id)
    desk.need("reader", "adjudicator", "admin")
    try:
        with desk.store.writing() as connection:
            comment(connection, visit_id, desk.account, form.get("text"), form.get("nonce")[:64])
    except MrdError as error:
        return show(request, desk, visit_id, status=422, error=f"{error}.")
    return to(f"/visits/{visit_id}#comments")


@router.post("/visits/{visit_id}/opening")
def open_again(request: Request, desk: TheDesk, form: Posted, visit_id: int) -> Response:
    """Open a locked visit again.

    Raises
    ------
    RefusedError
        The account is neither an admin nor the adjudicator of the visit.
    """
    record = record_for(desk, visit_id)
    if desk.account.role != "admin" and not (desk.account.role == record.seat_of(desk.account.id) == "adjudicator"):
        raise RefusedError(403, "Only its adjudicator or an admin opens a locked visit.")
    try:
        check_signature(request, desk, form.get("password"))
        with desk.store.writing() as connection:
            reopen(connection, visit_id, form.number("round"), desk.account, form.get("reason"))
    except MrdError as error:
        return show(request, desk, visit_id, status=422, error=f"It stays locked: {error}.")
    except RefusedError as error:
        return show(request, desk, visit_id, status=error.status, error=error.told)
    return to(f"/visits/{visit_id}")


def plotted(desk: Desk, visit_id: int, index: int) -> tuple[Plotted, dict[str, Any]]:
    """A tube of a visit's page, found by its place in the page's list: no name from the browser reaches a path.

    Raises
    ------
    RefusedError
        There is no such tube.
    """
    record, run = record_for(desk, visit_id), desk.store.run()
    tubes = drawn_tubes(record, run)
    if not 0 <= index < len(tubes):
        raise RefusedError(404, "There is no such tube.")
    tube = tubes[index]
    return plot_tube(desk.store.results, tube.tube_id, tube.panel, tube.artefact, run.settings.seed), asdict(tube)


@router.get("/visits/{visit_id}/tubes/{index}.json")
def tube_told(desk: TheDesk, visit_id: int, index: int) -> JSONResponse:
    """What a plot of a tube needs beside its cells."""
    drawn, tube = plotted(desk, visit_id, index)
    return JSONResponse({**drawn.told, "visit": tube["visit"]})


@router.get("/visits/{visit_id}/tubes/{index}.bin")
def tube_cells(desk: TheDesk, visit_id: int, index: int) -> Response:
    """The cells of a tube, as 32-bit numbers."""
    return Response(plotted(desk, visit_id, index)[0].data, media_type="application/octet-stream")
