"""A reply that only its reader sees: at the address that came with a command, later as an ephemeral message.

Slack keeps none of it and gives it no name, so it can be neither found again nor edited: the outbox alone knows what
was said. A row stands there from just before a message leaves, so that what a crash caught in a queue is said by the
next attempt. A message that may have arrived is not said again; its reader gets one sentence, and a button, instead.

An address takes five messages within half an hour (S23). After a press on a button the first one takes the place of
the message that the button was in. After a command or a shortcut there is none that Slack would let us replace: what
we say at first stays above the answer, so it repeats the question, which Slack shows to nobody.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from adapters.slack.calls import Closed, Gone, SlackError, Unclear
from adapters.slack.commands import ASKED
from adapters.slack.ids import user_of
from adapters.slack.mrkdwn import clip
from adapters.slack.outbox import Content, Posts
from adapters.slack.ports import Clear
from adapters.slack.render import Buttons, render, rendered
from adapters.slack.share import CLOCKS
from engine.errors import Fenced, PlatformUnavailable, StoreUnavailable
from engine.guards.egress import Cleared, Shown, joined
from engine.harmless import line
from engine.messages import Claim, Visibility
from engine.spoken import How, Purpose, Sent, Ticket, Tickets

log = structlog.get_logger()

POSTS: Final = 5                # that a response address takes
STATUS: Final = -1              # the part that is the status line
DOUBT: Final = -2               # the part that says that another one may be missing
SHOWN: Final = "shown"          # there instead of a ts: Slack has taken it
QUESTION: Final = 300           # characters of a question that are repeated
PERHAPS: Final = "Something went wrong while I answered you. If you do not see my answer, please try again."


@dataclass(frozen=True, slots=True)
class _Noted:
    """The way of one message: the outbox has a row of it while it may have arrived."""

    posts: Posts
    row: Sent

    async def leaves(self) -> None:
        """On record, unless the turn is another's by now: then the row may be that one's, and is left alone."""
        try:
            await self.posts.outbox.sending(self.row)
        except asyncio.CancelledError:
            await self.back()
            raise
        self.posts.hold()

    async def back(self) -> None:
        """It certainly was not said: the next attempt is to say it, and not to take the row for the word."""
        try:
            self.posts.hold()
            await asyncio.shield(self.posts.outbox.unsent(self.row.name, self.row.part))
        except Fenced:
            return
        except StoreUnavailable as error:
            log.warning("a private message that was not sent stays on record", cause=str(error))


@dataclass(slots=True)
class PrivateReply:
    """Implements the engine's `Reply` and `Appealable`: a status line, then everything at once."""

    posts: Posts
    tickets: Tickets
    claim: Claim
    earlier: Sequence[Sent]
    clear: Clear | None = None      # None: of sentences that are not handed in none is said
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
                await self._say(STATUS, render(await self._asked(text))[0])
            except Closed as closed:        # the answer has another way
                log.info("no status here", cause=str(closed))

    async def append(self, text: Cleared) -> None:
        """Kept until the end: an address takes five messages and no edits."""
        self._words.append(text)

    async def replace(self, text: Cleared) -> None:
        """Only this."""
        await self._close(await rendered(text))

    async def refused(self, text: Cleared) -> None:
        """The same; who asked can say that it was wrong."""
        await self._close(await rendered(text, Buttons(wrong=await self._ticket())))

    async def stopped(self, text: Cleared) -> None:
        """What has come so far, with this under it."""
        words = joined(self._words)
        await self._close(await (rendered(words, below=text) if words.strip() else rendered(text)))

    async def finish(self, shown: Shown) -> None:
        """The answer with its sources; it can be shared with the channel."""
        id = await self._ticket()
        await self._close(await rendered(shown, Buttons(
            f"{id}+", f"{id}-", id if shown.sources else None, id if self.posts.channel[:1] in "CG" else None, id,
        )))

    async def _asked(self, status: Cleared) -> Cleared:
        """The question again, with this under it."""
        question = clip(line(self.claim.message.text.partition("\n\n")[0]), QUESTION)
        return await self.clear(f"{ASKED} {question}\n\n{status}") if self.clear and question else status

    async def _ticket(self) -> str:
        return await self.tickets.issue(Ticket(Purpose.ANSWER, self.claim.message.author, self.claim.trace))

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
            if self.clear and DOUBT not in self._said and any(s.part >= 0 and s.ts is None for s in self.earlier):
                again = Buttons(again=await self._ticket())
                await self._say(DOUBT, render(await self.clear(PERHAPS), again)[0])
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
        posts = self.posts
        row = Sent(posts.name, part, How.PRIVATE, posts.workspace, posts.channel, "")
        way = _Noted(posts, row)
        try:
            await self._shown(part, content, way)
        except Unclear as error:
            log.warning("a private message of unclear fate is not repeated", cause=str(error))
        except (PlatformUnavailable, Closed):
            await way.back()
            raise
        else:
            row = replace(row, ts=SHOWN)
            await posts.outbox.sent(posts.name, part, SHOWN)
        self.earlier = [*self.earlier, row]

    async def _shown(self, part: int, content: Content, way: _Noted) -> None:
        shown = {"text": content.text, "blocks": content.blocks}
        if self._url and len(self._said) < POSTS:
            whisper = {"response_type": "ephemeral", "replace_original": part in (STATUS, 0), **shown}
            try:
                await self.posts.calls.respond(self._url, whisper, self.posts.hold, way)
            except Gone as error:
                await way.back()
                log.info("the response address is over", cause=str(error))
            else:
                return
        place = self.claim.message.place
        await self.posts.calls.call("chat.postEphemeral", place.workspace, {
            "channel": place.channel, "user": user_of(place.person), "thread_ts": place.thread, **shown,
            "parse": "none",
        }, hold=self.posts.hold, way=way)
