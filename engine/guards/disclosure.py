"""Personal data in an answer: masked before any of it is seen, unless question or passages named it themselves.

What counts is `engine.guards.personal`'s affair; here is when it can be told. Two kinds of stretches are held until
they end: a *number* with its blanks, hyphens and brackets, and a word, which may be the beginning of an e-mail address
(only where the policy wants these to be looked for). A number that fits a shape also waits for the few characters
behind it that may say what it is; every other passes at once.

All is decided by the text around a stretch and never by where the answer was cut.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import Final

from engine.guards.leaves import LeafReadingGuard
from engine.guards.normalise import fold, normalise
from engine.guards.page import Detector, Page
from engine.guards.personal import SHAPES, data, find, may_fit, notice
from engine.messages import Found
from engine.ports import Edit

KINDS: Final = frozenset(shape.rule for shape in SHAPES)
REACHING: Final = frozenset(("email", "phone"))
"""Ways to reach somebody: what the question or a passage names may be named again."""
_BEFORE: Final = 64             # characters of context before a stretch,
_AFTER: Final = 34              # and behind it; no judge of a shape reads more
_TAIL: Final = 3                # and what may still belong to it
_LONG: Final = 256              # characters of a number that are read together,
_LAPPED: Final = 64             # of which so many are read again: no shape is longer
_LONG_WORD: Final = 1024
_LAPPED_WORD: Final = 520
_LOCAL: Final = 64              # of an address, before its sign
_LEAST: Final = 5               # digits of the shortest shape
_KEPT: Final = 512
_NUMBER: Final = re.compile(r"[0-9+(][0-9 .\-/()+]*")
_LEADS: Final = re.compile(r"(?<![a-z0-9_])[a-z]{1,2} ?\Z")
"""What may belong to a number that follows."""
_LED_MOST: Final = 4
_LEAD: Final = frozenset(string.ascii_lowercase + " ")
_WORD: Final = re.compile(r"[a-z0-9._%+\-@]+")
_DIGIT: Final = re.compile("[0-9]")


class DisclosureGuard(LeafReadingGuard):
    """Outbound: edits personal data into the name of its kind."""

    name = "personal"
    version = "1"

    def __init__(self, kinds: Collection[str] = KINDS) -> None:
        """``kinds``: rules of `SHAPES` to look for; others need not be waited for."""
        self._kinds = frozenset(kinds)

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector:  # noqa: ARG002
        """For one answer."""
        @cache      # asked for by few answers
        def named() -> frozenset[str]:
            texts = (question, *(text for page in found.passages for text in (page.title, page.text)))
            return frozenset(
                _reached(text[datum.start : datum.end], datum.rule)
                for text in texts for datum in find(text) if datum.rule in REACHING
            )

        def opened() -> DisclosureReader:
            return DisclosureReader(self._kinds, named)

        return Detector(opened)


def _reached(written: str, kind: str) -> str:
    """An address, or a telephone number however it is grouped."""
    plain = normalise(written)
    return plain if kind == "email" else "".join(filter(str.isdigit, plain))


@dataclass(slots=True)
class _Stretch:
    """Something that is held, in folded characters of the whole text."""

    start: int                  # with what may belong to it
    until: int                  # what begins from here on is another's
    end: int
    address: bool
    fits: bool = False          # a shape could be in it


class DisclosureReader:
    """A `Reader` of one text."""

    __slots__ = (
        "_addresses", "_base", "_kinds", "_named", "_number", "_places", "_plain", "_safe", "_waiting", "_word",
    )

    def __init__(self, kinds: frozenset[str], named: Callable[[], frozenset[str]]) -> None:
        """``named``: ways to reach somebody that are no news."""
        self._kinds, self._named = kinds, named
        self._addresses = "email" in kinds
        self._plain = ""            # folded text, from _base on
        self._base = 0
        self._places: list[int] = []    # where each of its characters stands
        self._number = self._word = 0   # up to here numbers and words have been looked for
        self._safe = 0
        self._waiting: list[_Stretch] = []

    def read(self, page: Page) -> int:
        """The next piece."""
        text = page.text
        if text.isascii() and (text.isprintable() or text.replace("\n", "").isprintable()):
            # nearly always: each character is one
            self._plain += text.lower()
            self._places.extend(range(page.begin, page.end))
        else:
            for at, char in enumerate(text, page.begin):
                plain = fold(char)
                self._plain += plain
                self._places.extend([at] * len(plain))
        held = self._numbers(final=page.final)
        if self._addresses:
            held = min(held, self._words(final=page.final))
        if self._waiting:
            self._weigh(page)
            held = min(held, *(stretch.start for stretch in self._waiting)) if self._waiting else held
        places = self._places
        at, size = held - self._base, len(places)
        safe = places[at] if at < size else page.end
        if size > _KEPT:
            self._forget(held)
        safe = self._safe = max(safe, self._safe)
        return safe

    def _numbers(self, *, final: bool) -> int:
        """Finds the numbers that have ended, and returns where one begins that has not."""
        text, base = self._plain, self._base
        at, size = self._number - base, len(self._plain)
        while (found := _NUMBER.search(text, at)) is not None:
            begin, end = found.span()
            start = begin - _led(text, begin)
            if end - begin > _LONG:
                end, at = begin + _LONG, begin + _LONG - _LAPPED
            elif end == size and not final:
                self._number = base + begin
                return base + start
            else:
                at = end
            if len(_DIGIT.findall(text, begin, end)) >= _LEAST:
                self._waiting.append(_Stretch(base + start, base + at, base + end, address=False))
        self._number = base + size
        return base + size - (0 if final else _led(text, size))

    def _words(self, *, final: bool) -> int:
        """The same for words that may be an address."""
        text, base = self._plain, self._base
        at, size = self._word - base, len(self._plain)
        while (found := _WORD.search(text, at)) is not None:
            begin, end = found.span()
            sign = text.find("@", begin, end)
            begin = max(begin, (end if sign < 0 else sign) - _LOCAL)    # what lies further back cannot belong to it
            if sign >= 0 and end - begin > _LONG_WORD:
                end, at = begin + _LONG_WORD, begin + _LONG_WORD - _LAPPED_WORD
            elif end == size and not final:
                self._word = base + begin
                return base + begin
            else:
                at = end
            if sign >= 0:
                self._waiting.append(_Stretch(base + begin, base + at, base + end, address=True))
        self._word = base + size
        return base + size

    def _weigh(self, page: Page) -> None:
        """Settles what can be settled."""
        size = self._base + len(self._plain)
        waiting: list[_Stretch] = []
        for stretch in self._waiting:
            behind = size - stretch.end
            if page.final or behind >= (_TAIL if stretch.address else _AFTER):
                self._settle(stretch, page)
            elif stretch.fits or behind < _TAIL or self._may_fit(stretch):
                stretch.fits = behind >= _TAIL
                waiting.append(stretch)
        self._waiting = waiting

    def _may_fit(self, stretch: _Stretch) -> bool:
        """Whether there is anything to wait for: most numbers have the form of none."""
        base = self._base
        return may_fit(self._plain[max(stretch.start - 1 - base, 0) : stretch.end + _TAIL - base], self._kinds)

    def _settle(self, stretch: _Stretch, page: Page) -> None:
        base, places = self._base, self._places
        low = max(stretch.start - _BEFORE - base, 0)
        window = self._plain[low : stretch.end + (_TAIL if stretch.address else _AFTER) - base]
        for datum in data(window):
            start, end = low + datum.start, low + datum.end
            if not (datum.rule in self._kinds and (datum.rule == "email") is stretch.address
                    and stretch.start - base <= start < stretch.until - base):
                continue
            if datum.rule in REACHING and _reached(window[datum.start : datum.end], datum.rule) in self._named():
                continue
            page.edit(Edit(places[start], places[end - 1] + 1, notice(datum.rule), datum.rule))

    def _forget(self, held: int) -> None:
        """Lets go of what nobody looks at any more."""
        if not self._addresses:
            self._word = held
        cut = min(held, self._number, self._word) - _BEFORE - _LED_MOST - self._base
        if cut > 0:
            self._plain, self._places = self._plain[cut:], self._places[cut:]
            self._base += cut


def _led(text: str, at: int) -> int:
    """How many characters in front of a place may belong to a number there."""
    before = text[max(at - 3, 0) : at]
    if before[-1:] not in _LEAD or (len(before) == 3 and before.isalpha() and before.isascii()):
        return 0                        # nearly always: the end of a longer word
    led = _LEADS.search(text, max(at - _LED_MOST, 0), at)
    return at - led.start() if led else 0
