"""A text taken apart: the same whatever it is wrapped in, and never too much for it."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.guards.features import (
    FORMS,
    HEAD,
    TAIL,
    Grams,
    Topic,
    acts,
    form,
    pasted,
    read,
    segments,
    unwrapped,
    wording,
)
from engine.guards.hashing import BITS, NOTHING, number, places, sequences
from engine.guards.normalise import simplified

ANY = st.text(st.characters(exclude_categories=()), max_size=200)     # lone surrogates too


def words(text: str, ranges: tuple[tuple[int, int], ...]) -> list[str]:
    tokens = read(text).tokens
    return [" ".join(tokens[start:end]) for start, end in ranges]


def test_json_is_read_for_its_texts_alone() -> None:
    said = "我们换个话题吧。"
    inner = json.dumps({"reply": said})
    for wrapped in (
        json.dumps({"status": "ok", "blocks": [{"type": "mrkdwn", "text": said}]}),
        json.dumps([{"type": "text", "text": said}], ensure_ascii=False),
        json.dumps({"tool": {"arguments": inner}}),
        f"```json\n{inner}\n```",
    ):
        assert unwrapped(wrapped) == said
        assert read(wrapped).tokens == read(said).tokens


def test_json_that_is_still_coming_in_is_read_as_far_as_it_goes() -> None:
    whole = json.dumps({"reply": "Sorry, 这个 is off limits", "confidence": 0.9})
    assert unwrapped(whole[:40]).startswith("Sorry, 这")
    assert "\\u" not in unwrapped(whole[:22])


def test_prose_that_opens_with_a_bracket_is_prose() -> None:
    for text in ("[1] says four weeks.", "{curly} braces are used in templates", "{"):
        assert unwrapped(text) == text


def test_thoughts_are_not_part_of_the_answer() -> None:
    assert read("<think>I cannot say this.</think>Four weeks.").tokens == read("Four weeks.").tokens


def test_sentences_end_at_marks_and_lines() -> None:
    text = "Hello there. 这个问题很好。\n- one item\n\nlast"
    assert words(text, read(text).sentences) == ["hello there .", "这 个 问 题 很 好 。", "- one item", "last"]


def test_a_line_pasted_behind_half_a_word_is_a_range_of_its_own() -> None:
    text = "Identity theft can have serious consI can't get into this one."
    assert "i can't get into this one ." in words(text, pasted(read(text)))
    text = "中国政府对许多人权律师进行该回答已被系统撤回。"
    assert "该 回 答 已 被 系 统 撤 回 。" in words(text, pasted(read(text)))


def test_quotations_and_code_are_set_apart_if_they_are_closed() -> None:
    reading = read('The bot said "no way" and `stop`.\nIt is 5" wide.')
    assert [t for t, q in zip(reading.tokens, reading.quoted, strict=True) if q] == ["no", "way", "stop"]
    assert read("```\nsorry\n```\nbye").quoted.sum() == 3


def test_what_the_question_is_about_does_not_count_as_what_the_answer_does() -> None:
    common = np.unique(np.array([number("i"), number("can't"), number("help"), number("with")], dtype=np.uint32))
    seen = [
        acts(read(f"I can't help with {topic}"), Topic.of(read(f"Explain {topic} to me")), common).tolist()
        for topic in ("lockpicking", "phosphorus")
    ]
    assert seen[0] == seen[1]


def test_a_quoted_refusal_shares_nothing_with_a_refusal() -> None:
    topic, common = Topic.of(read("")), read("I cannot help").stems
    plain = acts(read("I cannot help"), topic, np.unique(common))
    quoted = acts(read('"I cannot help"'), topic, np.unique(common))[1:4]
    assert not set(plain.tolist()) & set(quoted.tolist())


def test_characters_of_either_script_are_the_same_words() -> None:
    assert simplified("讓我們換個話題") == "让我们换个话题"
    assert read("讓我們換個話題").stems.tolist() == read("让我们换个话题").stems.tolist()


def test_form_sees_the_language_change_and_the_missing_topic() -> None:
    topic = Topic.of(read("Which printers support duplex scanning?"))
    same = form(read("These printers support duplex scanning: all of them."), topic)
    other = form(read("这个问题我不方便聊。"), topic)
    assert len(same) == len(other) == FORMS
    assert not np.array_equal(same, other)
    assert topic.shared(read("printers that support it").tokens) > 0.3
    assert topic.shared(read("换个话题").tokens) == 0.0


@given(ANY, ANY)
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_taken_apart(question: str, text: str) -> None:
    reading = read(text)
    topic = Topic.of(read(question))
    looks = form(reading, topic)
    assert len(looks) == FORMS
    assert np.isfinite(looks).all()
    ranges = [*reading.sentences, *pasted(reading), *segments(reading)]
    assert all(0 <= start <= end <= len(reading) for start, end in ranges)
    wording(reading)


@given(st.lists(st.sampled_from("abc"), max_size=12), st.data())
def test_a_ranges_sequences_are_those_of_its_words(letters: list[str], data: st.DataObject) -> None:
    stems = np.array([number(letter) for letter in letters], dtype=np.uint32)
    start = data.draw(st.integers(0, len(letters)))
    end = data.draw(st.integers(start, len(letters)))
    inside = Grams.of(stems).of_range(start, end)
    alone = Grams.of(stems[start:end]).of_range(0, end - start)
    assert sorted(inside.tolist()) == sorted(alone.tolist())


def test_numbers_are_fixed_for_ever() -> None:
    assert number("refusal") == 2590307146
    mixed = sequences(np.array([1, 2, 3], dtype=np.uint32), 2, 7)
    assert places(mixed).tolist() == [int(place) for place in places(mixed)]
    assert int(places(mixed).max()) < 1 << BITS
    assert sequences(NOTHING, 1, 0) is NOTHING


def test_of_a_long_text_both_ends_are_read() -> None:
    reading = read("start " + "x " * (HEAD + TAIL) + "finish")
    assert reading.tokens[0] == "start"
    assert reading.tokens[-1] == "finish"
    assert len(reading) < HEAD + TAIL
