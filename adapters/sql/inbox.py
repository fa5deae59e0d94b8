"""The durable inbox and outbox of one process: receive, claim, checkpoint, finish.

`SqlInbox.run` owns all writes. Each of its rounds is one transaction: what waits is written, and free slots
are filled with new claims. Callers resume after the commit that holds their write.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeAlias

import structlog
from sqlalchemy import Connection

from adapters.sql.database import Conflict, Database
from adapters.sql.ledger import PAUSE, Entry, Ledger, apply, settle
from adapters.sql.queue import Beat, Caps, Checkpoint, Ended, Failed, Held, Rejected, TurnQueue
from adapters.sql.rows import readable
from adapters.sql.sealed import Keyring
from adapters.sql.statements import Statements
from adapters.sql.tables import ID_LENGTH
from engine.errors import BadEvent, Fenced, StoreUnavailable
from engine.messages import Answer, Claim, Edited, Event, Outcome, Said, TraceId, Trail

log = structlog.get_logger()
LostHandler: TypeAlias = Callable[[TraceId, int, str], None]
"""Called on the loop with a trace, an attempt, and ``"withdrawn"``, ``"stopped"`` or ``"taken"``."""
LONGEST_ID: Final = ID_LENGTH // 3
"""Characters of one id of a platform's: ours are made of up to three."""
TRUSTED: Final = 0.8
"""The part of a lease for which we believe in it without another heartbeat."""
TEXT_LIMIT: Final = 4 << 20
"""Characters of one message that are stored; a platform's own limit is far below."""


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """How the queue behaves."""

    routes: tuple[str, ...] = ()                    # the platforms that this process can answer on
    caps: Caps = field(default_factory=Caps)
    lease: timedelta = timedelta(seconds=15)        # a worker not seen for so long is dead
    poll: timedelta = timedelta(seconds=0.5)        # how soon turns of other processes are noticed
    retry_base: timedelta = timedelta(seconds=0.5)  # doubled at every failure
    retry_max: timedelta = timedelta(seconds=60)


@dataclass(slots=True)
class Round:
    """What one transaction brought."""

    results: list[tuple[Entry, Any]]
    claims: list[tuple[Held, Claim]]
    beat: Beat | None
    stopping: frozenset[int]


