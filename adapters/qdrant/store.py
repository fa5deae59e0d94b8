"""The storage port: what an index asks of an engine. Two answer it: Edge in this process, and a Qdrant server.

An engine keeps points and searches them; what a page is, who may read it and in which order things are written is
decided above it, once, in `adapters.qdrant.index`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from engine.errors import RetrieverUnavailable

CHUNK: Final = "chunk"
RECORD: Final = "record"
LIST: Final = "list"
MANIFEST: Final = "manifest"
DENSE: Final = "dense"
SPARSE: Final = "bm25"
KEYWORDS: Final = ("kind", "doc", "source", "channel")
"""Payload fields that are indexed, each as a keyword."""
ALLOWED: Final = "acl"
"""The field that every search is filtered by; an integer, since a search holds it against thousands of points."""
CANDIDATES: Final = 100         # of each of the two searches


@dataclass(frozen=True, slots=True)
class Words:
    """A sparse vector: BM25 weights of a text, or the words of a question."""

    indices: Sequence[int]
    values: Sequence[float]

    def rarity(self, word: int, score: float) -> float:
        """What the word's weight here was multiplied with, if this ``score`` is for that word alone."""
        return score / self.values[self.indices.index(word)]


@dataclass(frozen=True, slots=True)
class Point:
    """One thing in the store. Without vectors no search finds it. ``id`` is a UUID."""

    id: str
    payload: dict[str, Any]
    dense: Sequence[float] | None = None
    words: Words | None = None

    def rarity(self, word: int, score: float) -> float:
        """As `Words.rarity`. Raises `RetrieverUnavailable` for a point that was read without its words."""
        if self.words is None:
            raise RetrieverUnavailable("the index answered without its words")
        return self.words.rarity(word, score)


class Hit(msgspec.Struct, frozen=True, gc=False):
    """One passage that a search found: enough to rank it, all of it read off the point's id.

    Reading a point's payload costs more than finding it, and all but a few of what is found are not shown. A struct,
    since it is made two hundred times a question, in a third of the time.
    """

    id: str                     # of the passage, also where one of its parts was found
    document: str               # the id of its page's record
    hash: str                   # the same for the same text
    score: float                # cosine, or BM25


@dataclass(frozen=True, slots=True)
class Candidates:
    """Both searches of one question, each best first; equal scores in the order of their ids."""

    near: tuple[Hit, ...] = ()
    worded: tuple[Hit, ...] = ()


class PassageStore(Protocol):
    """One generation of an index. Everything raises `RetrieverUnavailable` when the engine fails or is closed.

    What was written is found by the next call. ``allowed`` are ids of allow-lists (`points.list_id`): the filter is
    part of every search, before anything is cut off at ``limit``, and word statistics are those of the allowed
    passages alone, so that what may not be read changes neither order nor scores. No list allowed: nothing found.
    """

    @property
    def shared(self) -> bool:
        """Other processes may write to it, so what was read a moment ago may be out of date."""
        ...

    async def upsert(self, points: Sequence[Point]) -> None: ...

    async def search(
        self, dense: Sequence[float], words: Words, allowed: Collection[int], *, limit: int = CANDIDATES,
    ) -> Candidates: ...

    async def rarity(self, words: Collection[int], allowed: Collection[int]) -> Mapping[int, float]:
        """The inverse document frequency, among allowed passages, of those of these words that one of them holds."""
        ...

    async def fetch(self, ids: Sequence[str], *, words: bool = False) -> dict[str, Point]:
        """Those of these points that exist, with their payload; with their sparse vectors if ``words``."""
        ...

    async def relabel(self, document: str, acl: int) -> None:
        """Moves all passages of a document to another allow-list."""
        ...

    async def prune(self, document: str, keep: str) -> None:
        """Deletes a document's passages, except those whose ``generation`` is ``keep``; "" keeps none."""
        ...

    async def delete(self, ids: Sequence[str]) -> None: ...

    def scroll(
        self, kind: str, *, documents: Sequence[str] | None = None, vectors: bool = False,
    ) -> AsyncGenerator[list[Point], None]:
        """Every point of one kind, or those of these documents, in batches."""
        ...

    async def count(self, kind: str) -> int: ...

    async def tidy(self) -> None:
        """Makes everything durable, and gives back room once there is enough of it."""
        ...


class Generations(Protocol):
    """Where the generations of one index live. One of them is active; another may be built beside it."""

    def active(self, size: int) -> AbstractAsyncContextManager[PassageStore]:
        """Opens the one that answers, or makes the first. ``size``: numbers of a dense vector."""
        ...

    def begin(self, generation: str, size: int) -> AbstractAsyncContextManager[PassageStore]:
        """Opens a new, empty one; a leftover of that name is cleared away."""
        ...

    async def answering(self) -> str:
        """The name of the active one; "" when there is none yet."""
        ...

    async def activate(self, generation: str) -> None:
        """From now on, and in one step, this is the one that `active` opens."""
        ...

    async def drop(self) -> None:
        """Removes every generation that is not active."""
        ...
