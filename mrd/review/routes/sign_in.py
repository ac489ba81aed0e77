"""Signing in and out, and changing one's own password."""

from __future__ import annotations

import hmac
import re

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mrd.review.accounts import AccountError, change_password, find_account
from mrd.review.sessions import end_session, end_sessions_of, start_session
from mrd.review.signing import note
from mrd.review.web import (
    FORM_COOKIE,
    AnyForm,
    Posted,
    RefusedError,
    TheDesk,
    check_signature,
    cookie_name,
    nonce,
    page,
    set_cookie,
    to,
    try_password,
)

router = APIRouter()
NEXT = re.compile(r"/visits/[0-9]{1,9}")
"""Where a person may be sent after signing in."""
WRONG = "Name or password is wrong, or there were too many attempts: wait 15 minutes."


@router.get("/sign-in")
def ask(request: Request, next: str = "") -> Response:  # noqa: A002
    """The sign-in form."""
    return _form(request, next)


def _form(request: Request, onward: str, *, status: int = 200, error: str = "") -> Response:
    token = nonce()
    response = page(
        request, "sign_in.html", status=status, error=error, token=token, next=onward if NEXT.fullmatch(onward) else ""
    )
    set_cookie(request, response, FORM_COOKIE, token)
    return response


@router.post("/sign-in")
def sign_in(request: Request, form: AnyForm) -> Response:
    """Start a session where name and password are right.

    Raises
    ------
    RefusedError
        The account went while the password was looked at.
    """
    kept, given = request.cookies.get(FORM_COOKIE, ""), form.get("token")
    if not kept or not hmac.compare_digest(kept.encode(), given.encode()):
        return _form(request, form.get("next"), status=403, error="The form was too old. Sign in again.")
    name, store = form.get("name").strip().lower(), request.app.state.store
    if not try_password(request, store, name, form.get("password"), "sign-in-refused"):
        return _form(request, form.get("next"), status=403, error=WRONG)
    with store.writing() as connection:
        account = find_account(connection, name)
        if account is None:
            raise RefusedError(403, WRONG)
        token = start_session(connection, account.id)
        note(connection, name, "signed-in")
    response = to(form.get("next") if NEXT.fullmatch(form.get("next")) else "/")
    set_cookie(request, response, cookie_name(request), token)
    response.delete_cookie(FORM_COOKIE, path="/")
    return response


@router.post("/sign-out")
def sign_out(request: Request, desk: TheDesk, _: Posted) -> Response:
    """End the session; its cookie is worth nothing afterwards."""
    with desk.store.writing() as connection:
        end_session(connection, desk.session.digest)
        note(connection, desk.account.name, "signed-out")
    response = to("/sign-in")
    response.delete_cookie(cookie_name(request), path="/")
    return response


@router.get("/password")
def password(request: Request, desk: TheDesk) -> Response:
    """The form to change one's own password."""
    return page(request, "password.html", desk)


@router.post("/password")
def new_password(request: Request, desk: TheDesk, form: Posted) -> Response:
    """Change one's own password; every session of the account ends, this one too."""
    check_signature(request, desk, form.get("password"))
    if form.get("new") != form.get("again"):
        return page(request, "password.html", desk, status=422, error="The two new passwords differ.")
    try:
        with desk.store.writing() as connection:
            change_password(connection, desk.account, form.get("new"), actor=desk.account.name)
            end_sessions_of(connection, desk.account.id)
    except AccountError as error:
        return page(request, "password.html", desk, status=422, error=f"{error}.")
    return to("/sign-in")
