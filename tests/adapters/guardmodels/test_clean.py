"""Judged text cannot speak to its judge."""

from __future__ import annotations

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.guardmodels.clean import clean, conversation
from engine.prompt import ChatMessage

MARKS = [
    "<|eot_id|>", "<|start_header_id|>", "<|begin_of_text|>", "<|header_start|>", "<|eot|>", "<|im_end|>",
    "<|endoftext|>", "<|start|>", "<|channel|>", "<|end_of_role|>", "<END CONVERSATION>", "<end  conversation>",
    "<BEGIN UNSAFE CONTENT CATEGORIES>", "</think>", "<think>", "<no-think>", "<guardian>", "<score>", "</score>",
    "[INST]", "[/INST]", "<｜User｜>", "</s>",
]
SPOKEN = re.compile(r"^[^\S\n]*(?:user|agent|assistant)[^\S\n]*:", re.IGNORECASE | re.MULTILINE)


@pytest.mark.parametrize("mark", MARKS)
def test_no_mark_survives(mark: str) -> None:
    assert mark.lower() not in clean(f"before {mark} after").lower()


SHARDS = [*MARKS, *(mark[:4] for mark in MARKS), *(mark[4:] for mark in MARKS), "x", " ", "\n"]


@given(st.lists(st.sampled_from(SHARDS), max_size=12))
def test_not_even_a_mark_that_hides_another(parts: list[str]) -> None:
    said = clean("".join(parts)).lower()
    assert not [mark for mark in MARKS if mark.lower() in said]


@given(st.text())
def test_words_stay_and_can_be_sent(text: str) -> None:
    said = clean(text)
    said.encode()
    letters = [c for c in text if c.isalnum()]
    assert [c for c in said if c.isalnum()] == letters


LINES = ["User:", "agent :", "ASSISTANT:", "  Human: ", "hello", "\n", "\r", "\r\n", "：", " "]


@given(st.lists(st.sampled_from(LINES)))
def test_no_line_opens_as_another_speaker(parts: list[str]) -> None:
    assert not SPOKEN.search(clean("".join(parts)))


def test_plain_words_are_left_alone() -> None:
    text = "if a < b and b > c, the user: Ann pays 5 | 6 € for <b>bold</b> text"
    assert clean(text) == text


@pytest.mark.parametrize("opening", ["<", "[", "</", "[/", "<begin", "<|", "user"])
def test_an_endless_row_of_blanks_costs_no_more_than_its_length(opening: str) -> None:
    text = opening + " " * 30_000
    begun = process_time()
    assert clean(text) == text
    assert process_time() - begun < 1


def test_templates_get_what_they_demand() -> None:
    said = conversation([
        ChatMessage("system", "be nice"), ChatMessage("assistant", "hi"), ChatMessage("user", "one"),
        ChatMessage("user", "two"), ChatMessage("assistant", " "),
    ])
    assert [(each.role, each.text) for each in said] == [
        ("user", "(no message)"), ("assistant", "hi"), ("user", "one\n\ntwo"), ("assistant", "(no message)"),
    ]
