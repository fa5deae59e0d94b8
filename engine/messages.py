"""The values that travel along the line: they print, compare and are built by hand in a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final, NewType, TypeAlias

MessageId = NewType("MessageId", str)
"""Unique across platforms: ``slack:C01/1718.0042``."""
ConversationId = NewType("ConversationId", str)
"""One thread, channel or direct message: ``slack:C01/1718.0042``."""
PersonId = NewType("PersonId", str)
"""Unique across platforms: ``slack:T1/U7``. The terminal's only person is ``local``."""
PassageId = NewType("PassageId", str)
TraceId = NewType("TraceId", str)
"""32 hex digits; one per turn. Also the model's ``rid`` and the opaque id on what we post."""
EventKey = NewType("EventKey", str)
"""What the platform calls one delivery of one event; a redelivery carries the same key."""
Labels: TypeAlias = frozenset[str]
"""Access labels: ``user:<person>``, ``group:<name>``, ``channel:<id>``, ``org``."""
ORG: Final = "org"
"""Everyone who belongs to the organisation; a guest does not."""


class Visibility(StrEnum):
    """Who will see a reply: everyone in the place, or only the person who asked."""

    SHARED = "shared"
    PRIVATE = "private"


class Lane(IntEnum):
    """Turns of a lower lane are taken first."""

    INTERACTIVE = 0
    DIGEST = 9


class Mode(StrEnum):
    """Where the words of an answer come from."""

    MODEL = "model"
    QUOTE = "quote"     # passages, word for word: no model is connected, or it is away
    NOTICE = "notice"   # a sentence of ours


class Kind(StrEnum):
    """What a claimed turn asks for."""

    ANSWER = "answer"
    SUMMARY = "summary" # of the thread, or of the channel, that the place names
    BUSY = "busy"       # the conversation's backlog is full: say so once
    QUOTA = "quota"     # the person's allowance is used up: say so once


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reply will stand: whoever can read it is the audience."""

    platform: str
    workspace: str
    channel: str
    person: PersonId            # who asked; the only reader of a direct or private reply
    thread: str | None = None
    direct: bool = False        # a conversation of one person and the bot
    private: bool = False       # in a channel, but shown to who asked alone


@dataclass(frozen=True, slots=True)
class File:
    """Something that came with a message. Its bytes are fetched from the platform when they are needed."""

    id: str                     # the platform's
    name: str                   # as the person called it: data, never a path
    url: str = ""               # where the platform keeps it
    size: int = 0               # bytes, as the platform says
    kind: str = ""              # media type, as the platform says


@dataclass(frozen=True, slots=True)
class Message:
    """What one person said, every platform accent removed."""

    id: MessageId
    conversation: ConversationId
    author: PersonId
    text: str                   # plain Markdown, mentions resolved to names
    place: Place
    sent_at: datetime           # aware, UTC
    author_name: str = ""
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A new message. ``addressed``: it is for the bot, and will get a turn of its own."""

    key: EventKey
    message: Message
    addressed: bool = True
    lane: Lane = Lane.INTERACTIVE
    raw: bytes = b""            # as the platform sent it, for a replay; stored sealed
    kind: Kind = Kind.ANSWER    # of the turn that an addressed message gets


