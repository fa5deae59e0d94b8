"""What is noted of what we say on a platform, and what its buttons refer to. The store keeps it.

All methods may raise `StoreUnavailable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from engine.messages import Answer, Kind, Message, MessageId, Outcome, PersonId, Place, TraceId


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
        """Before a call that puts something new there. Replaces what was noted for this name and part, unless it was
        completed: `unsent` comes first then.
        """
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

    async def find(self, workspace: str, channel: str, ts: str) -> Sent | None:
        """What was said in this message of ours."""
        ...

    async def first(self, sent: Sent) -> bool:
        """Notes it unless that was done before, by whichever replica; False then: somebody else says it, or has.

        One that was noted a while ago and never completed may be taken over.
        """
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

    async def issue(self, ticket: Ticket, /) -> str:
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
    kind: Kind = Kind.ANSWER    # what it asked for


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

    async def retract(self, trace: TraceId) -> None:
        """Somebody removed the answer: later turns do not remember it."""
        ...

    async def rate(self, trace: TraceId, person: PersonId, *, good: bool) -> None:
        """What somebody thinks of an answer; a later word of the same person replaces the earlier one."""
        ...


class Stop(Protocol):
    """Ends a turn for its person, on whichever replica it runs."""

    async def __call__(self, trace: TraceId) -> bool:
        """False: it was over already."""
        ...


async def deaf(trace: TraceId) -> bool:
    """A `Stop` where no queue is connected."""
    del trace
    return False


class Appeals(Protocol):
    """What people say about blocks."""

    async def appeal(self, trace: str, by: str, note: str = "") -> str:
        """Notes that a person calls the block of a turn wrong. Raises `BotError` where nothing was blocked, or it was
        looked at already.
        """
        ...


class PersonalData(Protocol):
    """What a person may ask of us about themselves."""

    async def export(self, who: str) -> dict[str, Any]: ...
    async def forget(self, who: str) -> object: ...
