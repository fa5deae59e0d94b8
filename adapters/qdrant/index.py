"""The index: Qdrant Edge in this process, behind `engine.ports.Retriever`.

Rights come first. Every page has an allow-list; the distinct lists are held against the audience, member by member,
and only pages of the lists that pass are searched, word statistics included: a page that may not be read changes
neither the order nor the scores of what is found. Each passage is judged once more by its page's record, so that
what was deleted or revoked is gone with the next question.

Edge is a library without threads of its own to wait in, so its calls run in two of ours. Filtered searches are
always exact: walking its graph under a filter loses results without a word.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar

import qdrant_edge as edge

from adapters.qdrant.embed import sendable
from adapters.qdrant.points import (
    CHUNK,
    DENSE,
    RECORD,
    SPARSE,
    Piece,
    Record,
    generation,
    list_id,
    passage_of,
    piece_points,
    record_id,
    record_of,
    record_point,
)
from engine.errors import RetrieverUnavailable
from engine.messages import Audience, Conversation, Found, Labels
from engine.rag.followup import standalone
from engine.rag.rank import fuse, spread

T = TypeVar("T")
CANDIDATES: Final = 50          # of each of the two searches
BATCH: Final = 500              # points of one update
EXACT: Final = edge.SearchParams(exact=True)
SURE: Final = 0.40              # cosine from which the nearest passage counts as an answer
NEAR: Final = 0.25              # cosine from which it does if it shares the question's words
SHARED: Final = 0.5             # ... at least this part of them


class IndexBusy(RetrieverUnavailable):
    """Another process has this index open; ask it through its socket."""


class QueryEmbedder(Protocol):
    """Turns a question into a vector of ``size`` numbers."""

    @property
    def size(self) -> int: ...
    async def ready(self) -> None: ...
    async def query(self, text: str) -> Sequence[float]: ...


def bm25() -> edge.Bm25:
    """Words to sparse vectors; the same for pages and questions. Splits Chinese and Japanese, stems English."""
    return edge.Bm25(edge.Bm25Config(language="english", tokenizer=edge.TokenizerType.Multilingual, avg_len=120))


@dataclass(frozen=True, slots=True)
class _Hit:
    id: str
    document: str
    hash: str
    score: float


@dataclass(slots=True)
class EdgeIndex:
    """One index on disk, opened by one process at a time."""

    embedder: QueryEmbedder
    _shard: edge.EdgeShard
    _records: dict[str, Record] = field(default_factory=dict)
    _lists: dict[str, Labels] = field(default_factory=dict)
    _words: edge.Bm25 = field(default_factory=bm25)
    _readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "search"))
    _writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "index"))     # keeps the order

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, embedder: QueryEmbedder) -> AsyncGenerator[Self]:
        """Loads the index in this folder, or makes a new one. Raises `IndexBusy` and `RetrieverUnavailable`."""
        with _locked(path):
            shard = await asyncio.to_thread(lambda: _guarded(lambda: _shard(path / "shard", embedder.size)))
            index = cls(embedder, shard)
            try:
                for record in await index._call(index._readers, index._stored):
                    index._remember(record)
                yield index
            finally:
                for pool in (index._readers, index._writer):
                    await asyncio.to_thread(pool.shutdown)
                await asyncio.to_thread(_guarded, index._shard.close)

    @property
    def records(self) -> Mapping[str, Record]:
        """Every page that the index holds, by document."""
        return dict(self._records)

    async def ready(self) -> None:
        """Returns once questions can be answered without waiting for the model."""
        await self.embedder.ready()

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """The best passages that every member of the audience may read, at most two of one page.

        ``answers`` is true if the nearest passage has a cosine of at least `SURE`, or one of at least `NEAR` while
        some passage holds at least the part `SHARED` of the question's words (stop words aside).
        """
        asked = sendable(standalone(question, past))
        readable = {acl: key for key, acl in self._lists.items() if audience.may_read(acl)}
        if not readable or not asked.strip() or limit < 1:
            return Found()
        vector = list(await self.embedder.query(asked))
        return await self._call(self._readers, partial(self._search, asked, vector, readable, audience, limit))

    async def put(self, pages: Iterable[tuple[Record, Sequence[Piece]]]) -> None:
        """Adds pages, or replaces what was there of them. A crash leaves each as it was, or marked as unfinished."""
        for record, pieces in pages:
            known = record.document in self._records
            await self._rewrite(record, partial(self._write, record, pieces, known=known))

    async def relabel(self, records: Iterable[Record]) -> None:
        """New rights, address or date for pages whose text is the same."""
        for record in records:
            await self._rewrite(record, partial(self._relabelled, record))

    async def remove(self, documents: Iterable[str]) -> None:
        """The next question does not find them any more."""
        for document in documents:
            self._records.pop(document, None)
            await self._call(self._writer, partial(self._removed, document))
        self._lists = {list_id(record.acl): record.acl for record in self._records.values()}

    async def tidy(self) -> None:
        """Gives back the room of what was removed, and writes everything to disk."""
        await self._call(self._writer, self._tidied)

    async def _rewrite(self, record: Record, work: Callable[[], None]) -> None:
        """New rights hold from now on; the rest of the record only once everything is written."""
        self._remember(replace(record, hash=""))
        await self._call(self._writer, work)
        self._remember(record)

    def _remember(self, record: Record) -> None:
        self._records[record.document] = record
        self._lists[list_id(record.acl)] = record.acl

    async def _call(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _guarded, work)
        except RuntimeError as error:   # the pool refuses work after its shutdown
            raise RetrieverUnavailable("the index is closed") from error

    def _search(
        self, asked: str, vector: list[float], readable: Mapping[Labels, str], audience: Audience, limit: int
    ) -> Found:
        words = self._words.embed_query(asked)
        near, worded = self._candidates(vector, words, readable)
        hits = {hit.id: hit for hit in (*near, *worded)}
        scores = dict(fuse([hit.id for hit in near], [hit.id for hit in worded]))
        best = spread(
            (hits[key] for key in scores), limit=limit,
            document=lambda hit: hit.document, content=lambda hit: hit.hash,
        )
        points = {str(point.id): point for point in self._shard.retrieve([hit.id for hit in best], True, [SPARSE])}
        passages, shared = [], 0.0
        for hit in best:
            point, record = points.get(hit.id), self._records.get(hit.document)
            if point and point.payload and record and audience.may_read(record.acl):
                passages.append(passage_of(hit.id, point.payload, record, scores[hit.id]))
                shared = max(shared, _shared(words, point))
        nearest = max((hit.score for hit in near), default=0.0)
        answers = nearest >= SURE or (nearest >= NEAR and shared >= SHARED)
        return Found(tuple(passages), answers and bool(passages))

    def _candidates(
        self, vector: list[float], words: edge.SparseVector, readable: Mapping[Labels, str]
    ) -> tuple[list[_Hit], list[_Hit]]:
        """The nearest by meaning, and by words; of pages that are readable, and still there."""
        allowed = edge.Filter(must=[edge.FieldCondition(key="acl", match=edge.MatchAny(any=list(readable.values())))])
        lexical = edge.SearchParams(exact=True, idf=edge.IdfParams(corpus=allowed))
        searches = [(edge.Query.Nearest(vector, using=DENSE), EXACT)]
        if words.indices:
            searches.append((edge.Query.Nearest(words, using=SPARSE), lexical))
        requests = [
            edge.QueryRequest(
                limit=CANDIDATES, query=query, filter=allowed, params=params, with_payload=["doc", "hash"]
            )
            for query, params in searches
        ]
        near, *worded = (
            self._hits(points, readable) for points in self._shard.query_batch(edge.QueryBatchRequest(requests))
        )
        return near, worded[0] if worded else []

    def _hits(self, points: Iterable[edge.ScoredPoint], readable: Mapping[Labels, str]) -> list[_Hit]:
        hits = [
            _Hit(str(point.id), point.payload["doc"], point.payload["hash"], point.score)
            for point in points
            if point.payload and self._held(point.payload["doc"], readable)
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))      # equals come in the order of their arrival

    def _held(self, document: str, readable: Mapping[Labels, str]) -> bool:
        record = self._records.get(document)
        return record is not None and record.acl in readable

    def _write(self, record: Record, pieces: Sequence[Piece], *, known: bool) -> None:
        """First the mark of the unfinished, then rights, new pieces, the end of the old ones, and the record."""
        self._shard.update(edge.UpdateOperation.upsert_points([record_point(replace(record, hash=""))]))
        if known:
            self._set_acl(record)
        for batch in _batches(piece_points(record, pieces)):
            self._shard.update(edge.UpdateOperation.upsert_points(batch))
        if known:
            old = edge.Filter(
                must=[_is("doc", record.document), _is("kind", CHUNK)],
                must_not=[_is("generation", generation(record))],
            )
            self._shard.update(edge.UpdateOperation.delete_points_by_filter(old))
        self._shard.update(edge.UpdateOperation.upsert_points([record_point(record)]))

    def _relabelled(self, record: Record) -> None:
        self._shard.update(edge.UpdateOperation.upsert_points([record_point(replace(record, hash=""))]))
        self._set_acl(record)
        self._shard.update(edge.UpdateOperation.upsert_points([record_point(record)]))

    def _set_acl(self, record: Record) -> None:
        pieces = edge.Filter(must=[_is("doc", record.document), _is("kind", CHUNK)])
        self._shard.update(edge.UpdateOperation.set_payload_by_filter(pieces, {"acl": list_id(record.acl)}))

    def _removed(self, document: str) -> None:
        pieces = edge.Filter(must=[_is("doc", document), _is("kind", CHUNK)])
        self._shard.update(edge.UpdateOperation.delete_points_by_filter(pieces))
        self._shard.update(edge.UpdateOperation.delete_points([record_id(document)]))

    def _tidied(self) -> None:
        self._shard.optimize()
        self._shard.flush()

    def _stored(self) -> list[Record]:
        only = edge.Filter(must=[_is("kind", RECORD)])
        records: list[Record] = []
        offset: Any = None
        while True:
            points, offset = self._shard.scroll(
                edge.ScrollRequest(offset=offset, limit=1000, filter=only, with_payload=True)
            )
            records += [record_of(point.payload) for point in points if point.payload]
            if offset is None:
                return records


@contextmanager
def _locked(path: Path) -> Generator[None]:
    """Holds the folder for this process; the system lets go of it however the process ends."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RetrieverUnavailable(f"the folder of the index cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise IndexBusy("another process has the index open") from error
    finally:
        os.close(lock)


