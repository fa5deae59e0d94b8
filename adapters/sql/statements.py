"""The queue's SQL, built once: building a statement costs more than running it."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Insert,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Delete, ReturningUpdate

from adapters.sql.database import db_now
from adapters.sql.tables import answer, event, message, person, person_key, revision, turn, worker


def constant(value: str) -> ColumnElement[str]:
    """A constant in the text of the statement: PostgreSQL's generic plans use a partial index only then (5-7x)."""
    return literal(value, literal_execute=True)


READY: Final = constant("ready")
RUNNING: Final = constant("running")
OPEN: Final = or_(turn.c.state == READY, turn.c.state == RUNNING)

ASKED_IN_PRIVATE: Final = exists().where(turn.c.message == message.c.id, turn.c.place["private"].as_boolean())
"""Of a message: what was asked in a channel for one pair of eyes was not said to the channel."""


def _latest(of: Table) -> ColumnElement[int]:
    newer = revision.alias()
    return select(func.max(newer.c.n)).where(newer.c.message == of.c.id).correlate(of).scalar_subquery()


class Statements:
    """What the two dialects say differently: INSERT that knows ON CONFLICT."""

    def __init__(self, dialect: str) -> None:
        self._insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
        self._added: dict[str, Insert] = {}
        self.new_events: Insert = (
            self._insert(event).values(received_at=db_now()).on_conflict_do_nothing().returning(event.c.key)
        )
        self.heartbeat: Insert = (
            self._insert(worker).values(seen_at=db_now())
            .on_conflict_do_update(index_elements=["id"], set_={"seen_at": db_now()})
        )

    def add(self, table: Table, **values: Any) -> Insert:
        """Insert rows, leaving alone what is there. ``values`` are SQL expressions, the same at every call."""
        if table.name not in self._added:
            self._added[table.name] = self._insert(table).values(**values).on_conflict_do_nothing()
        return self._added[table.name]

    def replace(self, table: Table, *key: str, **values: Any) -> Insert:
        """Insert rows, overwriting those of the same key."""
        name = f"replace {table.name}"
        if name not in self._added:
            fresh = self._insert(table).values(**values)
            rest = {c.name: fresh.excluded[c.name] for c in table.c if c.name not in key}
            self._added[name] = fresh.on_conflict_do_update(index_elements=list(key), set_=rest)
        return self._added[name]


def _claim() -> ReturningUpdate[tuple[int]]:
    """The oldest ready turn of every queue that runs nothing, lower lanes first."""
    mine, other = turn.alias("mine"), turn.alias("other")
    blocked = exists().where(
        other.c.queue == mine.c.queue,
        or_(other.c.state == READY, other.c.state == RUNNING),
        or_(other.c.state == RUNNING, other.c.id < mine.c.id),
        other.c.id != mine.c.id,
    )
    heads = (
        select(mine.c.id)
        .where(mine.c.state == READY, mine.c.not_before <= db_now(),
               mine.c.route.in_(bindparam("routes", expanding=True)), ~blocked)
        .order_by(mine.c.lane, mine.c.id)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)      # left out on SQLite, whose writer is alone anyway
    )
    return (
        update(turn)
        .where(turn.c.id.in_(heads))
        .values(state="running", worker=bindparam("me"), attempt=turn.c.attempt + 1)
        .returning(turn.c.id)
    )


def _details() -> Select[*tuple[Any, ...]]:
    """Everything a worker needs to know of the turns it has just claimed."""
    others = turn.alias("others")
    collapsed = (
        select(func.count()).where(
            others.c.author == turn.c.author, others.c.conversation == turn.c.conversation,
            others.c.outcome == "shed", others.c.id > turn.c.id,
        ).correlate(turn).scalar_subquery()
    )
    return (
        select(
            turn.c.id, turn.c.trace, turn.c.attempt, turn.c.failures, turn.c.crashes, turn.c.kind, turn.c.lane,
            turn.c.conversation, turn.c.author, turn.c.place, turn.c.stop,
            (db_now() - turn.c.received_at).label("waited"),
            case((turn.c.kind.in_(["busy", "quota"]), collapsed), else_=0).label("collapsed"),
            message.c.id.label("message"), message.c.sent_at, message.c.files, message.c.raw,
            revision.c.n, revision.c.body,
            person.c.name, person_key.c.id.label("key_id"), person_key.c.master, person_key.c.wrapped,
            answer.c.body.label("answer"), answer.c.posted,
        )
        .join_from(turn, message, turn.c.message == message.c.id)
        .join(revision, and_(revision.c.message == message.c.id, revision.c.n == _latest(message)))
        .join(person, person.c.id == turn.c.author)
        .outerjoin(person_key, person_key.c.person == turn.c.author)
        .outerjoin(answer, answer.c.turn == turn.c.id)
        .where(turn.c.id.in_(bindparam("ids", expanding=True)))
        .order_by(turn.c.id)
    )


