"""The outermost things, played by a script: a model, an index, a chat platform. Everything between them is real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from adapters.sql.database import Database, migrate, open_database
from adapters.sql.inbox import QueueOptions, SqlInbox
from adapters.sql.sealed import Keyring
from adapters.sql.store import SqlStore
from adapters.sql.transcripts import SqlTranscripts
from bot.app import Addresses, Rooms
from bot.dispatch import Dispatcher, DispatchOptions
from bot.guards import Careful, Guards, load_classifier
from engine.errors import PlatformUnavailable, RetrieverUnavailable
from engine.guards.chain import Inbound
from engine.guards.citations import CitationGuard
from engine.guards.deflection import DeflectionGuard
from engine.guards.egress import Cleared, Egress, Shown
from engine.guards.policy import Policy
from engine.guards.secrets import SecretsGuard
from engine.messages import (
    Audience,
    Claim,
    Conversation,
    Event,
    Found,
    Labels,
    Member,
    Passage,
    PersonId,
    Place,
    Said,
    TraceId,
    Usage,
    Visibility,
)
from engine.ports import Finished, Hold, Inbox, Piece, Text
from engine.prompt import Budget, Estimate, Prompt
from engine.turn import Engine, Limits

Script = Sequence[str | Piece | Exception | float]
"""What a model says: words, other pieces, an error to raise, or seconds of silence."""


@dataclass(slots=True)
class ScriptedModel:
    """Says one script after the other, and the last one again and again."""

    scripts: Sequence[Script]
    name: str = "scripted"
    heard: list[Prompt] = field(default_factory=list)
    closed: int = 0             # streams that were left before their end

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        script = self.scripts[min(len(self.heard), len(self.scripts) - 1)]
        self.heard.append(prompt)
        ended = False
        try:
            for step in script:
                if isinstance(step, Exception):
                    ended = True
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield Text(step) if isinstance(step, str) else step
            if not any(isinstance(step, Finished) for step in script):
                yield Finished("stop", Usage(10, 5, 0))
            ended = True
        finally:
            self.closed += not ended


@dataclass(slots=True)
class Shelf:
    """An index that finds every passage that the audience may read."""

    passages: Sequence[Passage] = ()
    broken: bool = False
    asked: list[str] = field(default_factory=list)
    whole: bool = True

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        del past
        self.asked.append(question)
        if self.broken:
            raise RetrieverUnavailable("the shelf fell down")
        readable = tuple(p for p in self.passages if audience.may_read(p.acl))[:limit]
        return Found(readable, answers=bool(readable), whole=self.whole)

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        if self.broken:
            raise RetrieverUnavailable("the shelf fell down")
        there = {p.id: p for p in self.passages if audience.may_read(p.acl)}
        return tuple(p for p in passages if p.id in there)


@dataclass(slots=True)
class Post:
    """What stands in the chat for one turn, and everything that ever stood there."""

    trace: TraceId
    text: str = ""
    sources: list[str] = field(default_factory=list)
    note: str = ""
    closed: int = 0
    seen: list[str] = field(default_factory=list)

    def show(self, text: str) -> None:
        self.text = text
        self.seen.append(text)


@dataclass(slots=True)
class PostReply:
    """Implements the engine's `Reply` over a `Post`."""

    post: Post
    platform: Room
    hold: Hold
    visibility: Visibility = Visibility.SHARED
    status_line: bool = True

    @property
    def posted(self) -> str | None:
        return f"post:{self.post.trace}"

    async def status(self, text: Cleared) -> None:
        self.status_line = True
        self.post.show(text)

    async def append(self, text: Cleared) -> None:
        await asyncio.sleep(0)
        self.hold()
        before, self.status_line = "" if self.status_line else self.post.text, False
        self.post.show(before + text)

    async def replace(self, text: Cleared) -> None:
        self._close(text)

    async def stopped(self, text: Cleared) -> None:
        self._close(("" if self.status_line else f"{self.post.text}\n") + text)

    async def finish(self, shown: Shown) -> None:
        self._close(shown.text)
        self.post.sources = [str(source.title) for source in shown.sources]
        self.post.note = shown.note

    def _close(self, text: str) -> None:
        self.hold()
        self.platform.check()
        self.post.show(text)
        self.post.closed += 1


