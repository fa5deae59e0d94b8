"""Of several who write to one index on a server, one at a time does, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.files.folder import Folder
from adapters.qdrant.index import PassageIndex
from adapters.qdrant.points import turn_id
from adapters.qdrant.server import ServerOptions, open_generations
from adapters.qdrant.store import CHUNK, PassageStore, Point
from adapters.qdrant.sync import Syncer
from adapters.qdrant.turns import TURN, Elsewhere, Turns
from adapters.sources.journal import Journal
from tests.adapters.qdrant.test_sync import SMALL
from tests.adapters.qdrant.wire import Wire, a_wire
from tests.adapters.qdrant.worlds import QUIET, Bags, an_index
from tests.builders import ORG

pytestmark = QUIET
PIECES = 8


@asynccontextmanager
async def an_index_on(wire: Wire) -> AsyncIterator[PassageIndex]:
    async with open_generations(ServerOptions(wire.url)) as server, PassageIndex.over(server, Bags()) as index:
        yield index


def turns(store: PassageStore, name: str, **quick: float) -> Turns:
    return Turns(lambda: store, name, **{"beat": 0.05, "lease": 0.5, "patience": 0.2} | quick)


async def claims(store: PassageStore) -> list[str]:
    return [point.payload["name"] async for batch in store.scroll(TURN) for point in batch]


async def test_of_many_that_begin_at_once_one_at_a_time_writes() -> None:
    inside: list[str] = []
    ended: list[str] = []

    async def work(each: Turns) -> None:
        for _ in range(3):
            async with each.taken():
                inside.append(each.name)
                await asyncio.sleep(0.01)
                assert inside == [each.name]
                inside.remove(each.name)
                ended.append(each.name)

    async with a_wire() as wire, an_index_on(wire) as index, asyncio.timeout(60):
        await asyncio.gather(*(work(turns(index.store, name, lease=30, patience=30)) for name in "abcde"))
        assert sorted(ended) == sorted("abcde" * 3)
        assert await claims(index.store) == []


async def test_who_is_not_waited_for_any_longer_is_named_and_who_has_ended_is_followed() -> None:
    async with a_wire() as wire, an_index_on(wire) as index, asyncio.timeout(60):
        first, second = turns(index.store, "one:/srv"), turns(index.store, "two:/srv")
        async with first.taken(), first.taken():
            with pytest.raises(Elsewhere, match=r"^one:/srv writes to this index just now: nothing was read"):
                await second.taken().__aenter__()
            await asyncio.sleep(1.2)            # longer than a lease: it is renewed
            first.hold()
            assert await claims(index.store) == ["one:/srv"]
        async with second.taken():
            assert await claims(index.store) == ["two:/srv"]
        left = Point(turn_id("three:/srv"), {"kind": TURN, "name": "three:/srv", "sign": "its last"})
        await index.store.upsert([left])        # of a process that was killed
        waited = []
        for _ in range(2):
            began = time.monotonic()
            async with second.taken():
                waited.append(time.monotonic() - began > 0.4)
                assert await claims(index.store) == ["two:/srv"]
        assert waited == [True, False]          # once is enough


async def test_who_was_suspended_for_long_writes_no_more() -> None:
    now = 0.0

    async with a_wire() as wire, an_index_on(wire) as index, asyncio.timeout(60):
        first, second = turns(index.store, "one", beat=10, lease=60), turns(index.store, "two")
        first.clock = lambda: now
        async with first.taken():
            now = 39.0
            first.hold()
            now = 41.0
            with pytest.raises(Elsewhere, match="no sign of life"):
                first.hold()
            async with second.taken():          # for which nothing has been renewed
                second.hold()
                with pytest.raises(Elsewhere):
                    first.hold()
        async with first.taken():
            first.hold()


async def test_where_nobody_else_can_write_nobody_is_asked(tmp_path: Path) -> None:
    async with (
        an_index(tmp_path / "index") as index,
        turns(index.store, "one").taken(),
        turns(index.store, "two").taken(),
    ):
        assert await claims(index.store) == []


async def whole(store: PassageStore) -> bool:
    """Each page's pieces are those that were written together, and none is missing."""
    pieces = [point.payload async for batch in store.scroll(CHUNK) for point in batch]
    held = {piece["generation"] for piece in pieces}
    return len(held) == 1 and len({piece["start"] for piece in pieces if "start" in piece}) == PIECES


async def test_two_folders_that_sync_the_same_page_at_once_leave_it_whole(tmp_path: Path) -> None:
    """Without turns each throws away what the other has just put there of it."""
    async def synced(name: str, index: PassageIndex, number: int) -> None:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        page = "\n\n".join(f"## {part}\n\n" + f"{name}{number} of part {part} " * 60 for part in range(PIECES))
        (root / "leave.md").write_text(page)
        with Journal.open(None) as journal:
            syncer = Syncer(index, journal, SMALL, turns=turns(index.store, name, patience=30, lease=30))
            report = await syncer.sync(Folder("wiki", root), ORG)
            assert (report.failed, report.chunks) == ((), PIECES)

    async with a_wire() as wire, an_index_on(wire) as one, an_index_on(wire) as two, asyncio.timeout(60):
        wire.deleting = 0.2
        for number in range(3):
            await asyncio.gather(synced("a", one, number), synced("b", two, number))
            assert await whole(one.store), number


async def test_a_sync_that_has_lost_its_turn_writes_no_page(tmp_path: Path) -> None:
    async with a_wire() as wire, an_index_on(wire) as index, asyncio.timeout(60):
        ours = turns(index.store, "one", beat=10, lease=60)
        (tmp_path / "a.md").write_text("# A\n\nOne.\n")
        with Journal.open(None) as journal:
            syncer = Syncer(index, journal, SMALL, turns=ours)

            def suspended(_done: int, _total: int) -> None:
                ours.clock = lambda: time.monotonic() + 50

            with pytest.raises(Elsewhere):
                await syncer.sync(Folder("wiki", tmp_path), ORG, tell=suspended)
            assert await index.store.count(CHUNK) == 0
            ours.clock = time.monotonic
            assert (await syncer.sync(Folder("wiki", tmp_path), ORG)).added == 1
