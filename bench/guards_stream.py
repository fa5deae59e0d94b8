"""What the outbound rules cost on a stream, how far they hold it back, and what they stop.

    .venv/bin/python bench/guards_stream.py ../shared/data/guards [--rows 60] [--chars 4] [--classifier FILE]

Every row of the folder's outbound data is streamed in pieces of so many characters, a few times over; of each step
the fastest time counts, since machines are noisy. Hold-back is what was not out after each piece. The last column
is the target; nothing is asserted.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.guards_chunks import fingerprint, guards, outbound
from engine.errors import Refused
from engine.guards.citations import CitationGuard
from engine.guards.classifier import Classifier
from engine.guards.deflection import DeflectionGuard
from engine.guards.egress import Egress, Tripped
from engine.guards.refusal import RefusalGuard
from engine.messages import Found, TraceId, Trail
from engine.ports import OutboundGuard, Text

T = TypeVar("T")
REPEATS = 6
LONGEST = 4000
"""Characters of an answer that are timed."""
ESCAPE = re.compile(r"\\+(?:u[0-9a-fA-F]{4}|.)")
ALLOWED = 40


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise RuntimeError("it waits")


def pieces(text: str, size: int) -> list[Text]:
    """The text, so many characters at a time."""
    return [Text(text[at : at + size]) for at in range(0, len(text), size)]


def timed(rows: Sequence[dict[str, Any]], size: int, opened: Callable[[dict[str, Any]], Callable[[Text], bool]]) -> str:
    """Microseconds a step: mean, median, 99th and 99.9th percentile. ``opened`` makes what reads one answer."""
    steps: list[float] = []
    for row in rows:
        best: list[float] = []
        for _ in range(REPEATS):
            feed, taken = opened(row), []
            for piece in pieces(row["response"][:LONGEST], size):
                begun = time.perf_counter_ns()
                goes_on = feed(piece)
                taken.append((time.perf_counter_ns() - begun) / 1000)
                if not goes_on:
                    break
            best = [min(pair) for pair in zip(best, taken, strict=False)] if best else taken
        steps += best
    steps.sort()
    return f"mean {sum(steps) / len(steps):6.1f}   p50 {at(steps, 0.5):6.1f}   p99 {at(steps, 0.99):6.1f}   " \
           f"p99.9 {at(steps, 0.999):6.1f}"


def at(ordered: Sequence[float], share: float) -> float:
    """The value below which that share lies."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def one(guard: OutboundGuard) -> Callable[[dict[str, Any]], Callable[[Text], bool]]:
    """A detector alone."""
    def opened(row: dict[str, Any]) -> Callable[[Text], bool]:
        stream = guard.open(row.get("prompt", ""), Found())
        return lambda piece: at_once(stream.feed(piece)).verdict is None
    return opened


def table(row: dict[str, Any]) -> Callable[[Text], bool]:
    """All of them at one table."""
    egress = Egress((*guards(row), CitationGuard()), fingerprint)
    screen = egress.open(row.get("prompt", ""), Found(), Trail(TraceId("0" * 32)))

    def feed(piece: Text) -> bool:
        try:
            at_once(screen.feed(piece))
        except (Tripped, Refused):
            return False
        return True
    return feed


def held(row: dict[str, Any], size: int, egress: Egress) -> tuple[int, str]:
    """The most characters that were not out, and what ended the answer."""
    screen = egress.open(row.get("prompt", ""), Found(), Trail(TraceId("0" * 32)))
    read = most = 0
    try:
        for piece in pieces(row["response"], size):
            at_once(screen.feed(piece))
            read += len(piece.text)
            if read - screen.released > most:
                most = max(most, written(row["response"][screen.released : read]))
        at_once(screen.close())
    except Tripped as trip:
        return most, trip.verdict.category
    return most, ""


def written(raw: str) -> int:
    """How many characters of text these are: in JSON, one may be written as six or more."""
    return len(ESCAPE.sub("x", raw))


def main() -> None:
    """Prints three tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=60, help="rows that are timed")
    parser.add_argument("--chars", type=int, default=4)
    parser.add_argument("--classifier", type=Path, help="the weights; without them the rules alone")
    asked = parser.parse_args()
    rows = outbound(asked.folder)
    fine = [row for row in rows if row["label"] == "ok"]
    sample = random.Random(5).sample(fine, min(asked.rows, len(fine)))
    print("microseconds a step (target: p99 of all at most 50)")
    for guard in (*guards({}), CitationGuard()):
        print(f"  {guard.name:12}", timed(sample, asked.chars, one(guard)))
    print(f"  {'all':12}", timed(sample, asked.chars, table))

    classifier = Classifier.load(asked.classifier.read_bytes()) if asked.classifier else None
    caught: dict[str, list[bool]] = defaultdict(list)
    behind: list[int] = []
    for row in rows:
        usual = [guard for guard in guards(row) if guard.name not in ("deflection", "refusal")]
        judging = (DeflectionGuard(classifier), RefusalGuard(classifier))
        most, category = held(row, asked.chars, Egress((*usual, *judging, CitationGuard()), fingerprint))
        kind = row["tier"] if row["label"] != "ok" else f"ok {row.get('kind', '')}"
        caught[kind].append(bool(category))
        if row["label"] == "ok" and not category:
            behind.append(most)
    behind.sort()
    within = sum(most <= ALLOWED for most in behind) / max(len(behind), 1)
    print(f"held back: at most {ALLOWED} characters on {within:.1%} of {len(behind)} ok rows (target 95 %),"
          f" median of the most {at(behind, 0.5)}, p99 {at(behind, 0.99)}")
    print("ended by a rule")
    for kind, ended in sorted(caught.items()):
        print(f"  {kind:28} {sum(ended):5} of {len(ended):5}  {sum(ended) / len(ended):6.1%}")


if __name__ == "__main__":
    main()
