"""Tidying up after a large import: who searches is answered, who writes waits, and who is killed loses nothing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from adapters.qdrant.edge import GONE, MANY, MEANWHILE, EdgeFolder, EdgeStore
from adapters.qdrant.store import CHUNK, Candidates, Point, Words
from tests.adapters.qdrant.bags import SIZE
from tests.adapters.qdrant.test_edge import LIST, a_point, a_store, found, keepers
from tests.adapters.qdrant.tidy_once import fill

WORD = Words([1], [1.0])
PATIENCE = 60.0


async def everything(store: EdgeStore) -> tuple[Candidates, dict[int, float], dict[str, Point], list[Point], int]:
    """What a reader can ask."""
    near = await store.search([1.0] * SIZE, WORD, [LIST], limit=2 * MANY)
    return (
        near, dict(await store.rarity([1, 2, 77], [LIST])),
        await store.fetch([hit.id for hit in near.near[:3]], words=True),
        [point async for points in store.scroll(CHUNK, vectors=True) for point in points], await store.count(CHUNK),
    )


@asynccontextmanager
async def a_full_store(path: Path) -> AsyncGenerator[EdgeStore]:
    async with a_store(path) as store:
        await fill(store)
        yield store


@asynccontextmanager
async def tidied(store: EdgeStore, path: Path) -> AsyncGenerator[psutil.Process]:
    """It lasts as long as the block, unless that kills one of the two processes; yields the one at work."""
    (keeper,) = keepers(path)
    async with asyncio.timeout(PATIENCE):
        tidying = asyncio.create_task(store.tidy())
        while not links(path).exists():
            await asyncio.sleep(0)
        keeper.suspend()
        try:
            while not await quick(store):
                pass
            yield keeper
        finally:
            with suppress(psutil.NoSuchProcess):
                keeper.resume()
        await tidying
    assert not links(path).exists()
    assert len(keepers(path)) == 1


async def quick(store: EdgeStore) -> bool:
    """Whether somebody answers."""
    try:
        return await asyncio.wait_for(store.count(CHUNK), 0.2) > 0
    except TimeoutError:
        return False


def links(path: Path) -> Path:
    return path / f"shard{MEANWHILE}"


def segments(path: Path) -> set[str]:
    return set(os.listdir(path / "shard" / "segments"))


def contents(path: Path) -> dict[str, str]:
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in (path / "shard").rglob("*") if file.is_file()}


async def test_what_was_written_is_found_meanwhile_as_before_and_after(tmp_path: Path) -> None:
    async with a_full_store(tmp_path) as store:
        await store.relabel("3.md", LIST + 1)
        await store.prune("4.md", "")
        await store.delete([a_point(5).id])
        before, old = await everything(store), segments(tmp_path)
        assert len(before[0].near) == MANY - 3
        async with tidied(store, tmp_path):
            assert await everything(store) == before
            assert segments(tmp_path) == old
        assert await everything(store) == before
        assert not segments(tmp_path) & old


async def test_who_writes_meanwhile_waits_and_is_found_at_once(tmp_path: Path) -> None:
    async with a_full_store(tmp_path) as store:
        async with tidied(store, tmp_path):
            writing = [asyncio.create_task(store.upsert([a_point(MANY + 1)])),
                       asyncio.create_task(store.relabel("1.md", LIST + 1)),
                       asyncio.create_task(store.prune("2.md", "")),
                       asyncio.create_task(store.delete([a_point(3).id, a_point(4).id]))]
            assert await found(store) == MANY
            assert not any(task.done() for task in writing)
        await asyncio.gather(*writing)
        assert await found(store) == MANY + 1 - 4


async def test_who_reads_meanwhile_changes_no_byte(tmp_path: Path) -> None:
    async with a_full_store(tmp_path) as store:
        await store.tidy()
        await store.upsert([a_point(MANY + number) for number in range(1, MANY + 1)])
        async with tidied(store, tmp_path):
            before = contents(tmp_path)
            await everything(store)
            (reader,) = (each for each in keepers(tmp_path) if MEANWHILE in " ".join(each.cmdline()))
            reader.kill()
            reader.wait()
            assert contents(tmp_path) == before
        assert await found(store) == 2 * MANY


@pytest.mark.parametrize("reads", [True, False], ids=["who reads", "who works"])
async def test_either_may_die_of_it(tmp_path: Path, reads: bool) -> None:
    async with a_full_store(tmp_path) as store:
        async with tidied(store, tmp_path) as keeper:
            asking = [asyncio.create_task(found(store)) for _ in range(5)]
            await asyncio.sleep(0)
            for process in keepers(tmp_path):
                if (process != keeper) == reads:
                    process.kill()
        assert await asyncio.gather(*asking) == [MANY] * 5
        assert await found(store) == MANY


async def test_where_there_can_be_no_links_who_searches_waits(tmp_path: Path) -> None:
    async with a_full_store(tmp_path) as store:
        links(tmp_path).write_text("in the way")
        await store.tidy()
        assert await found(store) == MANY


async def test_who_stops_waiting_for_it_leaves_nothing(tmp_path: Path) -> None:
    async with a_full_store(tmp_path) as store:
        tidying = asyncio.create_task(store.tidy())
        while not links(tmp_path).exists():
            await asyncio.sleep(0)
        tidying.cancel()
        await asyncio.wait([tidying])
        assert await found(store) == MANY
        await store.tidy()
        assert not links(tmp_path).exists()
        assert len(keepers(tmp_path)) == 1


@pytest.mark.parametrize("moment", ["links", "reader", "tidy"])
async def test_a_program_that_is_killed_at_it_loses_nothing(tmp_path: Path, moment: str) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.adapters.qdrant.tidy_once", str(tmp_path), stdout=asyncio.subprocess.PIPE)
    assert program.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while moment == "links" and not links(tmp_path).exists():
            await asyncio.sleep(0)
        while moment == "reader" and len(keepers(tmp_path)) < 2:
            await asyncio.sleep(0)
        if moment == "tidy":
            assert await program.stdout.readline() == b"tidy\n"
    program.kill()
    await program.wait()
    async with EdgeFolder.locked(tmp_path, patience=GONE) as folder:
        assert keepers(tmp_path) == []
        async with folder.active(SIZE) as store:
            assert await found(store) == await store.count(CHUNK) == MANY
            assert not links(tmp_path).exists()
            await store.tidy()
            assert await found(store) == MANY
