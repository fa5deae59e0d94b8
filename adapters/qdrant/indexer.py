"""``python -m adapters.qdrant.indexer``: cuts and embeds pages in a process of its own.

Jobs come in on stdin, results go out on stdout, both as frames, in the same order. The memory that embedding takes
goes back to the system with the process; a page that brings it down brings down nothing else. It ends with stdin:
when its parent is done, or dead.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from typing import Final, TypeAlias

import msgspec
import qdrant_edge as edge

from adapters.qdrant import embed, frames
from adapters.qdrant.index import bm25
from adapters.qdrant.points import Piece
from engine.errors import RetrieverUnavailable
from engine.rag import chunk

VERSION: Final = f"{chunk.VERSION}/{embed.VERSION}/bm25-1"
"""Pages that were indexed under another version are indexed again."""


class Job(msgspec.Struct, frozen=True):
    """One page to be cut and embedded."""

    text: str
    name: str


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The model is loaded."""


class Pieces(msgspec.Struct, frozen=True, tag=True):
    """What became of one job."""

    pieces: list[Piece]


class Broken(msgspec.Struct, frozen=True, tag=True):
    """One job failed, or, as the first word, the model did not load."""

    why: str


Told: TypeAlias = Ready | Pieces | Broken


def main() -> None:
    """Runs until stdin ends."""
    os.nice(10)                 # people who ask come first
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    try:
        model = embed.MiniLM.load(threads=os.cpu_count() or 1)
    except RetrieverUnavailable as error:
        _tell(Broken(str(error)))
        return
    _tell(Ready())
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    words = bm25()
    while True:
        job = jobs.get()
        try:
            _tell(Pieces(pieces(job, model, words)))
        except RetrieverUnavailable as error:
            _tell(Broken(str(error)))


def pieces(job: Job, model: embed.MiniLM, words: edge.Bm25) -> list[Piece]:
    """All chunks of a page with their vectors."""
    chunks = chunk.chunk(job.text, name=job.name, tokens=model.tokens, window=embed.WINDOW)
    dense = model.embed([part.indexed for part in chunks])
    sparse = [words.embed_document(embed.sendable(part.indexed)) for part in chunks]
    return [
        Piece(c.text, c.start, c.end, c.heading, c.anchor, c.hash, d.tobytes(), s.indices, s.values)
        for c, d, s in zip(chunks, dense, sparse, strict=True)
    ]


def _listen(jobs: queue.SimpleQueue[Job]) -> None:
    decoder = msgspec.msgpack.Decoder(Job)
    while (job := frames.read_blocking(sys.stdin.buffer, decoder)) is not None:
        jobs.put(job)
    os._exit(0)                 # in the middle of a page, too: nobody is there to take it


def _tell(told: Told) -> None:
    sys.stdout.buffer.write(frames.packed(told))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
