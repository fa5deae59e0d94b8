"""Whether what was found answers: near and in the question's words, and no name that nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rag.answers import SURE, Evidence, certainty, names

WORDS = st.sets(st.integers(0, 9), max_size=8)
EVIDENCE = st.lists(st.builds(Evidence, st.floats(0, 1), st.frozensets(st.integers(0, 9))), min_size=1, max_size=6)


def test_a_near_passage_in_the_same_words_answers() -> None:
    assert certainty([Evidence(0.6, {1, 2, 3})], words=[1, 2, 3], names=[]) >= SURE


def test_a_far_passage_in_other_words_does_not() -> None:
    assert certainty([Evidence(0.3, {7})], words=[1, 2, 3], names=[]) < SURE


def test_a_name_that_no_passage_holds_weighs_against_it() -> None:
    near = [Evidence(0.45, {1, 2}), Evidence(0.4, {1})]
    assert certainty(near, words=[1, 2, 3], names=[3]) < SURE <= certainty(near, words=[1, 2, 3], names=[])


@pytest.mark.parametrize(("question", "found"), [
    ("does tock export to SAP", ("SAP",)), ("What did we do in 2024?", ("2024",)), ("Is it so? Yes it is", ()),
    ("how do I reach eu-west-1 from New York", ("1", "New", "York")), ("I think I'm late", ()), ("", ()),
])
def test_names_are_written_with_a_capital_or_a_digit(question: str, found: tuple[str, ...]) -> None:
    assert names(question) == found


@given(EVIDENCE, WORDS)
def test_another_passage_never_makes_it_less_certain(evidence: list[Evidence], words: set[int]) -> None:
    more = [*evidence, Evidence(0.5, frozenset({1}))]
    assert not words or certainty(more, words=words, names=words) >= certainty(evidence, words=words, names=words)


@given(st.text())
def test_any_question_has_names_or_none(question: str) -> None:
    assert all(name in question for name in names(question))
