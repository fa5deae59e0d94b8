"""Values for tests, each with the defaults that the test at hand does not care about."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from engine.messages import (
    Answer,
    Audience,
    Citation,
    ConversationId,
    Deleted,
    Edited,
    EventKey,
    Found,
    Lane,
    Member,
    Message,
    MessageId,
    Passage,
    PassageId,
    PersonId,
    Place,
    Said,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ORG = frozenset({"org"})
_numbers = itertools.count(1)


def a_place(*, channel: str = "general", person: str = "ann", direct: bool = False) -> Place:
    return Place("test", "acme", channel, PersonId(person), thread=None, direct=direct)


def a_message(
    text: str = "how much notice before annual leave?", *, by: str = "ann", conversation: str = "general", id: str = "",
) -> Message:
    number = next(_numbers)
    return Message(
        MessageId(id or f"test:{conversation}/{number}"), ConversationId(f"test:{conversation}"), PersonId(by), text,
        a_place(channel=conversation, person=by), NOON, by.title(),
    )


def said(text: str = "hello?", *, by: str = "ann", conversation: str = "general", key: str = "", id: str = "",
         addressed: bool = True, lane: Lane = Lane.INTERACTIVE) -> Said:
    message = a_message(text, by=by, conversation=conversation, id=id)
    return Said(EventKey(key or f"said:{message.id}"), message, addressed, lane)


def edited(of: Said, text: str) -> Edited:
    return Edited(EventKey(f"edited:{next(_numbers)}"), of.message.id, text, NOON)


def deleted(of: Said) -> Deleted:
    return Deleted(EventKey(f"deleted:{of.message.id}"), of.message.id, NOON)


def a_passage(text: str = "Give ten working days' notice.", *, title: str = "Annual leave", acl: frozenset[str] = ORG,
              url: str = "https://wiki.acme.example/leave#notice", id: str = "") -> Passage:
    return Passage(PassageId(id or f"p{next(_numbers)}"), text, title, url, 1.0, acl, NOON)


def an_answer(text: str = "Ten working days [1].", *passages: Passage) -> Answer:
    cited = passages or (a_passage(),)
    return Answer(text, tuple(Citation(n, p) for n, p in enumerate(cited, 1)), model="chat")


def found(*passages: Passage) -> Found:
    return Found(passages, answers=bool(passages))


def an_audience(**people: str) -> Audience:
    """``an_audience(ann="org group:hr")``"""
    return Audience(tuple(
        Member(PersonId(who), frozenset({*labels.split(), f"user:{who}"})) for who, labels in people.items()
    ))