@dataclass(slots=True)
class Room:
    """A chat platform whose people are known by their labels."""

    people: Mapping[str, Labels]
    name: str = "test"
    posts: dict[TraceId, Post] = field(default_factory=dict)
    down: int = 0               # so many closing edits fail

    async def listen(self, inbox: Inbox) -> None:
        del inbox
        await asyncio.Event().wait()

    async def reply_to(self, claim: Claim, hold: Hold) -> PostReply:
        if claim.resumed and claim.trace in self.posts:
            return PostReply(self.posts[claim.trace], self, hold)
        assert claim.trace not in self.posts, "a second post for one turn"
        self.posts[claim.trace] = Post(claim.trace)
        return PostReply(self.posts[claim.trace], self, hold)

    async def audience(self, place: Place, visibility: Visibility) -> Audience:
        alone = place.direct or place.private or visibility is Visibility.PRIVATE
        people = {place.person: self.people.get(place.person, frozenset())} if alone else self.people
        return Audience(tuple(
            Member(PersonId(who), labels | {f"user:{who}"}) for who, labels in people.items()
        ))

    def check(self) -> None:
        if self.down > 0:
            self.down -= 1
            raise PlatformUnavailable("the room is dark")


@dataclass(slots=True)
class TestBot:
    """The whole line on an SQLite file, with a room to talk in."""

    __test__ = False

    database: Database
    inbox: SqlInbox
    room: Room
    dispatcher: Dispatcher
    stopping: asyncio.Event

    async def hears(self, *events: Event) -> Post:
        """Takes the events in and returns what stands in the room for the last message once it is settled."""
        for event in events:
            await self.inbox.receive(event)
        return await self.settles(next(e for e in reversed(events) if isinstance(e, Said)))

    async def settles(self, event: Said) -> Post:
        async with asyncio.timeout(10):
            while True:
                trace, state = await self.database.read(lambda c: _state(c, event.message.id))
                if state in ("done", "dead"):
                    return self.room.posts.get(TraceId(trace), Post(TraceId(trace)))
                await asyncio.sleep(0.01)


def _state(connection, message):        # type: ignore[no-untyped-def]
    from sqlalchemy import select

    from adapters.sql.tables import turn

    return tuple(connection.execute(select(turn.c.trace, turn.c.state).where(turn.c.message == message)).one())


ANN = {"ann": frozenset({"org"})}


@cache
def house(*, alone: bool) -> Guards:
    """The guards of a bot of which only its models were configured."""
    return Guards(Careful(cache(Policy.default), alone=alone), Keyring(b"k" * 32).fingerprint, load_classifier())


@asynccontextmanager
async def a_bot(
    folder: Path, *, model: ScriptedModel | None = None, others: Sequence[ScriptedModel] = (),
    passages: Sequence[Passage] = (), shelf: Shelf | None = None, room: Room | None = None,
    guards: Guards | None = None,
    queue: QueueOptions | None = None, options: DispatchOptions | None = None, limits: Limits | None = None,
) -> AsyncGenerator[TestBot]:
    """A running bot; opened again on the same folder it goes on where the last one stopped."""
    room = room or Room(ANN)
    keyring = Keyring(b"k" * 32)
    async with open_database(f"sqlite:///{folder}/bot.db") as database:
        await migrate(database)
        inbox = SqlInbox(database, keyring, queue or quick_queue())
        engine = Engine(
            SqlStore(database, keyring, inbox), Rooms({room.name: room}), shelf or Shelf(passages),
            (model, *others) if model else (), Inbound((SecretsGuard(),), keyring.fingerprint),
            Egress((SecretsGuard(), DeflectionGuard(), CitationGuard()), keyring.fingerprint),
            Estimate(), Budget(), limits or Limits(), guards=guards or house(alone=not others),
            transcripts=SqlTranscripts(database, keyring), links=Addresses({}),
        )
        dispatcher = Dispatcher(inbox, engine, {room.name: room}, options or DispatchOptions())
        inbox.lost = dispatcher.lost
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(inbox.run())
            working = group.create_task(dispatcher.run(stopping))
            try:
                yield TestBot(database, inbox, room, dispatcher, stopping)
            finally:
                stopping.set()
                await working
                writing.cancel()


def quick_queue() -> QueueOptions:
    """Impatient, for tests."""
    from datetime import timedelta

    return QueueOptions(("test",), lease=timedelta(seconds=3), poll=timedelta(seconds=0.05), retry_base=timedelta(0))
