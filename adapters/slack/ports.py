"""What Slack asks of the store and of the program around it. `adapters/sql` and `bot` answer.

Methods that read or write raise `StoreUnavailable`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from adapters.slack.ids import Workspace
from engine.messages import (
    Answer,
    ConversationId,
    Message,
    MessageId,
    Outcome,
    PersonId,
    Place,
    TraceId,
)


class Installed(Protocol):
    """One workspace that the app is installed in, as the store keeps it."""

    @property
    def workspace(self) -> str:
        """As in `Place.workspace`."""
        ...

    @property
    def bot_user(self) -> str: ...
    @property
    def bot_id(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def scopes(self) -> Sequence[str]: ...


class Installations(Protocol):
    """Which workspaces the app is installed in. Tokens lie sealed."""

    async def all(self) -> Sequence[Installed]: ...

    async def save(self, workspace: str, *, bot_user: str, bot_id: str, token: str, scopes: Sequence[str]) -> None:
        """A new one, or one anew."""
        ...

    async def remove(self, workspace: str) -> None: ...

    async def issue(self, state: str, lasts: timedelta) -> None:
        """Remembers who began an installation."""
        ...

    async def consume(self, state: str) -> bool:
        """Whether it was issued, is not too old and was not used before."""
        ...


class Engagement(Protocol):
    """In which threads the bot takes part without being mentioned."""

    async def engaged(self, conversation: ConversationId, within: timedelta) -> bool:
        """We were spoken to there lately, and have not been sent away since."""
        ...

    async def conversation_of(self, message: MessageId) -> ConversationId | None:
        """Where a message was said that we have stored."""
        ...

    async def leave(self, conversation: ConversationId) -> None:
        """We were sent away; the next mention brings us back."""
        ...

    async def leave_channel(self, workspace: str, channel: str) -> None:
        """The same for every thread of a channel."""
        ...

    async def threads(self, workspace: str, channel: str, within: timedelta) -> Sequence[str]:
        """The roots' ``ts`` of all threads of a channel in which we were spoken to lately."""
        ...


