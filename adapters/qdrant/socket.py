"""Edge admits one process; others ask it through a Unix socket beside the index.

Only the same user is served: the socket's mode says so, and the peer's user id is checked. An asker states the
audience; whoever may do that may read the index's files as well.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeAlias, TypeVar

import msgspec

from adapters.qdrant import errand, frames
from adapters.qdrant.edge import EdgeFolder, IndexBusy
from adapters.qdrant.embed import Embedder, sendable
from adapters.qdrant.errand import Errand, Reports, Tell, Work
from adapters.qdrant.index import OtherModel, PassageIndex, QueryEmbedder
from adapters.qdrant.models import made_with
from adapters.qdrant.parcel import Parcel, Shelved
from adapters.qdrant.store import Generations
from engine.errors import BotError, MembershipUnavailable, RetrieverUnavailable
from engine.messages import Audience, Conversation, Found, MessageId, Passage, Place
from engine.ports import Retriever
from engine.rag.followup import asked

T = TypeVar("T")
LARGEST: Final = 16_000_000     # bytes of one frame: an audience of 100,000 people
PATIENCE: Final = 30.0          # seconds for a question, a peer's next one included
SHELVING: Final = 900.0         # seconds until the files of one message are embedded
STARTING: Final = 5.0           # seconds in which the owner of an index opens its socket
NOBODY: Final = "who is in a channel is known only while `bartizan run` serves its platform on this folder"
NO_SYNC: Final = "another command has the index just now; try again when it has ended"
NO_FILES: Final = "files are read only while `bartizan run` or `bartizan chat` has the index"
NAME_MAX: Final = 100           # a socket's address holds 107 bytes


class Owned(Retriever, Protocol):
    """The index itself, in the process that owns it."""

    async def search(self, questions: tuple[str, ...], *, audience: Audience, limit: int) -> Found: ...
    async def standing(self, documents: Collection[str]) -> frozenset[str]: ...


class House(Protocol):
    """What the process that owns the index knows besides."""

    async def recall(self, message: MessageId, deleted: bool) -> None: ...
    async def readers(self, place: Place) -> Audience: ...
    async def shelve(self, parcel: Parcel) -> Shelved: ...
    async def sync(self, only: str | None, full: bool, tell: Tell) -> Reports: ...


class Ask(msgspec.Struct, frozen=True, tag=True):
    """One question, and what it may lean on: see `engine.rag.followup.asked`."""

    questions: tuple[str, ...]
    audience: Audience
    limit: int


class Check(msgspec.Struct, frozen=True, tag=True):
    """Which of these passages may still be read?"""

    passages: tuple[Passage, ...]
    audience: Audience


class Standing(msgspec.Struct, frozen=True, tag=True):
    """Which of these documents are there?"""

    documents: frozenset[str]


class Recall(msgspec.Struct, frozen=True, tag=True):
    """A message was deleted, or got another text: what it said must not be found any more."""

    message: str
    deleted: bool


class Room(msgspec.Struct, frozen=True, tag=True):
    """Who reads what is said here?"""

    place: Place


class Told(msgspec.Struct, frozen=True):
    """What was found or may still be read or is there, or why nothing could be told."""

    found: Found | None = None
    audience: Audience = Audience()
    documents: frozenset[str] = frozenset()
    shelved: Shelved = Shelved()
    error: str = ""


Asked: TypeAlias = Ask | Check | Standing | Recall | Room | Parcel | Errand
Heed: TypeAlias = Callable[[MessageId, bool], Awaitable[None]]
"""Takes out of the index what a message said; True: the message was deleted, False: it was edited."""
Readers: TypeAlias = Callable[[Place], Awaitable[Audience]]
"""Everybody who reads what is said in a place, as its platform knows them now."""
Shelf: TypeAlias = Callable[[Parcel], Awaitable[Shelved]]
"""Indexes the files of a message for its conversation."""

_asks: Final[msgspec.msgpack.Decoder[Asked]] = msgspec.msgpack.Decoder(Asked)
_tolds: Final = msgspec.msgpack.Decoder(Told)


@asynccontextmanager
async def serve(index: Owned, path: Path, house: House | None = None) -> AsyncGenerator[None]:
    """Answers on this socket; ``house`` answers for what is not the index's affair.

    Only the owner of the index may call it: what lies there is taken for a leftover.
    """
    talks: set[asyncio.Task[None]] = set()
    working: set[asyncio.Task[Reports]] = set()
    closing = asyncio.Event()

    def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(talk(reader, writer))
        talks.add(task)
        task.add_done_callback(talks.discard)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _peer(writer) == os.getuid() and not closing.is_set():   # accepted in the very last moment
                await _converse(index, house, reader, writer, working)
        finally:
            writer.close()

    with _bound(path) as listening:
        server = await asyncio.start_unix_server(welcome, sock=listening)
        try:
            yield
        finally:
            server.close()
            closing.set()
            for task in (*talks, *working):
                task.cancel()
            await asyncio.gather(*talks, *working, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class RemoteIndex:
    """The retriever of a process that does not own the index."""

    path: Path

    async def ready(self) -> None:
        """Returns once the owner answers. Raises `RetrieverUnavailable`."""
        await self._answer(Ask((), Audience(), 0))

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """As the owner finds it."""
        return await self._answer(Ask(tuple(map(sendable, asked(question, past))), audience, limit))

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """As the owner's records say."""
        return (await self._answer(Check(tuple(passages), audience))).passages

    async def standing(self, documents: Collection[str]) -> frozenset[str]:
        """Those that are there, as the owner's records say. Raises `RetrieverUnavailable`."""
        return (await self._told(Standing(frozenset(documents)))).documents

    async def readers(self, place: Place) -> Audience:
        """Everybody there, as the owner's platform knows them. Raises `RetrieverUnavailable`."""
        return (await self._told(Room(place))).audience

    async def recall(self, message: MessageId, deleted: bool) -> None:
        """The owner takes it out of the index. Raises `RetrieverUnavailable`."""
        await self._answer(Recall(message, deleted))

    async def shelve(self, parcel: Parcel) -> Shelved:
        """The owner indexes these files. Raises `RetrieverUnavailable`."""
        return (await self._told(parcel, SHELVING)).shelved

    async def sync(self, only: str | None, full: bool, tell: Tell) -> Reports:
        """The owner syncs, however long it takes, and ``tell`` hears how far it is. Raises `RetrieverUnavailable`."""
        try:
            async with asyncio.timeout(PATIENCE) as patience, self._opened() as (reader, writer):
                writer.write(frames.packed(Errand(only, full)))
                await writer.drain()
                patience.reschedule(None)
                return await errand.follow(reader, tell)
        except (OSError, TimeoutError) as error:
            raise RetrieverUnavailable(f"the index's owner does not answer: {type(error).__name__}") from error

    async def _answer(self, ask: Asked) -> Found:
        found = (await self._told(ask)).found
        return found if found is not None else Found()

    async def _told(self, ask: Asked, patience: float = PATIENCE) -> Told:
        try:
            async with asyncio.timeout(patience):
                told = await self._asked(ask)
        except (OSError, TimeoutError, frames.BadFrame) as error:
            raise RetrieverUnavailable(f"the index's owner does not answer: {type(error).__name__}") from error
        if told is None or told.found is None:
            raise RetrieverUnavailable(told.error if told else "the index's owner hung up")
        return told

    async def _asked(self, ask: Asked) -> Told | None:
        async with self._opened() as (reader, writer):
            writer.write(frames.packed(ask))
            await writer.drain()
            return await frames.read(reader, _tolds, limit=LARGEST)

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        with _address(self.path) as address:
            reader, writer = await asyncio.open_unix_connection(address)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@dataclass(frozen=True, slots=True)
