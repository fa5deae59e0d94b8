"""One reply in a thread: a status within a second, then words as they come, then the whole with its sources.

Words stream natively while Slack's tiers have room for it; else one message is edited. Either way an end is reached by
one rule: so many messages as the answer needs stand there, each says what it should, and no other one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog

from adapters.slack.budget import Rank
from adapters.slack.calls import Calls, Closed, Fixed, Gone, SlackError, StoppedByUser, StreamEnded
from adapters.slack.config import SlackConfig
from adapters.slack.ephemeral import PrivateReply
from adapters.slack.ids import PREFIX, Workspace, ts_of, user_of
from adapters.slack.mrkdwn import clip
from adapters.slack.outbox import LOOKS, Ourselves, Posts
from adapters.slack.ports import Clear
from adapters.slack.render import Buttons, Part, footer, render, rendered, stop_button
from adapters.slack.stream import CHARS, LIFE, Stream, cut, open_stream
from adapters.slack.streamed import exact, flowing
from engine.errors import Fenced, PlatformUnavailable, StoreUnavailable
from engine.guards.egress import Cleared, Shown, joined
from engine.harmless import line
from engine.messages import Claim, Place, Visibility
from engine.ports import Hold
from engine.spoken import How, Outbox, Purpose, Sent, Stop, Ticket, Tickets

log = structlog.get_logger()

STATUS_EVERY: Final = 100.0     # seconds; Slack takes a status away after two minutes
TITLE: Final = 60               # characters
PAUSE: Final = (0.5, 5.0)       # seconds before words that could not be shown are tried again


@dataclass(frozen=True, slots=True)
class Voice:
    """Opens replies."""

    calls: Calls
    outbox: Outbox
    tickets: Tickets
    ourselves: Ourselves
    stop: Stop
    config: SlackConfig
    clear: Clear | None = None      # for what the engine does not hand in: titles of threads; None: there are none
    stream_life: float = LIFE       # seconds
    status_every: float = STATUS_EVERY
    looks: Sequence[float] = LOOKS

    async def reply_to(self, claim: Claim, hold: Hold) -> SlackReply | PrivateReply:
        """A new reply; a resumed claim's goes on with what an earlier attempt has left there."""
        place, message = claim.message.place, claim.message
        since = ts_of(message.id)
        posts = Posts(
            self.calls, self.outbox, self.ourselves, hold, claim.trace, place.workspace, place.channel,
            place.thread or since, since, looks=self.looks,
        )
        if place.private:
            earlier = await posts.earlier() if claim.resumed else []
            return PrivateReply(posts, self.tickets, claim, earlier, self.clear)
        reply = SlackReply(self, posts, claim)
        if claim.resumed:
            try:
                await reply.take_up(await posts.earlier())
            except Closed as closed:
                reply.close(closed)     # raised here, nobody could be told: there would be no reply to tell it with
        return reply


@dataclass(slots=True)
class _Standing:
    """A message of ours in the thread, and what it shows if that is known."""

    part: int
    ts: str
    shows: Part | None = None


