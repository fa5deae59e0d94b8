"""What is searched for when a question leans on the last one."""

from __future__ import annotations

import pytest

from engine.messages import Conversation, ConversationId, Turn
from engine.rag.followup import standalone
from tests.builders import a_message

PAST = Conversation(ConversationId("test:general"), (
    Turn(a_message("who is on call?"), None), Turn(a_message("how much notice before annual leave?"), None),
))


@pytest.mark.parametrize("question", [
    "and for three weeks?", "why?", "what about sick leave?", "does it carry over to the next year?",
    "they said no, can I appeal?", "is that the same in France and in Spain?",
])
def test_a_question_that_leans_takes_the_last_one_along(question: str) -> None:
    assert standalone(question, PAST) == f"how much notice before annual leave?\n{question}"


@pytest.mark.parametrize("question", ["who approves a new laptop?", "how long are backups kept in the second region?"])
def test_a_question_of_its_own_stands_alone(question: str) -> None:
    assert standalone(question, PAST) == question


def test_the_first_question_stands_alone() -> None:
    assert standalone("why?", Conversation(ConversationId("test:general"))) == "why?"
