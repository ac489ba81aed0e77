"""Accounts: who may do what, with passwords that only argon2 can check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, insert, select, update

from mrd.core.digest import digest_bytes
from mrd.core.errors import MrdError
from mrd.review.audit import append_entry
from mrd.review.schema import ACCOUNTS, ROLES

LEAST_PASSWORD = 12
MOST_PASSWORD = 200
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
ADMIN = "admin"
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's parameters for argon2id."""


class AccountError(MrdError):
    """An account that cannot be made, or changed, as asked."""


@dataclass(frozen=True)
class Account:
    """A person with a role."""

    id: int
    name: str
    printed_name: str
    role: str
    active: bool


def check_name(name: str) -> str:
    """Return a sign-in name as it was given.

    Raises
    ------
    AccountError
        It has letters that a sign-in name cannot have.
    """
    if not NAME.fullmatch(name):
        raise AccountError(f"'{name}' cannot be a sign-in name", fix="use 2 to 64 of a-z 0-9 . _ -, a letter or number first")
    return name


def check_password(password: str, *, name: str) -> str:
    """Return a password as it was given.

    Raises
    ------
    AccountError
        It is too short, too long, one repeated letter, or the name.
    """
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise AccountError(f"a password has {LEAST_PASSWORD} to {MOST_PASSWORD} characters", fix="choose another one")
    if len(set(password)) < 5 or name in password.lower():
        raise AccountError(
            "this password is too easy to guess", fix="choose one without your name and with more different letters"
        )
    return password


def add_account(connection: Connection, *, name: str, printed_name: str, role: str, password: str, actor: str) -> int:
    """Add an account and return its id.

    Raises
    ------
    AccountError
        The name is taken, or something of it cannot be.
    """
    printed = " ".join(printed_name.split())
    if not printed or len(printed) > 120:
        raise AccountError("a printed name has 1 to 120 characters", fix="give the name as it stands under a signature")
    if role not in ROLES:
        raise AccountError(f"'{role}' is not a role", fix=f"use one of {', '.join(ROLES)}")
    check_password(password, name=check_name(name))
    if find_account(connection, name) is not None:
        raise AccountError(f"there is an account {name} already", fix="choose another name")
    values = {"name": name, "printed_name": printed, "role": role, "password": HASHER.hash(password), "active": True}
    made = connection.execute(insert(ACCOUNTS).values(**values)).inserted_primary_key
    _log(connection, int(made[0]) if made else 0, actor=actor, action="account-added")
    return int(made[0]) if made else 0


def change_account(connection: Connection, account_id: int, *, actor: str, action: str, **values: Any) -> None:
    """Change columns of an account; the log keeps both states.

    Raises
    ------
    AccountError
        The last active admin would be gone, or there is no such account.
    """
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(**values))
    if count_admins(connection) == 0:
        raise AccountError("this is the last active admin", fix="make another admin first")
    _log(connection, account_id, actor=actor, action=action)


def change_password(connection: Connection, account: Account, password: str, *, actor: str) -> None:
    """Give an account a new password.

    Raises
    ------
    AccountError
        The password cannot be used.
    """
    check_password(password, name=account.name)
    change_account(connection, account.id, actor=actor, action="password-changed", password=HASHER.hash(password))


def _log(connection: Connection, account_id: int, *, actor: str, action: str) -> None:
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == account_id)).mappings().first()
    if row is None:
        raise AccountError(f"there is no account {account_id}")
    append_entry(connection, actor=actor, action=action, place=ACCOUNTS.name, row_id=account_id, body=account_body(dict(row)))


def account_body(row: dict[str, Any]) -> dict[str, Any]:
    """An account as the log keeps it: of its password only a digest of the argon2 hash, which cannot be attacked faster."""
    return {**row, "password": digest_bytes(str(row["password"]).encode())}


def count_admins(connection: Connection) -> int:
    """Count the active admins."""
    active = select(ACCOUNTS.c.id).where(ACCOUNTS.c.role == ADMIN, ACCOUNTS.c.active)
    return len(connection.execute(active).all())


def find_account(connection: Connection, name: str) -> Account | None:
    """Find an account by its sign-in name."""
    row = connection.execute(select(*PUBLIC).where(ACCOUNTS.c.name == name)).mappings().first()
    return Account(**row) if row else None


def list_accounts(connection: Connection) -> list[Account]:
    """List the accounts by name."""
    return [Account(**row) for row in connection.execute(select(*PUBLIC).order_by(ACCOUNTS.c.name)).mappings()]


PUBLIC = tuple(c for c in ACCOUNTS.c if c.name != "password")


def is_password(connection: Connection, name: str, password: str) -> bool:
    """Tell whether a password is that of an active account; an unknown name takes as long as a wrong password."""
    row = connection.execute(select(ACCOUNTS.c.password, ACCOUNTS.c.active).where(ACCOUNTS.c.name == name)).first()
    kept = row.password if row else _decoy()
    try:
        right = len(password) <= MOST_PASSWORD and HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        right = False
    return bool(right and row is not None and row.active)


@cache
def _decoy() -> str:
    return HASHER.hash("nobody has this password")
