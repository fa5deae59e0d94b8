"""What a person may ask of us: everything we hold about them, or that we hold nothing any more."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from adapters.sql.database import Conflict, Database, db_now
from adapters.sql.keys import SYSTEM_PERSON
from adapters.sql.rows import answer_of, files_of, files_row, raw_row, utc
from adapters.sql.sealed import DataKey, Keyring, MasterKeyError, WrappedKey
from adapters.sql.tables import (
    answer,
    appeal,
    citation,
    decision,
    feedback,
    membership,
    message,
    person,
    person_key,
    revision,
    ticket,
    turn,
)
from engine.errors import BotError
from engine.messages import Answer


class UnknownPerson(BotError):
    """Nobody of that id is on record."""

    reply = "I hold nothing about that person."


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a forgetting made unreadable or removed."""

    messages: int
    answers: int


@dataclass(frozen=True, slots=True)
class Privacy:
    """`export` and `forget`, for the commands and, later, for people themselves."""

    database: Database
    keyring: Keyring

    async def export(self, who: str) -> dict[str, Any]:
        """All that the person wrote and was answered, as plain values for JSON. Raises `UnknownPerson`."""
        return await self.database.read(partial(self._export, who))

    async def forget(self, who: str) -> Forgotten:
        """Deletes the person's key: messages, revisions and answers are noise from now on. Raises `UnknownPerson`.

        The id is replaced by a random one, memberships go, open turns end. What others wrote stays.
        """
        try:
            done, key_id = await self.database.write(partial(_forget, who))
        except Conflict:            # it crossed with a turn that was being written; that one has ended now
            done, key_id = await self.database.write(partial(_forget, who))
        self.keyring.drop(key_id)
        return done

    def _export(self, who: str, connection: Connection) -> dict[str, Any]:
        key = self._key(connection, who)
        name = connection.execute(select(person.c.name).where(person.c.id == who)).scalar_one()
        said = connection.execute(
            select(message.c.id, message.c.conversation, message.c.sent_at, message.c.files, message.c.raw,
                   revision.c.n, revision.c.kind, revision.c.body, revision.c.at)
            .join_from(message, revision, revision.c.message == message.c.id)
            .where(message.c.author == who).order_by(message.c.received_at, message.c.id, revision.c.n)
        )
        messages: dict[str, dict[str, Any]] = {}
        for row in said:
            entry = messages.setdefault(row.id, {
                "id": row.id, "conversation": row.conversation, "sent_at": utc(row.sent_at).isoformat(),
                "files": [asdict(f) for f in files_of(key.open(row.files, files_row(row.id)))] if row.files else [],
                "raw": key.open(row.raw, raw_row(row.id)) if row.raw else "",
                "revisions": [],
            })
            text = key.open(row.body, f"revision/{row.id}/{row.n}") if row.body else None
            entry["revisions"].append({"kind": row.kind, "text": text, "at": utc(row.at).isoformat()})
        turns = connection.execute(
            select(turn.c.id, turn.c.trace, turn.c.message, turn.c.outcome, answer.c.body)
            .join_from(turn, answer, answer.c.turn == turn.c.id, isouter=True)
            .where(turn.c.author == who).order_by(turn.c.id)
        ).all()
        verdicts: dict[int, list[dict[str, Any]]] = {}
        for found in connection.execute(
            select(decision.c.turn, decision.c.direction, decision.c.guard, decision.c.action, decision.c.rule)
            .join_from(decision, turn, turn.c.id == decision.c.turn).where(turn.c.author == who).order_by(decision.c.id)
        ):
            verdict = dict(found._mapping)
            verdicts.setdefault(verdict.pop("turn"), []).append(verdict)
        lodged = connection.execute(
            select(appeal.c.id, turn.c.trace, appeal.c.state, appeal.c.note, appeal.c.at)
            .join_from(appeal, turn, turn.c.id == appeal.c.turn).where(appeal.c.by == who).order_by(appeal.c.at)
        )
        rated = connection.execute(
            select(feedback.c.trace, feedback.c.good).where(feedback.c.person == who).order_by(feedback.c.at)
        ).all()
        rooms = connection.execute(select(membership.c.channel).where(membership.c.person == who)).scalars()
        return {
            "person": who,
            "name": key.open(name, f"person/{who}") if name else "",
            "channels": sorted(rooms),
            "feedback": [{"trace": trace, "good": good} for trace, good in rated],
            "messages": list(messages.values()),
            "turns": [
                {"trace": row.trace, "message": row.message, "outcome": row.outcome,
                 **_answered(answer_of(key.open(row.body, f"answer/{row.id}")) if row.body else None),
                 "decisions": verdicts.get(row.id, [])}
                for row in turns
            ],
            "appeals": [
                {"trace": row.trace, "state": row.state, "at": utc(row.at).isoformat(),
                 "note": key.open(row.note, f"appeal/{row.id}") if row.note else ""}
                for row in lodged
            ],
        }

    def _key(self, connection: Connection, who: str) -> DataKey:
        stored = connection.execute(
            select(person_key.c.id, person_key.c.master, person_key.c.wrapped).where(person_key.c.person == who)
        ).one_or_none()
        if stored is None:
            raise UnknownPerson(f"no person {who!r} on record")
        return self.keyring.unwrap(WrappedKey(*stored))


