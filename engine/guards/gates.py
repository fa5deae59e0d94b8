"""What a whole text must hold to be worth a reader's while: looked for once, for all readers.

Most texts hold nothing of what most readers look for. RE2 says so of all of them in one pass, so that every reader
after the first one only asks what was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import re2

_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 32 << 20     # bytes: all patterns in one automaton
_PATTERNS: Final[list[str]] = []


class Gate:
    """One pattern, which a text has to match somewhere; made once, beside what it saves the work of."""

    __slots__ = ("_number",)

    def __init__(self, pattern: str) -> None:
        self._number = len(_PATTERNS)
        _PATTERNS.append(pattern)

    def open(self, text: str) -> bool:
        """Whether it does. Asking a second gate about one text costs nothing."""
        return self._number in _met(text, len(_PATTERNS))


def raw(text: str) -> bytes:
    """The text as RE2 reads it, to which half of a pair is no character. As many characters as before."""
    return text.encode("utf-8", "replace")


def spans(pattern: Any, text: str) -> Iterator[tuple[int, int]]:
    """Where a pattern of RE2 matches, in characters: it reads bytes twice as fast, and few of them need counting."""
    read = raw(text)
    if len(read) == len(text):
        for match in pattern.finditer(read):
            yield match.span()
        return
    at = end = 0                # in bytes, and in characters
    for match in pattern.finditer(read):
        first, last = match.span()
        start = end + len(read[at:first].decode())
        at, end = last, start + len(read[first:last].decode())
        yield start, end


@lru_cache(maxsize=16)
def _met(text: str, patterns: int) -> frozenset[int]:
    return frozenset(_together(patterns).Match(raw(text)) or ())


@lru_cache(maxsize=1)
def _together(patterns: int) -> re2.Set:
    """All patterns that there are by now; made anew when a module has brought another one."""
    together = re2.Set.SearchSet(_OPTIONS)
    for pattern in _PATTERNS[:patterns]:
        together.Add(pattern)
    together.Compile()
    return together
