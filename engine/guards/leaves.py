"""What an answer says, under its wrapping: the decoded text leaves of JSON that is still being generated.

An answer that opens like a JSON document (also in a fence) is taken apart while it comes in: every string is a
leaf of its own, its escapes are decoded (``\\uXXXX``, surrogate pairs), and a string that is JSON again is taken
apart in turn. Detectors read the leaves; what they clear, edit or object to is mapped back to the raw text,
which is what will be shown. Everything else is one leaf, read as it stands.

The reader forgives, because models err: a quotation mark inside a string that nobody escaped is part of it, an
escape that is none stands for itself, and from the first thing outside strings that no JSON has, the rest is
read as one text. What a detector holds stays held through all of this.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, Protocol

from engine.guards.verdict import Allow, Flag, Verdict
from engine.ports import Edit, Piece, Reasoning, Scan, Text

_DEPTH: Final = 4
"""JSON in strings of JSON, so many times."""
_MAX_HEAD: Final = 256
_MAX_BARE: Final = 40
_PRUNE: Final = 512

_JSON: Final = re.compile(r"\s*(?:```[A-Za-z]*[ \t]*\n\s*)?(?:\{\s*[\"}]|\[\s*[\"{\[])")
_UNSURE: Final = re.compile(r"\s*(?:`{0,3}|```[A-Za-z]*[ \t]*(?:\n\s*)?)(?:[{\[]\s*)?\Z")
_STRUCTURE: Final = re.compile(r"[\s{}\[\],:]*")
_BARE: Final = re.compile(r"[^\s{}\[\],:\"]*")
_LITERAL: Final = re.compile(r"true|false|null|-?[0-9][0-9.eE+\-]*|```[A-Za-z]*")
_STOP: Final = re.compile(r"[\"\\]")
_BACKSLASH: Final = re.compile(r"\\")
_SHORT: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}
_HEX: Final = re.compile(r"[0-9A-Fa-f]{4}")


class Reader(Protocol):
    """Reads one text, piece by piece; the offsets of its scans are those of that text, and ``safe`` never goes back."""

    def read(self, text: str, *, final: bool = False) -> Scan: ...


class _State(Enum):
    UNSURE = auto()     # too little to tell
    PLAIN = auto()
    OUTSIDE = auto()    # between the strings of JSON
    INSIDE = auto()
    CLOSING = auto()    # behind a quotation mark which may have ended the string
    LOOSE = auto()      # behind what no JSON has


class _Mapping:
    """Where each decoded character of a leaf stands in the text around it."""

    __slots__ = ("_raws", "_starts", "_widths", "size")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._raws: list[int] = []
        self._widths: list[int] = []        # of each character of the run
        self.size = 0

    def add(self, raw: int, count: int, width: int = 1) -> None:
        """``count`` characters, ``width`` raw ones each."""
        if not (self._starts and width == 1 == self._widths[-1]
                and self._raws[-1] + self.size - self._starts[-1] == raw):
            self._starts.append(self.size)
            self._raws.append(raw)
            self._widths.append(width)
        self.size += count

    def begin(self, at: int) -> int:
        """Where the raw text of character ``at`` begins."""
        run = max(bisect_right(self._starts, at) - 1, 0)
        return self._raws[run] + (at - self._starts[run]) * self._widths[run]

    def end(self, at: int) -> int:
        """Where the raw text of the characters before ``at`` ends."""
        run = max(bisect_right(self._starts, at - 1) - 1, 0)
        return self._raws[run] + (at - self._starts[run]) * self._widths[run]

    def forget(self, before: int) -> None:
        """Nothing before this character will be asked about again."""
        if len(self._starts) > _PRUNE:
            run = max(bisect_right(self._starts, before - 1) - 1, 0)
            if run > _PRUNE // 2:
                del self._starts[:run], self._raws[:run], self._widths[:run]


class Unwrapped:
    """Reads one text through a reader for each of its leaves, and through one for the wrapping as it stands."""

    __slots__ = (
        "_around", "_at", "_by", "_depth", "_edits", "_leaf", "_map", "_now", "_objects", "_open", "_raw", "_safe",
        "_shut", "_state", "_tail", "_verdict",
    )

    def __init__(
        self, opened: Callable[[], Reader], raw: Callable[[], Reader] | None = None, *, depth: int = _DEPTH,
    ) -> None:
        """``raw`` makes the reader of JSON as it stands; without one only its leaves are read."""
        self._open = opened
        self._depth = depth
        self._raw = raw
        self._around: Reader | None = None
        self._state = _State.UNSURE
        self._tail = ""             # not taken apart yet
        self._at = 0                # offset of the first character of it
        self._leaf: Reader | None = None
        self._map = _Mapping()
        self._shut = -1             # the quotation mark that may have ended a string
        self._safe = 0
        self._edits: list[Edit] = []
        self._verdict: Verdict | None = None
        self._by = 0                # how many characters had to be read for it
        self._now = 0               # how many have been taken apart
        self._objects = False       # a leaf ends the answer

    def read(self, text: str, *, final: bool = False) -> Scan:
        """The next piece of the text."""
        if self._state is _State.PLAIN:
            assert self._leaf is not None   # noqa: S101 - set with the state
            return self._leaf.read(text, final=final)
        if self._state is _State.UNSURE:
            self._tail += text
            state = self._state = self._first_state(final)
            if state is _State.UNSURE:
                return Scan(0)
            text, self._tail = self._tail, ""
            if state is _State.PLAIN:
                self._leaf = self._open()
                return self._leaf.read(text, final=final)
        return self._json(text, final)

    def _first_state(self, final: bool) -> _State:
        if self._depth and _JSON.match(self._tail):
            self._around = self._raw() if self._raw else None
            return _State.OUTSIDE
        if final or not self._depth or len(self._tail) > _MAX_HEAD or not _UNSURE.match(self._tail):
            return _State.PLAIN
        return _State.UNSURE

    # --- JSON

    def _json(self, text: str, final: bool) -> Scan:
        safes: list[int] = []
        if self._around is not None:
            scan = self._around.read(text, final=final)
            self._edits += scan.edits
            self._heed(scan.verdict, scan.by if scan.by is not None else self._at + len(self._tail) + len(text))
            safes.append(scan.safe)
        text = self._tail + text
        at = 0
        while at < len(text) and not self._objects:
            step = self._step(text, at, final)
            if step is None:
                break
            at = step
        self._tail, self._at = text[at:], self._at + at
        if final:
            self._end()
        safes.append(self._leaf_safe())
        return self._combined(min(safes))

    def _leaf_safe(self) -> int:
        safe = self._at
        if self._shut >= 0:
            safe = min(safe, self._shut)
        return min(safe, self._read("")) if self._leaf is not None else safe

    def _combined(self, safe: int) -> Scan:
        """Edits are handed on once everything up to their end is safe, and what overlaps them waits for them."""
        due: list[Edit] = []
        if self._edits:
            self._edits.sort(key=lambda edit: (edit.start, -edit.end))
            for edit in reversed(self._edits):
                if edit.end > safe:
                    safe = min(safe, edit.start)
            due = [edit for edit in self._edits if edit.end <= safe]
            self._edits = [edit for edit in self._edits if edit.end > safe]
        self._safe = max(self._safe, safe)
        verdict = self._verdict
        if isinstance(verdict, Flag):
            self._verdict = None
        return Scan(self._safe, tuple(due), verdict, None if verdict is None else self._by)

    def _heed(self, verdict: Verdict | None, by: int) -> None:
        """The earliest objection counts."""
        if verdict is None or isinstance(verdict, Allow):
            return
        if self._verdict is None or isinstance(self._verdict, Flag) or by < self._by:
            self._verdict, self._by = verdict, by

    def _step(self, text: str, at: int, final: bool) -> int | None:
        """Takes something apart at ``at`` and returns where it ends; None: more must come first."""
        if self._state is _State.OUTSIDE:
            return self._outside(text, at, final)
        if self._state is _State.CLOSING:
            return self._closing(text, at)
        return self._inside(text, at, final)

    def _outside(self, text: str, at: int, final: bool) -> int | None:
        found = _STRUCTURE.match(text, at)
        end = found.end() if found else at
        if end > at:
            return end
        if text[at] == '"':
            self._begin(_State.INSIDE)
            return at + 1
        word = _BARE.match(text, at)
        end = word.end() if word else at
        if end == len(text) and end - at <= _MAX_BARE and not final:
            return None
        if _LITERAL.fullmatch(text, at, end):
            return end
        self._begin(_State.LOOSE)
        return at

    def _begin(self, state: _State) -> None:
        self._state = state
        self._leaf = Unwrapped(self._open, depth=self._depth - 1)
        self._map = _Mapping()

    def _closing(self, text: str, at: int) -> int:
        """Behind a quotation mark: JSON goes on, or the mark belonged to the string."""
        end = at
        while end < len(text) and text[end] in " \t\r\n":
            end += 1
        if end == len(text):
            return end
        self._now = self._at + end + 1
        if text[end] in ',:}]"`':
            self._close()
        else:
            quote, self._shut, self._state = self._shut, -1, _State.INSIDE
            between = self._at + end - quote        # the mark, and blanks of which some may be gone by now
            self._map.add(quote, between)
            self._read('"'.ljust(between))
        return end

    def _close(self) -> None:
        self._read("", final=True)
        self._leaf = None
        self._shut, self._state = -1, _State.OUTSIDE

    def _inside(self, text: str, at: int, final: bool) -> int | None:
        parts: list[str] = []
        stop = _STOP if self._state is _State.INSIDE else _BACKSLASH
        while at < len(text):
            found = stop.search(text, at)
            end = found.start() if found else len(text)
            if end > at:
                self._map.add(self._at + at, end - at)
                parts.append(text[at:end])
                at = end
            if found is None:
                break
            if text[at] == '"':
                self._shut, self._state = self._at + at, _State.CLOSING
                at += 1
                break
            char, width = _unescaped(text, at, final)
            if not width:
                if not parts:
                    return None
                break
            self._map.add(self._at + at, 1, width)
            parts.append(char)
            at += width
        if parts:
            self._now = self._at + at
            self._read("".join(parts))
        return at

    def _read(self, text: str, *, final: bool = False) -> int:
        """Hands decoded text to the leaf's reader, and returns how far the raw text is safe by it."""
        assert self._leaf is not None       # noqa: S101 - callers see to it
        scan = self._leaf.read(text, final=final)
        for edit in scan.edits:
            shown = json.dumps(edit.text, ensure_ascii=False)[1:-1] if self._state is not _State.LOOSE else edit.text
            self._edits.append(Edit(self._map.begin(edit.start), self._map.end(edit.end), shown, edit.rule))
        if scan.verdict is not None:
            known = scan.by is not None and 0 < scan.by <= self._map.size
            self._heed(scan.verdict, self._map.end(scan.by or 0) if known else self._now)
            self._objects = self._objects or not isinstance(scan.verdict, Allow | Flag)
        if scan.safe >= self._map.size:
            return self._at + (1 << 60)
        safe = self._map.begin(scan.safe)
        self._map.forget(scan.safe)
        return safe

    def _end(self) -> None:
        """The answer is over: what is open closes as it stands."""
        self._now = self._at + len(self._tail) + 1
        if self._leaf is not None and not self._objects:
            self._read("", final=True)
            self._leaf = None
        self._shut = -1


