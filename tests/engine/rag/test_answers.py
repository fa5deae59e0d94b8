"""Whether what was found answers: near and in the question's words, and no name that nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rag.answers import FAR, OTHERS, SURE, Evidence, certainty, level, names

WORDS = st.sets(st.integers(0, 9), max_size=8)
EVIDENCE = st.lists(st.builds(Evidence, st.floats(0, 1), st.frozensets(st.integers(0, 9))), min_size=1, max_size=6)


def test_a_near_passage_in_the_same_words_answers() -> None:
    assert certainty([Evidence(0.6, {1, 2, 3})], words=[1, 2, 3]) >= SURE


def test_a_far_passage_in_other_words_does_not() -> None:
    assert certainty([Evidence(0.3, {7})], words=[1, 2, 3]) < SURE


def test_a_passage_among_many_that_are_as_near_does_not() -> None:
    assert certainty([Evidence(0.6, {1, 2})], words=[1, 2, 3], level=0.55) < SURE


def test_a_name_that_stands_on_no_page_weighs_against_it() -> None:
    near = [Evidence(0.5, {1, 2}), Evidence(0.4, {1})]
    assert certainty(near, words=[1, 2, 3], unknown=1) < SURE <= certainty(near, words=[1, 2, 3])


def test_the_level_is_that_of_the_sixth_page_by_its_best_passage() -> None:
    pages = [(f"{n}.md", 0.9 - n / 10) for n in range(OTHERS + 1)]
    assert level([*pages, ("0.md", 0.1), ("5.md", 0.3)]) == 0.9 - OTHERS / 10
    assert level(pages[:OTHERS]) == level([]) == FAR


@pytest.mark.parametrize(("question", "found"), [
    ("does tock export to SAP", ("SAP",)), ("What did we do in 2024?", ("2024",)), ("Is it so? Yes it is", ()),
    ("how do I reach eu-west-1 from New York", ("1", "New", "York")), ("I think I'm late", ()), ("", ()),
])
def test_names_are_written_with_a_capital_or_a_digit(question: str, found: tuple[str, ...]) -> None:
    assert names(question) == found


@given(EVIDENCE, WORDS)
def test_another_passage_never_makes_it_less_certain(evidence: list[Evidence], words: set[int]) -> None:
    more = [*evidence, Evidence(0.5, frozenset({1}))]
    assert not words or certainty(more, words=words) >= certainty(evidence, words=words)


@given(st.text())
def test_any_question_has_names_or_none(question: str) -> None:
    assert all(name in question for name in names(question))
