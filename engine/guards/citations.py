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

from engine.guards.markup import Markup, Where
from engine.messages import Citation, Found, Passage
from engine.ports import Edit, Piece, Scan, Text

_NUMBER: Final = r"[0-9]{1,3}"
_NEXT: Final = r" ?[,;，；、] ?"
_MARK: Final = re.compile(rf"\[({_NUMBER}(?:{_NEXT}{_NUMBER}){{0,9}})\]")
_BEGUN: Final = re.compile(rf"\[(?:{_NUMBER}(?:{_NEXT}{_NUMBER}){{0,9}}(?: ?|{_NEXT}))?\Z")
_DIGITS: Final = re.compile(r"[0-9]+")


class CitationGuard:
    """Opens a `CitationStream` for each answer."""

    name = "citations"
    version = "1"

    def open(  # the port's shape
        self, question: str, found: Found, flags: tuple[str, ...] = (),  # noqa: ARG002
    ) -> CitationStream:
        """``found.passages`` in the order in which the model was given them: [1] is the first."""
        return CitationStream(found.passages)


class CitationStream:
    """The marks of one answer."""

    __slots__ = ("_before", "_held", "_held_at", "_markup", "_numbers", "_passages", "dropped")

    def __init__(self, passages: tuple[Passage, ...]) -> None:
        self._passages = passages
        self._numbers: dict[int, int] = {}      # number in the prompt -> number in the answer
        self._markup = Markup()
        self._held = ""                         # prose that may be the beginning of a mark
        self._held_at = 0
        self._before = ""                       # the character before that
        self.dropped = 0
        """Marks that pointed at no passage."""

    @property
    def citations(self) -> tuple[Citation, ...]:
        """What has been cited so far, in the order of its numbers."""
        return tuple(Citation(new, self._passages[old - 1]) for old, new in self._numbers.items())

    async def feed(self, piece: Piece) -> Scan:
        """Held back: a bracket that may become a mark, and the blank before it."""
        return self._scan(piece.text if isinstance(piece, Text) else "")

    async def close(self) -> Scan:
        """An unfinished mark is text."""
        return self._scan("", final=True)

    def _scan(self, text: str, *, final: bool = False) -> Scan:
        edits: list[Edit] = []
        stretches = self._markup.read(text, final=final)
        if not (self._held or final) and len(stretches) == 1 and "[" not in text and text[-1:] != " ":
            where, at, stretch = stretches[0]       # nearly always: nothing of a mark
            if where is Where.PROSE:
                self._before = stretch[-1]
                return Scan(self._markup.placed)
        for where, at, stretch in stretches:
            if where in (Where.PROSE, Where.MARGIN):
                if not self._held:
                    self._held_at = at
                self._held += stretch
                self._read(edits)
            else:
                if self._held:
                    self._read(edits, final=True)
                self._before = ""
        if final and self._held:
            self._read(edits, final=True)
        return Scan(self._held_at if self._held else self._markup.placed, tuple(edits))

    def _read(self, edits: list[Edit], *, final: bool = False) -> None:
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
                self._mark(found, begins, edits)
            at = found.end() if found else start + 1
        if keep == len(text) > at and not final and text[-1] == " ":
            keep -= 1
        self._before = text[keep - 1 : keep] or self._before
        self._held, self._held_at = text[keep:], self._held_at + keep

    def _mark(self, found: re.Match[str], begins: int, edits: list[Edit]) -> None:
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
            edits.append(Edit(self._held_at + begins, self._held_at + found.end(), marks, rule))

    def _number(self, asked: int) -> int:
        return self._numbers.setdefault(asked, len(self._numbers) + 1)