@dataclass(frozen=True, slots=True)
class Edited:
    """A message got a new text. The old one stays as a revision."""

    key: EventKey
    message: MessageId
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message was taken back. A tombstone is added; a turn under way for it is stopped."""

    key: EventKey
    message: MessageId
    at: datetime


Event: TypeAlias = Said | Edited | Deleted


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that can be cited."""

    id: PassageId
    text: str
    title: str
    url: str
    score: float = 0.0
    acl: Labels = frozenset()           # whoever holds one of these may read it; empty: nobody
    date: datetime | None = None        # when the document was last changed, if its source says
    document: str = ""                  # which one it is a piece of: "source/path"; rights are looked up by it
    start: int = 0                      # its place there, in characters; both 0: not known
    end: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the files of a message."""

    documents: tuple[str, ...] = ()     # found from now on, in that conversation
    unread: tuple[str, ...] = ()        # each a name and why: "plan.zip is an archive"


@dataclass(frozen=True, slots=True)
class Found:
    """What retrieval brought back."""

    passages: tuple[Passage, ...] = ()
    answers: bool = False               # False: nothing here answers; the reply says so
    searched: bool = True               # False: the index was away, which is something else than nothing found
    whole: bool = True                  # False: not all pages were ever read, so what is not found may yet be
    certainty: float = 0.0              # that something answers, as the search alone sees it: `engine.rag.answers`


@dataclass(frozen=True, slots=True)
class Citation:
    """``[2]`` in an answer, and the passage that a reader opens by it."""

    marker: int
    passage: Passage


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the model server reports them."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


NO_USAGE: Final = Usage()


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer, before it is cleared for showing."""

    text: str
    citations: tuple[Citation, ...] = ()
    grounded: bool = True               # False: no passage stands behind it, and the reply says so
    mode: Mode = Mode.MODEL
    model: str | None = None            # which model spoke
    cut: bool = False                   # it ran into its length limit: the reply says so
    searched: bool = True               # False: the index was away: the reply says so
    asked: str = ""                     # the question as the guards let it pass: what later turns remember
    unread: tuple[str, ...] = ()        # files of the question that could not be read, each with why
    made_from: tuple[Labels, ...] = ()  # the allow-lists of all that the model read for it, cited or not
    usage: Usage = NO_USAGE
    read_from: tuple[tuple[PassageId, str], ...] = ()   # one passage of each document read for it, and the document
    whole: bool = True                  # False: not all pages were ever read: a reply that found none says so

    @property
    def acl(self) -> tuple[Labels, ...]:
        """An answer inherits the allow-list of everything it was made from."""
        cited = (citation.passage.acl for citation in self.citations)
        return tuple(dict.fromkeys((*self.made_from, *cited)))

    @property
    def sources(self) -> tuple[Passage, ...]:
        """All that it stands and falls with. Of what it does not cite, no more than the names: ask whether they stand.
        """
        cited = tuple(citation.passage for citation in self.citations)
        named = {passage.id for passage in cited}
        rest = (Passage(id, "", "", "", document=document) for id, document in self.read_from if id not in named)
        return (*cited, *rest)


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of the past and what came of it."""

    question: Message
    answer: Answer | None               # None: refused, failed or stopped


@dataclass(frozen=True, slots=True)
class Conversation:
    """The past of one thread, oldest turn first."""

    id: ConversationId
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """One reader and the labels that this person holds."""

    person: PersonId
    labels: Labels
    guest: bool = False         # from outside: reads what is marked for this person, group or channel, and no more

    @property
    def held(self) -> Labels:
        """The labels that count: what is for the whole organisation is not for its guests."""
        return self.labels - {ORG} if self.guest else self.labels


def within(conversation: ConversationId) -> str:
    """The label of what belongs to one conversation. Only the engine hands it out: no source and no group has it."""
    return f"conversation:{conversation}"


@dataclass(frozen=True, slots=True)
class Audience:
    """Everyone who will read a reply, asked for at the moment of answering."""

    members: tuple[Member, ...] = ()
    here: Labels = frozenset()          # what all of them hold because of where the reply will stand

    def may_read(self, acl: Labels) -> bool:
        """Every single member holds one of the labels. Nobody, or no label: closed."""
        return bool(self.members) and (
            not self.here.isdisjoint(acl) or all(member.held & acl for member in self.members))


class Outcome(StrEnum):
    """How a turn ended."""

    ANSWERED = "answered"
    REFUSED = "refused"         # a guard said no
    STOPPED = "stopped"         # the person stopped it
    WITHDRAWN = "withdrawn"     # the person deleted the question
    SHED = "shed"               # over a cap; a collective notice speaks for it
    FAILED = "failed"           # apologised for, and kept as a dead letter
    NOTICE = "notice"           # a sentence of ours was all there was to say
    DROPPED = "dropped"         # an operator dropped it


@dataclass(frozen=True, slots=True)
class Claim:
    """One stored turn, handed to one worker."""

    trace: TraceId
    message: Message
    attempt: int = 1                    # the fencing token: a later claim makes this one worthless
    failures: int = 0                   # attempts that ended in an error
    crashes: int = 0                    # attempts whose process died
    kind: Kind = Kind.ANSWER
    lane: Lane = Lane.INTERACTIVE
    collapsed: int = 0                  # for BUSY and QUOTA: how many messages the notice speaks for
    answer: Answer | None = None        # checkpointed by an earlier attempt
    posted: str | None = None           # the platform's id of what an earlier attempt posted
    waited: float = 0.0                 # seconds between reception and this claim, by the database's clock
    raw: bytes = b""                    # what the platform sent, for what only its adapter understands
    stopped: bool = False               # the person has stopped it; what stands there is to say so

    @property
    def resumed(self) -> bool:
        """An earlier attempt may have left a half-sent reply."""
        return self.attempt > 1


@dataclass(frozen=True, slots=True)
class Decision:
    """One verdict of one guard, for the record. Never the text itself: only its keyed hash."""

    direction: str                      # "in" | "out"
    guard: str
    version: str
    action: str                         # "allow" | "flag" | "mask" | "refuse" | "reroute" | "error"
    rule: str = ""
    category: str = ""
    score: float | None = None
    text_hash: str = ""
    scanned: int = 0                    # characters read
    shown: int = 0                      # characters released (outbound)


@dataclass(slots=True)
class Trail:
    """What is noted while one turn runs; written to the store with its end."""

    trace: TraceId
    decisions: list[Decision] = field(default_factory=list)
    recorded: int = 0                   # so many of them are in the store by now
    dropped_marks: int = 0              # [n] in an answer that pointed at no passage
