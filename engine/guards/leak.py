"""The system prompt, kept to ourselves: a long enough piece of it in an answer ends the answer.

Compared is what is left of both after folding: letters and digits alone, in lower case. So blanks, punctuation,
bullets and one character at a time make no difference. An automaton of all substrings of the prompt says at
every character how much of the prompt the text behind us is, and exactly that much is held back; with
`NEEDED` shared shingles (24 characters, or 10 ideographs) it is a leak. The same automaton is run over the prompt
turned around and in rot13; base64 and hex are decoded word by word. A canary, a random word that stands in the
prompt for nothing else, counts as soon as it is whole.

What the question or a passage says itself is no leak.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from functools import cache
from typing import Final

from engine.guards.leaves import LeafReadingGuard
from engine.guards.lines import cjk
from engine.guards.normalise import letter as fold_char
from engine.guards.normalise import letters as folded
from engine.guards.page import Detector, Page
from engine.guards.verdict import Refuse, Verdict
from engine.guards.words import decodings
from engine.messages import Found

SHINGLE: Final = 24
WIDE_SHINGLE: Final = 10
"""Folded characters of one shingle, and ideographs."""
NEEDED: Final = 8
_GAP: Final = 16
"""Other characters between two letters, after which they are no piece of one text."""
_PLAIN: Final = {char: fold_char(char) for char in map(chr, range(128))}
_CANARY: Final = WIDE_SHINGLE       # folded characters that a canary must have to be one


class _Substrings:
    """The suffix automaton of a text: reads characters and knows the longest piece of the text that just went by."""

    __slots__ = ("_lengths", "_links", "next")

    def __init__(self, text: str) -> None:
        self.next: list[dict[str, int]] = [{}]
        """Of each state, the states behind it."""
        self._links = [-1]
        self._lengths = [0]
        last = 0
        for char in text:
            new = len(self.next)
            self.next.append({})
            self._links.append(0)
            self._lengths.append(self._lengths[last] + 1)
            at = last
            while at >= 0 and char not in self.next[at]:
                self.next[at][char] = new
                at = self._links[at]
            if at >= 0:
                after = self.next[at][char]
                if self._lengths[at] + 1 == self._lengths[after]:
                    self._links[new] = after
                else:
                    clone = len(self.next)
                    self.next.append(dict(self.next[after]))
                    self._links.append(self._links[after])
                    self._lengths.append(self._lengths[at] + 1)
                    while at >= 0 and self.next[at].get(char) == after:
                        self.next[at][char] = clone
                        at = self._links[at]
                    self._links[after] = self._links[new] = clone
            last = new

    def step(self, state: int, length: int, char: str) -> tuple[int, int]:
        """From a state, and the length of the piece that it stands for, over one character."""
        after = self.next[state].get(char)
        while after is None and state:
            state = self._links[state]
            length = self._lengths[state]
            after = self.next[state].get(char)
        return (0, 0) if after is None else (after, length + 1)


class LeakGuard(LeafReadingGuard):
    """Outbound: refuses an answer that gives the system prompt away."""

    name = "leak"
    version = "1"

    def __init__(self, system_prompt: str, canary: str = "", *, reply: str = "I may not show the answer to"
    " this.") -> None:
        """``canary``: a random word of the prompt. ``reply`` is what the person reads instead."""
        mark = folded(canary)
        self._canaries = _turned(mark) if len(mark) >= _CANARY else ()
        self._pieces = _Substrings("\0".join((*_turned(folded(system_prompt)), *self._canaries)))
        self._verdict = Refuse("system_prompt", "leak", reply, 1.0)

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector:  # noqa: ARG002
        """For one answer."""
        @cache      # asked for by few answers
        def known() -> str:
            return "\0".join(folded(text) for text in (question, *(passage.text for passage in found.passages)))

        def opened() -> LeakReader:
            return LeakReader(self._pieces, self._canaries, known, self._verdict)

        return Detector(opened, thoughts=opened)


def _turned(plain: str) -> tuple[str, str, str]:
    """A folded text, itself, backwards and in rot13."""
    return plain, plain[::-1], codecs.encode(plain, "rot13")


class LeakReader:
    """A `Reader` of one text."""

    __slots__ = (
        "_canaries", "_end", "_keep", "_known", "_length", "_letters", "_pieces", "_places", "_shared", "_state",
        "_verdict",
    )

    def __init__(
        self, pieces: _Substrings, canaries: tuple[str, ...], known: Callable[[], str], verdict: Verdict,
    ) -> None:
        """``known``: the folded text that somebody else said."""
        self._pieces, self._canaries, self._known, self._verdict = pieces, canaries, known, verdict
        self._keep = max(SHINGLE, *map(len, canaries), 0)
        self._state = self._length = 0
        self._shared = 0
        self._letters = ""          # the last folded characters
        self._places: list[int] = []    # where each of them stands
        self._end = 0

    def read(self, page: Page) -> int:
        """The next piece; what is held is the longest piece of the prompt that ends here."""
        words = page.words()
        for word in words.ended:
            if any(map(self._gives_away, decodings(word.text))):
                page.judge(self._verdict, word.end + 1)
                return word.start
        self._end, text = page.end, page.text
        if self._length + len(text) < WIDE_SHINGLE and text.isascii() and (
            not self._places or page.end - self._places[-1] <= _GAP
        ):
            self._passes(text, page.begin)          # nearly always: too little to be a shingle, and no gap
        elif self._leaks(text, page.begin):
            page.judge(self._verdict, self._places[-1] + 1)
            return self._held()
        if len(self._letters) > 4096:
            self._letters, self._places = self._letters[-1024:], self._places[-1024:]
        return page.end if page.final else min(self._held(), words.safe)

    def _held(self) -> int:
        longest = self._length      # a canary is one of the pieces
        if self._places and self._end - self._places[-1] > _GAP:
            return self._end
        return self._places[-longest] if 0 < longest <= len(self._places) else self._end

    def _passes(self, text: str, begin: int) -> None:
        """Reads on over so little that it is no shingle, and nowhere begins behind a gap."""
        places, after = self._places, self._pieces.next
        state, length = self._state, self._length
        read = ""
        for at, letter in enumerate(text.lower(), begin):
            if letter.isalnum():
                read += letter
                places.append(at)
                if (next_state := after[state].get(letter)) is not None:
                    state, length = next_state, length + 1
                elif state:
                    state, length = self._pieces.step(state, length, letter)
                else:
                    length = 0
        self._letters += read
        self._state, self._length = state, length

    def _leaks(self, text: str, begin: int) -> bool:
        """Reads on, up to the character with which it is a leak. ``begin``: where ``text`` stands in the whole."""
        places, plain, after = self._places, _PLAIN.get, self._pieces.next
        state, length = self._state, self._length
        last = places[-1] if places else begin
        read: list[str] = []            # folded
        before, leaks = self._letters[-self._keep :], False
        for at, char in enumerate(text, begin):
            letters = plain(char)
            if letters is None:
                letters = fold_char(char)
            elif not letters:
                continue                # a blank
            for letter in letters:
                if at - last > _GAP:
                    state = length = 0
                last = at
                read.append(letter)
                places.append(at)
                if (next_state := after[state].get(letter)) is not None:
                    state, length = next_state, length + 1      # nearly always
                elif state:
                    state, length = self._pieces.step(state, length, letter)
                else:
                    length = 0
                if length >= WIDE_SHINGLE:
                    leaks = self._is_leak(before + "".join(read[-self._keep :]), length)
                    if leaks:
                        break
            if leaks:
                break
        self._letters += "".join(read)
        self._state, self._length = state, length
        return leaks

    def _is_leak(self, letters: str, length: int) -> bool:
        """Whether the last characters are a canary, or one shingle more and that is enough.

        A shingle is a piece of the prompt that says something, and that nobody else said.
        """
        if length >= WIDE_SHINGLE:
            size = WIDE_SHINGLE if cjk(letters[-1]) and cjk(letters[-WIDE_SHINGLE]) else SHINGLE
            self._shared += length >= size and letters[-size:] not in self._known()
        return self._shared >= NEEDED or letters.endswith(self._canaries)

    def _gives_away(self, text: str) -> bool:
        """Whether a decoded word is a piece of the prompt."""
        return LeakReader(self._pieces, self._canaries, self._known, self._verdict)._leaks(folded(text), 0)
