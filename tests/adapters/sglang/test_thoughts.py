"""A server that was not told to part thoughts from answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sglang.wire import Failure, PieceReader
from engine.ports import Piece, Reasoning, Text

unhurried = settings(deadline=None)


def said(*deltas: dict[str, str]) -> tuple[str, str, str]:
    """What was thought, what was answered, and how it ended."""
    reader, pieces = PieceReader(), list[Piece]()
    for number, delta in enumerate(deltas, 1):
        finish = "stop" if number == len(deltas) else None
        event = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        pieces += reader.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    try:
        end = reader.finished().reason
    except Failure as failure:
        end = str(failure)
    thoughts = "".join(piece.text for piece in pieces if isinstance(piece, Reasoning))
    return thoughts, "".join(piece.text for piece in pieces if isinstance(piece, Text)), end


def cut(text: str, cuts: list[int]) -> tuple[str, str, str]:
    places = sorted(place % (len(text) + 1) for place in cuts)
    return said(*({"content": text[a:b]} for a, b in zip([0, *places], [*places, len(text)], strict=True)))


ANYWHERE = st.lists(st.integers(0, 1000), max_size=20)
THOUGHT = "The user wants leave. <b>I keep the plan to myself.</b"


@unhurried
@given(ANYWHERE)
def test_thoughts_between_tags_are_thoughts_however_they_are_cut(cuts: list[int]) -> None:
    assert cut(f"\n<think>{THOUGHT}</think>\n\nTen days [1].", cuts) == (THOUGHT, "\n\nTen days [1].", "stop")


@unhurried
@given(ANYWHERE)
def test_thoughts_that_never_end_are_no_answer(cuts: list[int]) -> None:
    assert cut(f"<think>{THOUGHT}</thi", cuts) == (f"{THOUGHT}</thi", "", "stop")


@unhurried
@given(ANYWHERE)
def test_a_closing_tag_alone_says_that_thoughts_stood_in_the_answer(cuts: list[int]) -> None:
    _, _, end = cut("The user wants leave.\n</think>\n\nTen days [1].", cuts)
    assert end == "thoughts stand in the answer: start the server with --reasoning-parser"


@unhurried
@given(st.sampled_from([
    "<thin ice> is no tag", "<th", "Write `</think>` behind it.\nAs here.", "a <b> c </think> d", "",
    "The template:\n```\n<think>\nhm\n</think>\n```\nThat is all.",
]), ANYWHERE)
def test_an_answer_that_talks_about_tags_is_an_answer(text: str, cuts: list[int]) -> None:
    assert cut(text, cuts) == ("", text, "stop")


def test_a_server_that_parts_them_may_say_what_it_likes() -> None:
    text = "It ends with\n</think>\nalone."
    assert said({"reasoning_content": "hm"}, {"content": text}, {}) == ("hm", text, "stop")


def test_a_closing_tag_before_any_word_is_left_out() -> None:
    assert said({"content": "</think>"}, {"content": "\n\nTen days."}) == ("", "\n\nTen days.", "stop")


@pytest.mark.parametrize(("parts", "whole"), [
    (("Well done \ud83d", "\ude00!"), "Well done 😀!"), (("a\udc00b",), "a\ufffdb"), (("a\ud83d", "b"), "a\ufffdb"),
])
def test_half_a_character_is_no_broken_answer(parts: tuple[str, ...], whole: str) -> None:
    assert said(*({"content": part} for part in parts))[1:] == (whole, "stop")
