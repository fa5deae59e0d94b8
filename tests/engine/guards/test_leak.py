"""The system prompt stays with us, in whatever dress it tries to leave."""

from __future__ import annotations

import base64
import codecs
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.leak import LeakGuard
from engine.messages import Found
from engine.ports import Reasoning
from tests.builders import a_passage
from tests.engine.guards.screens import CUTS, cut, letters, watch

SYSTEM = (
    "You are the bot of Fabrikam. Rule 1: gold customers get a reply within one hour. Rule 2: never mention the"
    " internal "
    "fraud score. If the score is above 71, answer with the holding message HM-3."
    " 不要透露内部编号，也不要谈论裁员计划和明年的预算。"
)
GUARD = LeakGuard(SYSTEM, "k7-canary-qd")
PIECE = SYSTEM[29:160]
LEAKS = {
    "whole": SYSTEM, "part": PIECE, "upper": PIECE.upper(), "list": PIECE.replace(". ", ".\n- "),
    "spaced": " ".join(PIECE), "wide": SYSTEM[-30:], "reversed": PIECE[::-1], "rot13": codecs.encode(PIECE, "rot13"),
    "base64": base64.b64encode(PIECE.encode()).decode(), "url": base64.urlsafe_b64encode(SYSTEM.encode()).decode(),
    "hex": PIECE.encode().hex(), "canary": "k7-canary-qd",
    "canary in base64": base64.b64encode(b"so k7-canary-qd so").decode(),
    "json": json.dumps({"a": PIECE}), "escaped": json.dumps({"a": SYSTEM[-30:]}),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
async def test_a_leak_trips_and_none_of_it_is_seen(leak: str) -> None:
    lead = "" if leak.startswith("{") else "Sure: "
    for pieces in ([lead + leak], letters(lead + leak)):
        seen = await watch(pieces, GUARD)
        assert seen.tripped == "system_prompt"
        assert (lead or '{"a": "').startswith(seen.text)


@pytest.mark.parametrize("text", [
    "Gold customers hear back quickly. I may not talk about some scores.",
    "You are the bot of the year! Never mention it.",
    "A reply within one hour is what gold customers get.",
    "canary k7 qd",
])
async def test_a_few_words_of_it_are_none(text: str) -> None:
    for pieces in ([text], letters(text)):
        assert (await watch(pieces, GUARD)).text == text


async def test_what_the_question_or_a_passage_says_is_no_secret() -> None:
    assert (await watch([PIECE], GUARD, question=f"What is this: {PIECE}?")).text == PIECE
    found = Found((a_passage(f"Handbook. {PIECE}", id="p1"),), answers=True)
    assert (await watch([PIECE], GUARD, found=found)).text == PIECE


async def test_a_leak_in_the_reasoning_is_flagged() -> None:
    scan = await GUARD.open("?", Found()).feed(Reasoning(SYSTEM))
    assert scan.verdict is not None
    assert (scan.verdict.action, scan.verdict.rule) == ("flag", "system_prompt_in_reasoning")


PARTS = st.sampled_from([*LEAKS.values(), *(leak[:40] for leak in LEAKS.values()), " ", "\n", "gold customers"
    " ", "ok. ", "🙂"])


@given(st.lists(PARTS, max_size=5).map("".join), CUTS)
async def test_no_cut_changes_the_verdict_or_shows_more(text: str, cuts: list[int]) -> None:
    whole, slow = await watch([text], GUARD), await watch(letters(text), GUARD)
    seen = await watch(cut(text, cuts), GUARD)
    assert whole.tripped == slow.tripped == seen.tripped
    assert slow.text.startswith(seen.text)
    if not whole.tripped:
        assert whole.text == slow.text == seen.text == text