@dataclass(slots=True)
class SqlInbox:
    """Implements the engine's `Inbox` and `Queue`, and the checkpoint for the store."""

    database: Database
    keyring: Keyring
    options: QueueOptions
    me: str = field(default_factory=lambda: uuid.uuid4().hex)
    lost: LostHandler = lambda _trace, _attempt, _why: None
    ledger: Ledger = field(default_factory=Ledger)
    queue: TurnQueue = field(init=False)
    _running: dict[TraceId, Held] = field(default_factory=dict)
    _wanted: int = 0
    _claimed: asyncio.Future[list[Claim]] | None = None
    _look: bool = True              # something may be ready
    _beat_at: float = -math.inf     # by _clock; when the last heartbeat that is on disk was begun

    def __post_init__(self) -> None:
        self.queue = TurnQueue(self.keyring, self.options.caps, Statements(self.database.dialect), self.me)

    # -- for platforms -----------------------------------------------------------------------------------------

    async def receive(self, event: Event) -> bool:
        """True: it is on disk now. False: it already was. Raises `BadEvent`, or `StoreUnavailable`."""
        fresh: bool = await self.ledger.submit(self.queue.ingest, storable(event))
        return fresh

    async def reject(self, platform: str, raw: bytes, reason: str) -> None:
        """Keeps an event that cannot be read, for the operator."""
        await self.ledger.submit(self.queue.reject, Rejected(platform, raw[:TEXT_LIMIT], readable(reason)))

    async def stop(self, trace: TraceId) -> bool:
        """Its person wants no more of a turn: whichever replica runs it ends it. False when it is over already."""
        was_open: bool = await self.ledger.submit(self.queue.stop, trace)
        return was_open

    # -- for the dispatcher ------------------------------------------------------------------------------------

    async def claim(self, limit: int) -> Sequence[Claim]:
        """Waits until at least one turn is ours, and returns at most ``limit``. One caller at a time."""
        self._wanted, self._claimed = limit, asyncio.get_running_loop().create_future()
        self._look = True
        self.ledger.wake.set()
        try:
            return await self._claimed
        finally:
            self._wanted, self._claimed = 0, None

    async def finish(self, claim: Claim, outcome: Outcome, trail: Trail) -> None:
        """Everything about the turn is shown. Raises `Fenced`."""
        await self._end(claim, self.queue.finish, Ended(self._held(claim), outcome, trail), trail)

    async def retry(self, claim: Claim, cause: str, trail: Trail) -> None:
        """Another attempt after a pause that doubles. Raises `Fenced`."""
        most, base = self.options.retry_max.total_seconds(), self.options.retry_base.total_seconds()
        pause = min(most, base * 2 ** min(claim.failures, 16)) * random.uniform(0.8, 1.2)   # noqa: S311  (jitter)
        failed = Failed(self._held(claim), readable(cause), pause, trail)
        await self._end(claim, self.queue.retry, failed, trail)

    async def bury(self, claim: Claim, cause: str, trail: Trail) -> None:
        """A dead letter. Raises `Fenced`."""
        await self._end(claim, self.queue.bury, Failed(self._held(claim), readable(cause), 0.0, trail), trail)

    async def hand_back(self, claim: Claim) -> None:
        """Anyone may take the turn at once. Raises `Fenced`."""
        await self._end(claim, self.queue.hand_back, self._held(claim), Trail(claim.trace))

    def holds(self, claim: Claim) -> bool:
        """Whether nobody else can have the turn yet, by our own clock, which goes on while we are paused."""
        held = self._running.get(claim.trace)
        return held is not None and held.attempt == claim.attempt and self._beaten_lately()

    def _beaten_lately(self) -> bool:
        return _clock() - self._beat_at < TRUSTED * self.options.lease.total_seconds()

    def abandon(self, claim: Claim) -> None:
        """We run this attempt no longer and could not say so: the next heartbeat frees it."""
        held = self._running.get(claim.trace)
        if held is not None and held.attempt == claim.attempt:
            del self._running[claim.trace]

    async def checkpoint(self, claim: Claim, answer: Answer, trail: Trail, posted: str | None) -> None:
        """The finished answer is on disk. Raises `Fenced`."""
        await self._written(self.queue.checkpoint, Checkpoint(self._held(claim), answer, trail, posted), trail)

    def _held(self, claim: Claim) -> Held:
        held = self._running.get(claim.trace)
        if held is None or held.attempt != claim.attempt:
            raise Fenced(f"turn {claim.trace} is no longer ours")
        return held

    async def _end(self, claim: Claim, operation: Any, item: Any, trail: Trail) -> None:
        try:
            await self._written(operation, item, trail)
        finally:
            self.abandon(claim)     # ended, or else the next heartbeat frees what is left

    async def _written(self, operation: Any, item: Any, trail: Trail) -> None:
        verdicts = len(trail.decisions)
        await self.ledger.submit(operation, item)
        trail.recorded = verdicts   # a turn writes several times, and each verdict once

    # -- the loop ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Writes until cancelled, and then what still waits."""
        failures = 0
        try:
            while True:
                failures = 0 if await self._whole_round() else failures + 1
                if failures:
                    self._give_up_turns()
                    await asyncio.sleep(min(PAUSE[1], PAUSE[0] * 2 ** min(failures, 10)))
                elif not self.ledger and not (self._look and self._wanted):
                    await self._rest()
        finally:
            await self._drain()

    async def _rest(self) -> None:
        self.ledger.wake.clear()
        try:
            async with asyncio.timeout(self.options.poll.total_seconds()):
                await self.ledger.wake.wait()
        except TimeoutError:
            self._look = True

    async def _whole_round(self) -> bool:
        """A transaction under way is not given up: somebody waits for every write in it."""
        under_way = asyncio.ensure_future(self._round(self.ledger.take()))
        try:
            return await asyncio.shield(under_way)
        except asyncio.CancelledError:
            await under_way
            raise

    async def _drain(self) -> None:
        while batch := self.ledger.take():
            await self._round(batch)
        self.ledger.close("the store is closed")
        try:
            await self.database.write(self.queue.sign_off)
        except StoreUnavailable as error:       # then the lease runs out
            log.warning("could not sign off", cause=str(error))

    async def _round(self, batch: list[Entry], *, again: bool = False) -> bool:
        """One transaction; False when the database did not take it."""
        lease = self.options.lease.total_seconds()
        due = _clock() - self._beat_at > lease / 3
        wanted = self._wanted if self._look else 0
        if not (batch or wanted or due):
            return True
        running = frozenset(h.id for h in self._running.values()) if due else None
        began = _clock()
        try:
            done = await self.database.write(partial(self._transaction, batch, wanted, running))
        except Conflict as error:
            self.queue.rolled_back()
            return await self._one_by_one(batch, error, again=again)
        except StoreUnavailable as error:
            self.queue.rolled_back()
            log.warning("store unavailable", cause=str(error), waiting=len(batch))
            settle([(entry, StoreUnavailable(str(error))) for entry in batch])
            return False
        except Exception as error:      # a bug that one write brings out must not end all the others
            self.queue.rolled_back()
            log.exception("write failed", waiting=len(batch))
            if not batch:               # nobody waits for it: so it is tried again, but not at once
                return False
            return await self._one_by_one(batch, Conflict(f"{type(error).__name__} in the store"), again=again)
        self.queue.committed()
        if due:
            self._beat_at = began
        self._deliver(done, wanted)
        return True

    def _transaction(self, batch: list[Entry], wanted: int, running: frozenset[int] | None, c: Connection) -> Round:
        """Runs where the database's connection lives; touches nothing of the loop's."""
        q = self.queue
        beat = q.beat(c, running, self.options.lease.total_seconds()) if running is not None else None
        order = (q.ingest, q.reject, q.stop, q.checkpoint, q.finish, q.retry, q.bury, q.hand_back)
        results = apply(c, batch, order)
        claims = q.claim(c, self.options.routes, wanted) if wanted else []
        return Round(results, claims, beat, q.stopping(c) if wanted or beat else frozenset())

    async def _one_by_one(self, batch: list[Entry], error: Conflict, *, again: bool) -> bool:
        """One write broke a rule: it alone fails, not its neighbours. A lost race between replicas passes, too."""
        if again:
            log.warning("write refused", cause=str(error))
            settle([(entry, error) for entry in batch])
            return True
        return all([await self._round([entry], again=True) for entry in batch])

    def _deliver(self, done: Round, wanted: int) -> None:
        changed = any(entry.operation != self.queue.checkpoint for entry, _ in done.results)
        self._look = changed or bool(done.claims) or (self._look and not wanted)
        settle(done.results)
        # If whoever asked has gone, the claims are not noted as running, and the next heartbeat frees them.
        if done.claims and self._claimed is not None and not self._claimed.done():
            self._running |= {claim.trace: held for held, claim in done.claims}
            self._claimed.set_result([claim for _, claim in done.claims])
            self._wanted = 0
        withdrawn, self.queue.withdrawn = self.queue.withdrawn, set()
        for trace in withdrawn & self._running.keys():
            self.lost(TraceId(trace), self._running[TraceId(trace)].attempt, "withdrawn")
        stopped, self.queue.stopped = self.queue.stopped, set()
        for trace, held in list(self._running.items()):
            if trace in stopped or held.id in done.stopping:
                self.lost(trace, held.attempt, "stopped")
        if done.beat:
            self._heed(done.beat)

    def _heed(self, beat: Beat) -> None:
        if beat.reclaimed:
            log.info("turns of a dead worker are free again", turns=beat.reclaimed)
            self._look = True
        for trace, held in list(self._running.items()):
            if held.id in beat.lost:
                self.lost(trace, held.attempt, "withdrawn" if held.id in beat.withdrawn else "taken")

    def _give_up_turns(self) -> None:
        """Without a heartbeat for most of a lease others may take our turns: stop showing anything for them."""
        if not self._beaten_lately():
            for trace, held in list(self._running.items()):
                self.lost(trace, held.attempt, "taken")


