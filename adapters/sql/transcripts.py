"""What people said in one place, from the store: nothing that was taken back, and nothing of who was forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from adapters.sql.database import Database
from adapters.sql.rows import utc
from adapters.sql.sealed import Keyring, Unreadable, WrappedKey
from adapters.sql.statements import ASKED_IN_PRIVATE
from adapters.sql.tables import conversation, message, person, person_key, revision
from engine.messages import Passage, PassageId, Place


@dataclass(frozen=True, slots=True)
class SqlTranscripts:
    """Implements the engine's `Transcripts`."""

    database: Database
    keyring: Keyring

    async def said(self, place: Place, limit: int) -> Sequence[Passage]:
        """As the port says."""
        room = f"{place.platform}:{place.workspace}/{place.channel}"
        rows = await self.database.read(partial(_said, room, place.thread, limit))
        acl = frozenset({f"channel:{room}"})
        return [passage for row in rows if (passage := self._passage(row, acl))]

    def _passage(self, row: Any, acl: frozenset[str]) -> Passage | None:
        key = self.keyring.unwrap(WrappedKey(row.key_id, row.master, row.wrapped))
        try:
            words = key.open(row.body, f"revision/{row.id}/{row.n}")
            name = key.open(row.name, f"person/{row.author}") if row.name else row.author.rpartition("/")[2]
        except Unreadable:              # sealed for the same person before a forgetting
            return None
        if not words.strip():
            return None
        return Passage(PassageId(row.id), words, name, "", acl=acl, date=utc(row.sent_at))


def _said(room: str, thread: str | None, limit: int, connection: Connection) -> list[Any]:
    """The latest messages, and the first one of a thread; oldest first."""
    latest = _rows(connection, room, thread, limit, newest=True)[::-1]
    if thread is None or len(latest) < limit:
        return latest
    return _rows(connection, room, thread, 1, newest=False) + latest[1:]


def _rows(connection: Connection, room: str, thread: str | None, limit: int, *, newest: bool) -> list[Any]:
    newer = revision.alias()
    last = select(func.max(newer.c.n)).where(newer.c.message == message.c.id).correlate(message).scalar_subquery()
    order = (message.c.sent_at, message.c.id)
    return list(connection.execute(
        select(
            message.c.id, message.c.author, message.c.sent_at, person.c.name, revision.c.n, revision.c.body,
            person_key.c.id.label("key_id"), person_key.c.master, person_key.c.wrapped,
        )
        .join_from(message, revision, and_(revision.c.message == message.c.id, revision.c.n == last))
        .join(conversation, conversation.c.id == message.c.conversation)
        .join(person, person.c.id == message.c.author)
        .join(person_key, person_key.c.person == message.c.author)
        .where(conversation.c.channel == room, ~ASKED_IN_PRIVATE, *_of(thread))
        .where(revision.c.kind != "deleted", revision.c.body.is_not(None))
        .order_by(*(column.desc() for column in order) if newest else order)
        .limit(limit)
    ))


def _of(thread: str | None) -> Sequence[ColumnElement[bool]]:
    return [conversation.c.thread == thread] if thread is not None else []
