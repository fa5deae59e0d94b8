"""Qdrant Edge as a `PassageStore`: the engine beside this process, on a folder that one program at a time may have.

The shard is open in a process of its own, `adapters.qdrant.keeper`, which answers one ask after the other. Should that
die, it is started once more and asked again: each ask may be repeated. It holds the folder's lock as we do, so that
nobody opens the index while it is at work, even if we are killed.

Merging what was written takes it 10 s among 100,000 chunks. Meanwhile a second process answers what only reads, from a
folder of hard links to the files as they were: nobody writes until it is gone, so nobody changes a byte of them.
Nothing is ever taken from there; a leftover of it is cleared away.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import sys
from array import array
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import msgspec

from adapters.qdrant import frames
from adapters.qdrant.keeper import (
    Answer,
    Ask,
    Count,
    Delete,
    Fetch,
    Flush,
    Prune,
    Rarity,
    Relabel,
    Scroll,
    Search,
    Tidy,
    Upsert,
)
from adapters.qdrant.points import ranked
from adapters.qdrant.shard import Stored
from adapters.qdrant.store import CANDIDATES, Candidates, Point, Words
from engine.errors import RetrieverUnavailable

COMMAND: Final = (sys.executable, "-P", "-X", "utf8", "-m", "adapters.qdrant.keeper")
BATCH: Final = 500              # points of one update
LARGEST: Final = 256_000_000    # bytes of one answer: a page of points
LOADING: Final = 120.0          # seconds until a shard is open, after a crash, too
CLOSING: Final = 60.0           # seconds until what was asked before is done and everything is on disk
TRIES: Final = 2                # of one ask, each in another process
GONE: Final = 2.0               # seconds until a program that was killed has let go of the folder
LOOK: Final = 0.02              # seconds between two looks at a lock that is held
FIRST: Final = "shard"          # the folder of an index's first generation
POINTER: Final = "active"       # the file that names the folder of the active one
MEANWHILE: Final = ".meanwhile"     # after a folder's name: the links that answer while it is tidied
MANY: Final = 5_000             # points that are worth merging; Edge itself merges none before some 6,500
PIECES: Final = 10              # of a page, about

_answers: Final = msgspec.msgpack.Decoder(Answer)


class IndexBusy(RetrieverUnavailable):
    """Another process has this index open; ask it through its socket."""


@dataclass(slots=True)
class EdgeStore:
    """One shard. ``lock`` is the descriptor of the file that stands for the folder."""

    _folder: Path
    _size: int
    _lock: int
    _keeper: _Keeper | None = None
    _reader: _Keeper | None = None  # answers what only reads, while the keeper is tidying up
    _changed: int = 0               # points since the last merge; at first all, as nobody knows what is merged
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _closed: bool = False

    shared = False

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, size: int, lock: int) -> AsyncGenerator[Self]:
        """Loads the shard in this folder, or makes a new one. Raises `RetrieverUnavailable`."""
        store = cls(folder, size, lock)
        await asyncio.to_thread(shutil.rmtree, store._links, ignore_errors=True)
        try:
            await store._running()
            yield store
        finally:
            store._closed = True
            if store._keeper is not None:
                await store._keeper.close()

    async def upsert(self, points: Sequence[Point]) -> None:
        for at in range(0, len(points), BATCH):
            batch = [_stored(point) for point in points[at : at + BATCH]]
            await self._write(Upsert(batch), len(batch))

    async def search(
        self, dense: Sequence[float], words: Words, allowed: Collection[int], *, limit: int = CANDIDATES,
    ) -> Candidates:
        if not allowed:
            return Candidates()
        ask = Search(array("f", dense).tobytes(), list(words.indices), list(words.values), list(allowed), limit)
        found = await self._ask(ask)
        return Candidates(ranked(found.near), ranked(found.worded))

    async def rarity(self, words: Collection[int], allowed: Collection[int]) -> Mapping[int, float]:
        if not words or not allowed:
            return {}
        return (await self._ask(Rarity(list(words), list(allowed)))).rarity

    async def fetch(self, ids: Sequence[str], *, words: bool = False) -> dict[str, Point]:
        return {point.id: _point(point) for point in (await self._ask(Fetch(list(ids), words))).points}

    async def relabel(self, document: str, acl: int) -> None:
        await self._write(Relabel(document, acl), PIECES)

    async def prune(self, document: str, keep: str) -> None:
        await self._write(Prune(document, keep), PIECES)

    async def delete(self, ids: Sequence[str]) -> None:
        await self._write(Delete(list(ids)), len(ids))

    async def scroll(
        self, kind: str, *, documents: Sequence[str] | None = None, vectors: bool = False,
    ) -> AsyncGenerator[list[Point], None]:
        page = Scroll(kind, None if documents is None else list(documents), vectors)
        while True:
            answer = await self._ask(page)
            yield [_point(point) for point in answer.points]
            if answer.offset is None:
                return
            page = msgspec.structs.replace(page, offset=answer.offset)

    async def count(self, kind: str) -> int:
        return (await self._ask(Count(kind))).count

    async def tidy(self) -> None:
        async with self._writing:
            await self._ask(Flush())
            if self._changed >= MANY:
                async with self._meanwhile():
                    await self._ask(Tidy())
                self._changed = 0

    @asynccontextmanager
    async def _meanwhile(self) -> AsyncGenerator[None]:
        """A second process reads what is on disk by now. Without it, those who search wait."""
        reader = None
        try:
            with suppress(OSError, RetrieverUnavailable):       # no links in this file system, or no room for it
                await asyncio.to_thread(_link, self._folder, self._links)
                reader = self._reader = await _Keeper.start(self._links, self._size, self._lock)
            yield
        finally:
            self._reader = None
            if reader is not None:
                await reader.close(0.0)     # whoever still waits for it asks the keeper
            await asyncio.to_thread(shutil.rmtree, self._links, ignore_errors=True)

    @property
    def _links(self) -> Path:
        return self._folder.with_name(f"{self._folder.name}{MEANWHILE}")

    async def _write(self, ask: Ask, points: int) -> None:
        async with self._writing:
            before, self._changed = self._changed, self._changed + points
            await self._ask(ask)
            if before // MANY < self._changed // MANY:
                await self._ask(Flush())        # at the end of an import it would take seconds

    async def _ask(self, ask: Ask) -> Answer:
        try:
            frame = frames.packed(ask)
        except (TypeError, ValueError, OverflowError) as error:     # half a surrogate pair in a name
            raise RetrieverUnavailable(f"the index cannot take this: {type(error).__name__}") from error
        if self._reader is not None and not isinstance(ask, Tidy):      # what writes waits
            answer = await self._reader.ask(frame)
            if answer is not None and not answer.error:
                return answer
        for _ in range(TRIES):
            answer = await (await self._running()).ask(frame)
            if answer is not None:
                if answer.error:
                    raise RetrieverUnavailable(answer.error)
                return answer
        raise RetrieverUnavailable(f"the index's process dies of it: {type(ask).__name__}")

    async def _running(self) -> _Keeper:
        if self._keeper is not None and not self._keeper.gone and not self._closed:
            return self._keeper
        async with self._starting:
            if self._closed:
                raise RetrieverUnavailable("the index is closed")
            if self._keeper is not None and self._keeper.gone:
                await self._keeper.close()      # before another one has the shard
                self._keeper = None
            if self._keeper is None:
                self._reader = None             # the next one mends what this one left
                self._keeper = await _Keeper.start(self._folder, self._size, self._lock)
                self._changed = max(self._changed, self._keeper.points)
            return self._keeper


@dataclass(slots=True, eq=False)
class _Keeper:
    """The other end of `adapters.qdrant.keeper`."""

    _process: Process
    _stdin: asyncio.StreamWriter
    _stdout: asyncio.StreamReader
    _waiting: deque[asyncio.Future[Answer | None]] = field(default_factory=deque)
    _listening: asyncio.Task[None] | None = None
    points: int = 0                 # when it was loaded
    gone: bool = False              # nobody answers any more

    @classmethod
    async def start(cls, folder: Path, size: int, lock: int) -> Self:
        """Returns once the shard is loaded. Raises `RetrieverUnavailable`."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND, str(folder), str(size), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, pass_fds=(lock,),
            env={"PATH": os.defpath},       # none of our secrets
        )
        if process.stdin is None or process.stdout is None:
            raise RetrieverUnavailable("the index's process has no pipes")
        keeper = cls(process, process.stdin, process.stdout)
        loaded: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        keeper._waiting.append(loaded)
        keeper._listening = asyncio.create_task(keeper._listen())
        answer = None
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOADING):
                    answer = await loaded
        finally:
            if answer is None or answer.error:
                await keeper.close(0.0)
        if answer is None or answer.error:
            raise RetrieverUnavailable(answer.error if answer else "the index's process does not start")
        keeper.points = answer.count
        return keeper

    async def ask(self, frame: bytes) -> Answer | None:
        """None: it died before it answered."""
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        if self.gone:
            return None
        self._waiting.append(answer)
        self._stdin.write(frame)            # nothing may come between these two: answers come in the order of asks
        with suppress(ConnectionError):     # its silence says so
            await self._stdin.drain()
        return await answer

    async def close(self, patience: float = CLOSING) -> None:
        """Lets it finish what it was asked, and waits until it is gone."""
        try:
            self._stdin.close()
            async with asyncio.timeout(patience):
                await self._process.wait()
        except TimeoutError:
            pass
        finally:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            if self._listening is not None:
                await self._listening

    async def _listen(self) -> None:
        try:
            while (answer := await frames.read(self._stdout, _answers, limit=LARGEST)) is not None:
                asked = self._waiting.popleft()
                if not asked.done():        # whoever asked may have gone
                    asked.set_result(answer)
        except frames.BadFrame:
            with suppress(ProcessLookupError):
                self._process.kill()
        finally:
            self.gone = True
            for asked in self._waiting:
                if not asked.done():
                    asked.set_result(None)


