"""How well old talk is found by its words alone: windows over channels, ranked by BM25, neighbours left out."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adapters.qdrant.embed import Counter
from adapters.qdrant.index import Bm25
from engine.rag.chunk import chunk
from engine.rag.rank import apart

BEST: Final = 100               # candidates, before neighbours are left out
TARGETS: Final = {"search": "66", "thread-search": "85"}


@dataclass(frozen=True, slots=True)
class Window:
    """A chunk of a channel, and the messages in it."""

    sample: str
    start: int
    end: int
    ids: frozenset[str]
    words: dict[int, float]


async def chat_table(folder: Path) -> None:
    """Prints hit@5 and hit@10 for both kinds of questions: a hit holds a message of the answer."""
    channels = _windows(folder / "messages.jsonl")
    vocabulary = Bm25()
    found: dict[str, list[list[bool]]] = defaultdict(list)
    for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        query = json.loads(line)
        if query["kind"] not in TARGETS:
            continue
        wanted = frozenset(query["relevant"])
        ranked = _ranked(channels[query["channel"]], vocabulary.embed_query(query["query"]).indices)
        found[query["kind"]].append([bool(window.ids & wanted) for window in ranked])
    for kind, runs in found.items():
        for size in (5, 10):
            hits = 100 * sum(any(run[:size]) for run in runs) / len(runs)
            print(f"{f'chat, {kind} hit@{size} ({len(runs)})':42s} {hits:8.1f}   {TARGETS[kind] if size == 5 else ''}")


def _windows(path: Path) -> dict[str, list[Window]]:
    samples: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        samples[message["channel"], message["id"].partition(":")[0]].append(message)
    tokens, vocabulary = Counter.load(), Bm25()
    channels: dict[str, list[Window]] = defaultdict(list)
    for (channel, sample), said in samples.items():
        texts = [f"{each['author']}: {' '.join(each['text'].split())}" for each in said]
        starts = [0]
        for text in texts:
            starts.append(starts[-1] + len(text) + 2)
        for part in chunk("\n\n".join(texts), name=channel, tokens=tokens, kind="chat"):
            first, last = bisect_right(starts, part.start) - 1, bisect_right(starts, part.end - 1)
            ids = {each["id"] for each in said[first:last]}
            sparse = vocabulary.embed_document(part.indexed)
            words = dict(zip(sparse.indices, sparse.values, strict=True))
            channels[channel].append(Window(sample, part.start, part.end, frozenset(ids), words))
    return channels


def _ranked(windows: Sequence[Window], words: Sequence[int]) -> list[Window]:
    holding = {word: sum(word in window.words for window in windows) for word in words}
    rarity = {word: math.log(1 + (len(windows) - n + 0.5) / (n + 0.5)) for word, n in holding.items()}
    scores = [sum(rarity[word] * window.words.get(word, 0.0) for word in words) for window in windows]
    order = sorted(range(len(windows)), key=lambda n: -scores[n])[:BEST]
    best = [windows[n] for n in order if scores[n] > 0]
    return [best[n] for n in apart([(window.sample, window.start, window.end) for window in best])]
