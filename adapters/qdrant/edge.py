"""Qdrant Edge as a `PassageStore`: the engine itself, in this process, on a folder that one process at a time may have.

Edge is a library without threads of its own to wait in, so its calls run in three of ours: two read, one writes, in
order. Each call keeps the interpreter's lock until it returns (qdrant-edge-py 0.9.0), so searches run neither beside
one another nor beside the event loop: some 5 ms each over 100,000 chunks. Filtered searches are always exact: walking
its graph under a filter loses results without a word.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from array import array
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Self, TypeVar, cast

import qdrant_edge as edge

from adapters.qdrant.points import hit_of
from adapters.qdrant.store import ALLOWED, CANDIDATES, CHUNK, DENSE, KEYWORDS, SPARSE, Candidates, Hit, Point, Words
from engine.errors import RetrieverUnavailable

T = TypeVar("T")
BATCH: Final = 500              # points of one update
PAGE: Final = 1_000             # points of one step of a scroll
EXACT: Final = edge.SearchParams(exact=True)
FIRST: Final = "shard"          # the folder of an index's first generation
POINTER: Final = "active"       # the file that names the folder of the active one


class IndexBusy(RetrieverUnavailable):
    """Another process has this index open; ask it through its socket."""


@dataclass(slots=True)
class EdgeStore:
    """One shard."""

    _shard: edge.EdgeShard
    _readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "search"))
    _writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "index"))     # keeps the order

    shared = False

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, size: int) -> AsyncGenerator[Self]:
        """Loads the shard in this folder, or makes a new one. Raises `RetrieverUnavailable`."""
        store = cls(await asyncio.to_thread(lambda: _guarded(lambda: _shard(folder, size))))
        try:
            yield store
        finally:
            for pool in (store._readers, store._writer):
                await asyncio.to_thread(pool.shutdown)
            await asyncio.to_thread(_guarded, store._shard.close)

    async def upsert(self, points: Sequence[Point]) -> None:
        for at in range(0, len(points), BATCH):
            await self._update(partial(_upserted, points[at : at + BATCH]))

    async def search(
        self, dense: Sequence[float], words: Words, allowed: Collection[int], *, limit: int = CANDIDATES,
    ) -> Candidates:
        if not allowed:
            return Candidates()
        return await self._call(self._readers, partial(self._searched, list(dense), words, list(allowed), limit))

    async def rarity(self, words: Collection[int], allowed: Collection[int]) -> Mapping[int, float]:
        if not words or not allowed:
            return {}
        return await self._call(self._readers, partial(self._rarity, list(words), list(allowed)))

    async def fetch(self, ids: Sequence[str], *, words: bool = False) -> dict[str, Point]:
        vectors = [SPARSE] if words else False
        points = await self._call(self._readers, lambda: self._shard.retrieve(list(ids), True, vectors))
        return {str(point.id): _point(point) for point in points}

    async def relabel(self, document: str, acl: int) -> None:
        await self._update(lambda: edge.UpdateOperation.set_payload_by_filter(_pieces(document), {ALLOWED: acl}))

    async def prune(self, document: str, keep: str) -> None:
        await self._update(lambda: edge.UpdateOperation.delete_points_by_filter(_pieces(document, keep)))

    async def delete(self, ids: Sequence[str]) -> None:
        await self._update(lambda: edge.UpdateOperation.delete_points(list(ids)))

    async def scroll(
        self, kind: str, *, documents: Sequence[str] | None = None, vectors: bool = False,
    ) -> AsyncGenerator[list[Point], None]:
        offset: Any = None
        wanted: list[Any] = [_is("kind", kind)]
        if documents is not None:
            wanted.append(edge.FieldCondition(key="doc", match=edge.MatchAny(any=list(documents))))
        while True:
            request = edge.ScrollRequest(
                offset=offset, limit=PAGE, filter=edge.Filter(must=wanted), with_payload=True, with_vector=vectors,
            )
            points, offset = await self._call(self._readers, partial(self._shard.scroll, request))
            yield [_point(point) for point in points]
            if offset is None:
                return

    async def count(self, kind: str) -> int:
        request = edge.CountRequest(filter=edge.Filter(must=[_is("kind", kind)]), exact=True)
        return await self._call(self._readers, lambda: self._shard.count(request))

    async def tidy(self) -> None:
        await self._call(self._writer, self._tidied)

    async def _update(self, make: Callable[[], edge.UpdateOperation]) -> None:
        await self._call(self._writer, lambda: self._shard.update(make()))

    async def _call(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _guarded, work)
        except RuntimeError as error:   # the pool refuses work after its shutdown
            raise RetrieverUnavailable("the index is closed") from error

    def _searched(self, dense: list[float], words: Words, allowed: list[int], limit: int) -> Candidates:
        only = _allowed(allowed)
        searches = [(edge.Query.Nearest(dense, using=DENSE), EXACT)]
        if words.indices:
            lexical = edge.SearchParams(exact=True, idf=edge.IdfParams(corpus=only))
            sparse = edge.SparseVector(list(words.indices), list(words.values))
            searches.append((edge.Query.Nearest(sparse, using=SPARSE), lexical))
        requests = [
            edge.QueryRequest(limit=limit, query=query, filter=only, params=params) for query, params in searches
        ]
        near, *worded = (_hits(points) for points in self._shard.query_batch(edge.QueryBatchRequest(requests)))
        return Candidates(near, worded[0] if worded else ())

    def _rarity(self, words: list[int], allowed: list[int]) -> dict[int, float]:
        """A word's best score is its rarity times its weight in that very passage."""
        only = _allowed(allowed)
        lexical = edge.SearchParams(exact=True, idf=edge.IdfParams(corpus=only))
        requests = [
            edge.QueryRequest(
                limit=1, query=edge.Query.Nearest(edge.SparseVector([word], [1.0]), using=SPARSE), filter=only,
                params=lexical, with_vector=[SPARSE],
            ) for word in words
        ]
        answers = self._shard.query_batch(edge.QueryBatchRequest(requests))
        return {
            word: _point(points[0]).rarity(word, points[0].score)
            for word, points in zip(words, answers, strict=True) if points
        }

    def _tidied(self) -> None:
        self._shard.optimize()
        self._shard.flush()


