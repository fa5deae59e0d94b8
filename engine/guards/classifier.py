"""A small classifier of our own: linear models over hashed sequences, and the form of a text.

Outbound, three models read an answer: one every sentence (does it turn the request away?), one its opening and its
end, one what it tells (an official line?). A second, small model joins what they say with the form of the answer
beside its question: a sum, and trees for what means something only together. Inbound, a text is read as a whole and,
for injection, two sentences at a time as well; trees join that with what the rules find. One model of its own reads
windows of answers for help with harm.

A score is 0 to 1, and 0.5 is where about 1 % of harmless answers (2 % of harmless questions, 1 % for injection) lie
above it in cross-validation. It only counts together with the rules.
"""

from __future__ import annotations

import io
import math
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from engine.guards.features import (
    HEAD,
    STORY,
    TAIL,
    Grams,
    Reading,
    Topic,
    Vector,
    acts,
    form,
    opening,
    passages,
    pasted,
    read,
    said,
    segments,
    stories,
    wording,
)
from engine.guards.findings import findings
from engine.guards.hashing import Places, places
from engine.guards.stance import stance
from engine.guards.trees import Trees

VERSION: Final = "4"
FORMAT: Final = 4
"""Of the weights file; another number is refused."""
SMOOTH: Final = 8.0
"""Added to the number of sequences that a text's sum is divided by the root of: short texts do not shout."""
OUTBOUND: Final = ("deflection", "refusal", "narrative")
WHOLE: Final = ("unsafe", "political", "injection", "indirect")
"""The models of whole inbound texts; the last one knows orders hidden in documents."""
JOINED: Final = ("injection",)
"""What trees judge inbound. Of politics and harm the rules know more: trees did worse on sources they had not seen."""
GROWN: Final = 2.0
"""What the trees of an answer count beside the sum."""
CERTAIN: Final = 0.97
"""How harmful a window of an answer is called that one in a thousand harmless ones is thought to be."""
_STEEP: Final = 3.0
_OVERLAP: Final = 400
_SHORT: Final = 1_000       # characters of a text whose reading is kept for a while, 3 MB of them at most
"""Characters that two pieces of a long text share."""


@dataclass(frozen=True, slots=True)
class InboundScores:
    """Each 0..1; 0.5 is the threshold that the models were set to."""

    injection: float
    unsafe: float
    political: float


@dataclass(frozen=True, slots=True)
class OutboundScores:
    """Each 0..1; 0.5 is the threshold that the models were set to."""

    deflection: float
    refusal: float
    narrative: float


@dataclass(frozen=True, slots=True)
class Linear:
    """One model: a weight for each place of the table, in units of ``scale``."""

    weights: Vector | NDArray[np.int16]     # as they are stored: a small table is in the processor's cache more often
    bias: float
    scale: float = 1.0

    def scores(self, texts: list[Places]) -> Vector:
        """One for each text; about -1 for harmless ones, 1 for the others."""
        return self.of_each(np.concatenate(texts), np.array([len(text) for text in texts]))

    def of_each(self, texts: Places, lengths: NDArray[np.int64]) -> Vector:
        """The same for texts that stand one behind the other."""
        found = self.weights[places(texts)] * self.scale
        sums = np.bincount(np.repeat(np.arange(len(lengths)), lengths), found, len(lengths))
        return np.asarray(sums / np.sqrt(lengths + SMOOTH) + self.bias)


def evidence(sentence: Linear, whole: Linear, tale: Linear, reading: Reading, acting: Places) -> Vector:
    """What the three models say about one answer: 17 numbers."""
    grams, length = Grams.of(acting), len(reading)
    behind = pasted(reading)
    ranges, count = (*reading.sentences, *behind), len(reading.sentences)
    scored = sentence.of_each(*grams.of_ranges(ranges)) if ranges else np.array([])
    said = scored[:count] if count else np.array([-1.0])
    after = float(np.max(scored[count:])) if behind else -2.0
    ranked = np.sort(said)[::-1]
    second = said[1] if len(said) > 1 else -1.0
    told = tale.of_each(*stories(reading, [(0, STORY), *passages(length)]))
    return np.array([
        said[0], second, said[-1], said[-2] if len(said) > 1 else -1.0, ranked[0],
        ranked[1] if len(ranked) > 1 else -1.0, after, max(said[-1], after), np.add.reduce(said) / len(said),
        max(said[0], second), whole.scores([opening(grams, length)])[0], told[0], told[1], told[-1],
        np.max(told[1:]), np.min(told[1:]), np.add.reduce(told[1:]) / (len(told) - 1),
    ])


def joined(said: Vector, looks: Vector) -> Vector:
    """The columns of the second model."""
    said = np.minimum(np.maximum(said, -2.5), 2.5)
    return np.concatenate([said, np.maximum(0.0, said + 0.5), np.maximum(0.0, said), looks])


def squashed(margin: float) -> float:
    """0..1, and 0.5 at a margin of 0."""
    return 1.0 / (1.0 + math.exp(-_STEEP * max(-20.0, min(20.0, margin))))


@lru_cache(maxsize=256)
def _topic(question: str) -> Topic:
    return Topic.of(_taken_apart(question))


def _taken_apart(text: str) -> Reading:
    """As `read`. A question is judged itself, and then with its answer; a short answer is looked at twice as well."""
    return _short(text) if len(text) <= _SHORT else read(text)


@lru_cache(maxsize=256)
def _short(text: str) -> Reading:
    return read(text)