def _answered(said: Answer | None) -> dict[str, Any]:
    if said is None:
        return {"answer": None, "citations": []}
    cited = [{"title": c.passage.title, "url": c.passage.url, "quote": c.passage.text} for c in said.citations]
    return {"answer": said.text, "citations": cited}


def _forget(who: str, connection: Connection) -> tuple[Forgotten, str]:
    if who == SYSTEM_PERSON:
        raise UnknownPerson("the key of unreadable events belongs to no person")
    # Turns before keys, like everybody else who locks both.
    connection.execute(
        select(turn.c.id).where(turn.c.author == who, turn.c.state.in_(["ready", "running"]))
        .order_by(turn.c.id).with_for_update()
    )
    key_id = connection.execute(select(person_key.c.id).where(person_key.c.person == who).with_for_update()).scalar()
    if key_id is None:
        raise UnknownPerson(f"no person {who!r} on record")
    messages = connection.execute(
        select(func.count()).select_from(message).where(message.c.author == who)
    ).scalar_one()
    turns = select(turn.c.id).where(turn.c.author == who)
    connection.execute(
        update(turn).where(turn.c.author == who, turn.c.state.in_(["ready", "running"]))
        .values(state="done", outcome="withdrawn", worker=None, ended_at=db_now())
    )
    connection.execute(update(decision).where(decision.c.turn.in_(turns)).values(text_hash=""))
    connection.execute(delete(citation).where(citation.c.turn.in_(turns)))
    answers = connection.execute(delete(answer).where(answer.c.turn.in_(turns))).rowcount
    for table in (membership, ticket, feedback):
        connection.execute(delete(table).where(table.c.person == who))
    connection.execute(delete(person_key).where(person_key.c.id == key_id))
    # Rows that name the person follow by ON UPDATE CASCADE.
    connection.execute(
        update(person).where(person.c.id == who).values(id=f"forgotten:{uuid.uuid4().hex}", name=None)
    )
    return Forgotten(messages, answers), key_id


def check_master(keyring: Keyring, connection: Connection) -> None:
    """Raises `MasterKeyError` when this database was written with another master key: better now than at a message."""
    others = select(person_key.c.master).where(person_key.c.master != keyring.master_id).limit(1)
    other = connection.execute(others).scalar()
    if other is not None:
        raise MasterKeyError(
            f"the master key ({keyring.master_id}) is not the one that this database was written with ({other}): "
            "restore the right key file"
        )
