"""Words that may stand for something else: base64, hex, turned around, rot13. Read once for all who look into them.

A word is held while it may be an encoded one (mixed letters and digits where words have none); it is handed out when
it ends, or after `MAX_WORD` characters. An ordinary word passes within six characters.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import string
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import re2

from engine.guards.gates import Gate, spans

MAX_WORD: Final = 4096
_LEAST: Final = 16
_PROBE: Final = 6
_WORD: Final = re.compile(r"[A-Za-z0-9+/_=\-.]+")
_OF_WORDS: Final = frozenset(string.ascii_letters + string.digits + "+/_=-.")
_BEGUN: Final = re.compile(r"(?<![A-Za-z0-9+/_=\-.])[A-Za-z0-9+/][A-Za-z0-9+/_=\-.]*")
_LONG: Final = re2.compile(rf"[A-Za-z0-9+/_=\-.]{{{_LEAST},}}")
_LONG_AT_ALL: Final = Gate(rf"[A-Za-z0-9+/_=\-.]{{{_LEAST}}}")
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_MIXED: Final = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[0-9][A-Za-z+/]|[A-Za-z][0-9+/]|\A[A-Z]{6}")


@dataclass(frozen=True, slots=True)
class Word:
    """One that may be encoded, and where it stands."""

    start: int
    end: int
    text: str


class Words:
    """Reads one text, piece by piece."""

    __slots__ = ("_end", "_last", "_start", "_word", "ended", "safe")

    def __init__(self) -> None:
        self._word = ""             # that is held
        self._start = -1            # where it begins; -1: none is held
        self._last = " "            # the last character
        self._end = 0
        self.safe = 0
        """Up to here no word is waited for."""
        self.ended: list[Word] = []
        """Those that ended in the last piece."""

    def read(self, text: str, *, final: bool = False) -> None:
        """The next piece."""
        if self.ended:
            self.ended = []
        base, size = self._end, len(text)
        self._end += size
        if final and not base:
            self._whole(text)
            return
        if self._start < 0 and not final and self._last in _OF_WORDS and text.isalnum() and text.isascii():
            self._last, self.safe = text[-1], self._end     # a word that was let go, and goes on
            return
        goes_on = _WORD.match(text) if self._start < 0 and self._last in _OF_WORDS else None
        at = goes_on.end() if goes_on else 0
        while at < size:
            if self._start < 0:
                word = _BEGUN.search(text, at)
                if word is None:
                    break
                at = word.start()
                self._start, self._word = base + at, ""
            else:
                word = _WORD.match(text, at)
            end = min(word.end() if word else at, at + MAX_WORD - len(self._word))
            self._word += text[at:end]
            at = end
            if len(self._word) < _PROBE:
                self._start = self._start if at == size else -1     # nearly always too short
            elif not self._alive():
                self._start = -1
                rest = _WORD.match(text, at)
                at = rest.end() if rest else at
            elif len(self._word) == MAX_WORD:
                self._ends(base + at)
                self._start, self._word = base + at, ""
            elif at < size:
                self._ends(base + at)
                self._start = -1
        if final and self._start >= 0:
            self._ends(self._end)
            self._start = -1
        self._last = text[-1:] or self._last
        self.safe = self._end if self._start < 0 else self._start

    def _whole(self, text: str) -> None:
        """The same for a text that comes in one piece: most of its words are too short to be looked at."""
        self._word, self._start, self.safe = "", -1, self._end
        for first, last in spans(_LONG, text) if _LONG_AT_ALL.open(text) else ():
            if text[first] in "_=-.":           # where no encoded word begins
                continue
            for start in range(first, last, MAX_WORD):
                self._word, self._start = text[start : min(start + MAX_WORD, last)], start
                if not self._alive():
                    break
                self._ends(start + len(self._word))
        self._word, self._start = "", -1

    def _alive(self) -> bool:
        """Whether it may still turn out to be encoded."""
        word = self._word
        probe = word[:_PROBE]
        if len(probe) == _PROBE and probe.isalpha() and probe[1:].islower() and max(probe) > "f":
            return False            # nearly always: an ordinary word
        return len(word) < _PROBE or bool(_MIXED.search(probe)) or _HEX.fullmatch(word) is not None

    def _ends(self, end: int) -> None:
        if len(self._word) >= _LEAST:
            self.ended.append(Word(self._start, end, self._word))


def decodings(word: str) -> list[str]:
    """What a word may stand for; itself not among them."""
    found: list[str] = []
    bare = word.strip("-._=")
    if len(bare) >= _LEAST:
        if _HEX.fullmatch(bare):
            found += _readable(bytes.fromhex(bare[: len(bare) // 2 * 2]))
        plain = bare.translate(_STANDARD)
        if plain.isascii() and "." not in plain:
            cut = plain[: len(plain) // 4 * 4] if len(plain) % 4 == 1 else plain
            with suppress(binascii.Error, ValueError):
                found += _readable(base64.b64decode(cut + "=" * (-len(cut) % 4), validate=True))
    found.append(word[::-1])
    found.append(codecs.decode(word, "rot13"))
    return found


_STANDARD: Final = str.maketrans("-_", "+/")


def _readable(raw: bytes) -> list[str]:
    text = raw.decode("utf-8", "ignore")
    odd = sum(1 for char in text if not char.isprintable() and char not in "\r\n\t")
    return [text] if text and len(text) * 4 >= len(raw) and 10 * odd <= len(text) else []
