"""The record of the guards' verdicts: why a turn went as it did, and what people say about that.

An appeal says "this block was wrong". To *uphold* it is to say that the block was right and stays; to *overturn* it
is to say that it was a mistake. Settled appeals leave as rows of an evaluation file, so that the guards are measured
against them from then on.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Connection, and_, func, select, update

from adapters.sql.database import Database, db_now
from adapters.sql.desk import UnknownTurn
from adapters.sql.privacy import UnknownPerson
from adapters.sql.rows import answer_of, readable, utc
from adapters.sql.sealed import DataKey, Keyring, Unreadable, WrappedKey
from adapters.sql.statements import Statements
from adapters.sql.tables import answer, appeal, decision, person_key, revision, turn
from engine.errors import BotError

State: TypeAlias = Literal["open", "upheld", "overturned"]
NOTE: Final = 2000
"""Characters of a note that are kept."""
WHOLE_TRACE: Final = 32
BLOCKING: Final = ("refuse", "reroute", "mask", "error")
LABELS: Final = {"upheld": "block", "overturned": "allow"}


class NothingToAppeal(BotError):
    """Every guard let this turn pass, or the appeal is not there or settled."""

    reply = "Nothing was blocked there, so there is nothing to appeal."


class Settled(NothingToAppeal):
    """This person's appeal was looked at already."""

    reply = "Somebody has looked at that already."


