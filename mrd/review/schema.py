"""What the review keeps: every table of its database, declared once."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

ROLES = ("reader", "adjudicator", "admin", "auditor")
READERS = ("reader-1", "reader-2")
ADJUDICATOR = "adjudicator"
SEATS = (*READERS, ADJUDICATOR)
ACCEPT, OVERRIDE, REPEAT = "accept", "override", "repeat"
KINDS = (ACCEPT, OVERRIDE, REPEAT)
FIRST, REOPENED, NEW_RUN = "first", "reopened", "new-run"
CAUSES = (FIRST, REOPENED, NEW_RUN)
SEAT_ROLE = {"reader-1": "reader", "reader-2": "reader", ADJUDICATOR: "adjudicator"}
"""The role an account needs to take a seat."""

META = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _one_of(column: str, codes: tuple[str, ...]) -> CheckConstraint:
    told = ", ".join(f"'{c}'" for c in codes)
    return CheckConstraint(f"{column} IN ({told})", name=column)


ACCOUNTS = Table(
    "accounts",
    META,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("printed_name", String(120), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password", String(256), nullable=False),
    Column("active", Boolean, nullable=False),
    _one_of("role", ROLES),
)
SESSIONS = Table(
    "sessions",
    META,
    Column("digest", String(64), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("started", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("ended", Float),
)
ATTEMPTS = Table(
    "attempts",
    META,
    Column("id", Integer, primary_key=True),
    Column("target", String(160), nullable=False, index=True),
    Column("at", Float, nullable=False),
)
VISITS = Table(
    "visits",
    META,
    Column("id", Integer, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("visit", Text, nullable=False),
    UniqueConstraint("subject", "visit"),
)
EVIDENCE = Table(
    "evidence",
    META,
    Column("id", Integer, primary_key=True),
    Column("visit_id", ForeignKey("visits.id"), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("told", Text, nullable=False),
    Column("seen_at", String(20), nullable=False),
)
ROUNDS = Table(
    "rounds",
    META,
    Column("id", Integer, primary_key=True),
    Column("visit_id", ForeignKey("visits.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("evidence_id", ForeignKey("evidence.id"), nullable=False),
    Column("cause", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("printed_name", String(120), nullable=False),
    Column("opened_at", String(20), nullable=False),
    UniqueConstraint("visit_id", "number"),
    _one_of("cause", CAUSES),
)
ASSIGNMENTS = Table(
    "assignments",
    META,
    Column("id", Integer, primary_key=True),
    Column("visit_id", ForeignKey("visits.id"), nullable=False, index=True),
    Column("seat", String(16), nullable=False),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("assigned_at", String(20), nullable=False),
    _one_of("seat", SEATS),
)
DECISIONS = Table(
    "decisions",
    META,
    Column("id", Integer, primary_key=True),
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("seat", String(16), nullable=False),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("call", String(40), nullable=False),
    Column("value", Float),
    Column("reason", Text, nullable=False),
    Column("rejected", Text, nullable=False),
    Column("meaning", Text, nullable=False),
    Column("printed_name", String(120), nullable=False),
    Column("signed_at", String(20), nullable=False),
    UniqueConstraint("round_id", "seat"),
    _one_of("seat", SEATS),
    _one_of("kind", KINDS),
)
COMMENTS = Table(
    "comments",
    META,
    Column("id", Integer, primary_key=True),
    Column("visit_id", ForeignKey("visits.id"), nullable=False, index=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("printed_name", String(120), nullable=False),
    Column("text", Text, nullable=False),
    Column("nonce", String(64), nullable=False, unique=True),
    Column("written_at", String(20), nullable=False),
)
AUDIT = Table(
    "audit",
    META,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(20), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action", String(40), nullable=False),
    Column("place", String(40), nullable=False),
    Column("row_id", Integer),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

KEPT = (VISITS, EVIDENCE, ROUNDS, ASSIGNMENTS, DECISIONS, COMMENTS)
"""Tables whose rows are only ever added; each row stands in the audit log as well."""
GUARDED = (*KEPT, AUDIT)
"""Tables in which the database itself refuses UPDATE and DELETE."""
