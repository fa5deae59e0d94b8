"""A process that builds an index anew with another model, says a line for each page, and can be killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.settings import Settings
from bot.sources import Knowledge, Successor
from tests.adapters.qdrant.worlds import Bags, an_index

SMALL = (sys.executable, "-m", "tests.adapters.qdrant.small_indexer")
NEXT = Successor(Bags(model="bags:2"), SMALL, "2")


async def main(data: Path) -> None:
    async with (
        an_index(data / "index") as index,
        Knowledge.open(index, Settings(data_dir=data), data, command=SMALL, version="1", successor=NEXT) as knowledge,
    ):
        await knowledge.rebuild(lambda _, done, __: print(done, flush=True))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
