"""The index follows a source: what is new is embedded, what is gone is forgotten, what stayed is left alone."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import msgspec

from adapters.qdrant import frames
from adapters.qdrant.index import EdgeIndex
from adapters.qdrant.indexer import VERSION, Broken, Job, Pieces, Ready, Told
from adapters.qdrant.points import Piece, Record
from engine.errors import RetrieverUnavailable
from engine.messages import Labels
from engine.rag.page import Page, Source, Unreadable

COMMAND: Final = (sys.executable, "-P", "-m", "adapters.qdrant.indexer")
"""``-P``: a folder called "adapters" where the bot happens to be started is not imported."""
LARGEST: Final = 256_000_000    # bytes of one result
LOADING: Final = 60.0           # seconds until the model has to be there
PATIENCE: Final = 600.0         # seconds for one page; the largest that we read takes about two minutes
AHEAD: Final = 2                # pages sent before the first one's result is awaited

Progress: TypeAlias = Callable[[int, int], None]

_decoder: Final = msgspec.msgpack.Decoder(Told)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Counts of pages. ``failed`` and ``notes`` are paths with a reason; what the index had of failed ones stays."""

    added: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()     # indexed, though something was not quite right with them


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


async def sync(
    index: EdgeIndex, source: Source, acl: Labels, *, tell: Progress = _silent, command: Sequence[str] = COMMAND
) -> SyncReport:
    """Brings the index up to the source; ``tell`` gets (done, total) of the pages to embed.

    Every page is written whole and then recorded, so a sync that is cut off is completed by the next one. Raises
    `RetrieverUnavailable` when the index or the embedding model does not work.
    """
    known = {
        record.document.removeprefix(f"{source.name}/"): record
        for record in index.records.values() if record.source == source.name
    }
    wanted, failed, notes = await asyncio.to_thread(_survey, source, acl)
    gone = [known[path] for path in known if path not in wanted and not _among(path, failed)]
    kept = {path: replace(known[path], acl=acl) for path in known if path not in wanted and _among(path, failed)}
    same = {path for path, record in wanted.items() if path in known and _text(record) == _text(known[path])}
    moved = [
        record for path, record in [*kept.items(), *((path, wanted[path]) for path in same)]
        if (record.acl, record.url) != (known[path].acl, known[path].url)
    ]
    todo = [path for path in wanted if path not in same]

    await index.remove([record.document for record in gone])
    await index.relabel(moved)
    done: list[str] = []
    problems = list(failed)
    if todo:
        async with aclosing(embedded(source, todo, command)) as results:
            tell(0, len(todo))
            count = 0
            async for result in results:
                if isinstance(result, Unreadable):
                    problems.append(result)
                else:
                    page, pieces = result
                    await index.put([(_record(source, page, acl), pieces)])
                    done.append(page.path)
                count += 1
                tell(count, len(todo))
    if gone or todo:
        await index.tidy()
    changed = sum(path in known for path in done)
    return SyncReport(
        len(done) - changed, changed + len(moved), len(gone), len(known) - len(gone) - changed - len(moved),
        tuple((bad.path, bad.why) for bad in problems), tuple(notes),
    )


async def embedded(
    source: Source, paths: Sequence[str], command: Sequence[str] = COMMAND
) -> AsyncGenerator[tuple[Page, list[Piece]] | Unreadable, None]:
    """One result for each path, in order, from a process of its own. A page that kills it is skipped.

    Raises `RetrieverUnavailable` when the process does not get as far as its first page.
    """
    rest = deque(paths)
    while rest:
        async with _indexer(command) as process:
            sent: deque[Page] = deque()
            while rest or sent:
                while rest and len(sent) < AHEAD:
                    page = await asyncio.to_thread(source.read, rest[0])
                    if isinstance(page, Unreadable):
                        if sent:
                            break       # its turn comes after theirs
                        rest.popleft()
                        yield page
                        continue
                    rest.popleft()
                    sent.append(page)
                    await process.send(Job(page.text, page.name))
                if not sent:
                    break
                told = await process.hear(PATIENCE)
                page = sent.popleft()
                if isinstance(told, Pieces):
                    yield page, told.pieces
                    continue
                if isinstance(told, Broken):
                    yield Unreadable(page.path, told.why)
                    continue
                yield Unreadable(page.path, "indexing it failed or took too long")
                rest.extendleft(waiting.path for waiting in reversed(sent))
                break                       # the next ones get a new process


@dataclass(frozen=True, slots=True)
class _Indexer:
    """The other end of `adapters.qdrant.indexer`, which always reads, so that sending never waits for long."""

    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader

    async def send(self, job: Job) -> None:
        with suppress(ConnectionError):     # it died; its silence says so to `hear`
            self.stdin.write(frames.packed(job))
            await self.stdin.drain()

    async def hear(self, patience: float) -> Told | None:
        """None: it is dead, or might as well be."""
        try:
            async with asyncio.timeout(patience):
                return await frames.read(self.stdout, _decoder, limit=LARGEST)
        except (TimeoutError, frames.BadFrame):
            return None


@asynccontextmanager
async def _indexer(command: Sequence[str]) -> AsyncGenerator[_Indexer]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=_environment()
    )
    try:
        if process.stdin is None or process.stdout is None:
            raise RetrieverUnavailable("the indexer has no pipes")
        indexer = _Indexer(process.stdin, process.stdout)
        told = await indexer.hear(LOADING)
        if not isinstance(told, Ready):
            raise RetrieverUnavailable(told.why if isinstance(told, Broken) else "the indexer does not start")
        yield indexer
    finally:
        with suppress(ProcessLookupError):
            process.kill()                  # it holds nothing that is not written elsewhere
        await process.wait()


def _environment() -> dict[str, str]:
    """What Python needs, and none of our secrets: the process reads files that anybody may have written."""
    kept = ("PATH", "HOME", "TMPDIR", "LANG")
    return {key: value for key, value in os.environ.items() if key in kept or key.startswith(("PYTHON", "LC_"))}


def _survey(
    source: Source, acl: Labels
) -> tuple[dict[str, Record], list[Unreadable], list[tuple[str, str]]]:
    """Every page that is there, without its text; those that cannot be read; and what was noted. Blocking."""
    wanted: dict[str, Record] = {}
    failed: list[Unreadable] = []
    notes: list[tuple[str, str]] = []
    for path in source.paths():
        page = path if isinstance(path, Unreadable) else source.read(path)
        if isinstance(page, Unreadable):
            failed.append(page)
            continue
        wanted[page.path] = _record(source, page, acl)
        if page.note:
            notes.append((page.path, page.note))
    return wanted, failed, notes


def _record(source: Source, page: Page, acl: Labels) -> Record:
    return Record(f"{source.name}/{page.path}", source.name, page.hash, VERSION, acl, page.url, page.date)


def _text(record: Record) -> tuple[str, str]:
    return record.hash, record.version


def _among(path: str, failed: Sequence[Unreadable]) -> bool:
    """It is one of them, or in a folder that is."""
    return any(bad.path in {"", path} or (bad.path.endswith("/") and path.startswith(bad.path)) for bad in failed)
