"""Whether what was found answers: near and in the question's words, and no name that nobody knows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rag.answers import FAR, OTHERS, SURE, Evidence, guess, level, names

WORDS = st.sets(st.integers(0, 9), max_size=8)
EVIDENCE = st.lists(
    st.builds(Evidence, st.floats(0, 1), st.frozensets(st.integers(0, 9)), st.floats(0, 1)), min_size=1, max_size=6,
)


def certainty(
    evidence: Iterable[Evidence], *, words: Mapping[int, float], rarity: Mapping[int, float],
    names: Collection[int] = (), level: float = FAR, found: float = 1.0,
) -> float:
    return guess(evidence, words=words, names=names, level=level, found=found).certainty(rarity)


ASKED = {1: 1.0, 2: 1.0, 3: 1.0}
RARITY = {1: 2.0, 2: 2.0, 3: 2.0}


def test_a_near_passage_in_the_same_words_answers() -> None:
    assert certainty([Evidence(0.6, {1, 2, 3})], words=ASKED, rarity=RARITY) >= SURE


def test_a_far_passage_in_other_words_does_not() -> None:
    assert certainty([Evidence(0.3, {7})], words=ASKED, rarity=RARITY) < SURE


def test_a_passage_among_many_that_are_as_near_does_not() -> None:
    passage = [Evidence(0.6, {1, 2})]
    assert certainty(passage, words=ASKED, rarity=RARITY, level=0.55) < SURE
    assert certainty(passage, words=ASKED, rarity=RARITY, level=0.2) >= SURE


def test_it_matters_which_words_are_held_not_how_many() -> None:
    rarity = {1: 0.1, 2: 0.1, 3: 6.0}               # "can I bring my dog": everything but the dog is everywhere
    common, rare = Evidence(0.4, {1, 2}), Evidence(0.4, {3})
    assert certainty([common], words=ASKED, rarity=rarity) < SURE <= certainty([rare], words=ASKED, rarity=rarity)


def test_a_word_that_no_page_holds_is_as_rare_as_can_be() -> None:
    heard, unheard = RARITY, {1: 2.0, 2: 2.0}
    passage = [Evidence(0.5, {1, 2})]
    assert certainty(passage, words=ASKED, rarity=unheard) < certainty(passage, words=ASKED, rarity=heard)


def test_what_was_asked_before_counts_for_less() -> None:
    passage = [Evidence(0.5, {1, 2})]
    leaning = certainty(passage, words={**ASKED, 3: 0.5}, rarity=RARITY)
    assert leaning > certainty(passage, words=ASKED, rarity=RARITY)


def test_a_name_that_stands_on_no_page_weighs_against_it() -> None:
    near = [Evidence(0.58, {1, 2}), Evidence(0.4, {1})]
    heard, unheard = RARITY, {1: 2.0, 2: 2.0}
    assert certainty(near, words=ASKED, rarity=heard, names=[3]) >= SURE
    assert certainty(near, words=ASKED, rarity=unheard) >= SURE
    assert certainty(near, words=ASKED, rarity=unheard, names=[3]) < SURE


def test_among_a_few_pages_less_will_do() -> None:
    passage = [Evidence(0.3, {1, 2})]
    assert certainty(passage, words=ASKED, rarity=RARITY) < SURE
    assert certainty(passage, words=ASKED, rarity=RARITY, found=0.1) >= SURE


def test_what_a_passage_leaves_unsaid_weighs_against_it() -> None:
    silent, telling = Evidence(0.5, {1, 2}, unsaid=0.5), Evidence(0.45, {1, 2}, unsaid=0.1)
    assert certainty([silent], words=ASKED, rarity=RARITY) < SURE
    assert certainty([silent, telling], words=ASKED, rarity=RARITY) >= SURE


def test_the_level_is_that_of_the_farthest_page_by_its_best_passage() -> None:
    pages = [(f"{n}.md", 0.9 - n / 10) for n in range(OTHERS + 1)]
    assert level([*pages, ("0.md", 0.1)]) == 0.9 - OTHERS / 10
    assert level(pages[:OTHERS]) == level([]) == FAR


@pytest.mark.parametrize(("question", "found"), [
    ("does tock export to SAP", ("SAP",)), ("What did we do in 2024?", ("2024",)), ("Is it so? Yes it is", ()),
    ("how do I reach eu-west-1 from New York", ("1", "New", "York")), ("I think I'm late", ()), ("", ()),
])
def test_names_are_written_with_a_capital_or_a_digit(question: str, found: tuple[str, ...]) -> None:
    assert names(question) == found


@given(EVIDENCE, WORDS, st.dictionaries(st.integers(0, 9), st.floats(0, 12)))
def test_another_passage_never_makes_it_less_certain(
    evidence: list[Evidence], words: set[int], rarity: dict[int, float],
) -> None:
    asked = dict.fromkeys(words, 1.0)
    more = [*evidence, Evidence(0.5, frozenset({1}))]
    surely = certainty(more, words=asked, rarity=rarity)
    assert surely >= certainty(evidence, words=asked, rarity=rarity)
    assert isfinite(surely)                         # even if every word stands on every page


@given(EVIDENCE, WORDS, st.dictionaries(st.integers(0, 9), st.floats(0, 12)), st.sets(st.integers(0, 9)))
def test_the_index_is_asked_only_where_it_matters(
    evidence: list[Evidence], words: set[int], rarity: dict[int, float], names: set[int],
) -> None:
    how = guess(evidence, words=dict.fromkeys(words, 1.0), names=names & words)
    answers = how.certainty(rarity) >= SURE
    assert how.open or answers == (how.certainty() >= SURE)


@given(st.text())
def test_any_question_has_names_or_none(question: str) -> None:
    assert all(name in question for name in names(question))
