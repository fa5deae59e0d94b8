"""What the tests of this platform share: a pile that events land on, and a reply that a story writes into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from adapters.loopback.config import LoopbackConfig
from adapters.loopback.platform import Loopback
from engine.errors import BotError
from engine.guards.egress import Cleared, Egress, Shown
from engine.messages import (
    Answer,
    Claim,
    ConversationId,
    Event,
    Message,
    MessageId,
    PersonId,
    Place,
    TraceId,
    Trail,
)
from tests.builders import NOON
from tests.chat_server import ChatServer, chat_server

TRACE = TraceId("a" * 32)
EGRESS = Egress((), lambda _text: "")
HURRIED = timedelta(milliseconds=300)

@dataclass(slots=True)
class Pile:
    """An inbox that keeps everything in a list; ``broken`` is raised instead."""

    events: list[Event] = field(default_factory=list)
    rejected: list[tuple[str, bytes, str]] = field(default_factory=list)
    broken: BotError | None = None
    reject_broken: BotError | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)      # storing takes until then

    def __post_init__(self) -> None:
        self.open.set()

    async def receive(self, event: Event) -> bool:
        await self.open.wait()
        if self.broken:
            raise self.broken
        new = event.key not in {known.key for known in self.events}
        if new:
            self.events.append(event)
        return new

    async def reject(self, platform: str, raw: bytes, reason: str) -> None:
        if self.reject_broken:
            raise self.reject_broken
        self.rejected.append((platform, raw, reason))

@asynccontextmanager
async def a_platform(token: str = "", **changes: Any) -> AsyncGenerator[tuple[ChatServer, Loopback]]:
    """A chat server and the platform over it, not yet listening; short of time and patience."""
    async with chat_server(token=token) as chat:
        told: dict[str, Any] = {"pace": timedelta(milliseconds=10), "timeout": HURRIED, "patience": HURRIED, **changes}
        config = LoopbackConfig(chat.url, "127.0.0.1", 0, token, **told)
        async with Loopback.open(config) as platform:
            yield chat, platform

@asynccontextmanager
async def listening(inbox: Pile, token: str = "", **changes: Any) -> AsyncGenerator[ChatServer]:
    """The same, listening; `ChatServer.push` hands it events."""
    async with a_platform(token, **changes) as (chat, platform):
        task = asyncio.create_task(platform.listen(inbox))
        try:
            chat.bot = f"http://127.0.0.1:{await platform.port}"
            yield chat
        finally:
            task.cancel()
            await asyncio.wait([task])

def a_message_event(**changes: Any) -> dict[str, Any]:
    return {
        "type": "message", "key": "k1", "id": "m1", "conversation": "general", "channel": "general",
        "workspace": "acme", "author": "ann", "name": "Ann", "text": "how much notice before annual leave?",
        "at": "2026-03-02T12:00:00Z", **changes,
    }

def a_claim(*, attempt: int = 1, posted: str | None = None, direct: bool = False) -> Claim:
    place = Place("loopback", "acme", "general", PersonId("loopback:ann"), direct=direct)
    asked = Message(MessageId("loopback:m1"), ConversationId("loopback:general"), PersonId("loopback:ann"),
                    "how much notice?", place, NOON)
    return Claim(TRACE, asked, attempt=attempt, posted=posted)

def held() -> None:
    """The turn is ours."""


def again(claim: Claim) -> Claim:
    """The same turn in its next attempt; nothing of this one was checkpointed."""
    return replace(claim, attempt=claim.attempt + 1)

async def cleared(text: str) -> Cleared:
    return await EGRESS.notice(text)

async def shown(answer: Answer, note: str = "") -> Shown:
    return await EGRESS.show(answer, Trail(TRACE), note)

