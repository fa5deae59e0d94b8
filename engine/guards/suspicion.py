"""How suspicious a text is by rules: several suspicions as one, and a long text sentence by sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from engine.guards.orders import Group, Signs

_SHORT: Final = 240             # characters that are one sentence, whatever stands in them
_MAX_SENTENCES: Final = 400
_WORTH: Final = 0.5
# Between two of them, beginning with what few characters are: so it is found in a tenth of the time.
_SENTENCE: Final = re.compile(r"([.!?\n。！？])(?:(?<=[.!?])\s+|(?<=[\n。！？])[\n。！？]*)")
_SENTENCE_ASCII: Final = re.compile(r"([.!?\n])(?:(?<=[.!?])\s+|(?<=\n)\n*)")
_ENDS: Final = ".!?"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How suspicious a text is, 0 to 1, and by which rule most of all; empty: the classifier alone."""

    score: float
    rule: str = ""


def joined(*suspicions: float) -> float:
    """Suspicions from several sides, as one: each raises it, none can lower it, and it stays below 1."""
    doubt = 1.0
    for suspicion in suspicions:
        doubt *= 1.0 - min(max(suspicion, 0.0), 0.999)
    return min(1.0 - doubt, 0.999_999)


def scaled(score: float, threshold: float) -> float:
    """A score that was set to 0.5, in the scale of a rule that acts from ``threshold`` on."""
    return score * threshold / 0.5 if score < 0.5 else threshold + (score - 0.5) * (1.0 - threshold) / 0.5


def _of(met: dict[str, float]) -> Suspicion:
    if len(met) == 1:                   # nearly always, of a sentence
        return Suspicion(joined(*met.values()), *met)
    return Suspicion(joined(*met.values()), max(met, key=met.__getitem__)) if met else Suspicion(0.0)


@lru_cache(maxsize=8)               # a rule of a rule asks again
def read(signs: Signs, plain: str) -> tuple[dict[str, float], tuple[Group, ...]]:
    """The rules that a text meets, and the groups that they are of."""
    return signs.whole(plain)


@lru_cache(maxsize=8)               # several guards read one message
def sentencewise(signs: Signs, plain: str) -> Suspicion:
    """The most suspicious sentence: words mean something beside each other; a long text holds them all somewhere."""
    met, groups = read(signs, plain)
    whole = _of(met)
    if len(plain) <= _SHORT or whole.score < _WORTH:     # no sentence holds more than all of them
        return whole
    worst: dict[str, float] = {}
    most = 0.0
    for sentence in _sentences(plain):
        met = {}
        for group in groups:
            if numbers := group.match(sentence):        # seldom
                group.add(numbers, met)
        if met and (score := joined(*met.values())) > most:
            worst, most = met, score
    return _of(worst)


@lru_cache(maxsize=4)
def _sentences(plain: str) -> list[bytes]:
    parts = (_SENTENCE_ASCII if plain.isascii() else _SENTENCE).split(plain, _MAX_SENTENCES)
    parts.append("")
    return [(part + end if end in _ENDS else part).encode() for part, end in zip(parts[::2], parts[1::2], strict=True)]
