"""What was said on a platform, what its buttons stand for, and what became of turns. Implements `engine/spoken.py`."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, func, insert, select, update

from adapters.sql.database import Database, db_now
from adapters.sql.rows import answer_of, files_of, files_row, place_of, utc
from adapters.sql.sealed import DataKey, Keyring, Unreadable, WrappedKey
from adapters.sql.statements import Statements
from adapters.sql.tables import answer, citation, feedback, message, outbox, person_key, revision, ticket, turn
from engine.messages import ConversationId, Kind, Message, MessageId, Outcome, PersonId, TraceId
from engine.spoken import Asked, How, Purpose, Sent, Ticket, Told

TICKET_LIFE: Final = 90 * 86_400.0
"""Seconds for which a button works."""
LOST: Final = 60.0
"""Seconds after which a message that was noted and never completed may be said by somebody else."""


@dataclass(frozen=True, slots=True)
class SqlOutbox:
    """Implements `Outbox`."""

    database: Database

    async def of(self, name: str) -> Sequence[Sent]:
        """By part."""
        return await self.database.read(partial(_of, name))

    async def sending(self, sent: Sent) -> None:
        """On disk when this returns. What was said already stays on record: another worker may have said it."""
        await self.database.write(partial(_sending, sent))

    async def sent(self, name: str, part: int, ts: str) -> None:
        """It has a name of the platform's now."""
        done = update(outbox).where(outbox.c.name == name, outbox.c.part == part).values(ts=ts)
        await self.database.write(lambda connection: connection.execute(done))

    async def unsent(self, name: str, part: int) -> None:
        """The row goes."""
        gone = delete(outbox).where(outbox.c.name == name, outbox.c.part == part)
        await self.database.write(lambda connection: connection.execute(gone))

    async def others(self, name: str, workspace: str, channel: str, ts: Sequence[str]) -> frozenset[str]:
        """Of these messages those that were said under another name."""
        found = select(outbox.c.ts).where(
            outbox.c.workspace == workspace, outbox.c.channel == channel, outbox.c.ts.in_(ts), outbox.c.name != name,
        )
        return await self.database.read(lambda connection: frozenset(connection.execute(found).scalars()))

    async def find(self, workspace: str, channel: str, ts: str) -> Sent | None:
        """By what the platform calls it."""
        found = select(outbox).where(
            outbox.c.workspace == workspace, outbox.c.channel == channel, outbox.c.ts == ts,
        ).limit(1)
        row = await self.database.read(lambda connection: connection.execute(found).one_or_none())
        return None if row is None else _sent(row)

    async def first(self, sent: Sent) -> bool:
        """At once for all replicas: the database says who is first."""
        return await self.database.write(partial(_first, sent))


def _of(name: str, connection: Connection) -> list[Sent]:
    rows = connection.execute(select(outbox).where(outbox.c.name == name).order_by(outbox.c.part))
    return [_sent(row) for row in rows]


def _sending(sent: Sent, connection: Connection) -> None:
    add = Statements(connection.dialect.name).add(outbox, at=db_now()).returning(outbox.c.name)
    if connection.execute(add, [_row(sent)]).scalar() is None:
        connection.execute(update(outbox).where(
            outbox.c.name == sent.name, outbox.c.part == sent.part, outbox.c.ts.is_(None),
        ).values(at=db_now(), **_row(sent)))


def _first(sent: Sent, connection: Connection) -> bool:
    add = Statements(connection.dialect.name).add(outbox, at=db_now()).returning(outbox.c.name)
    if connection.execute(add, [_row(sent)]).scalar() is not None:
        return True
    lost = update(outbox).where(
        outbox.c.name == sent.name, outbox.c.part == sent.part, outbox.c.ts.is_(None), outbox.c.at < db_now() - LOST,
    ).values(at=db_now()).returning(outbox.c.name)
    return connection.execute(lost).scalar() is not None


def _row(sent: Sent) -> dict[str, Any]:
    return {"name": sent.name, "part": sent.part, "how": sent.how.value, "workspace": sent.workspace,
            "channel": sent.channel, "thread": sent.thread, "ts": sent.ts}


def _sent(row: Any) -> Sent:
    return Sent(row.name, row.part, How(row.how), row.workspace, row.channel, row.thread, row.ts)


