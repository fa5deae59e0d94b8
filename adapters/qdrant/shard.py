"""One shard of Qdrant Edge: what can be asked of it, in calls that return when they are done.

Filtered searches are always exact: walking its graph under a filter loses results without a word.
"""

from __future__ import annotations

import ctypes
import shutil
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import msgspec
import qdrant_edge as edge

from adapters.qdrant.store import ALLOWED, CHUNK, DENSE, KEYWORDS, SPARSE, Words

PAGE: Final = 500               # points of one step of a scroll
EXACT: Final = edge.SearchParams(exact=True)
WORDED: Final = {SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)}
THREADS: Final = 1              # that search; Edge itself takes eight, and those without work a tenth of the time

Scored: TypeAlias = list[tuple[str, float]]
"""Points that a search found, as it gave them: their ids and scores."""


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """A point on its way to or from a shard; ``dense`` is 32-bit floats in the machine's own order."""

    id: str
    payload: dict[str, Any]
    dense: bytes | None = None
    indices: list[int] | None = None
    values: list[float] | None = None


@dataclass(frozen=True, slots=True)
class Shard:
    """Whatever fails, fails with the library's own errors; a panic in Rust is not even an `Exception`."""

    _shard: edge.EdgeShard

    @classmethod
    def open(cls, folder: Path, size: int) -> Shard:
        """Loads the shard in this folder, or makes a new one. ``size``: numbers of a dense vector."""
        return cls(_loaded(folder, size))

    def close(self) -> None:
        """Everything is on disk after this."""
        self._shard.close()

    def upsert(self, points: Iterable[Stored]) -> None:
        """Adds points, or replaces those of the same id."""
        self._shard.update(edge.UpdateOperation.upsert_points([_edge_point(point) for point in points]))

    def search(
        self, dense: bytes, indices: Sequence[int], values: Sequence[float], allowed: Sequence[int], limit: int,
    ) -> tuple[Scored, Scored]:
        """The nearest to a vector, and those that hold the words; without words, only the nearest."""
        only = _allowed(allowed)
        searches = [(edge.Query.Nearest(array("f", dense).tolist(), using=DENSE), EXACT)]
        if indices:
            sparse = edge.SparseVector(list(indices), list(values))
            searches.append((edge.Query.Nearest(sparse, using=SPARSE), _lexical(only)))
        requests = [
            edge.QueryRequest(limit=limit, query=query, filter=only, params=params) for query, params in searches
        ]
        near, *worded = (_scored(points) for points in self._shard.query_batch(edge.QueryBatchRequest(requests)))
        return near, worded[0] if worded else []

    def rarity(self, words: Sequence[int], allowed: Sequence[int]) -> dict[int, float]:
        """A word's best score is its rarity times its weight in that very passage."""
        only = _allowed(allowed)
        requests = [
            edge.QueryRequest(
                limit=1, query=edge.Query.Nearest(edge.SparseVector([word], [1.0]), using=SPARSE), filter=only,
                params=_lexical(only), with_vector=[SPARSE],
            ) for word in words
        ]
        answers = self._shard.query_batch(edge.QueryBatchRequest(requests))
        return {word: _rarity(points[0], word) for word, points in zip(words, answers, strict=True) if points}

    def fetch(self, ids: Sequence[str], words: bool) -> list[Stored]:
        """Those that exist."""
        return [_stored(point) for point in self._shard.retrieve(list(ids), True, [SPARSE] if words else False)]

    def relabel(self, document: str, acl: int) -> None:
        """All passages of a document get this allow-list."""
        self._shard.update(edge.UpdateOperation.set_payload_by_filter(_pieces(document), {ALLOWED: acl}))

    def prune(self, document: str, keep: str) -> None:
        """Deletes a document's passages but those of one generation."""
        self._shard.update(edge.UpdateOperation.delete_points_by_filter(_pieces(document, keep)))

    def delete(self, ids: Sequence[str]) -> None:
        """Whether they exist or not."""
        self._shard.update(edge.UpdateOperation.delete_points(list(ids)))

    def scroll(
        self, kind: str, documents: Sequence[str] | None, vectors: bool, offset: str | None,
    ) -> tuple[list[Stored], str | None]:
        """The next points of a kind, and where those after them begin; None: there are none."""
        wanted: list[Any] = [_is("kind", kind)]
        if documents is not None:
            wanted.append(edge.FieldCondition(key="doc", match=edge.MatchAny(any=list(documents))))
        points, following = self._shard.scroll(edge.ScrollRequest(
            offset=offset, limit=PAGE, filter=edge.Filter(must=wanted), with_payload=True, with_vector=vectors,
        ))
        return [_stored(point) for point in points], None if following is None else str(following)

    def count(self, kind: str) -> int:
        """How many points of a kind there are."""
        return self._shard.count(edge.CountRequest(filter=edge.Filter(must=[_is("kind", kind)]), exact=True))

    def points(self) -> int:
        """How many there are of all kinds, about."""
        return self._shard.info().points_count

    def flush(self) -> None:
        """Writes everything to disk."""
        self._shard.flush()

    def tidy(self) -> None:
        """Merges what was written, gives back room, and writes everything to disk.

        Among 100,000 chunks this takes 7 s of processor time, half of it for the payload indexes, each of which reads
        every payload. Segments so small that each takes less than a second make a question twice as dear.
        """
        self._shard.optimize()
        self._shard.flush()
        with suppress(OSError, AttributeError):     # the GNU library alone; 340 MB of 540
            ctypes.CDLL(None).malloc_trim(0)


