"""What was said in a thread, in short: the line of every answer, with messages in the place of pages.

Each message is a passage that only who is in its channel may read, so the mark behind a point opens the message that
it was taken from. With a model it is asked to summarise; without one the messages that say most are quoted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.errors import NothingSaid
from engine.messages import Audience, Conversation, Found, MessageId, Passage, PassageId, Place
from engine.ports import Links, Retriever, Tokens, Transcripts
from engine.quote import AWAY, NOT_CONNECTED
from engine.rag.words import content_words

INSTRUCTION: Final = (
    "Summarise what was said in the numbered messages, in the language that most of them are written in: what it is "
    "about in a sentence or two, then as short lists what was decided, who does what by when, and what is still open. "
    "Leave a list out when there is nothing to put in it; name an owner or a date only if a message does."
)
MOST: Final = 200
"""Messages of one summary: the first, and the latest."""
POINTS: Final = 8
LONGEST: Final = 280
"""Characters that are quoted of one message."""
_NUMBERED: Final = 12       # tokens that a message's number and blank lines cost in a prompt
_ASKED: Final = 700         # tokens of the system text and the instruction, generously
_CUE: Final = re.compile(
    r"\?|\b(?:decid\w*|agree\w*|let'?s|will|should|must|by (?:mon|tues|wednes|thurs|fri|satur|sun)day|deadline|done|"
    r"fixed|broke\w*|because|todo|action|owner|blocked|approved|beschlossen|erledigt|bis)\b",
    re.IGNORECASE,
)
_MARK: Final = re.compile(r"(?<!\\)\[(\d{1,3})\]")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s|(?<=[。！？])")


@dataclass(frozen=True, slots=True)
class Thread:
    """A `Retriever` that finds what was said in one place. ``room``: tokens that the messages may take in a prompt."""

    transcripts: Transcripts
    links: Links
    place: Place
    tokens: Tokens
    room: int

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """Its messages, oldest first; when there are too many, the first one and the latest. Raises `NothingSaid`."""
        del question, past
        said = [p for p in await self.transcripts.said(self.place, limit) if audience.may_read(p.acl)]
        if not said:
            raise NothingSaid("no message there that the audience may read")
        fitting = _fitting(said, self.tokens, self.room)
        return Found(tuple([
            replace(p, url=await self.links.link(self.place, MessageId(p.id))) for p in fitting
        ]), answers=True)

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """Those that were not taken back or rewritten meanwhile."""
        return await still_said(self.transcripts, self.place, passages, audience)


async def still_said(
    transcripts: Transcripts, place: Place, passages: Sequence[Passage], audience: Audience,
) -> tuple[Passage, ...]:
    """Those that are messages of the place, stand there as they were read, and are for everyone here.

    One without its words is a name, and asks no more than whether the message is there. Raises `StoreUnavailable`.
    """
    there = {p.id: p for p in await transcripts.said(place, MOST) if audience.may_read(p.acl)}
    return tuple(p for p in passages if p.id in there and p.text in ("", there[p.id].text))


async def standing(
    passages: Sequence[Passage], audience: Audience, places: Iterable[Place], *, pages: Retriever,
    transcripts: Transcripts | None,
) -> frozenset[PassageId]:
    """Which of what answers were made from may still be read: by the index's word, or, of messages, by the store's.

    ``places``: where the messages may have been said; whoever reads the answer must be there. Raises
    `RetrieverUnavailable` or `StoreUnavailable`.
    """
    if not passages:
        return frozenset()
    stand = {p.id for p in await pages.still_readable(passages, audience)}
    for place in dict.fromkeys(places):
        rest = [p for p in passages if not p.document and p.id not in stand]    # a piece of a page has a document
        if not rest or transcripts is None:
            break
        stand |= {p.id for p in await still_said(transcripts, place, rest, audience)}
    return frozenset(stand)


def room_for(context: int, answer: int) -> int:
    """Tokens that messages may take of a model's window."""
    return max(256, context - answer - _ASKED)


def extract(found: Found, question: str, *, connected: bool) -> str:
    """The messages that say most, word for word and in their order. ``connected``: there is a model, but it is away."""
    del question
    kept = sorted(_weightiest(found.passages))
    why = (AWAY if connected else NOT_CONNECTED).replace("the pages say", "was said")
    # Each mark stands before the words, and each point in a paragraph of its own: code that somebody opens in a
    # message, and does not close, cannot take a mark in.
    points = [f"- [{n + 1}] **{_shortened(found.passages[n].title)}**: {_shortened(found.passages[n].text)}"
              for n in kept]
    return "\n\n".join((why, *points))


def _fitting(said: Sequence[Passage], tokens: Tokens, room: int) -> list[Passage]:
    first, *rest = said
    kept: list[Passage] = []
    left = room - _cost(first, tokens)
    for passage in reversed(rest):
        left -= _cost(passage, tokens)
        if left < 0:
            break
        kept.append(passage)
    return [first, *reversed(kept)]


def _cost(passage: Passage, tokens: Tokens) -> int:
    return tokens.count(passage.text) + tokens.count(passage.title) + _NUMBERED


def _weightiest(passages: Sequence[Passage]) -> Iterator[int]:
    """The first message, and those that speak of what others speak of, too, or that decide, ask or promise."""
    words = [content_words(p.text) for p in passages]
    shared = Counter(word for each in words for word in each)

    def worth(n: int) -> tuple[float, int]:
        common = sum(shared[word] - 1 for word in words[n])
        return common / (len(words[n]) + 5) + len(_CUE.findall(passages[n].text)), -n

    yield 0
    others = [n for n in range(1, len(passages)) if words[n]]
    yield from sorted(others, key=worth, reverse=True)[: POINTS - 1]


def _shortened(text: str) -> str:
    """Its first sentences on one line, as many as there is room for. A mark in somebody's message is not ours."""
    text = _MARK.sub(r"\\[\1]", " ".join(text.split()))
    if len(text) <= LONGEST:
        return text
    ends = [gap.start() for gap in _SENTENCE_END.finditer(text, 40, LONGEST)]
    cut = ends[-1] if ends else text.rfind(" ", LONGEST // 2, LONGEST)
    return f"{text[: cut if cut > 0 else LONGEST].rstrip()} …"
