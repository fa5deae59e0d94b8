"""Appeals: somebody says that a block was wrong."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from adapters.sql.sealed import EncryptedText

revision = "2026_11_25_appeals"
down_revision = "2026_11_24_conversations"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "appeal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("turn", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("note", EncryptedText(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("settled_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_appeal_by"), onupdate="CASCADE"),
        sa.ForeignKeyConstraint(["turn"], ["turn.id"], name=op.f("fk_appeal_turn")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
        sa.UniqueConstraint("turn", "by", name=op.f("uq_appeal_turn_by")),
    )
    op.create_index(op.f("ix_appeal_by"), "appeal", ["by"], unique=False)
    op.create_index(op.f("ix_appeal_turn"), "appeal", ["turn"], unique=False)
