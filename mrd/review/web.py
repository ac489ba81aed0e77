"""What every page shares: who asks, the form that came, the template, and how a refusal is told."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from mrd.report import numbers
from mrd.review.accounts import Account, find_account, is_password
from mrd.review.attempts import count_failure, forget_failures, is_blocked
from mrd.review.sessions import TOUCH, Session, find_session, is_csrf, touch_session
from mrd.review.signing import note
from mrd.review.store import Store

MOST_BODY = 256 * 1024
FORM_COOKIE = "mrd_form"
FILTERS = ("percent", "span", "whole", "plain", "text", "short", "threshold_text", "is_told")


class RefusedError(Exception):
    """A request that is refused, with the status and the words of its page."""

    def __init__(self, status: int, told: str) -> None:
        self.status, self.told = status, told
        super().__init__(told)


class SignInError(Exception):
    """A page that needs somebody who is signed in."""


@dataclass(frozen=True)
class Desk:
    """What a handler works with: the review, and who is signed in."""

    store: Store
    session: Session

    @property
    def account(self) -> Account:
        """Who is signed in."""
        return self.session.account

    def need(self, *roles: str) -> None:
        """Pass only where the role of whoever is signed in is one of these.

        Raises
        ------
        RefusedError
            It is not.
        """
        if self.account.role not in roles:
            raise RefusedError(403, "Your role does not open this page.")


@dataclass(frozen=True)
class Form:
    """A posted form: names to values."""

    pairs: list[tuple[str, str]]

    def get(self, name: str) -> str:
        """The value of a field; empty where it is absent."""
        return next((v for n, v in self.pairs if n == name), "")

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return [v for n, v in self.pairs if n == name]

    def number(self, name: str) -> int:
        """A field that holds a whole number.

        Raises
        ------
        RefusedError
            It does not.
        """
        text = self.get(name)
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise RefusedError(400, f"The field {name} holds no number.")
        return int(text)


def cookie_name(request: Request) -> str:
    """Name of the session cookie; the prefix makes browsers insist on HTTPS where we are behind it."""
    return "__Host-mrd_review" if request.app.state.https else "mrd_review"


def client_address(request: Request) -> str:
    """Where a request came from."""
    return request.client.host if request.client else "unknown"


def desk_of(request: Request) -> Desk:
    """Find who is signed in.

    Raises
    ------
    SignInError
        Nobody is.
    """
    store: Store = request.app.state.store
    with store.reading() as connection:
        session = find_session(connection, request.cookies.get(cookie_name(request), ""))
    if session is None:
        raise SignInError
    if time.time() - session.seen > TOUCH:
        with store.writing() as connection:
            touch_session(connection, session)
    return Desk(store, session)


async def form_of(request: Request) -> Form:
    """Read a posted form.

    Raises
    ------
    RefusedError
        It is too large, of another kind, or comes from another site.
    """
    check_origin(request.headers)
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise RefusedError(415, "This address takes a form.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            raise RefusedError(413, "The form is too large.")
    pairs = parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True, max_num_fields=5000)
    return Form([(n, v.replace("\x00", "")) for n, v in pairs])


def check_origin(headers: Mapping[str, str]) -> None:
    """Pass only what a page of ours sent, as far as the browser says.

    Raises
    ------
    RefusedError
        The browser names another site.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get("host", "")
    if foreign or site not in ("same-origin", "none"):
        raise RefusedError(403, "This form was sent from another site.")


def posted_of(desk: Annotated[Desk, Depends(desk_of)], form: Annotated[Form, Depends(form_of)]) -> Form:
    """A form that carries its session's token.

    Raises
    ------
    RefusedError
        It does not.
    """
    if not is_csrf(desk.session, form.get("csrf")):
        raise RefusedError(403, "This form does not belong to your session. Open the page again.")
    return form


TheDesk = Annotated[Desk, Depends(desk_of)]
Posted = Annotated[Form, Depends(posted_of)]
AnyForm = Annotated[Form, Depends(form_of)]


def check_signature(request: Request, desk: Desk, password: str) -> None:
    """Pass only where the password typed again is right.

    Raises
    ------
    RefusedError
        It is wrong, or was wrong too often.
    """
    if not try_password(request, desk.store, desk.account.name, password, "signature-refused"):
        raise RefusedError(403, "The password is wrong, or was wrong too often. Nothing was signed.")


def try_password(request: Request, store: Store, name: str, password: str, action: str) -> bool:
    """Check a password within the limits; an attempt counts before it is checked, so that many at once gain nothing."""
    address = client_address(request)
    with store.writing() as connection:
        blocked = is_blocked(connection, name, address)
        if not blocked:
            count_failure(connection, name, address)
    if blocked:
        return False
    with store.reading() as connection:
        right, known = is_password(connection, name, password), find_account(connection, name) is not None
    with store.writing() as connection:
        if right:
            forget_failures(connection, name, address)
        else:
            note(connection, name if known else "unknown", action, address=address)
    return right


def page(request: Request, name: str, desk: Desk | None = None, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A template as a response."""
    account = desk.account if desk else None
    told = {
        "account": account,
        "csrf": desk.session.csrf if desk else "",
        "title": request.app.state.title,
        "error": "",
        **values,
    }
    return HTMLResponse(templates().get_template(name).render(told), status_code=status)


def to(address: str) -> RedirectResponse:
    """Send the browser to a page after a form was taken."""
    return RedirectResponse(address, status_code=303)


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(name, value, httponly=True, samesite="strict", secure=request.app.state.https, path="/")


def nonce() -> str:
    """A random text that tells one form from another."""
    return secrets.token_urlsafe(24)


@cache
def templates() -> Environment:
    """The templates; every text is escaped."""
    environment = Environment(
        loader=PackageLoader("mrd.review", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({name: getattr(numbers, name) for name in FILTERS})
    return environment
