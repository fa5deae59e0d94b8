"""Marks in an answer, and the passages behind them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rag.cite import cite, marks
from tests.builders import a_passage

PASSAGES = tuple(a_passage(f"text {n}", id=f"p{n}") for n in range(1, 5))
ANSWERS = st.lists(st.sampled_from([
    "word ", "[1]", " [2]", "[3]", "[4]", "[9]", " [99]", "[0]", "[", "]", "[[9]1]", "`", "``", "```\n", "\n```\n",
    "\n\n", "~~~\n", "[1](https://example.org)", "\\", "(", "[007]", "![2](x)", "9", "[1] [1]", "    ", "> ",
]), max_size=25).map("".join)


def test_citations_are_numbered_in_order_of_first_use() -> None:
    text, citations, dropped = cite("Four weeks [3], or five [1]. Yes, four [3].", PASSAGES)
    assert text == "Four weeks [1], or five [2]. Yes, four [1]."
    assert [(c.marker, c.passage.id) for c in citations] == [(1, "p3"), (2, "p1")]
    assert dropped == 0


def test_a_mark_without_a_passage_is_dropped_and_counted() -> None:
    assert cite("Four [9] weeks [0] [1].", PASSAGES) == ("Four weeks [1].", cite("[1]", PASSAGES)[1], 2)


@pytest.mark.parametrize("text", [
    "`a[1]`", "``x ` [1]``", "```\nrow[1]\n```", "~~~python\nrow[1]\n~~~", "```\nnever closed [1]",
    "  ```\n[1]\n  ````", "[1](https://example.org)", r"\[1]", "[1234]", "[a]", "[ 1 ]", "[-1]",
])
def test_what_only_looks_like_a_mark_is_left_alone(text: str) -> None:
    assert cite(text, PASSAGES) == (text, (), 0)


@pytest.mark.parametrize("text", [
    "a ` b [1]", "`code` [1]", "```\ncode\n```\n[1]", "`not\n\nclosed [1]`", "``` [1] ```x\n[1]", "a[1]",
    "[1]: it says",
])
def test_marks_in_prose_count(text: str) -> None:
    assert [c.passage.id for c in cite(text, PASSAGES)[1]] == ["p1"]


@given(ANSWERS | st.text())
def test_citing_twice_changes_nothing(answer: str) -> None:
    text, citations, _ = cite(answer, PASSAGES)
    again, same, dropped = cite(text, [citation.passage for citation in citations])
    assert (again, same, dropped) == (text, citations, 0)


@given(ANSWERS)
def test_every_mark_that_is_left_has_its_citation(answer: str) -> None:
    text, citations, _ = cite(answer, PASSAGES)
    assert [c.marker for c in citations] == list(range(1, len(citations) + 1))
    assert list(dict.fromkeys(int(mark[1]) for mark in marks(text))) == [c.marker for c in citations]
    assert len({c.passage.id for c in citations}) == len(citations)


@given(ANSWERS)
def test_only_marks_and_their_spaces_are_taken_out(answer: str) -> None:
    text, _, dropped = cite(answer, PASSAGES)
    assert len(answer) - len(text) <= sum(len(mark[0]) for mark in marks(answer)) + 6 * dropped
    assert [c for c in text if c.isalpha()] == [c for c in answer if c.isalpha()]


@given(st.text(alphabet="ab `\n~[]1"))
def test_without_passages_no_mark_is_left(answer: str) -> None:
    text, citations, _ = cite(answer, ())
    assert citations == ()
    assert list(marks(text)) == []
