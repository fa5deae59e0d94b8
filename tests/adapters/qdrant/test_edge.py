"""The process that has a shard open: what happens when it dies, when we die, and when somebody wants to stop us."""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from array import array
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from adapters.qdrant.edge import GONE, EdgeFolder, EdgeStore, IndexBusy
from adapters.qdrant.store import ALLOWED, CHUNK, Point, Words
from engine.errors import RetrieverUnavailable
from tests.adapters.qdrant.bags import SIZE

LIST = 7


def a_point(number: int) -> Point:
    dense = array("f", [1.0] * (SIZE - 1) + [number / 1000])
    return Point(str(uuid.UUID(int=number)), {"kind": CHUNK, "doc": f"{number}.md", ALLOWED: LIST, "text": str(number)},
                 dense, Words([number % 5], [1.0]))


def keepers(path: Path) -> list[psutil.Process]:
    """Those that have a shard of this folder open, whoever started them."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "adapters.qdrant.keeper" in (line := process.cmdline()) and any(str(path) in part for part in line):
                found.append(process)
    return found


@asynccontextmanager
async def a_store(path: Path) -> AsyncGenerator[EdgeStore]:
    async with EdgeFolder.locked(path) as folder, folder.active(SIZE) as store:
        yield store


async def found(store: EdgeStore) -> int:
    return len((await store.search([1.0] * SIZE, Words([1], [1.0]), [LIST], limit=20_000)).near)


async def test_a_killed_process_is_started_again_and_what_it_had_said_is_there(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        for number in range(1, 6):
            await store.upsert([a_point(number)])
            (keeper,) = keepers(tmp_path)
            keeper.kill()
            assert await found(store) == number == await store.count(CHUNK)
        await store.relabel("1.md", LIST + 1)
        keepers(tmp_path)[0].kill()
        assert await found(store) == 4
    assert keepers(tmp_path) == []


async def test_those_who_wait_for_it_are_answered_by_the_next_one(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await store.upsert([a_point(number) for number in range(1, 500)])
        asking = [asyncio.create_task(found(store)) for _ in range(20)]
        await asyncio.sleep(0)
        keepers(tmp_path)[0].kill()
        assert await asyncio.gather(*asking) == [499] * 20
        assert len(keepers(tmp_path)) == 1


async def test_what_kills_it_each_time_fails_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await store.upsert([a_point(1)])

        async def murderer() -> None:
            while True:
                for keeper in keepers(tmp_path):
                    with suppress(psutil.NoSuchProcess):
                        keeper.kill()
                await asyncio.sleep(0)

        killing = asyncio.create_task(murderer())
        with pytest.raises(RetrieverUnavailable, match=r"dies of it: Search|does not start"):
            await asyncio.gather(*(found(store) for _ in range(100)))
        killing.cancel()
        assert await found(store) == 1


async def test_nobody_has_the_folder_until_the_process_of_a_dead_program_is_gone(tmp_path: Path) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.adapters.qdrant.hold_once", str(tmp_path), stdout=asyncio.subprocess.PIPE)
    assert program.stdout is not None
    assert await program.stdout.readline() == b"open\n"
    (keeper,) = keepers(tmp_path)
    assert str(tmp_path / "lock") in [file.path for file in keeper.open_files()]
    with pytest.raises(IndexBusy):
        async with a_store(tmp_path):
            pass
    program.kill()
    await program.wait()
    async with EdgeFolder.locked(tmp_path, patience=GONE) as folder:
        assert keepers(tmp_path) == []
        async with folder.active(SIZE) as store:
            assert await found(store) == 0


async def test_what_stops_the_program_does_not_stop_it_before_its_time(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await store.upsert([a_point(1)])
        (keeper,) = keepers(tmp_path)
        for signalled in (signal.SIGINT, signal.SIGTERM):   # Ctrl-C and a service manager reach the whole group
            keeper.send_signal(signalled)
        assert await found(store) == 1
        assert keepers(tmp_path) == [keeper]


async def test_who_stops_waiting_takes_nobody_elses_answer(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        await store.upsert([a_point(number) for number in range(1, 200)])
        impatient = [asyncio.create_task(found(store)) for _ in range(10)]
        await asyncio.sleep(0)
        counting = asyncio.create_task(store.count(CHUNK))
        await asyncio.sleep(0)
        for task in impatient:
            task.cancel()
        assert await counting == 199
        assert await found(store) == 199


async def test_what_it_cannot_take_is_an_error_and_no_end(tmp_path: Path) -> None:
    async with a_store(tmp_path) as store:
        (keeper,) = keepers(tmp_path)
        with pytest.raises(RetrieverUnavailable, match="cannot take this: UnicodeEncodeError"):
            await store.delete(["half a pair: \ud800"])
        with pytest.raises(RetrieverUnavailable, match="the index failed"):
            await store.fetch(["no id"])
        with pytest.raises(RetrieverUnavailable, match="the index failed"):
            await store.upsert([replace(a_point(1), dense=array("f", [1.0]))])
        await store.upsert([a_point(1)])
        assert await found(store) == 1
        assert keepers(tmp_path) == [keeper]


async def test_a_folder_that_holds_something_else_says_so(tmp_path: Path) -> None:
    (tmp_path / "shard").mkdir(parents=True)
    (tmp_path / "shard" / "segments").write_text("no segments")
    with pytest.raises(RetrieverUnavailable, match="the index failed"):
        async with a_store(tmp_path):
            pass
    assert keepers(tmp_path) == []
