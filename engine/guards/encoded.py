"""What hides in a text: words that are base64, hex, reversed or rot13, and text with something between its letters.

Two readers of the raw text, with whatever is looked for given as a function of the decoded words:

* `EncodedWords` holds a word while it may be an encoded one (mixed letters and digits where words have none), and
  looks at what it decodes to when it ends, or after `MAX_WORD` characters.
* `Spread` holds single characters with one separator between each (``g h p _ 1``), or with zero-width characters
  anywhere, and looks at them put together.

An ordinary word passes within six characters.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol, TypeAlias

from engine.ports import Edit, Scan

Look: TypeAlias = "Callable[[str], tuple[str, str] | None]"
"""Rule and name of what a decoded text holds, or None."""


class TextReader(Protocol):
    """Reads one text, piece by piece; the offsets of its scans are those of that text, and ``safe`` never goes back."""

    def read(self, text: str, *, final: bool = False) -> Scan: ...


MAX_WORD: Final = 4096
_LEAST: Final = 16
_PROBE: Final = 6
_WORD: Final = re.compile(r"[A-Za-z0-9+/_=\-.]+")
_EDGE: Final = re.compile(r"(?<![A-Za-z0-9+/_=\-.])[A-Za-z0-9+/]")
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_MIXED: Final = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[0-9][A-Za-z+/]|[A-Za-z][0-9+/]|\A[A-Z]{6}")
_HIDDEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)


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


def hidden(text: str) -> bool:
    """Whether there are characters in it that nobody sees."""
    return not text.isascii() and _HIDDEN.search(text) is not None


class EncodedWords:
    """A `Reader` that edits away the words that hide something."""

    __slots__ = ("_edit", "_end", "_last", "_look", "_start", "_word")

    def __init__(self, look: Look, edit: Callable[[str], str]) -> None:
        """``edit`` makes what is shown instead, of the name that ``look`` gave."""
        self._look, self._edit = look, edit
        self._word = ""             # that is held
        self._start = -1            # where it begins; -1: none is held
        self._last = ""             # the last character
        self._end = 0

    def read(self, text: str, *, final: bool = False) -> Scan:
        """The next piece."""
        base, at, size = self._end, 0, len(text)
        self._end += size
        edits: list[Edit] = []
        if text and self._start < 0 and self._last and _WORD.fullmatch(self._last):
            rest = _WORD.match(text)        # a word that was let go, and goes on
            at = rest.end() if rest else 0
        while at < size:
            if self._start < 0:
                begun = _EDGE.search(text, at)
                if begun is None:
                    break
                at = begun.start()
                self._start, self._word = base + at, ""
            word = _WORD.match(text, at)
            end = min(word.end() if word else at, at + MAX_WORD - len(self._word))
            self._word += text[at:end]
            at = end
            if not self._alive():
                self._start = -1
                rest = _WORD.match(text, at)
                at = rest.end() if rest else at
            elif len(self._word) == MAX_WORD:
                self._decide(edits, base + at)
                self._start, self._word = base + at, ""
            elif at < size:
                self._decide(edits, base + at)
                self._start = -1
        if final and self._start >= 0:
            self._decide(edits, self._end)
            self._start = -1
        self._last = text[-1:] or self._last
        return Scan(self._end if self._start < 0 else self._start, tuple(edits))

    def _alive(self) -> bool:
        """Whether it may still turn out to be encoded."""
        probe = self._word[:_PROBE]
        return len(probe) < _PROBE or bool(_MIXED.search(probe)) or _HEX.fullmatch(self._word) is not None

    def _decide(self, edits: list[Edit], end: int) -> None:
        if len(self._word) >= _LEAST:
            for text in decodings(self._word):
                if (hit := self._look(text)) is not None:
                    edits.append(Edit(self._start, end, self._edit(hit[1]), hit[0]))
                    return


_SEPARATOR: Final = frozenset(" \t\u00a0-_.,|/·•*~")
_LONE: Final = re.compile(r"(?<![^\W_])[A-Za-z0-9](?![A-Za-z0-9])")
_SOLID: Final = re.compile(r"[^\W_]")
_MAX_SPREAD: Final = 2048
_LEAST_SPREAD: Final = 8


class Spread:
    """A `Reader` that puts together what has one separator between its characters, and looks at that."""

    __slots__ = ("_edit", "_end", "_last", "_letters", "_look", "_separated", "_separator", "_start")

    def __init__(self, look: Callable[[str], tuple[str, str] | None], edit: Callable[[str], str]) -> None:
        self._look, self._edit = look, edit
        self._letters: list[str] = []
        self._start = -1
        self._separated = False     # the last character was a separator
        self._separator = ""
        self._last = " "            # the last character
        self._end = 0

    def read(self, text: str, *, final: bool = False) -> Scan:
        """The next piece."""
        edits: list[Edit] = []
        at = 0
        while at < len(text):
            if self._start < 0:         # on to the next single character
                inside = not at and _SOLID.match(self._last)        # of a word that began before
                lone = _LONE.search(text, 1 if inside else at)
                skipped = lone.start() if lone else len(text)
                if skipped > at:
                    self._end += skipped - at
                    self._last, at = text[skipped - 1], skipped
                    continue
            self._next(text[at], edits)
            self._end += 1
            self._last = text[at]
            at += 1
        if final:
            self._over(self._end, edits)
        return Scan(self._end if self._start < 0 else self._start, tuple(edits))

    def _next(self, char: str, edits: list[Edit]) -> None:
        if self._start < 0:
            if char.isalnum() and char.isascii() and not self._last.isalnum():
                self._start, self._letters, self._separated, self._separator = self._end, [char], False, ""
            return
        if self._separated:
            if char.isspace() or not char.isascii():
                self._over(self._end, edits)
            else:
                self._letters.append(char)
                self._separated = False
            return
        if char in _SEPARATOR and (not self._separator or char == self._separator):
            self._separator, self._separated = char, True
            if len(self._letters) > _MAX_SPREAD:
                self._over(self._end, edits)
        else:                   # two letters in a row: the first of them begins a word
            word = char.isalnum() and len(self._letters) > 1
            self._over(self._end - word, edits, word=word)

    def _over(self, end: int, edits: list[Edit], *, word: bool = False) -> None:
        letters = "".join(self._letters[:-1] if word else self._letters)
        if self._start >= 0 and len(letters) >= _LEAST_SPREAD and (hit := self._look(letters)) is not None:
            edits.append(Edit(self._start, end, self._edit(hit[1]) + self._separator * word, hit[0]))
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

    def read(self, text: str, held: int, *, final: bool = False) -> Scan:
        """``held``: how far the text was safe before this piece; what lies before is not needed any more."""
        begun = self._end
        self._end += len(text)
        if self._inner is None:
            if not hidden(text):
                self._recent += text
                if len(self._recent) > 512:
                    cut = max(held - 128 - self._base, 0)
                    self._recent, self._base = self._recent[cut:], self._base + cut
                return Scan(self._end)
            self._inner, self._floor = self._make(), held
            text, begun, self._recent = self._recent + text, self._base, ""
        seen: list[str] = []
        for at, char in enumerate(text, begun):
            if not _HIDDEN.match(char):
                seen.append(char)
                self._places.append(at)
        scan = self._inner.read("".join(seen), final=final)
        places, start = self._places, self._start
        edits = tuple(
            Edit(places[e.start - start], places[e.end - 1 - start] + 1, e.text, e.rule) for e in scan.edits
            if places[e.start - start] >= self._floor
        )
        done = scan.safe - start
        safe = places[done] if done < len(places) else self._end
        if done > 512:
            del places[: done - 64]
            self._start += done - 64
        return Scan(safe, edits)
