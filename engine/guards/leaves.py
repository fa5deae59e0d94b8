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
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import Final

from engine.guards.page import Detector, Panel, ends
from engine.guards.verdict import Allow, Flag
from engine.messages import Found
from engine.ports import Edit, Piece, Reasoning, Scan, Text

IN_REASONING: Final = "_in_reasoning"
"""Behind the rule of what was found in thoughts, which nobody is shown."""
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


class _State(Enum):
    UNSURE = auto()     # too little to tell
    PLAIN = auto()
    OUTSIDE = auto()    # between the strings of JSON
    INSIDE = auto()
    CLOSING = auto()    # behind a quotation mark which may have ended the string
    LOOSE = auto()      # behind what no JSON has


_INSIDE: Final = _State.INSIDE


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
    """Reads one text through a reader of each detector for each of its leaves, and for the wrapping as it stands."""

    __slots__ = (
        "_around", "_at", "_cleared", "_depth", "_detectors", "_found", "_leaf", "_map", "_now", "_ready", "_safe",
        "_shut", "_state", "_tail", "plain",
    )

    def __init__(self, detectors: Sequence[tuple[int, Detector]], *, depth: int = _DEPTH) -> None:
        """Each detector with its number. JSON as it stands is only read by those that want to."""
        self._detectors = detectors
        self._depth = depth
        self._around: Panel | None = None
        self._state = _State.UNSURE
        self.plain: Panel | None = None
        """Who reads all of it, once it is known to be no JSON."""
        self._tail = ""             # not taken apart yet
        self._at = 0                # offset of the first character of it
        self._leaf: Unwrapped | None = None
        # Nearly all answers are no JSON, and their first words are not to wait until everything is set up.
        self._ready: Panel | None = self._panel() if depth == _DEPTH else None
        self._map = _Mapping()
        self._cleared = 0           # characters of the leaf that its readers have cleared
        self._shut = -1             # the quotation mark that may have ended a string
        self._safe = 0
        self._found: list[tuple[int, Scan]] = []
        self._now = 0               # how many have been taken apart

    @property
    def finds(self) -> list[tuple[int, Scan]]:
        """What was found in the last piece, and by which detector."""
        return self._found if self.plain is None else self.plain.finds

    def read(self, text: str, *, final: bool = False) -> int:
        """The next piece of the text; returns how far all of it is safe. Raises `ReaderBroke`."""
        if self.plain is not None:
            return self.plain.read(text, final=final)
        if self._found:
            self._found = []
        if self._state is _State.UNSURE:
            self._tail += text
            state = self._state = self._first_state(final)
            if state is _State.UNSURE:
                return 0
            text, self._tail = self._tail, ""
            if state is _State.PLAIN:
                self.plain, self._ready = self._ready or self._panel(), None
                return self.plain.read(text, final=final)
        return self._json(text, final)

    def drop(self, which: int) -> None:
        """A detector that is not listened to any more."""
        self._detectors = [each for each in self._detectors if each[0] != which]
        for part in (self._leaf, self._around, self._ready, self.plain):
            if part is not None:
                part.drop(which)

    def _panel(self) -> Panel:
        return Panel([(which, detector.opened()) for which, detector in self._detectors])

    def _first_state(self, final: bool) -> _State:
        if self._depth and _JSON.match(self._tail):
            around = [(which, each.around()) for which, each in self._detectors if each.around is not None]
            self._around = Panel(around) if around and self._depth == _DEPTH else None
            self._detectors = [each for each in self._detectors if each[1].within]
            self._ready = None
            return _State.OUTSIDE
        if final or not self._depth or len(self._tail) > _MAX_HEAD or not _UNSURE.match(self._tail):
            return _State.PLAIN
        return _State.UNSURE

    # --- JSON

    def _json(self, text: str, final: bool) -> int:
        safe = self._at + len(self._tail) + len(text)
        if self._around is not None:
            now = safe
            safe = self._around.read(text, final=final)
            self._found += [
                (which, scan if scan.by is not None else replace(scan, by=now)) for which, scan in self._around.finds
            ]
        if self._state is _INSIDE and text and not self._tail and '"' not in text and "\\" not in text:
            self._map.add(self._at, len(text))          # nearly always: a string goes on
            self._at = self._now = self._at + len(text)
            self._read(text)
        else:
            text = self._tail + text
            at = 0
            while at < len(text):
                step = self._step(text, at, final)
                if step is None:
                    break
                at = step
            self._tail, self._at = text[at:], self._at + at
        if final:
            self._end()
        self._safe = max(self._safe, min(safe, self._leaf_safe()))
        return self._safe

    def _leaf_safe(self) -> int:
        safe = self._at
        if self._shut >= 0:
            safe = min(safe, self._shut)
        if self._leaf is None or self._cleared >= self._map.size:
            return safe
        raw = self._map.begin(self._cleared)
        self._map.forget(self._cleared)
        return min(safe, raw)

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
        self._leaf = Unwrapped(self._detectors, depth=self._depth - 1)
        self._map, self._cleared = _Mapping(), 0

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

    def _read(self, text: str, *, final: bool = False) -> None:
        """Hands decoded text to the leaf's readers, and takes down what they find."""
        leaf = self._leaf
        assert leaf is not None             # noqa: S101 - callers see to it
        self._cleared = leaf.read(text, final=final)
        for which, scan in leaf.finds:
            edits = tuple([
                Edit(self._map.begin(edit.start), self._map.end(edit.end), self._written(edit.text), edit.rule)
                for edit in scan.edits
            ])
            by = None
            if scan.verdict is not None:
                known = scan.by is not None and 0 < scan.by <= self._map.size
                by = self._map.end(scan.by or 0) if known else self._now
            self._found.append((which, Scan(self._safe, edits, scan.verdict, by)))

    def _written(self, text: str) -> str:
        """As it stands in a string of JSON."""
        return text if self._state is _State.LOOSE else json.dumps(text, ensure_ascii=False)[1:-1]

    def _end(self) -> None:
        """The answer is over: what is open closes as it stands."""
        self._now = self._at + len(self._tail) + 1
        if self._leaf is not None:
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


