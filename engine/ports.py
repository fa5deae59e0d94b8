"""What the engine asks of the world. Adapters answer; tests answer more briefly."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from engine.messages import (
    NO_USAGE,
    Answer,
    Audience,
    Claim,
    Conversation,
    ConversationId,
    Event,
    File,
    Found,
    Message,
    MessageId,
    Outcome,
    Passage,
    Place,
    Taken,
    Trail,
    Usage,
    Visibility,
)

if TYPE_CHECKING:
    from engine.guards.egress import Cleared, Shown
    from engine.guards.verdict import Verdict
    from engine.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The model thinking aloud: scanned, never shown, never stored."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last piece of a stream that ended by itself. ``reason``: stop, length, content_filter, abort, ..."""

    reason: str
    usage: Usage = NO_USAGE


Piece: TypeAlias = Text | Reasoning | Finished


class ChatModel(Protocol):
    """One model behind one address. Leaving the stream early aborts the generation."""

    @property
    def name(self) -> str: ...

    def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Pieces, the last of them `Finished`. Raises `ModelUnavailable` before the first, `ModelBroken` after."""
        ...


class Tokens(Protocol):
    """Counts what a text costs the model."""

    def count(self, text: str) -> int: ...


class Guard(Protocol):
    """An inbound check of one message."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def beside(self) -> bool:
        """May run beside retrieval; it is awaited before the prompt is built."""
        ...

    async def check(self, text: str) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters ``start`` to ``end`` of the raw answer are shown as ``text``."""

    start: int
    end: int
    text: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """How far one detector has cleared the raw answer.

    ``safe`` counts characters from the start of the answer and never goes back. ``edits`` are new ones only;
    they begin at or after the ``safe`` that was reported before them, and end at or before the one beside them.
    A ``verdict`` of Refuse or Reroute ends the answer; a Flag is noted, and it goes on. ``by`` says how many
    characters had to be read for it, so that of two detectors that object to one piece the earlier one counts,
    however large the piece was; None: all of them.
    """

    safe: int
    edits: tuple[Edit, ...] = ()
    verdict: Verdict | None = None
    by: int | None = None


class StreamGuard(Protocol):
    """One detector over one answer; it remembers what it has read."""

    async def feed(self, piece: Piece) -> Scan:
        """The next piece, cut however it came."""
        ...

    async def close(self) -> Scan:
        """After the last piece; ``safe`` is the whole length now, unless there is a verdict."""
        ...


class OutboundGuard(Protocol):
    """Makes a `StreamGuard` for each answer."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...

    def open(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> StreamGuard:
        """``flags``: categories that the inbound side asks to be looked at more closely."""
        ...


class Membership(Protocol):
    """Asked when we answer, not when we heard."""

    async def audience(self, place: Place, visibility: Visibility) -> Audience: ...


class Retriever(Protocol):
    """Passages for a question, none of which any member of the audience may not read."""

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found: ...

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """Those whose document is there and may be read by the whole audience, by the store's own record of it.

        The second look: just before passages enter a prompt, and again before the answer made of them is shown.
        Raises `RetrieverUnavailable`: then none may be used.
        """
        ...


@runtime_checkable
class Attachments(Protocol):
    """A platform whose messages may come with files."""

    async def fetch(self, file: File, limit: int) -> bytes:
        """The file, at most ``limit`` + 1 bytes of it. Raises `FileUnavailable`, whose ``str`` is a predicate:
        "is not there any more"; `PlatformUnavailable` when another time may do better.
        """
        ...


class Transcripts(Protocol):
    """What people said on a platform, as the store has it."""

    async def said(self, place: Place, limit: int) -> Sequence[Passage]:
        """The messages of the place's thread, or the latest of its channel, oldest first.

        Each is a passage under its message's id, titled by who said it, which only members of the channel may read.
        Of more than ``limit`` the first and the latest come. Nothing that was taken back or forgotten is among them.
        Raises `StoreUnavailable`.
        """
        ...


class Uploads(Protocol):
    """Files that came with a question: found in its conversation and nowhere else."""

    async def take(self, message: Message) -> Taken:
        """Makes them ready to be found; those that were taken before are left alone. What fails is told, not raised."""
        ...

    async def forget(self, message: MessageId) -> None:
        """They are gone with the next question. Raises `RetrieverUnavailable`."""
        ...


@runtime_checkable
class Links(Protocol):
    """Where a reader opens a message."""

    async def link(self, place: Place, message: MessageId) -> str:
        """Its address; "" where the platform does not say."""
        ...


class Inbox(Protocol):
    """What a platform needs of the store while it listens."""

    async def receive(self, event: Event) -> bool:
        """True: it is on disk now. False: it already was. Raises `StoreUnavailable`: do not acknowledge."""
        ...

    async def reject(self, platform: str, raw: bytes, reason: str) -> None:
        """Keeps an event that cannot be read, for the operator."""
        ...


class Queue(Protocol):
    """What the dispatcher needs of the store. Ending a turn that somebody else holds by now raises `Fenced`."""

    async def claim(self, limit: int) -> Sequence[Claim]:
        """Waits until at least one turn is ours, and returns at most ``limit``."""
        ...

    async def finish(self, claim: Claim, outcome: Outcome, trail: Trail) -> None: ...
    async def retry(self, claim: Claim, cause: str, trail: Trail) -> None: ...
    async def bury(self, claim: Claim, cause: str, trail: Trail) -> None:
        """A dead letter: the person was told, the operator will be."""
        ...

    async def hand_back(self, claim: Claim) -> None:
        """Unfinished through no fault of its own (we are stopping): anyone may take it at once."""
        ...

    def holds(self, claim: Claim) -> bool:
        """Whether the turn is certainly still ours: claimed, and our last heartbeat well within its lease."""
        ...

    def abandon(self, claim: Claim) -> None:
        """We fall silent about this turn: it is not ours any more, or what became of it could not be written."""
        ...


class ConversationStore(Protocol):
    """What the engine needs of the store."""

    async def load(self, conversation: ConversationId, *, before: Claim, audience: Audience) -> Conversation:
        """Earlier turns, without refused ones and without answers that this audience may not read."""
        ...

    async def answered(self, claim: Claim, answer: Answer, trail: Trail, *, posted: str | None) -> None:
        """The checkpoint: from here nothing is computed twice. Raises `Fenced`."""
        ...


class Reply(Protocol):
    """An open reply; edits or native streaming is its own affair. It shows nothing that is not cleared."""

    @property
    def visibility(self) -> Visibility: ...
    @property
    def posted(self) -> str | None:
        """The platform's id of what stands there, as soon as something does."""
        ...

    async def status(self, text: Cleared) -> None:
        """Progress, shown until words follow; words that stood there are taken back."""
        ...

    async def append(self, text: Cleared) -> None: ...
    async def replace(self, text: Cleared) -> None:
        """A refusal, an apology, a late verdict: this is all that stands now, and the reply is closed."""
        ...

    async def stopped(self, text: Cleared) -> None:
        """The person stopped it: what stands stays, with this under it, and the reply is closed."""
        ...

    async def finish(self, shown: Shown) -> None:
        """The whole answer with its sources; after this the reply is closed."""
        ...


@runtime_checkable
class Appealable(Protocol):
    """A reply under which the person can say that a refusal was wrong."""

    async def refused(self, text: Cleared) -> None:
        """As `Reply.replace`, with a way to say so."""
        ...


class Hold(Protocol):
    """Asked immediately before anything is written for a turn, also by a reply's own background work.

    Raises `Fenced` when the turn may be somebody else's by now. A process that was paused and wakes up must not
    write over what its successor has finished.
    """

    def __call__(self) -> None: ...


class Platform(Protocol):
    """One chat platform."""

    @property
    def name(self) -> str: ...

    async def listen(self, inbox: Inbox) -> None:
        """Runs until cancelled; acknowledges an event once `receive` has returned."""
        ...

    async def reply_to(self, claim: Claim, hold: Hold) -> Reply:
        """A new reply, or, for a resumed claim, the one that an earlier attempt left half there."""
        ...


class Fingerprint(Protocol):
    """A keyed hash of a text, so that records can be compared and not read."""

    def __call__(self, text: str) -> str: ...

