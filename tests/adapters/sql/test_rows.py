"""What is stored is read back, also when an earlier version of the program stored it."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from adapters.sql.rows import answer_of, answer_text
from engine.messages import PassageId
from tests.builders import a_passage, an_answer


def test_an_answer_comes_back_with_all_that_it_was_made_from() -> None:
    answer = replace(an_answer("Ten days [1].", a_passage()), made_from=(frozenset({"org"}),),
                     read_from=((PassageId("p7"), "wiki/leave.md"), (PassageId("p8"), "")), whole=False)
    assert answer_of(answer_text(answer)) == answer


def test_an_answer_that_was_stored_before_some_of_it_was_noted_can_be_read() -> None:
    answer = an_answer("Ten days [1].", a_passage())
    earlier = msgspec.json.decode(answer_text(answer))
    del earlier["read_from"], earlier["whole"]
    assert answer_of(msgspec.json.encode(earlier).decode()) == answer
