"""The index that the settings name, and the knowledge over it: in this folder, or on a Qdrant server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from adapters.people.membership import People
from adapters.qdrant.edge import EdgeFolder, IndexBusy
from adapters.qdrant.embed import Embedder
from adapters.qdrant.index import PassageIndex, making
from adapters.qdrant.reader import Read, Reader
from adapters.qdrant.rerank import CrossEncoder, Reranked
from adapters.qdrant.socket import Opener, RemoteIndex, SharedIndex, in_folder, open_index, serve
from adapters.qdrant.sync import indexer
from bot import handbook
from bot.settings import KnowledgeSettings, Settings
from bot.sources import Knowledge, Store, Successor
from engine.errors import RetrieverUnavailable
from engine.ports import Retriever

HANDBOOK: Final = Path(handbook.__file__).parent


@asynccontextmanager
async def open_settled(settings: Settings, *, patient: bool = False) -> AsyncGenerator[SharedIndex]:
    """The index of the program. Raises `RetrieverUnavailable`, unless it is ``patient``: see `open_index`."""
    chosen, folder = settings.knowledge, settings.knowledge.embedding_model
    async with AsyncExitStack() as stack:
        embedder = await stack.enter_async_context(Embedder.of(folder)) if folder else None
        place = settings.data_dir / "index"
        opener: Opener = in_folder
        if chosen.qdrant_url is not None:
            place, opener = settings.data_dir, await _on_server(settings, stack)
            embedder = embedder or await stack.enter_async_context(Embedder().running())
        shared = await stack.enter_async_context(open_index(place, embedder, opener=opener, patient=patient))
        yield shared


async def _on_server(settings: Settings, stack: AsyncExitStack) -> Opener:
    """Everybody asks the server itself; of the processes of one folder, one at a time writes."""
    from adapters.qdrant.server import ServerOptions, open_generations  # noqa: PLC0415 - its library is heavy

    chosen = settings.knowledge
    options = ServerOptions(chosen.qdrant_url or "", api_key(chosen), chosen.qdrant_index, chosen.qdrant_tenant)
    generations = await stack.enter_async_context(open_generations(options))

    folder = settings.data_dir / "server"

    async def opener(shared: SharedIndex, opened: AsyncExitStack) -> PassageIndex:
        try:
            await opened.enter_async_context(EdgeFolder.locked(folder))
        except IndexBusy:
            index = await shared.over(generations, opened)
            shared.writes, shared.writer = False, RemoteIndex(folder / "socket")
        else:       # opened only now: what others wrote before is known
            index = await shared.over(generations, opened)
            await opened.enter_async_context(serve(index, folder / "socket", shared))
            shared.writes, shared.writer = True, None
        shared.vacant = partial(_vacant, folder)
        return index

    return opener


async def _vacant(folder: Path) -> bool:
    """Whether nobody holds it."""
    try:
        async with EdgeFolder.locked(folder):
            return True
    except IndexBusy:
        return False


def api_key(chosen: KnowledgeSettings) -> str:
    """The Qdrant server's; "": none."""
    return chosen.qdrant_api_key.get_secret_value() if chosen.qdrant_api_key else ""


@asynccontextmanager
async def open_knowledge(
    shared: SharedIndex, settings: Settings, store: Store | None = None,
) -> AsyncGenerator[Knowledge]:
    """What our index is made from, with the indexer of the model that it was made with.

    Raises `RetrieverUnavailable`, also when another process owns the index.
    """
    if (index := shared.own) is None:
        raise RetrieverUnavailable("another process owns the index")
    command, version = indexer(index.manifest)
    successor = None
    if (embedder := shared.successor) is not None:
        successor = Successor(embedder, *indexer(making(embedder)))
    async with Knowledge.open(
        index, settings, HANDBOOK, store, command=command, version=version, successor=successor,
    ) as knowledge:
        yield knowledge


@asynccontextmanager
async def open_retriever(inner: Retriever, settings: Settings) -> AsyncGenerator[Retriever]:
    """The same with what is read of its findings: whether they answer, and a second look where a model is named."""
    async with AsyncExitStack() as stack:
        retriever: Retriever = Read(inner, await stack.enter_async_context(Reader.running()))
        if (folder := settings.knowledge.reranking_model) is not None:
            retriever = Reranked(retriever, await stack.enter_async_context(CrossEncoder.of(folder)))
        yield retriever


def people(settings: Settings) -> People | None:
    """The company's own groups, where the settings name files with them."""
    return People(settings.knowledge.people) if settings.knowledge.people else None
