"""An index goes from one engine to another, with everything that it knows, without embedding anything again.

What an earlier version wrote is put into this version's form on the way.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from adapters.qdrant.points import (
    FORMAT,
    Manifest,
    Record,
    list_id,
    list_point,
    manifest_in,
    manifest_point,
    piece_id,
    record_id,
    record_of,
)
from adapters.qdrant.store import ALLOWED, CHUNK, RECORD, Generations, PassageStore, Point
from engine.errors import RetrieverUnavailable
from engine.messages import Labels

Progress: TypeAlias = Callable[[int, int], None]
AGAIN: Final = "again"          # part of a generation's name when one of the same making is active there already
PAGES: Final = 50               # that are put into a new form at a time


@dataclass(frozen=True, slots=True)
class Moved:
    """What stands in the new place, counted there."""

    pages: int
    passages: int
    generation: str


class NotMoved(RetrieverUnavailable):
    """The new place did not get everything; what answered there before still does."""


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


async def move(source: PassageStore, target: Generations, *, tell: Progress = _silent) -> Moved:
    """Copies a generation into a new one at the target, counts it there, and only then lets it answer.

    ``source`` must not be written to meanwhile; it stays as it is. ``tell`` gets (done, total) of the points. Raises
    `NotMoved` and `RetrieverUnavailable`.
    """
    moved = await _moved(source, target, tell)
    await target.drop()
    return moved


async def renew(source: PassageStore, generations: Generations) -> None:
    """Puts the active generation into this version's form; the old one is left to be dropped. As `move`."""
    await _moved(source, generations, _silent)


async def _moved(source: PassageStore, target: Generations, tell: Progress) -> Moved:
    manifest = await manifest_in(source)
    if manifest is None:
        raise NotMoved("there is no index to move, or it was made by a version that did not say with which model")
    made = replace(manifest, format=FORMAT)
    generation = made.generation
    if await target.answering() == generation:
        generation += AGAIN
    async with target.begin(generation, made.size) as store:
        moved = await _copied(source, store, manifest, generation, tell)
        await target.activate(generation)
    return moved


async def _copied(
    source: PassageStore, store: PassageStore, manifest: Manifest, generation: str, tell: Progress,
) -> Moved:
    pages, passages = await source.count(RECORD), await source.count(CHUNK)
    done, lists = 0, set[Labels]()
    await store.upsert([manifest_point(replace(manifest, format=FORMAT))])
    pieces = source.scroll(CHUNK, vectors=True) if manifest.format == FORMAT else _renumbered(source)
    async with aclosing(pieces) as batches:
        async for points in batches:
            await store.upsert(points)
            done += len(points)
            tell(done, pages + passages)
    async with aclosing(source.scroll(RECORD)) as batches:      # a page counts once all of it is there
        async for points in batches:
            lists.update(record_of(point.payload).acl for point in points)
            await store.upsert([replace(point, id=record_id(point.payload["doc"])) for point in points])
            done += len(points)
            tell(done, pages + passages)
    await store.upsert([list_point(acl) for acl in lists])
    await store.tidy()
    moved = Moved(await store.count(RECORD), await store.count(CHUNK), generation)
    if (moved.pages, moved.passages) != (pages, passages):
        raise NotMoved(
            f"{moved.pages} of {pages} pages and {moved.passages} of {passages} passages arrived; nothing was changed"
        )
    return moved


async def _renumbered(source: PassageStore) -> AsyncGenerator[list[Point], None]:
    """The pieces of the first format, some pages at a time, as they would be written now."""
    async with aclosing(source.scroll(RECORD)) as batches:
        async for points in batches:
            records = {record.document: record for record in (record_of(point.payload) for point in points)}
            names = list(records)
            for at in range(0, len(names), PAGES):
                yield [point async for point in _rewritten(source, records, names[at : at + PAGES])]


async def _rewritten(
    source: PassageStore, records: dict[str, Record], names: Sequence[str],
) -> AsyncGenerator[Point, None]:
    wholes: dict[str, list[Point]] = {name: [] for name in names}
    parts: list[Point] = []
    async with aclosing(source.scroll(CHUNK, documents=names, vectors=True)) as batches:
        async for points in batches:
            for point in points:
                (parts if "of" in point.payload else wholes[point.payload["doc"]]).append(point)
    numbers: dict[str, int] = {}
    for pieces in wholes.values():
        pieces.sort(key=lambda point: (point.payload["start"], point.payload["end"]))
        numbers |= {point.id: number for number, point in enumerate(pieces)}
    for point in (*(point for pieces in wholes.values() for point in pieces), *parts):
        payload: dict[str, Any] = point.payload | {ALLOWED: list_id(records[point.payload["doc"]].acl)}
        number = numbers[payload.pop("of", point.id)]
        yield replace(point, payload=payload, id=piece_id(
            payload["doc"], payload["hash"], number, payload.get("part", 0)))
