"""Which files came with the messages of a conversation, from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_, func, select

from adapters.sql.database import Database
from adapters.sql.rows import files_of, files_row
from adapters.sql.sealed import Keyring, Unreadable, WrappedKey
from adapters.sql.tables import message, person_key, revision
from engine.messages import ConversationId, File, MessageId


@dataclass(frozen=True, slots=True)
class SqlAttached:
    """The files of conversations."""

    database: Database
    keyring: Keyring

    async def __call__(self, conversation: ConversationId, limit: int) -> Sequence[tuple[MessageId, tuple[File, ...]]]:
        """With which message which came, the latest ``limit`` messages that brought some, the latest first; none that
        was taken back, or whose sender was forgotten. Raises `StoreUnavailable`.
        """
        found: list[tuple[MessageId, tuple[File, ...]]] = []
        for row in await self.database.read(partial(_sent, conversation, limit)):
            key = self.keyring.unwrap(WrappedKey(row.key_id, row.master, row.wrapped))
            try:
                found.append((MessageId(row.id), files_of(key.open(row.files, files_row(row.id)))))
            except Unreadable:          # sealed for the same person before a forgetting
                continue
        return found


def _sent(conversation: str, limit: int, connection: Connection) -> list[Any]:
    newer = revision.alias()
    last = select(func.max(newer.c.n)).where(newer.c.message == message.c.id).correlate(message).scalar_subquery()
    return list(connection.execute(
        select(message.c.id, message.c.files, person_key.c.id.label("key_id"), person_key.c.master,
               person_key.c.wrapped)
        .join_from(message, revision, and_(revision.c.message == message.c.id, revision.c.n == last))
        .join(person_key, person_key.c.person == message.c.author)
        .where(message.c.conversation == conversation, message.c.files.is_not(None), revision.c.kind != "deleted")
        .order_by(message.c.sent_at.desc(), message.c.id.desc())
        .limit(limit)
    ))
