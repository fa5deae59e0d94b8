"""A Qdrant server or cluster as a `PassageStore`, through the library's asynchronous client.

Each generation is a collection; an alias names the one that answers, and moving the alias is one step for everybody.
The filter stands in each search, searches are exact, and rights are read from the server itself, since other
processes write to it. A tenant is a shard key: its points stand in shards of their own, and nobody else's are searched.
"""

from __future__ import annotations

import asyncio
import re
from array import array
from collections.abc import AsyncGenerator, Awaitable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar, cast

from qdrant_client import AsyncQdrantClient
from qdrant_client import models as m
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from adapters.qdrant.points import ranked
from adapters.qdrant.store import ALLOWED, CANDIDATES, CHUNK, DENSE, KEYWORDS, SPARSE, Candidates, Hit, Point, Words
from engine.errors import RetrieverUnavailable

T = TypeVar("T")
BATCH: Final = 100              # points of one update: some 500 kB of JSON
PAGE: Final = 500               # points of one step of a scroll
FIRST: Final = "first"          # the name of an index's first generation
OLDEST: Final = (1, 19)         # earlier servers ignore whose passages word statistics are to be made from
TOGETHER: Final = 50            # searches of one request; each repeats the filter
GENERATION: Final = re.compile(rf"{FIRST}|[0-9a-f]{{12}}(?:again)?")
MEMORY: Final = ":memory:"
INDEXED: Final = (*KEYWORDS, "generation")
"""Of every field that something is deleted by, too: a server in strict mode refuses to go through its points."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where the index stands. ``index`` is the alias that is searched; its collections begin with that name."""

    url: str                            # ":memory:" is the client's own imitation of a server, for tests
    api_key: str = ""
    index: str = "bartizan"
    tenant: str = ""                    # the shard key; "": the collections are this index's alone
    timeout: float = 10.0               # seconds of one request
    replicas: int = 1                   # of each shard; with more than one, most of them have to agree

    @property
    def alias(self) -> str:
        """Each tenant has its own, and so its own active generation."""
        return f"{self.index}@{self.tenant}" if self.tenant else self.index


@asynccontextmanager
async def open_generations(options: ServerOptions) -> AsyncGenerator[ServerGenerations]:
    """A connection to the server, which is not asked anything yet."""
    if options.url == MEMORY:
        client = AsyncQdrantClient(MEMORY)
    else:
        client = await asyncio.to_thread(partial(       # it reads the system's certificates
            AsyncQdrantClient, url=options.url, api_key=options.api_key or None, timeout=max(1, int(options.timeout)),
            check_compatibility=False,                  # that would block, and answer what nobody asked
        ))
    try:
        yield ServerGenerations(client, options)
    finally:
        with suppress(Exception):       # it is gone, or going; either way nothing is left to lose
            await client.close()