def _clock() -> float:
    """Seconds; goes on while the process is stopped and while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def storable(event: Event) -> Event:
    """The event with text that every database takes. Raises `BadEvent` for ids that none does."""
    if isinstance(event, Said):
        m, at = event.message, event.message.place
        _check_ids(key=event.key, message=m.id, conversation=m.conversation, author=m.author, platform=at.platform,
                   workspace=at.workspace, channel=at.channel, thread="-" if at.thread is None else at.thread)
        name = readable(m.author_name)[:ID_LENGTH]
        files = tuple(replace(f, id=readable(f.id), name=readable(f.name), url=readable(f.url), kind=readable(f.kind))
                      for f in m.files)
        return replace(event, message=replace(m, text=_text(m.text), author_name=name, files=files),
                       raw=event.raw[:TEXT_LIMIT])
    _check_ids(key=event.key, message=event.message)
    return replace(event, text=_text(event.text)) if isinstance(event, Edited) else event


def _check_ids(**ids: str) -> None:
    for name, value in ids.items():
        if not value or len(value) > LONGEST_ID or not value.isprintable():
            raise BadEvent(f"{name} must be 1 to {LONGEST_ID} printable characters")


def _text(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise BadEvent(f"text has {len(text)} characters, at most {TEXT_LIMIT} are stored")
    return readable(text)
