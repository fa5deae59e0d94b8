"""Which stretches of the found passages a reader looks at: those that say most of what is asked, in whatever words.

A reader takes question and stretch together, which costs more than all of the search before it; so it gets a few
sentences at a time, and few times. Nearness chose the passages; here each word of the question is looked for by
itself, see `engine.rag.alike`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from engine.messages import Passage
from engine.rag.alike import Meanings, said

WORDS: Final = 80               # of a stretch, about; a longer sentence or row stays whole
HEADED: Final = 48              # words after which a heading begins another stretch
STRETCHES: Final = 2            # that are read; a third is no gain that can be measured, and costs as much again
PASSAGES: Final = 6             # that they are taken from, the best first
BEHIND: Final = 0.02            # share of the question's words that the next better passage is worth
_UNITS: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n")
_HEADING: Final = re.compile(r"#{1,6}\s+")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A few sentences, and what they stand under: the page's title and the heading before them."""

    heading: str
    text: str


def stretches(passage: Passage) -> Iterator[Stretch]:
    """The whole passage in stretches of about `WORDS`; each begins with the sentence that ends the one before."""
    under = heading = ""
    units: list[str] = []
    count = 0
    for unit in filter(None, map(str.strip, _UNITS.split(passage.text))):
        if opening := _HEADING.match(unit):
            heading = unit[opening.end():]
            if heading == passage.title:        # which stands in front of every stretch as it is
                heading = ""
                continue
            if count > HEADED:
                yield _stretch(passage, under, units)
                units, count = [], 0
            elif units:
                units.append(f"{heading}:")
                count += len(heading.split())
        else:
            size = len(unit.split())
            if units and count + size > WORDS:
                yield _stretch(passage, under, units)
                units = units[-1:]
                count, under = len(units[0].split()), heading
            units.append(unit)
            count += size
        if len(units) < 2:
            under = heading
    if units:
        yield _stretch(passage, under, units)


def likeliest(question: str, passages: Sequence[Passage], meanings: Meanings) -> list[Stretch]:
    """The `STRETCHES` of them that say most of the question's words, or what means about the same; the best first."""
    asked = said(question)
    rated = [
        (meanings.said(asked, f"{each.heading} {each.text}") - BEHIND * place, each)
        for place, passage in enumerate(passages[:PASSAGES]) for each in stretches(passage)
    ]
    return [each for _, each in sorted(rated, key=lambda pair: -pair[0])[:STRETCHES]]


def _stretch(passage: Passage, under: str, units: Iterable[str]) -> Stretch:
    return Stretch(". ".join(filter(None, (passage.title, under))), "\n".join(units))
