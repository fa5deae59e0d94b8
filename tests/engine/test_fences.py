"""One reader of code fences; a Markdown parser says the same of where they end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from engine.fences import FENCE, closed, still_open

LINES = st.sampled_from(
    ["```", "````", "~~~", "~~~~", "```sh", "~~~ sh", "``` a`b", " ```", "   ~~~", "``` ", "~~", "x", ""])


@pytest.mark.parametrize(("text", "inside", "left"), [
    ("```\nx", "", "```"), ("```sh\nx\n```\ny", "", ""), ("````\n```\n", "", "````"), ("~~~\n```", "", "~~~"),
    ("``` a`b\nx", "", ""), ("x\n```\ny", "```", ""), ("```sh", "```", "```"), ("x", "~~~", "~~~"), ("", "", ""),
    ("```\n```\n~~~~", "", "~~~~"), ("one ```", "", ""), ("```sh\r\nls\r\n```\r\nText.", "", ""),
])
def test_what_is_open_behind_a_text(text: str, inside: str, left: str) -> None:
    assert still_open(text, inside) == left


@given(st.lists(LINES, max_size=12))
def test_a_parser_sees_the_same_blocks(lines: list[str]) -> None:
    text = "\n".join(lines)
    spans, at = [], 0
    while fence := FENCE.search(text, at):
        end = closed(text, fence[1], fence.end())
        at = end if end >= 0 else len(text)
        spans.append((text.count("\n", 0, fence.start()), end >= 0))
    tokens = [token for token in MarkdownIt().parse(text) if token.type == "fence" and token.map]
    assert [line for line, _ in spans] == [token.map[0] for token in tokens if token.map]
    assert (still_open(text) == "") == all(whole for _, whole in spans)


@given(st.lists(LINES, max_size=12))
def test_line_by_line_comes_to_the_same(lines: list[str]) -> None:
    inside = ""
    for line in lines:
        inside = still_open(line, inside)
    assert inside == still_open("\n".join(lines))
