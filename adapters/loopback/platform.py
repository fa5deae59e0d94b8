"""The loopback chat server as a `Platform`, and who reads its channels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiohttp import web

from adapters.loopback.client import Client, open_client
from adapters.loopback.config import LoopbackConfig
from adapters.loopback.door import Door
from adapters.loopback.normalise import NAME, PREFIX, bare
from adapters.loopback.reply import LoopbackReply
from adapters.loopback.wire import MemberWire
from engine.errors import PlatformUnavailable
from engine.messages import Audience, Claim, Member, PersonId, Place, Visibility
from engine.ports import Hold, Inbox

log = structlog.get_logger()

REMEMBERED: Final = 1_000       # channels
CLOSING: Final = 1.0            # seconds for events that are being stored while we close


@dataclass(slots=True)
class Loopback:
    """Implements the engine's `Platform` and `Membership`. Create it with `open`."""

    config: LoopbackConfig
    client: Client
    port: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _channels: dict[str, tuple[float, list[MemberWire]]] = field(default_factory=dict)  # asked at, by the loop's clock

    @classmethod
    @asynccontextmanager
    async def open(cls, config: LoopbackConfig) -> AsyncGenerator[Loopback]:
        """The platform; its connections to the chat server are closed with the context, after the last reply."""
        async with open_client(config) as client:
            yield cls(config, client)

    @property
    def name(self) -> str:
        """As in `Place.platform`."""
        return NAME

    async def listen(self, inbox: Inbox) -> None:
        """Takes events until cancelled; ``port`` says where, from then on. Raises `PlatformUnavailable`."""
        config = self.config
        app = Door(inbox, config.token, config.event_bytes).app()
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=CLOSING)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, config.host, config.port).start()
            except OSError as error:
                raise PlatformUnavailable(
                    f"loopback: cannot listen on {config.host}:{config.port}: {error.strerror or type(error).__name__}"
                ) from error
            port = runner.addresses[0][1]
            log.info("listening for events", platform=NAME, host=config.host, port=port)
            if not self.port.done():
                self.port.set_result(port)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def reply_to(self, claim: Claim, hold: Hold) -> LoopbackReply:
        """A reply; a resumed claim's is the post that an earlier attempt left. Raises `PlatformUnavailable`."""
        posted = claim.posted
        if posted is None and claim.resumed:
            posted = await self.client.look(claim.trace)
        return LoopbackReply(self.client, claim, self.config.pace.total_seconds(), hold, posted)

    async def audience(self, place: Place, visibility: Visibility) -> Audience:
        """Everyone in the channel, or only who asked. Raises `PlatformUnavailable` when the chat server does not say:
        closed, and tried again, rather than an answer as if there were no pages.
        """
        members = await self._members(place.channel)
        if place.direct or visibility is Visibility.PRIVATE:
            members = [member for member in members if member.id == bare(place.person)]
        return Audience(tuple(_member(member) for member in members))

    async def _members(self, channel: str) -> list[MemberWire]:
        now = asyncio.get_running_loop().time()
        asked_at, members = self._channels.get(channel, (now, None))
        if members is None or now - asked_at >= self.config.fresh.total_seconds():
            members = await self.client.members(channel)
            self._channels.pop(channel, None)           # so that the first one is the one asked for longest ago
            self._channels[channel] = now, members
            if len(self._channels) > REMEMBERED:
                del self._channels[next(iter(self._channels))]
        return members


def _member(member: MemberWire) -> Member:
    person = PersonId(PREFIX + member.id)
    return Member(person, member.labels | {f"user:{person}"})
