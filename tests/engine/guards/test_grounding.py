"""What an answer claims, and whether a passage says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.grounding import SIGN, claims, marked, weigh
from engine.guards.policy import Action, Change, Policy
from engine.guards.verdict import Allow, Flag, Mask, Refuse

LEAVE = (
    "Annual leave is requested in the people portal. Give at least ten working days' notice for up to five days off, "
    "and 20 working days for more. Your manager approves within 3 days. Leave may be carried over until 31 March 2027."
)
EXPENSES = (
    "Claim expenses within 60 days. Meals are refunded up to 45.50 EUR a day; taxis need a receipt above 1,000 EUR."
)
ZH = "年假需提前十个工作日在人事门户申请，经理在3天内审批。"
PAGES = (LEAVE, EXPENSES)
RULES = Policy.default().rules_for()


def weak(answer: str, passages: Sequence[str] = PAGES) -> list[str]:
    return [answer[claim.start : claim.end] for claim in claims(answer, passages) if claim.support < 0.5]


@pytest.mark.parametrize("answer", [
    "Give ten working days' notice for annual leave [1].",
    "You need to give 10 working days of notice [1]. Your manager approves it within three days [1].",
    "- Request leave in the people portal [1]\n- Claim expenses within 60 days [2]",
    "1. Leave is carried over until 31 March 2027 [1].\n2. Meals are refunded up to 45.5 EUR a day [2].",
    "Taxis above 1000 EUR need a receipt [2].",
    "**Annual leave** needs notice: request it in the portal [1].",
    "Do you want to know more?", "Hello!", "Here is what I found:", "# Claim your free holiday in Fiji",
    "The passages do not say how sabbaticals in Antarctica are approved.",
    "I could not find anything about parking in Helsinki.",
    "```\nrequest --fiji --days 99\n```", "", "\n\n",
])
def test_what_the_pages_say_is_supported(answer: str) -> None:
    assert weak(answer) == []


@pytest.mark.parametrize(("answer", "found"), [
    ("Give 15 working days' notice for annual leave [1].", "Give 15 working days' notice for annual leave [1]."),
    ("Claim expenses within sixty-one days [2].", "Claim expenses within sixty-one days [2]."),
    ("Claim expenses within 90 days [2]. Meals are refunded [2].", "Claim expenses within 90 days [2]."),
    ("The cafeteria serves vegan lasagne every Friday.", "The cafeteria serves vegan lasagne every Friday."),
    ("Leave is requested in the people portal [1]. Ask Ms. Virtanen in Helsinki to sign the pink paper form.",
     "Ask Ms. Virtanen in Helsinki to sign the pink paper form."),
    ("Meals are refunded up to 31 EUR a day [2].", "Meals are refunded up to 31 EUR a day [2]."),   # 31 is March's
])
def test_what_they_do_not_say_is_found(answer: str, found: str) -> None:
    assert weak(answer) == ([found] if found else [])


def test_without_passages_no_claim_is_supported() -> None:
    assert weak("Leave is requested in the people portal.", ()) == ["Leave is requested in the people portal."]


def test_ideographs_are_compared_in_pairs() -> None:
    assert weak("年假需要提前10个工作日申请[1]。经理会审批[1]。", (ZH,)) == []
    assert weak("年假申请[1]。公司食堂每周五提供素食千层面。", (ZH,)) == ["公司食堂每周五提供素食千层面。"]
    assert weak("年假需要提前15个工作日申请[1]。", (ZH,)) == ["年假需要提前15个工作日申请[1]。"]


def test_another_language_is_judged_by_its_numbers_alone() -> None:
    assert weak("年假需要提前10个工作日申请[1]。", PAGES) == []
    (claim,) = claims("Der Urlaub wird spätestens 99 Tage vorher bei der Leitung beantragt.", PAGES)
    assert claim.number


ANSWER = "Give ten working days' notice [1]. The cafeteria serves vegan lasagne on Fridays."


def test_the_company_decides_what_becomes_of_it() -> None:
    found = claims(ANSWER, PAGES)

    def by(action: Action) -> object:
        return weigh(ANSWER, found, replace(RULES, changes={"ungrounded": Change(action=action)}))

    assert isinstance(by(Action.ALLOW), Allow)
    assert isinstance(by(Action.FLAG), Flag)
    assert isinstance(by(Action.REFUSE), Refuse)
    masked = by(Action.MASK)
    assert isinstance(masked, Mask)
    assert masked.text == ANSWER + SIGN


def test_a_supported_answer_is_left_alone() -> None:
    answer = "Give ten working days' notice [1]."
    verdict = weigh(answer, claims(answer, PAGES), replace(RULES, changes={"ungrounded": Change(action=Action.REFUSE)}))
    assert isinstance(verdict, Allow)
    assert weigh("Hello!", (), RULES).score == 0.0


def test_the_score_is_that_of_the_weakest_claim() -> None:
    scores = [weigh(text, claims(text, PAGES), RULES).score or 0.0 for text in (
        "Give ten working days' notice [1].", "Give ten working days' notice to the kindly dragon.",
        "The cafeteria serves vegan lasagne on Fridays.",
    )]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


PARTS = st.sampled_from([
    "Give ten days' notice [1]. ", "No! ", "3.5 ", "\n", "- ", "```\n", "`", "# ", "Lasagne, e.g. vegan. ",
    "年假十天。", "[1]", "https://a.example/9 ", "(", "*", "| a | 5 |\n", "\ud800", "?",
])


@given(st.lists(PARTS, max_size=20), st.lists(PARTS, max_size=10))
def test_claims_are_sentences_in_order(answer: list[str], page: list[str]) -> None:
    text = "".join(answer)
    found = claims(text, ["".join(page)])
    ends = [0, *(claim.end for claim in found)]
    assert all(before <= claim.start < claim.end <= len(text) for before, claim in zip(ends, found, strict=False))
    assert all(0.0 <= claim.support <= 1.0 for claim in found)
    assert marked(text, found, "").replace(" ", "") == text.replace(" ", "")
    assert len(marked(text, found)) == len(text) + len(SIGN) * len(found)


@given(st.lists(PARTS, max_size=20))
def test_a_text_supports_itself(parts: list[str]) -> None:
    text = "".join(parts)
    assert [claim for claim in claims(text, [text]) if claim.support < 0.5] == []
