"""The operator's view of the queue: look, try again, let go, tidy up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, select, update

from adapters.sql.database import Database, db_now
from adapters.sql.outbox import TICKET_LIFE
from adapters.sql.rows import answer_of, utc
from adapters.sql.sealed import Keyring, Unreadable, WrappedKey
from adapters.sql.tables import answer, decision, event, person_key, rejected, ticket, turn
from engine.errors import BotError
from engine.messages import Citation

STATES: Final = ("ready", "running", "done", "dead")
PRUNED: Final = 1000
"""Rows that one transaction removes: a larger one would keep the writer from its work."""


class UnknownTurn(BotError):
    """No turn of that trace is in the state that the command needs."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How many turns are in which state; ``oldest`` in seconds: how long the first ready one has waited."""

    ready: int
    running: int
    dead: int
    oldest: float


@dataclass(frozen=True, slots=True)
class Desk:
    """What `bartizan inbox` does. It shows ids, states and causes, and never what people wrote."""

    database: Database

    async def turns(self, *, state: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """The newest turns; without a state those that are not done."""
        return await self.database.read(partial(_turns, state, limit))

    async def show(self, trace: str) -> dict[str, Any]:
        """One turn with its verdicts. ``trace`` may be shortened. Raises `UnknownTurn`."""
        return await self.database.read(partial(_show, trace))

    async def cited(self, trace: str, keyring: Keyring) -> tuple[Citation, ...]:
        """What the turn's answer names as its sources; nothing where there is none, or nobody can read it any more.

        Raises `UnknownTurn`.
        """
        row = await self.database.read(partial(_answer, trace))
        if row is None or row.key_id is None:
            return ()
        try:
            key = keyring.unwrap(WrappedKey(row.key_id, row.master, row.wrapped))
            return answer_of(key.open(row.body, f"answer/{row.turn}")).citations
        except Unreadable:
            return ()

    async def retry(self, trace: str) -> str:
        """A dead turn gets a fresh start. Returns the whole trace. Raises `UnknownTurn`."""
        return await self.database.write(partial(_retry, trace))

    async def drop(self, trace: str) -> str:
        """A dead or waiting turn is ended. Returns the whole trace. Raises `UnknownTurn`."""
        return await self.database.write(partial(_drop, trace))

    async def rejected(self, limit: int = 50) -> list[dict[str, Any]]:
        """Events that could not be read, newest first, by their reason."""
        return await self.database.read(partial(_rejected, limit))

    async def depth(self) -> Depth:
        """For the metrics."""
        return await self.database.read(_depth)

    async def prune(self, keep: float) -> int:
        """Removes delivery keys and unreadable events older than ``keep`` seconds, in batches. Returns how many rows.

        ``keep`` is longer than any platform redelivers. Ids of buttons go as well once they are too old to work.
        Messages, turns and answers are the record and stay.
        """
        total = 0
        while done := await self.database.write(partial(_prune, keep)):
            total += done
        return total


def _listing() -> Select[*tuple[Any, ...]]:
    return select(turn.c.trace, turn.c.state, turn.c.outcome, turn.c.kind, turn.c.route, turn.c.conversation,
                  turn.c.attempt, turn.c.failures, turn.c.crashes, turn.c.received_at, turn.c.cause)


def _row(row: Any) -> dict[str, Any]:
    return {**row._mapping, "received_at": utc(row.received_at).isoformat(timespec="seconds")}


def _turns(state: str | None, limit: int, connection: Connection) -> list[dict[str, Any]]:
    wanted = turn.c.state == state if state else turn.c.state != "done"
    return [_row(r) for r in connection.execute(_listing().where(wanted).order_by(turn.c.id.desc()).limit(limit))]


def _show(trace: str, connection: Connection) -> dict[str, Any]:
    number = _find(connection, trace)
    whole = _row(connection.execute(_listing().where(turn.c.id == number)).one())
    verdicts = connection.execute(
        select(decision.c.attempt, decision.c.direction, decision.c.guard, decision.c.action, decision.c.rule,
               decision.c.category, decision.c.scanned, decision.c.shown)
        .where(decision.c.turn == number).order_by(decision.c.id)
    )
    return {**whole, "decisions": [dict(v._mapping) for v in verdicts]}


def _answer(trace: str, connection: Connection) -> Any:
    number = _find(connection, trace)
    return connection.execute(
        select(answer.c.turn, answer.c.body, person_key.c.id.label("key_id"), person_key.c.master, person_key.c.wrapped)
        .join_from(answer, turn, turn.c.id == answer.c.turn)
        .outerjoin(person_key, person_key.c.person == turn.c.author)
        .where(answer.c.turn == number)
    ).one_or_none()


def _retry(trace: str, connection: Connection) -> str:
    number = _find(connection, trace, ("dead",))
    return _changed(trace, connection.execute(
        update(turn).where(turn.c.id == number, turn.c.state == "dead")
        .values(state="ready", outcome=None, worker=None, stop=False, failures=0, crashes=0, not_before=0.0,
                ended_at=None)
        .returning(turn.c.trace)
    ).scalar())


def _drop(trace: str, connection: Connection) -> str:
    number = _find(connection, trace, ("dead", "ready"))
    return _changed(trace, connection.execute(
        update(turn).where(turn.c.id == number, turn.c.state.in_(["dead", "ready"]))
        .values(state="done", outcome="dropped", worker=None, ended_at=db_now()).returning(turn.c.trace)
    ).scalar())


def _changed(trace: str, whole: str | None) -> str:
    if whole is None:           # a worker was quicker
        raise UnknownTurn(f"the turn that begins with {trace!r} has just changed its state: look again")
    return whole


def _find(connection: Connection, trace: str, states: tuple[str, ...] = STATES) -> int:
    found = connection.execute(
        select(turn.c.id).where(turn.c.trace.startswith(trace, autoescape=True), turn.c.state.in_(states)).limit(2)
    ).scalars().all()
    if len(found) != 1:
        kind = f"{' or '.join(states)} " if states != STATES else ""
        what = "several turns begin" if found else f"no {kind}turn begins"
        raise UnknownTurn(f"{what} with {trace!r}")
    return int(found[0])


def _rejected(limit: int, connection: Connection) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(rejected.c.id, rejected.c.platform, rejected.c.reason, rejected.c.received_at)
        .order_by(rejected.c.id.desc()).limit(limit)
    )
    return [_row(r) for r in rows]


def _depth(connection: Connection) -> Depth:
    counts = {state: number for state, number in connection.execute(
        select(turn.c.state, func.count()).where(turn.c.state.in_(["ready", "running", "dead"])).group_by(turn.c.state)
    )}
    oldest = connection.execute(
        select(func.coalesce(db_now() - func.min(turn.c.received_at), 0.0)).where(turn.c.state == "ready")
    ).scalar_one()
    return Depth(counts.get("ready", 0), counts.get("running", 0), counts.get("dead", 0), float(oldest))


def _prune(keep: float, connection: Connection) -> int:
    done = 0
    for table, key, since, lasts in (
        (event, event.c.key, event.c.received_at, keep), (rejected, rejected.c.id, rejected.c.received_at, keep),
        (ticket, ticket.c.digest, ticket.c.at, max(keep, TICKET_LIFE)),
    ):
        old = select(key).where(since < db_now() - lasts).limit(PRUNED)
        done += connection.execute(delete(table).where(key.in_(old))).rowcount
    return done
