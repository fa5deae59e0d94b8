"""What of a question a passage leaves unsaid, word by word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rag.alike import LONGEST, Meanings, said, shares

MEANINGS = Meanings(
    {"vacation": 0, "holiday": 1, "parking": 2},
    np.array([[127, 0], [102, 76], [0, 127]], np.int8),  # a holiday is 0.8 of a vacation
)
WORDS = st.lists(st.sampled_from(["vacation", "holiday", "parking", "wifi", "gym"]), max_size=5, unique=True)
TEXTS = st.lists(st.sampled_from(["vacation", "holiday", "parking", "wifi", "days"]), max_size=5).map(" ".join)


def unsaid(question: str, text: str, held: tuple[str, ...] = ()) -> float:
    return MEANINGS.unsaid(shares([said(question)], 0.5), text, held)


def test_what_the_text_says_itself_is_said() -> None:
    assert unsaid("How much is parking?", "Parking costs 30 dollars a month.") == 0.0


def test_a_word_of_about_the_same_meaning_says_most_of_it() -> None:
    assert unsaid("how much vacation do I get?", "Holiday: 27 days") == pytest.approx(0.2, abs=0.01)


def test_a_word_that_nobody_knows_is_said_only_by_itself() -> None:
    assert unsaid("is there wifi?", "Parking costs 30 dollars") == 1.0
    assert unsaid("is there wifi?", "The Wifi is called Guest") == 0.0
    assert unsaid("any tunics?", "one tunic each", held=("tunics",)) == 0.0


def test_one_word_of_many_matters_less_than_half_of_the_question() -> None:
    page = "Holiday and parking"
    assert unsaid("wifi and parking", page) == pytest.approx(1 / 2)
    assert unsaid("wifi while parking on holiday or vacation", page) == pytest.approx(1 / 4)


def test_what_was_asked_before_matters_less() -> None:
    asked = shares([said("and for the gym?"), said("is there parking at the gym?")], 0.5)
    assert asked == {"gym": pytest.approx(2 / 3), "parking": pytest.approx(1 / 3)}


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What's the wifi password, and who isn't told?", ("wifi", "password", "told")),
        ("Wie viele Urlaubstage für Väter?", ("wie", "viele", "urlaubstage")),
        ("有多少年假", ()),
        ("", ()),
    ],
)
def test_the_words_that_mean_something(question: str, words: tuple[str, ...]) -> None:
    assert said(question) == words


def test_of_a_very_long_question_the_beginning_counts() -> None:
    assert len(said(" ".join(f"word{n}" for n in range(1000)))) == LONGEST


def test_where_nothing_is_asked_nothing_is_left_unsaid() -> None:
    assert shares([()], 0.5) == {}
    assert unsaid("", "Parking") == 0.0


@given(WORDS, TEXTS, TEXTS)
def test_more_text_never_leaves_more_unsaid(words: list[str], text: str, more: str) -> None:
    asked = shares([words], 0.5)
    assert 0.0 <= MEANINGS.unsaid(asked, f"{text} {more}") <= MEANINGS.unsaid(asked, text) <= 1.0
