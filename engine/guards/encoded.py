"""What hides in a text by having something between its letters: blanks and marks, or characters that nobody sees.

`Spread` holds single characters with one separator between each (``g h p _ 1``) and looks at them put together;
`Visible` lets another reader look at what is left when the invisible characters are taken out. Encoded words are
`engine.guards.words`' affair.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from engine.guards.gates import Gate
from engine.guards.page import Page
from engine.ports import Edit, Scan

Look: TypeAlias = "Callable[[str], tuple[str, str] | None]"
"""Rule and name of what a decoded text holds, or None."""


class TextReader(Protocol):
    """Reads one text, piece by piece; the offsets of its scans are those of that text, and ``safe`` never goes back."""

    def read(self, text: str, *, final: bool = False) -> Scan: ...


_HIDDEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)


_HIDDEN_AT_ALL: Final = Gate(_HIDDEN.pattern)


def hidden(text: str) -> bool:
    """Whether there are characters in it that nobody sees."""
    return not text.isascii() and _HIDDEN.search(text) is not None


_SEPARATOR: Final = frozenset(" \t\u00a0-_.,|/·•*~")
_LONE: Final = re.compile(r"(?<![^\W_])[A-Za-z0-9](?![A-Za-z0-9])")
_ROW: Final = re.compile("(?:[A-Za-z0-9][ \t\u00a0\\-_.,|/·•*~]){4}")
_ROW_AT_ALL: Final = Gate(_ROW.pattern)
_SOLID: Final = re.compile(r"[^\W_]")
_MAX_SPREAD: Final = 2048
_KEPT: Final = 512              # of a row that does not end; longer than nearly all secrets
_LEAST_SPREAD: Final = 8


class Spread:
    """A `Reader` that puts together what has one separator between its characters, and looks at that."""

    __slots__ = ("_edit", "_end", "_last", "_letters", "_look", "_rule", "_separated", "_separator", "_start")

    def __init__(self, look: Callable[[str], tuple[str, str] | None], edit: Callable[[str], str]) -> None:
        self._look, self._edit = look, edit
        self._letters: list[str] = []
        self._start = -1
        self._separated = False     # the last character was a separator
        self._separator = ""
        self._rule = ""             # of what was found in this row: the rest of it is not shown
        self._last = " "            # the last character
        self._end = 0

    def read(self, page: Page) -> int:
        """The next piece."""
        text, at = page.text, 0
        if page.final and not page.begin and not _ROW_AT_ALL.open(text):
            return page.end                 # a whole text with nothing of the kind in it
        if self._start < 0 and text and not page.final and (
            _LONE.search(text, 1 if self._last.isalnum() else 0) is None
        ):
            self._end = page.end            # nearly always
            self._last = text[-1]
            return self._end
        while at < len(text):
            if self._start < 0:         # on to the next single character
                inside = not at and _SOLID.match(self._last)        # of a word that began before
                lone = _LONE.search(text, 1 if inside else at)
                skipped = lone.start() if lone else len(text)
                if skipped > at:
                    self._end += skipped - at
                    self._last, at = text[skipped - 1], skipped
                    continue
            self._next(text[at], page)
            self._end += 1
            self._last = text[at]
            at += 1
        if page.final:
            self._over(self._end, page)
        return self._end if self._start < 0 else self._start

    def _next(self, char: str, page: Page) -> None:
        if self._start < 0:
            if char.isalnum() and char.isascii() and not self._last.isalnum():
                self._start, self._letters, self._separated, self._separator = self._end, [char], False, ""
            return
        if self._separated:
            if char.isspace() or not char.isascii():
                self._over(self._end, page)
            else:
                self._letters.append(char)
                self._separated = False
            return
        if char in _SEPARATOR and (not self._separator or char == self._separator):
            self._separator, self._separated = char, True
            if len(self._letters) > _MAX_SPREAD:
                self._slide(page)
        else:                   # two letters in a row: the first of them begins a word
            word = char.isalnum() and len(self._letters) > 1
            self._over(self._end - word, page, word=word)

    def _slide(self, page: Page) -> None:
        """Looks at a row that goes on and on, and lets go of the letters in which nothing begins any more."""
        hit = None if self._rule else self._look("".join(self._letters))
        if hit is None and not self._rule:
            gone = len(self._letters) - _KEPT
            del self._letters[:gone]
            self._start += 2 * gone         # each with its separator
            return
        self._rule = hit[0] if hit else self._rule
        page.edit(Edit(self._start, self._end, self._edit(hit[1]) if hit else "", self._rule))
        self._start, self._letters = self._end, []

    def _over(self, end: int, page: Page, *, word: bool = False) -> None:
        letters = "".join(self._letters[:-1] if word else self._letters)
        if self._start >= 0 and self._rule:
            page.edit(Edit(self._start, end, self._separator * word, self._rule))
            self._rule = ""
        elif self._start >= 0 and len(letters) >= _LEAST_SPREAD and (hit := self._look(letters)) is not None:
            page.edit(Edit(self._start, end, self._edit(hit[1]) + self._separator * word, hit[0]))
        self._start = -1


class Visible:
    """A `Reader` that lets another one read what is left when characters that nobody sees are taken out.

    It sleeps until the first of them, and then begins with what was still held at that point.
    """

    __slots__ = ("_base", "_end", "_floor", "_inner", "_make", "_places", "_recent", "_start")

    def __init__(self, make: Callable[[], TextReader]) -> None:
        self._make = make
        self._inner: TextReader | None = None
        self._recent = ""           # the end of what was read while asleep
        self._base = 0
        self._floor = 0             # what was shown when it woke up
        self._end = 0
        self._places: list[int] = []    # of each visible character, from _start on
        self._start = 0

    def read(self, page: Page, held: int) -> int:
        """``held``: how far the text was safe before this piece; what lies before is not needed any more."""
        text, begun = page.text, self._end
        self._end = page.end
        if self._inner is None:
            whole = page.final and not page.begin
            if text.isascii() or not (_HIDDEN_AT_ALL.open(text) if whole else hidden(text)):
                self._recent += text
                if len(self._recent) > 512:
                    cut = max(held - 128 - self._base, 0)
                    self._recent, self._base = self._recent[cut:], self._base + cut
                return self._end
            if whole and not self._make().read(_HIDDEN.sub("", text), final=True).edits:
                return self._end        # a whole text with nothing in it: no place is asked for
            self._inner, self._floor = self._make(), held
            text, begun, self._recent = self._recent + text, self._base, ""
        seen: list[str] = []
        at = 0
        for unseen in _HIDDEN.finditer(text):
            seen.append(text[at : unseen.start()])
            self._places.extend(range(begun + at, begun + unseen.start()))
            at = unseen.end()
        seen.append(text[at:])
        self._places.extend(range(begun + at, begun + len(text)))
        scan = self._inner.read("".join(seen), final=page.final)
        places, start = self._places, self._start
        for edit in scan.edits:
            first = places[edit.start - start]
            if first >= self._floor:
                page.edit(Edit(first, places[edit.end - 1 - start] + 1, edit.text, edit.rule))
        done = scan.safe - start
        safe = places[done] if done < len(places) else self._end
        if done > 512:
            del places[: done - 64]
            self._start += done - 64
        return safe
