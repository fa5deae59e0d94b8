"""Files that people send with their messages: read for the thread that they were sent to, beside the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.errors import RetrieverUnavailable
from engine.messages import Audience, Conversation, Found, Message, Passage
from engine.ports import Attachments, Retriever
from engine.rag.words import content_words

PREFIX: Final = "file:"
"""Begins the id of every passage of such a file, and of no page's."""
PIECES: Final = 4               # of files, in one prompt
ENOUGH: Final = 2               # words in common with the question, for a file that was sent earlier

SHORTEST: Final = 4             # letters from which on the beginning of a word stands for the whole


@dataclass(frozen=True, slots=True)
class Beside:
    """A `Retriever` for one message: its thread's files, and whatever the pages have."""

    pages: Retriever
    attachments: Attachments
    message: Message

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """Pieces of files first: who sends one means it."""
        pieces = [p for p in await self.attachments.of(self.message) if audience.may_read(p.acl)]
        chosen = chosen_of(pieces, question, {file.id for file in self.message.files})
        try:
            found = await self.pages.find(question, past=past, audience=audience, limit=limit)
        except RetrieverUnavailable:
            if not chosen:
                raise
            found = Found(searched=False)
        if not chosen:
            return found
        pages = found.passages if found.answers else ()
        return replace(found, passages=(*chosen, *pages)[: max(limit, len(chosen))], answers=True)

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """A file is gone with the message that it came with."""
        pages = [p for p in passages if not p.id.startswith(PREFIX)]
        still = {p.id for p in await self.pages.still_readable(pages, audience)} if pages else set()
        if len(pages) < len(passages):
            still |= {p.id for p in await self.attachments.of(self.message) if audience.may_read(p.acl)}
        return tuple(p for p in passages if p.id in still)


def chosen_of(pieces: Sequence[Passage], question: str, own: set[str]) -> tuple[Passage, ...]:
    """The pieces that speak of most of what was asked, in their order; of files that came with the question, at least
    their beginning. ``own``: the ids of those files."""
    asked = content_words(question)
    common = [_in_common(asked, content_words(p.text)) for p in pieces]
    mine = [p.document in own for p in pieces]
    ranked = sorted(range(len(pieces)), key=lambda n: (-common[n], not mine[n], n))
    kept = [n for n in ranked if mine[n] or common[n] >= min(ENOUGH, max(1, len(asked)))][:PIECES]
    return tuple(pieces[n] for n in sorted(kept))


def _in_common(asked: frozenset[str], said: frozenset[str]) -> int:
    """How many words of the question are spoken of, in whatever form."""
    long = [word for word in said if len(word) >= SHORTEST]
    return sum(
        word in said or (len(word) >= SHORTEST and any(w.startswith(word) or word.startswith(w) for w in long))
        for word in asked
    )