CLAIM: Final = _claim()
DETAILS: Final = _details()
KEYS: Final = (
    select(person_key.c.person, person_key.c.id, person_key.c.master, person_key.c.wrapped)
    .where(person_key.c.person.in_(bindparam("people", expanding=True)))
    .order_by(person_key.c.person)
    .with_for_update(read=True, key_share=True)     # a forgetting at the same moment waits, then forgets this as well
)
BACKLOG: Final = (      # for each queue: how many wait, and how many run
    select(turn.c.queue, func.sum(case((turn.c.state == READY, 1), else_=0)),
           func.sum(case((turn.c.state == RUNNING, 1), else_=0)))
    .where(turn.c.queue.in_(bindparam("queues", expanding=True)), OPEN)
    .group_by(turn.c.queue)
)
SPENT: Final = (
    select(turn.c.author, func.count())
    .where(turn.c.author.in_(bindparam("people", expanding=True)), turn.c.received_at > db_now() - bindparam("window"),
           turn.c.kind.not_in(["busy", "quota"]))
    .group_by(turn.c.author)
)

_ours = and_(
    tuple_(turn.c.id, turn.c.attempt).in_(bindparam("claims", expanding=True)),
    turn.c.worker == bindparam("me"),
    turn.c.state == RUNNING,
)
MINE: Final = select(turn.c.id).where(_ours).order_by(turn.c.id).with_for_update()
FINISH: Final = (
    update(turn).where(_ours)
    .values(state="done", outcome=bindparam("how"), worker=None, ended_at=db_now())
    .returning(turn.c.id)
)
HAND_BACK: Final = update(turn).where(_ours).values(state="ready", worker=None).returning(turn.c.id)
RETRY: Final = (
    update(turn).where(_ours)
    .values(state="ready", worker=None, failures=turn.c.failures + 1, cause=bindparam("why"),
            not_before=db_now() + bindparam("pause"))
    .returning(turn.c.id)
)
BURY: Final = (
    update(turn).where(_ours)
    .values(state="dead", outcome="failed", worker=None, cause=bindparam("why"), ended_at=db_now())
    .returning(turn.c.id)
)

# Heartbeat: whoever has not been seen for a lease is dead, and what was running there is free again.
EXPIRE: Final[Delete] = delete(worker).where(worker.c.seen_at < db_now() - bindparam("lease"))
# Two statements: an UPDATE that has waited for another replica looks at the row anew, but not at a subquery. With
# NOT IN it would take a turn from whoever has just freed and claimed it, and is too new to be in the list.
DEAD: Final = (
    select(turn.c.worker).where(turn.c.state == RUNNING, turn.c.worker.not_in(select(worker.c.id))).distinct()
)
RECLAIM: Final = (
    update(turn)
    .where(turn.c.state == RUNNING, turn.c.worker.in_(bindparam("dead", expanding=True)))
    .values(state="ready", worker=None, crashes=turn.c.crashes + 1)
    .returning(turn.c.id)
)
HELD: Final = select(turn.c.id, turn.c.attempt).where(turn.c.state == RUNNING, turn.c.worker == bindparam("me"))
WITHDRAWN: Final = (
    select(turn.c.id).where(turn.c.id.in_(bindparam("ids", expanding=True)), turn.c.outcome == "withdrawn")
)
ORPHANS: Final = (
    update(turn)
    .where(turn.c.state == RUNNING, turn.c.worker == bindparam("me"), turn.c.id.in_(bindparam("ids", expanding=True)))
    .values(state="ready", worker=None, crashes=turn.c.crashes + 1)     # so that none goes round for ever
)
RELEASE: Final = (
    update(turn).where(turn.c.state == RUNNING, turn.c.worker == bindparam("me")).values(state="ready", worker=None)
)
LEAVE: Final[Delete] = delete(worker).where(worker.c.id == bindparam("me"))
STOP: Final = update(turn).where(turn.c.trace == bindparam("stopped"), OPEN).values(stop=True).returning(turn.c.trace)
STOPPING: Final = (
    select(turn.c.id).where(turn.c.state == RUNNING, turn.c.worker == bindparam("me"), turn.c.stop.is_(True))
)
WITHDRAW: Final = (
    update(turn)
    .where(turn.c.message == bindparam("withdrawn"), OPEN)
    .values(state="done", outcome="withdrawn", worker=None, ended_at=db_now())
    .returning(turn.c.trace)
)
