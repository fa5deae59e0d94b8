"""Who writes to an index on a server: each data folder leaves a mark there, and says in it what its sources are.

Of the processes of one folder, one writes at a time. Of another folder, on another machine perhaps, nothing is known
but its mark; that the two do not write at once `adapters.qdrant.turns` sees to. What is a source over there is not
forgotten from here: two folders with different sources would each take away what the other has just put in.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from adapters.qdrant.points import writer_id
from adapters.qdrant.store import PassageStore, Point

WRITER: Final = "writer"
ALIVE: Final = 3_600.0          # seconds for which a mark counts; a bot renews its own with each look at its sources


@dataclass(frozen=True, slots=True)
class Writer:
    """A data folder. ``sources``: where each of them comes from, by its name."""

    name: str
    sources: Mapping[str, str]


async def marked(store: PassageStore, ours: Writer) -> tuple[Writer, ...]:
    """Leaves our mark and returns the others that count. Raises `RetrieverUnavailable`."""
    now = time.time()
    await store.upsert([Point(writer_id(ours.name), {
        "kind": WRITER, "name": ours.name, "sources": dict(ours.sources), "at": now})])
    others: list[Writer] = []
    async with aclosing(store.scroll(WRITER)) as batches:
        async for points in batches:
            others += (Writer(point.payload["name"], point.payload["sources"]) for point in points
                       if point.payload["name"] != ours.name and now - point.payload["at"] < ALIVE)
    return tuple(sorted(others, key=lambda each: each.name))


def apart(ours: Writer, others: tuple[Writer, ...]) -> str:
    """What is wrong with that, in a sentence for the operator; "": nothing."""
    odd = [each.name for each in others if each.sources != ours.sources]
    if not odd:
        return ""
    return (f"{', '.join(odd)} writes to this index, too, and has other sources than {ours.name}; "
            "all that share an index are to have the same, or an index each (qdrant_index)")
