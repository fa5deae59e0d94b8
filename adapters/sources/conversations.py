"""The channels of the conversation store: what people said there and did not take back.

A thread is a page; what is said outside of threads is a page a week. Direct conversations are nobody's knowledge. The
store speaks asyncio and a source blocks, so the questions travel from the sync's worker thread to the loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection, and_, func, select

from adapters.sql.database import Database
from adapters.sql.rows import utc
from adapters.sql.sealed import Keyring, MasterKeyError, WrappedKey
from adapters.sql.sealed import Unreadable as Sealed
from adapters.sql.statements import ASKED_IN_PRIVATE
from adapters.sql.tables import channel, conversation, message, person, person_key, revision
from engine.errors import StoreUnavailable
from engine.messages import MessageId
from engine.rag.page import Entry, Form, Listed, Page, Unreadable

T = TypeVar("T")
BATCH: Final = 500              # messages of one question to the database
PATIENCE: Final = 120.0         # seconds for one
_EMPTY: Final = re.compile(r"\n\s*\n")         # stands between messages, so not inside of one


class _Line(NamedTuple):
    """One message, without its words."""

    id: str
    n: int                      # its latest revision
    sent_at: float
    key: str                    # of its author; gone when that person was forgotten


def _nowhere(message_id: MessageId) -> str:
    """No platform has told how its messages are opened."""
    del message_id
    return ""


@dataclass(frozen=True, slots=True)
class Conversations(Listed):
    """A source. ``permalink``: where a reader opens a message; "" where that is not known."""

    database: Database
    keyring: Keyring
    loop: asyncio.AbstractEventLoop
    permalink: Callable[[MessageId], str] = _nowhere
    name: str = "conversations"
    _pages: dict[str, list[_Line]] = field(default_factory=dict, compare=False)

    def listing(self) -> Iterator[Entry | Unreadable]:
        """Every thread and every channel's week, with the channel's own label."""
        try:
            rows = self._asked(self.database.read(_lines))
        except (StoreUnavailable, TimeoutError) as error:
            yield Unreadable("", f"the store does not answer: {type(error).__name__}")
            return
        self._pages.clear()
        rooms: dict[str, str] = {}
        for row in rows:
            path = _path(row.channel, row.thread, row.sent_at)
            rooms[path] = row.channel
            self._pages.setdefault(path, []).append(_Line(row.id, row.n, row.sent_at, row.key))
        for path, lines in sorted(self._pages.items()):
            stamp = hashlib.sha256("\0".join(f"{line.id} {line.n} {line.key}" for line in lines).encode()).hexdigest()
            yield Entry(path, stamp, self.permalink(MessageId(lines[0].id)), frozenset({f"channel:{rooms[path]}"}))

    def read(self, path: str) -> Page | Unreadable:
        """The words of one page; what was deleted or forgotten meanwhile is left out."""
        lines = self._pages.get(path, [])
        said: dict[str, str] = {}
        room = ""
        try:
            for at in range(0, len(lines), BATCH):
                ids = [line.id for line in lines[at : at + BATCH]]
                for row in self._asked(self.database.read(partial(_words, ids))):
                    room = row.channel
                    if text := self._text(row):
                        said[row.id] = text
        except (StoreUnavailable, TimeoutError) as error:
            return Unreadable(path, f"the store does not answer: {type(error).__name__}")
        left = [line for line in lines if line.id in said]      # none: an empty page, which nothing finds
        date = utc(max(line.sent_at for line in left)) if left else None
        url = self.permalink(MessageId(lines[0].id)) if lines else ""
        acl = frozenset({f"channel:{room}"}) if room else frozenset[str]()
        text = "\n\n".join(said[line.id] for line in left)
        return Page(path, text, room.rpartition("/")[2], url, date, "", Form.CHAT, acl, {})

    def close(self) -> None:
        """Nothing is held open."""

    def _text(self, row: Any) -> str:
        if row.body is None or row.key_id is None:      # taken back, or somebody who was forgotten
            return ""
        try:
            key = self.keyring.unwrap(WrappedKey(row.key_id, row.master, row.wrapped))
            words = key.open(row.body, f"revision/{row.id}/{row.n}")
            words = _EMPTY.sub("\n", words.strip())
            name = key.open(row.name, f"person/{row.author}") if row.name else row.author.rpartition("/")[2]
        except (Sealed, MasterKeyError):                # sealed for the same person before a forgetting
            return ""
        return f"{name} ({utc(row.sent_at):%Y-%m-%d %H:%M}): {words}"

    def _asked(self, question: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(question, self.loop).result(PATIENCE)


async def page_of(database: Database, message_id: MessageId) -> str | None:
    """The page that has, or had, this message; None for one that is none of ours. Raises `StoreUnavailable`."""
    row = await database.read(partial(_where, message_id))
    return _path(row.channel, row.thread, row.sent_at) if row else None


async def standing(database: Database, ids: Collection[MessageId]) -> frozenset[MessageId]:
    """Those of these messages that are there, were not taken back, and whose authors were not forgotten.

    Raises `StoreUnavailable`.
    """
    rest, found = list(ids), set[MessageId]()
    for at in range(0, len(rest), BATCH):
        rows = await database.read(partial(_words, rest[at : at + BATCH]))
        found |= {MessageId(row.id) for row in rows if row.body is not None and row.key_id is not None}
    return frozenset(found)


def _path(room: str, thread: str | None, sent_at: float) -> str:
    if thread:
        return f"{room}/{thread}"
    year, week, _ = datetime.fromtimestamp(sent_at, UTC).isocalendar()
    return f"{room}/{year}-W{week:02}"


def _lines(connection: Connection) -> list[Any]:
    newest = select(revision.c.message, func.max(revision.c.n).label("n")).group_by(revision.c.message).subquery()
    return list(connection.execute(
        select(message.c.id, newest.c.n, message.c.sent_at, conversation.c.channel, conversation.c.thread,
               person_key.c.id.label("key"))
        .join_from(message, conversation, conversation.c.id == message.c.conversation)
        .join(channel, channel.c.id == conversation.c.channel)
        .join(newest, newest.c.message == message.c.id)
        .join(revision, and_(revision.c.message == message.c.id, revision.c.n == newest.c.n))
        .join(person_key, person_key.c.person == message.c.author)
        .where(channel.c.direct.is_(False), revision.c.kind != "deleted", ~ASKED_IN_PRIVATE)
        .order_by(message.c.sent_at, message.c.id)
    ))


def _where(message_id: str, connection: Connection) -> Any:
    return connection.execute(
        select(message.c.sent_at, conversation.c.channel, conversation.c.thread)
        .join_from(message, conversation, conversation.c.id == message.c.conversation)
        .join(channel, channel.c.id == conversation.c.channel)
        .where(message.c.id == message_id, channel.c.direct.is_(False))
    ).one_or_none()


def _words(ids: Sequence[str], connection: Connection) -> list[Any]:
    newer = revision.alias()
    newest = select(func.max(newer.c.n)).where(newer.c.message == message.c.id).correlate(message).scalar_subquery()
    return list(connection.execute(
        select(
            message.c.id, message.c.author, message.c.sent_at, conversation.c.channel, person.c.name,
            revision.c.n, revision.c.body, person_key.c.id.label("key_id"), person_key.c.master, person_key.c.wrapped,
        )
        .join_from(message, revision, and_(revision.c.message == message.c.id, revision.c.n == newest))
        .join(conversation, conversation.c.id == message.c.conversation)
        .join(person, person.c.id == message.c.author)
        .outerjoin(person_key, person_key.c.person == message.c.author)
        .where(message.c.id.in_(ids), revision.c.kind != "deleted")
    ))
