"""What came with a message, and how far a platform was heard: files, raw events, threads left, gaps, installations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from adapters.sql.sealed import EncryptedText

revision = "2026_11_26_hearing"
down_revision = "2026_11_25_appeals"


def upgrade() -> None:
    """Apply."""
    op.add_column("message", sa.Column("files", EncryptedText(), nullable=True))
    op.add_column("message", sa.Column("raw", EncryptedText(), nullable=True))
    op.create_index("ix_message_conversation", "message", ["conversation", "sent_at"], unique=False)
    op.create_table(
        "departure",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure")),
    )
    op.create_table(
        "heard",
        sa.Column("workspace", sa.String(length=200), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", name=op.f("pk_heard")),
    )
    op.create_table(
        "gap",
        sa.Column("workspace", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("oldest", sa.Float(), nullable=False),
        sa.Column("latest", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "channel", "oldest", name=op.f("pk_gap")),
    )
    op.create_table(
        "installation",
        sa.Column("workspace", sa.String(length=200), nullable=False),
        sa.Column("bot_user", sa.String(length=200), nullable=False),
        sa.Column("bot_id", sa.String(length=200), nullable=False),
        sa.Column("token", EncryptedText(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("installed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", name=op.f("pk_installation")),
    )
    op.create_table(
        "install_state",
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_install_state")),
    )
