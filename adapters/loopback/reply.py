"""One reply: a post that is edited as words come, and never a second post."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from adapters.loopback.client import PAUSE, Client, Gone, Unclear
from adapters.loopback.normalise import bare
from adapters.loopback.wire import NewPost, Revision, SourceWire
from engine.errors import Fenced, PlatformUnavailable
from engine.guards.egress import Cleared, Shown
from engine.messages import Claim, Visibility
from engine.ports import Hold

log = structlog.get_logger()


@dataclass(slots=True)
class LoopbackReply:
    """Implements the engine's `Reply`. ``pace``: seconds between two edits while words stream."""

    client: Client
    claim: Claim
    pace: float
    hold: Hold
    posted: str | None = None
    _unsure: bool = False           # a post of ours may stand there whose id we were not told
    _words: str = ""
    _edited_at: float = 0.0         # by the loop's clock
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _writer: asyncio.Task[None] | None = None

    @property
    def visibility(self) -> Visibility:
        """A direct conversation has one reader."""
        return Visibility.PRIVATE if self.claim.message.place.direct else Visibility.SHARED

    async def status(self, text: Cleared) -> None:
        """Progress, in place of whatever stood there."""
        self._words = ""
        async with self._one_at_a_time:
            await self._put(Revision(str(text)), patient=True)

    async def append(self, text: Cleared) -> None:
        """More words. They are shown with the next edit, which others may share."""
        self._words += text
        self._more.set()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
            # A turn that ends without a last word, because another worker has it, ends its edits with it.
            if turn := asyncio.current_task():
                turn.add_done_callback(self._abandoned)

    async def replace(self, text: Cleared) -> None:
        """Only this stands now, and it is the last word."""
        await self._close(Revision(str(text), final=True))

    async def stopped(self, text: Cleared) -> None:
        """What stands stays, with this under it."""
        await self._close(Revision(f"{self._words}\n\n{text}" if self._words else str(text), final=True))

    async def finish(self, shown: Shown) -> None:
        """The whole answer, with its sources."""
        sources = tuple(SourceWire(s.marker, str(s.title), s.url, str(s.quote), s.date) for s in shown.sources)
        await self._close(Revision(str(shown.text), final=True, sources=sources, note=str(shown.note)))

    async def _write(self) -> None:
        """Shows what has been appended, at most once in a pace. An edit that fails is made up for by the next."""
        clock, pause = asyncio.get_running_loop().time, self.pace
        while True:
            await self._more.wait()
            await asyncio.sleep(max(0.0, self._edited_at + pause - clock()))
            self._more.clear()
            try:
                async with self._one_at_a_time:
                    if self._words:     # else they were taken back while we waited
                        await self._put(Revision(self._words), patient=False)
            except Fenced:          # another worker writes this post now
                return
            except PlatformUnavailable as error:
                log.info("edit not shown", cause=str(error))
                pause = min(PAUSE[1], 2 * pause)
                self._more.set()
            else:
                pause = self.pace

    def _abandoned(self, turn: asyncio.Task[object]) -> None:
        del turn
        if self._writer is not None:
            self._writer.cancel()

    async def _close(self, revision: Revision) -> None:
        async with self._one_at_a_time:     # an edit under way ends first: it must not overtake the last one
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.cancel()
                await asyncio.wait([writer])
                if not writer.cancelled() and (broken := writer.exception()):
                    raise broken
            await self._put(revision, patient=True)

    async def _put(self, revision: Revision, *, patient: bool) -> None:
        try:
            if self.posted is None and await self._post(revision.text) and revision == Revision(revision.text):
                return
            try:
                await self._edit(revision, patient=patient)
            except Gone:        # somebody removed it; what we have to say is said once more, in one post again
                self.posted = None
                await self._post(revision.text)
                await self._edit(revision, patient=patient)
        finally:
            self._edited_at = asyncio.get_running_loop().time()

    async def _edit(self, revision: Revision, *, patient: bool) -> None:
        assert self.posted is not None      # noqa: S101  (for the type checker)
        edit = self.client.edit if patient else self.client.edit_once
        await edit(self.posted, revision, self.hold)

    async def _post(self, text: str) -> bool:
        """Sees to it that one post of ours stands there; True when it is a new one that says ``text``.

        A post of unclear fate is looked for, and never repeated from here: should it not turn up, the turn goes
        back to the inbox, and its next attempt looks again before it posts.
        """
        message, trace = self.claim.message, self.claim.trace
        if not self._unsure:
            self._unsure = True             # until we are told, whatever ends the call
            try:
                new = NewPost(bare(message.conversation), bare(message.id), trace, text)
                self.posted = await self.client.post(new, self.hold)
            except Unclear as error:
                log.info("looking for a post of unclear fate", cause=str(error))
            except (PlatformUnavailable, Fenced):
                self._unsure = False        # it was refused, or not sent
                raise
            else:
                self._unsure = False
                return True
        self.posted = await self.client.look(trace)
        if self.posted is None:
            raise Unclear("chat server: a post of ours did not turn up")
        self._unsure = False
        return False