@dataclass(frozen=True, slots=True)
class EdgeFolder:
    """The generations of an index, each a folder, and a file that names the active one."""

    path: Path
    lock: int

    @classmethod
    @asynccontextmanager
    async def locked(cls, path: Path, *, patience: float = 0.0) -> AsyncGenerator[Self]:
        """Holds the folder for this program; the system lets go of it however the program ends.

        ``patience``: seconds to wait for somebody who has it; one that was killed takes a moment to be gone. Raises
        `IndexBusy` and `RetrieverUnavailable`.
        """
        lock = _opened(path)
        try:
            await _taken(lock, patience)
            yield cls(path, lock)
        finally:
            os.close(lock)

    @asynccontextmanager
    async def active(self, size: int) -> AsyncGenerator[EdgeStore]:
        async with EdgeStore.open(self.path / self._named(), size, self.lock) as store:
            yield store

    @asynccontextmanager
    async def begin(self, generation: str, size: int) -> AsyncGenerator[EdgeStore]:
        folder = self._folder(generation)
        if folder.name == self._named():
            raise RetrieverUnavailable(f"generation {generation} is already active")
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        async with EdgeStore.open(folder, size, self.lock) as store:
            yield store

    async def answering(self) -> str:
        folder = self.path / self._named()
        return folder.name.removeprefix(FIRST).removeprefix("-") or FIRST if folder.exists() else ""

    async def activate(self, generation: str) -> None:
        await asyncio.to_thread(self._point_at, self._folder(generation).name)

    async def drop(self) -> None:
        kept = self._named()
        for folder in self.path.glob(f"{FIRST}*"):
            if folder.name != kept:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _folder(self, generation: str) -> Path:
        return self.path / f"{FIRST}-{generation}"

    def _named(self) -> str:
        try:
            return (self.path / POINTER).read_text().strip() or FIRST
        except FileNotFoundError:
            return FIRST
        except OSError as error:
            raise RetrieverUnavailable(f"the folder of the index cannot be read: {error.strerror}") from error

    def _point_at(self, name: str) -> None:
        """A rename within a folder is one step; the name is on disk before it counts."""
        aside = self.path / f"{POINTER}.new"
        try:
            with aside.open("w") as file:
                file.write(name)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self.path / POINTER)
        except OSError as error:
            raise RetrieverUnavailable(f"the folder of the index cannot be written: {error.strerror}") from error


def _link(shard: Path, links: Path) -> None:
    """Makes the folder anew, without the log of writes, all of which are in the files."""
    shutil.rmtree(links, ignore_errors=True)
    shutil.copytree(shard, links, copy_function=os.link, ignore=shutil.ignore_patterns("wal", "temp_segments"))


def _opened(path: Path) -> int:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RetrieverUnavailable(f"the folder of the index cannot be used: {error.strerror}") from error


async def _taken(lock: int, patience: float) -> None:
    until = asyncio.get_running_loop().time() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if asyncio.get_running_loop().time() >= until:
                raise IndexBusy("another process has the index open") from error
            await asyncio.sleep(LOOK)
        else:
            return


def _stored(point: Point) -> Stored:
    words = () if point.words is None else (list(point.words.indices), list(point.words.values))
    dense = None if point.dense is None else array("f", point.dense).tobytes()
    return Stored(point.id, point.payload, dense, *words)


def _point(stored: Stored) -> Point:
    words = None
    if stored.indices is not None and stored.values is not None:
        words = Words(stored.indices, stored.values)
    return Point(stored.id, stored.payload, None if stored.dense is None else array("f", stored.dense), words)
