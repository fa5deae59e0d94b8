"""A program that fills the index in a folder, tidies it up, says so, and goes on until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from adapters.qdrant.edge import MANY, EdgeFolder
from tests.adapters.qdrant.bags import SIZE
from tests.adapters.qdrant.test_edge import a_point


async def main(path: Path) -> None:
    async with EdgeFolder.locked(path) as folder, folder.active(SIZE) as store:
        await store.upsert([a_point(number) for number in range(1, MANY + 1)])
        await store.tidy()
        print("tidy", flush=True)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
