"""A private answer, said to everyone in its channel: once, and only if each of them may read what it came from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

import structlog

from adapters.slack.calls import Calls
from adapters.slack.outbox import Ourselves, Posts
from adapters.slack.render import Buttons, rendered
from engine.afterwards import Afterwards
from engine.errors import BotError
from engine.messages import TraceId
from engine.spoken import How, Outbox, Purpose, Sent, Ticket, Tickets, Told

log = structlog.get_logger()

SHARED: Final = "I have shared this with the channel."
ALREADY: Final = "This was shared with the channel already."
LOCK: Final = -1                # the part of the outbox that says who shares; parts from 0 on are messages
DONE: Final = "done"            # there instead of a ts: every part stands in the channel
CLOCKS: Final = 300.0           # seconds by which our clock and Slack's may differ
BELOW: Final = "Shared from a private answer."


def name_of(trace: TraceId) -> str:
    """Under what name the outbox knows the shared answer."""
    return f"{trace}:share"


@dataclass(frozen=True, slots=True)
class Sharing:
    """Shares answers."""

    calls: Calls
    outbox: Outbox
    tickets: Tickets
    ourselves: Ourselves
    afterwards: Afterwards

    async def share(self, told: Told) -> str:
        """Puts it into the channel; what to tell who asked for it. Raises `Refused` when it is not for everyone."""
        place = replace(told.question.place, private=False)
        if told.answer is None:
            return ALREADY
        shown = await self.afterwards.shareable(told.answer, place)
        name = name_of(told.trace)
        lock = Sent(name, LOCK, How.POST, place.workspace, place.channel, place.thread or "")
        if not await self.outbox.first(lock):
            return ALREADY
        posts = Posts(
            self.calls, self.outbox, self.ourselves, _free, name, place.workspace, place.channel, place.thread or "",
            f"{told.question.sent_at.timestamp() - CLOCKS:.6f}", looks=(0.0,),
        )
        noted = {sent.part: sent.ts for sent in await self.outbox.of(name)}     # by us, or by an attempt that was lost
        id = await self.tickets.issue(Ticket(Purpose.ANSWER, told.question.author, told.trace))
        buttons = Buttons(f"{id}+", f"{id}-", id if shown.sources else None)
        below = await self.afterwards.egress.notice(BELOW)
        try:
            for number, part in enumerate(await rendered(shown, buttons, below=below)):
                if not noted.get(number) and not (number in noted and await posts.turned_up(number)):
                    await self.outbox.sending(lock)         # still at it: nobody takes over a long answer half-way
                    await posts.post(number, part)
        except asyncio.CancelledError:
            log.warning("an answer was not shared to its end", trace=told.trace)
            raise
        except BotError:
            log.warning("an answer was not shared to its end", trace=told.trace)
            # The next press goes on at once, unless a message may be on its way: then only when that is lost.
            if all(sent.ts for sent in await self.outbox.of(name) if sent.part != LOCK):
                await self.outbox.unsent(name, LOCK)
            raise
        await self.outbox.sent(name, LOCK, DONE)
        return SHARED


def _free() -> None:
    """Nobody else could hold this: the outbox's row is the lock."""