@dataclass(frozen=True, slots=True)
class EdgeFolder:
    """The generations of an index, each a folder, and a file that names the active one."""

    path: Path

    @classmethod
    @contextmanager
    def locked(cls, path: Path) -> Generator[Self]:
        """Holds the folder for this process; the system lets go of it however the process ends.

        Raises `IndexBusy` and `RetrieverUnavailable`.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise RetrieverUnavailable(f"the folder of the index cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield cls(path)
        except BlockingIOError as error:
            raise IndexBusy("another process has the index open") from error
        finally:
            os.close(lock)

    @asynccontextmanager
    async def active(self, size: int) -> AsyncGenerator[EdgeStore]:
        async with EdgeStore.open(self.path / self._named(), size) as store:
            yield store

    @asynccontextmanager
    async def begin(self, generation: str, size: int) -> AsyncGenerator[EdgeStore]:
        folder = self._folder(generation)
        if folder.name == self._named():
            raise RetrieverUnavailable(f"generation {generation} is already active")
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        async with EdgeStore.open(folder, size) as store:
            yield store

    async def answering(self) -> str:
        folder = self.path / self._named()
        return folder.name.removeprefix(FIRST).removeprefix("-") or FIRST if folder.exists() else ""

    async def activate(self, generation: str) -> None:
        await asyncio.to_thread(self._point_at, self._folder(generation).name)

    async def drop(self) -> None:
        kept = self._named()
        for folder in self.path.glob(f"{FIRST}*"):
            if folder.name != kept:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _folder(self, generation: str) -> Path:
        return self.path / f"{FIRST}-{generation}"

    def _named(self) -> str:
        try:
            return (self.path / POINTER).read_text().strip() or FIRST
        except FileNotFoundError:
            return FIRST
        except OSError as error:
            raise RetrieverUnavailable(f"the folder of the index cannot be read: {error.strerror}") from error

    def _point_at(self, name: str) -> None:
        """A rename within a folder is one step; the name is on disk before it counts."""
        aside = self.path / f"{POINTER}.new"
        try:
            with aside.open("w") as file:
                file.write(name)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self.path / POINTER)
        except OSError as error:
            raise RetrieverUnavailable(f"the folder of the index cannot be written: {error.strerror}") from error


def _shard(path: Path, size: int) -> edge.EdgeShard:
    """A new shard is built aside and renamed, so that one that is there is whole."""
    if path.exists():
        return edge.EdgeShard.load(str(path))
    dense = edge.EdgeVectorParams(
        size=size, distance=edge.Distance.Cosine,
        memory=edge.Memory.Cold,        # else 32 MB are read in at the start, however small the index
    )
    config = edge.EdgeConfig(
        vectors={DENSE: dense},
        sparse_vectors={SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
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


def _upserted(points: Iterable[Point]) -> edge.UpdateOperation:
    return edge.UpdateOperation.upsert_points([_edge_point(point) for point in points])


def _edge_point(point: Point) -> edge.Point:
    vectors: dict[str, Any] = {}
    if point.dense is not None:
        vectors[DENSE] = point.dense.tolist() if isinstance(point.dense, array) else list(point.dense)
    if point.words is not None:
        vectors[SPARSE] = edge.SparseVector(list(point.words.indices), list(point.words.values))
    return edge.Point(point.id, vectors, point.payload)


def _point(point: edge.Record | edge.ScoredPoint) -> Point:
    vectors = point.vector if isinstance(point.vector, dict) else {}
    dense, words = vectors.get(DENSE), vectors.get(SPARSE)
    return Point(
        str(point.id), point.payload or {}, cast("list[float]", dense) if isinstance(dense, list) else None,
        Words(words.indices, words.values) if isinstance(words, edge.SparseVector) else None,
    )


def _hits(points: Iterable[edge.ScoredPoint]) -> tuple[Hit, ...]:
    hits = (hit_of(str(point.id), point.score) for point in points)
    return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.id)))    # equals come in the order of their arrival


def _allowed(lists: list[int]) -> edge.Filter:
    return edge.Filter(must=[edge.FieldCondition(key=ALLOWED, match=edge.MatchAny(any=lists))])


def _pieces(document: str, keep: str = "") -> edge.Filter:
    return edge.Filter(
        must=[_is("doc", document), _is("kind", CHUNK)], must_not=[_is("generation", keep)] if keep else None,
    )


def _is(key: str, value: str) -> edge.FieldCondition:
    return edge.FieldCondition(key=key, match=edge.MatchValue(value))


def _guarded(work: Callable[[], T]) -> T:
    """A panic in Rust is no `Exception`, and must not end the program."""
    try:
        return work()
    except RetrieverUnavailable:
        raise
    except BaseException as error:
        raise RetrieverUnavailable(f"the index failed: {type(error).__name__}") from error
