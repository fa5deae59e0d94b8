"""Events of the chat server to events of ours. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from adapters.loopback import wire
from engine.errors import BadEvent
from engine.messages import (
    ConversationId,
    Deleted,
    Edited,
    Event,
    EventKey,
    Message,
    MessageId,
    PersonId,
    Place,
    Said,
)

NAME: Final = "loopback"
PREFIX: Final = f"{NAME}:"
_UNKNOWN: Final = "Invalid value"


def read(raw: bytes) -> Event:
    """The event in a request's body. Raises `BadEvent`, which names the field and quotes nothing."""
    try:
        event = wire.events.decode(raw)
    except UnicodeDecodeError as error:
        raise BadEvent("not UTF-8") from error
    except RecursionError as error:
        raise BadEvent("nested too deeply") from error
    except msgspec.DecodeError as error:
        reason = str(error)
        raise BadEvent("unknown type" if reason.startswith(_UNKNOWN) else reason) from error
    return normalised(event)


def normalised(event: wire.WireEvent) -> Event:
    """The same, with ids that are unique across platforms. Raises `BadEvent` for a time outside the calendar."""
    key, message, at = EventKey(PREFIX + event.key), MessageId(PREFIX + event.id), _utc(event.at)
    if "" in (event.key, event.id):
        raise BadEvent("key and id must not be empty")
    match event:
        case wire.EditEvent():
            return Edited(key, message, event.text, at)
        case wire.DeleteEvent():
            return Deleted(key, message, at)
    if "" in (event.conversation, event.author):
        raise BadEvent("conversation and author must not be empty")
    author = PersonId(PREFIX + event.author)
    place = Place(NAME, event.workspace, event.channel, author, event.thread, event.direct)
    conversation = ConversationId(PREFIX + event.conversation)
    return Said(key, Message(message, conversation, author, event.text, place, at, event.name), event.addressed)


def bare(name: str) -> str:
    """One of our ids as the chat server knows it."""
    return name.removeprefix(PREFIX)


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise BadEvent("at is outside the calendar") from error
