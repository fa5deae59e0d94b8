"""Two versions of one text that disagree: the newest stands first, and the others right behind it, all with dates.

Which of them holds is not for us to say: an old page may have been touched last. So none is left out; but whoever
reads only one of them, a person or a model, reads the one that was changed last.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from engine.messages import Passage

ALIKE: Final = 0.6              # the part of all their words that two versions of a text share
FEW: Final = 8                  # different words; shorter texts are alike by chance
_NUMBER: Final = re.compile(
    r"\d+(?:[.,:]\d+)*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|sixty|ninety)\b",
    re.IGNORECASE,
)


def newest_first(passages: Sequence[Passage], words: Sequence[Collection[int]]) -> list[int]:
    """The order in which to show passages that come best first; ``words``: the ids of each one's words.

    It is theirs, but that the versions of a text which differ in a number stand together, where the best of them
    stood. One without a date is nobody's version.
    """
    sets = [frozenset(each) for each in words]
    order: list[int] = []
    for n, passage in enumerate(passages):
        if n in order:
            continue
        others = [
            k for k in range(n + 1, len(passages))
            if k not in order and _alike(sets[n], sets[k]) and _disagree(passage, passages[k])
        ]
        order += sorted((n, *others), key=lambda k: -_changed(passages[k])) if others else [n]
    return order


def _alike(one: frozenset[int], other: frozenset[int]) -> bool:
    return len(one) >= FEW and len(one & other) >= ALIKE * len(one | other)


def _disagree(one: Passage, other: Passage) -> bool:
    if one.document == other.document or not (one.date and other.date) or one.date == other.date:
        return False
    return _numbers(one.text) != _numbers(other.text)


def _numbers(text: str) -> frozenset[str]:
    return frozenset(match[0].casefold() for match in _NUMBER.finditer(text))


def _changed(passage: Passage) -> float:
    return passage.date.timestamp() if passage.date else 0.0