class Away:
    """An index that could not be opened yet, and why."""

    why: str


Opener: TypeAlias = "Callable[[SharedIndex, AsyncExitStack], Awaitable[PassageIndex | RemoteIndex]]"
"""Opens an index, or finds out whom to ask; what it opens is closed with the stack. Raises `RetrieverUnavailable`."""


async def in_folder(shared: SharedIndex, stack: AsyncExitStack) -> PassageIndex | RemoteIndex:
    """Ours, served to others, or a way to ask the process that has it."""
    folder = await _taken_or_asked(shared.folder, stack)
    if isinstance(folder, RemoteIndex):
        return folder
    if shared.embedder is None:         # only now: who asks the owner needs no model
        shared.embedder = await stack.enter_async_context(Embedder().running())
    index = await shared.over(folder, stack)
    await stack.enter_async_context(serve(index, shared.folder / "socket", shared))
    return index


@dataclass(slots=True)
class SharedIndex:
    """The index of a folder, whichever process owns it. When the owner ends, one of those who asked it takes over.

    One that was made with another model than ``embedder`` answers with that one until it is built anew.
    """

    folder: Path
    embedder: QueryEmbedder | None
    opener: Opener = in_folder
    writes: bool = True             # of an index on a server, one process of a folder keeps it up to its sources
    heed: Heed | None = None        # what else knows of the index's documents; whoever opens it sets it
    room: Readers | None = None     # who is where; a process with chat platforms sets it
    shelf: Shelf | None = None      # takes files that came with a question; likewise
    works: Work | None = None       # brings the index up to its sources; likewise
    writer: RemoteIndex | None = None       # of an index on a server: the process of this folder that syncs
    asked: PassageIndex | RemoteIndex | Away = Away("the index is not open")
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _moving: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def own(self) -> PassageIndex | None:
        """The index itself, where this process owns it and may write to it."""
        return self.asked if self.writes and isinstance(self.asked, PassageIndex) else None

    @property
    def away(self) -> str:
        """Why it could not be opened yet; "": it is open."""
        return self.asked.why if isinstance(self.asked, Away) else ""

    @property
    def successor(self) -> QueryEmbedder | None:
        """The model that our index is to be built anew with; None: it was made with that one."""
        own = self.own
        return self.embedder if own and self.embedder and own.embedder.model != self.embedder.model else None

    async def ready(self) -> None:
        """Returns once questions can be answered without waiting. Raises `RetrieverUnavailable`."""
        await self._open().ready()

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """As the engine's `Retriever`."""
        return await self._by(lambda index: index.find(question, past=past, audience=audience, limit=limit))

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """As the engine's `Retriever`."""
        return await self._by(lambda index: index.still_readable(passages, audience))

    async def standing(self, documents: Collection[str]) -> frozenset[str]:
        """Those of these documents that are there. Raises `RetrieverUnavailable`."""
        return await self._by(lambda index: index.standing(documents))

    async def recall(self, message: MessageId, deleted: bool) -> None:
        """What a message said is out of the index before this returns. Raises `Unavailable`."""
        if isinstance(self.asked, RemoteIndex):
            await self.asked.recall(message, deleted)
        elif self.heed is not None:
            await self.heed(message, deleted)

    async def readers(self, place: Place) -> Audience:
        """Everybody who reads what is said there. Raises `Unavailable` where no process here serves that platform."""
        if isinstance(self.asked, RemoteIndex):
            return await self.asked.readers(place)
        if self.room is None:
            raise MembershipUnavailable(NOBODY)
        return await self.room(place)

    async def shelve(self, parcel: Parcel) -> Shelved:
        """Indexes the files of a message, wherever the index is. Raises `RetrieverUnavailable`."""
        async def put(index: PassageIndex | RemoteIndex) -> Shelved:
            if isinstance(index, RemoteIndex):
                return await index.shelve(parcel)
            if self.shelf is None:
                raise RetrieverUnavailable(NO_FILES)
            return await self.shelf(parcel)

        return await self._by(put)

    async def sync(self, only: str | None, full: bool, tell: Tell) -> Reports:
        """Brings the index up to one source or all, by the process that keeps it so. Raises `BotError`."""
        if (remote := self.asked if isinstance(self.asked, RemoteIndex) else self.writer) is not None:
            return await remote.sync(only, full, tell)
        if self.works is None:
            raise RetrieverUnavailable(NO_SYNC)
        return await self.works(only, full, tell)

    async def _by(self, ask: Callable[[PassageIndex | RemoteIndex], Awaitable[T]]) -> T:
        before = self.asked
        if not isinstance(before, Away):
            try:
                return await ask(before)
            except RetrieverUnavailable:
                if isinstance(before, PassageIndex):
                    raise
        async with self._moving:
            if self.asked is before:        # nobody has looked since
                await self.settle()
        return await ask(self._open())

    def _open(self) -> PassageIndex | RemoteIndex:
        if isinstance(self.asked, Away):
            raise RetrieverUnavailable(self.asked.why)
        return self.asked

    async def settle(self) -> None:
        """Takes the index, or finds out whom to ask. Raises `RetrieverUnavailable`."""
        before = self.embedder
        try:
            async with AsyncExitStack() as stack:
                self.asked = await self.opener(self, stack)
                await self._stack.enter_async_context(stack.pop_all())
        except RetrieverUnavailable as error:
            self.embedder = before          # ours was closed with the stack
            if isinstance(self.asked, Away):
                self.asked = Away(str(error))
            raise

    async def over(self, generations: Generations, stack: AsyncExitStack) -> PassageIndex:
        """The active generation, with the model that it was made with. Raises `RetrieverUnavailable`."""
        if self.embedder is None:
            raise RetrieverUnavailable("there is no embedding model")
        try:
            return await stack.enter_async_context(PassageIndex.over(generations, self.embedder))
        except OtherModel as other:
            earlier = await stack.enter_async_context(made_with(other.manifest))
        return await stack.enter_async_context(PassageIndex.over(generations, earlier))

    async def settled(self) -> bool:
        """Whether it is open by now; tries again where it is not."""
        async with self._moving:
            if isinstance(self.asked, Away):
                with suppress(RetrieverUnavailable):
                    await self.settle()
        return not isinstance(self.asked, Away)

    async def close(self) -> None:
        """Lets go of what is ours."""
        await self._stack.aclose()


