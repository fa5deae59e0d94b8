"""What was said, what its buttons stand for, what people thought of it, and turns that are to stop."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_speaking"
down_revision = "2026_11_26_hearing"


def upgrade() -> None:
    """Apply."""
    op.add_column("turn", sa.Column("stop", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "outbox",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("workspace", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("thread", sa.String(length=200), nullable=False),
        sa.Column("ts", sa.String(length=200), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", "part", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_ts", "outbox", ["channel", "ts"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("trace", sa.String(length=32), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ticket")),
    )
    op.create_index(op.f("ix_ticket_person"), "ticket", ["person"], unique=False)
    op.create_index(op.f("ix_ticket_at"), "ticket", ["at"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("trace", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("trace", "person", name=op.f("pk_feedback")),
    )
