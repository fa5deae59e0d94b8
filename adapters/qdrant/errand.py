"""A sync that one process asks of the one that has the index: what it comes to is told while it goes on.

Whoever asked may leave: the sync goes on without them. Whoever syncs speaks every few seconds, if only to say that it
is still there, so that one who hangs is told from one who works.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, TypeAlias

import msgspec

from adapters.qdrant import frames
from adapters.qdrant.sync import LARGEST, SyncReport
from engine.errors import BotError, RetrieverUnavailable

BEAT: Final = 5.0               # seconds between two words, at most
REST: Final = 0.05              # and at least: a bar need not move faster
SILENCE: Final = 60.0           # seconds without a word until nobody is taken to be there
BROKEN_OFF: Final = ("the running Bartizan ended in the middle of the sync: what it had indexed by then stays, and the "
                     "next sync does the rest")
SILENT: Final = f"the running Bartizan has not said a word for {SILENCE:g} s; its log may tell why"

Tell: TypeAlias = Callable[[str, int, int], None]
"""A source, and how many of how many pages are embedded."""
Reports: TypeAlias = Mapping[str, SyncReport]
Work: TypeAlias = Callable[[str | None, bool, Tell], Awaitable[Reports]]
"""Syncs one source, or all; True: reads everything again. Raises `BotError`."""


class Errand(msgspec.Struct, frozen=True, tag=True):
    """What is asked for."""

    only: str | None
    full: bool


class Step(msgspec.Struct, frozen=True, tag=True):
    """How far it is; without a source: that it goes on."""

    source: str = ""
    done: int = 0
    total: int = 0


class Ended(msgspec.Struct, frozen=True, tag=True):
    """What came of it, or why nothing did."""

    reports: dict[str, SyncReport] = {}
    error: str = ""


_words: Final[msgspec.msgpack.Decoder[Step | Ended]] = msgspec.msgpack.Decoder(Step | Ended)


async def run(errand: Errand, work: Work, writer: asyncio.StreamWriter, working: set[asyncio.Task[Reports]]) -> None:
    """The owner's end. The task is put among ``working``, where it stays when this ends early.

    Raises `ConnectionError` when whoever asked has left.
    """
    news = asyncio.Event()
    steps: dict[str, Step] = {}

    def tell(source: str, done: int, total: int) -> None:
        steps[source] = Step(source, done, total)
        news.set()

    async def worked() -> Reports:
        return await work(errand.only, errand.full, tell)

    task = asyncio.create_task(worked())
    working.add(task)
    task.add_done_callback(working.discard)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())       # heard, should nobody be left
    task.add_done_callback(lambda _: news.set())
    while not task.done():
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT):
                await news.wait()
        news.clear()
        said, steps = list(steps.values()), {}
        for step in said or [Step()]:
            writer.write(frames.packed(step))
        await writer.drain()
        if not task.done():
            await asyncio.sleep(REST)
    try:
        ended = Ended(dict(task.result()))
    except BotError as error:
        ended = Ended(error=str(error) or error.reply)
    writer.write(frames.packed(ended))
    await writer.drain()


async def follow(reader: asyncio.StreamReader, tell: Tell, silence: float = SILENCE) -> Reports:
    """The asker's end, once the errand is sent. Raises `RetrieverUnavailable` when it fails, or whoever does it."""
    while True:
        try:
            async with asyncio.timeout(silence):
                word = await frames.read(reader, _words, limit=LARGEST)
        except TimeoutError as error:
            raise RetrieverUnavailable(SILENT) from error
        except frames.BadFrame as error:
            raise RetrieverUnavailable("the running Bartizan is of another version, which syncs for nobody") from error
        match word:
            case None:
                raise RetrieverUnavailable(BROKEN_OFF)
            case Step():
                if word.source:
                    tell(word.source, word.done, word.total)
            case Ended(error=""):
                return word.reports
            case Ended():
                raise RetrieverUnavailable(word.error)
