"""Speaks like `adapters.qdrant.indexer`, with a model that is there at once. Some pages do it harm."""

from __future__ import annotations

import os
import sys
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from adapters.qdrant import frames
from adapters.qdrant.index import Bm25
from adapters.qdrant.indexer import Broken, Job, Pieces, Ready, pieces
from tests.adapters.qdrant.bags import Words, vector


@dataclass(frozen=True)
class Bag:
    tokens: Words

    def embed(self, texts: Sequence[str]) -> list[array[float]]:
        return [vector(text) for text in texts]


def main() -> None:
    decoder = msgspec.msgpack.Decoder(Job)
    words = Bm25()
    say(Broken("no model today")) if "--broken" in sys.argv else say(Ready())
    while (job := frames.read_blocking(sys.stdin.buffer, decoder)) is not None:
        if "POISON" in job.text:
            os.abort()
        if "SLOW" in job.text:
            time.sleep(0.05)
        if "FOREVER" in job.text:
            time.sleep(600)
        say(Broken("too odd") if "ODD" in job.text else Pieces(pieces(job, Bag(Words()), words)))


def say(told: Ready | Pieces | Broken) -> None:
    sys.stdout.buffer.write(frames.packed(told))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
