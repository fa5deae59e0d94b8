"""One person at a terminal, as a chat platform: what is typed is stored first and answered from the store."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from adapters.terminal.screen import Screen, Silent
from adapters.terminal.session import LOCAL, Session
from engine.errors import BotError, FileUnavailable
from engine.guards.egress import Cleared, Shown
from engine.messages import (
    Audience,
    Claim,
    ConversationId,
    Deleted,
    EventKey,
    File,
    Labels,
    Member,
    MessageId,
    PersonId,
    Place,
    TraceId,
    Visibility,
)
from engine.ports import Hold, Inbox

WITHDRAWN: Final = "I left that question out."


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a question: an answer, or else the sentence that was shown."""

    trace: TraceId
    shown: Shown | None = None
    words: str = ""


@dataclass(slots=True)
class _Asked:
    """A question without an end."""

    text: str
    ended: asyncio.Future[Ended]
    reply: TerminalReply | None = None


@dataclass(slots=True, eq=False)
class Terminal:
    """Implements the engine's `Platform`, `Membership` and `Attachments` for one session."""

    session: Session
    screen: Screen
    labels: Labels = frozenset({"org"})
    reader: PersonId = LOCAL            # through whose eyes; their rights, not those of who types, decide
    stop: Callable[[ConversationId], bool] = lambda _conversation: False
    """Stops the turn under way in a conversation; whoever runs the turns sets it."""
    appeal: Callable[[TraceId, str], Awaitable[object]] | None = None
    """Notes that the person thinks a block was wrong, and why; raises `BotError`. Whoever keeps the record sets it."""
    last: Shown | None = None           # the last answer
    files: tuple[File, ...] = ()        # go along with the next question
    ended: TraceId | None = None        # the last turn that ended, with an answer or without
    _asked: dict[MessageId, _Asked] = field(default_factory=dict)
    _unwanted: asyncio.Queue[MessageId] = field(default_factory=asyncio.Queue)
    _inbox: asyncio.Future[Inbox] = field(init=False)

    def __post_init__(self) -> None:
        self._inbox = asyncio.get_running_loop().create_future()

    @property
    def name(self) -> str:
        """The queue's route for this session alone."""
        return self.session.route

    @property
    def busy(self) -> bool:
        """A question has no end yet."""
        return bool(self._asked)

    async def audience(self, place: Place, visibility: Visibility) -> Audience:
        """The one person, and what the settings let them read."""
        del place, visibility
        return Audience((Member(self.reader, self.labels | {f"user:{self.reader}"}),))

    async def listen(self, inbox: Inbox) -> None:
        """Opens the way for `say`, and takes questions back that were interrupted before their turn came."""
        self._inbox.set_result(inbox)
        while True:
            id = await self._unwanted.get()
            try:
                await inbox.receive(Deleted(EventKey(f"{id}/deleted"), id, datetime.now(UTC)))
            except BotError as error:
                self.screen.aside(error.reply)
                continue
            if id in self._asked:
                self.screen.aside(WITHDRAWN)
                self.over(id, Ended(TraceId(""), words=WITHDRAWN))

    async def attach(self, path: str) -> File:
        """The file goes along with the next question. Raises `FileUnavailable`."""
        file = await asyncio.to_thread(_file, path)
        self.files = (*self.files, file)
        return file

    async def fetch(self, file: File, limit: int) -> bytes:
        """What stands there now; only the person at this terminal says which file that is."""
        return await asyncio.to_thread(_content, Path(file.id), limit + 1)

    async def say(self, text: str) -> asyncio.Future[Ended]:
        """Stores a question; the future has what came of it. Raises `StoreUnavailable` and `BadEvent`."""
        inbox = await asyncio.shield(self._inbox)
        said = self.session.said(text, self.files)
        asked = _Asked(text, asyncio.get_running_loop().create_future())
        self._asked[said.message.id] = asked    # before it is stored: the answer may begin before we go on
        self._tell_waiting()
        try:
            await inbox.receive(said)
        except BaseException:
            self._asked.pop(said.message.id, None)
            self._tell_waiting()
            raise
        self.files = ()
        return asked.ended

    async def reply_to(self, claim: Claim, hold: Hold) -> TerminalReply:  # noqa: ARG002  (nobody else has our screen)
        """Shows the question again if an earlier start, or nobody here, asked it: nothing of a reply is left of that.

        What a single question left behind when it was killed is stopped: nobody waits for it any more.
        """
        id = claim.message.id
        asked = self._asked.get(id)
        if asked is None and not self.session.takes_over:
            self.stop(claim.message.conversation)
            return TerminalReply(self, claim, Silent(), streams=False)
        if asked is None:
            asked = self._asked[id] = _Asked(claim.message.text, asyncio.get_running_loop().create_future())
            self.screen.question(asked.text, again=True)
        elif asked.reply is None:
            self.screen.question(asked.text, again=False)
        else:
            asked.reply.take_back()     # an attempt that fell silent
        # Two conversations may have turns at once; only one of them may write word by word.
        streams = self.screen.streams and claim.message.conversation == self.session.conversation
        asked.reply = TerminalReply(self, claim, self.screen, streams)
        self._tell_waiting()
        return asked.reply

    def interrupt(self) -> bool:
        """Stops the answer under way, or takes the next waiting question back; False when there is neither."""
        if not self._asked:
            return False
        if not self.stop(self.session.conversation):
            self._unwanted.put_nowait(next(iter(self._asked)))
        return True

    def over(self, id: MessageId, ended: Ended) -> None:
        """A question has come to its end."""
        self.last = ended.shown or self.last
        self.ended = ended.trace or self.ended
        asked = self._asked.pop(id, None)
        if asked is not None and not asked.ended.done():
            asked.ended.set_result(ended)
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        self.screen.waiting([asked.text for asked in self._asked.values() if asked.reply is None])


