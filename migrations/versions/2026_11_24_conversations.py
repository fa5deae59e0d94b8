"""Conversations, the durable queue, answers, verdicts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from adapters.sql.sealed import EncryptedText

revision = "2026_11_24_conversations"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "event",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("message", sa.String(length=200), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_received_at"), "event", ["received_at"], unique=False)
    op.create_table(
        "platform",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform")),
    )
    op.create_table(
        "rejected",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("body", EncryptedText(), nullable=False),
        sa.Column("body_row", sa.String(length=32), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected")),
    )
    op.create_index(op.f("ix_rejected_received_at"), "rejected", ["received_at"], unique=False)
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("platform", sa.String(length=200), nullable=False),
        sa.Column("name", EncryptedText(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["platform"], ["platform.id"], name=op.f("fk_person_platform"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("platform", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["platform"], ["platform.id"], name=op.f("fk_workspace_platform"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace")),
    )
    op.create_table(
        "channel",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("workspace", sa.String(length=200), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"], name=op.f("fk_channel_workspace"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
    )
    op.create_table(
        "person_key",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("master", sa.String(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_person_key_person"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_key")),
        sa.UniqueConstraint("person", name=op.f("uq_person_key_person")),
    )
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("thread", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["channel"], ["channel.id"], name=op.f("fk_conversation_channel"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
    )
    op.create_table(
        "membership",
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["channel"], ["channel.id"], name=op.f("fk_membership_channel"), onupdate="CASCADE"),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_membership_person"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("channel", "person", name=op.f("pk_membership")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("conversation", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["author"], ["person.id"], name=op.f("fk_message_author"), onupdate="CASCADE"),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversation.id"], name=op.f("fk_message_conversation"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_author"), "message", ["author"], unique=False)
    op.create_table(
        "revision",
        sa.Column("message", sa.String(length=200), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("body", EncryptedText(), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_revision_message"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("message", "n", name=op.f("pk_revision")),
    )
    op.create_table(
        "turn",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("trace", sa.String(length=32), nullable=False),
        sa.Column("message", sa.String(length=200), nullable=False),
        sa.Column("conversation", sa.String(length=200), nullable=False),
        sa.Column("queue", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("place", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("worker", sa.String(length=40), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.Float(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("cause", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["author"], ["person.id"], name=op.f("fk_turn_author"), onupdate="CASCADE"),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversation.id"], name=op.f("fk_turn_conversation"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_turn_message"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turn")),
        sa.UniqueConstraint("message", name=op.f("uq_turn_message")),
        sa.UniqueConstraint("trace", name=op.f("uq_turn_trace")),
    )
    op.create_index("ix_turn_author", "turn", ["author", "received_at"], unique=False)
    op.create_index("ix_turn_conversation", "turn", ["conversation", "id"], unique=False)
    op.create_index(
        "ix_turn_dead",
        "turn",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_turn_open",
        "turn",
        ["queue", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'ready' OR state = 'running'"),
        postgresql_where=sa.text("state = 'ready' OR state = 'running'"),
    )
    op.create_index(
        "ix_turn_ready",
        "turn",
        ["lane", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "uq_turn_running",
        "turn",
        ["queue"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "answer",
        sa.Column("turn", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("body", EncryptedText(), nullable=False),
        sa.Column("grounded", sa.Boolean(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cached_tokens", sa.Integer(), nullable=False),
        sa.Column("dropped_marks", sa.Integer(), nullable=False),
        sa.Column("acl", sa.JSON(), nullable=False),
        sa.Column("posted", sa.String(length=500), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["turn"], ["turn.id"], name=op.f("fk_answer_turn")),
        sa.PrimaryKeyConstraint("turn", name=op.f("pk_answer")),
    )
    op.create_table(
        "citation",
        sa.Column("turn", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("marker", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("passage", sa.String(length=500), nullable=False),
        sa.Column("title", sa.String(length=1000), nullable=False),
        sa.Column("url", sa.String(length=4000), nullable=False),
        sa.ForeignKeyConstraint(["turn"], ["turn.id"], name=op.f("fk_citation_turn")),
        sa.PrimaryKeyConstraint("turn", "marker", name=op.f("pk_citation")),
    )
    op.create_index(op.f("ix_citation_passage"), "citation", ["passage"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("turn", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("guard", sa.String(length=60), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("scanned", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["turn"], ["turn.id"], name=op.f("fk_decision_turn")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_turn"), "decision", ["turn"], unique=False)
