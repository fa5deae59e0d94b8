"""Claims stored turns and runs each as one task: order, deadline, stop, and the last word on every error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from bot.interrupt import Interrupted, Interruptible, Reason
from bot.telemetry import Metrics, explain, traced
from engine.errors import BotError, Deflected, Fenced, PlatformUnavailable, Refused, StoreUnavailable, Unavailable
from engine.messages import Claim, ConversationId, Kind, Outcome, TraceId, Trail
from engine.ports import Appealable, Platform, Queue, Reply
from engine.turn import Engine

log = structlog.get_logger()

STILL_TRYING: Final = "I am still trying to answer this …"
STOPPED: Final = "Stopped."
WITHDRAWN: Final = "This question was taken back, so I stopped."
BUSY: Final = (
    "There are so many questions waiting in this conversation that I left {count} out. "
    "Please ask again once I have caught up."
)
QUOTA: Final = "You have used up your questions for now, so I left {count} out. Please try again later."
POISON: Final = "I had to give up on this question: something about it keeps stopping me. I have noted it."


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchOptions:
    """How turns are run."""

    concurrency: int = 64
    deadline: timedelta = timedelta(minutes=5)      # for one attempt
    ending: timedelta = timedelta(minutes=1)        # for the last words about a turn
    grace: timedelta = timedelta(seconds=20)        # for turns under way when we are going down
    max_failures: int = 5
    max_unreachable: int = 60       # the same while the chat platform is away: nobody could be told anyway
    max_crashes: int = 10


@dataclass(slots=True)
class _Running:
    claim: Claim
    turn: Interruptible


@dataclass(slots=True)
class Dispatcher:
    """One per process."""

    queue: Queue
    engine: Engine
    platforms: Mapping[str, Platform]
    options: DispatchOptions = field(default_factory=DispatchOptions)
    metrics: Metrics = field(default_factory=Metrics.fresh)
    _running: dict[tuple[TraceId, int], _Running] = field(default_factory=dict)     # by trace and attempt
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stopping: asyncio.Event) -> None:
        """Until ``stopping`` is set: then turns under way get their grace, and what is left is handed back."""
        async with asyncio.TaskGroup() as turns:
            claiming = turns.create_task(self._claim(turns))
            await stopping.wait()
            claiming.cancel()
            await self._finish_up()

    def lost(self, trace: TraceId, attempt: int, why: str) -> None:
        """The store says that we do not hold this attempt any more."""
        if running := self._running.get((trace, attempt)):
            running.turn.interrupt(Reason(why))

    def stop(self, conversation: ConversationId) -> bool:
        """The person wants no more of the answer under way; False when there is none."""
        mine = [r for r in self._running.values() if r.claim.message.conversation == conversation]
        for running in mine:
            running.turn.interrupt(Reason.STOPPED)
        return bool(mine)

    @property
    def open_turns(self) -> int:
        """How many run now."""
        return len(self._running)

    def hurry(self) -> None:
        """No more grace: what runs is handed back."""
        for running in self._running.values():
            running.turn.interrupt(Reason.SHUTDOWN)

    async def _claim(self, turns: asyncio.TaskGroup) -> None:
        while True:
            while not (free := self.options.concurrency - len(self._running)):
                self._ended.clear()
                await self._ended.wait()
            for claim in await self.queue.claim(free):
                running = self._running[claim.trace, claim.attempt] = _Running(claim, Interruptible())
                turns.create_task(self._turn(running))

    async def _finish_up(self) -> None:
        try:
            async with asyncio.timeout(self.options.grace.total_seconds()):
                while self._running:
                    self._ended.clear()
                    await self._ended.wait()
        except TimeoutError:
            log.info("the grace is over", turns=len(self._running))
            self.hurry()

    async def _turn(self, running: _Running) -> None:
        claim = running.claim
        self.metrics.claimed(claim)
        with traced(claim.trace), self.metrics.open_turns.track_inprogress():
            try:
                await _Turn(self, claim).run(running.turn)
            finally:
                self.queue.abandon(claim)       # ended, or else the next heartbeat frees it
                del self._running[claim.trace, claim.attempt]
                self._ended.set()


@dataclass(slots=True)
class _Turn:
    """One attempt at one turn."""

    dispatcher: Dispatcher
    claim: Claim
    trail: Trail = field(init=False)
    began: float = field(init=False)
    reply: Reply | None = None

    def __post_init__(self) -> None:
        self.trail = Trail(self.claim.trace)
        self.began = time.monotonic()

    @property
    def last(self) -> bool:
        """No attempt will follow this one."""
        return self.claim.failures + 1 >= self.dispatcher.options.max_failures

    @property
    def unreachable(self) -> bool:
        """The chat platform has been away for so long that nobody will be told."""
        return self.claim.failures + 1 >= self.dispatcher.options.max_unreachable

    def _hold(self) -> None:
        if not self.dispatcher.queue.holds(self.claim):
            raise Fenced(f"turn {self.claim.trace} may not be ours any more")

    async def run(self, turn: Interruptible) -> None:
        """Ends in exactly one way; whatever cannot be written any more is found by the next heartbeat."""
        queue, options = self.dispatcher.queue, self.dispatcher.options
        try:
            async with turn, asyncio.timeout(options.deadline.total_seconds()):
                outcome = await self._attempt()
            await queue.finish(self.claim, outcome, self.trail)
            self._count(outcome)
        except Interrupted as stop:
            await self._guarded(self._interrupted(stop.reason))
        except Fenced:
            log.info("turn taken over")
        except StoreUnavailable as error:
            log.warning("turn set aside, the store is away", cause=str(error))
        except Unavailable as error:
            await self._guarded(self._again(error))
        except TimeoutError:
            await self._guarded(self._told(TookTooLong(f"no end after {options.deadline}")))
        except BotError as error:
            await self._guarded(self._told(error))
        except Exception as error:      # our one broad catch: a bad turn must not end the others
            log.exception("turn failed")
            await self._guarded(self._told(error))

    async def _attempt(self) -> Outcome:
        platform = self.dispatcher.platforms[self.claim.message.place.platform]
        self.reply = await platform.reply_to(self.claim, self._hold)
        if self.claim.crashes >= self.dispatcher.options.max_crashes:
            raise Poison(f"{self.claim.crashes} processes died on this turn")
        if self.claim.stopped:
            await self.reply.stopped(await self.dispatcher.engine.egress.notice(STOPPED))
            return Outcome.STOPPED
        if self.claim.kind in (Kind.BUSY, Kind.QUOTA):
            text = BUSY if self.claim.kind is Kind.BUSY else QUOTA
            await self._replace(text.format(count=_messages(self.claim.collapsed + 1)))
            return Outcome.NOTICE
        engine = self.dispatcher.engine
        speak = engine.summarise if self.claim.kind is Kind.SUMMARY else engine.answer
        await speak(self.claim, self.reply, self.trail, last=self.last)
        return Outcome.ANSWERED

    async def _guarded(self, ending: Awaitable[None]) -> None:
        """The ending itself may fail: then the turn stays ours on paper only, and is run again."""
        try:
            async with asyncio.timeout(self.dispatcher.options.ending.total_seconds()):
                await ending
        except Fenced:
            log.info("turn taken over")
        except (Unavailable, TimeoutError) as error:
            log.warning("turn set aside", cause=explain(error))
        except Exception:
            log.exception("turn could not be ended")
            if self.claim.crashes >= self.dispatcher.options.max_crashes:       # not even with an apology: enough
                await self._buried("it could not be ended")

    async def _interrupted(self, reason: Reason) -> None:
        queue = self.dispatcher.queue
        match reason:
            case Reason.SHUTDOWN:
                await queue.hand_back(self.claim)
            case Reason.TAKEN:
                log.info("turn taken over")
            case Reason.WITHDRAWN:
                await self._replace(WITHDRAWN)
                self._count(Outcome.WITHDRAWN)
            case Reason.STOPPED:
                if self.reply is not None:
                    await self.reply.stopped(await self.dispatcher.engine.egress.notice(STOPPED))
                await queue.finish(self.claim, Outcome.STOPPED, self.trail)
                self._count(Outcome.STOPPED)

    async def _again(self, error: Unavailable) -> None:
        """Back to the inbox with a pause; only the last attempt apologises."""
        cause = explain(error)
        if self.last and not isinstance(error, PlatformUnavailable):
            await self._told(error)
            return
        if self.unreachable:
            await self._buried(cause)
            return
        log.warning("turn will be tried again", cause=cause, failures=self.claim.failures + 1)
        self.dispatcher.metrics.retried(error)
        if self.reply is not None and not isinstance(error, PlatformUnavailable):
            await self.reply.status(await self.dispatcher.engine.egress.notice(STILL_TRYING))
        await self.dispatcher.queue.retry(self.claim, cause, self.trail)

    async def _told(self, error: Exception) -> None:
        """The person reads a sentence that helps; the operator finds the cause, and a dead letter if it was ours."""
        cause = explain(error)
        words = error.reply if isinstance(error, BotError) else BotError.reply
        short = self.claim.trace[:8]
        refused = isinstance(error, Refused | Deflected)
        try:
            await self._replace(words if short in words else f"{words} (Reference: {short})", refused=refused)
        except PlatformUnavailable as unreachable:
            if not self.unreachable:    # nobody has read it yet
                await self.dispatcher.queue.retry(self.claim, f"{cause}; {unreachable}", self.trail)
                return
            log.error("nobody could be told", cause=str(unreachable))   # noqa: TRY400  (the cause is what matters)
        if isinstance(error, BotError) and not isinstance(error, Unavailable | Poison | TookTooLong):
            outcome = Outcome.REFUSED if refused else Outcome.NOTICE
            log.info("turn ended", outcome=outcome.value, cause=cause)
            await self.dispatcher.queue.finish(self.claim, outcome, self.trail)
            self._count(outcome)
            return
        await self._buried(cause)

    async def _buried(self, cause: str) -> None:
        """Kept for the operator, who is alerted."""
        log.error("dead letter", cause=cause)
        await self.dispatcher.queue.bury(self.claim, cause, self.trail)
        self.dispatcher.metrics.buried()
        self._count(Outcome.FAILED)

    async def _replace(self, words: str, *, refused: bool = False) -> None:
        if self.reply is None:
            platform = self.dispatcher.platforms[self.claim.message.place.platform]
            self.reply = await platform.reply_to(self.claim, self._hold)
        shown = await self.dispatcher.engine.egress.notice(words)
        if refused and isinstance(self.reply, Appealable):
            await self.reply.refused(shown)
        else:
            await self.reply.replace(shown)

    def _count(self, outcome: Outcome) -> None:
        self.dispatcher.metrics.ended(outcome, time.monotonic() - self.began, self.trail)


class TookTooLong(BotError):
    """An attempt ran into its deadline."""

    reply = "This took too long, so I stopped. Please ask again, perhaps for less at a time."


class Poison(BotError):
    """Too many processes died while they ran this turn."""

    reply = POISON


def _messages(count: int) -> str:
    return "one message" if count == 1 else f"{count} messages"