def _shard(path: Path, size: int) -> edge.EdgeShard:
    """A new shard is built aside and renamed, so that one that is there is whole."""
    dense = edge.EdgeVectorParams(
        size=size, distance=edge.Distance.Cosine,
        memory=edge.Memory.Cold,        # else 32 MB are read in at the start, however small the index
    )
    config = edge.EdgeConfig(
        vectors={DENSE: dense},
        sparse_vectors={SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10_000),   # no graph: exact
    )
    if not path.exists():
        aside = path.with_suffix(".new")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        shard = edge.EdgeShard.create(str(aside), config)
        for key in ("acl", "doc", "kind"):
            shard.update(edge.UpdateOperation.create_field_index(key, edge.PayloadSchemaType.Keyword))
        shard.flush()
        shard.close()
        aside.rename(path)
    return edge.EdgeShard.load(str(path), config)


def _shared(words: edge.SparseVector, point: edge.Record) -> float:
    """The part of the question's words, stop words aside, that a passage holds."""
    held = point.vector.get(SPARSE) if isinstance(point.vector, dict) else None
    if not words.indices or not isinstance(held, edge.SparseVector):
        return 0.0
    return len(set(words.indices) & set(held.indices)) / len(words.indices)


def _guarded(work: Callable[[], T]) -> T:
    """A panic in Rust is no `Exception`, and must not end the program."""
    try:
        return work()
    except RetrieverUnavailable:
        raise
    except BaseException as error:
        raise RetrieverUnavailable(f"the index failed: {type(error).__name__}") from error


def _is(key: str, value: str) -> edge.FieldCondition:
    return edge.FieldCondition(key=key, match=edge.MatchValue(value))


def _batches(points: list[edge.Point]) -> Iterator[list[edge.Point]]:
    for at in range(0, len(points), BATCH):
        yield points[at : at + BATCH]
