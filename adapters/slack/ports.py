"""What Slack asks of the store and of the program around it. `adapters/sql` and `bot` answer.

Methods that read or write raise `StoreUnavailable`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from adapters.slack.ids import Workspace
from engine.guards.egress import Cleared
from engine.messages import ConversationId, MessageId

Clear: TypeAlias = Callable[[str], Awaitable[Cleared]]
"""Makes a text fit to be shown."""


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

    async def engaged(self, conversation: ConversationId, within: timedelta, /) -> bool:
        """We were spoken to there lately, and have not been sent away since."""
        ...

    async def conversation_of(self, message: MessageId, /) -> ConversationId | None:
        """Where a message was said that we have stored."""
        ...

    async def leave(self, conversation: ConversationId, /) -> None:
        """We were sent away; the next mention brings us back."""
        ...

    async def leave_channel(self, workspace: str, channel: str, /) -> None:
        """The same for every thread of a channel."""
        ...

    async def threads(self, workspace: str, channel: str, within: timedelta, /) -> Sequence[str]:
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

    async def heard(self, workspace: str, until: datetime, /) -> None:
        """Nothing before this is missing, but for the gaps."""
        ...

    async def last_heard(self, workspace: str, /) -> datetime | None:
        """None: never."""
        ...

    async def open_gaps(self, workspace: str, channels: Sequence[str], oldest: datetime, latest: datetime, /) -> None:
        """Notes what is to be filled, all of it or nothing. It tells nothing of other times or channels."""
        ...

    async def gaps(self) -> Sequence[Gap]:
        """What is still to be filled, the newest first."""
        ...

    async def filled(self, workspace: str, channel: str, oldest: datetime, down_to: datetime, /) -> None:
        """Everything after ``down_to`` is stored now; at ``oldest`` the gap is closed."""
        ...

    async def renamed(self, workspace: str, old: str, new: str, /) -> None:
        """A channel got another id."""
        ...


class Kept(Protocol):
    """Something that stands in a channel, for all the store knows."""

    @property
    def message(self) -> MessageId: ...
    @property
    def ts(self) -> str: ...
    @property
    def thread(self) -> str:
        """The root's ts of a reply; "" for what stands in the channel itself."""
        ...

    @property
    def at(self) -> datetime:
        """When it got the words that we know."""
        ...

    @property
    def stored(self) -> datetime:
        """When we heard of it, or said it, by the store's clock."""
        ...

    @property
    def ours(self) -> bool:
        """An answer of ours, not a message of somebody's."""
        ...


class Records(Protocol):
    """What was said in a channel, to be compared with it."""

    async def kept(self, workspace: str, channel: str, since: datetime, limit: int, /) -> Sequence[Kept]:
        """The latest messages, and the latest answers, so many of each; none that was deleted, or asked in private."""
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


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Counts nothing: for tests."""

    def heard(self, kind: str, came: str) -> None:
        """As `Counts`."""
