"""Failed sign-ins and signatures are counted per name and per address; past the limit even the right password waits."""

from __future__ import annotations

import time

from sqlalchemy import Connection, delete, func, insert, select

from mrd.review.schema import ATTEMPTS

WINDOW = 15 * 60
"""Seconds a failure counts."""
MOST_BY_NAME = 5
MOST_BY_ADDRESS = 30


def is_blocked(connection: Connection, name: str, address: str, *, now: float | None = None) -> bool:
    """Tell whether a name or an address has failed too often of late."""
    now = time.time() if now is None else now
    return (
        _count(connection, _of_name(name), now) >= MOST_BY_NAME
        or _count(connection, _of_address(address), now) >= MOST_BY_ADDRESS
    )


def count_failure(connection: Connection, name: str, address: str, *, now: float | None = None) -> None:
    """Count a failure, and forget those that are over."""
    now = time.time() if now is None else now
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.at < now - WINDOW))
    connection.execute(insert(ATTEMPTS), [{"target": t, "at": now} for t in (_of_name(name), _of_address(address))])


def forget_failures(connection: Connection, name: str, address: str) -> None:
    """Forget the failures of a name after a success, and the attempt that succeeded; those of the address stay."""
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.target == _of_name(name)))
    newest = select(func.max(ATTEMPTS.c.id)).where(ATTEMPTS.c.target == _of_address(address)).scalar_subquery()
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.id == newest))


def _count(connection: Connection, target: str, now: float) -> int:
    recent = (ATTEMPTS.c.target == target) & (ATTEMPTS.c.at >= now - WINDOW)
    return int(connection.execute(select(func.count()).where(recent)).scalar_one())


def _of_name(name: str) -> str:
    return f"name:{name[:100]}"


def _of_address(address: str) -> str:
    return f"address:{address[:100]}"
