"""A file that came with a question is read for its thread, beside the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from engine.attached import PREFIX, Beside
from engine.errors import RetrieverUnavailable
from engine.messages import Conversation, File, Message, Passage
from tests.builders import a_message, a_passage, an_audience
from tests.fakes import Shelf

MENU = File("F1", "canteen.txt")
ANN = an_audience(ann="org")
CHANNEL = frozenset({"user:ann"})


def a_piece(text: str, n: int = 0, file: File = MENU) -> Passage:
    return replace(a_passage(text, title=file.name, id=f"{PREFIX}{file.id}/{n}", acl=CHANNEL), document=file.id)


@dataclass(slots=True)
class Folder:
    pieces: list[Passage]

    async def of(self, message: Message) -> Sequence[Passage]:
        del message
        return self.pieces


async def asked(
    question: str, pieces: list[Passage], *, sent: bool = True, shelf: Shelf | None = None,
) -> tuple[Beside, list[str]]:
    message = replace(a_message(question), files=(MENU,) if sent else ())
    beside = Beside(shelf or Shelf([a_passage("Leave: ten days.", id="p1")]), Folder(pieces), message)
    past = Conversation(message.conversation)
    found = await beside.find(question, past=past, audience=ANN, limit=6)
    assert found.answers
    return beside, [p.id for p in found.passages]


async def test_pieces_that_speak_of_the_question_come_before_the_pages() -> None:
    pieces = [a_piece(f"chapter {n}", n) for n in range(9)] + [a_piece("The canteen opens at eleven.", 9)]
    _, ids = await asked("when does the canteen open?", pieces)
    assert f"{PREFIX}F1/9" in ids
    assert ids[-1] == "p1"
    assert len(ids) <= 6


async def test_of_a_file_that_came_along_at_least_the_beginning_is_read() -> None:
    _, ids = await asked("what is this about?", [a_piece(f"chapter {n}", n) for n in range(9)])
    assert ids[0] == f"{PREFIX}F1/0"


async def test_a_file_of_earlier_is_read_only_if_it_speaks_of_the_question() -> None:
    pieces = [a_piece("The canteen opens at eleven.")]
    _, ids = await asked("when does the canteen open?", pieces, sent=False)
    assert ids == [f"{PREFIX}F1/0", "p1"]
    _, ids = await asked("how much notice before leave?", pieces, sent=False)
    assert ids == ["p1"]


async def test_without_an_index_the_file_is_enough_and_without_both_there_is_nothing() -> None:
    _, ids = await asked("when does the canteen open?", [a_piece("The canteen opens.")], shelf=Shelf(broken=True))
    assert ids == [f"{PREFIX}F1/0"]
    with pytest.raises(RetrieverUnavailable):
        await asked("when?", [], shelf=Shelf(broken=True))


async def test_what_was_taken_back_meanwhile_does_not_stand_any_more() -> None:
    pieces = [a_piece("The canteen opens at eleven."), a_piece("It has soup.", 1)]
    beside, _ = await asked("canteen?", pieces)
    page = a_passage("Leave: ten days.", id="p1")
    before = (*pieces, page)
    assert await beside.still_readable(before, ANN) == before
    del pieces[0]
    assert await beside.still_readable(before, ANN) == before[1:]
    assert await beside.still_readable(before, an_audience(bob="org")) == (page,)
