"""The admin's pages: accounts, and who reads what."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mrd.core.errors import MrdError
from mrd.review.accounts import ADMIN, Account, add_account, change_account, change_password, list_accounts
from mrd.review.judgement import SETTLED
from mrd.review.records import Record, read_records
from mrd.review.recount import DecisionError
from mrd.review.schema import ROLES, SEAT_ROLE, SEATS
from mrd.review.seats import assign
from mrd.review.sessions import end_sessions_of
from mrd.review.web import Desk, Form, Posted, RefusedError, TheDesk, page, to

router = APIRouter()


@router.get("/people")
def people(request: Request, desk: TheDesk) -> Response:
    """Accounts, and the form to add one."""
    return _page(request, desk)


def _page(request: Request, desk: Desk, *, status: int = 200, error: str = "", done: str = "") -> Response:
    desk.need(ADMIN)
    with desk.store.reading() as connection:
        accounts = list_accounts(connection)
    free = sum(len(r.seats) < len(SEATS) for r in desk.store.records())
    return page(
        request,
        "people.html",
        desk,
        status=status,
        error=error,
        done=done,
        accounts=accounts,
        roles=ROLES,
        seats=SEAT_ROLE,
        free=free,
    )


@router.post("/people")
def add(request: Request, desk: TheDesk, form: Posted) -> Response:
    """Add an account."""
    desk.need(ADMIN)
    try:
        with desk.store.writing() as connection:
            add_account(
                connection,
                name=form.get("name").strip(),
                printed_name=form.get("printed_name"),
                role=form.get("role"),
                password=form.get("password"),
                actor=desk.account.name,
            )
    except MrdError as error:
        return _page(request, desk, status=422, error=f"{error}.")
    return to("/people")


@router.post("/people/{account_id}")
def change(request: Request, desk: TheDesk, form: Posted, account_id: int) -> Response:
    """Change an account's role, switch it off or on, or give it a new password; its sessions end.

    Raises
    ------
    RefusedError
        Only an admin may, or there is no such change or account.
    """
    desk.need(ADMIN)
    try:
        with desk.store.writing() as connection:
            account = _account(list_accounts(connection), account_id)
            if account.id == desk.account.id:
                raise DecisionError("nobody changes their own role", fix="ask another admin")
            if form.get("do") == "password":
                change_password(connection, account, form.get("password"), actor=desk.account.name)
            else:
                change_account(
                    connection, account.id, actor=desk.account.name, action="account-changed", **_change(form, account)
                )
            end_sessions_of(connection, account.id)
    except MrdError as error:
        return _page(request, desk, status=422, error=f"{error}.")
    return to("/people")


def _change(form: Form, account: Account) -> dict[str, object]:
    if form.get("do") == "switch":
        return {"active": not account.active}
    if form.get("do") == "role" and form.get("role") in ROLES:
        return {"role": form.get("role")}
    raise RefusedError(400, "There is no such change.")


def _account(accounts: list[Account], account_id: int) -> Account:
    found = next((a for a in accounts if a.id == account_id), None)
    if found is None:
        raise RefusedError(404, "There is no such account.")
    return found


@router.post("/seats")
def seats(request: Request, desk: TheDesk, form: Posted) -> Response:
    """Give the free seats of all visits, or the seats of one visit, to the people chosen."""
    desk.need(ADMIN)
    chosen = {s: form.number(s) for s in SEATS if form.get(s)}
    one = form.number("visit") if form.get("visit") else None
    try:
        with desk.store.writing() as connection:
            accounts = list_accounts(connection)
            people = {s: _account(accounts, i) for s, i in chosen.items()}
            for record in read_records(connection, one):
                for seat, account in _open_seats(record, people, everything=one is not None).items():
                    assign(connection, record, seat, account, actor=desk.account.name)
    except MrdError as error:
        return _page(request, desk, status=422, error=f"{error}.")
    return to(f"/visits/{one}" if one is not None else "/people")


def _open_seats(record: Record, people: Mapping[str, Account], *, everything: bool) -> dict[str, Account]:
    """The seats to give: of a single visit all that were chosen; of all visits those still free and not settled."""
    if everything:
        return dict(people)
    return {s: a for s, a in people.items() if s not in record.seats and record.state != SETTLED}
