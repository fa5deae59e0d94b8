"""The words of a text that say what it is about."""

from __future__ import annotations

import re
from typing import Final

STEM: Final = 6                 # characters: enough to see that "notices" speaks of a notice
_WORD: Final = re.compile(r"\w+")
COMMON: Final = frozenset(_WORD.findall(
    "a an and any are as at be before by can do does for from get have how i if in is it long many me much my need of "
    "on or our should than that the their there they this to us was we what when where which who why will with would "
    "you your"
))


def content_words(text: str) -> frozenset[str]:
    """Folded and cut to their stems, roughly; without those that every question holds."""
    return frozenset(word[:STEM] for word in _WORD.findall(text.casefold()) if word not in COMMON)
