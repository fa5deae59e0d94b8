"""The index: pages with their rights over a `PassageStore`, behind `engine.ports.Retriever`.

Rights come first. Every page has an allow-list; the distinct lists are held against the audience, member by member,
and only pages of the lists that pass are searched, word statistics included: a page that may not be read changes
neither the order nor the scores of what is found. Each passage is judged once more by its page's record, so that
what was deleted or revoked is gone with the next question, and again by `still_readable` before it is shown.

An index has generations, one of which answers. Another model or chunker makes a new one beside it.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections import OrderedDict
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol, Self, TypeAlias

import qdrant_edge as edge

from adapters.qdrant.alike import meanings
from adapters.qdrant.edge import GONE, EdgeFolder
from adapters.qdrant.embed import sendable
from adapters.qdrant.move import renew
from adapters.qdrant.points import (
    FORMAT,
    Manifest,
    Piece,
    Record,
    generation,
    list_id,
    list_point,
    manifest_in,
    manifest_point,
    passage_of,
    piece_points,
    record_id,
    record_of,
    record_point,
)
from adapters.qdrant.store import (
    CANDIDATES,
    CHUNK,
    LIST,
    RECORD,
    Candidates,
    Generations,
    Hit,
    PassageStore,
    Point,
    Words,
)
from engine.errors import RetrieverUnavailable
from engine.messages import Audience, Conversation, Found, Passage
from engine.rag import chunk
from engine.rag.access import Lists, passing
from engine.rag.alike import Meanings, said, shares
from engine.rag.answers import SURE, WEIGHED, Evidence, guess, level, names
from engine.rag.followup import FADING, asked, direction, weighted
from engine.rag.jargon import shortened, spelled_out
from engine.rag.numerals import leant_on, spelled, told
from engine.rag.rank import MEANING, WORDING, apart, fuse, spread
from engine.rag.versions import newest_first

STALE: Final = 5.0              # seconds until a shared index is asked again which allow-lists there are
KEPT: Final = 256               # answers to the same question that are kept until the index changes

Key: TypeAlias = tuple[tuple[str, ...], int, frozenset[int], str, int]
"""What was asked, the limit, the allow-lists that passed, the generation, and the count of changes to it."""


class OtherModel(RetrieverUnavailable):
    """The active generation was made with another model: ask with that one, or build a new generation."""

    def __init__(self, manifest: Manifest, model: str) -> None:
        super().__init__(f"the index was made with {manifest.model}, not with {model}")
        self.manifest = manifest


class MadeAnew(RetrieverUnavailable):
    """Another generation has taken over, and what was to be put was made for the one before it."""

    def __init__(self) -> None:
        super().__init__("the index has just been built anew")


class QueryEmbedder(Protocol):
    """Turns a question into a vector of ``size`` numbers."""

    @property
    def size(self) -> int: ...
    @property
    def model(self) -> str:
        """Which model this is: "name:sha256 of its weights, shortened"."""
        ...

    async def ready(self) -> None: ...
    async def query(self, text: str) -> Sequence[float]: ...


class Bm25:
    """Words to sparse vectors; the same for pages and questions. Splits Chinese and Japanese, stems English."""

    def __init__(self) -> None:
        self._words = edge.Bm25(
            edge.Bm25Config(language="english", tokenizer=edge.TokenizerType.Multilingual, avg_len=120))

    def embed_document(self, text: str) -> edge.SparseVector:
        """The words of a passage, by how often they stand there."""
        return self._words.embed_document(spelled(text))

    def embed_query(self, text: str) -> edge.SparseVector:
        """The words of a question, each once."""
        return self._words.embed_query(spelled(text))


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, then what it leans on, its words by their weights, those that are names, and by whom.

    ``numbers``: words that are digits alone, and may be an amount that no page says.
    ``shares``: what part of it each word is as it is written; ``ids``: those that such a word has in the index;
    ``short``: ids of short forms that were written, with those of the long ones that stand in their place here.
    ``allowed``: ids of the allow-lists that everyone in the audience passes.
    """

    asked: tuple[str, ...]
    words: Words
    names: tuple[int, ...]
    numbers: frozenset[int]
    shares: Mapping[str, float]
    ids: Mapping[str, frozenset[int]]
    short: Mapping[int, frozenset[int]]
    audience: Audience
    allowed: frozenset[int]

    @property
    def sought(self) -> Words:
        """Its words, and the short forms of some of them, which a page may hold as they are."""
        weights = dict(zip(self.words.indices, self.words.values, strict=True))
        both = {id: max((weights.get(each, 0.0) for each in long), default=0.0) for id, long in self.short.items()}
        both |= weights
        return Words(list(both), list(both.values()))

    def held(self, point: Point) -> frozenset[int]:
        """The words of a passage; who writes one short holds its long form as well."""
        holds = frozenset(point.words.indices if point.words else ())
        return holds.union(*(self.short[id] for id in holds & self.short.keys())) if self.short else holds

    def weighed(self, held: Iterable[Collection[int]]) -> Mapping[int, float]:
        """The words that are weighed against what passages hold; of its numbers only those that one of them holds."""
        there = frozenset[int]().union(*held)
        words = zip(self.words.indices, self.words.values, strict=True)
        return {id: weight for id, weight in words if id not in self.numbers or id in there}

    def unsaid(self, point: Point, holds: frozenset[int], record: Record, meanings: Meanings) -> float:
        """What a passage leaves unsaid of it, its headings and its page's name included. ``holds``: as `held`."""
        held = [word for word, ids in self.ids.items() if ids & holds]
        text = f"{record.document} {point.payload['heading']} {point.payload['text']}"
        return meanings.unsaid(self.shares, text, held)


