"""A process that syncs a folder into an index, says a line for each page, and can be killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from adapters.files.folder import Folder
from adapters.qdrant.sync import sync
from tests.adapters.qdrant.worlds import an_index
from tests.builders import ORG


async def main(folder: Path, path: Path, command: list[str]) -> None:
    async with an_index(path) as index:
        await sync(index, Folder("wiki", folder), ORG, command=command, tell=lambda done, _: print(done, flush=True))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
