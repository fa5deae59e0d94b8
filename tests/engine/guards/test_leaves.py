"""JSON that is still being generated is read string by string, and what is edited in it stays JSON."""

from __future__ import annotations

import json
from collections.abc import Coroutine

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.leaves import LeafStream
from engine.guards.page import Detector, Page
from engine.guards.verdict import Flag, Refuse
from engine.ports import Edit, Reasoning, Scan, Text
from tests.engine.guards.screens import CUTS, cut, letters

WORD = "heron"


class Bird:
    """Holds and edits one word, and notes what it was given to read."""

    def __init__(self, read: list[str]) -> None:
        self.texts, self.place, self.text, self.at = read, len(read), "", 0
        read.append("")

    def read(self, page: Page) -> int:
        self.texts[self.place] += page.text
        self.text += page.text
        while (start := self.text.find(WORD, self.at)) >= 0:
            page.edit(Edit(start, start + len(WORD), 'a "bird"', "bird"))
            self.at = start + len(WORD)
        safe = len(self.text)
        if not page.final:
            for size in range(len(WORD) - 1, 0, -1):
                if self.text.endswith(WORD[:size]):
                    safe -= size
                    break
        self.at = max(self.at, safe)
        return safe


def leaves(pieces: list[str]) -> tuple[list[str], str]:
    """The texts that were read, and what comes out."""
    read: list[str] = []
    stream = LeafStream(Detector(lambda: Bird(read)))
    raw, shown, safe, out = "", "", 0, 0
    for piece in [*pieces, None]:
        raw += piece or ""
        scan = at_once(stream.close() if piece is None else stream.feed(Text(piece)))
        assert safe <= scan.safe <= len(raw)
        for edit in scan.edits:
            assert safe <= edit.start <= edit.end <= scan.safe
            shown, out = shown + raw[out : edit.start] + edit.text, edit.end
        safe = scan.safe
        shown, out = shown + raw[out:safe], safe
        assert WORD not in shown
    return [text for text in read if text], shown


def at_once(coroutine: Coroutine[object, None, Scan]) -> Scan:
    """What a coroutine that waits for nothing returns."""
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    scan: Scan = stop.value.value
    return scan


@pytest.mark.parametrize(("raw", "texts"), [
    ("plain words", ["plain words"]),
    ("[1] says so", ["[1] says so"]),
    ("{not json}", ["{not json}"]),
    ('{"a": "b\\nc", "d": [1.5e3, true, null, "e"]}', ["a", "b\nc", "d", "e"]),
    ('```json\n{"a": "b"}\n```', ["a", "b"]),
    ('{"a": "\\u8fd9\\u4e2a \\ud83d\\ude00"}', ["a", "这个 😀"]),
    ('{"a": "lone \\ud83d!"}', ["a", "lone \ud83d!"]),
    (json.dumps({"a": json.dumps({"b": json.dumps(["这"])})}), ["a", "b", "这"]),
    ('{"a": "he said "yes" to it"}', ["a", 'he said "yes" to it']),
    ('{"a": "open', ["a", "open"]),
    ('{"a": "b"} and more \\u8fd9', ["a", "b", "and more 这"]),
    ('{"a": tralala}', ["a", "tralala}"]),
    ('{"a": "\\x \\u12"}', ["a", "\\x \\u12"]),
])
def test_every_string_is_a_leaf_however_it_is_cut(raw: str, texts: list[str]) -> None:
    assert leaves([raw]) == (texts, raw)
    assert leaves(letters(raw)) == (texts, raw)
    for at in range(len(raw) + 1):
        assert leaves([raw[:at], raw[at:]]) == (texts, raw)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.text().map(lambda text: text + WORD)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    | inner.map(json.dumps),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, min_size=1, max_size=4), st.booleans(), CUTS)
def test_what_is_edited_in_json_stays_json(value: dict[str, object], ascii_only: bool, cuts: list[int]) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only)
    texts, shown = leaves([raw])
    assert leaves(cut(raw, cuts)) == leaves(letters(raw)) == (texts, shown)
    json.loads(shown)
    assert WORD not in shown


@given(st.text(alphabet='{}[]",:\\u8d0 \nabhero`', max_size=60).map(lambda text: '{"' + text), CUTS)
def test_broken_json_is_read_the_same_way_however_it_is_cut(raw: str, cuts: list[int]) -> None:
    assert leaves([raw]) == leaves(cut(raw, cuts)) == leaves(letters(raw))


def test_a_megabyte_of_escapes_in_one_piece() -> None:
    text = "这个问题" * 40_000
    texts, shown = leaves(['{"a": ' + json.dumps(text) + "}"])
    assert texts == ["a", text]
    assert len(shown) > 6 * len(text)


class Objecting:
    """Objects to the letter Z."""

    def read(self, page: Page) -> int:
        if "Z" in page.text:
            page.judge(Refuse("z", "letters", "No."), page.end)
            return page.end - 1
        return page.end


async def test_an_objection_in_a_leaf_is_one_to_the_answer_and_knows_its_place() -> None:
    stream = LeafStream(Detector(Objecting))
    assert (await stream.feed(Text('{"a": "\\u005'))).verdict is None
    scan = await stream.feed(Text('a and more"}'))
    assert scan.verdict == Refuse("z", "letters", "No.")
    assert scan.by is not None
    assert scan.by >= len('{"a": "\\u005a')


async def test_reasoning_is_flagged_once() -> None:
    stream = LeafStream(Detector(Objecting, thoughts=Objecting))
    assert (await stream.feed(Reasoning("hm Z"))).verdict == Flag("z_in_reasoning", "letters")
    assert (await stream.feed(Reasoning("Z"))).verdict is None
    assert (await stream.close()).verdict is None