@dataclass(slots=True)
class ServerStore:
    """One collection, by its name or by its alias."""

    collection: str
    _client: AsyncQdrantClient
    _options: ServerOptions

    shared = True

    async def upsert(self, points: Sequence[Point]) -> None:
        for at in range(0, len(points), BATCH):
            batch = await asyncio.to_thread(_structs, points[at : at + BATCH])
            await self._asked(self._client.upsert(self.collection, batch, **self._written))

    async def search(
        self, dense: Sequence[float], words: Words, allowed: Collection[int], *, limit: int = CANDIDATES,
    ) -> Candidates:
        if not allowed:
            return Candidates()
        only = _allowed(allowed)
        asked = partial(m.QueryRequest, filter=only, limit=limit, shard_key=self._key)
        searches = [asked(query=list(dense), using=DENSE, params=m.SearchParams(exact=True))]
        if words.indices:
            lexical = m.SearchParams(exact=True, idf=m.IdfCorpusParams(corpus=only))
            sparse = m.SparseVector(indices=list(words.indices), values=list(words.values))
            searches.append(asked(query=sparse, using=SPARSE, params=lexical))
        answers = await self._asked(self._client.query_batch_points(self.collection, searches, **self._read))
        near, *worded = (_hits(answer.points) for answer in answers)
        return Candidates(near, worded[0] if worded else ())

    async def rarity(self, words: Collection[int], allowed: Collection[int]) -> Mapping[int, float]:
        if not words or not allowed:
            return {}
        only = _allowed(allowed)
        searches = [
            m.QueryRequest(
                query=m.SparseVector(indices=[word], values=[1.0]), using=SPARSE, filter=only, limit=1,
                params=m.SearchParams(exact=True, idf=m.IdfCorpusParams(corpus=only)), with_vector=[SPARSE],
                shard_key=self._key,
            ) for word in words
        ]
        shares: dict[int, float] = {}
        each = list(words)
        for at in range(0, len(each), TOGETHER):
            some = slice(at, at + TOGETHER)
            answers = await self._asked(self._client.query_batch_points(self.collection, searches[some], **self._read))
            shares |= {
                word: _point(answer.points[0]).rarity(word, answer.points[0].score)
                for word, answer in zip(each[some], answers, strict=True) if answer.points
            }
        return shares

    async def fetch(self, ids: Sequence[str], *, words: bool = False) -> dict[str, Point]:
        if not ids:
            return {}
        points = await self._asked(self._client.retrieve(
            self.collection, list(ids), with_payload=True, with_vectors=[SPARSE] if words else False,
            shard_key_selector=self._key, **self._read,
        ))
        return {str(point.id): _point(point) for point in points}

    async def relabel(self, document: str, acl: int) -> None:
        await self._asked(self._client.set_payload(self.collection, {ALLOWED: acl}, _pieces(document), **self._written))

    async def prune(self, document: str, keep: str) -> None:
        gone = m.FilterSelector(filter=_pieces(document, keep))
        await self._asked(self._client.delete(self.collection, gone, **self._written))

    async def delete(self, ids: Sequence[str]) -> None:
        gone = m.PointIdsList(points=list(ids))
        await self._asked(self._client.delete(self.collection, gone, **self._written))

    async def scroll(
        self, kind: str, *, documents: Sequence[str] | None = None, vectors: bool = False,
    ) -> AsyncGenerator[list[Point], None]:
        wanted: list[Any] = [_is("kind", kind)]
        if documents is not None:
            wanted.append(m.FieldCondition(key="doc", match=m.MatchAny(any=list(documents))))
        offset: Any = None
        while True:
            points, offset = await self._asked(self._client.scroll(
                self.collection, m.Filter(must=wanted), limit=PAGE, offset=offset, with_payload=True,
                with_vectors=vectors, shard_key_selector=self._key, **self._read,
            ))
            yield [_point(point) for point in points]
            if offset is None:
                return

    async def count(self, kind: str) -> int:
        counted = await self._asked(self._client.count(
            self.collection, m.Filter(must=[_is("kind", kind)]), exact=True, shard_key_selector=self._key,
        ))
        return counted.count

    async def tidy(self) -> None:
        """A server does so by itself."""

    @property
    def _key(self) -> str | None:
        return self._options.tenant or None

    @property
    def _written(self) -> dict[str, Any]:
        ordering = m.WriteOrdering.STRONG if self._options.replicas > 1 else None
        return {"wait": True, "ordering": ordering, "shard_key_selector": self._key}

    @property
    def _read(self) -> dict[str, Any]:
        return {"consistency": m.ReadConsistencyType.MAJORITY if self._options.replicas > 1 else None}

    async def _asked(self, request: Coroutine[Any, Any, T]) -> T:
        return await asked(request, self._options.timeout)


