"""What reaches a terminal: everything that was written, and nothing that a terminal would obey."""

from __future__ import annotations

import json
import re
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from adapters.terminal import render
from engine.guards.egress import Egress, Shown
from engine.messages import Answer, Citation, Passage, PassageId, TraceId, Trail
from tests.builders import NOON, a_passage, an_answer
from tests.hostile import HOSTILE

OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")
"""Escape sequences that rich makes: colours and links."""


async def shown(answer: Answer, note: str = "") -> Shown:
    return await Egress((), str).show(answer, Trail(TraceId("ab" * 16)), note)


def obeyed(text: str) -> list[str]:
    """Characters that move, hide or turn something around."""
    bidi = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    return [
        c for c in text
        if (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t")
        or unicodedata.bidirectional(c) in bidi or c in "\u200e\u200f\u061c\u2028\u2029"
    ]


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
async def test_nothing_that_a_page_or_a_model_wrote_is_obeyed(text: str, title: str, url: str, quote: str) -> None:
    passage = Passage(PassageId("p"), quote, title, f"https://wiki.example/{url}", acl=frozenset({"org"}), date=NOON)
    answer = await shown(Answer(f"{text} [1]", (Citation(1, passage),)), note=title)
    for plain in (render.plain_answer(answer), render.plain_sources(answer), render.plain_passages(answer),
                  render.answer_json(answer), render.notice_json(text, "ab")):
        assert not obeyed(plain)
    for what in (render.styled_answer(answer), render.styled_sources(answer), render.styled_passages(answer)):
        assert not obeyed(OURS.sub("", render.styled(what, width=60, colours="truecolor")))
        assert not obeyed(render.styled(what, width=60, colours=None))


async def test_an_answer_in_plain_text_names_its_sources_below() -> None:
    answer = await shown(an_answer("Ten working days [1]."), note="No more is known.")
    assert render.plain_answer(answer) == "Ten working days [1]."
    assert render.plain_sources(answer) == (
        "[1] Annual leave (2026-03-02) https://wiki.acme.example/leave#notice\nNo more is known."
    )
    assert render.plain_passages(answer).endswith("\n    Give ten working days' notice.")


async def test_a_source_opens_by_its_link() -> None:
    styled = render.styled(render.styled_sources(await shown(an_answer())), width=100, colours="truecolor")
    assert re.search(r"\x1b\]8;[^;]*;https://wiki\.acme\.example/leave#notice\x1b\\", styled)


async def test_a_link_in_an_answer_shows_where_it_leads() -> None:
    answer = await shown(an_answer("See [the wiki](https://elsewhere.example/x)."))
    styled = render.styled(render.styled_answer(answer), width=100, colours="truecolor")
    assert "https://elsewhere.example/x" in OURS.sub("", styled)


async def test_a_source_without_an_address_is_named_all_the_same() -> None:
    passage = Passage(PassageId("p"), "text", "Minutes", "javascript:alert(1)", acl=frozenset({"org"}))
    assert render.plain_sources(await shown(Answer("So [1].", (Citation(1, passage),)))) == "[1] Minutes"


async def test_json_is_one_line_with_everything_in_it() -> None:
    answer = an_answer("Ja,\nzehn\x1b[2J Tage\u2028 [1] …", a_passage("Zehn.\n\nUnd so."))
    line = render.answer_json(await shown(answer))
    assert line.isprintable()
    assert json.loads(line) == {
        "answer": "Ja,\nzehn[2J Tage\n [1] …", "grounded": True, "mode": "model", "trace": "ab" * 16,
        "citations": [{"marker": 1, "title": "Annual leave", "url": "https://wiki.acme.example/leave#notice",
                       "quote": "Zehn.\n\nUnd so.", "date": "2026-03-02T12:00:00+00:00"}],
    }


MARKDOWN = st.lists(st.sampled_from(["word ", "\n", "\n\n", "```\n", "````\n", "~~~ py\n", "- a\n", "  \n", "|x|\n"]))


@given(MARKDOWN, st.data())
@example(["```\n", "\n\n", "```\n", "\n\n", "word "], None)
def test_blocks_are_the_same_however_they_come_in(parts: list[str], data: st.DataObject | None) -> None:
    text = "".join(parts)
    whole, rest = render.blocks(text)
    streamed: list[str] = []
    held = ""
    while text:
        size = data.draw(st.integers(1, len(text))) if data else 1
        more, held = render.blocks(held + text[:size])
        streamed, text = streamed + more, text[size:]
    assert (streamed, held) == (whole, rest)
    assert "".join("".join([*whole, rest]).split()) == "".join("".join(parts).split())


def test_a_code_fence_is_one_block() -> None:
    fence = "```py\na = 1\n\n\nb = 2\n```"
    assert render.blocks(f"Look:\n\n{fence}\n\nThere") == (["Look:", fence], "There")


@given(st.text(st.sampled_from("ab 漢é\n\t👍")), st.integers(2, 12))
def test_folded_lines_fit_and_nothing_but_blanks_is_lost(text: str, width: int) -> None:
    lines = render.folded(text, width)
    assert all(cell_len(each) <= width for each in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_lines_are_folded_at_blanks() -> None:
    assert render.folded("one two three", 8) == ["one two", "three"]
    assert render.folded("extraordinary", 8) == ["extraord", "inary"]
