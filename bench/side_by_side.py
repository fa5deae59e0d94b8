"""The same 10,000 chunks, rights and questions in three retrievers, one after the other on the same machine.

    .venv/bin/python bench/side_by_side.py [--haystack PYTHON] [--chunks 10000] [--questions 60]

Bartizan over Qdrant Edge, Bartizan over qdrant-client's local mode, and Haystack's BM25 and embedding retrievers in
memory, joined by reciprocal rank fusion, with the allow-lists as a filter. PYTHON is the interpreter of an environment
of its own with ``haystack-ai`` in it; without one that line is left out and says why. Questions are embedded by the
same model in the same process for all three; what that takes is included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

PEER = Path(__file__).parent / "haystack_peer.py"


async def main(haystack: Path | None, chunks: int, count: int) -> None:
    """Prints a line for each."""
    from adapters.qdrant.embed import Embedder  # noqa: PLC0415 - the peer has none of this
    from bench.retrieval import GROUPS, HELD, NO_PAST, STOPPED, opened, pages, vocabulary  # noqa: PLC0415
    from engine.messages import Audience, Member, PersonId  # noqa: PLC0415
    from engine.rag.access import passing  # noqa: PLC0415

    words, dice = vocabulary(random.Random(7)), random.Random(13)
    ranks = [1 / (n + 1) if n >= STOPPED else 0.0 for n in range(len(words))]
    asked = [f"how do I {' '.join(dice.choices(words, ranks, k=dice.randrange(3, 9)))}?" for _ in range(count)]
    readers = [frozenset(f"group:{n}" for n in dice.sample(range(GROUPS), HELD)) for _ in asked]
    world = list(pages(chunks))
    with tempfile.TemporaryDirectory() as scratch:
        async with Embedder(kept=0).running() as embedder:
            await embedder.query("warm")
            took: list[float] = []
            for engine in ("edge", "memory"):
                async with opened(engine, Path(scratch, engine), embedder) as index:
                    began = time.perf_counter()
                    await index.put(world)
                    print(f"{engine}: {chunks:,} chunks in {time.perf_counter() - began:.0f} s", flush=True)
                    some = len(asked) if engine == "edge" else max(10, len(asked) // 4)
                    took = []
                    for question, held in zip(asked[:some], readers, strict=False):
                        audience = Audience((Member(PersonId("ann"), held),))
                        began = time.perf_counter()
                        await index.find(question, past=NO_PAST, audience=audience, limit=6)
                        took.append(time.perf_counter() - began)
                    told(f"Bartizan over {engine}", took)
            vectors, embedding = [], []
            for question in asked:
                began = time.perf_counter()
                vectors.append(list(await embedder.query(question)))
                embedding.append(time.perf_counter() - began)
        if haystack is None:
            print("Haystack: left out, since --haystack names no interpreter")
            return
        lists = {record.document: record.acl for record, _ in world}
        documents = [
            {"id": piece.hash, "text": piece.text, "vector": list(array("f", piece.dense)), "acl": record.document}
            for record, made in world for piece in made
        ]
        questions: list[dict[str, Any]] = [
            {"text": text, "vector": vector,
             "allowed": sorted(passing(lists, Audience((Member(PersonId("ann"), held),))))}
            for text, vector, held in zip(asked, vectors, readers, strict=True)
        ]
        given = Path(scratch, "world.json")
        await asyncio.to_thread(given.write_text, json.dumps({"documents": documents, "questions": questions}))
        ran = await asyncio.to_thread(
            subprocess.run, [str(haystack), str(PEER), str(given)], capture_output=True, text=True, check=False)
        if ran.returncode:
            print(f"Haystack: left out, it ended with {ran.returncode}: {ran.stderr.strip().splitlines()[-1:]}")
            return
        made = json.loads(ran.stdout.splitlines()[-1])
        print(f"Haystack {made['version']}: {chunks:,} chunks in {made['wrote']:.0f} s")
        told(f"Haystack {made['version']}", [a + b for a, b in zip(made["took"], embedding, strict=False)])


def told(name: str, took: Sequence[float]) -> None:
    """One line of milliseconds."""
    parts = statistics.quantiles(took, n=20)
    print(f"{name:32s} {len(took):4d} questions  p50 {1e3 * statistics.median(took):8.1f} ms  "
          f"p95 {1e3 * parts[-1]:8.1f} ms", flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--haystack", type=Path, help="a Python with haystack-ai")
    options.add_argument("--chunks", type=int, default=10_000)
    options.add_argument("--questions", type=int, default=60)
    chosen = options.parse_args()
    asyncio.run(main(chosen.haystack, chosen.chunks, chosen.questions))
