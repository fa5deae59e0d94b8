"""Small indexes with a model that knows words and nothing else."""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.qdrant.index import EdgeIndex, bm25
from adapters.qdrant.points import Piece, Record
from engine.messages import Audience, Conversation, ConversationId, Found, Labels
from engine.ports import Retriever
from engine.rag.chunk import chunk
from tests.builders import NOON, ORG, an_audience

SIZE = 64
NO_PAST = Conversation(ConversationId("test:general"))
ANN = an_audience(ann="org")


@dataclass(frozen=True)
class Bags:
    """An embedder: words in common make texts near."""

    size: int = SIZE

    async def ready(self) -> None: ...

    async def query(self, text: str) -> Sequence[float]:
        return vector(text)


@dataclass(frozen=True)
class Words:
    def count(self, text: str) -> int:
        return len(text.split())


def vector(text: str) -> array[float]:
    numbers = array("f", [0.001] * SIZE)
    for word in re.findall(r"\w+", text.lower()):
        numbers[zlib.crc32(word.encode()) % SIZE] += 1
    return numbers


def pieces(text: str, name: str) -> list[Piece]:
    words = bm25()
    made = []
    for part in chunk(text, name=name, tokens=Words(), window=40):
        sparse = words.embed_document(part.indexed)
        made.append(Piece(part.text, part.start, part.end, part.heading, part.anchor, part.hash,
                          vector(part.indexed).tobytes(), sparse.indices, sparse.values))
    return made


def a_page(document: str, text: str, acl: Labels = ORG) -> tuple[Record, list[Piece]]:
    url = f"https://wiki.acme.example/{document}"
    return Record(document, "wiki", str(zlib.crc32(text.encode())), "1", acl, url, NOON), pieces(text, document)


@asynccontextmanager
async def an_index(path: Path) -> AsyncIterator[EdgeIndex]:
    async with EdgeIndex.open(path, Bags()) as index:
        yield index


async def ask(retriever: Retriever, question: str, audience: Audience = ANN, limit: int = 6) -> Found:
    return await retriever.find(question, past=NO_PAST, audience=audience, limit=limit)


def documents(found: Found) -> list[str]:
    """Which pages were found, best first."""
    urls = (passage.url.partition("#")[0] for passage in found.passages)
    return [url.removeprefix("https://wiki.acme.example/") for url in dict.fromkeys(urls)]
