"""The JSON that travels between the chat server and us."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

Time = Annotated[datetime, Meta(tz=True)]
"""RFC 3339, with its offset."""


class MessageEvent(Struct, frozen=True, tag_field="type", tag="message"):
    """Somebody said something. ``addressed``: it is for the bot."""

    key: str                        # the same at every delivery of this event
    id: str
    conversation: str
    channel: str
    workspace: str
    author: str
    text: str
    at: Time
    thread: str | None = None
    direct: bool = False
    name: str = ""
    addressed: bool = True


class EditEvent(Struct, frozen=True, tag_field="type", tag="edit"):
    """A message got a new text."""

    key: str
    id: str
    text: str
    at: Time


class DeleteEvent(Struct, frozen=True, tag_field="type", tag="delete"):
    """A message was taken back."""

    key: str
    id: str
    at: Time


WireEvent: TypeAlias = MessageEvent | EditEvent | DeleteEvent


class Taken(Struct, frozen=True):
    """Our answer to an event: it is on disk. ``new``: it was not before."""

    new: bool


class NewPost(Struct, frozen=True):
    """``POST /posts``. ``trace`` is the mark by which we find our own post again."""

    conversation: str
    reply_to: str                   # id of the message that it answers
    trace: str
    text: str


class SourceWire(Struct, frozen=True):
    """One numbered source under an answer."""

    marker: int
    title: str
    url: str
    quote: str
    date: datetime | None


class Revision(Struct, frozen=True):
    """``PUT /posts/{id}``: all that stands there from now on. ``final``: nothing more will come."""

    text: str
    final: bool = False
    sources: tuple[SourceWire, ...] = ()
    note: str = ""                  # a sentence about the answer


class Posted(Struct, frozen=True):
    """A post of ours, as the chat server names it."""

    id: str
    text: str = ""


class MemberWire(Struct, frozen=True):
    """Somebody who reads a channel, and the access labels that this person holds."""

    id: str
    labels: frozenset[str]


events: Final[msgspec.json.Decoder[WireEvent]] = msgspec.json.Decoder(MessageEvent | EditEvent | DeleteEvent)
posted: Final = msgspec.json.Decoder(Posted)
posts: Final = msgspec.json.Decoder(list[Posted])
members: Final = msgspec.json.Decoder(list[MemberWire])
encode: Final = msgspec.json.Encoder().encode
