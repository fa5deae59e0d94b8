"""Marks on the stream: renumbered, dropped, and left alone where they are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.citations import CitationGuard
from engine.guards.deflection import DeflectionGuard
from engine.guards.secrets import SecretsGuard
from engine.messages import Found
from engine.rag.cite import cite
from tests.engine.guards.screens import CUTS, PASSAGES, Seen, cut, letters, watch


async def marked(text: str, *, cuts: list[int] | None = None, found: Found | None = None) -> Seen:
    return await watch(cut(text, cuts or []), CitationGuard(), found=found)


def cited(seen: Seen) -> list[tuple[int, str]]:
    assert seen.screen
    return [(citation.marker, str(citation.passage.id)) for citation in seen.screen.citations]


async def test_marks_are_renumbered_in_the_order_of_first_use() -> None:
    seen = await marked("Four weeks [3], or five [1]. Yes, four [3].")
    assert seen.text == "Four weeks [1], or five [2]. Yes, four [1]."
    assert cited(seen) == [(1, "p3"), (2, "p1")]


async def test_a_mark_without_a_passage_is_dropped_with_its_blank_and_counted() -> None:
    seen = await marked("Four [9] weeks[0] [1].")
    assert (seen.text, seen.trail.dropped_marks) == ("Four weeks [1].", 2)


@pytest.mark.parametrize(("text", "shown", "dropped"), [
    ("both [2, 4].", "both [1][2].", 0),
    ("both [2；9、4].", "both [1][2].", 1),
    ("twice [2,2].", "twice [1].", 0),
    ("a list [70, 80] of numbers", "a list [70, 80] of numbers", 0),
    ("both [2][4].", "both [1][2].", 0),
    ("见手册[2]。", "见手册[1]。", 0),
    ("end [", "end [", 0),
    ("end [2", "end [2", 0),
    ("end [9]", "end", 1),
])
async def test_several_marks_in_one_place(text: str, shown: str, dropped: int) -> None:
    for pieces in ([text], letters(text)):
        seen = await watch(pieces, CitationGuard())
        assert (seen.text, seen.trail.dropped_marks) == (shown, dropped)


async def test_json_is_read_as_it_stands_and_each_mark_once_whoever_else_reads_its_strings() -> None:
    text, shown = '{"a": "So [3] \\n[9].", "b": ["\\"[1]\\""]}', '{"a": "So [1] \\n.", "b": ["\\"[2]\\""]}'
    for pieces in ([text], letters(text)):
        for guards in ((CitationGuard(),), (SecretsGuard(), DeflectionGuard(), CitationGuard())):
            seen = await watch(pieces, *guards)
            assert (seen.text, cited(seen), seen.trail.dropped_marks) == (shown, [(1, "p3"), (2, "p1")], 1)


@pytest.mark.parametrize("text", [
    "`a[1]`", "``x ` [1]``", "```\nrow[1]\n```", "~~~python\nrow[1]\n~~~", "```\nnever closed [1]", "``` row[9] ``` x",
    "  ```\n[1]\n  ````", "[1](https://example.org)", "![2](x.png)", r"\[1]", "[1234]", "[a]", "[ 1 ]", "[-1]",
])
async def test_what_only_looks_like_a_mark_is_left_alone(text: str) -> None:
    for pieces in ([text], letters(text)):
        seen = await watch(pieces, CitationGuard())
        assert (seen.text, cited(seen), seen.trail.dropped_marks) == (text, [], 0)


async def test_marks_are_marks_again_behind_code() -> None:
    assert (await marked("`code` [2]\n```\nx [2]\n```\n[2]")).text == "`code` [1]\n```\nx [2]\n```\n[1]"
    assert (await marked("``` x [2] ``` [3]")).text == "``` x [2] ``` [1]"
    assert (await marked("a ` alone [2]\nand [2]")).text == "a ` alone [2]\nand [1]"


PARTS = ["word ", "[1]", " [2]", "[3]", "[4]", "[9]", " [99]", "[1, 3]", "[2, 9]", "[", "]", "[2", "`", "``",
         "```\n", "\n```\n", "\n\n", "~~~\n", "[1](x)", "\\", "(", "9", ", ", " ", "> ", "\ud800", "中"]
ANSWERS = st.lists(st.sampled_from(PARTS), max_size=20).map("".join)


@given(ANSWERS, CUTS)
async def test_no_cut_changes_marks(text: str, cuts: list[int]) -> None:
    whole = await marked(text)
    for pieces in (cut(text, cuts), letters(text)):
        seen = await watch(pieces, CitationGuard())
        assert (seen.text, cited(seen)) == (whole.text, cited(whole))
        assert all(whole.text.startswith(step) for step in seen.steps)


CLOSED = ["word ", "[1]", " [2]", "[3] ", " [9]", "`a[1]`", "\n```\nx[1]\n```\n", "[1](x)", ". "]
"""Where every code span and every fence ends: only then can the end of a text not change what its middle is."""


@given(st.lists(st.sampled_from([*CLOSED, "[1, 3]"])).map("".join))
async def test_a_numbered_answer_comes_out_unchanged(text: str) -> None:
    once = await marked(text)
    assert once.screen
    again = await marked(once.text, found=Found(tuple(c.passage for c in once.screen.citations)))
    assert again.text == once.text
    assert cited(again) == cited(once)
    assert again.trail.dropped_marks == 0


@given(st.lists(st.sampled_from([*CLOSED, "[0]", "[007]", r"\[2]", "\n\n", "[4][2]"])).map("".join))
async def test_the_stream_and_the_whole_text_are_numbered_alike(text: str) -> None:
    seen = await marked(text)
    numbered, citations, dropped = cite(text, PASSAGES)
    assert (seen.text, seen.trail.dropped_marks) == (numbered, dropped)
    assert seen.screen
    assert seen.screen.citations == citations


async def test_only_what_may_become_a_mark_is_held() -> None:
    seen = await watch(letters("ab [1] c"), CitationGuard())
    assert seen.steps[:8] == ["a", "ab", "ab", "ab", "ab", "ab", "ab [1]", "ab [1] c"]
