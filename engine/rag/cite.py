"""``[2]`` in an answer becomes a citation that a reader can open.

A mark stands in prose: what looks like one inside code, or as the text of a link, is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from engine.fences import FENCE, closed
from engine.messages import Citation, Passage

MARK: Final = re.compile(r"(?<!\\)\[([0-9]{1,3})\](?!\()")
"""One mark, its number as group 1: not escaped, and not the text of a link like ``[1](https://...)``."""

_TICKS: Final = re.compile(r"`+")
_BLANK: Final = re.compile(r"\n[ \t]*(?:\n|\Z)")


def cite(text: str, passages: Sequence[Passage]) -> tuple[str, tuple[Citation, ...], int]:
    """The text with its marks renumbered, the citations in order of first use, and how many marks were dropped.

    ``[1]`` is the first passage. A mark that points at none is dropped, with the one space before it. Citing the
    result against its own citations changes nothing.
    """
    text, dropped = _resolvable(text, len(passages))
    used: dict[int, int] = {}
    parts, at = [], 0
    for mark in marks(text):
        number = used.setdefault(int(mark[1]), len(used) + 1)
        parts += [text[at : mark.start()], f"[{number}]"]
        at = mark.end()
    citations = tuple(Citation(marker, passages[given - 1]) for given, marker in used.items())
    return "".join([*parts, text[at:]]), citations, dropped


def marks(text: str) -> Iterator[re.Match[str]]:
    """The marks that stand in prose, in order."""
    spans = _code(text)
    start, end = next(spans, (len(text), len(text)))
    for mark in MARK.finditer(text):
        while end <= mark.start() and start < len(text):
            start, end = next(spans, (len(text), len(text)))
        if mark.end() <= start:
            yield mark


def _resolvable(text: str, count: int) -> tuple[str, int]:
    """Without the marks that point at no passage; again, since a text can close up to form a new one."""
    dropped = 0
    while True:
        parts, at = [], 0
        for mark in marks(text):
            if 1 <= int(mark[1]) <= count:
                continue
            dropped += 1
            before = text[at : mark.start()]
            parts.append(before.removesuffix(" "))
            at = mark.end()
        if not at:
            return text, dropped
        text = "".join([*parts, text[at:]])


def _code(text: str) -> Iterator[tuple[int, int]]:
    """Fenced blocks, to the end of the text when one is not closed, and inline code within its paragraph."""
    at = 0
    fence = FENCE.search(text)
    while at < len(text):
        if fence and fence.start() < at:
            fence = FENCE.search(text, at)
        ticks = _TICKS.search(text, at)
        if fence and (not ticks or fence.start() <= ticks.start()):
            end = closed(text, fence[1], fence.end())
            at = end if end >= 0 else len(text)
            yield fence.start(), at
        elif ticks:
            at = _closed(text, ticks, fence.start() if fence else len(text))
            if at > ticks.end():
                yield ticks.start(), at
        else:
            return


def _closed(text: str, ticks: re.Match[str], until: int) -> int:
    """Where the inline code ends that these ticks open; their own end when they open none."""
    blank = _BLANK.search(text, ticks.end(), until)
    for other in _TICKS.finditer(text, ticks.end(), blank.start() if blank else until):
        if len(other[0]) == len(ticks[0]):
            return other.end()
    return ticks.end()
