"""Where in a Markdown answer we are, while it is still coming in: prose, code, or the margin of a line.

A few rules stand in for a parser, so that every character can be placed at once and the same way however the
text was cut: a line that opens with three or more backticks or tildes begins or ends a fence; any other run
of backticks opens a code span, which ends at a run of the same length or with the line.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final


class Where(Enum):
    """What a stretch of text is part of."""

    PROSE = auto()
    SPAN = auto()       # `code`, with its backticks
    FENCE = auto()      # a fenced block, with its opening fence and line ends
    CLOSED = auto()     # the backticks or the fence that end either
    BREAK = auto()      # the end of a line outside a fence
    MARGIN = auto()     # blanks and ``>`` before the first word of a line


_PROSE: Final = Where.PROSE
_SPAN: Final = Where.SPAN
_BREAK: Final = Where.BREAK
_MARGIN: Final = re.compile(r"[ \t>]*")
_FENCE: Final = re.compile(r"`+|~+")
_RUN: Final = re.compile(r"`+")
_OF_LINES: Final = frozenset(" \t>`~")
"""What may be a margin, or open a fence."""
_PROSE_END: Final = re.compile(r"[`\n]")


class Markup:
    """Reads one text, piece by piece."""

    __slots__ = ("_fence", "_line", "_opened", "_span", "_tail", "placed")

    def __init__(self) -> None:
        self._tail = ""             # blanks or backticks that cannot be placed yet
        self.placed = 0
        """How many characters from the start have been placed."""
        self._line = True           # at the beginning of a line
        self._fence = ""            # what opened the fence that we are in
        self._opened = False        # on the fence's own first line
        self._span = 0              # backticks that opened the code span that we are in

    def read(self, text: str, *, final: bool = False) -> list[tuple[Where, int, str]]:
        """Stretches of text with their offsets, in order."""
        if not (self._tail or self._line or self._fence or "`" in text or "\n" in text):
            if not text:
                return []
            at = self.placed                   # nearly always
            self.placed = at + len(text)
            return [(_SPAN if self._span else _PROSE, at, text)]
        text = self._tail + text
        at, end = 0, len(text)
        stretches = []
        while at < end:
            char = text[at]
            if char == "\n" and not self._fence:
                self._line, self._span = True, 0
                where, stop = _BREAK, at + 1
            elif not self._fence and not (char in _OF_LINES if self._line else char == "`"):    # nearly always
                self._line = False
                where, stop = self._until_line_ends(text, at)
            else:
                step = self._step(text, at, final)
                if step is None:
                    break
                where, stop = step
            stretches.append((where, self.placed + at, text[at:stop]))
            at = stop
        self._tail = text[at:]
        self.placed += at
        return stretches

    def _step(self, text: str, at: int, final: bool) -> tuple[Where, int] | None:
        if self._line:
            return self._margin(text, at, final)
        if self._fence:
            return self._in_fence(text, at, final)
        if text[at] == "\n":
            self._line, self._span = True, 0
            return _BREAK, at + 1
        if text[at] == "`":
            return self._ticks(text, at, final)
        return self._until_line_ends(text, at)

    def _until_line_ends(self, text: str, at: int) -> tuple[Where, int]:
        found = _PROSE_END.search(text, at)
        return _SPAN if self._span else _PROSE, found.start() if found else len(text)

    def _ticks(self, text: str, at: int, final: bool) -> tuple[Where, int] | None:
        stop = self._run(text, at)
        if stop == len(text) and not final:
            return None
        if self._span == stop - at:
            self._span = 0
            return Where.CLOSED, stop
        self._span = self._span or stop - at
        return _SPAN, stop

    def _margin(self, text: str, at: int, final: bool) -> tuple[Where, int] | None:
        margin = _MARGIN.match(text, at)
        stop = margin.end() if margin else at
        fence = _FENCE.match(text, stop)
        if (fence.end() if fence else stop) == len(text) and not final:
            return None
        self._line = False
        if fence is None or len(fence.group()) < 3:
            if self._fence:
                return self._in_fence(text, at, final)
            return (Where.MARGIN, stop) if stop > at else self._step(text, at, final)
        if not self._fence:
            self._fence, self._opened = fence.group(), True
        elif fence.group().startswith(self._fence):
            self._fence = ""
            return Where.CLOSED, fence.end()
        return Where.FENCE, fence.end()

    def _in_fence(self, text: str, at: int, final: bool) -> tuple[Where, int] | None:
        stop = text.find("\n", at)
        ticks = text.find("`", at, stop if stop >= 0 else len(text)) if self._opened else -1
        if ticks == at:                     # ```code``` on one line is a code span after all
            run = self._run(text, at)
            if run == len(text) and not final:
                return None
            if text[at:run] == self._fence:
                self._fence, self._opened = "", False
                return Where.CLOSED, run
            return Where.FENCE, run
        if ticks > at:
            return Where.FENCE, ticks
        if stop < 0:
            return Where.FENCE, len(text)
        self._line, self._opened = True, False
        return Where.FENCE, stop + 1

    @staticmethod
    def _run(text: str, at: int) -> int:
        run = _RUN.match(text, at)
        return run.end() if run else at