def _loaded(path: Path, size: int) -> edge.EdgeShard:
    """A new shard is built aside and renamed, so that one that is there is whole."""
    if path.exists():
        # what it does not say stays as it is, the size of the vectors, too
        return edge.EdgeShard.load(str(path), edge.EdgeConfig(sparse_vectors=WORDED, max_search_threads=THREADS))
    dense = edge.EdgeVectorParams(
        size=size, distance=edge.Distance.Cosine,
        memory=edge.Memory.Cold,        # else 32 MB are read in at the start, however small the index
    )
    config = edge.EdgeConfig(
        vectors={DENSE: dense},
        sparse_vectors=WORDED, max_search_threads=THREADS,
        hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10_000),   # no graph: exact
    )
    aside = path.with_name(f"{path.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    shard = edge.EdgeShard.create(str(aside), config)
    for key in KEYWORDS:
        shard.update(edge.UpdateOperation.create_field_index(key, edge.PayloadSchemaType.Keyword))
    shard.update(edge.UpdateOperation.create_field_index(ALLOWED, edge.PayloadSchemaType.Integer))
    shard.flush()
    shard.close()
    aside.rename(path)
    return edge.EdgeShard.load(str(path))


def _edge_point(point: Stored) -> edge.Point:
    vectors: dict[str, Any] = {}
    if point.dense is not None:
        vectors[DENSE] = array("f", point.dense).tolist()
    if point.indices is not None and point.values is not None:
        vectors[SPARSE] = edge.SparseVector(point.indices, point.values)
    return edge.Point(point.id, vectors, point.payload)


def _stored(point: edge.Record) -> Stored:
    vectors = point.vector if isinstance(point.vector, dict) else {}
    dense, words = vectors.get(DENSE), vectors.get(SPARSE)
    return Stored(
        str(point.id), point.payload or {},
        array("f", cast("list[float]", dense)).tobytes() if isinstance(dense, list) else None,
        *((list(words.indices), list(words.values)) if isinstance(words, edge.SparseVector) else ()),
    )


def _scored(points: Iterable[edge.ScoredPoint]) -> Scored:
    # each id is a UUID, which msgspec writes as text in no time
    return [(cast("str", point.id), point.score) for point in points]


def _rarity(point: edge.ScoredPoint, word: int) -> float:
    vectors = point.vector if isinstance(point.vector, dict) else {}
    words = cast("edge.SparseVector", vectors[SPARSE])
    return Words(words.indices, words.values).rarity(word, point.score)


def _lexical(only: edge.Filter) -> edge.SearchParams:
    """Word statistics are those of the allowed passages alone."""
    return edge.SearchParams(exact=True, idf=edge.IdfParams(corpus=only))


def _allowed(lists: Sequence[int]) -> edge.Filter:
    return edge.Filter(must=[edge.FieldCondition(key=ALLOWED, match=edge.MatchAny(any=list(lists)))])


def _pieces(document: str, keep: str = "") -> edge.Filter:
    return edge.Filter(
        must=[_is("doc", document), _is("kind", CHUNK)], must_not=[_is("generation", keep)] if keep else None,
    )


def _is(key: str, value: str) -> edge.FieldCondition:
    return edge.FieldCondition(key=key, match=edge.MatchValue(value))
