"""Thoughts that a server leaves in the answer, because nobody told it to part them (``--reasoning-parser``)."""

from __future__ import annotations

import re
from typing import Final

from engine.ports import Piece, Reasoning, Text

OPEN: Final = "<think>"
CLOSE: Final = "</think>"
_TAIL: Final = 16
_STRAY: Final = re.compile(r"(?:\A|\n)[ \t]*</think>[ \t]*(?:\n|\Z)")


class Thoughts:
    """Parts the text of one answer, however it is cut: thoughts stand at its beginning, between two tags.

    Many templates write the opening tag themselves, so that only the closing one arrives. Then the thoughts cannot be
    told from an answer before that: ``stray`` says that what came until now was none.
    """

    __slots__ = ("_held", "_inside", "_settled", "_tail", "_talked", "stray")

    def __init__(self) -> None:
        self._held = ""             # may be, or become, a tag
        self._inside = False
        self._settled = False       # what comes now is the answer
        self._tail = "\n"           # its last characters
        self._talked = False        # it talks about such tags, or thoughts came by themselves
        self.stray = False

    def apart(self) -> None:
        """The server parts them: a tag in the answer is its own affair."""
        self._talked = True

    def parted(self, text: str) -> list[Piece]:
        """What a piece of text is, as far as that can be told."""
        if self._settled:
            self._look(text)
            return [Text(text)]
        self._held += text
        if not self._inside:
            begun = self._held.lstrip()
            if begun not in (OPEN, CLOSE) and (OPEN.startswith(begun) or CLOSE.startswith(begun)):
                return []
            if begun.startswith(CLOSE):         # of thoughts that were none
                self._held = begun[len(CLOSE) :]
                return self._answer()
            if not begun.startswith(OPEN):
                return self._answer()
            self._inside, self._talked, self._held = True, True, begun[len(OPEN) :]
        thought, closed, rest = self._held.partition(CLOSE)
        if closed:
            self._held = rest
            return [*_thought(thought), *self._answer()]
        keep = next((size for size in range(len(CLOSE) - 1, 0, -1) if thought.endswith(CLOSE[:size])), 0)
        self._held = thought[len(thought) - keep :]
        return _thought(thought[: len(thought) - keep])

    def rest(self) -> list[Piece]:
        """What was held, once the answer is over."""
        held, self._held = self._held, ""
        if self._inside and not self._settled:
            return _thought(held)
        return [Text(held)] if held else []

    def _answer(self) -> list[Piece]:
        self._settled, text, self._held = True, self._held, ""
        if not text:
            return []
        self._look(text)
        return [Text(text)]

    def _look(self, text: str) -> None:
        if self._talked:
            return
        seen = self._tail + text
        if ">" in text or "\n" in text:
            closing = _STRAY.search(seen)
            opening = seen.find(OPEN)
            self.stray = closing is not None and not 0 <= opening < closing.start()
        self._talked = OPEN in seen
        self._tail = seen[-_TAIL:]


def _thought(text: str) -> list[Piece]:
    return [Reasoning(text)] if text else []
