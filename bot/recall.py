"""What people take back in a chat is out of the index before the platform hears that we know of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from engine.errors import BotError
from engine.messages import Deleted, Edited, Event, MessageId
from engine.ports import Inbox

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RecallingInbox:
    """An inbox around an inbox. ``recall`` gets a message and whether it was deleted; else it was edited."""

    inner: Inbox
    recall: Callable[[MessageId, bool], Awaitable[None]]

    async def receive(self, event: Event) -> bool:
        """As the engine's `Inbox`. An index that is away is asked nothing either; its next sync takes it out.

        Whatever keeps it from being taken out, the event is stored, and its platform hears so.
        """
        fresh = await self.inner.receive(event)
        if isinstance(event, Deleted | Edited):
            try:
                await self.recall(event.message, isinstance(event, Deleted))
            except BotError as error:
                log.warning("what was taken back is still in the index", message_id=event.message, cause=str(error))
        return fresh

    async def reject(self, platform: str, raw: bytes, reason: str) -> None:
        """As the engine's `Inbox`."""
        await self.inner.reject(platform, raw, reason)
