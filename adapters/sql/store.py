"""The past of a conversation, and the checkpoint of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, func, select

from adapters.sql.database import Database
from adapters.sql.inbox import SqlInbox
from adapters.sql.rows import answer_of, place_of, utc
from adapters.sql.sealed import Keyring, Unreadable, WrappedKey
from adapters.sql.tables import answer, message, person_key, revision, turn
from engine.messages import (
    Answer,
    Audience,
    Claim,
    Conversation,
    ConversationId,
    Message,
    MessageId,
    PersonId,
    Trail,
    Turn,
)


@dataclass(frozen=True, slots=True)
class SqlStore:
    """Implements the engine's `ConversationStore`."""

    database: Database
    keyring: Keyring
    inbox: SqlInbox
    history: int = 30           # turns that are looked at, at most

    async def load(self, conversation: ConversationId, *, before: Claim, audience: Audience) -> Conversation:
        """Answered turns, oldest first; none that was refused, taken back, forgotten or may not be read here."""
        bound = {"conversation": conversation, "before": before.trace, "most": self.history}
        rows = await self.database.read(partial(_past, bound))
        turns = (self._turn_of(row) for row in reversed(rows))
        return Conversation(conversation, tuple(
            t for t in turns if t and t.answer and all(audience.may_read(acl) for acl in t.answer.acl)
        ))

    async def answered(self, claim: Claim, answer: Answer, trail: Trail, *, posted: str | None) -> None:
        """The checkpoint: from here nothing is computed twice. Raises `Fenced` or `StoreUnavailable`."""
        await self.inbox.checkpoint(claim, answer, trail, posted)

    def _turn_of(self, row: Any) -> Turn | None:
        if row.body is None or row.key_id is None:      # a tombstone, or somebody who was forgotten
            return None
        key = self.keyring.unwrap(WrappedKey(row.key_id, row.master, row.wrapped))
        try:
            said = answer_of(key.open(row.answer, f"answer/{row.id}"))
        except Unreadable:                              # sealed for the same person before a forgetting
            return None
        # Not the message itself: it may hold what the guards took out, or have been edited since.
        asked = Message(MessageId(row.message), ConversationId(row.conversation), PersonId(row.author), said.asked,
                        place_of(row.place, row.author), utc(row.sent_at))
        return Turn(asked, said)


def _statement() -> Select[*tuple[Any, ...]]:
    this, newer = turn.alias("this"), revision.alias("newer")
    latest = select(func.max(newer.c.n)).where(newer.c.message == turn.c.message).correlate(turn).scalar_subquery()
    return (
        select(
            turn.c.id, turn.c.conversation, turn.c.author, turn.c.place, turn.c.message, message.c.sent_at,
            revision.c.n, revision.c.body, answer.c.body.label("answer"),
            person_key.c.id.label("key_id"), person_key.c.master, person_key.c.wrapped,
        )
        .join_from(turn, message, message.c.id == turn.c.message)
        .join(revision, and_(revision.c.message == turn.c.message, revision.c.n == latest))
        .join(answer, answer.c.turn == turn.c.id)
        .outerjoin(person_key, person_key.c.person == turn.c.author)
        .where(
            turn.c.conversation == bindparam("conversation"), turn.c.outcome == "answered",
            turn.c.id < select(this.c.id).where(this.c.trace == bindparam("before")).scalar_subquery(),
        )
        .order_by(turn.c.id.desc())
        .limit(bindparam("most"))
    )


PAST: Final = _statement()


def _past(bound: dict[str, Any], connection: Connection) -> list[Any]:
    return list(connection.execute(PAST, bound))
