"""Does anything that was found answer the question? A calibrated guess from what the search already knows.

Nearness alone does not tell: a question about a pet's funeral is near to the page about funerals. Three things
help. A passage that is near *and* holds the question's words counts for more than one of each. A name or a number
of the question that no passage holds (a product, a city, a year) weighs against it. And a long question shares
fewer of its words with its answer than a short one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

HELD: Final = 0.3               # cosine that holding all of the question's words is worth
NAMED: Final = 0.25             # cosine that each name costs which no passage holds
LENGTH: Final = 0.10            # cosine that each e-fold of the question's words is worth
SURE: Final = 0.60              # from here on, one passage answers

_NAME: Final = re.compile(r"(?<=[^.?!:\s])\s+([A-Z][\w.&-]*\w)|(?<!\w)((?=\w*\d)\w+)")
_SPOKEN: Final = frozenset(("I'm", "I've", "I'd", "I'll", "OK"))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One passage against a question: its cosine, and the ids of the question's words that it holds."""

    nearness: float
    held: Collection[int]


def certainty(evidence: Iterable[Evidence], *, words: Collection[int], names: Collection[int]) -> float:
    """How well the best passage answers, on the scale of a cosine.

    ``words``: ids of the question's words, stop words aside; ``names``: those of them that are names or numbers.
    """
    passages = list(evidence)
    if not passages or not words:
        return 0.0
    best = max(each.nearness + HELD * len(set(each.held) & set(words)) / len(words) for each in passages)
    known = set[int]().union(*(each.held for each in passages))
    return best - NAMED * len(set(names) - known) + LENGTH * math.log(len(words))


def names(question: str) -> tuple[str, ...]:
    """What is written with a capital within a sentence, and what holds a digit."""
    found = (match[1] or match[2] for match in _NAME.finditer(question))
    return tuple(dict.fromkeys(name for name in found if name not in _SPOKEN))
