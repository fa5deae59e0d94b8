"""A page in chunks: whatever it holds, nothing is lost, and every chunk can be pointed at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rag.chunk import WIDEST, WORDS, Chunk, chunk, front_matter
from engine.rag.clean import plain


@dataclass(frozen=True)
class Words:
    """A token is a word or a sign."""

    def count(self, text: str) -> int:
        return len(re.findall(r"\w+|[^\w\s]", text))


@dataclass(frozen=True)
class Letters:
    """A token is four characters: what costs most is long words."""

    def count(self, text: str) -> int:
        return -(-len(text) // 4)


def cut(text: str, window: int = 30) -> tuple[Chunk, ...]:
    return chunk(dedent(text), name="page", tokens=Words(), window=window, size=window)


LINES = st.sampled_from([
    "# One", "## Two words", "## Two words", "### Three", "Setext\n======", "", "",
    "plain words in a row. And more, of them.", "- item", "- an item that is a good deal longer than the others",
    "  - nested", "1. first", "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |", "```python\ncode()\n\nmore()\n```",
    "```", "~~~", "> quoted", "    indented", "[ref]: https://example.org", "<div>", "---", "x" * 300,
    "\0", "\r", "\u2028", "\t", "*", "#", "é" * 40,
])
PAGES = st.one_of(st.text(), st.lists(LINES, max_size=40).map("\n".join), st.lists(LINES, max_size=20).map("\r\n".join))


@given(PAGES, st.sampled_from([Words(), Letters()]), st.integers(12, 80))
def test_any_page_is_kept_whole_and_in_order(text: str, tokens: Words | Letters, window: int) -> None:
    chunks = chunk(text, name="page", tokens=tokens, window=window)
    _, begin = front_matter(text)
    assert "".join("".join(text[begin:].split())) == "".join("".join(c.text.split()) for c in chunks)
    assert all(text[c.start : c.end] == c.text for c in chunks)
    assert all(before.end <= after.start for before, after in pairwise(chunks))


@given(PAGES, st.sampled_from([Words(), Letters()]), st.integers(12, 80))
def test_every_chunk_has_its_size_and_every_part_fits_the_window(
    text: str, tokens: Words | Letters, window: int
) -> None:
    for one in chunk(text, name="page", tokens=tokens, window=window, size=2 * window):
        assert one.text.strip()
        assert tokens.count(one.indexed) <= 2 * window
        assert len(one.text) <= 2 * window * WIDEST
        assert len(one.text.split()) <= WORDS
        assert one.parts
        assert all(tokens.count(part) <= window for part in one.parts)


@given(PAGES, st.integers(12, 80))
def test_the_parts_of_a_chunk_hold_all_that_it_says(text: str, window: int) -> None:
    for one in chunk(text, name="page", tokens=Words(), window=window, size=3 * window):
        parts = "".join(part.partition("\n")[2] for part in one.parts)
        assert set(filter(str.isalnum, plain(one.text))) <= set(filter(str.isalnum, parts))


@pytest.mark.parametrize("text", [
    "x" * 1_000_000, "word " * 100_000, "\n" * 100_000, "# h\n" * 2_000, "```\n" + "line\n" * 5_000, "- " * 50_000,
    "|" * 100_000,
], ids=["one word", "one line", "nothing", "headings alone", "an open fence", "a deep list", "bars"])
def test_a_hostile_page_is_cut_as_well(text: str) -> None:
    chunks = chunk(text, name="page", tokens=Words(), window=256)
    assert sum(len("".join(c.text.split())) for c in chunks) == len("".join(text.split()))


def test_small_sections_share_a_chunk_and_large_ones_do_not() -> None:
    chunks = cut("""
        # Leave

        All about leave.

        ## Notice

        Four weeks, please.

        ## Illness

        No notice at all is needed when you are ill, but tell your lead before ten in the morning.
    """)
    assert [(c.heading, c.anchor) for c in chunks] == [("Leave", "leave"), ("Leave › Illness", "illness")]
    assert chunks[0].text.startswith("# Leave")
    assert chunks[0].text.endswith("Four weeks, please.")


def test_a_heading_stays_with_what_it_announces() -> None:
    chunks = cut("# A\n\n## B\n\n" + "one two three four five six seven eight. " * 6)
    assert [c.text for c in chunks if re.fullmatch(r"(#+ \w+\s*)+", c.text)] == []
    assert {c.heading for c in chunks} == {"A › B"}


def test_fences_rows_and_items_are_not_cut() -> None:
    fence = "```sh\ndeploy start\n\ndeploy promote\n```"
    rows = [f"| row {n} | with four more words here |" for n in range(6)]
    items = [f"- item {n} has a line\n  and a second line" for n in range(6)]
    text = "\n".join(["# T", "", "some words. " * 8, "", fence, "", "| a | b |", "| - | - |", *rows, "", *items])
    chunks = cut(text)
    for whole in (fence, *rows, *items):
        assert sum(whole in c.text for c in chunks) == 1, whole


def test_an_over_long_fence_is_cut_between_lines() -> None:
    text = "```\n" + "\n".join(f"line {n} of the code" for n in range(20)) + "\n```"
    chunks = cut(text)
    assert len(chunks) > 1
    assert {line for c in chunks for line in c.text.splitlines()} == set(text.splitlines())


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    chunks = cut("Every sentence here has seven words altogether. " * 10)
    assert len(chunks) > 1
    assert all(c.text.endswith("altogether.") for c in chunks)


def test_anchors_are_those_of_github() -> None:
    headings = ("# It's `v2.0`: *why?*", "## Why", "## Why")
    chunks = cut("\n\n".join(f"{heading}\n\n{'a b c. ' * 4}" for heading in headings), window=40)
    assert [c.anchor for c in chunks] == ["its-v20-why", "why", "why-1"]
    assert chunks[1].heading == "It's v2.0: why? › Why"


def test_a_hash_in_code_is_no_heading() -> None:
    chunks = cut("# Real\n\n```sh\n# comment\n```\n")
    assert [(c.heading, c.anchor) for c in chunks] == [("Real", "real")]


def test_front_matter_is_read_and_not_indexed() -> None:
    page = '---\ntitle: "Annual leave"\nupdated: 2026-01-12\ntags: [a]\n---\n# Leave\n\nText.\n'
    only, = cut(page)
    assert (only.heading, only.text) == ("Annual leave › Leave", "# Leave\n\nText.")
    assert page[only.start : only.end] == only.text
    assert front_matter(page)[0] == {"title": "Annual leave", "updated": "2026-01-12", "tags": "[a]"}


def test_the_pages_of_a_document_are_not_its_title() -> None:
    text = "".join(f"## Page {n}\n\n{'more words of it ' * 3}\n\n" for n in (1, 2))
    cuts = chunk(text, name="report", tokens=Words(), window=24, size=24, kind="pages")
    assert [each.heading for each in cuts] == ["report › Page 1", "report › Page 2"]


@pytest.mark.parametrize(("text", "said"), [
    ("---\ntitle: From above\n---\n# Inside", "From above"), ("words\n\n# First *one*\n# Second", "First one"),
    ("words", "page"), ("---\ntitle: not closed", "page"),
])
def test_a_page_has_a_title(text: str, said: str) -> None:
    assert cut(text)[0].heading.partition(" › ")[0] == said


def test_a_monstrous_heading_leaves_room_for_the_text() -> None:
    chunks = cut("# " + "very " * 100 + "\n\n" + "text " * 40, window=30)
    assert all(Words().count(c.heading) <= 10 for c in chunks)


def test_the_hash_follows_what_is_indexed() -> None:
    one, same, moved, other = (cut(t)[0] for t in ("# A\n\nx", "# A\n\nx", "---\na: b\n---\n# A\n\nx", "# A\n\ny"))
    assert one.hash == same.hash == moved.hash != other.hash


@pytest.mark.parametrize(("line", "heading", "anchor"), [
    ("## Paying {#pay}", "Paying", "pay"),
    ("## Paying { #pay .wide }", "Paying", "pay"),          # as MkDocs has it
    ("## Paying {: .wide #pay }", "Paying", "pay"),         # as kramdown has it
    ("## Paying {#pay} ##", "Paying", "pay"),
    ("## Paying {.wide}", "Paying", "paying"),
    ("## Paying {a, b}", "Paying {a, b}", "paying-a-b"),
    ("## Paying `{#pay}`", "Paying {#pay}", "paying-pay"),
])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_heading_opens_by_the_name_that_it_gives_itself(line: str, heading: str, anchor: str, end: str) -> None:
    text = f"# Canteen{end}{end}{'Open at noon. ' * 8}{end}{end}{line}{end}{end}With the badge {{#no}}.{end}"
    last = chunk(text, name="page", tokens=Words(), window=60, size=24)[-1]
    assert (last.heading.removeprefix("Canteen › "), last.anchor) == (heading, anchor)
    assert "With the badge {#no}." in last.text
    assert text[last.start : last.end].endswith("{#no}.")
