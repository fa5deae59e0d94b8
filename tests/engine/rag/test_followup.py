"""What is searched for when a question leans on those before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.messages import Conversation, ConversationId, Turn
from engine.rag.followup import FADING, asked, direction, weighted
from tests.builders import a_message

PAST = Conversation(ConversationId("test:general"), (
    Turn(a_message("is there a canteen?"), None),
    Turn(a_message("who is on call?"), None), Turn(a_message("how much notice before annual leave?"), None),
))
NUMBERS = st.floats(-1, 1, allow_nan=False)


def test_a_question_takes_the_last_two_along_the_latest_first() -> None:
    assert asked("and for three weeks?", PAST) == (
        "and for three weeks?", "how much notice before annual leave?", "who is on call?",
    )


@pytest.mark.parametrize(("question", "rest"), [
    ("different topic: who approves a new laptop?", "who approves a new laptop?"),
    ("thanks! unrelated, where is the canteen", "where is the canteen"),
    ("ok, another question - can I bring my dog?", "can I bring my dog?"),
    ("by the way, who is on call?", "who is on call?"),
])
def test_who_says_that_it_is_about_something_else_is_believed(question: str, rest: str) -> None:
    assert asked(question, PAST) == (rest,)


@pytest.mark.parametrize("question", [
    "unrelated", "by the way...", "newer laptops?", "others?", "otherwise?", "a new hire wants to join, when can she?",
    "another laptop for home?", "new-hire checklist",
])
def test_words_that_only_look_like_a_turn_are_part_of_the_question(question: str) -> None:
    assert asked(question, PAST)[0] == question


def test_the_first_question_stands_alone() -> None:
    assert asked("why?", Conversation(ConversationId("test:general"))) == ("why?",)


def test_a_question_asked_again_counts_once() -> None:
    assert asked("who is on call?", PAST) == ("who is on call?", "how much notice before annual leave?")


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=3))
def test_earlier_questions_pull_less(vectors: list[list[float]]) -> None:
    pulled = direction(vectors)
    assert pulled == pytest.approx([sum(v[i] * FADING**n for n, v in enumerate(vectors)) for i in range(3)])


@given(st.lists(st.sets(st.integers(0, 9)), max_size=3))
def test_no_word_is_lost_and_those_of_the_question_weigh_most(questions: list[set[int]]) -> None:
    words = weighted(questions)
    assert set(words) == set().union(*questions)
    assert all(words[word] >= 1 for word in (questions[0] if questions else ()))
    assert all(words[word] < 1 for word in set(words) - (questions[0] if questions else set()))
