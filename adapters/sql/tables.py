"""The database as SQLAlchemy sees it; `migrations/` builds it.

Times are seconds since 1970 by the *database's* clock (`clock.db_now`), but for what a platform says of its own
events. An edit or a deletion is a new `revision`: nothing that was said is overwritten.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)

from adapters.sql.sealed import EncryptedText

ID_LENGTH: Final = 200
BigId = BigInteger().with_variant(Integer, "sqlite")
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str, *rest: Any, **options: Any) -> Column[Any]:
    return Column(name, String(ID_LENGTH), *rest, **options)


def _to(table: str) -> ForeignKey:
    """References follow when a person's id is replaced on being forgotten."""
    return ForeignKey(f"{table}.id", onupdate="CASCADE")


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


platform = Table("platform", metadata, _id("id", primary_key=True))

workspace = Table(
    "workspace", metadata,
    _id("id", primary_key=True),                        # "slack:T1"
    _id("platform", _to("platform"), nullable=False),
)

channel = Table(
    "channel", metadata,
    _id("id", primary_key=True),                        # "slack:T1/C01"
    _id("workspace", _to("workspace"), nullable=False),
    Column("direct", Boolean, nullable=False),
)

person = Table(
    "person", metadata,
    _id("id", primary_key=True),                        # "slack:T1/U7"; "forgotten:..." afterwards
    _id("platform", _to("platform"), nullable=False),
    Column("name", EncryptedText),
    Column("created_at", Float, nullable=False),
)

