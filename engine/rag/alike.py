"""Which of a question's words a passage leaves unsaid: it neither holds them, nor any that means about the same.

The vector of a passage says what it is about, and one word of a question hardly moves it: "what does the guest wifi
cost" is near to whatever says what things cost. Word by word that shows, since each word of the question is looked for
by itself: "vacation" is said by "annual leave", "wifi" by nothing there.

What words mean is read off the embedding model's own table of words: of what it knows of a word before it reads the
words around it. Words that it has no vector for (names, compounds, other scripts) are said only by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.rag.words import STEM

LONGEST: Final = 24  # words of a question that are looked at, the first ones
_WORD: Final = re.compile(r"[^\W_]+")
_CLIPPED: Final = re.compile(r"n['’]t\b|['’](?:s|re|ve|ll|d|m)\b")
_COMMON: Final = frozenset(_WORD.findall(
    "a ain also am an and any anybody anyone anything are as at be been before being but by ca can cannot could d did "
    "do does doing ever far for from get gets got had has have having he her him his how i if in into is it its just "
    "let ll m many may me might much must my need no not of off often ok on one or our out over own re s shall she "
    "should so some somebody someone something still such t tell than that the their them then there these they this "
    "those through to too under up us ve very was we were what when where which while who whom whose why will with wo "
    "would yes you your"
))


def said(question: str) -> tuple[str, ...]:
    """The words of a question that mean something, folded, each once: at most `LONGEST`."""
    found = (word for word in _WORD.findall(_CLIPPED.sub(" ", question.casefold())) if word not in _COMMON)
    return tuple(dict.fromkeys(word for word in found if word.isascii()))[:LONGEST]


def shares(questions: Iterable[Sequence[str]], fading: float) -> Mapping[str, float]:
    """What part of all that is asked each word is, from 0 to 1: of `said` questions, each fainter than the one before.

    A word that several of them hold counts where it is heard first.
    """
    weights: dict[str, float] = {}
    for n, words in enumerate(questions):
        for word in words:
            weights.setdefault(word, fading**n)
    whole = sum(weights.values())
    return {word: weight / whole for word, weight in weights.items()}


@dataclass(frozen=True, slots=True)
class Meanings:
    """Vectors of words. ``places``: the row of each word in ``vectors``, of whole numbers from -127 to 127."""

    places: Mapping[str, int]
    vectors: npt.NDArray[np.int8]

    def unsaid(self, asked: Mapping[str, float], text: str, held: Collection[str] = ()) -> float:
        """The share of the word that this text comes least near to, less what it does say of it; from 0 to 1.

        ``asked``: `shares`; ``held``: those of the words that the text is known to hold, in whatever form. A word
        that is half a question counts for more than one of ten: those who ask at length say much that is no matter.
        """
        words = set(_WORD.findall(text.casefold()))
        open_words = [word for word in asked if word not in words and word not in held]
        if not open_words:
            return 0.0
        known = [word for word in open_words if word in self.places]
        near = dict(zip(known, self._nearest(known, words), strict=True))
        return max(asked[word] * (1 - near.get(word, 0.0)) for word in open_words)

    def said(self, asked: Sequence[str], text: str) -> float:
        """The share of these words that the text says, from 0 to 1; one that it says nearly counts in part."""
        words = set(_WORD.findall(text.casefold()))
        stems = {word[:STEM] for word in words}
        open_words = [word for word in asked if word[:STEM] not in stems]
        known = [word for word in open_words if word in self.places]
        whole = len(asked) - len(open_words) + sum(self._nearest(known, words))
        return whole / max(1, len(asked))

    def _nearest(self, words: Sequence[str], text: Collection[str]) -> Sequence[float]:
        """Of each word the cosine to the word of the text that is nearest to it, 0 at least."""
        there = [place for word in text if (place := self.places.get(word)) is not None]
        if not words or not there:
            return [0.0] * len(words)
        cosines = self._unit([self.places[word] for word in words]) @ self._unit(there).T
        return [float(cosine) for cosine in np.clip(cosines.max(axis=1), 0.0, 1.0)]

    def _unit(self, places: Sequence[int]) -> npt.NDArray[np.float32]:
        rows = self.vectors[places].astype(np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1.0)
        return rows
