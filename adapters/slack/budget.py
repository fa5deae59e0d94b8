"""How often each method may be called: Slack counts per method and workspace, and so do we, before it does.

A limit is two rules at once. In no span of a window do more calls leave than Slack's tier allows, however they
are bunched; and after a first few they are spread evenly, so that ten answers that stream side by side all
move, instead of one that spends the minute. Waiting is fair within a rank, and last words go before progress.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Final, NamedTuple

MARGIN: Final = 1.05
"""A window is counted as this much longer: calls that left evenly may arrive closer together, by three seconds here."""


class Rank(IntEnum):
    """Who goes first when calls have to wait."""

    LAST_WORD = 0       # what a turn ends with, and what the person has pressed a button for
    FIRST_SIGN = 1      # something visible within a second
    PROGRESS = 2        # superseded by the next one
    BACKGROUND = 3      # nobody waits for it


@dataclass(frozen=True, slots=True)
class Rule:
    """At most ``calls`` in any ``window`` seconds; the first ``burst`` of them without a pause between them."""

    calls: int
    window: float = 60.0
    burst: int = 1

    def scaled(self, share: float) -> Rule:
        """The same for a part of the allowance; a call at a time is always left, if need be in a longer window."""
        calls = self.calls * share
        if calls >= 1:
            return Rule(int(calls), self.window, max(1, int(self.burst * share)))
        return Rule(1, self.window / calls, 1)


def tier(per_minute: int, burst: int | None = None) -> Rule:
    """One of Slack's tiers."""
    return Rule(per_minute, burst=max(1, per_minute // 5) if burst is None else burst)


TWO: Final = tier(20)
THREE: Final = tier(50)
FOUR: Final = tier(100)
RULES: Final[Mapping[str, Rule]] = {
    # A burst of starts is what a question asked by many at once looks like; nothing is gained by spreading it.
    "chat.startStream": tier(20, burst=20),
    "chat.stopStream": tier(20, burst=20),
    "chat.appendStream": tier(100, burst=10),
    "chat.update": tier(50, burst=2),
    "chat.delete": THREE,
    "chat.postMessage": tier(200, burst=40),                # "several hundred a minute"; a channel has its own rule
    "chat.postEphemeral": FOUR,
    "assistant.threads.setStatus": tier(200, burst=40),     # "special": Slack names no number
    "assistant.threads.setTitle": FOUR,
    "assistant.threads.setSuggestedPrompts": FOUR,
    "views.open": tier(100, burst=100),                     # what opens it lasts three seconds
    "views.update": FOUR,
    "views.publish": FOUR,
    "conversations.open": THREE,
    "conversations.info": THREE,
    "conversations.list": TWO,
    "conversations.members": tier(100, burst=30),
    "conversations.history": THREE,
    "conversations.replies": THREE,
    "conversations.join": THREE,
    "users.info": tier(100, burst=30),
    "users.list": TWO,
    "users.conversations": THREE,
    "usergroups.list": TWO,
    "usergroups.users.list": TWO,
    "auth.teams.list": TWO,
    "auth.test": tier(200, burst=40),
    "bots.info": THREE,
    "team.info": THREE,
    "files.info": FOUR,
    "reactions.add": THREE,
    "chat.getPermalink": tier(200, burst=40),
    "apps.connections.open": THREE,
}
POSTS: Final = Rule(1, 1.0)
"""Of one channel: one message a second."""


class Key(NamedTuple):
    """What Slack counts apart. ``channel`` is empty but for posts."""

    method: str
    workspace: str
    channel: str = ""


@dataclass(slots=True)
class Allowance:
    """One method in one workspace. Pure: the time comes from outside, in seconds, and never goes back."""

    rule: Rule
    _left: deque[float] = field(default_factory=deque)      # when the calls of the last window left
    _due: float = 0.0               # when, evenly spread, the calls so far should have left
    _closed: float = 0.0            # Slack asked for silence until then

    def wait(self, now: float) -> float:
        """Seconds until the next call may leave; 0: now."""
        window = self.rule.window * MARGIN
        while self._left and self._left[0] <= now - window:
            self._left.popleft()
        calls = self.rule.calls
        # Not the oldest that is noted: after a call that left a rounding error early there is one more of them.
        full = self._left[-calls] + window - now if len(self._left) >= calls else 0.0
        spread = self._due - self._step * self.rule.burst - now + self._step
        return max(0.0, full, spread, self._closed - now)

    def take(self, now: float) -> None:
        """Notes a call that leaves now."""
        self._left.append(now)
        self._due = max(self._due, now) + self._step

    def close(self, until: float) -> None:
        """No call before then."""
        self._closed = max(self._closed, until)

    @property
    def room(self) -> int:
        """How many calls the window still has room for, as of the last `wait`."""
        return self.rule.calls - len(self._left)

    @property
    def _step(self) -> float:
        return self.rule.window * MARGIN / self.rule.calls


@dataclass(slots=True)
class _Queue:
    """Who waits for one allowance."""

    allowance: Allowance
    waiting: list[tuple[int, int, asyncio.Future[None]]] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Budget:
    """The allowances of one process. ``share``: which part of Slack's limits is ours (replicas divide them)."""

    share: float = 1.0
    rules: Mapping[str, Rule] = field(default_factory=lambda: RULES)
    _queues: dict[Key, _Queue] = field(default_factory=dict)
    _turn: count[int] = field(default_factory=count)

    async def take(self, key: Key, rank: Rank = Rank.LAST_WORD) -> None:
        """Waits until a call may leave, and counts it."""
        queue = self._queue(key)
        if not queue.waiting and self._taken(queue):
            return
        granted = asyncio.get_running_loop().create_future()
        heapq.heappush(queue.waiting, (rank, next(self._turn), granted))
        self._serve(queue)
        try:
            await granted
        finally:
            # One that gave up is passed over; one that was granted its call at the same moment has spent it.
            granted.cancel()

    def try_take(self, key: Key) -> bool:
        """Counts a call if it may leave at once and nobody waits for one."""
        queue = self._queue(key)
        self._drop_gone(queue)
        return not queue.waiting and self._taken(queue)

    def wait(self, key: Key) -> float:
        """Seconds until a call could leave, if nobody else wanted one."""
        return self._queue(key).allowance.wait(self._now())

    def close(self, key: Key, seconds: float) -> None:
        """Slack said 429: nothing leaves for so long."""
        queue = self._queue(key)
        queue.allowance.close(self._now() + seconds)
        self._serve(queue)

    def _queue(self, key: Key) -> _Queue:
        if (queue := self._queues.get(key)) is None:
            rule = POSTS if key.channel else self.rules.get(key.method, THREE)
            queue = self._queues[key] = _Queue(Allowance(rule.scaled(self.share)))
            self._forget()
        return queue

    def _forget(self) -> None:
        """Channels come and go; those that have been quiet for longer than their window are not kept."""
        if len(self._queues) < 2_000:
            return
        now = self._now()
        for key in [k for k, q in self._queues.items() if k.channel and not q.waiting and not q.allowance.wait(now)]:
            if self._queues[key].allowance.room == self._queues[key].allowance.rule.calls:
                del self._queues[key]

    def _taken(self, queue: _Queue) -> bool:
        now = self._now()
        if queue.allowance.wait(now) > 0:
            return False
        queue.allowance.take(now)
        return True

    @staticmethod
    def _drop_gone(queue: _Queue) -> None:
        while queue.waiting and queue.waiting[0][2].done():
            heapq.heappop(queue.waiting)

    def _serve(self, queue: _Queue) -> None:
        """Grants what may be granted, and comes back when the next may."""
        if queue.timer is not None:
            queue.timer.cancel()
            queue.timer = None
        while True:
            self._drop_gone(queue)
            if not queue.waiting:
                return
            if not self._taken(queue):
                break
            heapq.heappop(queue.waiting)[2].set_result(None)
        # A timer may fire a little early by the loop's own resolution.
        pause = queue.allowance.wait(self._now()) + 0.001
        queue.timer = asyncio.get_running_loop().call_later(pause, self._serve, queue)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
