"""The ``[n]`` of an answer, checked while it is streamed.

The rule, which `engine.rag.cite` follows for whole texts:

* A mark is ``[n]`` with n up to 999, or several in one bracket (``[1, 2]``; comma or semicolon, also the
  Chinese ones), outside code, not escaped by ``\\``, and not followed by ``(``: then it is the text of a link.
* Marks that point at a given passage are renumbered in the order of first use: the first one is ``[1]``.
* A mark that points at none is removed, with one blank before it if there is one, and counted.
* Of several in one bracket those that point at none are dropped and counted, and the others are set as
  ``[1][2]``. If none of them points at a passage, the bracket is no mark but a list of numbers, and stays.
* Code is what `engine.guards.markup` takes for code.

An answer that is numbered like this already comes out unchanged when it is checked against the passages
that it cites.
"""

from __future__ import annotations

import re
from typing import Final

from engine.guards.leaves import LeafReadingGuard
from engine.guards.markup import Where
from engine.guards.page import Detector, Page
from engine.messages import Citation, Found, Passage
from engine.ports import Edit

_PROSE: Final = Where.PROSE
_MARGIN: Final = Where.MARGIN
_NUMBER: Final = r"[0-9]{1,3}"
_NEXT: Final = r" ?[,;，；、] ?"
_MARK: Final = re.compile(rf"\[({_NUMBER}(?:{_NEXT}{_NUMBER}){{0,9}})\]")
_BEGUN: Final = re.compile(rf"\[(?:{_NUMBER}(?:{_NEXT}{_NUMBER}){{0,9}}(?: ?|{_NEXT}))?\Z")
_DIGITS: Final = re.compile(r"[0-9]+")
_NO_MARK: Final = frozenset(("", " "))


class CitationGuard(LeafReadingGuard):
    """Numbers the marks of each answer."""

    name = "citations"
    version = "1"

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Marking:  # noqa: ARG002
        """``found.passages`` in the order in which the model was given them: [1] is the first."""
        return Marking(found.passages)


class Marking(Detector):
    """The marks of one answer, which is read as it stands even if it is JSON."""

    __slots__ = ("marks",)

    def __init__(self, passages: tuple[Passage, ...]) -> None:
        marks = self.marks = Marks(passages)
        super().__init__(lambda: marks, within=False, around=lambda: marks)


class Marks:
    """A `Reader` of the marks of one answer."""

    __slots__ = ("_before", "_held", "_held_at", "_numbers", "_passages", "dropped")

    def __init__(self, passages: tuple[Passage, ...]) -> None:
        self._passages = passages
        self._numbers: dict[int, int] = {}      # number in the prompt -> number in the answer
        self._held = ""                         # prose that may be the beginning of a mark
        self._held_at = 0
        self._before = ""                       # the character before that
        self.dropped = 0
        """Marks that pointed at no passage."""

    @property
    def citations(self) -> tuple[Citation, ...]:
        """What has been cited so far, in the order of its numbers."""
        return tuple(Citation(new, self._passages[old - 1]) for old, new in self._numbers.items())

    def read(self, page: Page) -> int:
        """The next piece. Held back: a bracket that may become a mark, and the blank before it."""
        stretches = page.stretches
        if "[" not in page.text and self._held in _NO_MARK and not page.final:     # nearly always: nothing of a mark
            if not stretches:
                return self._held_at if self._held else page.placed
            where, at, stretch = stretches[-1]
            if where is _PROSE or where is _MARGIN:
                self._before = stretch[-1]
                if stretch[-1] == " ":
                    self._held, self._held_at = " ", at + len(stretch) - 1
                    return self._held_at
            else:
                self._before = ""
            self._held = ""
            return page.placed
        for where, at, stretch in stretches:
            if where is _PROSE or where is _MARGIN:
                if not self._held:
                    self._held_at = at
                self._held += stretch
                self._settle(page)
            else:
                if self._held:
                    self._settle(page, final=True)
                self._before = ""
        if page.final and self._held:               # an unfinished mark is text
            self._settle(page, final=True)
        return self._held_at if self._held else page.placed

    def _settle(self, page: Page, *, final: bool = False) -> None:
        """Settles what is held, as far as that is possible."""
        text, at = self._held, 0
        keep = len(text)
        while (start := text.find("[", at)) >= 0:
            found = _MARK.match(text, start)
            begins = start - 1 if start > at and text[start - 1] == " " else start
            if not final and (found.end() == len(text) if found else _BEGUN.match(text, start)):
                keep = begins
                break
            escaped = (text[start - 1] if start else self._before) == "\\"
            if found and not escaped and text[found.end() : found.end() + 1] != "(":
                self._mark(found, begins, page)
            at = found.end() if found else start + 1
        if keep == len(text) > at and not final and text[-1] == " ":
            keep -= 1
        self._before = text[keep - 1 : keep] or self._before
        self._held, self._held_at = text[keep:], self._held_at + keep

    def _mark(self, found: re.Match[str], begins: int, page: Page) -> None:
        asked = [int(number) for number in _DIGITS.findall(found.group(1))]
        given = [number for number in asked if 1 <= number <= len(self._passages)]
        if not given and len(asked) > 1:
            return
        self.dropped += len(asked) - len(given)
        if given:
            begins = found.start()
        marks = "".join(f"[{n}]" for n in dict.fromkeys(self._number(number) for number in given))
        if marks != found.group():
            rule = "renumbered" if given else "dropped"
            page.edit(Edit(self._held_at + begins, self._held_at + found.end(), marks, rule))

    def _number(self, asked: int) -> int:
        return self._numbers.setdefault(asked, len(self._numbers) + 1)