@dataclass(slots=True)
class ServerGenerations:
    """The collections of one index, and the alias that names the active one."""

    client: AsyncQdrantClient
    options: ServerOptions
    _building: dict[str, ServerStore] = field(default_factory=dict)

    @asynccontextmanager
    async def active(self, size: int) -> AsyncGenerator[ServerStore]:
        await self._recent()
        if await self._named() is None:
            await self._made(FIRST, size)
            await self.activate(FIRST)
        yield ServerStore(self.options.alias, self.client, self.options)

    @asynccontextmanager
    async def begin(self, generation: str, size: int) -> AsyncGenerator[ServerStore]:
        await self._recent()
        name = self._collection(generation)
        if name == await self._named():
            raise RetrieverUnavailable(f"generation {generation} is already active")
        await self._cleared(name)
        await self._made(generation, size)
        store = self._building[generation] = ServerStore(name, self.client, self.options)
        try:
            yield store
        finally:
            self._building.pop(generation, None)

    async def answering(self) -> str:
        return (await self._named() or "").removeprefix(f"{self.options.index}-")

    async def activate(self, generation: str) -> None:
        alias, name = self.options.alias, self._collection(generation)
        steps: list[Any] = [m.CreateAliasOperation(create_alias=m.CreateAlias(collection_name=name, alias_name=alias))]
        if await self._named() is not None:
            steps.insert(0, m.DeleteAliasOperation(delete_alias=m.DeleteAlias(alias_name=alias)))
        await self._asked(self.client.update_collection_aliases(steps))
        if generation in self._building:    # from now on it follows the alias, as everybody does
            self._building[generation].collection = alias

    async def drop(self) -> None:
        kept = await self._named()
        described = await self._asked(self.client.get_collections())
        for name in (collection.name for collection in described.collections):
            if self._ours(name) and name != kept:
                await self._cleared(name)

    def _collection(self, generation: str) -> str:
        return f"{self.options.index}-{generation}"

    def _ours(self, name: str) -> bool:
        """Another index may have a name that begins with this one's."""
        front, _, generation = name.rpartition("-")
        return front == self.options.index and GENERATION.fullmatch(generation) is not None

    async def _named(self) -> str | None:
        aliases = (await self._asked(self.client.get_aliases())).aliases
        return next((a.collection_name for a in aliases if a.alias_name == self.options.alias), None)

    async def _recent(self) -> None:
        """Raises `RetrieverUnavailable` for a server that would let pages be felt by people who may not read them."""
        version = (await self._asked(self.client.info())).version
        numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
        if numbers < OLDEST:
            raise RetrieverUnavailable(f"the index server is Qdrant {version}; it has to be {OLDEST[0]}.{OLDEST[1]}")

    async def _made(self, generation: str, size: int) -> None:
        """A collection for this generation, if there is none, with a place in it for this tenant.

        What is there may be another tenant's, or what an earlier start left half made.
        """
        name, tenant, replicas = self._collection(generation), self.options.tenant, self.options.replicas
        if not await self._asked(self.client.collection_exists(name)):
            await self._asked(self.client.create_collection(
                name,
                vectors_config={DENSE: m.VectorParams(size=size, distance=m.Distance.COSINE)},
                sparse_vectors_config={SPARSE: m.SparseVectorParams(modifier=m.Modifier.IDF)},
                hnsw_config=m.HnswConfigDiff(m=0),      # no graph: every search is exact
                sharding_method=m.ShardingMethod.CUSTOM if tenant else None,
                replication_factor=replicas if replicas > 1 else None,
                write_consistency_factor=replicas // 2 + 1 if replicas > 1 else None,
            ))
        described = await self._asked(self.client.get_collection(name))
        vectors = described.config.params.vectors
        if not isinstance(vectors, dict) or DENSE not in vectors or vectors[DENSE].size != size:
            raise RetrieverUnavailable(f"the collection {name} on the index server was made for another model")
        for key in INDEXED:
            await self._asked(self.client.create_payload_index(name, key, m.PayloadSchemaType.KEYWORD, wait=True))
        allowed = m.IntegerIndexParams(type=m.IntegerIndexType.INTEGER, lookup=True, range=False)
        await self._asked(self.client.create_payload_index(name, ALLOWED, allowed, wait=True))
        if tenant and tenant not in await self._tenants(name):
            await self._asked(self.client.create_shard_key(name, tenant), known={400, 409})    # of two, one is first
            if tenant not in await self._tenants(name):
                raise RetrieverUnavailable(f"the index server made no place for the tenant {tenant}; is it a cluster?")

    async def _tenants(self, name: str) -> set[str]:
        keys = (await self._asked(self.client.list_shard_keys(name))).shard_keys
        return {str(each.key) for each in keys or ()}

    async def _cleared(self, name: str) -> None:
        """This index's part of a collection goes: its own shards, or all of it."""
        if not await self._asked(self.client.collection_exists(name)):
            return
        if self.options.tenant:
            await self._asked(self.client.delete_shard_key(name, self.options.tenant), known={400, 404})
            if await self._tenants(name):   # others answer from it, or build in it
                return
        await self._asked(self.client.delete_collection(name))

    async def _asked(self, request: Awaitable[T], known: Collection[int] = ()) -> T:
        return await asked(request, self.options.timeout, known=known)


