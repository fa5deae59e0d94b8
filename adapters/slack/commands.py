"""What is asked by slash command and by shortcut, and the sentences that answer at once. Pure.

A command never stands in a thread, and what it is answered with is for who asked alone.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from adapters.slack import wire
from adapters.slack.normalise import Self, private
from adapters.slack.plain import Names, plain
from engine.messages import Kind, Said

COMMAND: Final = "/bartizan"
ASK_ABOUT: Final = "ask_about_message"
"""``callback_id`` of the shortcut on a message that asks about it."""
SUMMARISE: Final = "summarise_thread"
"""The same of the one that summarises its thread."""
ASK: Final = "ask"
"""The same of the shortcut that is everywhere."""

HELP: Final = (
    "*What I can do for you*\n"
    f"• `{COMMAND} ask` and a question: I answer, and only you see it.\n"
    f"• `{COMMAND} summarise`: what was said in this channel lately; with a link to a message, its thread.\n"
    f"• `{COMMAND} leave`: I leave the threads of this channel until somebody mentions me again.\n"
    f"• `{COMMAND} privacy`: export or delete what I hold about you.\n"
    "Or mention me in a channel, write to me in a direct message, or open the menu of a message: "
    "“Ask about this” and “Summarise thread”."
)
LEFT: Final = "I have left the threads of this channel. Mention me whenever you want me back."
LEFT_THREAD: Final = "I have left this thread. Mention me whenever you want me back."
TROUBLE: Final = "I could not store your question, so I will not answer it. Please try again in a few minutes."
NOT_DONE: Final = "Something of mine is not available right now, so I did nothing. Please try again in a few minutes."
ASKED: Final = "You asked:"
NO_QUESTION: Final = f"What would you like to know? Write `{COMMAND} ask` and your question."

_LINK: Final = re.compile(r"/archives/([CDG][A-Z0-9]+)/p(\d{10})(\d{6})(?:\S*[?&]thread_ts=(\d+\.\d+))?")


@dataclass(frozen=True, slots=True)
class Ask:
    """A turn of its own."""

    said: Said


@dataclass(frozen=True, slots=True)
class Leave:
    """The bot is to leave the threads of the channel."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """What may be done about the person's data."""


@dataclass(frozen=True, slots=True)
class Help:
    """A sentence at once."""

    words: str = HELP


Asked: TypeAlias = Ask | Leave | Privacy | Help


def read(command: wire.Command, me: Self, names: Names, *, at: datetime, raw: bytes) -> Asked:
    """What somebody wants. Words that are no subcommand are a question."""
    first, _, rest = command.text.strip().partition(" ")
    match first.lower():
        case "" | "help" | "?":
            return Help()
        case "leave" if not rest.strip():
            return Leave()
        case "privacy" if not rest.strip():
            return Privacy()
        case "summarise" | "summarize" if not rest.strip() or _LINK.search(rest):
            return Ask(_summary(command, rest, me, names, at=at, raw=raw))
        case "ask":
            question = rest.strip()
        case _:
            question = command.text.strip()
    if not question:
        return Help(NO_QUESTION)
    return Ask(private(
        command.channel_id, command.user_id, plain(question, names), me, names,
        mark=_mark(command.trigger_id), at=at, raw=raw,
    ))


def summary_of(action: wire.MessageAction, me: Self, names: Names, *, at: datetime, raw: bytes) -> Said:
    """The thread that a message belongs to, for who chose the shortcut."""
    said = private(
        action.channel.id, action.user.id, "Summarise this thread", me, names,
        mark=_mark(action.trigger_id), at=at, raw=raw, thread=action.message.thread_ts or action.message.ts,
    )
    return replace(said, kind=Kind.SUMMARY)


def is_leave(text: str) -> bool:
    """Somebody sends us away from a thread: commands cannot be given there (S31)."""
    return text.strip().rstrip(".!").lower() in ("leave", "/leave", "please leave")


def is_help(text: str) -> bool:
    """Somebody wants to know what there is to ask for."""
    return text.strip().rstrip("?.!").lower() in ("help", "/help")


def _summary(command: wire.Command, rest: str, me: Self, names: Names, *, at: datetime, raw: bytes) -> Said:
    link = _LINK.search(rest)
    channel = link[1] if link else command.channel_id
    thread = (link[4] or f"{link[2]}.{link[3]}") if link else None
    said = private(
        channel, command.user_id, "Summarise this thread" if thread else "Summarise this channel", me, names,
        mark=_mark(command.trigger_id), at=at, raw=raw, thread=thread,
    )
    return replace(said, kind=Kind.SUMMARY)


def _mark(trigger: str) -> str:
    """One press or one command, however often we should hear of it."""
    return hashlib.sha256(trigger.encode("utf-8", "surrogatepass")).hexdigest()[:16]
