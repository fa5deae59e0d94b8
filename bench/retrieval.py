"""What a question costs: processor and wall time of retrieval over many chunks, with rights, and memory.

    .venv/bin/python bench/retrieval.py [--chunks 100000] [--questions 300] [--engine edge|memory] [--limit 6]

Vectors are synthetic (clustered), words are made up and Zipf-distributed, so that postings look like those of prose. A
person is in 20 of 200 groups, which leaves about a tenth of the pages. Every question is new: its embedding by the
model that ships with the program, the search, and the second look at rights are included. The index is built in a
process of its own, so that memory is what answering takes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from adapters.qdrant.embed import SIZE, Embedder
from adapters.qdrant.index import Bm25, PassageIndex
from adapters.qdrant.points import Piece, Record
from adapters.qdrant.server import MEMORY, ServerOptions, open_generations
from adapters.qdrant.store import Words
from bench.processes import memory, processor
from engine.messages import Audience, Conversation, ConversationId, Member, PersonId

GROUPS = 200
HELD = 20
EACH = 10                       # chunks of a page
LENGTH = 120                    # words of a chunk
NO_PAST = Conversation(ConversationId("bench"))
STOPPED = 50                    # the most frequent words stand for stop words, which no question keeps
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il")]


def vocabulary(dice: random.Random) -> list[str]:
    """30,000 words that no language has."""
    return ["".join(dice.choices(SYLLABLES, k=dice.choice((2, 2, 3, 4)))) for _ in range(30_000)]


def pages(chunks: int) -> Iterator[tuple[Record, list[Piece]]]:
    """Records and pieces, ten chunks a page; the same every time."""
    dice, numbers = random.Random(7), np.random.default_rng(7)
    words, ranks = vocabulary(dice), np.arange(1, 30_001) ** -1.0
    weights, centres, bag = ranks / ranks.sum(), numbers.standard_normal((500, SIZE)), Bm25()
    for page in range(chunks // EACH):
        acl = frozenset(f"group:{dice.randrange(GROUPS)}" for _ in range(dice.choice((1, 1, 2))))
        record = Record(f"bench/{page}.md", "bench", str(page), "1", acl, f"https://wiki.acme.example/{page}")
        made = []
        for number in range(EACH):
            text = " ".join(words[n] for n in numbers.choice(30_000, LENGTH, p=weights))
            sparse = bag.embed_document(text)
            dense = centres[dice.randrange(500)] + 0.7 * numbers.standard_normal(SIZE)
            dense = (dense / np.linalg.norm(dense)).astype("float32")
            made.append(Piece(text, 0, len(text), f"Page {page}", "", f"{page}/{number}",
                              array("f", dense.tobytes()).tobytes(), sparse.indices, sparse.values))
        yield record, made


@asynccontextmanager
async def opened(engine: str, folder: Path, embedder: Embedder) -> AsyncGenerator[PassageIndex]:
    async with AsyncExitStack() as stack:
        if engine == "edge":
            yield await stack.enter_async_context(PassageIndex.open(folder, embedder))
        else:
            server = await stack.enter_async_context(open_generations(ServerOptions(MEMORY)))
            yield await stack.enter_async_context(PassageIndex.over(server, embedder))


async def build(folder: Path, chunks: int) -> None:
    """In a process of its own."""
    began = time.perf_counter()
    async with opened("edge", folder, Embedder()) as index:
        await index.put(pages(chunks))
        print(f"built {chunks:,} chunks in {time.perf_counter() - began:.0f} s, made-up texts included", flush=True)
        began = time.perf_counter()
        waited = await tidied(index)
        print(f"tidied up in {time.perf_counter() - began:.1f} s; of {len(waited)} searches meanwhile "
              f"the longest took {max(waited):.0f} ms", flush=True)


async def tidied(index: PassageIndex) -> list[float]:
    """Wall milliseconds of each search until that is done, one after the other."""
    tidying, spent = asyncio.create_task(index.tidy()), []
    while not tidying.done():
        began = time.perf_counter()
        await index.store.search([1.0] * SIZE, Words([1], [1.0]), [1])
        spent.append(1e3 * (time.perf_counter() - began))
        await asyncio.sleep(0.02)
    await tidying
    return spent


async def ask(index: PassageIndex, questions: Sequence[str], at_once: int, limit: int) -> tuple[list[float], float]:
    """Wall milliseconds of each question, and processor milliseconds of all of them, each."""
    dice = random.Random(11)
    waiting, spent = list(questions), []
    held = [frozenset(f"group:{n}" for n in dice.sample(range(GROUPS), HELD)) for _ in range(50)]

    async def person() -> None:
        while waiting:
            question = waiting.pop()
            audience = Audience((Member(PersonId("ann"), dice.choice(held)),))
            began = time.perf_counter()
            found = await index.find(question, past=NO_PAST, audience=audience, limit=limit)
            still = await index.still_readable(found.passages, audience)
            spent.append(1e3 * (time.perf_counter() - began))
            assert len(still) == len(found.passages) > 0

    cpu = processor()
    await asyncio.gather(*(person() for _ in range(at_once)))
    return spent, 1e3 * (processor() - cpu) / len(questions)


async def measure(engine: str, folder: Path, chunks: int, count: int, limit: int) -> None:
    """The table."""
    words, dice = vocabulary(random.Random(7)), random.Random(13)
    ranks = [1 / (n + 1) if n >= STOPPED else 0.0 for n in range(len(words))]

    def questions() -> list[str]:
        return [f"how do I {' '.join(dice.choices(words, ranks, k=dice.randrange(3, 9)))}?" for _ in range(count)]

    async with Embedder(kept=10).running() as embedder:
        for question in questions()[:20]:
            await embedder.query(question)
        base = memory()
        vectors: list[float] = []
        for question in questions()[:100]:
            began = time.perf_counter()
            await embedder.query(question)
            vectors.append(1e3 * (time.perf_counter() - began))
        began = time.perf_counter()
        async with opened(engine, folder, embedder) as index:
            if engine != "edge":
                await index.put(pages(chunks))
            print(f"opened in {time.perf_counter() - began:.2f} s; embedding a question alone: "
                  f"p50 {statistics.median(vectors):.1f} ms, p95 {percentile(vectors, 95):.1f} ms")
            await ask(index, questions()[:20], 1, limit)
            for at_once in (1, 4):
                spent, cpu = await ask(index, questions(), at_once, limit)
                print(f"{engine}, {chunks:,} chunks, {HELD} of {GROUPS} groups, {at_once} at once: "
                      f"p50 {statistics.median(spent):6.1f} ms  p95 {percentile(spent, 95):6.1f} ms  "
                      f"processor {cpu:5.1f} ms a question")
            print(f"memory over base: {(memory() - base) / 1e6:.0f} MB "
                  f"(base with the model {base / 1e6:.0f} MB)")


def percentile(values: Sequence[float], part: int) -> float:
    return statistics.quantiles(values, n=100)[part - 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--engine", choices=("edge", "memory"), default="edge")
    parser.add_argument("--limit", type=int, default=6)
    parser.add_argument("--folder", type=Path, help="keep the index here, and use it again")
    parser.add_argument("--build", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.build:
        asyncio.run(build(chosen.folder, chosen.chunks))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary) / "index"
        if chosen.engine == "edge" and not folder.exists():
            subprocess.run([sys.executable, __file__, "--build", "--folder", str(folder),
                            "--chunks", str(chosen.chunks)], check=True, env=os.environ)
        asyncio.run(measure(chosen.engine, folder, chosen.chunks, chosen.questions, chosen.limit))


if __name__ == "__main__":
    main()