class Reading:
    """One answer, read by all its detectors together, and what the model thought on the way to it."""

    __slots__ = ("_answer", "_detectors", "_safe", "_thoughts", "finds")

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._detectors = detectors
        self._answer = Unwrapped(list(enumerate(detectors)))
        thinking = [(which, each.thoughts()) for which, each in enumerate(detectors) if each.thoughts is not None]
        self._thoughts = Panel(thinking)
        self.finds: list[tuple[int, Scan]] = []
        """What the last piece brought: whose find, and the find. Edits may reach beyond what is safe."""
        self._safe = 0

    def read(self, piece: Piece) -> int:
        """The next piece; returns how many characters all detectors have cleared. Raises `ReaderBroke`."""
        if isinstance(piece, Text):
            answer = self._answer.plain or self._answer
            self._safe = answer.read(piece.text)
            self.finds = answer.finds
        elif isinstance(piece, Reasoning):
            self.finds = self._think(piece.text)
        else:
            self.finds = []
        return self._safe

    def close(self) -> int:
        """The end of the answer decides what was open."""
        self._safe = self._answer.read("", final=True)
        self.finds = self._answer.finds
        return self._safe

    def drop(self, which: int) -> None:
        """A detector that is not listened to any more."""
        self._answer.drop(which)
        self._thoughts.drop(which)

    def _think(self, text: str) -> list[tuple[int, Scan]]:
        """Nobody is shown it, so what is found there is flagged, once for each detector."""
        if text.strip():
            for detector in self._detectors:
                if detector.heard is not None:
                    detector.heard()
        self._thoughts.read(text)
        flags = []
        for which, scan in self._thoughts.finds:
            verdict = scan.verdict if not isinstance(scan.verdict, Allow) else None
            if verdict is None and scan.edits:
                verdict = Flag(scan.edits[0].rule, scan.edits[0].rule)
            if verdict is not None:
                self._thoughts.drop(which)
                flags.append((which, Scan(self._safe, verdict=Flag(f"{verdict.rule}{IN_REASONING}", verdict.category))))
        return flags


class LeafReadingGuard:
    """An outbound guard that reads what an answer says, together with others or alone."""

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector:
        """What it looks for in one answer."""
        raise NotImplementedError

    def open(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> LeafStream:
        """One stream for one answer, with a reading to itself."""
        return LeafStream(self.detector(question, found, flags))


class LeafStream:
    """A `StreamGuard` of one detector that has a reading to itself."""

    __slots__ = ("_edits", "_over", "_reading", "_safe")

    def __init__(self, detector: Detector) -> None:
        self._reading = Reading([detector])
        self._edits: list[Edit] = []
        self._safe = 0
        self._over: Scan | None = None

    async def feed(self, piece: Piece) -> Scan:
        """The next piece."""
        return self._scan(self._reading.read(piece))

    async def close(self) -> Scan:
        """The end of the answer decides what was open."""
        return self._scan(self._reading.close())

    def _scan(self, safe: int) -> Scan:
        """Edits are handed on once everything up to their end is safe, and what overlaps them waits for them."""
        if self._over is not None:
            return self._over
        verdict, by = None, None
        for _, scan in self._reading.finds:
            self._edits += scan.edits
            if scan.verdict is not None and not isinstance(scan.verdict, Allow) and not ends(verdict):
                verdict, by = scan.verdict, scan.by
        self._edits.sort(key=lambda edit: (edit.start, -edit.end))
        for edit in reversed(self._edits):
            if edit.end > safe:
                safe = min(safe, edit.start)
        due = tuple([edit for edit in self._edits if edit.end <= safe])
        self._edits = [edit for edit in self._edits if edit.end > safe]
        self._safe = max(self._safe, safe)
        scan = Scan(self._safe, due, verdict, by)
        if ends(verdict):
            self._over = scan
        return scan
