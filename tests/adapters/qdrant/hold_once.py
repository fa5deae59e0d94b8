"""A program that opens the index in a folder, says so, and goes on until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from adapters.qdrant.edge import EdgeFolder
from tests.adapters.qdrant.bags import SIZE


async def main(path: Path) -> None:
    async with EdgeFolder.locked(path) as folder, folder.active(SIZE):
        print("open", flush=True)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
