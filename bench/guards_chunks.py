"""Whether what is shown depends on where an answer was cut: it must not, and of a span nothing may be seen.

    .venv/bin/python bench/guards_chunks.py ../shared/data/guards [--splits 10000] [--seed 1]

Every outbound row of the folder goes through the outbound rules whole, one character at a time, in every two
parts near its span, and in random parts (``--splits`` in all, spread over the rows). Compared are the verdict and
the words that a reader saw. Exits with 1 when anything differs, or when a character of a span was seen.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
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
SYSTEM = "You are Bartizan, a colleague in a team chat. Answer from the passages that you are given and cite them."


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one way of cutting."""

    rule: str               # empty: the answer went through
    text: str


async def look(egress: Egress, row: dict[str, Any], pieces: Sequence[str]) -> Seen:
    """One answer in front of one reader."""
    screen = egress.open(row.get("prompt", ""), Found(), Trail(TraceId("0" * 32)))
    try:
        for piece in pieces:
            await screen.feed(Text(piece))
        await screen.close()
    except Tripped as trip:
        return Seen(f"{trip.guard}:{trip.verdict.rule}", screen.text)
    except Refused as refused:
        return Seen(f"broken:{refused}", screen.text)
    return Seen("", screen.text)


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


def cuts(text: str, near: int, rng: random.Random, count: int) -> Iterator[list[str]]:
    """Two parts near a place, and ``count`` random ways."""
    for at in range(max(near - NEAR, 1), min(near + NEAR, len(text))):
        yield [text[:at], text[at:]]
    for _ in range(count):
        places = sorted(rng.randrange(len(text) + 1) for _ in range(rng.choice((1, 2, 3, 8, 30))))
        yield [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


async def compare(rows: Sequence[dict[str, Any]], splits: int, rng: random.Random) -> Counter[str]:
    """How many rows were cut how often, and what went wrong: "different" outcomes and "span characters seen".

    Prints the first few differences. ``splits``: random ones, over all rows.
    """
    each = max(1, round(splits / max(len(rows), 1)))
    count: Counter[str] = Counter()
    for row in rows:
        text = row["response"]
        egress = Egress(guards(row), fingerprint)
        slow = await look(egress, row, list(text))
        span = row.get("start", 0) if row["label"] in ("deflection", "refusal") else None
        count["rows"] += 1
        count["tripped"] += bool(slow.rule)
        if slow.rule and span is not None and not text.lstrip().startswith(("{", "[")) and "start" in row:
            seen = max(len(slow.text) - span, 0)
            count["span characters seen"] += seen
            count["rows with span characters seen"] += bool(seen)
        for pieces in ([text], *cuts(text, len(slow.text) if slow.rule else rng.randrange(len(text) + 1), rng, each)):
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


async def main() -> int:
    """Prints what was tried, and what failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--splits", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=0, help="only so many rows, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    rows = outbound(asked.folder)
    if asked.rows:
        rows = rng.sample(rows, min(asked.rows, len(rows)))
    count = await compare(rows, asked.splits, rng)
    print(", ".join(f"{name} {number}" for name, number in sorted(count.items())))
    return int(bool(count["different"] or count["span characters seen"]))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
