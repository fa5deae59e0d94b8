"""What is asked about an answer once it stands. Rights are those of the moment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from engine.afterwards import NOT_FOR_ALL, Afterwards
from engine.errors import Refused, RetrieverUnavailable
from engine.guards.citations import CitationGuard
from engine.guards.egress import Egress, joined
from engine.guards.secrets import SecretsGuard
from engine.messages import Passage, Place
from tests.builders import a_passage, a_place, an_answer
from tests.fakes import Room, Shelf

LEAVE = a_passage("Give ten working days' notice.", title="Annual leave")
MERGER = a_passage("The merger is on.", title="Merger", acl=frozenset({"group:board"}))
PEOPLE = {"ann": frozenset({"org", "group:board"}), "bob": frozenset({"org"})}
EGRESS = Egress((SecretsGuard(), CitationGuard()), str)


def afterwards(*there: Passage, broken: bool = False) -> Afterwards:
    return Afterwards(Room(PEOPLE), Shelf(there, broken), EGRESS)


async def titles(asks: Afterwards, who: str, *cited: Passage) -> list[str]:
    shown = await asks.sources(an_answer("Yes [1][2].", *cited), a_place(person=who))
    assert shown.text == ""
    return [str(source.title) for source in shown.sources]


async def test_sources_are_those_that_this_person_may_read_now() -> None:
    asks = afterwards(LEAVE, MERGER)
    assert await titles(asks, "ann", LEAVE, MERGER) == ["Annual leave", "Merger"]
    assert await titles(asks, "bob", LEAVE, MERGER) == ["Annual leave"]
    assert await titles(asks, "eve", LEAVE, MERGER) == []


async def test_a_page_that_is_gone_is_no_source_any_more() -> None:
    assert await titles(afterwards(MERGER), "ann", LEAVE, MERGER) == ["Merger"]


async def test_an_answer_for_everyone_may_be_shared() -> None:
    shown = await afterwards(LEAVE).shareable(an_answer("Ten days [1].", LEAVE), a_place(person="ann"))
    assert (shown.text, [str(source.title) for source in shown.sources]) == ("Ten days [1].", ["Annual leave"])


@pytest.mark.parametrize("answer", [
    an_answer("It is on [1].", MERGER),
    replace(an_answer("Ten days [1].", LEAVE), made_from=(frozenset({"group:board"}),)),    # read, and not cited
])
async def test_what_one_of_them_may_not_read_is_not_shared(answer: object) -> None:
    with pytest.raises(Refused) as refused:
        await afterwards(LEAVE, MERGER).shareable(answer, a_place(person="ann"))    # type: ignore[arg-type]
    assert refused.value.reply == NOT_FOR_ALL


async def test_what_was_withdrawn_is_not_shared() -> None:
    with pytest.raises(Refused):
        await afterwards().shareable(an_answer("Ten days [1].", LEAVE), a_place(person="ann"))
    uncited = replace(an_answer("Ten days [1].", LEAVE), read_from=((MERGER.id, "board/merger.md"),))
    with pytest.raises(Refused):
        await afterwards(LEAVE).shareable(uncited, a_place(person="ann"))


@dataclass
class Minutes:
    """What was said, in one channel."""

    said_there: list[Passage]

    async def said(self, place: Place, limit: int) -> list[Passage]:
        return self.said_there[-limit:] if place.channel == "general" else []


async def test_messages_are_judged_by_who_wrote_them_down_and_not_by_the_index() -> None:
    """A summary, and an answer that remembered one, come from messages."""
    lift = a_passage("The lift is stuck.", title="Ann", url="", id="test:general/1")
    minutes = Minutes([lift])
    asks = replace(afterwards(LEAVE), transcripts=minutes)
    remembered = replace(an_answer("Ten days [1].", LEAVE), read_from=((lift.id, ""),))
    assert await titles(asks, "ann", lift, LEAVE) == ["Ann", "Annual leave"]
    for answer in (an_answer("The lift is stuck [1].", lift), remembered):
        assert (await asks.shareable(answer, a_place(person="ann"))).text == answer.text
        with pytest.raises(Refused):
            await asks.shareable(answer, a_place(person="ann", channel="random"))
    minutes.said_there = [replace(lift, text="The lift runs.")]
    assert await titles(asks, "ann", lift, LEAVE) == ["Annual leave"]
    minutes.said_there = []
    for answer in (an_answer("The lift is stuck [1].", lift), remembered):
        with pytest.raises(Refused):
            await asks.shareable(answer, a_place(person="ann"))


async def test_when_rights_cannot_be_told_nothing_is_shown() -> None:
    asks = afterwards(LEAVE, broken=True)
    with pytest.raises(RetrieverUnavailable):
        await asks.sources(an_answer("Ten days [1].", LEAVE), a_place(person="ann"))
    with pytest.raises(RetrieverUnavailable):
        await asks.shareable(an_answer("Ten days [1].", LEAVE), a_place(person="ann"))


async def test_pieces_that_were_cleared_are_cleared_together() -> None:
    pieces = [await EGRESS.notice("Ten "), await EGRESS.notice("days.")]
    assert joined(pieces) == "Ten days."
    assert type(joined(pieces)) is type(pieces[0])
    assert joined([]) == ""
