"""An index goes from one engine to another, with everything that it knows, without embedding anything again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, TypeAlias

from adapters.qdrant.index import manifest_in
from adapters.qdrant.points import Manifest, list_point, manifest_point, record_of
from adapters.qdrant.store import CHUNK, RECORD, Generations, PassageStore
from engine.errors import RetrieverUnavailable
from engine.messages import Labels

Progress: TypeAlias = Callable[[int, int], None]
AGAIN: Final = "again"          # part of a generation's name when one of the same making is active there already


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
    manifest = await manifest_in(source)
    if manifest is None:
        raise NotMoved("there is no index to move, or it was made by a version that did not say with which model")
    generation = manifest.generation
    if await target.answering() == generation:
        generation += AGAIN
    async with target.begin(generation, manifest.size) as store:
        moved = await _copied(source, store, manifest, generation, tell)
        await target.activate(generation)
    await target.drop()
    return moved


async def _copied(
    source: PassageStore, store: PassageStore, manifest: Manifest, generation: str, tell: Progress,
) -> Moved:
    pages, passages = await source.count(RECORD), await source.count(CHUNK)
    done, lists = 0, set[Labels]()
    await store.upsert([manifest_point(manifest)])
    for kind, vectors in ((CHUNK, True), (RECORD, False)):     # a page counts once all of it is there
        async with aclosing(source.scroll(kind, vectors=vectors)) as batches:
            async for points in batches:
                if kind == RECORD:
                    lists.update(record_of(point.payload).acl for point in points)
                await store.upsert(points)
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
