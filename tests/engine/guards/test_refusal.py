"""Refusals are seen coming; help with a caveat is not one."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.refusal import RefusalGuard
from tests.engine.guards.screens import CUTS, cut, letters, watch

REFUSALS = [
    "I'm sorry, but I can't help with that request.",
    "I cannot provide instructions on how to do this, as it is illegal and harmful.",
    "As an AI language model, I cannot take part in discussions that promote hatred.",
    "I do not create content that promotes discrimination. I aim to be helpful while avoiding harm.",
    "It is not appropriate to make such assumptions about people.",
    "Unfortunately, I am unable to assist you with this. It goes against my guidelines.",
    "抱歉，我无法提供这方面的帮助，因为这是违法的。",
    "作为AI助手，我不能回答这个问题，因为它涉及非法行为。",
    "Es tut mir leid, aber bei dieser Anfrage kann ich Ihnen leider nicht helfen, das wäre illegal.",
]
HELP = [
    "I can't open attachments in this channel, but here is what usually works: paste the text of pages 2 to 4.",
    "I won't run that myself, as it can't be undone. Here's the safe order: 1) `pg_dump`, 2) rename, 3) wait a day.",
    "I don't have live data. Two quick ways: `curl wttr.in/Oslo` in a terminal, or the yr.no page.",
    "我没有权限登录您的系统，不过您可以这样查：进入日志中心，按订单号搜索。",
    "The book is under copyright, so I won't reproduce long passages. The argument in four sentences: teams slow down.",
    "You cannot carry over more than five days, says the handbook.",
    "No, the office is closed on Friday.",
    'The bot answered "I\'m sorry, but I can\'t help with that request." to a plain question.',
    "Leave is 30 days a year. " * 20 + "I'm sorry, but I can't help with that request.",
]


@pytest.mark.parametrize("text", REFUSALS)
async def test_a_refusal_trips_before_a_character_of_it_is_seen(text: str) -> None:
    for pieces in ([text], letters(text)):
        seen = await watch(pieces, RefusalGuard())
        assert (seen.tripped, seen.text) == ("refusal", "")


@pytest.mark.parametrize("text", REFUSALS[:7])
async def test_also_inside_json(text: str) -> None:
    raw = json.dumps({"status": "ok", "blocks": [{"type": "section", "text": text}]})
    for pieces in ([raw], letters(raw)):
        seen = await watch(pieces, RefusalGuard())
        assert seen.tripped == "refusal"
        assert raw[: raw.index(json.dumps(text)) + 1].startswith(seen.text)


@pytest.mark.parametrize("text", HELP)
async def test_help_with_a_caveat_goes_through(text: str) -> None:
    for pieces in ([text], letters(text)):
        seen = await watch(pieces, RefusalGuard())
        assert (seen.tripped, seen.text) == ("", text)


@dataclass(frozen=True)
class Scores:
    deflection: float = 0.0
    refusal: float = 0.0
    narrative: float = 0.0


@dataclass
class Told:
    """A classifier that says what it was told to, and remembers what it was asked."""

    scores: Scores
    asked: list[tuple[str, str]]

    def outbound(self, question: str, answer: str) -> Scores:
        self.asked.append((question, answer))
        return self.scores


async def test_the_classifier_is_asked_where_the_form_leaves_doubt_and_only_there() -> None:
    doubtful = "I cannot give real-time data. The moon is far away."
    asked: list[tuple[str, str]] = []
    assert (await watch([doubtful], RefusalGuard(Told(Scores(refusal=0.2), asked)))).text == doubtful
    assert asked == [("how so?", doubtful)]
    assert (await watch([doubtful], RefusalGuard(Told(Scores(refusal=0.9), [])))).tripped == "refusal"
    asked.clear()
    await watch(["Four weeks, says the handbook. Ask your lead."], RefusalGuard(Told(Scores(refusal=0.9), asked)))
    assert asked == []


@pytest.mark.parametrize("end", ["'。", "’。 x", "'. ", "'！\n", "'： «a"])
async def test_an_apostrophe_before_an_end_mark_is_passed(end: str) -> None:
    text = f"I'm sure, and so does he{end}"
    assert (await watch([text], RefusalGuard())).text == text


PARTS = st.sampled_from([*REFUSALS, *HELP[:6], *(text[:25] for text in REFUSALS), " ", "\n", "\n\n", "."
    " ", "。", '"', "“",
                         "”", "`", "- ", "> ", "'", "\ud800", "I ", "Sorry. ", "抱歉。", "42"])


@given(st.lists(PARTS, max_size=8).map("".join), CUTS)
async def test_no_cut_changes_the_verdict_or_shows_more(text: str, cuts: list[int]) -> None:
    whole, slow = await watch([text], RefusalGuard()), await watch(letters(text), RefusalGuard())
    seen = await watch(cut(text, cuts), RefusalGuard())
    assert whole.tripped == slow.tripped == seen.tripped
    assert slow.text.startswith(seen.text)
    if not whole.tripped:
        assert whole.text == slow.text == seen.text == text
