"""A thread in short: by a model, or in the words of those who were there; and only for who may read it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NothingSaid
from engine.messages import Conversation, ConversationId, MessageId, Passage, Place
from engine.prompt import Estimate
from engine.rag.cite import cite
from engine.summary import MOST, POINTS, Thread, extract, room_for
from tests.builders import a_passage, a_place, an_audience, found

CHANNEL = frozenset({"channel:test:acme/ops"})
MEMBER = an_audience(ann="org channel:test:acme/ops")
OUTSIDER = an_audience(bob="org")


def said(text: str, *, by: str = "Ann", id: str = "") -> Passage:
    return a_passage(text, title=by, acl=CHANNEL, url="", id=id)


@dataclass(slots=True)
class Notes:
    """What was said, for one place."""

    lines: list[Passage]
    asked: list[Place] = field(default_factory=list)

    async def said(self, place: Place, limit: int) -> Sequence[Passage]:
        self.asked.append(place)
        return self.lines[-limit:]

    async def link(self, place: Place, message: MessageId) -> str:
        return f"https://chat.acme.example/{place.channel}/{message}"


def a_thread(notes: Notes, room: int = 10_000) -> Thread:
    return Thread(notes, notes, a_place(channel="ops"), Estimate(), room)


PAST = Conversation(ConversationId("test:ops"))


async def test_each_message_is_found_with_a_link_to_it() -> None:
    notes = Notes([said("the lift is stuck", id="m1"), said("I call Bo", by="Bo", id="m2")])
    there = await a_thread(notes).find("", past=PAST, audience=MEMBER, limit=MOST)
    assert [(p.title, p.text, p.url) for p in there.passages] == [
        ("Ann", "the lift is stuck", "https://chat.acme.example/ops/m1"),
        ("Bo", "I call Bo", "https://chat.acme.example/ops/m2"),
    ]
    assert there.answers


async def test_who_is_not_in_the_channel_is_told_nothing() -> None:
    with pytest.raises(NothingSaid):
        await a_thread(Notes([said("the salary is 7")])).find("", past=PAST, audience=OUTSIDER, limit=MOST)


async def test_of_a_long_thread_its_beginning_and_its_latest_messages_are_read() -> None:
    notes = Notes([said(f"message {n} " + "x" * 300, id=f"m{n}") for n in range(100)])
    there = await a_thread(notes, room_for(3_000, 500)).find("", past=PAST, audience=MEMBER, limit=MOST)
    numbers = [int(p.id.removeprefix("m")) for p in there.passages]
    assert numbers == [0, *range(100 - len(numbers) + 1, 100)]
    assert 5 < len(numbers) < 30


async def test_what_was_taken_back_or_rewritten_meanwhile_does_not_stand_any_more() -> None:
    notes = Notes([said("one", id="m1"), said("two", id="m2"), said("three", id="m3")])
    thread, before = a_thread(notes), tuple(notes.lines)
    notes.lines[:] = [notes.lines[0], replace(notes.lines[1], text="two, corrected")]
    assert await thread.still_readable(before, MEMBER) == (before[0],)
    assert await thread.still_readable(before, OUTSIDER) == ()


def test_without_a_model_the_messages_that_say_most_are_quoted_in_their_order() -> None:
    talk = [said("Our checkout is down since noon, customers see error 500.", by="Ann"), said("oh", by="Bo"),
            said("lol", by="Cy"), *[said(f"hm {n}", by="Dee") for n in range(12)],
            said("The checkout broke because the certificate ran out; we should renew it.", by="Eva"),
            said("ok", by="Bo"),
            said("Decided: Eva renews the certificate by Friday. Bo watches the checkout.", by="Ann")]
    text = extract(found(*talk), "", connected=False)
    quoted = [int(mark) for mark in re.findall(r"^- \[(\d+)\]", text, re.MULTILINE)]
    assert text.startswith("No language model is connected, so here is what was said, word for word:")
    assert "\n\n- [1] **Ann**: Our checkout is down since noon" in text
    assert quoted == sorted(quoted)
    assert {1, 16, 18} <= set(quoted)
    assert len(quoted) <= POINTS


@given(st.lists(st.text(max_size=600) | st.sampled_from(["run `foo", "see [1] and [2](x)", "```\ncode", "\\[3]"]),
                min_size=1, max_size=40))
def test_any_thread_has_an_extract_and_every_point_cites_its_own_message(texts: list[str]) -> None:
    there = found(*(said(text or "x", id=f"m{n}") for n, text in enumerate(texts)))
    _, citations, dropped = cite(extract(there, "", connected=True), there.passages)
    order = [int(citation.passage.id.removeprefix("m")) for citation in citations]
    assert 1 <= len(order) <= POINTS
    assert order == sorted(order)
    assert dropped == 0
