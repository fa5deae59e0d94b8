"""The durable queue inside one transaction: plain functions over a connection, each for several items at once.

A turn is ``ready``, ``running``, ``done`` or ``dead``. Two rules are the database's own: one delivery is one
row in `event`, and one queue runs one turn (`uq_turn_running`). Every write of a worker names the attempt it
was given; once somebody else holds the turn, it gets `Fenced` instead.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import Connection, CursorResult, Table, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from adapters.sql import statements as sql
from adapters.sql.database import db_now
from adapters.sql.keys import SYSTEM_PERSON, stored_keys, system_key
from adapters.sql.rows import (
    answer_of,
    answer_row,
    answer_text,
    files_of,
    files_row,
    files_text,
    place_of,
    place_row,
    raw_row,
    utc,
)
from adapters.sql.sealed import DataKey, Keyring, Sealed, Unreadable, WrappedKey
from adapters.sql.tables import (
    answer,
    channel,
    citation,
    conversation,
    decision,
    membership,
    message,
    person,
    person_key,
    platform,
    rejected,
    revision,
    turn,
    workspace,
)
from engine.errors import Fenced
from engine.messages import (
    Answer,
    Claim,
    ConversationId,
    Deleted,
    Edited,
    Event,
    Kind,
    Lane,
    Message,
    MessageId,
    Outcome,
    PersonId,
    Said,
    TraceId,
    Trail,
)

log = structlog.get_logger()

KNOWN: Final = 20_000
CAUSE_LENGTH: Final = 500
NOTICES: Final = frozenset({Kind.BUSY, Kind.QUOTA})


@dataclass(frozen=True, slots=True)
class Caps:
    """How much may wait. All per conversation or person; ``window`` in seconds."""

    backlog: int = 200
    quota: int = 120
    window: float = 3600.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A finished answer, before it is shown as finished."""

    held: Held
    answer: Answer
    trail: Trail
    posted: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A claim as the database knows it."""

    id: int
    attempt: int
    trace: TraceId
    author: PersonId


class Gone(Unreadable):
    """The message was deleted, or its author forgotten."""


class Ended(NamedTuple):
    """A turn that is over."""

    held: Held
    outcome: Outcome
    trail: Trail


class Failed(NamedTuple):
    """An attempt that is over; ``pause`` in seconds before the next."""

    held: Held
    cause: str
    pause: float
    trail: Trail


class Rejected(NamedTuple):
    """What a platform sent and nobody could read."""

    platform: str
    raw: bytes
    reason: str


class Beat(NamedTuple):
    """What a heartbeat found."""

    reclaimed: int              # turns of dead workers, free again
    lost: frozenset[int]        # turns that we run and no longer hold
    withdrawn: frozenset[int]   # those of them that nobody is to answer any more


@dataclass(slots=True)
class TurnQueue:
    """The queue's operations for one process. It runs inside the database's thread or task, one batch at a time."""

    keyring: Keyring
    caps: Caps
    statements: sql.Statements
    me: str
    learned: set[tuple[str, str]] = field(default_factory=set)      # written by the transaction under way
    withdrawn: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    _known: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)

    def committed(self) -> None:
        """What was written while the transaction was open is a fact now."""
        self._known.update(dict.fromkeys(self.learned))
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        self.learned.clear()

    def rolled_back(self) -> None:
        """And here it is not."""
        self.learned.clear()
        self.withdrawn.clear()
        self.stopped.clear()

    # -- receiving ---------------------------------------------------------------------------------------------

    def ingest(self, connection: Connection, events: Sequence[Event]) -> list[bool]:
        """Stores what is new; True for each that was. Sorted by key, so that two replicas never wait crosswise."""
        first = {e.key: e for e in reversed(events)}
        rows = [
            {"key": key, "kind": _kind(e), "message": _message_id(e)} for key, e in sorted(first.items())
        ]
        new = set(connection.execute(self.statements.new_events, rows).scalars())
        fresh = [e for e in events if e.key in new and first[e.key] is e]
        said = [e for e in fresh if isinstance(e, Said)]
        if said:
            self._store_said(connection, said)
        for change in fresh:
            if not isinstance(change, Said):
                self._store_change(connection, change)
        return [e.key in new and first[e.key] is e for e in events]

    def _store_said(self, connection: Connection, said: Sequence[Said]) -> None:
        messages = [e.message for e in said]
        self._store_places(connection, messages)
        keys = self._keys_of(connection, messages)
        self._store_members(connection, messages, keys)
        connection.execute(
            self.statements.add(message, received_at=db_now()),
            [_message_row(e, keys[e.message.author]) for e in said],
        )
        connection.execute(
            self.statements.add(revision),
            [{"message": m.id, "n": 0, "kind": "said", "body": keys[m.author].seal(m.text, _revision_row(m.id, 0)),
              "at": m.sent_at.timestamp()} for m in messages],
        )
        addressed = [e for e in said if e.addressed]
        if addressed:
            rows = self._turn_rows(connection, addressed)
            connection.execute(self.statements.add(turn, received_at=db_now()), rows)

    def _turn_rows(self, connection: Connection, said: Sequence[Said]) -> list[dict[str, Any]]:
        """A turn for each message; over a cap it becomes a notice, or is folded into the one already waiting."""
        queues = {str(e.message.conversation) for e in said} | {_notices(e.message) for e in said}
        people = {e.message.author for e in said}
        waiting, notices = Counter[str](), Counter[str]()
        for queue, waits, runs in connection.execute(sql.BACKLOG, {"queues": sorted(queues)}):
            waiting[queue], notices[queue] = waits + runs, waits
        spent = _counted(connection.execute(sql.SPENT, {"people": sorted(people), "window": self.caps.window}))
        rows = []
        for e in said:
            m, kind, queue = e.message, e.kind, str(e.message.conversation)
            if spent[m.author] >= self.caps.quota:
                kind, queue = Kind.QUOTA, _notices(m)
            elif waiting[queue] >= self.caps.backlog:
                kind, queue = Kind.BUSY, _notices(m)
            # A notice that is being said already has counted its messages: the next one gets a notice of its own.
            shed = kind in NOTICES and notices[queue] > 0
            waiting[queue] += not shed
            notices[queue] += not shed
            spent[m.author] += kind not in NOTICES
            rows.append({
                "trace": uuid.uuid4().hex, "message": m.id, "conversation": m.conversation, "queue": queue,
                "author": m.author, "route": m.place.platform, "place": place_row(m.place), "kind": kind.value,
                "lane": int(e.lane), "state": "done" if shed else "ready", "outcome": "shed" if shed else None,
                "attempt": 0, "failures": 0, "crashes": 0, "not_before": 0.0,
            })
        return rows

    def _store_places(self, connection: Connection, messages: Iterable[Message]) -> None:
        """Platform, workspace, channel, conversation: whatever is not known yet."""
        new: dict[str, dict[str, dict[str, Any]]] = {t.name: {} for t in _PLACES}
        for m in messages:
            at, space, room = m.place, f"{m.place.platform}:{m.place.workspace}", channel_id(m)
            for name, key, row in (
                ("platform", at.platform, {"id": at.platform}),
                ("workspace", space, {"id": space, "platform": at.platform}),
                ("channel", room, {"id": room, "workspace": space, "direct": at.direct}),
                ("conversation", m.conversation, {"id": m.conversation, "channel": room, "thread": at.thread}),
            ):
                if (name, key) not in self._known:
                    new[name].setdefault(key, row)
        for table in _PLACES:
            if rows := [row for _, row in sorted(new[table.name].items())]:
                connection.execute(self.statements.add(table), rows)
                self.learned.update((table.name, key) for key in new[table.name])

    def _store_members(self, connection: Connection, messages: Iterable[Message], keys: dict[str, DataKey]) -> None:
        """Who speaks in a channel is in it. Known by data key: who was forgotten and comes back is somebody new."""
        new = {}
        for m in messages:
            fact = ("membership", f"{channel_id(m)} {keys[m.author].id}")
            if fact not in self._known:
                new[fact] = {"channel": channel_id(m), "person": m.author}
        if new:
            rows = [new[fact] for fact in sorted(new)]
            connection.execute(self.statements.add(membership, since=db_now()), rows)
            self.learned.update(new)

    def _keys_of(self, connection: Connection, messages: Sequence[Message]) -> dict[str, DataKey]:
        names = {m.author: m.author_name for m in messages}
        keys = self._stored_keys(connection, names)
        if missing := sorted(names.keys() - keys.keys()):
            # New to us, or forgotten since: somebody who writes again is a new person.
            platforms = {m.author: m.place.platform for m in messages}
            made = {who: self.keyring.make() for who in missing}
            connection.execute(
                self.statements.add(person, created_at=db_now()),
                [{"id": who, "platform": platforms.get(PersonId(who), SYSTEM_PERSON)} for who in missing],
            )
            connection.execute(
                self.statements.add(person_key),
                [{"id": w.id, "person": who, "master": w.master, "wrapped": w.wrapped} for who, (w, _) in made.items()],
            )
            keys |= self._stored_keys(connection, missing)      # another replica may have been first
            self._name(connection, {who: names[PersonId(who)] for who in missing}, keys)
        return keys

    def _stored_keys(self, connection: Connection, people: Iterable[str]) -> dict[str, DataKey]:
        return stored_keys(connection, self.keyring, people)

    def _name(self, connection: Connection, names: dict[str, str], keys: dict[str, DataKey]) -> None:
        for who, name in names.items():
            if name:
                sealed = keys[who].seal(name, f"person/{who}")
                connection.execute(person.update().where(person.c.id == who).values(name=sealed))

    def _store_change(self, connection: Connection, change: Edited | Deleted) -> None:
        found = connection.execute(
            select(message.c.author, select(func.max(revision.c.n)).where(revision.c.message == change.message)
                   .scalar_subquery().label("n"))
            .where(message.c.id == change.message).with_for_update()
        ).one_or_none()
        if found is None:           # of a message that we never saw; the event stays on record
            return
        n, body = found.n + 1, None
        if isinstance(change, Edited):
            keys = self._stored_keys(connection, [found.author])
            if found.author not in keys:
                return              # forgotten: nothing of this person is stored any more
            body = keys[found.author].seal(change.text, _revision_row(change.message, n))
        connection.execute(
            insert(revision),
            {"message": change.message, "n": n, "kind": _kind(change), "body": body, "at": change.at.timestamp()},
        )
        if isinstance(change, Deleted):
            self.withdrawn.update(connection.execute(sql.WITHDRAW, {"withdrawn": change.message}).scalars())

    def reject(self, connection: Connection, items: Sequence[Rejected]) -> list[None]:
        """Keeps what could not be read, sealed."""
        key = system_key(connection, self.keyring, self.statements)
        rows = []
        for item in items:
            row = uuid.uuid4().hex
            body = key.seal(item.raw.decode("utf-8", "replace"), f"rejected/{row}")
            reason = item.reason[:CAUSE_LENGTH]
            rows.append({"platform": item.platform, "reason": reason, "body": body, "body_row": row})
        connection.execute(insert(rejected).values(received_at=db_now()), rows)
        return [None] * len(items)

    def stop(self, connection: Connection, traces: Sequence[TraceId]) -> list[bool]:
        """The person wants no more of these turns; False for one that is over. Whoever runs it ends it."""
        open_ones = {
            trace for trace in sorted(set(traces))
            if connection.execute(sql.STOP, {"stopped": trace}).scalar() is not None
        }
        self.stopped |= open_ones
        return [trace in open_ones for trace in traces]

    def stopping(self, connection: Connection) -> frozenset[int]:
        """The turns of ours that were stopped, here or on another replica, and have not ended."""
        return frozenset(connection.execute(sql.STOPPING, {"me": self.me}).scalars())

    # -- working -----------------------------------------------------------------------------------------------

    def claim(self, connection: Connection, routes: Sequence[str], limit: int) -> list[tuple[Held, Claim]]:
        """Up to ``limit`` turns that are ours from now on."""
        try:
            with connection.begin_nested():
                found = connection.execute(sql.CLAIM, {"routes": routes, "limit": limit, "me": self.me})
                ids = list(found.scalars())
        except IntegrityError:      # uq_turn_running: another replica has just taken that conversation
            return []
        if not ids:
            return []
        claims = []
        for row in connection.execute(sql.DETAILS, {"ids": ids}):
            held = Held(row.id, row.attempt, TraceId(row.trace), PersonId(row.author))
            try:
                claims.append((held, self._claim_of(row)))
            except Gone:            # deleted or forgotten between reception and now: nothing to answer
                self.finish(connection, [Ended(held, Outcome.WITHDRAWN, Trail(held.trace))])
            except Exception as error:      # one row that cannot be read must not keep all the others waiting
                log.exception("turn cannot be read", trace=held.trace)
                cause = f"the stored turn cannot be read: {type(error).__name__}"
                self.bury(connection, [Failed(held, cause, 0.0, Trail(held.trace))])
        return claims

    def _claim_of(self, row: Any) -> Claim:
        if row.body is None or row.key_id is None:
            raise Gone(f"message {row.message} was taken back")
        key = self.keyring.unwrap(WrappedKey(row.key_id, row.master, row.wrapped))
        said = Message(
            MessageId(row.message), ConversationId(row.conversation), PersonId(row.author),
            key.open(row.body, _revision_row(row.message, row.n)), place_of(row.place, row.author), utc(row.sent_at),
            key.open(row.name, f"person/{row.author}") if row.name else "",
            files_of(key.open(row.files, files_row(row.message))) if row.files else (),
        )
        raw = key.open(row.raw, raw_row(row.message)).encode() if row.raw else b""
        kept = answer_of(key.open(row.answer, f"answer/{row.id}")) if row.answer else None
        return Claim(TraceId(row.trace), said, row.attempt, row.failures, row.crashes, Kind(row.kind), Lane(row.lane),
                     row.collapsed, kept, row.posted, row.waited, raw, row.stop)

    def checkpoint(self, connection: Connection, items: Sequence[Checkpoint]) -> list[Exception | None]:
        """Stores finished answers, with their citations and verdicts."""
        mine = self._mine(connection, [i.held for i in items])
        kept = [i for i in items if i.held.id in mine]
        keys = self._stored_keys(connection, {i.held.author for i in kept}) if kept else {}
        kept = [i for i in kept if i.held.author in keys]       # who was forgotten meanwhile gets no answer stored
        if kept:
            connection.execute(self.statements.replace(answer, "turn", at=db_now()), [
                {"turn": i.held.id, "attempt": i.held.attempt, "posted": i.posted,
                 "dropped_marks": i.trail.dropped_marks, **answer_row(i.answer),
                 "body": _seal_answer(keys[i.held.author], i)} for i in kept
            ])
            if again := [i.held.id for i in kept if i.held.attempt > 1]:
                connection.execute(delete(citation).where(citation.c.turn.in_(again)))
            cited = [
                {"turn": i.held.id, "marker": c.marker, "passage": c.passage.id[:500],
                 "title": c.passage.title[:1000], "url": c.passage.url[:4000]} for i in kept for c in i.answer.citations
            ]
            if cited:
                connection.execute(insert(citation), cited)
            self._record(connection, [(i.held, i.trail) for i in kept])
        stored = {i.held.id for i in kept}
        return [None if i.held.id in stored else Fenced(f"turn {i.held.trace} is no longer ours") for i in items]

    def finish(self, connection: Connection, items: Sequence[Ended]) -> list[Exception | None]:
        """The turns are over and everything about them is shown."""
        done: set[int] = set()
        for outcome in sorted({i.outcome for i in items}):
            claims = [(i.held.id, i.held.attempt) for i in items if i.outcome is outcome]
            bound = {"claims": claims, "me": self.me, "how": outcome.value}
            done.update(connection.execute(sql.FINISH, bound).scalars())
        self._record(connection, [(i.held, i.trail) for i in items if i.held.id in done])
        return self._fenced([i.held for i in items], done)

    def retry(self, connection: Connection, items: Sequence[Failed]) -> list[Exception | None]:
        """The turns wait, and are tried again."""
        return self._each(connection, sql.RETRY, items)

    def bury(self, connection: Connection, items: Sequence[Failed]) -> list[Exception | None]:
        """The turns are dead letters: apologised for, kept for the operator."""
        return self._each(connection, sql.BURY, items)

    def _each(self, connection: Connection, statement: Any, items: Sequence[Failed]) -> list[Exception | None]:
        done: set[int] = set()
        for i in items:
            bound: dict[str, Any] = {
                "claims": [(i.held.id, i.held.attempt)], "me": self.me, "why": i.cause[:CAUSE_LENGTH],
            }
            if statement is sql.RETRY:
                bound["pause"] = i.pause
            done.update(connection.execute(statement, bound).scalars())
        self._record(connection, [(i.held, i.trail) for i in items if i.held.id in done])
        return self._fenced([i.held for i in items], done)

    def hand_back(self, connection: Connection, items: Sequence[Held]) -> list[Exception | None]:
        """The turns are free again at once."""
        bound = {"claims": [(h.id, h.attempt) for h in items], "me": self.me}
        return self._fenced(items, set(connection.execute(sql.HAND_BACK, bound).scalars()))

    def beat(self, connection: Connection, running: frozenset[int], lease: float) -> Beat:
        """Says that we live, frees what the dead held, and compares what we run with what we hold."""
        connection.execute(self.statements.heartbeat, [{"id": self.me}])
        connection.execute(sql.EXPIRE, {"lease": lease})
        dead = connection.execute(sql.DEAD).scalars().all()
        reclaimed = len(connection.execute(sql.RECLAIM, {"dead": dead}).scalars().all()) if dead else 0
        held = set(connection.execute(sql.HELD, {"me": self.me}).scalars())
        if orphans := sorted(held - running):       # claimed, but the answer to our claim was lost with a connection
            connection.execute(sql.ORPHANS, {"me": self.me, "ids": orphans})
        lost = running - held
        ended = connection.execute(sql.WITHDRAWN, {"ids": sorted(lost)}).scalars() if lost else ()
        return Beat(reclaimed, lost, frozenset(ended))

    def sign_off(self, connection: Connection) -> None:
        """We end: whatever still stands to our name is free at once."""
        connection.execute(sql.RELEASE, {"me": self.me})
        connection.execute(sql.LEAVE, {"me": self.me})

    def _mine(self, connection: Connection, held: Sequence[Held]) -> set[int]:
        bound = {"claims": [(h.id, h.attempt) for h in held], "me": self.me}
        return set(connection.execute(sql.MINE, bound).scalars())

    @staticmethod
    def _fenced(held: Sequence[Held], done: set[int]) -> list[Exception | None]:
        return [None if h.id in done else Fenced(f"turn {h.trace} is no longer ours") for h in held]

    @staticmethod
    def _record(connection: Connection, trails: Sequence[tuple[Held, Trail]]) -> None:
        rows = [
            {"turn": held.id, "attempt": held.attempt, "direction": d.direction, "guard": d.guard,
             "version": d.version, "action": d.action, "rule": d.rule[:200], "category": d.category[:60],
             "score": d.score, "text_hash": d.text_hash, "scanned": d.scanned, "shown": d.shown}
            for held, trail in trails for d in trail.decisions[trail.recorded:]
        ]
        if rows:
            connection.execute(_DECISIONS, rows)


_PLACES: Final[Sequence[Table]] = (platform, workspace, channel, conversation)
_DECISIONS: Final = insert(decision).values(at=db_now())


def channel_id(said: Message) -> str:
    """A channel's id, unique across platforms."""
    return f"{said.place.platform}:{said.place.workspace}/{said.place.channel}"


def _counted(result: CursorResult[str, int]) -> Counter[str]:
    return Counter({name: number for name, number in result})


def _seal_answer(key: DataKey, item: Checkpoint) -> Sealed:
    return key.seal(answer_text(item.answer), f"answer/{item.held.id}")


def _message_row(e: Said, key: DataKey) -> dict[str, Any]:
    m = e.message
    return {
        "id": m.id, "conversation": m.conversation, "author": m.author, "sent_at": m.sent_at.timestamp(),
        "files": key.seal(files_text(m.files), files_row(m.id)) if m.files else None,
        "raw": key.seal(e.raw.decode("utf-8", "replace"), raw_row(m.id)) if e.raw else None,
    }


def _revision_row(of: str, n: int) -> str:
    return f"revision/{of}/{n}"


def _notices(m: Message) -> str:
    """Notices have queues of their own, one for each person: they need not wait behind what they complain about."""
    return "notice:" + hashlib.sha256(f"{m.conversation}\0{m.author}".encode()).hexdigest()[:40]


def _kind(e: Event) -> str:
    return type(e).__name__.lower()


def _message_id(e: Event) -> str:
    return e.message.id if isinstance(e, Said) else e.message
