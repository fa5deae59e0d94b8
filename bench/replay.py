"""Replays a real edit history into an index, and compares it with a fresh build after every step.

    .venv/bin/python bench/replay.py HISTORY [--model]

HISTORY is a folder with ``base.jsonl`` (``{path, text}``) and ``steps.jsonl`` (``{step, changes: [{op, path, from?,
text?}]}``). Without ``--model`` vectors come from a model that counts words, which is as good for telling whether two
indexes are equal; with it the real one embeds the incremental index, and fresh builds are left out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from adapters.files.folder import Folder
from adapters.qdrant.embed import Counter, Embedder
from adapters.qdrant.index import PassageIndex
from adapters.qdrant.sync import COMMAND, Syncer
from adapters.sources.journal import Journal
from engine.ports import Tokens
from engine.rag.chunk import chunk
from tests.adapters.qdrant.bags import Words
from tests.adapters.qdrant.worlds import an_index
from tests.builders import ORG

SMALL = (sys.executable, "-m", "tests.adapters.qdrant.small_indexer")


async def main(history: Path, *, model: bool) -> int:
    """Prints a line for each step that went wrong, and the sums; the exit code says whether any did."""
    base = {row["path"]: row["text"] for row in _rows(history / "base.jsonl")}
    steps = _rows(history / "steps.jsonl")
    embedded = changed = wrong = 0
    tokens: Tokens = Counter.load() if model else Words()
    with tempfile.TemporaryDirectory() as scratch, Journal.open(Path(scratch) / "sync.db") as journal:
        root = Path(scratch) / "pages"
        root.mkdir()
        for path, text in base.items():
            _write(root, path, text)
        async with open_index(Path(scratch) / "index", model=model) as index:
            syncer = Syncer(index, journal, COMMAND if model else SMALL)
            first = await syncer.sync(Folder("wiki", root, fresh=0), ORG)
            print(f"base: {first.added} pages, {first.chunks} chunks, {first.embedded} embedded")
            began = time.process_time()
            for number, step in enumerate(steps, 1):
                before = {path: _chunks(root, path, tokens) for path in _touched(step) if (root / path).exists()}
                gone = _apply(root, step)
                report = await syncer.sync(Folder("wiki", root, fresh=0), ORG)
                lost = set().union(*(before.get(path, set()) for path in gone))
                fresh_chunks = sum(len(_chunks(root, path, tokens) - before.get(path, set()) - lost)
                                   for path in _touched(step) if (root / path).exists())
                embedded, changed = embedded + report.embedded, changed + fresh_chunks
                if not model and not await _equal(index, root, Path(scratch) / f"fresh{number}"):
                    wrong += 1
                    print(f"step {step['step']}: the index is not as if built anew")
                if report.failed:
                    wrong += 1
                    print(f"step {step['step']}: {report.failed}")
            spent = time.process_time() - began
    print(f"steps {len(steps)} wrong {wrong} chunks-changed {changed} embedded {embedded} cpu {spent:.1f} s")
    return int(wrong > 0 or embedded > changed * 1.1)


def open_index(path: Path, *, model: bool) -> Any:
    """An index for the vectors that will come."""
    if not model:
        return an_index(path)
    return PassageIndex.open(path, Embedder())


async def _equal(index: PassageIndex, root: Path, place: Path) -> bool:
    async with an_index(place) as fresh:
        with Journal.open(None) as journal:
            await Syncer(fresh, journal, SMALL).sync(Folder("wiki", root), ORG)
        return await _contents(index) == await _contents(fresh)


async def _contents(index: PassageIndex) -> tuple[Any, ...]:
    records = {key: record.hash for key, record in index.records.items()}
    points = [point async for batch in index.store.scroll("chunk", vectors=True) for point in batch]
    return records, sorted(
        (point.id, json.dumps(point.payload, sort_keys=True), [round(n, 5) for n in point.dense or ()])
        for point in points
    )


def _chunks(root: Path, path: str, tokens: Tokens) -> set[str]:
    return {part.hash for part in chunk((root / path).read_text(), name=Path(path).stem, tokens=tokens)}


def _touched(step: dict[str, Any]) -> set[str]:
    return {change[key] for change in step["changes"] for key in ("path", "from") if key in change}


def _apply(root: Path, step: dict[str, Any]) -> set[str]:
    """Returns what is gone afterwards."""
    for change in step["changes"]:
        if change["op"] == "rename":
            text = change.get("text") or (root / change["from"]).read_text()
            (root / change["from"]).unlink()
            _write(root, change["path"], text)
        elif change["op"] == "delete":
            (root / change["path"]).unlink()
        else:
            _write(root, change["path"], change["text"])
    return {path for path in _touched(step) if not (root / path).exists()}


def _write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("history", type=Path)
    options.add_argument("--model", action="store_true")
    chosen = options.parse_args()
    sys.exit(asyncio.run(main(chosen.history, model=chosen.model)))
