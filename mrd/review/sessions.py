"""Sessions: a random token in a cookie, of which the server keeps a digest; ended by sign-out, by idling and by age."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from mrd.review.accounts import PUBLIC, Account
from mrd.review.schema import ACCOUNTS, SESSIONS

IDLE = 30 * 60
"""Seconds without a request after which a session ends."""
LONGEST = 12 * 60 * 60
"""Seconds after which a session ends whatever happens."""
TOUCH = 60
"""Seconds between notes of when a session was last seen; not every page view needs a write."""


@dataclass(frozen=True)
class Session:
    """A signed-in person; `digest` names the session, `csrf` is what its forms must carry."""

    account: Account
    digest: str
    csrf: str
    seen: float


def start_session(connection: Connection, account_id: int, *, now: float | None = None) -> str:
    """Start a session, drop long-dead ones, and return its token."""
    now = time.time() if now is None else now
    token = secrets.token_urlsafe(32)
    connection.execute(delete(SESSIONS).where(SESSIONS.c.started < now - 2 * LONGEST))
    connection.execute(insert(SESSIONS).values(digest=_digest(token), account_id=account_id, started=now, seen=now))
    return token


def find_session(connection: Connection, token: str, *, now: float | None = None) -> Session | None:
    """Find the live session of a token whose account is still active."""
    now = time.time() if now is None else now
    columns = [SESSIONS.c.digest, SESSIONS.c.seen, SESSIONS.c.started, SESSIONS.c.ended, *PUBLIC]
    joined = select(*columns).join(ACCOUNTS, ACCOUNTS.c.id == SESSIONS.c.account_id)
    row = connection.execute(joined.where(SESSIONS.c.digest == _digest(token))).mappings().first()
    if row is None or row["ended"] is not None or not row["active"]:
        return None
    if now - row["seen"] > IDLE or now - row["started"] > LONGEST:
        return None
    account = Account(**{c.name: row[c.name] for c in PUBLIC})
    return Session(account, row["digest"], csrf_token(token), row["seen"])


def touch_session(connection: Connection, session: Session, *, now: float | None = None) -> None:
    """Note that a session was seen."""
    now = time.time() if now is None else now
    connection.execute(update(SESSIONS).where(SESSIONS.c.digest == session.digest).values(seen=now))


def end_session(connection: Connection, digest: str) -> None:
    """End one session; its token is worth nothing from here on."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.digest == digest).values(ended=time.time()))


def end_sessions_of(connection: Connection, account_id: int) -> None:
    """End every session of an account."""
    alive = (SESSIONS.c.account_id == account_id) & SESSIONS.c.ended.is_(None)
    connection.execute(update(SESSIONS).where(alive).values(ended=time.time()))


def csrf_token(token: str) -> str:
    """What the forms of a session carry: only who holds the cookie's token can tell it."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def is_csrf(session: Session, given: str) -> bool:
    """Tell whether a form carries its session's token."""
    return hmac.compare_digest(session.csrf.encode(), given.encode())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