class Gap(Protocol):
    """A time in which we may have missed what was said in a channel. ``latest`` moves back as it is filled."""

    @property
    def workspace(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def oldest(self) -> datetime: ...
    @property
    def latest(self) -> datetime: ...


class Cursors(Protocol):
    """How far we have heard everything, on disk."""

    async def heard(self, workspace: str, until: datetime) -> None:
        """Nothing before this is missing, but for the gaps."""
        ...

    async def last_heard(self, workspace: str) -> datetime | None:
        """None: never."""
        ...

    async def open_gaps(self, workspace: str, channels: Sequence[str], oldest: datetime, latest: datetime) -> None:
        """Notes what is to be filled, and that all else is heard until ``latest``; one transaction."""
        ...

    async def gaps(self) -> Sequence[Gap]:
        """What is still to be filled, the newest first."""
        ...

    async def filled(self, workspace: str, channel: str, oldest: datetime, down_to: datetime) -> None:
        """Everything after ``down_to`` is stored now; at ``oldest`` the gap is closed."""
        ...

    async def renamed(self, workspace: str, old: str, new: str) -> None:
        """A channel got another id."""
        ...


class Interactions(Protocol):
    """What people do besides writing. Called after the acknowledgement; ``body`` as Slack sent it."""

    async def pressed(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """A button or another element of a block (``block_actions``)."""
        ...

    async def submitted(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """A modal (``view_submission``)."""
        ...

    async def home_opened(self, workspace: Workspace, user: str, tab: str, channel: str) -> None:
        """``tab``: home or messages; ``channel``: the direct conversation."""
        ...

    async def thread_started(self, workspace: Workspace, user: str, channel: str, thread: str) -> None:
        """The older assistant view opened a conversation."""
        ...

    async def reacted(self, workspace: Workspace, user: str, channel: str, ts: str, name: str, *, added: bool) -> None:
        """An emoji under one of our own messages."""
        ...

    async def removed(self, workspace: Workspace, channel: str, ts: str) -> None:
        """Somebody deleted one of our own messages."""
        ...

    async def opened(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """The global shortcut: a modal with a question is wanted (``trigger_id`` lasts three seconds)."""
        ...

    async def privacy(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """``/bartizan privacy``: what the person may ask of us about their data."""
        ...


class Counts(Protocol):
    """What is counted; no label ever holds a person or a text."""

    def heard(self, kind: str, came: str) -> None:
        """An event of a kind: stored, known, ignored, rejected."""
        ...

    def called(self, method: str, came: str) -> None:
        """A call of the Web API: ok, or Slack's word for what was wrong."""
        ...


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Counts nothing: for tests."""

    def heard(self, kind: str, came: str) -> None:
        """As `Counts`."""

    def called(self, method: str, came: str) -> None:
        """As `Counts`."""


# What speaking needs.


class How(StrEnum):
    """The way in which a message of ours came to stand there: how it is found and changed again."""

    STREAM = "stream"           # native streaming: carries our mark only once it was stopped
    POST = "post"               # carries our mark from the beginning
    DIRECT = "direct"           # the same, to the person, because the place itself is closed to us
    PRIVATE = "private"         # seen by one person and kept by nobody: can neither be looked for nor changed


@dataclass(frozen=True, slots=True)
class Sent:
    """One row of the outbox: written before the call, completed after it."""

    name: str                   # what is being said: a turn's trace, perhaps with a suffix
    part: int                   # its messages in order, from 0
    how: How
    workspace: str
    channel: str
    thread: str                 # the root's ts; "" where the message stands in no thread
    ts: str | None = None       # None: under way, or of unclear fate


class Outbox(Protocol):
    """What was said, or may have been, so that nothing is ever said twice."""

    async def of(self, name: str) -> Sequence[Sent]:
        """Everything under this name, by part."""
        ...

    async def sending(self, sent: Sent) -> None:
        """Before a call that puts something new there. Replaces what was noted for this name and part."""
        ...

    async def sent(self, name: str, part: int, ts: str) -> None:
        """It stands there."""
        ...

    async def unsent(self, name: str, part: int) -> None:
        """It certainly does not: it was refused, not sent, or removed by somebody."""
        ...

    async def others(self, name: str, workspace: str, channel: str, ts: Sequence[str]) -> frozenset[str]:
        """Those of these messages that are on record under another name."""
        ...

    async def name_of(self, workspace: str, channel: str, ts: str) -> str | None:
        """What was said in this message of ours."""
        ...


class Purpose(StrEnum):
    """What a button is for. An opaque id is good for one purpose."""

    ANSWER = "answer"           # all buttons of one answer; which of them says the button's action id
    STOP = "stop"
    MINE = "mine"               # a person's own data


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the opaque id on a button stands for."""

    purpose: Purpose
    person: PersonId            # whom it was made for
    trace: TraceId | None = None


class Tickets(Protocol):
    """Opaque ids for buttons; the store keeps only their hashes."""

    async def issue(self, ticket: Ticket) -> str:
        """A new id for it, 32 characters."""
        ...

    async def redeem(self, id: str) -> Ticket | None:
        """What it stands for; None: unknown, or too old. It can be used again."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """A turn as its buttons need it."""

    trace: TraceId
    question: Message           # with its text as it stands now
    answer: Answer | None
    outcome: Outcome | None     # None: not over


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of somebody's, for their own eyes."""

    text: str
    at: datetime
    message: MessageId
    place: Place


class Turns(Protocol):
    """Earlier turns, and word to those under way."""

    async def told(self, trace: TraceId) -> Told | None:
        """None: unknown, or taken back, or its author was forgotten."""
        ...

    async def recent(self, person: PersonId, limit: int) -> Sequence[Asked]:
        """The person's latest questions, newest first."""
        ...

    async def rate(self, trace: TraceId, person: PersonId, *, good: bool) -> None:
        """What somebody thinks of an answer; a later word of the same person replaces the earlier one."""
        ...


class Stop(Protocol):
    """Ends a turn for its person, on whichever replica it runs."""

    async def __call__(self, trace: TraceId) -> bool:
        """False: it was over already."""
        ...


class PersonalData(Protocol):
    """What a person may ask of us about themselves."""

    async def export(self, who: str) -> dict[str, Any]: ...
    async def forget(self, who: str) -> object: ...
