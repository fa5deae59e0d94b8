"""Long texts in pieces, and lengths as Slack counts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.mrkdwn import address, boundary, clip, clip_escaped, octets, title, units
from adapters.slack.split import LONGEST_OPENER, split
from engine.harmless import harmless
from tests.hostile import HOSTILE

DOCUMENT = st.lists(HOSTILE | st.sampled_from([
    "```py\n", "~~~~\n", "- item\n", "  - deeper\n", "    code\n", "> said\n", "1. x\n", "\n", "# H\n", "[r]: http://x\n",
    "| a | b |\n|---|---|\n", "| 1 | 2 |\n", "word " * 5, "👩‍👩‍👧", "e" + "\u0301" * 7, "🇩🇪🇫🇷",
]), max_size=40).map("".join).map(harmless)


@given(DOCUMENT, st.integers(12, 120))
def test_pieces_are_the_text_and_none_is_too_long_to_show(text: str, limit: int) -> None:
    pieces = split(text, limit).pieces
    assert "".join(piece.source for piece in pieces) == text
    for piece in pieces:        # a fence that is opened again, or a table's head, comes on top
        assert units(piece.markdown) <= 2 * limit + 2 * LONGEST_OPENER


def test_small_blocks_share_a_piece() -> None:
    assert len(split("```\na\n```\n\nb\n\n" * 500, 3_000).pieces) <= 4


def test_a_long_list_is_cut_between_its_items() -> None:
    pieces = split("".join(f"- item {n} {'x' * 40}\n  and more\n" for n in range(40)), 300).pieces
    assert len(pieces) > 5
    assert all(piece.source.startswith("- item") for piece in pieces)


def test_the_rows_of_a_long_table_have_its_head_each_time() -> None:
    pieces = split("| name | age |\n|---|--:|\n" + "| Ann | 40 |\n" * 60, 200).pieces
    assert len(pieces) > 2
    assert all(piece.markdown.startswith("| name | age |\n|---|--:|\n") for piece in pieces)


def test_a_sentence_is_cut_before_a_word_is() -> None:
    first, *_ = split("One two three four five six. Seven eight nine ten eleven twelve.", 40).pieces
    assert first.source == "One two three four five six. "


@pytest.mark.parametrize("one", ["👩‍👩‍👧", "e\u0301\u0323", "🇩🇪", "👍🏽", "각", "\u1100\u1161\u11a8", "❤️"])
def test_what_people_see_as_one_character_is_not_cut(one: str) -> None:
    text = one * 3
    assert {boundary(text, at) for at in range(len(text) + 1)} == {n * len(one) for n in range(4)}


@given(st.text(max_size=300), st.integers(1, 80))
def test_a_clipped_text_is_the_beginning_of_it_within_the_limit(text: str, limit: int) -> None:
    for length in (units, octets):
        text = harmless(text)
        cut = clip(text, limit, length)
        assert length(cut) <= limit
        assert cut == text or text.startswith(cut.removesuffix("…"))
        escaped = clip_escaped(text, limit + 12, length)
        assert length(escaped) <= limit + 12
        assert "<" not in escaped
        assert not escaped.removesuffix("…").endswith(("&", "&a", "&am", "&amp", "&l", "&lt", "&g", "&gt"))


@pytest.mark.parametrize(("url", "fit"), [
    ("https://a.example/x|y<z>", "https://a.example/x%7Cy%3Cz%3E"), ("http://a.example", "http://a.example"),
    ("javascript:alert(1)", ""), ("https://", ""), ("https://[x", ""), ("/srv/page.md", ""), ("mailto:a@b.example", ""),
    ("https://a.example/\u202e", ""), ("https://a.example/" + "x" * 3_000, ""),
])
def test_s13_only_what_slack_opens_is_an_address(url: str, fit: str) -> None:
    assert address(url) == fit


@pytest.mark.parametrize(("written", "seen"), [
    ("Pay\u202eroll\n\u200b plan", "Payroll plan"), ("\u200b\u2060\ufeff", ""), ("\u200d\u200d", ""),
    ("👩‍👧 team", "👩‍👧 team"),
])
def test_a_title_holds_what_can_be_seen(written: str, seen: str) -> None:
    assert title(written) == seen