person_key = Table(
    "person_key", metadata,
    Column("id", String(32), primary_key=True),
    _id("person", _to("person"), nullable=False, unique=True),
    Column("master", String(16), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)

membership = Table(
    "membership", metadata,
    _id("channel", _to("channel"), primary_key=True),
    _id("person", _to("person"), primary_key=True),
    Column("since", Float, nullable=False),
    Column("until", Float),
)

conversation = Table(
    "conversation", metadata,
    _id("id", primary_key=True),
    _id("channel", _to("channel"), nullable=False),
    _id("thread"),
)

event = Table(                                          # every delivery, so that a second one is known
    "event", metadata,
    _id("key", primary_key=True),
    Column("kind", String(8), nullable=False),          # said edited deleted
    _id("message", nullable=False),
    Column("received_at", Float, nullable=False, index=True),
)

message = Table(
    "message", metadata,
    _id("id", primary_key=True),
    _id("conversation", _to("conversation"), nullable=False),
    _id("author", _to("person"), nullable=False, index=True),
    Column("sent_at", Float, nullable=False),           # by the platform's clock
    Column("received_at", Float, nullable=False),
    Column("files", EncryptedText),                     # what came with it, as JSON; null: nothing
    Column("raw", EncryptedText),                       # as the platform sent it, for a replay
    Index("ix_message_conversation", "conversation", "sent_at"),
)

revision = Table(
    "revision", metadata,
    _id("message", _to("message"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(8), nullable=False),          # said edited deleted
    Column("body", EncryptedText),                      # null: a tombstone
    Column("at", Float, nullable=False),
)

turn = Table(
    "turn", metadata,
    Column("id", BigId, primary_key=True),              # order of reception
    Column("trace", String(32), nullable=False, unique=True),
    _id("message", _to("message"), nullable=False, unique=True),
    _id("conversation", _to("conversation"), nullable=False),
    _id("queue", nullable=False),                       # one running turn each: the conversation, or its notices
    _id("author", _to("person"), nullable=False),
    _id("route", nullable=False),                       # which platform can show the reply
    Column("place", JSON, nullable=False),              # ids alone: where the reply will stand
    Column("kind", String(8), nullable=False),          # answer busy quota
    Column("lane", Integer, nullable=False),
    Column("state", String(8), nullable=False),         # ready running done dead
    Column("outcome", String(10)),
    Column("worker", String(40)),
    Column("attempt", Integer, nullable=False),         # the fencing token
    Column("failures", Integer, nullable=False),
    Column("crashes", Integer, nullable=False),
    Column("not_before", Float, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("cause", String(500)),                       # for the operator; never the text of a message
    Column("stop", Boolean, nullable=False, server_default=false()),    # its person wants no more of it
    _partial("ix_turn_ready", "lane", "id", where="state = 'ready'"),
    _partial("ix_turn_open", "queue", "id", where="state = 'ready' OR state = 'running'"),
    _partial("uq_turn_running", "queue", where="state = 'running'", unique=True),
    _partial("ix_turn_dead", "id", where="state = 'dead'"),
    Index("ix_turn_conversation", "conversation", "id"),
    Index("ix_turn_author", "author", "received_at"),
)

answer = Table(                                         # the outbox: what is to stand on the platform
    "answer", metadata,
    Column("turn", BigId, ForeignKey("turn.id"), primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False),
    Column("body", EncryptedText, nullable=False),      # text and quotes, with the key of who asked
    Column("grounded", Boolean, nullable=False),
    Column("mode", String(8), nullable=False),
    Column("model", String(200)),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("dropped_marks", Integer, nullable=False),
    Column("acl", JSON, nullable=False),                # the allow-list of each passage: [["group:hr", "org"], ...]
    Column("posted", String(500)),                      # the platform's id of our post
    Column("at", Float, nullable=False),
)

citation = Table(
    "citation", metadata,
    Column("turn", BigId, ForeignKey("turn.id"), primary_key=True, autoincrement=False),
    Column("marker", Integer, primary_key=True, autoincrement=False),
    Column("passage", String(500), nullable=False, index=True),
    Column("title", String(1000), nullable=False),
    Column("url", String(4000), nullable=False),
)

decision = Table(                                       # every verdict of every guard
    "decision", metadata,
    Column("id", BigId, primary_key=True),
    Column("turn", BigId, ForeignKey("turn.id"), nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("direction", String(3), nullable=False),     # in out
    Column("guard", String(60), nullable=False),
    Column("version", String(40), nullable=False),
    Column("action", String(10), nullable=False),
    Column("rule", String(200), nullable=False),
    Column("category", String(60), nullable=False),
    Column("score", Float),
    Column("text_hash", String(64), nullable=False),    # keyed
    Column("scanned", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
    Column("at", Float, nullable=False),
)

appeal = Table(                                         # somebody says that a block was wrong
    "appeal", metadata,
    Column("id", String(32), primary_key=True),
    Column("turn", BigId, ForeignKey("turn.id"), nullable=False, index=True),
    _id("by", _to("person"), nullable=False, index=True),
    Column("note", EncryptedText),                      # with the key of who appeals
    Column("state", String(10), nullable=False),        # open upheld overturned
    Column("at", Float, nullable=False),
    Column("settled_at", Float),
    UniqueConstraint("turn", "by"),
)

worker = Table(
    "worker", metadata,
    Column("id", String(40), primary_key=True),
    Column("seen_at", Float, nullable=False),
)

rejected = Table(                                       # what a platform sent and nobody could read
    "rejected", metadata,
    Column("id", BigId, primary_key=True),
    _id("platform", nullable=False),
    Column("reason", String(500), nullable=False),
    Column("body", EncryptedText, nullable=False),
    Column("body_row", String(32), nullable=False),     # the associated data of the body
    Column("received_at", Float, nullable=False, index=True),
)

departure = Table(                                      # we were sent away from a thread, or a whole channel
    "departure", metadata,
    _id("id", primary_key=True),                        # "slack:T1/C01/1718.0042", or "slack:T1/C01"
    Column("at", Float, nullable=False),
)

heard = Table(                                          # until when nothing is missing that is not in a gap
    "heard", metadata,
    _id("workspace", primary_key=True),                 # "slack:T1"
    Column("until", Float, nullable=False),             # by the platform's clock
)

gap = Table(                                            # what may be missing of a channel
    "gap", metadata,
    _id("workspace", primary_key=True),
    _id("channel", primary_key=True),                   # the platform's own id
    Column("oldest", Float, primary_key=True, autoincrement=False),
    Column("latest", Float, nullable=False),            # moves back as the gap is filled
)

installation = Table(                                   # where an app is installed that may be in several workspaces
    "installation", metadata,
    _id("workspace", primary_key=True),                 # "slack:T1"
    _id("bot_user", nullable=False),
    _id("bot_id", nullable=False),
    Column("token", EncryptedText, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("installed_at", Float, nullable=False),
)

install_state = Table(                                  # an installation that somebody has begun
    "install_state", metadata,
    Column("state", String(64), primary_key=True),      # its hash
    Column("until", Float, nullable=False),
)

outbox = Table(                                         # our messages: noted before they are sent
    "outbox", metadata,
    Column("name", String(80), primary_key=True),       # a turn's trace, perhaps with a suffix
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("how", String(8), nullable=False),           # stream post direct private
    _id("workspace", nullable=False),                   # the platform's own id, like the three that follow
    _id("channel", nullable=False),
    _id("thread", nullable=False),
    _id("ts"),                                          # null: under way, or of unclear fate
    Column("at", Float, nullable=False),
    Index("ix_outbox_ts", "channel", "ts"),
)

ticket = Table(                                         # what the opaque id on a button stands for
    "ticket", metadata,
    Column("digest", String(64), primary_key=True),     # of the id
    Column("purpose", String(8), nullable=False),       # answer stop mine
    _id("person", nullable=False, index=True),
    Column("trace", String(32)),
    Column("at", Float, nullable=False, index=True),
)

feedback = Table(
    "feedback", metadata,
    Column("trace", String(32), primary_key=True),
    _id("person", primary_key=True),
    Column("good", Boolean, nullable=False),
    Column("at", Float, nullable=False),
)
