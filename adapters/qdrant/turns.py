"""Of several data folders that write to one index on a server, one at a time brings it up to its sources.

Two that put the same page there at once would each throw away pieces that the other has just written, and both take
the page for whole. So whoever begins leaves a claim in the index and then looks whether there is another: each sees the
other's, or one of them came first. Who sees one steps back, and tries again a little later.

A claim is renewed while it holds, and counts until it has not been for a while; that is told by the watcher's own
clock, since those of two machines differ. Whoever could not renew its own for most of that time stops writing, for
others may have taken over: one that was suspended in the middle of a write ends that one write, and no more.

What takes something away, pages or readers, does not wait for anybody.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from adapters.qdrant.points import turn_id
from adapters.qdrant.store import PassageStore, Point
from engine.errors import RetrieverUnavailable

TURN: Final = "turn"


class Elsewhere(RetrieverUnavailable):
    """Another data folder writes to the index; the sentence is for the operator."""


@dataclass(slots=True)
class Turns:
    """The right to write of one data folder. ``store``: the one that answers now."""

    store: Callable[[], PassageStore]
    name: str
    beat: float = 10.0          # seconds between two signs of life
    lease: float = 60.0         # until one who gives none has ended
    patience: float = 20.0      # until one is not waited for any longer who does: several beats
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)     # others' last sign of life, and since when
    _renewed: float = 0.0
    _holders: int = 0
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _beating: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def taken(self) -> AsyncGenerator[None]:
        """Nobody else writes while this is open; more than one here may have it open.

        Raises `Elsewhere`, and `RetrieverUnavailable` when the server is away.
        """
        if not self.store().shared:
            yield
            return
        async with self._changing:
            if not self._holders:
                await self._take()
                self._beating = asyncio.create_task(self._beat())
            self._holders += 1
        try:
            yield
        finally:
            async with self._changing:
                self._holders -= 1
                if not self._holders and self._beating is not None:
                    self._beating.cancel()
                    await asyncio.wait([self._beating])
                    with suppress(RetrieverUnavailable):        # then it counts for a while
                        await self.store().delete([turn_id(self.name)])

    def hold(self) -> None:
        """Asked before each write. Raises `Elsewhere` where others may have taken over."""
        if self._holders and self.clock() - self._renewed > self.lease - 2 * self.beat:
            raise Elsewhere("this process gave no sign of life for long, and others may write to the index now")

    async def _take(self) -> None:
        began: float | None = None
        while True:
            await self._renew()
            if not (others := await self._others()):
                break
            await self.store().delete([turn_id(self.name)])
            began = began or self.clock()
            alive = [name for name in others if self._seen[name][1] > began]        # it gave a sign since then
            if alive and self.clock() - began > self.patience:
                raise Elsewhere(f"{min(alive)} writes to this index just now: nothing was read for it from here")
            await asyncio.sleep(self.beat * random.uniform(0.05, 0.15))     # noqa: S311 - so that one is first
        if self._seen:                          # of whoever has ended
            await self.store().delete([turn_id(name) for name in self._seen])

    async def _renew(self) -> None:
        began = self.clock()
        await self.store().upsert([Point(turn_id(self.name), {"kind": TURN, "name": self.name, "sign": uuid4().hex})])
        self._renewed = began

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.beat)
            with suppress(RetrieverUnavailable, Elsewhere):     # whoever writes meanwhile is told by `hold`
                self.hold()
                await self._renew()

    async def _others(self) -> set[str]:
        """Whose claims count."""
        found: dict[str, str] = {}
        async with aclosing(self.store().scroll(TURN)) as batches:
            async for points in batches:
                found |= {point.payload["name"]: point.payload["sign"] for point in points}
        now = self.clock()
        self._seen = {name: self._seen[name] if self._seen.get(name, ("",))[0] == sign else (sign, now)
                      for name, sign in found.items() if name != self.name}
        return {name for name, (_, since) in self._seen.items() if now - since < self.lease}