@asynccontextmanager
async def open_index(
    folder: Path, embedder: QueryEmbedder | None = None, *, opener: Opener = in_folder, patient: bool = False,
) -> AsyncGenerator[SharedIndex]:
    """The index in ``folder``: our own, served to others, or a way to ask the process that has it.

    Without an ``embedder`` it brings MiniLM, which loads in the background. Raises `RetrieverUnavailable`; when
    ``patient`` it is opened all the same, says why it cannot be asked, and tries again with each question.
    """
    shared = SharedIndex(folder, embedder, opener)
    try:
        try:
            await shared.settle()
        except RetrieverUnavailable:
            if not patient:
                raise
        yield shared
    finally:
        await shared.close()


async def _taken_or_asked(path: Path, stack: AsyncExitStack) -> EdgeFolder | RemoteIndex:
    """The owner may have locked the index a moment ago and not listen yet, or be dead and not have let go of it yet."""
    remote = RemoteIndex(path / "socket")
    deadline = asyncio.get_running_loop().time() + STARTING
    while True:
        try:
            return await stack.enter_async_context(EdgeFolder.locked(path))
        except IndexBusy:
            try:
                await remote.ready()
            except RetrieverUnavailable:
                if asyncio.get_running_loop().time() > deadline:
                    raise
            else:
                return remote
        await asyncio.sleep(0.05)


