"""The first tables, with the guards of those that only grow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mrd.review.guards import guard_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GUARDED = ("visits", "evidence", "rounds", "assignments", "decisions", "comments", "audit")


def _one_of(table: str, column: str, *codes: str) -> sa.CheckConstraint:
    told = ", ".join(f"'{c}'" for c in codes)
    return sa.CheckConstraint(f"{column} IN ({told})", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    """Make the tables, then guard them."""
    _people()
    _visits()
    _assignments()
    _decisions()
    _comments()
    _audit()
    for table in GUARDED:
        for statement in guard_statements(op.get_context().dialect.name, table):
            op.execute(statement)


def downgrade() -> None:
    """Refused: signed records are not dropped.

    Raises
    ------
    NotImplementedError
        Always.
    """
    raise NotImplementedError("the review's records are never dropped; restore a backup instead")


def _people() -> None:
    """Accounts, their sessions, and failed sign-ins."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.Column("name", sa.String(64), nullable=False),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
        sa.Column("printed_name", sa.String(120), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(256), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        _one_of("accounts", "role", "reader", "adjudicator", "admin", "auditor"),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id", name=op.f("fk_sessions_account_id")), nullable=False),
        sa.Column("started", sa.Float, nullable=False),
        sa.Column("seen", sa.Float, nullable=False),
        sa.Column("ended", sa.Float),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.Column("target", sa.String(160), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index(op.f("ix_attempts_target"), "attempts", ["target"])


def _visits() -> None:
    """What is judged, and on which evidence."""
    op.create_table(
        "visits",
        sa.Column("id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("visit", sa.Text, nullable=False),
        sa.UniqueConstraint("subject", "visit", name=op.f("uq_visits_subject_visit")),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.Column("visit_id", sa.Integer, sa.ForeignKey("visits.id", name=op.f("fk_evidence_visit_id")), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("seen_at", sa.String(20), nullable=False),
    )
    op.create_index(op.f("ix_evidence_visit_id"), "evidence", ["visit_id"])
    op.create_table(
        "rounds",
        sa.Column("id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        sa.Column("visit_id", sa.Integer, sa.ForeignKey("visits.id", name=op.f("fk_rounds_visit_id")), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("evidence_id", sa.Integer, sa.ForeignKey("evidence.id", name=op.f("fk_rounds_evidence_id")), nullable=False),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("printed_name", sa.String(120), nullable=False),
        sa.Column("opened_at", sa.String(20), nullable=False),
        sa.UniqueConstraint("visit_id", "number", name=op.f("uq_rounds_visit_id_number")),
        _one_of("rounds", "cause", "first", "reopened", "new-run"),
    )


def _assignments() -> None:
    """Who judges."""
    op.create_table(
        "assignments",
        sa.Column("id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
        sa.Column("visit_id", sa.Integer, sa.ForeignKey("visits.id", name=op.f("fk_assignments_visit_id")), nullable=False),
        sa.Column("seat", sa.String(16), nullable=False),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id", name=op.f("fk_assignments_account_id")), nullable=False),
        sa.Column("assigned_at", sa.String(20), nullable=False),
        _one_of("assignments", "seat", "reader-1", "reader-2", "adjudicator"),
    )
    op.create_index(op.f("ix_assignments_visit_id"), "assignments", ["visit_id"])


def _decisions() -> None:
    """What was decided."""
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.Column("round_id", sa.Integer, sa.ForeignKey("rounds.id", name=op.f("fk_decisions_round_id")), nullable=False),
        sa.Column("seat", sa.String(16), nullable=False),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id", name=op.f("fk_decisions_account_id")), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("call", sa.String(40), nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rejected", sa.Text, nullable=False),
        sa.Column("meaning", sa.Text, nullable=False),
        sa.Column("printed_name", sa.String(120), nullable=False),
        sa.Column("signed_at", sa.String(20), nullable=False),
        sa.UniqueConstraint("round_id", "seat", name=op.f("uq_decisions_round_id_seat")),
        _one_of("decisions", "seat", "reader-1", "reader-2", "adjudicator"),
        _one_of("decisions", "kind", "accept", "override", "repeat"),
    )


def _comments() -> None:
    """What was said."""
    op.create_table(
        "comments",
        sa.Column("id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
        sa.Column("visit_id", sa.Integer, sa.ForeignKey("visits.id", name=op.f("fk_comments_visit_id")), nullable=False),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id", name=op.f("fk_comments_account_id")), nullable=False),
        sa.Column("printed_name", sa.String(120), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.UniqueConstraint("nonce", name=op.f("uq_comments_nonce")),
        sa.Column("written_at", sa.String(20), nullable=False),
    )
    op.create_index(op.f("ix_comments_visit_id"), "comments", ["visit_id"])


def _audit() -> None:
    """The log of it all."""
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sa.Column("at", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("place", sa.String(40), nullable=False),
        sa.Column("row_id", sa.Integer),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
