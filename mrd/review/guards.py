"""Triggers with which the database itself refuses to change or delete what may only be added."""

from __future__ import annotations

from sqlalchemy import Connection, text

REFUSAL = "rows of {table} are never changed or deleted"


def guard_statements(dialect: str, table: str) -> list[str]:
    """The statements that guard one table."""
    return GUARDS[dialect](table)


def _sqlite(table: str) -> list[str]:
    told = REFUSAL.format(table=table)
    return [
        f"CREATE TRIGGER guard_{table}_{verb.lower()} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{told}'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def _postgresql(table: str) -> list[str]:
    told = REFUSAL.format(table=table)
    function = (
        f"CREATE FUNCTION guard_{table}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{told}'; RETURN NULL; END $$"
    )
    rows = f"CREATE TRIGGER guard_{table}_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION guard_{table}()"
    whole = f"CREATE TRIGGER guard_{table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION guard_{table}()"
    return [function, rows, whole]


GUARDS = {"sqlite": _sqlite, "postgresql": _postgresql}
NAMES = {"sqlite": ("update", "delete"), "postgresql": ("rows", "whole")}
LISTED = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
}


def missing_guards(connection: Connection, tables: tuple[str, ...]) -> list[str]:
    """Triggers that should be there and are not, or are switched off."""
    dialect = connection.dialect.name
    there = set(connection.execute(text(LISTED[dialect])).scalars())
    wanted = [f"guard_{table}_{name}" for table in tables for name in NAMES[dialect]]
    return [name for name in wanted if name not in there]