async def _converse(
    index: Owned, house: House | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    working: set[asyncio.Task[Reports]],
) -> None:
    """Questions and answers until the peer leaves, falls silent, or talks nonsense."""
    with suppress(ConnectionError, TimeoutError):
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    ask = await frames.read(reader, _asks, limit=LARGEST)
                if ask is None:
                    return
                if isinstance(ask, Errand) and house is not None:
                    await errand.run(ask, house.sync, writer, working)
                    continue
                told = await _told(index, house, ask)
            except BotError as error:       # a house may have other troubles than an index that is away
                told = Told(error=str(error))
            except frames.BadFrame as error:
                writer.write(frames.packed(Told(error=str(error))))
                await writer.drain()
                return
            writer.write(frames.packed(told))
            await writer.drain()


async def _told(index: Owned, house: House | None, ask: Asked) -> Told:
    match ask:
        case Check():
            return Told(Found(await index.still_readable(ask.passages, ask.audience)))
        case Standing():
            return Told(Found(), documents=await index.standing(ask.documents))
        case Recall():
            if house is not None:
                await house.recall(MessageId(ask.message), ask.deleted)
            return Told(Found())
        case Parcel():
            if house is None:
                raise RetrieverUnavailable(NO_FILES)
            return Told(Found(), shelved=await house.shelve(ask))
        case Room():
            if house is None:
                raise MembershipUnavailable(NOBODY)
            return Told(Found(), await house.readers(ask.place))
        case Errand():
            raise RetrieverUnavailable(NO_SYNC)
        case Ask():
            return Told(await index.search(ask.questions, audience=ask.audience, limit=ask.limit))


def _peer(writer: asyncio.StreamWriter) -> int:
    """The user id of the process at the other end, from the kernel."""
    credentials = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    _, user, _ = struct.unpack("3i", credentials)
    return int(user)


@contextmanager
def _bound(path: Path) -> Generator[socket.socket]:
    """A socket at this path, and the path free again afterwards. Raises `RetrieverUnavailable`."""
    bound = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)        # it must not be open to others for a moment
    try:
        path.unlink(missing_ok=True)
        with _address(path) as address:
            bound.bind(address)
    except OSError as error:
        bound.close()
        raise RetrieverUnavailable(f"the index's socket cannot be opened: {error.strerror}") from error
    finally:
        os.umask(before)
    try:
        yield bound
    finally:
        bound.close()
        path.unlink(missing_ok=True)


@contextmanager
def _address(path: Path) -> Generator[str]:
    """A deep folder's path does not fit a socket's address; the way through its descriptor does."""
    if len(os.fsencode(path)) <= NAME_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
