"""What people take back in a chat is out of the index before the platform hears that we know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from engine.errors import BotError
from engine.messages import Deleted, Edited, Event, MessageId
from engine.ports import Inbox

log = structlog.get_logger()

MISSED: Final = 10_000          # messages to be tried again
PAUSE: Final = 1.0              # seconds until then, and with each failure twice as many
LONGEST: Final = 60.0


@dataclass(frozen=True, slots=True)
class RecallingInbox:
    """An inbox around an inbox. ``recall`` gets a message and whether it was deleted; else it was edited."""

    inner: Inbox
    recall: Callable[[MessageId, bool], Awaitable[None]]
    missed: asyncio.Queue[tuple[MessageId, bool]] = field(default_factory=lambda: asyncio.Queue(MISSED))

    async def receive(self, event: Event) -> bool:
        """As the engine's `Inbox`. Whatever keeps it from being taken out, the event is stored and told so."""
        fresh = await self.inner.receive(event)
        if isinstance(event, Deleted | Edited):
            try:
                await self.recall(event.message, isinstance(event, Deleted))
            except BotError as error:
                log.warning("what was taken back is still in the index", message_id=event.message, cause=str(error))
                with suppress(asyncio.QueueFull):
                    self.missed.put_nowait((event.message, isinstance(event, Deleted)))
        return fresh

    async def run(self) -> None:
        """Takes out what could not be, as soon as it can; until cancelled. What is lost then, the next sync does."""
        pause = PAUSE
        while True:
            message, deleted = await self.missed.get()
            while True:
                await asyncio.sleep(pause)
                try:
                    await self.recall(message, deleted)
                except BotError:
                    pause = min(2 * pause, LONGEST)
                else:
                    pause = PAUSE
                    break

    async def reject(self, platform: str, raw: bytes, reason: str) -> None:
        """As the engine's `Inbox`."""
        await self.inner.reject(platform, raw, reason)
