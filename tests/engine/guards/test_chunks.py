"""All outbound rules at once: what is shown does not depend on where an answer was cut, and of a span nothing is."""

from __future__ import annotations

import base64
import json
import os
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.guards_chunks import compare, outbound
from engine.guards.citations import CitationGuard
from engine.guards.deflection import DeflectionGuard
from engine.guards.disclosure import DisclosureGuard
from engine.guards.leak import LeakGuard
from engine.guards.links import LinkGuard
from engine.guards.mentions import MentionGuard
from engine.guards.refusal import RefusalGuard
from engine.guards.secrets import SecretsGuard
from tests.engine.guards.screens import Seen, letters, watch
from tests.engine.guards.test_deflection import LINES, UNSEEN
from tests.engine.guards.test_encoded import DRESSES, KEYS
from tests.engine.guards.test_leak import PIECE, SYSTEM
from tests.engine.guards.test_refusal import REFUSALS

GUARDS = (
    SecretsGuard(), DisclosureGuard(), DeflectionGuard(), RefusalGuard(), LeakGuard(SYSTEM), LinkGuard(),
    MentionGuard(), CitationGuard(),
)
ANSWERS = [
    "Annual leave is 30 days a year [1]. Ask your lead at least two weeks before, says the handbook [2].\n\n"
    "- Take it in the calendar.\n- Tell your team.\n\n> Notice is four weeks.\n\nThat is all ",
    "年假一般是三十天。我建议您提前两周申请，对于新员工，这个规定也适用。\n\n"
    "1. **申请**：在日历里登记。\n2. **通知**：告诉团队",
    "Run `make deploy` and wait.\n\n```sh\nmake deploy ENV=prod\n```\n"
    "The pipeline takes \"about\" 10 minutes; it's slow for",
]


@dataclass(frozen=True)
class Row:
    """An answer, and what in it must not be seen: ``tripped`` ends it, otherwise it is edited away."""

    text: str
    span: str
    start: int
    trips: bool


def rows() -> list[Row]:
    """Every kind of span in every kind of answer, as it stands and in JSON."""
    spans = [(line, True) for line in (*LINES[:4], *LINES[8:14], *UNSEEN, PIECE, PIECE[::-1])]
    spans += [(DRESSES[dress](key), False) for key in KEYS.values() for dress in ("spaced", "base64", "zero-width")]
    spans += [("@everyone", False), ("<!channel>", False), ("https://evil.example/?d=secret", False)]
    spans += [("509-76-3563", False), ("AB 12 34 56 C", False), ("ann.lee@corp.example", False)]
    made = [Row(f"{answer}.\n\n{span}", span, len(answer) + 3, trips) for answer in ANSWERS for span, trips in spans]
    made += [Row(refusal, refusal, 0, True) for refusal in REFUSALS]
    for row in list(made):
        for ascii_only in (True, False):
            raw = json.dumps({"ok": True, "text": row.text}, ensure_ascii=ascii_only)
            span = json.dumps(row.span, ensure_ascii=ascii_only)[1:-1]
            made.append(Row(raw, span, raw.index(span), row.trips))
    return made


ROWS = rows()


def check(row: Row, seen: Seen, slow: Seen) -> None:
    assert seen.tripped == slow.tripped
    assert slow.text.startswith(seen.text) if row.trips else slow.text == seen.text
    for step in seen.steps:
        assert len(step) <= row.start if row.trips else row.span not in step


@pytest.mark.parametrize("row", [pytest.param(row, id=str(number)) for number, row in enumerate(ROWS[::7])])
async def test_every_two_parts_near_the_span(row: Row) -> None:
    slow = await watch(letters(row.text), *GUARDS)
    assert bool(slow.tripped) == row.trips
    check(row, slow, slow)
    check(row, await watch([row.text], *GUARDS), slow)
    end = min(row.start + len(row.span), row.start + 40)
    for at in range(max(row.start - 3, 1), min(end + 3, len(row.text)), 3):
        check(row, await watch([row.text[:at], row.text[at:]], *GUARDS), slow)


async def splits(rows: list[Row], number: int, seed: int) -> None:
    """So many random ways, spread over the rows."""
    rng = random.Random(seed)   # noqa: S311 - which cuts are tried is no secret
    for row in rows:
        slow = await watch(letters(row.text), *GUARDS)
        check(row, slow, slow)
        for _ in range(number // len(rows) + 1):
            cuts = sorted(rng.randrange(len(row.text) + 1) for _ in range(rng.choice((1, 2, 3, 8, 30))))
            pieces = [row.text[a:b] for a, b in zip([0, *cuts], [*cuts, len(row.text)], strict=True)]
            check(row, await watch(pieces, *GUARDS), slow)


async def test_ten_thousand_random_ways() -> None:
    await splits(ROWS[::3], 10_000, 7)


@pytest.mark.long
async def test_a_hundred_thousand_random_ways() -> None:
    await splits(ROWS, 100_000, 8)


@pytest.mark.long
@pytest.mark.skipif("GUARDS_DATA" not in os.environ, reason="GUARDS_DATA names no folder of labelled answers")
async def test_every_labelled_answer_is_judged_the_same_however_it_is_cut() -> None:
    rows = outbound(Path(os.environ["GUARDS_DATA"]), below=False)
    count = await compare(rows, 100_000, random.Random(9))  # noqa: S311 - which cuts are tried is no secret
    assert (count["rows"], count["different"], count["span characters seen"]) == (len(rows), 0, 0)


async def test_no_more_than_forty_characters_are_held_back() -> None:
    for answer in ANSWERS:
        text = answer * 3
        seen = await watch(letters(text), *GUARDS)
        behind = [number + 1 - len(step) for number, step in enumerate(seen.steps[:-1])]
        assert max(behind) <= 40


async def test_a_megabyte_at_once_and_an_answer_that_never_ends() -> None:
    text = "Ask your lead at least two weeks before, says the handbook. " * 17_000
    assert (await watch([text], *GUARDS)).text == text
    broken = '{"a": "' + base64.b64encode(b"\xff" * 30_000).decode()
    seen = await watch([broken[at : at + 4000] for at in range(0, len(broken), 4000)], *GUARDS)
    assert broken.startswith(seen.text)
