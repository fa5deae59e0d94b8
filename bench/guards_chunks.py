"""Whether what is shown depends on where an answer was cut: it must not, and of a span nothing may be seen.

    .venv/bin/python bench/guards_chunks.py ../shared/data/guards [--splits 10000] [--seed 1] [--jobs 2]

Every outbound row of the folder goes through the outbound rules whole, one character at a time around its span, in
every two parts near it, and in random parts (``--splits`` in all, spread over the rows). A span is where the answer
ended, where the first words of it were replaced, or where the row's label puts it; a row that has none is cut in two
at a few random places. Compared are the verdict and the words that a reader saw. Exits with 1 when anything differs,
or when a character of a span was seen. Some minutes of processor time, over ``--jobs`` processes.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from engine.errors import Refused
from engine.guards.deflection import DeflectionGuard
from engine.guards.disclosure import KINDS, REACHING, DisclosureGuard
from engine.guards.egress import Egress, Tripped
from engine.guards.leak import LeakGuard
from engine.guards.links import LinkGuard
from engine.guards.mentions import MentionGuard
from engine.guards.refusal import RefusalGuard
from engine.guards.secrets import SecretsGuard
from engine.messages import Found, TraceId, Trail
from engine.ports import OutboundGuard, Text

NEAR = 24
"""Two-way splits are tried at so many places on either side of a span's beginning."""
ELSEWHERE = 6
"""And at so many of an answer that has none."""
AROUND = 120
"""Characters on either side of a span that come one at a time."""
STEP = 32
"""Characters of a piece of the run that finds out where that is."""
PART = 100
"""Rows that one process takes at a time."""
SYSTEM = "You are Bartizan, a colleague in a team chat. Answer from the passages that you are given and cite them."


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one way of cutting."""

    rule: str               # empty: the answer went through
    text: str
    read: int               # characters that had come in by then


async def look(egress: Egress, row: dict[str, Any], pieces: Sequence[str]) -> Seen:
    """One answer in front of one reader."""
    screen = egress.open(row.get("prompt", ""), Found(), Trail(TraceId("0" * 32)))
    read = 0
    try:
        for piece in pieces:
            read += len(piece)
            await screen.feed(Text(piece))
        await screen.close()
    except Tripped as trip:
        return Seen(f"{trip.guard}:{trip.verdict.rule}", screen.text, read)
    except Refused as refused:
        return Seen(f"broken:{refused}", screen.text, read)
    return Seen("", screen.text, read)


def guards(row: dict[str, Any]) -> tuple[OutboundGuard, ...]:
    """The outbound rules."""
    return (
        SecretsGuard(), DisclosureGuard(KINDS - REACHING), DeflectionGuard(), RefusalGuard(),
        LeakGuard(row.get("system") or SYSTEM), LinkGuard(), MentionGuard(),
    )


def fingerprint(text: str) -> str:
    """None is kept here."""
    return str(len(text))


def outbound(folder: Path, *, below: bool = True) -> list[dict[str, Any]]:
    """Rows with a ``response``, of the folder and, ``below``, of its own folders."""
    rows: list[dict[str, Any]] = []
    stars = "**/" if below else ""
    for path in sorted((*folder.glob(f"{stars}*.jsonl"), *folder.glob(f"{stars}*.jsonl.gz"))):
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            rows += [row for row in map(json.loads, lines) if "response" in row]
    return rows


def spanned(row: dict[str, Any], seen: Seen) -> int | None:
    """Where in the answer the span begins by which it is cut; None: there is nothing in it that is not shown."""
    text = row["response"]
    if seen.rule:
        return len(seen.text)
    if seen.text != text:
        return next((n for n, (a, b) in enumerate(zip(seen.text, text, strict=False)) if a != b), len(seen.text))
    return row.get("start", 0) if row["label"] != "ok" else None


def letters(text: str, low: int, high: int) -> list[str]:
    """One character at a time around these places and between them; what lies before and behind, each at once."""
    low, high = max(low - AROUND, 0), high + AROUND
    return [piece for piece in (text[:low], *text[low:high], text[high:]) if piece]


def cuts(text: str, near: int | None, rng: random.Random, count: int) -> Iterator[list[str]]:
    """Two parts near a place, or at `ELSEWHERE` random ones, and ``count`` random ways."""
    places: Iterable[int] = (
        sorted(rng.randrange(len(text) + 1) for _ in range(ELSEWHERE)) if near is None
        else range(max(near - NEAR, 1), min(near + NEAR, len(text)))
    )
    for at in places:
        yield [text[:at], text[at:]]
    for _ in range(count):
        ways = sorted(rng.randrange(len(text) + 1) for _ in range(rng.choice((1, 2, 3, 8, 30))))
        yield [text[a:b] for a, b in zip([0, *ways], [*ways, len(text)], strict=True)]


async def compare(rows: Sequence[dict[str, Any]], splits: int, rng: random.Random) -> Counter[str]:
    """How many rows were cut how often, and what went wrong: "different" outcomes and "span characters seen".

    Prints the first few differences. ``splits``: random ones, over all rows.
    """
    count: Counter[str] = Counter()
    left = splits
    for number, row in enumerate(rows):
        text = row["response"]
        egress = Egress(guards(row), fingerprint)
        steps = await look(egress, row, [text[at : at + STEP] for at in range(0, len(text), STEP)])
        near = spanned(row, steps)
        begun = rng.randrange(len(text) + 1) if near is None else near
        slow = await look(egress, row, letters(text, begun, max(begun, steps.read if steps.rule else 0)))
        near = spanned(row, slow)
        count["rows"] += 1
        count["tripped"] += bool(slow.rule)
        count["edited"] += not slow.rule and slow.text != text
        count["rows with a span"] += near is not None
        span = row.get("start", 0) if row["label"] in ("deflection", "refusal") else None
        if slow.rule and span is not None and not text.lstrip().startswith(("{", "[")) and "start" in row:
            seen = max(len(slow.text) - span, 0)
            count["span characters seen"] += seen
            count["rows with span characters seen"] += bool(seen)
            if seen > 0 and count["rows with span characters seen"] <= 10:
                print(row.get("id"), slow.rule, "seen:", repr(slow.text[span:]), repr(text[span : span + 60]))
        each = -(-left // (len(rows) - number))
        left -= each
        count["random splits"] += each
        for pieces in ([text], *cuts(text, near, rng, each)):
            cut = await look(egress, row, pieces)
            count["splits"] += 1
            same = cut.rule == slow.rule and (slow.text.startswith(cut.text) if slow.rule else cut.text == slow.text)
            if not same:
                count["different"] += 1
                if count["different"] <= 10:
                    at = next((n for n, (a, b) in enumerate(zip(cut.text, slow.text, strict=False)) if a != b),
                              min(len(cut.text), len(slow.text)))
                    print(row.get("id"), [len(piece) for piece in pieces][:6], cut.rule or "-", slow.rule or "-",
                          repr(cut.text[max(at - 40, 0) : at + 60]), repr(slow.text[max(at - 40, 0) : at + 60]))
    return count


def share(rows: Sequence[dict[str, Any]], splits: int, seed: str) -> Counter[str]:
    """`compare` in a process of its own."""
    return asyncio.run(compare(rows, splits, random.Random(seed)))


def main() -> int:
    """Prints what was tried, and what failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--splits", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=0, help="only so many rows, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 2))
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    rows = outbound(asked.folder)
    rng.shuffle(rows)
    rows = rows[: asked.rows or len(rows)]
    parts = [rows[at : at + PART] for at in range(0, len(rows), PART)]      # the same whoever does which
    shares = [-(-asked.splits * len(part) // len(rows)) for part in parts]
    seeds = [f"{asked.seed} {number}" for number in range(len(parts))]
    count: Counter[str] = Counter()
    with ProcessPoolExecutor(asked.jobs) as jobs:
        for done in jobs.map(share, parts, shares, seeds):
            count += done
    spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    print(
        f"{count['rows']} rows, {count['rows with a span']} with a span ({count['tripped']} ended, {count['edited']} "
        f"edited), {count['splits']} ways of cutting, {count['random splits']} of them random: "
        f"{count['different']} different, {count['span characters seen']} characters of a span seen "
        f"({spent:.0f} s of processor time)"
    )
    return int(bool(count["different"] or count["span characters seen"]))


if __name__ == "__main__":
    sys.exit(main())
