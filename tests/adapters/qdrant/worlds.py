"""Small indexes with a model that knows words and nothing else."""

from __future__ import annotations

import os
import uuid
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.qdrant.index import Bm25, PassageIndex
from adapters.qdrant.points import Piece, Record
from adapters.qdrant.server import MEMORY, ServerOptions, open_generations
from engine.messages import Audience, Conversation, ConversationId, Found, Labels
from engine.ports import Retriever
from engine.rag.chunk import chunk
from tests.adapters.qdrant.bags import SIZE, Words, vector
from tests.builders import NOON, ORG, an_audience

QUIET = pytest.mark.filterwarnings(     # what the imitation of a server cannot do and says so
    "ignore:Local mode performs exact:UserWarning", "ignore:Payload indexes have no effect:UserWarning",
)
REAL = pytest.param("server", marks=[
    pytest.mark.qdrant_server, pytest.mark.skipif("QDRANT_URL" not in os.environ, reason="QDRANT_URL is not set"),
])
ENGINES = ("edge", "memory", REAL)
NO_PAST = Conversation(ConversationId("test:general"))
ANN = an_audience(ann="org")


@dataclass(frozen=True)
class Bags:
    """An embedder: words in common make texts near."""

    size: int = SIZE
    model: str = "bags:1"

    async def ready(self) -> None: ...

    async def query(self, text: str) -> Sequence[float]:
        return vector(text)


def pieces(text: str, name: str, words_each: int = 40) -> list[Piece]:
    words = Bm25()
    made = []
    for part in chunk(text, name=name, tokens=Words(), window=words_each, size=words_each):
        sparse = words.embed_document(part.indexed)
        made.append(Piece(part.text, part.start, part.end, part.heading, part.anchor, part.hash,
                          vector(part.indexed).tobytes(), sparse.indices, sparse.values))
    return made


def a_page(document: str, text: str, acl: Labels = ORG, words_each: int = 40) -> tuple[Record, list[Piece]]:
    url = f"https://wiki.acme.example/{document}"
    record = Record(document, "wiki", str(zlib.crc32(text.encode())), "1", acl, url, NOON)
    return record, pieces(text, document, words_each)


@asynccontextmanager
async def an_index(path: Path) -> AsyncIterator[PassageIndex]:
    async with PassageIndex.open(path, Bags()) as index:
        yield index


@asynccontextmanager
async def a_server_index(url: str = MEMORY) -> AsyncIterator[PassageIndex]:
    """Over the client's imitation of a server, or an index of its own on a real one."""
    options = ServerOptions(url, index=f"test-{uuid.uuid4().hex}")
    async with open_generations(options) as generations:
        try:
            async with PassageIndex.over(generations, Bags()) as index:
                yield index
        finally:
            for collection in (await generations.client.get_collections()).collections:
                if collection.name.startswith(options.index):
                    await generations.client.delete_collection(collection.name)


def an_engine(name: str, path: Path) -> AbstractAsyncContextManager[PassageIndex]:
    """The same index, over one of the engines."""
    if name == "edge":
        return an_index(path)
    return a_server_index(MEMORY if name == "memory" else os.environ["QDRANT_URL"])


async def ask(retriever: Retriever, question: str, audience: Audience = ANN, limit: int = 6) -> Found:
    return await retriever.find(question, past=NO_PAST, audience=audience, limit=limit)


def documents(found: Found) -> list[str]:
    """Which pages were found, best first."""
    urls = (passage.url.partition("#")[0] for passage in found.passages)
    return [url.removeprefix("https://wiki.acme.example/") for url in dict.fromkeys(urls)]
