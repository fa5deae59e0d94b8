"""What indexing costs beside the embedding alone, and a second look at files that have not changed.

    .venv/bin/python bench/indexing.py FOLDER [--pages 60]

The bare loop tokenizes and runs the very texts that the indexer embeds, four at a time, through onnxruntime alone;
it has all of them at once and sorts them by length, so that next to nothing is padded. Processor times decide. The
second part syncs 1,000 short files twice, with a model that only counts words.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).parent.parent))

from adapters.files.folder import Folder
from adapters.qdrant import embed
from adapters.qdrant.index import Bm25
from adapters.qdrant.indexer import Job, pieces
from adapters.qdrant.sync import Syncer
from adapters.sources.journal import Journal
from bench.processes import processor
from engine.rag.chunk import chunk
from tests.adapters.qdrant.worlds import an_index
from tests.builders import ORG

SMALL = (sys.executable, "-m", "tests.adapters.qdrant.small_indexer")
FILES = 1_000
BATCH = 4                       # of 1 to 16 the quickest


def bare(texts: Sequence[str]) -> float:
    """Processor seconds of the least that embedding these texts can take."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.enable_cpu_mem_arena = 1, False
    graph, held = embed.FOLDER / "graph.onnx", embed.named(embed.FOLDER / "graph.onnx", embed.model_path())
    options.add_external_initializers(list(held), list(held.values()))
    session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(embed.FOLDER / "tokenizer.json"))
    tokenizer.enable_truncation(embed.WINDOW)
    tokenizer.enable_padding()
    names = [each.name for each in session.get_inputs()]
    began = time.process_time()
    order = sorted(texts, key=len)
    for at in range(0, len(order), BATCH):
        encoded = tokenizer.encode_batch(order[at : at + BATCH])
        ids = np.array([each.ids for each in encoded], np.int64)
        mask = np.array([each.attention_mask for each in encoded], np.int64)
        every = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = session.run(None, {name: every[name] for name in names})[0]
        means = (states * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        means / np.linalg.norm(means, axis=1, keepdims=True)
    return time.process_time() - began


def rate(folder: Path, count: int) -> None:
    """How much of the bare loop's rate is left when pages are cut, embedded and made searchable by words."""
    found = sorted(folder.rglob("*.md"))
    paths = found[:: max(1, len(found) // count)]
    jobs = [Job(path.read_text(encoding="utf-8", errors="replace"), path.stem) for path in paths]
    model, words = embed.TextModel.load(threads=1), Bm25()
    cut = [part for job in jobs for part in chunk(job.text, name=job.name, tokens=model.tokens)]
    texts = [text for part in cut for text in part.parts]
    least = bare(texts)
    began = time.process_time()
    made = [piece for job in jobs for piece in pieces(job, model, words)]
    ours = time.process_time() - began
    print(f"{len(jobs)} pages, {len(made)} chunks, {len(texts)} texts: bare loop {least:.1f} s, "
          f"indexer {ours:.1f} s of processor time: {100 * least / ours:.0f} % (target 90)")


async def again() -> None:
    """Two syncs of files that do not change in between."""
    with tempfile.TemporaryDirectory() as scratch, Journal.open(Path(scratch) / "sync.db") as journal:
        root = Path(scratch) / "pages"
        root.mkdir()
        for n in range(FILES):
            (root / f"{n}.md").write_text(f"# Page {n}\n\nNotice number {n} is given in time.\n")
        async with an_index(Path(scratch) / "index") as index:
            for name in ("first", "second"):
                wall, began = time.perf_counter(), processor()
                report = await Syncer(index, journal, SMALL).sync(Folder("wiki", root, fresh=0), ORG)
                print(f"{name} sync of {FILES:,} files: {time.perf_counter() - wall:.2f} s, processor "
                      f"{processor() - began:.2f} s, embedded {report.embedded}, "
                      f"unchanged {report.unchanged}" + ("   (target 2 s, none)" if name == "second" else ""))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--pages", type=int, default=60)
    chosen = options.parse_args()
    rate(chosen.folder, chosen.pages)
    asyncio.run(again())