@dataclass(slots=True, eq=False)
class TerminalReply:
    """Implements the engine's `Reply`. Nothing of it survives the process, so `posted` is None."""

    terminal: Terminal
    claim: Claim
    screen: Screen
    streams: bool
    visibility: Visibility = Visibility.PRIVATE
    posted: str | None = None
    _said: str = ""

    async def status(self, text: Cleared) -> None:
        """Takes back the words that stood there."""
        self.take_back()
        self.screen.status(text)

    async def append(self, text: Cleared) -> None:
        """Without the blanks that a model likes to begin with."""
        if self.streams and (words := text if self._said else text.lstrip()):
            self._said += words
            self.screen.words(words)

    async def replace(self, text: Cleared) -> None:
        """The words are void, and this sentence stands in their place."""
        self.take_back()
        self.screen.notice(text)
        self._over(Ended(self.claim.trace, words=text))

    async def stopped(self, text: Cleared) -> None:
        """Under the words that stand."""
        if self._said:
            self.screen.ended()
        self.screen.notice(text)
        self._over(Ended(self.claim.trace, words=text))

    async def finish(self, shown: Shown) -> None:
        """The sources; and the answer, unless exactly that has streamed by."""
        if self._said and self._said.strip() == shown.text.strip():
            self.screen.ended()
        else:
            self.take_back()
            self.screen.answer(shown)
        self.screen.sources(shown)
        self._over(Ended(self.claim.trace, shown))

    def take_back(self) -> None:
        """Nothing that was said so far counts."""
        if self._said:
            self.screen.taken_back()
            self._said = ""

    def _over(self, ended: Ended) -> None:
        if self.screen is self.terminal.screen:
            self.terminal.over(self.claim.message.id, ended)


def _file(typed: str) -> File:
    """What the disk says of it. Raises `FileUnavailable`."""
    try:
        whole = Path(typed).expanduser().resolve()
        status = whole.stat()
    except (OSError, ValueError, RuntimeError) as error:
        raise FileUnavailable(getattr(error, "strerror", None) or "is no file") from error
    if not stat.S_ISREG(status.st_mode):
        raise FileUnavailable("is no file")
    return File(str(whole), whole.name, whole.as_uri(), status.st_size)


def _content(path: Path, limit: int) -> bytes:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise FileUnavailable("is no file")
            return file.read(limit)
    except (OSError, ValueError) as error:
        raise FileUnavailable(f"cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}") from error