async def asked(request: Awaitable[T], timeout: float, *, known: Collection[int] = ()) -> T:  # noqa: ASYNC109
    """The server's answer. Raises `RetrieverUnavailable`, which says what kind of failure it was and nothing else.

    ``known``: statuses that are fine; then there is no answer.
    """
    try:
        async with asyncio.timeout(timeout):
            return await request
    except UnexpectedResponse as error:
        if error.status_code in known:
            return None     # type: ignore[return-value]  # ty: ignore[invalid-explicit-return]  # who names such statuses does not look at the answer
        raise RetrieverUnavailable(f"the index server answered {error.status_code}") from error
    except TimeoutError as error:
        raise RetrieverUnavailable(f"the index server gave no answer in {timeout:g} s") from error
    except (ApiException, QdrantException, OSError, ValueError, RuntimeError, KeyError, NotImplementedError) as error:
        raise RetrieverUnavailable(f"the index server failed: {type(error).__name__}") from error


def _structs(points: Iterable[Point]) -> list[m.PointStruct]:
    return [m.PointStruct(id=point.id, vector=_vectors(point), payload=point.payload) for point in points]


def _vectors(point: Point) -> dict[str, Any]:
    vectors: dict[str, Any] = {}
    if point.dense is not None:
        vectors[DENSE] = point.dense.tolist() if isinstance(point.dense, array) else list(point.dense)
    if point.words is not None:
        vectors[SPARSE] = m.SparseVector(indices=list(point.words.indices), values=list(point.words.values))
    return vectors


def _point(point: m.Record | m.ScoredPoint) -> Point:
    vectors = point.vector if isinstance(point.vector, dict) else {}
    dense, words = vectors.get(DENSE), vectors.get(SPARSE)
    return Point(
        str(point.id), point.payload or {}, cast("list[float]", dense) if isinstance(dense, list) else None,
        Words(words.indices, words.values) if isinstance(words, m.SparseVector) else None,
    )


def _hits(points: Iterable[m.ScoredPoint]) -> tuple[Hit, ...]:
    return ranked((str(point.id), point.score) for point in points)


def _allowed(lists: Collection[int]) -> m.Filter:
    return m.Filter(must=[m.FieldCondition(key=ALLOWED, match=m.MatchAny(any=sorted(lists)))])


def _pieces(document: str, keep: str = "") -> m.Filter:
    return m.Filter(
        must=[_is("doc", document), _is("kind", CHUNK)], must_not=[_is("generation", keep)] if keep else None,
    )


def _is(key: str, value: str) -> m.FieldCondition:
    return m.FieldCondition(key=key, match=m.MatchValue(value=value))