@dataclass(frozen=True, slots=True)
class Decisions:
    """What `bartizan guard why` and `bartizan guard appeals` do. A trace may be shortened."""

    database: Database
    keyring: Keyring

    async def why(self, trace: str) -> dict[str, Any]:
        """One turn and every verdict on it, in the order in which they fell. Raises `UnknownTurn`."""
        return await self.database.read(partial(self._why, trace))

    async def appeal(self, trace: str, by: str, note: str = "") -> str:
        """Notes that a person thinks a block was wrong; until it is settled, a later note replaces an earlier one.

        Returns the whole trace. Raises `UnknownTurn`, `UnknownPerson`, `NothingToAppeal`.
        """
        return await self.database.write(partial(self._appeal, trace, by, readable(note)[:NOTE]))

    async def appeals(self, state: State | None = "open", limit: int = 50) -> list[dict[str, Any]]:
        """The newest first; None: of every state. Notes of people who were forgotten are empty."""
        return await self.database.read(partial(self._appeals, state, limit))

    async def uphold(self, trace: str) -> int:
        """The block was right. Returns how many appeals that settles. Raises `UnknownTurn`, `NothingToAppeal`."""
        return await self.database.write(partial(_settle, trace, "upheld"))

    async def overturn(self, trace: str) -> int:
        """The block was a mistake. Returns how many appeals that settles. Raises `UnknownTurn`, `NothingToAppeal`."""
        return await self.database.write(partial(_settle, trace, "overturned"))

    async def export(self, *, with_text: bool = False) -> list[dict[str, Any]]:
        """Settled appeals as rows of an evaluation file, one a turn.

        Texts are in it only where they are asked for and the person's key still exists.
        """
        return await self.database.read(partial(self._export, with_text))

    def _why(self, trace: str, connection: Connection) -> dict[str, Any]:
        number = _find(connection, trace)
        whole = connection.execute(
            select(turn.c.trace, turn.c.state, turn.c.outcome, turn.c.attempt, turn.c.received_at, answer.c.model,
                   answer.c.mode)
            .outerjoin_from(turn, answer, answer.c.turn == turn.c.id).where(turn.c.id == number)
        ).one()
        lodged = connection.execute(
            select(appeal.c.by, appeal.c.state, appeal.c.at).where(appeal.c.turn == number).order_by(appeal.c.at)
        )
        return {
            **whole._mapping, "received_at": utc(whole.received_at).isoformat(timespec="seconds"),
            "decisions": _verdicts(connection, number),
            "appeals": [{**row._mapping, "at": utc(row.at).isoformat(timespec="seconds")} for row in lodged],
        }

    def _appeal(self, trace: str, by: str, note: str, connection: Connection) -> str:
        number = _find(connection, trace)
        stored = connection.execute(
            select(person_key.c.id, person_key.c.master, person_key.c.wrapped).where(person_key.c.person == by)
            .with_for_update(read=True, key_share=True)
        ).one_or_none()
        if stored is None:
            raise UnknownPerson("an appeal by somebody who is not on record")
        if not any(verdict["action"] in BLOCKING for verdict in _verdicts(connection, number)):
            raise NothingToAppeal("an appeal against a turn in which nothing was blocked")
        before = connection.execute(
            select(appeal.c.state).where(appeal.c.turn == number, appeal.c.by == by)
        ).scalar()
        if before not in (None, "open"):
            raise Settled("an appeal that is settled")
        row = uuid.uuid4().hex
        sealed = self.keyring.unwrap(WrappedKey(*stored)).seal(note, f"appeal/{row}") if note else None
        connection.execute(
            Statements(connection.dialect.name).replace(appeal, "turn", "by", at=db_now()),
            {"id": row, "turn": number, "by": by, "note": sealed, "state": "open", "settled_at": None},
        )
        return str(connection.execute(select(turn.c.trace).where(turn.c.id == number)).scalar_one())

    def _appeals(self, state: State | None, limit: int, connection: Connection) -> list[dict[str, Any]]:
        statement = (
            select(appeal.c.id, turn.c.trace, appeal.c.by, appeal.c.state, appeal.c.at, appeal.c.note,
                   person_key.c.id.label("key_id"), person_key.c.master, person_key.c.wrapped)
            .join_from(appeal, turn, turn.c.id == appeal.c.turn)
            .outerjoin(person_key, person_key.c.person == appeal.c.by)
            .order_by(appeal.c.at.desc(), appeal.c.id).limit(limit)
        )
        rows = connection.execute(statement.where(appeal.c.state == state) if state else statement)
        return [
            {
                "trace": row.trace, "by": row.by, "state": row.state, "at": utc(row.at).isoformat(timespec="seconds"),
                "note": self._read(self._key(row), row.note, f"appeal/{row.id}") or "",
            }
            for row in rows
        ]

    def _export(self, with_text: bool, connection: Connection) -> list[dict[str, Any]]:
        newer = revision.alias("newer")
        newest = select(func.max(newer.c.n)).where(newer.c.message == turn.c.message).correlate(turn).scalar_subquery()
        settled = connection.execute(
            select(turn.c.id, turn.c.trace, turn.c.message, func.max(appeal.c.state).label("state"), revision.c.n,
                   revision.c.body, answer.c.body.label("answer"), person_key.c.id.label("key_id"),
                   person_key.c.master, person_key.c.wrapped)
            .join_from(appeal, turn, turn.c.id == appeal.c.turn)
            .outerjoin(revision, and_(revision.c.message == turn.c.message, revision.c.n == newest))
            .outerjoin(answer, answer.c.turn == turn.c.id)
            .outerjoin(person_key, person_key.c.person == turn.c.author)
            .where(appeal.c.state.in_(LABELS))
            .group_by(turn.c.id, turn.c.trace, turn.c.message, revision.c.n, revision.c.body, answer.c.body,
                      person_key.c.id, person_key.c.master, person_key.c.wrapped)
            .order_by(turn.c.id)
        ).all()
        return [self._row(connection, row, with_text) for row in settled]

    def _row(self, connection: Connection, row: Any, with_text: bool) -> dict[str, Any]:
        verdicts = _verdicts(connection, row.id)
        blocked = [verdict for verdict in verdicts if verdict["action"] in BLOCKING]
        last = blocked[-1]
        exported = {
            "id": row.trace, "label": LABELS[row.state], "direction": last["direction"], "category": last["category"],
            "rule": last["rule"], "guard": last["guard"], "score": last["score"], "text_hash": last["text_hash"],
            "source": "appeal", "decisions": verdicts,
        }
        if not with_text:
            return exported
        key = self._key(row)
        question = self._read(key, row.body, f"revision/{row.message}/{row.n}")
        said = self._read(key, row.answer, f"answer/{row.id}")
        if question is not None:
            exported["text" if last["direction"] == "in" else "prompt"] = question
        if said is not None and last["direction"] == "out":
            exported["response"] = answer_of(said).text
        return exported

    def _key(self, row: Any) -> DataKey | None:
        return self.keyring.unwrap(WrappedKey(row.key_id, row.master, row.wrapped)) if row.key_id else None

    def _read(self, key: DataKey | None, sealed: Any, row: str) -> str | None:
        """The text; None when it is not there, or its person was forgotten."""
        if key is None or sealed is None:
            return None
        try:
            return key.open(sealed, row)
        except Unreadable:                  # sealed before its person was forgotten, and came back
            return None


def _verdicts(connection: Connection, number: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(decision.c.attempt, decision.c.direction, decision.c.guard, decision.c.version, decision.c.action,
               decision.c.rule, decision.c.category, decision.c.score, decision.c.text_hash, decision.c.scanned,
               decision.c.shown, decision.c.at)
        .where(decision.c.turn == number).order_by(decision.c.id)
    )
    return [{**row._mapping, "at": utc(row.at).isoformat(timespec="seconds")} for row in rows]


def _settle(trace: str, state: State, connection: Connection) -> int:
    number = _find(connection, trace)
    settled = connection.execute(
        update(appeal).where(appeal.c.turn == number, appeal.c.state != state)
        .values(state=state, settled_at=db_now())
    ).rowcount
    if not settled:
        raise NothingToAppeal(f"no appeal against this turn that is not {state} already")
    return int(settled)


def _find(connection: Connection, trace: str) -> int:
    if not trace or len(trace) > WHOLE_TRACE:
        raise UnknownTurn("a trace has 1 to 32 hexadecimal digits")
    found = connection.execute(
        select(turn.c.id).where(turn.c.trace.startswith(trace, autoescape=True)).limit(2)
    ).scalars().all()
    if len(found) != 1:
        raise UnknownTurn(f"{'several turns begin' if found else 'no turn begins'} with {trace!r}")
    return int(found[0])