def _unescaped(text: str, at: int, final: bool) -> tuple[str, int]:
    """The character that a backslash at ``at`` begins, and how many it takes; width 0: more must come first."""
    if len(text) - at < 2:
        return ("\\", 1) if final else ("", 0)
    if text[at + 1] == "u":
        return _unicode(text, at, final)
    char = _SHORT.get(text[at + 1])
    return (char, 2) if char is not None else ("\\", 1)


def _unicode(text: str, at: int, final: bool) -> tuple[str, int]:
    """The same for ``\\uXXXX``, and two of them that are one character together."""
    if len(text) - at < 6 and not final:
        return "", 0
    if not _HEX.match(text, at + 2):
        return "\\", 1
    code = int(text[at + 2 : at + 6], 16)
    if 0xD800 <= code < 0xDC00:
        follows = text[at + 6 : at + 12]
        if len(follows) < 6 and "\\u".startswith(follows[:2]) and not final:
            return "", 0
        low = int(follows[2:], 16) if follows.startswith("\\u") and _HEX.fullmatch(follows, 2) else 0
        if 0xDC00 <= low < 0xE000:
            return chr(0x10000 + ((code - 0xD800) << 10) + low - 0xDC00), 12
    return chr(code), 6


class LeafStream:
    """A `StreamGuard` over the leaves of an answer, and over what the model thought on the way to it."""

    __slots__ = ("_answer", "_flagged", "_safe", "_thoughts")

    def __init__(self, answer: Reader, thoughts: Reader | None = None) -> None:
        """``thoughts`` reads the reasoning: what it finds there is flagged once, since nobody is shown it."""
        self._answer, self._thoughts = answer, thoughts
        self._safe = 0
        self._flagged = False

    async def feed(self, piece: Piece) -> Scan:
        """The next piece."""
        if isinstance(piece, Text):
            return self._scan(piece.text)
        if isinstance(piece, Reasoning) and self._thoughts is not None and not self._flagged:
            return self._think(self._thoughts.read(piece.text))
        return Scan(self._safe)

    async def close(self) -> Scan:
        """The end of the answer decides what was open."""
        return self._scan("", final=True)

    def _scan(self, text: str, *, final: bool = False) -> Scan:
        scan = self._answer.read(text, final=final)
        self._safe = scan.safe
        return scan

    def _think(self, scan: Scan) -> Scan:
        verdict = scan.verdict
        if isinstance(verdict, Allow):
            verdict = None
        if verdict is None and scan.edits:
            verdict = Flag(scan.edits[0].rule, scan.edits[0].rule)
        if verdict is None:
            return Scan(self._safe)
        self._flagged = True
        return Scan(self._safe, verdict=Flag(f"{verdict.rule}_in_reasoning", verdict.category))
