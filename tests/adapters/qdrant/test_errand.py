"""A sync is asked of the process that has the index, which tells how far it is and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.qdrant import errand, frames
from adapters.qdrant.errand import Errand, Step, Tell
from adapters.qdrant.socket import RemoteIndex, SharedIndex, open_index
from adapters.qdrant.sync import SyncReport
from engine.errors import BotError, RetrieverUnavailable
from tests.adapters.qdrant.worlds import Bags, ask

REPORT = SyncReport(1, 2, 3, 4, (("a.pdf", "is encrypted"),), (("b.md", "holds NUL"),), 20, 12, 30, 4.5)


class Working:
    """Syncs three pages, each when it is told to."""

    def __init__(self, index: SharedIndex) -> None:
        self.index = index
        self.asked: list[tuple[str | None, bool]] = []
        self.may = asyncio.Semaphore(0)
        self.ended = asyncio.Event()
        self.error: BotError | None = None

    async def sync(self, only: str | None, full: bool, tell: Tell) -> Mapping[str, SyncReport]:
        self.asked.append((only, full))
        tell("wiki", 0, 3)
        try:
            for page in (1, 2, 3):
                await self.may.acquire()
                tell("wiki", page, 3)
            if self.error:
                raise self.error
            return {"wiki": REPORT}
        finally:
            self.ended.set()


@asynccontextmanager
async def two(folder: Path) -> AsyncIterator[tuple[Working, SharedIndex]]:
    """The process that has the index, and another one."""
    async with open_index(folder, Bags()) as first, open_index(folder, Bags()) as second:
        working = Working(first)
        first.works = working.sync
        yield working, second


async def test_each_step_is_told_and_the_report_is_the_whole_of_it(tmp_path: Path) -> None:
    async with two(tmp_path) as (working, second):
        told: asyncio.Queue[tuple[str, int, int]] = asyncio.Queue()
        syncing = asyncio.create_task(second.sync("wiki", True, lambda *step: told.put_nowait(step)))
        for page in range(3):
            assert await told.get() == ("wiki", page, 3)
            working.may.release()
        reports = await syncing
        assert reports == {"wiki": REPORT}
        assert (reports["wiki"].embedded, reports["wiki"].seconds) == (12, 4.5)     # no two reports differ by these
        assert working.asked == [("wiki", True)]


async def test_what_fails_as_a_whole_says_why(tmp_path: Path) -> None:
    async with two(tmp_path) as (working, second):
        working.error = BotError("there is no source nobody")
        for _ in range(3):
            working.may.release()
        with pytest.raises(RetrieverUnavailable, match="there is no source nobody"):
            await second.sync("nobody", False, lambda *_: None)
        assert (await ask(second, "notice")).passages == ()


async def test_whoever_leaves_in_the_middle_disturbs_nothing(tmp_path: Path) -> None:
    async with two(tmp_path) as (working, second):
        begun = asyncio.Event()
        syncing = asyncio.create_task(second.sync(None, False, lambda *_: begun.set()))
        await begun.wait()
        syncing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await syncing
        for _ in range(3):
            working.may.release()
            await asyncio.sleep(0.06)       # it speaks to somebody who is gone
        await working.ended.wait()
        assert (await ask(second, "notice")).passages == ()


async def test_an_owner_that_ends_in_the_middle_is_said_to_have_ended(tmp_path: Path) -> None:
    async with open_index(tmp_path, Bags()) as first:
        working = Working(first)
        first.works = working.sync
        begun = asyncio.Event()
        syncing = asyncio.create_task(RemoteIndex(tmp_path / "socket").sync(None, False, lambda *_: begun.set()))
        await begun.wait()
    assert working.ended.is_set()           # and takes the sync along
    with pytest.raises(RetrieverUnavailable, match="ended in the middle of the sync"):
        await syncing


async def test_an_owner_that_does_not_sync_says_so(tmp_path: Path) -> None:
    async with open_index(tmp_path, Bags()), open_index(tmp_path, Bags()) as second:
        with pytest.raises(RetrieverUnavailable, match="another command has the index"):
            await second.sync(None, False, lambda *_: None)
    with pytest.raises(RetrieverUnavailable, match="does not answer"):
        await RemoteIndex(tmp_path / "socket").sync(None, False, lambda *_: None)


async def test_one_who_hangs_is_told_from_one_who_works() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(frames.packed(Step()) + frames.packed(Step("wiki", 1, 2)))
    steps: list[tuple[str, int, int]] = []
    with pytest.raises(RetrieverUnavailable, match="has not said a word"):
        await errand.follow(reader, lambda *step: steps.append(step), silence=0.05)
    assert steps == [("wiki", 1, 2)]
    for nonsense in (b"\0\0\0\1\xc1", frames.packed(Errand(None, full=False))):
        reader.feed_data(nonsense)
        with pytest.raises(RetrieverUnavailable, match="of another version"):
            await errand.follow(reader, lambda *_: None)