@dataclass(slots=True)
class SlackReply:
    """Implements the engine's `Reply` and `Appealable`. Create it with `Voice.reply_to`."""

    voice: Voice
    posts: Posts
    claim: Claim
    _words: list[Cleared] = field(default_factory=list)
    _standing: list[_Standing] = field(default_factory=list)
    _live: Stream | None = None
    _streamed: str = ""                 # of the words, in all messages
    _edits: bool = False                # words are shown by editing, from now on
    _closed: Closed | None = None
    _paid: bool = False                 # the writer has a place in the budget for an update
    _stop_id: str = ""
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def visibility(self) -> Visibility:
        """A direct conversation has one reader."""
        return Visibility.PRIVATE if self.claim.message.place.direct else Visibility.SHARED

    @property
    def posted(self) -> str | None:
        """The first of our messages."""
        return f"{self.posts.channel}/{self._standing[0].ts}" if self._standing else None

    async def take_up(self, earlier: Sequence[Sent]) -> None:
        """Goes on where an earlier attempt ended: its stream, if it was one, is over now."""
        for sent in earlier:
            if sent.ts is None:
                continue
            if sent.how is How.STREAM:
                await Stream(self.posts, sent.part, sent.ts, "", 0.0).give_up()
            self._standing.append(_Standing(sent.part, sent.ts))
        self._edits = bool(self._standing)

    def close(self, closed: Closed) -> None:
        """Nothing can be said here any more, only to the person directly."""
        self._closed = closed

    # -- the engine's Reply ------------------------------------------------------------------------------------

    async def status(self, text: Cleared) -> None:
        """Shown beside our name; where that is not possible, or words stand there already, as a message."""
        self._open()
        async with self._one_at_a_time:
            self._words.clear()
            if self.voice.clear and self.claim.message.place.direct and not self.claim.resumed:
                self._run("title", self._title(self.voice.clear))
            if not self._standing and await self._set_status(text):
                self._run("pulse", self._pulse(text))
                return
            self._edits, self._streamed = True, ""
            await self._settle([await self._stoppable(render(text)[0])], Rank.FIRST_SIGN)

    async def append(self, text: Cleared) -> None:
        """More words. They are shown as soon as the budget of the workspace has room for it."""
        self._open()
        self._words.append(text)
        self._more.set()
        self._run("writer", self._write())

    async def replace(self, text: Cleared) -> None:
        """Only this stands now; if nothing can stand here, the person is told directly."""
        await self._told(await rendered(text))

    async def refused(self, text: Cleared) -> None:
        """As `replace`; who asked can say that it was wrong."""
        await self._told(await rendered(text, Buttons(wrong=await self._ticket(Purpose.ANSWER))))

    async def stopped(self, text: Cleared) -> None:
        """What stands stays, with this under it."""
        words = joined(self._words)
        again = Buttons(again=await self._ticket(Purpose.ANSWER))
        await self._told(await (rendered(words, again, below=text) if words.strip() else rendered(text, again)))

    async def finish(self, shown: Shown) -> None:
        """The whole answer, with its sources and buttons."""
        self._open()
        id = await self._ticket(Purpose.ANSWER)
        buttons = Buttons(f"{id}+", f"{id}-", id if shown.sources else None, again=id)
        async with self._one_at_a_time:
            await self._still()
            parts = await rendered(shown, buttons)
            if not await self._streamed_to_its_end(shown, parts, footer(shown, buttons)):
                await self._settle(parts)

    # -- words as they come ------------------------------------------------------------------------------------

    async def _write(self) -> None:
        """Shows what has been appended, as often as the budget allows. What fails is made up for by the next."""
        pause = PAUSE[0]
        while True:
            await self._more.wait()
            await self._slot()
            self._more.clear()
            try:
                async with self._one_at_a_time:
                    await self._show()
                pause = PAUSE[0]
            except StoppedByUser:
                self._live, self._edits = None, True
                log.info("stopped by the person", trace=self.claim.trace)
                await self.voice.stop(self.claim.trace)
                return
            except Closed as closed:
                self._closed = closed
                return
            except Fenced:          # another worker writes here now
                return
            except (PlatformUnavailable, StoreUnavailable) as error:
                log.info("words not shown", cause=str(error))
                self._more.set()
                await asyncio.sleep(pause)
                pause = min(PAUSE[1], 2 * pause)

    async def _slot(self) -> None:
        """The budget is the pace: by the time that there is a place, more words have come."""
        if self._live is not None:
            await self.posts.calls.slot("chat.appendStream", self.posts.workspace, Rank.PROGRESS)
        elif self._standing:
            await self.posts.calls.slot("chat.update", self.posts.workspace, Rank.PROGRESS)
            self._paid = True

    async def _show(self) -> None:
        words = joined(self._words)
        flow = (await flowing(words)).strip()
        more = flow[len(self._streamed):]
        if not more:
            return
        if not flow.startswith(self._streamed) or (self._live is None and not await self._begun(more)):
            self._edits = True
        if self._edits:
            await self._edit(words)
            return
        while self._live is not None and (more := flow[len(self._streamed):]):
            await self._stream(more)

    async def _begun(self, more: str) -> bool:
        """Whether words stream; the first ones do by now."""
        place, calls = self.claim.message.place, self.posts.calls
        if self._edits or not more or not self.posts.thread:
            return False
        # All of the tier, for nothing else starts streams; a long answer that then finds no place goes on by edits.
        if not calls.may("chat.startStream", place.workspace):
            return False
        words = more[: cut(more, CHARS)]
        part = self._next
        try:
            self._live = await open_stream(self.posts, part, words, _recipient(place), self.voice.stream_life)
        except (SlackError, Closed) as error:
            if not error.code:      # not Slack's own word against it: another attempt may do
                raise
            log.warning("Slack does not stream here", cause=str(error))     # whether it takes a post, that will tell
            return False
        self._standing.append(_Standing(part, self._live.ts))
        self._streamed += words
        return True

    async def _stream(self, more: str) -> None:
        assert self._live is not None       # noqa: S101  (for the type checker)
        end = 0 if self._live.old else self._live.room(more)
        if end:
            try:
                await self._live.append(more[:end])
            except (StreamEnded, Gone):
                self._live, self._edits = None, True
                await self._edit(joined(self._words))
            else:
                self._streamed += more[:end]
                if end < len(more):
                    await self.posts.calls.slot("chat.appendStream", self.posts.workspace, Rank.PROGRESS)
            return
        await self._live.give_up()          # full, or nearly too old: it goes on in the next message
        self._live = None
        if not await self._begun(more):
            self._edits = True
            await self._edit(joined(self._words))

    async def _edit(self, words: Cleared) -> None:
        parts = list(await rendered(words))
        parts[-1] = await self._stoppable(parts[-1])
        await self._settle(parts, Rank.PROGRESS)

    async def _streamed_to_its_end(self, shown: Shown, parts: Sequence[Part], foot: list[dict[str, Any]]) -> bool:
        """Whether the stream's own end was enough: one message in which Slack shows all of it as we would."""
        live, flow = self._live, (await flowing(shown.text)).strip()
        if live is None or not live.sure or len(self._standing) > 1 or not flow.startswith(self._streamed):
            return False
        rest = flow[len(self._streamed):]
        tables = any(block["type"] == "table" for block in parts[0].blocks)
        if len(parts) > 1 or tables or not exact(flow) or live.room(rest) < len(rest):
            return False
        self._live = None
        try:
            await live.stop(rest, foot)
        except SlackError as error:
            log.info("the stream is ended by an edit", cause=str(error))
            return False
        return True

    # -- messages ----------------------------------------------------------------------------------------------

    async def _told(self, parts: Sequence[Part]) -> None:
        async with self._one_at_a_time:
            await self._still()
            try:
                if self._closed is not None:
                    raise self._closed
                await self._settle(parts)
            except Closed as closed:
                await self._direct(parts[0], closed)

    async def _settle(self, parts: Sequence[Part], rank: Rank = Rank.LAST_WORD) -> None:
        """These messages stand there, in this order, and none besides."""
        if self._live is not None:
            live, self._live = self._live, None
            await live.give_up()
        for n, part in enumerate(parts):
            if n < len(self._standing):
                await self._revise(self._standing[n], part, rank)
            else:
                number = self._next
                self._standing.append(_Standing(number, await self.posts.post(number, part, rank), part))
        while len(self._standing) > len(parts):
            await self.posts.remove(self._standing[-1].part, self._standing[-1].ts)
            self._standing.pop()

    async def _revise(self, standing: _Standing, part: Part, rank: Rank) -> None:
        if standing.shows == part:
            return
        standing.shows = None
        progress = rank is Rank.PROGRESS
        paid, self._paid = progress and self._paid, False
        try:
            await self.posts.update(standing.ts, part, rank, once=progress, paid=paid)
        except (Gone, Fixed) as error:
            if progress and isinstance(error, Fixed):
                raise           # the last word alone is worth another message
            await self._take_away(standing)
            standing.ts = await self.posts.post(standing.part, part, rank)
        except SlackError as error:
            if error.code != "streaming_state_conflict":
                raise
            await Stream(self.posts, standing.part, standing.ts, "", 0.0).give_up()
            await self.posts.update(standing.ts, part, rank)
        standing.shows = part

    async def _take_away(self, standing: _Standing) -> None:
        """What it has to say is said once more, in another message. As a rule it is gone already."""
        try:
            await self.posts.remove(standing.part, standing.ts)
        except SlackError as error:
            if not error.refused:
                raise
            log.warning("a message of ours stays beside the one that replaces it", cause=str(error))
            await self.posts.outbox.unsent(self.posts.name, standing.part)

    @property
    def _next(self) -> int:
        return max((standing.part for standing in self._standing), default=-1) + 1

    async def _direct(self, part: Part, closed: Closed) -> None:
        """The place takes nothing from us: the person hears of it in a conversation of their own."""
        place = self.claim.message.place
        log.error("cannot write where the question was asked", cause=str(closed), channel=place.channel)
        if place.direct:
            raise SlackError(f"{closed}; nobody can be told", closed.code) from closed
        try:
            posts = await self.posts.direct(user_of(place.person))
            if not await posts.earlier():
                await posts.post(0, part)
            await self._set_status("")      # or "Looking that up" stands there for another two minutes
        except Closed as error:
            raise SlackError(f"{closed}; nobody can be told", closed.code) from error

    # -- the status --------------------------------------------------------------------------------------------

    async def _set_status(self, text: str) -> bool:
        arguments = {"channel_id": self.posts.channel, "thread_ts": self.posts.thread, "status": text}
        try:
            await self.posts.calls.call(
                "assistant.threads.setStatus", self.posts.workspace, arguments, hold=self.posts.hold,
                rank=Rank.FIRST_SIGN, once=True,
            )
        except (PlatformUnavailable, Closed) as error:
            log.info("no status here, a message stands for it", cause=str(error))
            return False
        return True

    async def _pulse(self, text: Cleared) -> None:
        """Says the status again before Slack takes it away, until words follow."""
        while True:
            await asyncio.sleep(self.voice.status_every)
            async with self._one_at_a_time:
                if self._standing:
                    return
                try:
                    await self._set_status(text)
                except Fenced:
                    return

    async def _title(self, clear: Clear) -> None:
        """A thread of the person's own is named after its first question."""
        message = self.claim.message
        if self.posts.thread != ts_of(message.id):
            return
        title = clip(line(await clear(message.text)), TITLE)
        arguments = {"channel_id": self.posts.channel, "thread_ts": self.posts.thread, "title": title}
        try:
            await self.posts.calls.call(
                "assistant.threads.setTitle", self.posts.workspace, arguments, hold=self.posts.hold,
                rank=Rank.BACKGROUND, once=True,
            )
        except (PlatformUnavailable, Closed) as error:
            log.info("no title here", cause=str(error))
        except Fenced:
            return

    # -- buttons and tasks -------------------------------------------------------------------------------------

    async def _ticket(self, purpose: Purpose) -> str:
        return await self.voice.tickets.issue(Ticket(purpose, self.claim.message.author, self.claim.trace))

    async def _stoppable(self, part: Part) -> Part:
        """With a button to stop it: only streams have one of Slack's own."""
        self._stop_id = self._stop_id or await self._ticket(Purpose.STOP)
        return replace(part, blocks=[*part.blocks, stop_button(self._stop_id)])

    def _open(self) -> None:
        if self._closed is not None:
            raise self._closed

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Beside the turn, and ended with it: at its last word, or when another worker has it."""
        if name in self._tasks:
            work.close()
            return
        task = self._tasks[name] = asyncio.create_task(work)
        if turn := asyncio.current_task():
            turn.add_done_callback(lambda _turn: task.cancel())

    async def _still(self) -> None:
        """Nothing more happens beside the turn. What broke there breaks here."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled() and (broken := task.exception()):
                raise broken


def _recipient(place: Place) -> tuple[str, str]:
    """For whom a message in a channel streams: team and user. A visitor's team is where they come from (S29)."""
    workspace, own = Workspace.of(place.workspace), place.person.removeprefix(PREFIX).rpartition("/")[0]
    return (workspace.team if workspace.enterprise else own), user_of(place.person)
