"""``python -m adapters.qdrant.keeper FOLDER SIZE``: has one shard open, in a process of its own.

Asks come in on stdin, answers go out on stdout, both as frames, in the same order. Each call of Edge keeps the
interpreter's lock until it returns (qdrant-edge-py 0.9.0): 5 ms for a search among 100,000 chunks, seconds for tidying
up, in which the program that asks could do nothing else. It ends with stdin: when its parent is done, or dead.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from adapters.qdrant import frames
from adapters.qdrant.shard import Scored, Shard, Stored

DEATH: Final = 1                # PR_SET_PDEATHSIG, prctl(2)


class Upsert(msgspec.Struct, frozen=True, tag=True):
    """As `Shard.upsert`; the others likewise."""

    points: list[Stored]


class Search(msgspec.Struct, frozen=True, tag=True):
    """``dense`` is 32-bit floats."""

    dense: bytes
    indices: list[int]
    values: list[float]
    allowed: list[int]
    limit: int


class Rarity(msgspec.Struct, frozen=True, tag=True):
    """Of words among allowed passages."""

    words: list[int]
    allowed: list[int]


class Fetch(msgspec.Struct, frozen=True, tag=True):
    """With their sparse vectors if ``words``."""

    ids: list[str]
    words: bool = False


class Relabel(msgspec.Struct, frozen=True, tag=True):
    """Another allow-list for a document."""

    document: str
    acl: int


class Prune(msgspec.Struct, frozen=True, tag=True):
    """Away with a document's passages, except a generation's."""

    document: str
    keep: str


class Delete(msgspec.Struct, frozen=True, tag=True):
    """Away with these points."""

    ids: list[str]


class Scroll(msgspec.Struct, frozen=True, tag=True):
    """The next page of a kind's points."""

    kind: str
    documents: list[str] | None
    vectors: bool
    offset: str | None = None


class Count(msgspec.Struct, frozen=True, tag=True):
    """Of a kind."""

    kind: str


class Flush(msgspec.Struct, frozen=True, tag=True):
    """Everything to disk."""


class Tidy(msgspec.Struct, frozen=True, tag=True):
    """Merge, give back room, and flush."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one ask, or why nothing did. The first one says how many points were loaded, or why not."""

    error: str = ""
    near: Scored = []
    worded: Scored = []
    rarity: dict[int, float] = {}
    points: list[Stored] = []
    offset: str | None = None
    count: int = 0


Ask: TypeAlias = Upsert | Search | Rarity | Fetch | Relabel | Prune | Delete | Scroll | Count | Flush | Tidy


def answered(shard: Shard, ask: Ask) -> Answer:
    """Does it. Raises what `Shard` raises."""
    match ask:
        case Search():
            near, worded = shard.search(ask.dense, ask.indices, ask.values, ask.allowed, ask.limit)
            return Answer(near=near, worded=worded)
        case Rarity():
            return Answer(rarity=shard.rarity(ask.words, ask.allowed))
        case Fetch():
            return Answer(points=shard.fetch(ask.ids, ask.words))
        case Scroll():
            points, offset = shard.scroll(ask.kind, ask.documents, ask.vectors, ask.offset)
            return Answer(points=points, offset=offset)
        case Count():
            return Answer(count=shard.count(ask.kind))
        case Upsert():
            shard.upsert(ask.points)
        case Relabel():
            shard.relabel(ask.document, ask.acl)
        case Prune():
            shard.prune(ask.document, ask.keep)
        case Delete():
            shard.delete(ask.ids)
        case Flush():
            shard.flush()
        case Tidy():
            shard.tidy()
    return Answer()


def main() -> None:
    """Runs until stdin ends."""
    for signalled in (signal.SIGINT, signal.SIGTERM):       # meant for the program; it tells us when it is done
        signal.signal(signalled, signal.SIG_IGN)
    with suppress(OSError, AttributeError):                 # Linux alone; elsewhere the end of stdin comes a call later
        ctypes.CDLL(None).prctl(DEATH, signal.SIGKILL)
    folder, size = Path(sys.argv[1]), int(sys.argv[2])
    try:
        shard = Shard.open(folder, size)
        loaded = Answer(count=shard.points())
    except BaseException as error:  # a panic in Rust is no `Exception`
        _tell(_failed(error))
        return
    _tell(loaded)
    decoder: msgspec.msgpack.Decoder[Ask] = msgspec.msgpack.Decoder(Ask)
    while (ask := frames.read_blocking(sys.stdin.buffer, decoder)) is not None:
        try:
            answer = answered(shard, ask)
        except BaseException as error:  # as above
            answer = _failed(error)
        _tell(answer)
    shard.close()


def _failed(error: BaseException) -> Answer:
    return Answer(f"the index failed: {type(error).__name__}")


def _tell(answer: Answer) -> None:
    sys.stdout.buffer.write(frames.packed(answer))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
