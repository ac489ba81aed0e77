"""The review's database: SQLite beside the results by default, PostgreSQL by URL; opened, migrated, written in turn."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from mrd.core.errors import FileError, SettingsError

ENVIRONMENT = "MRD_REVIEW_DATABASE"
"""Environment variable with the URL of a PostgreSQL database; a URL holds a password and never enters a command line."""
DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+pg8000",
    "postgres": "postgresql+pg8000",
    "postgresql+pg8000": "postgresql+pg8000",
}
CHAIN_LOCK = 7_203_911
"""Number of the lock that PostgreSQL writers take in turn, so that the audit log stays one chain."""
PATIENCE = 20
"""Seconds a writer waits for another."""


def sqlite_url(results: Path) -> str:
    """Where the review of a run is kept unless a URL is given."""
    return f"sqlite:///{(review_folder(results) / 'review.sqlite').resolve()}"


def review_folder(results: Path) -> Path:
    """Folder of everything the review keeps beside a run."""
    return results / "review"


def open_engine(url: str) -> Engine:
    """Open an engine on a database and bring its tables up to date.

    Raises
    ------
    SettingsError
        The URL is not one of SQLite or PostgreSQL.
    FileError
        The database cannot be reached.
    """
    engine = connect_engine(url)
    try:
        migrate(engine)
    except SQLAlchemyError as error:
        cause = str(error.__cause__ or error).splitlines()[0]
        told = f"the database cannot be used ({cause})"
        raise FileError(told, where=engine.url.render_as_string(), fix=f"check {ENVIRONMENT}") from None
    return engine


def connect_engine(url: str) -> Engine:
    """Open an engine on a database as it is.

    Raises
    ------
    SettingsError
        The URL is not one of SQLite or PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError("not a database URL", where=ENVIRONMENT, fix="give postgresql://USER:PASSWORD@HOST/NAME") from None
    driver = DRIVERS.get(parsed.drivername)
    if driver is None:
        raise SettingsError(
            f"{parsed.drivername} is not supported", where=ENVIRONMENT, fix="give a postgresql:// or sqlite:/// URL"
        )
    if driver.startswith("sqlite"):
        return _sqlite_engine(parsed.set(drivername=driver))
    return create_engine(parsed.set(drivername=driver), pool_size=10, max_overflow=20, pool_pre_ping=True)


def _sqlite_engine(url: Any) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        Path(url.database).touch(mode=0o600)  # it holds password hashes: nobody else reads it
    engine = create_engine(url, connect_args={"timeout": PATIENCE}, pool_size=10, max_overflow=50)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """Durable writes, readers beside a writer, foreign keys; transactions begin where we say so, not the driver."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("mrd_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest version; a second process waits until the first is done."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # before the import, which tells of its plugins
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "mrd.review:migrations")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes; writers take turns, and what one did stands whole or not at all."""
    with engine.connect().execution_options(mrd_writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": CHAIN_LOCK})
        yield connection