@dataclass(frozen=True, slots=True)
class Classifier:
    """All models, as they are used."""

    common: Places
    sentence: Linear
    opening: Linear
    narrative: Linear
    middle: Vector                  # the second model's columns are counted from here,
    spread: Vector                  # in units of this
    second: Vector                  # one row of weights for each of OUTBOUND, with its bias at the end
    whole: tuple[Linear, ...]     # those of WHOLE
    order: Linear                   # injection, two sentences at a time
    thresholds: Vector              # of OUTBOUND, unsafe, political and JOINED
    grown: tuple[Trees, ...]        # over the second model's columns, for each of OUTBOUND
    asked: tuple[Trees, ...]        # over an inbound text's columns, for each of JOINED
    harming: Linear                 # answers that help to do harm, a window at a time
    marks: Vector                   # the margins of `harming` that mean 0.5 and `CERTAIN`

    @classmethod
    def load(cls, raw: bytes) -> Classifier:
        """From the bytes of the weights file. Raises ValueError for any other file."""
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                arrays = {name.removesuffix(".npy"): _array(archive.read(name)) for name in archive.namelist()}
            if int(arrays["format"]) != FORMAT:
                raise ValueError(f"format {arrays['format']}, not {FORMAT}")    # noqa: TRY301 - told below
            whole = tuple(_linear(arrays, name) for name in WHOLE)
            return cls(
                arrays["common"], _linear(arrays, "sentence"), _linear(arrays, "opening"), _linear(arrays, "story"),
                arrays["middle"], arrays["spread"], arrays["second"], whole,
                _linear(arrays, "order"), arrays["thresholds"],
                tuple(_trees(arrays, name) for name in OUTBOUND), tuple(_trees(arrays, name) for name in JOINED),
                _linear(arrays, "harming"), arrays["harming_marks"],
            )
        except (AttributeError, EOFError, IndexError, KeyError, OSError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError("not a weights file of this format") from error

    def outbound(self, question: str, answer: str) -> OutboundScores:
        """Judge an answer, or as much of it as is there, at the end of a sentence.

        Call it with everything said so far; a few milliseconds at most (8,000 characters are read).
        """
        margins = self.margins(_topic(question), _taken_apart(answer), stance(said(answer)))
        return OutboundScores(*(squashed(float(margin)) for margin in margins))

    def margins(self, topic: Topic, reading: Reading, stands: Vector) -> Vector:
        """How far above its threshold each of `OUTBOUND` stands."""
        if not len(reading):
            return np.full(len(OUTBOUND), -20.0)
        inside = topic.inside(reading)
        said = evidence(
            self.sentence, self.opening, self.narrative, reading, acts(reading, topic, self.common, inside)
        )
        columns = joined(said, np.concatenate([form(reading, topic, inside), stands]))
        scores = self.second[:, :-1] @ ((columns - self.middle) / self.spread) + self.second[:, -1]
        grown = np.array([trees.score(columns) for trees in self.grown])
        return np.asarray(scores + GROWN * grown - self.thresholds[: len(OUTBOUND)])

    def inbound(self, text: str) -> InboundScores:
        """Judge a question, or a document that is going to be read to the model; a long one piece by piece."""
        pieces = [text[at : at + HEAD + TAIL] for at in range(0, max(1, len(text) - _OVERLAP), HEAD + TAIL - _OVERLAP)]
        judged = [self._piece(piece, _taken_apart(piece)) for piece in pieces]
        return InboundScores(*(max(scores) for scores in zip(*judged, strict=True)))

    def harmful(self, passage: str) -> float:
        """Judge whether a window of an answer helps to do harm or does it in words, 0 to 1; some 500 characters."""
        reading = _taken_apart(passage)
        if not len(reading):
            return 0.0
        half, certain = self.marks.tolist()
        margin = float(self.harming.of_each(*stories(reading, [(0, STORY)]))[0])
        steep = math.log(CERTAIN / (1.0 - CERTAIN)) / max(certain - half, 1e-6)
        return 1.0 / (1.0 + math.exp(-max(-20.0, min(20.0, steep * (margin - half)))))

    def _piece(self, text: str, reading: Reading) -> tuple[float, float, float]:
        if not len(reading):
            return 0.0, 0.0, 0.0
        columns = np.concatenate([wholes(self.whole, self.order, reading, wording(reading)), findings(text, reading)])
        unsafe, political, injection = np.array(
            [columns[0], columns[1], *(trees.score(columns) for trees in self.asked)]
        ) - self.thresholds[len(OUTBOUND) :]
        return squashed(float(injection)), squashed(float(unsafe)), squashed(float(political))


def wholes(whole: tuple[Linear, ...], order: Linear, reading: Reading, words: Places) -> Vector:
    """What the models of `WHOLE`, and the one of orders, say about one inbound text."""
    orders = order.of_each(*stories(reading, segments(reading)))
    return np.array([*(model.scores([words])[0] for model in whole), np.max(orders)])


def _array(raw: bytes) -> np.ndarray:
    return npy.read_array(io.BytesIO(raw), allow_pickle=False)


def _linear(arrays: dict[str, np.ndarray], name: str) -> Linear:
    scale, bias = arrays[name + "_scale"]
    return Linear(arrays[name], float(bias), float(scale))


def _trees(arrays: dict[str, np.ndarray], name: str) -> Trees:
    *cuts, bias = arrays[name + "_cut"]
    column = arrays[name + "_column"].astype(np.int64)
    return Trees(column, np.array(cuts).reshape(column.shape), arrays[name + "_leaf"], float(bias))
