"""The index that the settings name, and the knowledge over it: in this folder, or on a Qdrant server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from adapters.people.membership import People
from adapters.qdrant.edge import EdgeFolder, IndexBusy
from adapters.qdrant.embed import Embedder, in_folder
from adapters.qdrant.index import PassageIndex
from adapters.qdrant.indexer import VERSION, version
from adapters.qdrant.socket import SharedIndex, open_index
from adapters.qdrant.sync import command_for
from bot import handbook
from bot.settings import KnowledgeSettings, Settings
from bot.sources import Knowledge, Store

HANDBOOK: Final = Path(handbook.__file__).parent


@asynccontextmanager
async def open_settled(settings: Settings) -> AsyncGenerator[SharedIndex]:
    """The index of the program. Raises `RetrieverUnavailable`; `OtherModel` when it was made with another one."""
    chosen, folder = settings.knowledge, settings.knowledge.embedding_model
    async with AsyncExitStack() as stack:
        embedder = await stack.enter_async_context(Embedder.of(folder)) if folder else None
        if chosen.qdrant_url is None:
            yield await stack.enter_async_context(open_index(settings.data_dir / "index", embedder))
            return
        if embedder is None:
            embedder = await stack.enter_async_context(Embedder().running())
        yield await _on_server(settings, embedder, stack)


async def _on_server(settings: Settings, embedder: Embedder, stack: AsyncExitStack) -> SharedIndex:
    """Everybody asks the server itself; of the processes of one folder, the first one syncs."""
    from adapters.qdrant.server import ServerOptions, open_generations  # noqa: PLC0415 - its library is heavy

    chosen = settings.knowledge
    options = ServerOptions(chosen.qdrant_url or "", api_key(chosen), chosen.qdrant_index, chosen.qdrant_tenant)
    generations = await stack.enter_async_context(open_generations(options))
    index = await stack.enter_async_context(PassageIndex.over(generations, embedder))
    shared = SharedIndex(settings.data_dir, embedder)
    shared.asked = index
    try:
        stack.enter_context(EdgeFolder.locked(settings.data_dir / "server"))
    except IndexBusy:
        shared.writes = False
    return shared


def api_key(chosen: KnowledgeSettings) -> str:
    """The Qdrant server's; "": none."""
    return chosen.qdrant_api_key.get_secret_value() if chosen.qdrant_api_key else ""


@asynccontextmanager
async def open_knowledge(
    index: PassageIndex, settings: Settings, store: Store | None = None,
) -> AsyncGenerator[Knowledge]:
    """What the index is made from, with the indexer of the embedding model that the settings name."""
    command, made_with = await indexer(settings)
    async with Knowledge.open(index, settings, HANDBOOK, store, command=command, version=made_with) as knowledge:
        yield knowledge


async def indexer(settings: Settings) -> tuple[Sequence[str], str]:
    """The indexer of the embedding model that the settings name, and what its chunks and vectors are made with."""
    folder = settings.knowledge.embedding_model
    chosen = await asyncio.to_thread(in_folder, folder) if folder else None
    return command_for(folder), version(chosen.model) if chosen else VERSION


def people(settings: Settings) -> People | None:
    """The company's own groups, where the settings name files with them."""
    return People(settings.knowledge.people) if settings.knowledge.people else None
