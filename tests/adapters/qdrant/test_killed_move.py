"""A move that is killed, at each of its steps and in both directions: what answered goes on, and the next one ends."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from adapters.qdrant.index import PassageIndex
from adapters.qdrant.store import CHUNK
from tests.adapters.qdrant.move_once import STEPS, at
from tests.adapters.qdrant.wire import a_wire
from tests.adapters.qdrant.worlds import QUIET, Bags, a_page, ask, documents
from tests.builders import an_audience

pytestmark = QUIET
HR = frozenset({"group:hr"})
EVE = an_audience(eve="org group:hr")
OFTEN = {(True, "activate"), (False, "records")}
"""Each takes two processes; the other steps are among the longer runs."""


async def move(source: str, target: str, *, until: str = "") -> int:
    """The exit code of a move that is killed before that step; "": of a whole one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.adapters.qdrant.move_once", source, target,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    while step := (await process.stdout.readline()).decode().strip():
        if step == until:
            process.kill()
            break
        process.stdin.write(b"\n")
        await process.stdin.drain()
    return await process.wait()


async def found(place: str) -> set[str]:
    """What answers there."""
    async with at(place) as generations, PassageIndex.over(generations, Bags()) as index:
        names = set(documents(await ask(index, "notice", EVE)))
        assert set(index.records) == names
        assert await index.store.count(CHUNK) == len(names)
        return names


@pytest.mark.parametrize(("out", "step"), [
    pytest.param(out, step, id=f"{'to' if out else 'from'} the server-{step}",
                 marks=() if (out, step) in OFTEN else pytest.mark.long)
    for out in (True, False) for step in STEPS
])
async def test_what_answered_goes_on_and_the_next_move_ends(out: bool, step: str, tmp_path: Path) -> None:
    async with a_wire() as wire:
        source, target = (str(tmp_path), wire.url) if out else (wire.url, str(tmp_path))
        pages = {"leave.md": a_page("leave.md", "# Leave\n\nFour weeks notice."),
                 "pay.md": a_page("pay.md", "# Pay\n\nOn the 20th, with notice.", HR)}
        async with at(source) as generations, PassageIndex.over(generations, Bags()) as index:
            await index.put(pages.values())
        async with at(target) as generations, PassageIndex.over(generations, Bags()) as index:
            await index.put([a_page("old.md", "# Old\n\nNo notice at all.")])
        assert await move(source, target, until=step) == -9
        assert await found(source) == set(pages)
        assert await found(target) == (set(pages) if step == "drop" else {"old.md"})
        assert await move(source, target) == 0
        assert await found(target) == await found(source) == set(pages)
        assert len((await wire.inner.get_collections()).collections) == 1
        assert len([name for name in os.listdir(tmp_path) if name.startswith("shard")]) == 1
