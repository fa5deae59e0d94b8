"""The stream from a model to a reader: cleared, closed and accounted for, however it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ModelBroken
from engine.guards.egress import Cleared, Egress, Screen, Tripped
from engine.messages import Found, TraceId, Trail, Usage
from engine.ports import Finished, Piece, Reasoning, Text
from engine.streaming import release
from tests.engine.guards.screens import GUARDS, PASSAGES, fingerprint

CANNED = "Sorry, that's beyond my current scope."


@dataclass
class Model:
    """Says its pieces, and remembers how far it got and whether it was let go."""

    pieces: list[Piece | Exception]
    said: int = 0
    closed: bool = field(default=False)

    async def stream(self) -> AsyncGenerator[Piece, None]:
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                self.said += 1
                yield piece
        finally:
            self.closed = True


async def read(texts: AsyncGenerator[Cleared, None]) -> str:
    return "".join([text async for text in texts])


def a_screen() -> Screen:
    return Egress(GUARDS, fingerprint).open("how long?", Found(PASSAGES, answers=True), Trail(TraceId("t1")))


async def test_text_comes_through_with_its_end_and_its_usage() -> None:
    end = Finished("stop", Usage(9, 4, 2))
    model = Model([Reasoning("hm"), Text("Four "), Text("weeks"), Text(" [2]"), Text("."), end])
    screen = a_screen()
    said = [str(text) async for text in release(model.stream(), screen)]
    assert "".join(said) == "Four weeks [1]."
    assert "" not in said
    assert screen.finished == end
    assert [citation.passage.id for citation in screen.citations] == ["p2"]
    assert model.closed
    assert [decision.action for decision in screen.trail.decisions] == ["allow", "allow", "mask"]


@given(st.lists(st.text(max_size=12), max_size=12))
async def test_nothing_is_lost_when_nothing_is_found(texts: list[str]) -> None:
    egress = Egress((), fingerprint)
    screen = egress.open("", Found(), Trail(TraceId("t1")))
    model = Model([Text(text) for text in texts])
    assert "".join([text async for text in release(model.stream(), screen)]) == "".join(texts)


async def test_a_deflection_closes_the_model_s_stream_and_shows_none_of_it() -> None:
    model = Model([Text("Four weeks. "), *map(Text, CANNED), Text(" Let's "), Text("talk.")])
    screen = a_screen()
    with pytest.raises(Tripped):
        await read(release(model.stream(), screen))
    assert screen.text == "Four weeks."
    assert model.closed
    assert model.said < len(model.pieces)
    assert [d.action for d in screen.trail.decisions] == ["allow", "reroute", "allow"]


async def test_the_server_s_own_filter_is_a_deflection() -> None:
    with pytest.raises(Tripped):
        await read(release(Model([Text("Four"), Finished("content_filter")]).stream(), a_screen()))


async def test_a_reader_who_leaves_closes_the_stream_and_what_was_seen_is_noted() -> None:
    model, screen = Model([Text("Four "), Text("weeks "), Text("or more")]), a_screen()
    async with aclosing(release(model.stream(), screen)) as texts:
        async for _ in texts:
            break
    assert (model.closed, model.said) == (True, 1)
    assert [(d.action, d.scanned, d.shown) for d in screen.trail.decisions] == [("allow", 5, 4)] * 3


async def test_half_a_stream_shows_only_what_was_safe() -> None:
    screen, model = a_screen(), Model([Text("Four weeks. Sorry, that's bey"), ModelBroken("gone")])
    with pytest.raises(ModelBroken):
        await read(release(model.stream(), screen))
    assert screen.text == "Four weeks."
    assert [d.action for d in screen.trail.decisions] == ["allow"] * 3
