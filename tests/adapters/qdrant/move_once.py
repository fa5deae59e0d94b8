"""A process that moves an index from one place to another, says each step before it, and can be killed there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.qdrant.edge import GONE, EdgeFolder
from adapters.qdrant.move import move
from adapters.qdrant.server import ServerOptions, open_generations
from adapters.qdrant.store import Generations, PassageStore
from tests.adapters.qdrant.bags import SIZE

STEPS = ("begin", "pieces", "records", "activate", "drop")


@dataclass
class Slow:
    """Generations whose every step waits for a line."""

    inner: Generations

    def active(self, size: int) -> AbstractAsyncContextManager[PassageStore]:
        return self.inner.active(size)

    def begin(self, generation: str, size: int) -> AbstractAsyncContextManager[PassageStore]:
        wait("begin")
        return self.inner.begin(generation, size)

    async def answering(self) -> str:
        return await self.inner.answering()

    async def activate(self, generation: str) -> None:
        wait("activate")
        await self.inner.activate(generation)

    async def drop(self) -> None:
        wait("drop")
        await self.inner.drop()


def wait(step: str) -> None:
    print(step, flush=True)
    sys.stdin.readline()


@asynccontextmanager
async def at(place: str) -> AsyncIterator[Generations]:
    """A folder, or the address of a server."""
    if place.startswith("http"):
        async with open_generations(ServerOptions(place)) as server:
            yield server
    else:
        async with EdgeFolder.locked(Path(place), patience=GONE) as folder:
            yield folder


async def main(source: str, target: str) -> None:
    async with at(source) as old, old.active(SIZE) as store, at(target) as new:
        await move(store, Slow(new), tell=lambda done, total: wait("records" if done == total else "pieces"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
