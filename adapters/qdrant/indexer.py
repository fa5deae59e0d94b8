"""``python -m adapters.qdrant.indexer [FOLDER | MODEL]``: cuts and embeds pages in a process of its own.

Jobs come in on stdin, results go out on stdout, both as frames, in the same order. The memory that embedding takes
goes back to the system with the process; a page that brings it down brings down nothing else. It ends with stdin:
when its parent is done, or dead. FOLDER holds another embedding model than ours; MODEL names its earlier form.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import msgspec

from adapters.qdrant import embed, frames
from adapters.qdrant.index import Bm25
from adapters.qdrant.points import Piece
from engine.errors import RetrieverUnavailable
from engine.ports import Tokens
from engine.rag import chunk
from engine.rag.page import Form


def version(model: str) -> str:
    """What chunks and vectors are made with; ``model`` names the embedding model and its weights."""
    return f"{chunk.VERSION}/{model}/bm25-2"


VERSION: Final = version(embed.VERSION)
"""Pages that were indexed under another version are indexed again."""


class Job(msgspec.Struct, frozen=True):
    """One page to be cut and embedded. ``known`` are hashes of chunks whose vectors are there already."""

    text: str
    name: str
    form: Form = Form.MARKDOWN
    known: frozenset[str] = frozenset()
    anchors: dict[str, str] | None = None


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The model is loaded."""


class Pieces(msgspec.Struct, frozen=True, tag=True):
    """What became of one job. A piece whose hash was known comes without a dense vector."""

    pieces: list[Piece]


class Broken(msgspec.Struct, frozen=True, tag=True):
    """One job failed, or, as the first word, the model did not load."""

    why: str


Told: TypeAlias = Ready | Pieces | Broken


class Model(Protocol):
    """A loaded embedding model."""

    @property
    def tokens(self) -> Tokens: ...
    def embed(self, texts: Sequence[str]) -> list[array[float]]: ...


def main() -> None:
    """Runs until stdin ends."""
    os.nice(10)                 # people who ask come first
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    try:
        model = _loaded(sys.argv[1] if len(sys.argv) > 1 else embed.VERSION, os.cpu_count() or 1)
    except RetrieverUnavailable as error:
        _tell(Broken(str(error)))
        return
    _tell(Ready())
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    words = Bm25()
    while True:
        job = jobs.get()
        try:
            _tell(Pieces(pieces(job, model, words, model.chosen.part or model.chosen.window)))
        except RetrieverUnavailable as error:
            _tell(Broken(str(error)))


def pieces(job: Job, model: Model, words: Bm25, window: int = embed.PART) -> list[Piece]:
    """All chunks of a page; those that are new, with their vectors. Equal ones are embedded once."""
    chunks = chunk.chunk(job.text, name=job.name, tokens=model.tokens, window=window, kind=job.form.value)
    new = {part.hash: part for part in chunks if part.hash not in job.known}
    vectors = iter(model.embed([text for part in new.values() for text in part.parts]))
    dense = {key: b"".join(next(vectors).tobytes() for _ in part.parts) for key, part in new.items()}
    made = []
    for part in chunks:
        sparse = words.embed_document(embed.sendable(part.indexed))
        made.append(Piece(
            part.text, part.start, part.end, part.heading, _anchor(part.anchor, job), part.hash,
            dense.get(part.hash, b""), sparse.indices, sparse.values, len(part.parts),
            [(at, _anchor(slug, job)) for at, slug in part.anchors],
        ))
    return made


def _anchor(slug: str, job: Job) -> str:
    """Where the document itself lets that heading be opened."""
    return slug if job.anchors is None else job.anchors.get(slug, "")


def _loaded(name: str, threads: int) -> embed.TextModel:
    if name in {embed.VERSION, embed.EARLIER}:
        return embed.TextModel.load(model=name, threads=threads)
    return embed.TextModel.load(Path(name), threads=threads)


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
