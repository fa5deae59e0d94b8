"""A reply that only its reader sees: at the address that came with a command, later as an ephemeral message.

Slack keeps none of it and gives it no name, so it can be neither found again nor edited: the outbox alone knows what
was said. An address takes five messages within half an hour (S23); the first one is replaced by those after it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from adapters.slack.calls import Closed, Gone, SlackError, Unclear
from adapters.slack.ids import user_of
from adapters.slack.outbox import Content, Posts
from adapters.slack.render import Buttons, render
from adapters.slack.share import CLOCKS
from engine.errors import Fenced, PlatformUnavailable, StoreUnavailable
from engine.guards.egress import Cleared, Shown, joined
from engine.messages import Claim, Visibility
from engine.ports import Hold
from engine.spoken import How, Purpose, Sent, Ticket, Tickets

log = structlog.get_logger()

POSTS: Final = 5                # that a response address takes
STATUS: Final = -1              # the part that is the status line


@dataclass(slots=True)
class _Way:
    """Whether a call may have arrived: it has left and did not come back."""

    hold: Hold
    left: bool = False

    @property
    def held(self) -> bool:
        """Whether the turn is still ours."""
        try:
            self.hold()
        except Fenced:
            return False
        return True

    def __call__(self) -> None:
        """Just before it leaves."""
        self.hold()
        self.left = True

    def back(self) -> None:
        """It certainly was not done."""
        self.left = False


@dataclass(slots=True)
class PrivateReply:
    """Implements the engine's `Reply`: a status line, then everything at once."""

    posts: Posts
    tickets: Tickets
    claim: Claim
    earlier: Sequence[Sent]
    _words: list[Cleared] = field(default_factory=list)

    @property
    def visibility(self) -> Visibility:
        """One reader, always."""
        return Visibility.PRIVATE

    @property
    def posted(self) -> str | None:
        """Nothing that could be named."""
        return None

    async def status(self, text: Cleared) -> None:
        """Once; what has been said is replaced at the end."""
        self._words.clear()
        if not self._said and self._url:
            try:
                await self._say(STATUS, render(text)[0])
            except Closed as closed:        # the answer has another way
                log.info("no status here", cause=str(closed))

    async def append(self, text: Cleared) -> None:
        """Kept until the end: an address takes five messages and no edits."""
        self._words.append(text)

    async def replace(self, text: Cleared) -> None:
        """Only this."""
        await self._close(render(text))

    async def stopped(self, text: Cleared) -> None:
        """What has come so far, with this under it."""
        words = joined(self._words)
        await self._close(render(words, below=text) if words.strip() else render(text))

    async def finish(self, shown: Shown) -> None:
        """The answer with its sources; it can be shared with the channel."""
        id = await self.tickets.issue(Ticket(Purpose.ANSWER, self.claim.message.author, self.claim.trace))
        await self._close(render(shown, Buttons(
            f"{id}+", f"{id}-", id if shown.sources else None, id if self.posts.channel[:1] in "CG" else None, id,
        )))

    @property
    def _said(self) -> set[int]:
        return {sent.part for sent in self.earlier}

    @property
    def _url(self) -> str:
        try:
            given = json.loads(self.claim.raw).get("response_url") if self.claim.raw else None
        except (ValueError, AttributeError):
            given = None
        return given if isinstance(given, str) else ""

    async def _close(self, parts: Sequence[Content]) -> None:
        try:
            for n, part in enumerate(parts):
                if n not in self._said:
                    await self._say(n, part)
        except Closed as closed:
            await self._direct(parts, closed)

    async def _direct(self, parts: Sequence[Content], closed: Closed) -> None:
        """People ask where we are no member, too: they read it in a conversation of their own, all of it."""
        place, asked = self.claim.message.place, self.claim.message.sent_at
        log.info("a private answer is told directly", cause=str(closed), channel=place.channel)
        try:
            posts = await self.posts.direct(user_of(place.person))
            posts.since = f"{asked.timestamp() - CLOCKS:.6f}"       # what was asked in a dialog has no ts
            told = {sent.part for sent in await posts.earlier()}
            for n, part in enumerate(parts):
                if n not in told:
                    await posts.post(n, part)
        except Closed as error:
            raise SlackError(f"{closed}; nobody can be told", closed.code) from error

    async def _say(self, part: int, content: Content) -> None:
        """Noted before it is said. An answer that got lost is not said twice: nobody could look."""
        posts, way = self.posts, _Way(self.posts.hold)
        row = Sent(posts.name, part, How.PRIVATE, posts.workspace, posts.channel, "")
        posts.hold()
        try:
            await posts.outbox.sending(row)
        except asyncio.CancelledError:
            if way.held:
                await self._not_said(part)
            raise
        posts.hold()        # who stalled until the turn was another's leaves the row: it may be that one's
        try:
            await self._shown(part, content, way)
        except Unclear as error:
            log.warning("a private message of unclear fate is not repeated", cause=str(error))
        except (PlatformUnavailable, Closed, Fenced):
            await posts.outbox.unsent(posts.name, part)
            raise
        except asyncio.CancelledError:
            if not way.left:
                await self._not_said(part)
            raise
        self.earlier = [*self.earlier, row]

    async def _not_said(self, part: int) -> None:
        """A stop caught it before it left: the next attempt is to say it, and not to take the row for the word."""
        try:
            await asyncio.shield(self.posts.outbox.unsent(self.posts.name, part))
        except StoreUnavailable as error:
            log.warning("a private message that was not sent stays on record", cause=str(error))

    async def _shown(self, part: int, content: Content, way: _Way) -> None:
        shown = {"text": content.text, "blocks": content.blocks}
        if self._url and len(self._said) < POSTS:
            replaces = {"replace_original": part <= 0}
            try:
                await self.posts.calls.respond(
                    self._url, {"response_type": "ephemeral", **replaces, **shown}, way, way.back,
                )
            except Gone as error:
                way.back()
                log.info("the response address is over", cause=str(error))
            else:
                return
        place = self.claim.message.place
        await self.posts.calls.call("chat.postEphemeral", place.workspace, {
            "channel": place.channel, "user": user_of(place.person), "thread_ts": place.thread, **shown,
            "parse": "none",
        }, hold=way, back=way.back)
