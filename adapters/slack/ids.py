"""How Slack's names become ids that are unique across platforms, and back. Pure.

A workspace is ``T1``; inside an Enterprise Grid it is ``E1.T1``, since channels and people may bear the same id in two
workspaces. A person belongs to the organisation: ``slack:E1/W7`` there, ``slack:T1/U7`` elsewhere. A ``ts`` is a string
that names a message, and never a number.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from engine.errors import BadEvent
from engine.messages import ConversationId, EventKey, MessageId, PersonId

NAME: Final = "slack"
PREFIX: Final = f"{NAME}:"


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace, as its events name it."""

    team: str
    enterprise: str = ""

    def __str__(self) -> str:
        """As in `Place.workspace`."""
        return f"{self.enterprise}.{self.team}" if self.enterprise else self.team

    @classmethod
    def of(cls, name: str) -> Workspace:
        """Back from `Place.workspace`."""
        enterprise, _, team = name.rpartition(".")
        return cls(team, enterprise)

    def person(self, user: str) -> PersonId:
        """Somebody of this organisation."""
        return PersonId(f"{PREFIX}{self.enterprise or self.team}/{user}")

    def message(self, channel: str, ts: str) -> MessageId:
        """One message."""
        return MessageId(f"{PREFIX}{self}/{channel}/{ts}")

    def conversation(self, channel: str, thread: str | None) -> ConversationId:
        """A thread by its root's ``ts``, or, without one, the channel itself: a direct conversation."""
        return ConversationId(f"{PREFIX}{self}/{channel}/{thread}" if thread else f"{PREFIX}{self}/{channel}")

    def key(self, *parts: str) -> EventKey:
        """The same for every delivery of one thing that happened, by whichever way we hear of it."""
        return EventKey(f"{PREFIX}{hashlib.sha256('/'.join((str(self), *parts)).encode()).hexdigest()[:40]}")


def user_of(person: str) -> str:
    """Slack's own id of a person of ours."""
    return person.rpartition("/")[2]


def ts_of(message: str) -> str:
    """Slack's own name of a message of ours."""
    return message.rpartition("/")[2]


def moment(ts: str) -> datetime:
    """When the message with this ``ts`` was sent. Raises `BadEvent`."""
    try:
        return datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadEvent("ts is not a time") from error
