"""How far a platform was heard, what stands there by then, and in which threads we take part without being called.

That we were spoken to in a thread is what its turns say; only that we were sent away is noted apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from adapters.sql.database import Database, db_now
from adapters.sql.rows import utc
from adapters.sql.statements import Statements
from adapters.sql.tables import (
    answer,
    channel,
    conversation,
    departure,
    gap,
    heard,
    membership,
    message,
    outbox,
    revision,
    turn,
)
from engine.messages import ConversationId, MessageId

MOST: Final = 200
"""Questions of one channel whose threads are looked at; one with more has its threads in the channel's history."""

_TS: Final = re.compile(r"\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which something may have been missed in a channel."""

    workspace: str
    channel: str
    oldest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A message, or an answer of ours, that stands in a channel for all we know."""

    message: MessageId
    ts: str
    thread: str
    at: datetime
    stored: datetime
    ours: bool = False


@dataclass(frozen=True, slots=True)
class SqlHearing:
    """Engagement and cursors of one platform. All raise `StoreUnavailable`."""

    database: Database
    platform: str

    async def engaged(self, thread: str, within: timedelta) -> bool:
        """We were spoken to in this conversation within that time, and not sent away since."""
        return await self.database.read(partial(_engaged, thread, within.total_seconds()))

    async def conversation_of(self, said: str) -> ConversationId | None:
        """Where a message was said that is stored."""
        found = select(message.c.conversation).where(message.c.id == said)
        room = await self.database.read(lambda connection: connection.execute(found).scalar())
        return None if room is None else ConversationId(room)

    async def leave(self, thread: str) -> None:
        """We were sent away from one conversation."""
        await self.database.write(partial(self._depart, thread))

    async def leave_channel(self, workspace: str, room: str) -> None:
        """We were sent away from all that have begun in this channel."""
        await self.database.write(partial(self._depart, self._id(workspace, room)))

    async def threads(self, workspace: str, room: str, within: timedelta) -> Sequence[str]:
        """The threads of a channel in which we were spoken to within that time, by the platform's own names."""
        return await self.database.read(partial(_threads, self._id(workspace, room), within.total_seconds()))

    async def heard(self, workspace: str, until: datetime) -> None:
        """Nothing before this is missing that is not in a gap."""
        await self.database.write(partial(self._note, self._id(workspace), until.timestamp()))

    async def last_heard(self, workspace: str) -> datetime | None:
        """None: never."""
        return await self.database.read(partial(_last_heard, self._id(workspace)))

    async def open_gaps(self, workspace: str, rooms: Sequence[str], oldest: datetime, latest: datetime) -> None:
        """Notes what is to be filled. It tells nothing of other times or channels."""
        rows = [{"workspace": self._id(workspace), "channel": room, "oldest": oldest.timestamp(),
                 "latest": latest.timestamp()} for room in sorted(rooms)]

        def write(connection: Connection) -> None:
            add = Statements(connection.dialect.name).replace(gap, "workspace", "channel", "oldest")
            connection.execute(add, rows)

        if rows:
            await self.database.write(write)

    async def gaps(self) -> Sequence[Gap]:
        """What is still to be filled, the newest first."""
        rows = await self.database.read(partial(_gaps, self._id("")))
        return [Gap(row.workspace.removeprefix(self._id("")), row.channel, utc(row.oldest), utc(row.latest))
                for row in rows]

    async def filled(self, workspace: str, room: str, oldest: datetime, down_to: datetime) -> None:
        """Everything after ``down_to`` is stored; at ``oldest`` the gap is closed."""
        bound = (gap.c.workspace == self._id(workspace)) & (gap.c.channel == room)
        bound &= gap.c.oldest == oldest.timestamp()

        def write(connection: Connection) -> None:
            if down_to <= oldest:
                connection.execute(delete(gap).where(bound))
            else:
                connection.execute(update(gap).where(bound).values(latest=down_to.timestamp()))

        await self.database.write(write)

    async def kept(self, workspace: str, room: str, since: datetime, limit: int) -> Sequence[Kept]:
        """What was said there since then, and has not been taken back: messages and answers, the latest of each."""
        at, prefix = since.timestamp(), self._id(workspace, "")
        said = await self.database.read(partial(_said, f"{prefix}{room}", at, limit))
        answers = await self.database.read(partial(_answers, workspace, room, at, limit))
        kept = []
        for row in said:
            channel, _, ts = row.id.removeprefix(prefix).partition("/")
            if channel and _TS.fullmatch(ts):       # one that was asked again, or in a dialog, has another name
                # Of a direct conversation only the turn knows its thread.
                thread = str((row.place or {}).get("thread") or row.thread or "")
                kept.append(Kept(MessageId(row.id), ts, "" if thread == ts else thread, utc(row.at),
                                 utc(row.received_at)))
        return kept + [
            Kept(MessageId(f"{prefix}{room}/{row.ts}"), row.ts, row.thread, utc(row.at), utc(row.at), ours=True)
            for row in answers if row.ts and _TS.fullmatch(row.ts)
        ]

    async def renamed(self, workspace: str, old: str, new: str) -> None:
        """A channel got another id. Ids of its messages stay: what people wrote is sealed to them."""
        await self.database.write(partial(_rename, self._id(workspace), old, new))

    def _id(self, *parts: str) -> str:
        return f"{self.platform}:{'/'.join(parts)}"

    @staticmethod
    def _depart(what: str, connection: Connection) -> None:
        connection.execute(Statements(connection.dialect.name).replace(departure, "id", at=db_now()), [{"id": what}])

    @staticmethod
    def _note(workspace: str, until: float, connection: Connection) -> None:
        row = {"workspace": workspace, "until": until}
        connection.execute(Statements(connection.dialect.name).replace(heard, "workspace"), [row])


def _left(thread: Any, room: Any) -> Any:
    """When we were last sent away from there; a very long time ago if never."""
    return select(func.coalesce(func.max(departure.c.at), 0.0)).where(
        departure.c.id.in_([thread, room])
    ).scalar_subquery()


def _engaged(thread: str, within: float, connection: Connection) -> bool:
    found = connection.execute(
        select(turn.c.id).where(
            turn.c.conversation == thread, turn.c.received_at > db_now() - within,
            turn.c.received_at > _left(thread, thread.rpartition("/")[0]),
        ).limit(1)
    ).scalar()
    return found is not None


def _threads(room: str, within: float, connection: Connection) -> list[str]:
    """Of a direct conversation every question is a root: it may have been answered in a thread of its own."""
    left = select(func.coalesce(func.max(departure.c.at), 0.0)).where(
        departure.c.id.in_([conversation.c.id, room])
    ).correlate(conversation).scalar_subquery()
    found = connection.execute(
        select(turn.c.message, turn.c.place).join_from(turn, conversation, conversation.c.id == turn.c.conversation)
        .where(conversation.c.channel == room, turn.c.received_at > db_now() - within, turn.c.received_at > left)
        .order_by(turn.c.id.desc()).limit(MOST)
    )
    roots = (row.place.get("thread") or row.message.rpartition("/")[2] for row in found if not row.place.get("private"))
    return list(dict.fromkeys(roots))


def _last_heard(workspace: str, connection: Connection) -> datetime | None:
    until = connection.execute(select(heard.c.until).where(heard.c.workspace == workspace)).scalar()
    return None if until is None else utc(until)


def _gaps(prefix: str, connection: Connection) -> list[Any]:
    found = select(gap).where(gap.c.workspace.startswith(prefix, autoescape=True)).order_by(gap.c.latest.desc())
    return list(connection.execute(found))


def _said(room: str, since: float, limit: int, connection: Connection) -> list[Any]:
    newer = revision.alias()
    last = select(func.max(newer.c.n)).where(newer.c.message == message.c.id).correlate(message).scalar_subquery()
    return list(connection.execute(
        select(message.c.id, message.c.received_at, conversation.c.thread, turn.c.place, revision.c.at)
        .join_from(message, conversation, conversation.c.id == message.c.conversation)
        .join(revision, and_(revision.c.message == message.c.id, revision.c.n == last))
        .outerjoin(turn, turn.c.message == message.c.id)
        .where(conversation.c.channel == room, message.c.sent_at >= since, revision.c.kind != "deleted")
        .where(or_(turn.c.id.is_(None), ~turn.c.place["private"].as_boolean()))
        .order_by(message.c.sent_at.desc()).limit(limit)
    ))


def _answers(workspace: str, room: str, since: float, limit: int, connection: Connection) -> list[Any]:
    """The first message of each: further ones go with it."""
    return list(connection.execute(
        select(outbox.c.ts, outbox.c.thread, outbox.c.at)
        .join_from(outbox, turn, turn.c.trace == outbox.c.name).join(answer, answer.c.turn == turn.c.id)
        .where(outbox.c.workspace == workspace, outbox.c.channel == room, outbox.c.part == 0, outbox.c.at >= since)
        .where(turn.c.ended_at.is_not(None)).order_by(outbox.c.at.desc()).limit(limit)
    ))


def _rename(workspace: str, old: str, new: str, connection: Connection) -> None:
    """What was said moves; the emptied rows stay, since every process knows by heart which ones there are."""
    before, after = f"{workspace}/{old}", f"{workspace}/{new}"
    add = Statements(connection.dialect.name)
    connection.execute(update(gap).where(gap.c.workspace == workspace, gap.c.channel == old).values(channel=new))
    rooms = connection.execute(select(channel).where(channel.c.id == before)).all()
    threads = connection.execute(select(conversation).where(conversation.c.channel == before)).all()
    if not rooms:
        return
    connection.execute(add.add(channel), [{**room._mapping, "id": after} for room in rooms])
    if members := connection.execute(select(membership).where(membership.c.channel == before)).all():
        connection.execute(add.add(membership), [{**member._mapping, "channel": after} for member in members])
    for thread in threads:
        moved = thread.id.replace(before, after, 1)
        connection.execute(add.add(conversation), [{**thread._mapping, "id": moved, "channel": after}])
        connection.execute(update(message).where(message.c.conversation == thread.id).values(conversation=moved))
        connection.execute(update(turn).where(turn.c.conversation == thread.id).values(conversation=moved))
        connection.execute(update(turn).where(turn.c.queue == thread.id).values(queue=moved))