@dataclass(frozen=True, slots=True)
class SqlTickets:
    """Implements `Tickets`. A look-up is by hash, so that how long it takes tells nothing about the ids there are."""

    database: Database

    async def issue(self, given: Ticket) -> str:
        """192 random bits."""
        id = secrets.token_urlsafe(24)
        row = {"digest": _digest(id), "purpose": given.purpose.value, "person": given.person, "trace": given.trace}
        await self.database.write(lambda connection: connection.execute(insert(ticket).values(at=db_now(), **row)))
        return id

    async def redeem(self, id: str) -> Ticket | None:
        """None for one that nobody issued, or that is older than `TICKET_LIFE`."""
        found = select(ticket).where(ticket.c.digest == _digest(id), ticket.c.at > db_now() - TICKET_LIFE)
        row = await self.database.read(lambda connection: connection.execute(found).one_or_none())
        if row is None:
            return None
        return Ticket(Purpose(row.purpose), PersonId(row.person), TraceId(row.trace) if row.trace else None)


def _digest(id: str) -> str:
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class SqlTurns:
    """Implements `Turns`."""

    database: Database
    keyring: Keyring

    async def told(self, trace: TraceId) -> Told | None:
        """None for a turn that is unknown, whose question was taken back or whose author was forgotten."""
        found = _turns().where(turn.c.trace == trace)
        row = await self.database.read(lambda connection: connection.execute(found).one_or_none())
        return None if row is None else self._told(row)

    async def recent(self, person: PersonId, limit: int) -> Sequence[Asked]:
        """Newest first; none that was taken back."""
        found = _turns().where(turn.c.author == person, turn.c.kind == "answer").order_by(turn.c.id.desc()).limit(limit)
        rows = await self.database.read(lambda connection: list(connection.execute(found)))
        told = [self._told(row) for row in rows]
        return [Asked(t.question.text, t.question.sent_at, t.question.id, t.question.place) for t in told if t]

    async def retract(self, trace: TraceId) -> None:
        """The answer goes, with its citations; that there was a turn stays."""
        await self.database.write(partial(_retract, trace))

    async def rate(self, trace: TraceId, person: PersonId, *, good: bool) -> None:
        """The later word counts."""
        row = {"trace": trace, "person": person, "good": good}

        def write(connection: Connection) -> None:
            add = Statements(connection.dialect.name).replace(feedback, "trace", "person", at=db_now())
            connection.execute(add, [row])

        await self.database.write(write)

    def _told(self, row: Any) -> Told | None:
        if row.body is None or row.key_id is None:
            return None
        key = self.keyring.unwrap(WrappedKey(row.key_id, row.master, row.wrapped))
        try:
            question = _message(row, key)
            said = answer_of(key.open(row.answer, f"answer/{row.id}")) if row.answer else None
        except Unreadable:          # sealed for the same person before a forgetting
            return None
        return Told(TraceId(row.trace), question, said, Outcome(row.outcome) if row.outcome else None, Kind(row.kind))


def _retract(trace: str, connection: Connection) -> None:
    ended = update(turn).where(turn.c.trace == trace, turn.c.state == "done").values(outcome="withdrawn")
    number = connection.execute(ended.returning(turn.c.id)).scalar()
    for table in (citation, answer):
        connection.execute(delete(table).where(table.c.turn == number))


def _message(row: Any, key: DataKey) -> Message:
    text = key.open(row.body, f"revision/{row.message}/{row.n}")
    files = files_of(key.open(row.files, files_row(row.message))) if row.files else ()
    return Message(
        MessageId(row.message), ConversationId(row.conversation), PersonId(row.author), text,
        place_of(row.place, row.author), utc(row.sent_at), files=files,
    )


def _turns() -> Select[*tuple[Any, ...]]:
    newer = revision.alias("newer")
    latest = select(func.max(newer.c.n)).where(newer.c.message == turn.c.message).correlate(turn).scalar_subquery()
    return (
        select(
            turn.c.id, turn.c.trace, turn.c.message, turn.c.conversation, turn.c.author, turn.c.place, turn.c.outcome,
            turn.c.kind, message.c.sent_at, message.c.files, revision.c.n, revision.c.body,
            answer.c.body.label("answer"), person_key.c.id.label("key_id"),
            person_key.c.master, person_key.c.wrapped,
        )
        .join_from(turn, message, message.c.id == turn.c.message)
        .join(revision, and_(revision.c.message == turn.c.message, revision.c.n == latest))
        .outerjoin(answer, answer.c.turn == turn.c.id)
        .outerjoin(person_key, person_key.c.person == turn.c.author)
    )
