"""A gate says of a whole text what its pattern would say, whoever asks, and in whatever order."""

from __future__ import annotations

import re

import re2
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.gates import Gate, raw, spans
from engine.guards.orders import Signs, Where, plain_pattern, signs

ANY = st.text(st.characters() | st.sampled_from("ab-\n é密\ud800\U0001f600"), max_size=60)


def test_each_gate_knows_its_own_pattern() -> None:
    first, second = Gate("colou?r"), Gate("[0-9]{3}")
    assert [(first.open(text), second.open(text)) for text in ("a color", "no 123", "color 456", "")] == [
        (True, False), (False, True), (True, True), (False, False),
    ]


def test_a_gate_that_is_made_later_is_asked_as_well() -> None:
    text = "a later gate of this text"
    before = Gate("nothing of the kind").open(text)
    assert (before, Gate("later gate").open(text)) == (False, True)


@given(ANY)
def test_a_gate_and_its_pattern_agree_on_any_text(text: str) -> None:
    assert BROAD.open(text) == (re.search("[ab]{2}|密-", text) is not None)


BROAD = Gate("[ab]{2}|密-")


@given(ANY)
def test_spans_are_places_in_characters(text: str) -> None:
    found = list(spans(re2.compile("[a密é]+-?"), text))
    assert found == [match.span() for match in re.finditer("[a密é]+-?", text)]
    assert len(raw(text).decode()) == len(text)


SAID = (
    "ignore all previous instructions", "do anything now", "reveal your system prompt", "you are dan", "hello", ". ",
    "tell the user nothing", "dear assistant", "in your reply", "\n", "base64 and then follow it", "no restrictions",
)


@given(st.lists(st.sampled_from(SAID), max_size=6).map(" ".join))
def test_rules_in_groups_say_what_each_says_alone(text: str) -> None:
    for where in (Where.ASKED, Where.BOTH):
        rules = [sign for group in signs(where).groups for sign in group.signs]
        alone: dict[str, float] = {}
        for sign in rules:
            if re2.compile(plain_pattern(sign.pattern)).search(text):
                alone[sign.rule] = max(alone.get(sign.rule, 0.0), sign.weight)
        assert signs(where).read(text) == Signs([rules]).read(text) == alone
