"""A program that fills the index in a folder, tidies it up, says so, and goes on until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from adapters.qdrant.edge import MANY, EdgeFolder, EdgeStore
from tests.adapters.qdrant.bags import SIZE
from tests.adapters.qdrant.test_edge import a_point

REMOVED = MANY // 3             # so many that Edge writes the rest anew


async def fill(store: EdgeStore) -> None:
    """With ``MANY`` points."""
    await store.upsert([a_point(number) for number in range(1, MANY + REMOVED + 1)])
    await store.delete([a_point(number).id for number in range(MANY + 1, MANY + REMOVED + 1)])


async def main(path: Path) -> None:
    async with EdgeFolder.locked(path) as folder, folder.active(SIZE) as store:
        await fill(store)
        await store.tidy()
        print("tidy", flush=True)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
