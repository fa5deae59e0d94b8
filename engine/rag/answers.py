"""Does anything that was found answer the question? A calibrated guess from what the search already knows.

Nearness alone does not tell: a question about a pet's funeral is near to the page about funerals. Four things help.
What answers stands out: where the sixth page is nearly as near as the first, the question is only about the sort of
thing that all pages are about, and how near that is differs from one company's pages to another's. A passage that
holds the question's words counts for more. A name or a number of the question that stands on no page at all (a
product, a city, a year) weighs against it. And a long question shares fewer of its words with its answer than a
short one.

The weights are those of a logistic regression over two companies' pages, with questions to each page, once as they
are and once without the page that answers; rounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

HELD: Final = 0.3               # cosine that holding all of the question's words is worth
NAMED: Final = 0.3              # cosine that each name costs which no page holds
LENGTH: Final = 0.25            # cosine that each e-fold of the question's words is worth
FEW: Final = 3                  # words that the shortest question is taken to have: "what is a SEV1?" is no guess
SURE: Final = 0.64              # from here on, one passage answers
WEIGHED: Final = 6              # passages that are looked at, the best first, however many are shown
OTHERS: Final = 5               # pages beside the nearest; the next one shows how near any page is
FAR: Final = 0.2                # how near any page is, where there are not even so many

_NAME: Final = re.compile(r"(?<=[^.?!:\s])\s+([A-Z][\w.&-]*\w)|(?<!\w)((?=\w*\d)\w+)")
_SPOKEN: Final = frozenset(("I'm", "I've", "I'd", "I'll", "OK"))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One passage against a question: its cosine, and the ids of the question's words that it holds."""

    nearness: float
    held: Collection[int]


def level(nearness: Iterable[tuple[str, float]]) -> float:
    """How near a page is that answers nothing: the cosine of the nearest but `OTHERS`, of documents and cosines."""
    best: dict[str, float] = {}
    for document, cosine in nearness:
        best[document] = max(cosine, best.get(document, cosine))
    others = sorted(best.values(), reverse=True)[OTHERS:]
    return others[0] if others else FAR


def certainty(
    evidence: Iterable[Evidence], *, words: Collection[int], unknown: int = 0, level: float = FAR
) -> float:
    """How well the best passage answers, on the scale of a difference of cosines.

    ``words``: ids of the question's words, stop words aside; ``unknown``: how many of them are names or numbers that
    stand on no page; ``level``: see there.
    """
    passages = list(evidence)
    if not passages or not words:
        return 0.0
    near = max(each.nearness for each in passages) - level
    held = max(len(set(each.held) & set(words)) for each in passages) / len(words)
    return near + HELD * held - NAMED * unknown + LENGTH * math.log(max(FEW, len(words)))


def names(question: str) -> tuple[str, ...]:
    """What is written with a capital within a sentence, and what holds a digit."""
    found = (match[1] or match[2] for match in _NAME.finditer(question))
    return tuple(dict.fromkeys(name for name in found if name not in _SPOKEN))