@dataclass(slots=True)
class PassageIndex:
    """One index. ``store`` is its active generation; ``manifest`` says what that was made with."""

    embedder: QueryEmbedder
    store: PassageStore
    manifest: Manifest
    _generations: Generations
    _opened: AsyncExitStack
    _records: dict[str, Record] = field(default_factory=dict)
    _by_id: dict[str, Record] = field(default_factory=dict)     # the same, by the ids of their points
    _lists: Lists[int] = field(default_factory=Lists)
    _words: Bm25 = field(default_factory=Bm25)
    _meanings: Meanings = field(default_factory=meanings)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _changes: int = 0
    _meanwhile: dict[str, Record | None] | None = None      # rights that changed while a new generation is built
    _looked: float = 0.0
    _cache: OrderedDict[Key, Found] = field(default_factory=OrderedDict)

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, embedder: QueryEmbedder) -> AsyncGenerator[Self]:
        """The index in this folder, or a new one. Raises `IndexBusy`, `OtherModel` and `RetrieverUnavailable`."""
        async with EdgeFolder.locked(path, patience=GONE) as folder, cls.over(folder, embedder) as index:
            yield index

    @classmethod
    @asynccontextmanager
    async def over(cls, generations: Generations, embedder: QueryEmbedder) -> AsyncGenerator[Self]:
        """The active generation, or a new first one. Raises `OtherModel` and `RetrieverUnavailable`.

        One whose points an earlier version wrote is written anew first, in this version's form; nothing is embedded.
        """
        await asyncio.to_thread(meanings)           # read once, and not on the event loop
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(generations.active(embedder.size))
            manifest = await manifest_in(store)
            if manifest is not None and manifest.format != FORMAT:
                await renew(store, generations)
                await stack.aclose()
                store = await stack.enter_async_context(generations.active(embedder.size))
                manifest = await manifest_in(store)
                await generations.drop()
            if manifest is None:
                manifest = making(embedder)
                await store.upsert([manifest_point(manifest)])
            if (manifest.model, manifest.size) != (embedder.model, embedder.size):
                raise OtherModel(manifest, embedder.model)
            index = cls(embedder, store, manifest, generations, stack.pop_all())
        try:
            await index._load()
            yield index
        finally:
            await index._opened.aclose()

    @property
    def records(self) -> Mapping[str, Record]:
        """Every page that the index holds, by document; of a shared one, as it was when it was opened or written."""
        return dict(self._records)

    @property
    def generation(self) -> str:
        """Names the active generation."""
        return self.manifest.generation

    async def ready(self) -> None:
        """Returns once questions can be answered without waiting for the model, by a server that is there.

        Raises `RetrieverUnavailable`.
        """
        await self.embedder.ready()
        if self.store.shared:
            await manifest_in(self.store)

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """The best passages that every member of the audience may read, at most two of one page.

        ``answers`` is what `engine.rag.answers` makes of them.
        """
        return await self.search(asked(question, past), audience=audience, limit=limit)

    async def search(self, questions: tuple[str, ...], *, audience: Audience, limit: int) -> Found:
        """As `find`, for what `engine.rag.followup.asked` made of a question and those before it."""
        questions = tuple(sendable(question) for question in questions if question.strip())
        if not questions or limit < 1:
            return Found()
        while True:
            store = self.store
            try:
                return await self._find(store, questions, audience, limit)
            except RetrieverUnavailable:
                if store is self.store:     # else a new generation has taken over meanwhile
                    raise

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """Those whose page is still there and may still be read by everyone, by the page's own record."""
        by_name = {passage.document: passage for passage in passages}
        open_to_all = await self.readable(by_name, audience)
        return tuple(passage for passage in passages if passage.document in open_to_all)

    async def standing(self, documents: Collection[str]) -> frozenset[str]:
        """Those of these documents that are there, whoever may read them."""
        return frozenset(await self._current(self.store, documents))

    async def readable(self, documents: Collection[str], audience: Audience) -> frozenset[str]:
        """Those of these documents that are there and that the audience may read, now."""
        current = await self._current(self.store, documents)
        return passing({name: record.acl for name, record in current.items()}, audience)

    async def put(
        self, pages: Iterable[tuple[Record, Sequence[Piece]]], *, made_with: Manifest | None = None,
    ) -> None:
        """Adds pages, or replaces what was there of them. A crash leaves each as it was, or marked as unfinished.

        ``made_with``: what their vectors are made with. Raises `MadeAnew` when the index is not any more.
        """
        for record, pieces in pages:
            async with self._writing:
                if made_with is not None and made_with != self.manifest:     # it may have changed while we waited
                    raise MadeAnew
                before = self._records.get(record.document)
                known = before is not None or self.store.shared
                await self._begun(record)
                if known and (before is None or before.acl):    # what nobody may find stays so until it is gone
                    await self.store.relabel(record.document, list_id(record.acl))
                await self.store.upsert(piece_points(record, pieces))
                if known:
                    await self.store.prune(record.document, generation(record))
                await self._done(record)
                if self._meanwhile is not None:
                    self._meanwhile[record.document] = record

    async def relabel(self, records: Iterable[Record]) -> None:
        """New rights, address or date for pages whose text is the same."""
        records = list(records)
        await self._kept_back([record.document for record in records if self._narrows(record)])
        for record in records:
            async with self._writing:
                await self._begun(record)
                await self.store.relabel(record.document, list_id(record.acl))
                await self._done(record)
                if self._meanwhile is not None:
                    self._meanwhile[record.document] = record

    async def remove(self, documents: Iterable[str]) -> None:
        """The next question does not find them any more."""
        documents = list(documents)
        await self._kept_back(documents)
        for document in documents:
            async with self._writing:
                self._changes += 1
                record = self._records.pop(document, None)
                self._by_id.pop(record_id(document), None)
                if record and self.store.shared:    # who reads elsewhere learns of it before the pieces go
                    await self.store.upsert([record_point(replace(record, hash="", acl=frozenset()))])
                await self.store.prune(document, "")
                await self.store.delete([record_id(document)])
                if self._meanwhile is not None:
                    self._meanwhile[document] = None
        if not self.store.shared:
            self._lists.keep(frozenset(record.acl for record in self._records.values()))

    async def vectors(self, documents: Iterable[str]) -> dict[str, bytes]:
        """The dense vectors of these pages' pieces, by the hash of what was embedded: 32-bit floats, part by part."""
        found: dict[str, dict[int, bytes]] = {}
        async with aclosing(self.store.scroll(CHUNK, documents=list(documents), vectors=True)) as batches:
            async for points in batches:
                for point in points:
                    if point.dense is not None:
                        rows = found.setdefault(point.payload["hash"], {})
                        rows[point.payload.get("part", 0)] = array("f", point.dense).tobytes()
        return {key: b"".join(row for _, row in sorted(rows.items())) for key, rows in found.items()}

    async def tidy(self) -> None:
        """Writes everything to disk, and gives back the room of what was removed once it is worth it."""
        await self.store.tidy()

    @asynccontextmanager
    async def next_generation(self, embedder: QueryEmbedder, manifest: Manifest) -> AsyncGenerator[PassageIndex]:
        """A new, empty generation to be filled while this one answers. It takes over when the block ends well.

        The change is one step, also for a process that dies in the middle of it; the old generation is dropped
        after it. When the block raises, all stays as it was. Rights and deletions that this one learns of meanwhile
        hold in the new one, too; a page whose text or rights differ is read by fewer, or by nobody, until the next
        sync.
        """
        if self._meanwhile is not None:
            raise RetrieverUnavailable("a new generation is being built already")
        self._meanwhile = {}
        try:
            async with AsyncExitStack() as stack:
                store = await stack.enter_async_context(self._generations.begin(manifest.generation, manifest.size))
                await store.upsert([manifest_point(manifest)])
                fresh = PassageIndex(embedder, store, manifest, self._generations, AsyncExitStack())
                yield fresh
                async with self._writing:
                    await fresh._catch_up(self._meanwhile)
                    await store.tidy()
                    await self._generations.activate(manifest.generation)
                    old, self._opened = self._opened, stack.pop_all()
                    self._records, self._by_id, self._lists = fresh._records, fresh._by_id, fresh._lists
                    self.embedder, self.store, self.manifest = embedder, store, manifest
                    self._changes += 1
        finally:
            self._meanwhile = None
        await old.aclose()
        await self._generations.drop()

    async def _catch_up(self, changed: Mapping[str, Record | None]) -> None:
        """What another generation learned while this one was built.

        Nobody can tell which of the two looked at a page later, so nothing may be read here that either keeps back: of
        another text, the words that one of them lacks may have been taken back.
        """
        for document, record in changed.items():
            known = self._records.get(document)
            if record is None or (known and known.hash != record.hash):
                await self.remove([document])
            elif known and known.acl != record.acl:
                await self.relabel([replace(known, acl=known.acl & record.acl)])

    async def _load(self) -> None:
        async with aclosing(self.store.scroll(RECORD)) as batches:
            async for points in batches:
                for point in points:
                    self._remember(record_of(point.payload))

    async def _kept_back(self, documents: Iterable[str]) -> None:
        """Nobody finds these from now on, however long it takes until the last of them has its new readers, or none."""
        async with self._writing:
            shut = [replace(self._records[name], acl=frozenset()) for name in documents if name in self._records]
            if shut and self.store.shared:
                await self.store.upsert([record_point(record) for record in shut])
            for record in shut:
                self._remember(record)

    def _narrows(self, record: Record) -> bool:
        return record.document in self._records and not record.acl >= self._records[record.document].acl

    async def _begun(self, record: Record) -> None:
        """New rights hold from now on; the rest of the record only once everything is written."""
        unfinished = replace(record, hash="")
        self._remember(unfinished)
        points = [record_point(unfinished)]
        if self.store.shared:
            points.append(list_point(record.acl))
        await self.store.upsert(points)

    async def _done(self, record: Record) -> None:
        await self.store.upsert([record_point(record)])
        self._remember(record)

    def _remember(self, record: Record) -> None:
        self._records[record.document] = self._by_id[record_id(record.document)] = record
        self._lists.add(list_id(record.acl), record.acl)
        self._changes += 1

    async def _find(
        self, store: PassageStore, questions: tuple[str, ...], audience: Audience, limit: int
    ) -> Found:
        await self._look_again(store)
        allowed = self._lists.passing(audience)
        if not allowed:
            return Found()
        key = (questions, limit, allowed, self.generation, self._changes)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        asked = tuple(spelled_out(question) for question in questions)
        dense = direction([list(await self.embedder.query(question)) for question in asked])
        words = weighted(
            self._words.embed_query(leant_on(question) if earlier else question).indices
            for earlier, question in enumerate(asked))
        numbers = frozenset(self._words.embed_query(told(" ".join(asked))).indices)
        named = [id for id in self._words.embed_query(" ".join(names(asked[0]))).indices if id not in numbers]
        parts = shares([said(question) for question in asked], FADING)
        ids = {word: frozenset(self._words.embed_query(word).indices) for word in parts}
        short = {
            id: frozenset(self._words.embed_query(long).indices)
            for question in questions for word, long in shortened(question).items()
            for id in self._words.embed_query(word).indices
        }
        question = _Question(asked, Words(list(words), list(words.values())), tuple(named), numbers, parts, ids, short,
                             audience, allowed)
        candidates = await store.search(dense, question.sought, allowed)
        found = await self._ranked(store, question, candidates, limit)
        if not store.shared:                        # others may have changed a shared one
            self._cache[key] = found
            if len(self._cache) > KEPT:
                self._cache.popitem(last=False)
        return found

    async def _ranked(
        self, store: PassageStore, question: _Question, candidates: Candidates, limit: int,
    ) -> Found:
        """The short list of what was found, each passage judged by its page's record."""
        near, worded, audience = candidates.near, candidates.worded, question.audience
        open_to_all = await self._open(store, {hit.document for hit in (*near, *worded)}, audience)
        near, worded = _held(near, open_to_all), _held(worded, open_to_all)
        hits = {hit.id: hit for hit in (*near, *worded)}
        scores = dict(fuse([hit.id for hit in near], [hit.id for hit in worded], weights=(MEANING, WORDING)))
        best = spread(
            (hits[key] for key in scores), limit=limit,
            document=lambda hit: hit.document, content=lambda hit: hit.hash,
        )
        points = await store.fetch([hit.id for hit in best], words=True)
        current = open_to_all if store.shared else await self._read(store, {hit.document for hit in best})
        nearness = {hit.id: hit.score for hit in reversed(near)}        # of several parts, the nearest
        passages: list[Passage] = []
        evidence: list[Evidence] = []
        for hit in best:
            point, record = points.get(hit.id), current.get(hit.document)
            if point and record and point.payload["doc"] == record.document and audience.may_read(record.acl):
                passages.append(passage_of(
                    hit.id, point.payload, record, scores[hit.id], question.asked,
                ))
                held, weighed = question.held(point), len(evidence) < WEIGHED
                unsaid = question.unsaid(point, held, record, self._meanings) if weighed else 1.0
                evidence.append(Evidence(nearness.get(hit.id, 0.0), held, unsaid))
        distinct = apart([(each.document, each.start, each.end) for each in passages])
        how = guess(
            evidence[:WEIGHED], words=question.weighed(each.held for each in evidence[:WEIGHED]),
            names=question.names, level=level((hit.document, hit.score) for hit in near), found=len(near) / CANDIDATES,
        )
        sure = how.certainty(await store.rarity(question.words.indices, question.allowed) if how.open else None)
        kept = [passages[n] for n in distinct]
        order = newest_first(kept, [evidence[n].held for n in distinct])
        return Found(tuple(kept[n] for n in order), bool(passages) and sure >= SURE, certainty=sure)

    async def _open(self, store: PassageStore, ids: Collection[str], audience: Audience) -> dict[str, Record]:
        current = await self._read(store, ids)
        open_to_all = passing({id: record.acl for id, record in current.items()}, audience)
        return {id: record for id, record in current.items() if id in open_to_all}

    async def _current(self, store: PassageStore, documents: Collection[str]) -> dict[str, Record]:
        """The records of those of these documents that are there."""
        records = await self._read(store, [record_id(name) for name in documents])
        return {record.document: record for record in records.values()}

    async def _read(self, store: PassageStore, ids: Collection[str]) -> dict[str, Record]:
        """Those of these records that are there, by their ids; from the store itself if others write to it."""
        if not store.shared:
            return {id: record for id in ids if (record := self._by_id.get(id)) is not None}
        points = await store.fetch(list(ids))
        return {id: record_of(point.payload) for id, point in points.items()}

    async def _look_again(self, store: PassageStore) -> None:
        """What others wrote: new allow-lists, or a new generation under this one's name."""
        now = asyncio.get_running_loop().time()
        if not store.shared or now - self._looked < STALE:
            return
        self._looked = now
        manifest = await manifest_in(store)
        if manifest and manifest.model != self.embedder.model:
            raise OtherModel(manifest, self.embedder.model)
        async with aclosing(store.scroll(LIST)) as batches:
            async for points in batches:
                for point in points:
                    acl = frozenset(point.payload["labels"])
                    self._lists.add(list_id(acl), acl)


def making(embedder: QueryEmbedder, chunker: str = chunk.VERSION) -> Manifest:
    """What an index is made with that this embedder asks."""
    return Manifest(
        embedder.model, chunker, embedder.size, tuple(sorted(getattr(embedder, "sha256", {}).items())),
        str(getattr(embedder, "folder", "")),
    )


def _held(hits: Iterable[Hit], open_to_all: Mapping[str, Record]) -> tuple[Hit, ...]:
    """Those that may be read; of equals, such as two copies of a text, the one of the younger page first."""
    def changed(hit: Hit) -> float:
        date = open_to_all[hit.document].date
        return date.timestamp() if date else -math.inf

    held = tuple(hit for hit in hits if hit.document in open_to_all)
    if len({hit.score for hit in held}) == len(held):       # no equals
        return held
    return tuple(sorted(held, key=lambda hit: (-hit.score, -changed(hit))))
