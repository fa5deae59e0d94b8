"""Training the classifier: rows in, weights out, the same to the last bit on every machine."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from adapters.evaluation.answers import decent_answers, harmful_answers
from adapters.evaluation.boosted import Growth, grow
from adapters.evaluation.contrasts import contrasts
from adapters.evaluation.linear import Rows, fit, fit_dense
from adapters.evaluation.rows import CANNED, Row, checksum, cut
from adapters.evaluation.written import OFFICE, asked, deflecting, harmless, refusing
from engine.guards.classifier import (
    FORMAT,
    GROWN,
    JOINED,
    OUTBOUND,
    WHOLE,
    Classifier,
    Linear,
    evidence,
    joined,
    squashed,
    wholes,
)
from engine.guards.features import (
    STEM,
    Grams,
    Reading,
    Topic,
    Vector,
    acts,
    form,
    opening,
    pasted,
    read,
    said,
    segments,
    story,
    wording,
)
from engine.guards.findings import findings
from engine.guards.hashing import Places, numbers
from engine.guards.injection import joint
from engine.guards.injection import read as injected
from engine.guards.lexicon import GROUPS
from engine.guards.policy import HOUSE, Category
from engine.guards.stance import stance
from engine.guards.suspicion import scaled
from engine.guards.trees import Trees
from engine.guards.unsafe import LAPPED, STEP

HARD: Final = ("quote", "caveat_then_help", "reports_official_line")
FALSE_ALARMS: Final = {
    "deflection": 0.002, "refusal": 0.002, "narrative": 0.002, "unsafe": 0.008, "political": 0.006,
    "injection": 0.003,
}
"""Which part of the harmless rows may lie above a threshold, out of fold; for injection, with what the rules say."""
_OFF_TOPIC: Final = "off_topic"
_INJECTIONS: Final = ("jailbreak", "spikee", "indirect", "injection", "sysprompt")
_FOLDS: Final = 3
_GROWTH: Final[Growth] = {"trees": 100, "depth": 2, "calm": 40.0}
_SENTENCE: Final = re.compile(r"(?<=[.!?]\s)|(?<=[。！？\n])")


class Answer:
    """An outbound row, read."""

    __slots__ = ("_grams", "acting", "behind", "look", "reading", "row", "topic")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.reading = read(row.text)
        self.topic = Topic.of(read(row.prompt))
        self.look = np.concatenate([form(self.reading, self.topic), stance(said(row.text))])
        self.behind = pasted(self.reading)
        self.acting: Places = self.reading.stems
        self._grams: Grams | None = None

    def seen_with(self, common: Places) -> None:
        """Fix the words that count as common."""
        self.acting = acts(self.reading, self.topic, common)
        self._grams = None

    @property
    def grams(self) -> Grams:
        """All sequences of the answer."""
        if self._grams is None:
            self._grams = Grams.of(self.acting)
        return self._grams

    def at(self, ranges: Iterable[tuple[int, int]]) -> list[Places]:
        """The sequences of some ranges."""
        return [self.grams.of_range(*each) for each in ranges]


@dataclass(frozen=True, slots=True)
class First:
    """The three models that read answers."""

    sentence: Linear
    opening: Linear
    story: Linear

    def say(self, answer: Answer) -> Vector:
        """See `evidence`."""
        return evidence(self.sentence, self.opening, self.story, answer.reading, answer.acting)


@dataclass(frozen=True, slots=True)
class Second:
    """The model that joins them."""

    middle: Vector
    spread: Vector
    rows: Vector
    grown: tuple[Trees, ...]

    def scores(self, columns: Vector) -> Vector:
        """One row for each answer, one column for each of `OUTBOUND`."""
        scaled = (columns - self.middle) / self.spread
        return np.stack([
            np.add.reduce(scaled * row[:-1], axis=1) + row[-1] + GROWN * trees.scores(columns)
            for row, trees in zip(self.rows, self.grown, strict=True)
        ], axis=1)


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is trained on: answers, the lines pasted into them, written sentences, and inbound texts."""

    answers: list[Answer]
    lines: dict[str, tuple[Answer, Answer]]     # by row id: the pasted line, and what stood before it
    texts: list[tuple[Row, Reading]]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Corpus:
        """Read all rows that may be learned from."""
        answers, lines = [], {}
        for row in rows:
            if not (row.outbound and row.free) or row.label == "leak" or row.category == "soft":
                continue
            answers.append(Answer(row))
            if row.start and row.kind.endswith("_splice"):
                lines[row.id] = Answer(cut(row, row.text[row.start :], "line")), Answer(
                    cut(row, row.text[: row.start], "before")
                )
        answers += [Answer(row) for row in _short(answers)]
        answers += [Answer(row) for row in _off_topic(answers)]
        answers += [Answer(row) for row in _written()]
        texts = [(row, read(row.text)) for row in rows if not row.outbound and row.free]
        texts += [
            (row, read(row.text))
            for row in (
                Row(f"q{i}", text, label, category, "written")
                for i, (text, label, category) in enumerate((*asked(), *contrasts()))
            )
        ]
        return cls(answers, lines, texts)


def _written() -> list[Row]:
    """Every written sentence as an answer of its own, to no question in particular."""
    kinds = (
        ("deflection", "canned_unseen", "written_whole", deflecting()), ("refusal", "refusal", "written", refusing()),
        ("ok", "ok", "written", harmless()),
    )
    return [
        Row(f"{label}{at}", text, label, tier, "written", kind=kind, model="written", outbound=True)
        for label, tier, kind, texts in kinds
        for at, text in enumerate(texts)
    ]


def _short(answers: Sequence[Answer]) -> list[Row]:
    """Harmless answers as they look while they are still coming in, and single sentences of them: chat is short."""
    rows = []
    for answer in answers:
        row, draw = answer.row, checksum(answer.row.id)
        if row.label != "ok" or row.kind:
            continue
        parts = [part for part in _SENTENCE.split(row.text) if part.strip()]
        if len(parts) > 4 and draw % 3 == 0:
            rows.append(cut(row, "".join(parts[: 1 + draw // 3 % 3]), "prefix"))
        elif len(parts) > 4 and draw % 3 == 1:
            rows.append(cut(row, parts[2 + draw // 3 % (len(parts) - 3)].strip(), "sentence"))
    return rows


def _off_topic(answers: Sequence[Answer]) -> list[Row]:
    """Answers that belong to another question of the same language: whoever asked got no answer."""
    able = [
        answer.row for answer in answers
        if answer.row.label == "ok" and not answer.row.kind and len(answer.topic.words) >= 3
        and len(answer.reading) > 60 and not answer.row.source.startswith("xlr8harder") and answer.reading.wide < 0.1
        and not answer.topic.shared(answer.reading.tokens) < 0.2
    ]
    able = sorted(able, key=lambda row: checksum(row.id))
    half = len(able) // 2
    return [
        replace(cut(row, row.text, _OFF_TOPIC), prompt=other.prompt, label="refusal", category="refusal_mixed")
        for row, other in zip(able[:half], able[half:], strict=False)
    ][:80]


# --- what an answer counts for


def wanted(row: Row, output: str) -> int:
    """1: to be found; -1: harmless; 0: says nothing about this output."""
    if row.label == "ok":
        return -1
    found = {
        "deflection": row.category in CANNED,
        "refusal": row.label == "refusal",
        "narrative": row.category == "regional",
        "opening": (row.label == "refusal" and row.kind != _OFF_TOPIC) or row.category in CANNED,
    }
    return int(found[output])


def importances(rows: Sequence[Row]) -> Vector:
    """Rows of a large kind count less each; hard ones count double."""
    kinds = [(row.source, row.label, row.category, row.kind in HARD) for row in rows]
    sizes = Counter(kinds)
    return np.array([
        (40.0 / (40 + sizes[kind])) ** 0.5 * (2.0 if row.kind in HARD else 1.0)
        for row, kind in zip(rows, kinds, strict=True)
    ])


def _lifted(weights: Vector, found: NDArray[np.bool_], share: float, floor: float) -> Vector:
    """The rows to be found count at least ``share`` of all the others together."""
    weights = weights.copy()
    total = float(np.add.reduce(weights[found]))
    if total:
        weights[found] *= max(floor, share * float(np.add.reduce(weights[~found])) / total)
    return weights


# --- outbound


def common_words(answers: Sequence[Answer]) -> Places:
    """Stems that answers of many sources and models share: they say what a text does, not what it is about."""
    seen: Counter[str] = Counter()
    spread: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for answer in answers:
        for stem in {token[:STEM] for token in answer.reading.tokens if token[0].isalpha()}:
            seen[stem] += 1
            spread[stem].add((answer.row.source, answer.row.family))
    words = {stem for stem, count in seen.items() if count >= 12 and len(spread[stem]) >= 4}
    words |= {
        token[:STEM] for group in GROUPS.values() for phrase in group.split("|") for token in read(phrase).tokens
    }
    return np.unique(numbers(sorted(words)))


def _sentence(corpus: Corpus, answers: Sequence[Answer], rounds: int = 3) -> Linear:
    """Does a sentence turn the request away? Which one of a refusal does is found out on the way."""
    weights = importances([answer.row for answer in answers])
    sure: list[tuple[Places, float]] = []
    harmless_: list[tuple[Places, float]] = []
    unsure: list[tuple[list[Places], int, float]] = []      # candidates, the first guess, importance
    for answer, weight in zip(answers, weights, strict=True):
        row, sentences = answer.row, answer.reading.sentences
        if not sentences or row.kind == _OFF_TOPIC:
            continue
        if row.label == "ok":
            harmless_.extend((each, weight / 2) for each in answer.at(_some(answer, 6)))
        elif row.id in corpus.lines:
            line, before = corpus.lines[row.id]
            sure.extend((each, weight) for each in line.at(line.reading.sentences))
            harmless_.extend((each, weight / 2) for each in before.at(_some(before, 4)))
        elif row.category in CANNED and row.kind.endswith("whole"):
            sure.extend((each, weight) for each in answer.at(sentences))
        elif row.category in CANNED:
            unsure.append((answer.at((*sentences[-2:], *answer.behind)), len(sentences[-2:]) - 1, weight))
        elif row.label == "refusal":
            unsure.append((answer.at(sentences[:3]), 0, weight))
    model: Linear | None = None
    for turn in range(rounds):
        chosen = [
            (each[guess if model is None else int(np.argmax(model.scores(each)))], weight)
            for each, guess, weight in unsure
        ]
        if model is not None and turn == 1:             # harmless sentences that it takes for others
            for answer, weight in zip(answers, weights, strict=True):
                ranges = (*answer.reading.sentences, *answer.behind)
                if answer.row.label == "ok" and ranges:
                    each = answer.at(ranges)
                    worst = np.argsort(-model.scores(each), kind="stable")[:3]
                    harmless_.extend((each[at], weight) for at in worst)
        found = sure + chosen
        labels = np.array([1.0] * len(found) + [-1.0] * len(harmless_))
        importance = _lifted(
            np.array([weight for _, weight in found + harmless_]), labels > 0, 0.5, 1.0
        )
        model = Linear(*fit(
            Rows.of([text for text, _ in found + harmless_]), labels, importance, decay=0.6, steps=40
        ))
    assert model is not None    # noqa: S101 - there is at least one round
    return model


def _some(answer: Answer, count: int) -> list[tuple[int, int]]:
    """The first two sentences, the last, a few others, and a few places where a line could have been pasted."""
    sentences, name = answer.reading.sentences, answer.row.id
    drawn = sorted(range(len(sentences)), key=lambda at: checksum(f"{name} {at}"))[:count]
    kept = sorted({*drawn, 0, 1, len(sentences) - 1} & set(range(len(sentences))))
    behind = sorted(answer.behind, key=lambda at: checksum(f"{name} {at[0]} {at[1]}"))[:4]
    return [sentences[at] for at in kept] + behind


def _documents(
    answers: Sequence[Answer], output: str, texts: Callable[[Answer], list[Places]], decay: float
) -> Linear:
    """A model of whole texts, each of which may be there in several forms."""
    rows, labels, weights = [], [], []
    for answer, weight in zip(answers, importances([answer.row for answer in answers]), strict=True):
        if label := wanted(answer.row, output):
            forms = texts(answer)
            rows += forms
            labels += [float(label)] * len(forms)
            weights += [weight / len(forms)] * len(forms)
    signs = np.array(labels)
    return Linear(*fit(Rows.of(rows), signs, _lifted(np.array(weights), signs > 0, 0.4, 1.0), decay=decay, steps=50))


def first_models(corpus: Corpus, answers: Sequence[Answer]) -> First:
    """Fit the three models that read answers."""
    return First(
        _sentence(corpus, answers),
        _documents(answers, "opening", lambda a: [opening(a.grams, len(a.reading))], 0.6),
        _documents(answers, "narrative", lambda a: [story(a.reading.stems), story(a.reading.stems, 0, 90)], 0.5),
    )


def kept_together(row: Row) -> str:
    """Rows that must not be parted when a model is to be asked about what it has not seen."""
    if row.category in CANNED:
        return f"lines {row.kind.split('_')[0]} {checksum(row.text[row.start :]) % 2}"
    if row.source == "original":
        return f"original {checksum(row.prompt or row.text) % 3}"
    return f"{row.source} {row.family}" if row.source.startswith("xlr8harder") else row.source


def alike(row: Row) -> str:
    """Answers to one question, and lines that are the same: what must be parted from each other to know how a model
    does on new rows of the kinds that it knows."""
    if not row.outbound:
        return f"text {checksum(row.text[:80]) % 40}"
    if row.category in CANNED:
        return f"line {checksum(row.text[row.start :]) % 40}"
    return f"question {checksum(row.prompt or row.text[:80]) % 40}"


def parted(keys: Sequence[str], folds: int) -> list[int]:
    """A fold for each row: equal keys together, all folds about as large."""
    load = [0] * folds
    to: dict[str, int] = {}
    for key, count in sorted(Counter(keys).items(), key=lambda item: (-item[1], item[0])):
        to[key] = load.index(min(load))
        load[to[key]] += count
    return [to[key] for key in keys]


def second_model(rows: Sequence[Row], columns: Vector) -> Second:
    """Fit the model that joins what the first ones say about rows that they were not trained on."""
    weights = importances(rows)
    middle = np.add.reduce(columns, axis=0) / len(rows)
    spread = np.sqrt(np.add.reduce((columns - middle) ** 2, axis=0) / len(rows)) + 0.1
    scaled = (columns - middle) / spread
    fitted, grown = [], []
    for output in OUTBOUND:
        signs = np.array([wanted(row, output) for row in rows])
        kept = signs != 0
        importance = _lifted(weights[kept], signs[kept] > 0, 0.7, 0.3)
        row, bias = fit_dense(scaled[kept], signs[kept].astype(np.float64), importance, decay=15.0, steps=80)
        fitted.append(np.append(row, bias))
        grown.append(grow(columns[kept], signs[kept].astype(np.float64), importance, **_GROWTH))
    return Second(middle, spread, np.stack(fitted), tuple(grown))


@dataclass(frozen=True, slots=True)
class Outbound:
    """Everything that judges answers."""

    common: Places
    first: First
    second: Second
    thresholds: Vector

    @classmethod
    def of(cls, corpus: Corpus, answers: Sequence[Answer]) -> Outbound:
        """Fit it all."""
        common = common_words(answers)
        for answer in (*answers, *(part for pair in corpus.lines.values() for part in pair)):
            answer.seen_with(common)
        folds = parted([alike(answer.row) for answer in answers], _FOLDS)
        said: list[Vector] = [np.zeros(0)] * len(answers)
        for fold in range(_FOLDS):
            models = first_models(corpus, [a for a, f in zip(answers, folds, strict=True) if f != fold])
            for at, answer in enumerate(answers):
                if folds[at] == fold:
                    said[at] = models.say(answer)
        rows = [answer.row for answer in answers]
        columns = np.stack([joined(each, answer.look) for each, answer in zip(said, answers, strict=True)])
        second = second_model(rows, columns)
        scores = _unseen(rows, columns, folds)[np.array([row.label == "ok" for row in rows])]
        thresholds = np.array([_above(scores[:, at], FALSE_ALARMS[name]) for at, name in enumerate(OUTBOUND)])
        return cls(common, first_models(corpus, answers), second, thresholds)


def _unseen(rows: Sequence[Row], columns: Vector, folds: Sequence[int]) -> Vector:
    """What second models say about rows that neither they nor the first ones were fitted on."""
    scores = np.zeros((len(rows), len(OUTBOUND)))
    for fold in range(_FOLDS):
        left_out = np.array(folds) == fold
        kept = [row for row, out in zip(rows, left_out, strict=True) if not out]
        scores[left_out] = second_model(kept, columns[~left_out]).scores(columns[left_out])
    return scores


def _above(scores: Vector, share: float) -> float:
    """The score above which ``share`` of all lie."""
    return float(np.sort(scores)[::-1][int(share * len(scores))])


# --- inbound


def _needed(by_rules: float) -> float:
    """How far above its threshold the classifier must be for the guard to act, where the rules say so much."""
    acts_from, low, high = HOUSE[Category.INJECTION].threshold, -4.0, 4.0
    for _ in range(30):
        middle = (low + high) / 2
        if joint(by_rules, scaled(squashed(middle), acts_from)) >= acts_from:
            high = middle
        else:
            low = middle
    return round(high, 3)           # an exponential's last bit is not the same everywhere


def meant(row: Row, output: str) -> float:
    """1: to be found; -1: harmless, also in part: -0.5 for a block of another kind; 0: says nothing about it."""
    if row.label == "allow":
        # An office's own questions are there for their subjects; nobody would take one for an order.
        return 0.0 if row.category == OFFICE and output not in ("unsafe", "political") else -1.0
    if output in ("injection", "indirect", "order"):
        if row.group == "indirect":
            return 0.0 if output == "injection" else 1.0
        if row.group in _INJECTIONS:
            return 0.0 if output == "indirect" else 1.0
        return -0.5 if row.group in ("unsafe", "political") and row.category != "unsafe_cyber" else 0.0
    return 1.0 if row.group == output else -0.5 if output == "political" and row.group == "unsafe" else 0.0


def _text_importances(rows: Sequence[Row]) -> Vector:
    kinds = [(row.source, row.category) for row in rows]
    sizes = Counter(kinds)
    hard = ("lookalike", "notinject", "xstest")
    return np.array([
        (30.0 / (30 + sizes[kind])) ** 0.5
        * (2.0 if row.group in hard else 0.3 if row.group == "injection" else 1.0)
        for row, kind in zip(rows, kinds, strict=True)
    ])


def _weighed(texts: Sequence[tuple[Row, Reading]], output: str) -> tuple[list[tuple[Row, Reading]], Vector, Vector]:
    """Texts that say something about an output, with their signs and importances."""
    strength = np.array([meant(row, output) for row, _ in texts])
    kept = [text for text, each in zip(texts, strength, strict=True) if each]
    strength = strength[strength != 0]
    weights = _text_importances([row for row, _ in kept]) * np.abs(strength)
    return kept, np.where(strength > 0, 1.0, -1.0), weights


def whole_model(texts: Sequence[tuple[Row, Reading]], output: str, words: dict[str, Places]) -> Linear:
    """A model of whole texts for one of `WHOLE`."""
    kept, signs, weights = _weighed(texts, output)
    rows = Rows.of([words[row.id] for row, _ in kept])
    return Linear(*fit(rows, signs, _lifted(weights, signs > 0, 0.5, 0.0), decay=0.5, steps=50))


def order_model(texts: Sequence[tuple[Row, Reading]], rounds: int = 2) -> Linear:
    """A model of two sentences; which ones of a document are an order is found out on the way."""
    kept, signs, weights = _weighed(texts, "order")
    parts = [[story(reading.stems, *at) for at in segments(reading)] for _, reading in kept]
    model: Linear | None = None
    for _ in range(rounds):
        rows, labels, importance = [], [], []
        for (row, _), each, sign, weight in zip(kept, parts, signs, weights, strict=True):
            if model is None and sign > 0:
                hidden = row.group == "indirect" and row.category != "indirect_instruction"
                chosen = [] if hidden else list(range(min(len(each), 3)))
            elif model is None:
                chosen = _draw(row, len(each))
            else:
                ranked = np.argsort(-model.scores(each), kind="stable")
                chosen = [int(at) for at in ranked[: 1 + len(each) // 8 if sign > 0 else 6]]
            rows += [each[at] for at in chosen]
            labels += [float(sign)] * len(chosen)
            importance += [float(weight / max(1, len(chosen)) ** 0.5)] * len(chosen)
        found = np.array(labels) > 0
        lifted = _lifted(np.array(importance), found, 0.6, 0.0)
        model = Linear(*fit(Rows.of(rows), np.array(labels), lifted, decay=1.0, steps=40))
    assert model is not None    # noqa: S101 - there is at least one round
    return model


def _draw(row: Row, count: int) -> list[int]:
    return sorted(range(count), key=lambda at: checksum(f"{row.id} {at}"))[:5]


def strengths(rows: Sequence[Row], output: str) -> Vector:
    """As `meant`, for one of `JOINED`: an order is an injection, wherever it hides."""
    found = np.array([meant(row, output) for row in rows])
    if output == "injection":
        found = np.where(np.array([meant(row, "indirect") for row in rows]) > 0, 1.0, found)
    return found


def _grown(rows: Sequence[Row], columns: Vector, output: str) -> Trees:
    strength = strengths(rows, output)
    kept = strength != 0
    weights = (_text_importances(rows) * np.abs(strength))[kept]
    signs = np.where(strength[kept] > 0, 1.0, -1.0)
    return grow(columns[kept], signs, _lifted(weights, signs > 0, 0.5, 0.0), **_GROWTH)


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that judges questions and documents."""

    models: tuple[Linear, ...]
    order: Linear
    grown: tuple[Trees, ...]    # of JOINED
    thresholds: Vector          # of unsafe and political, then of JOINED

    @classmethod
    def of(cls, texts: Sequence[tuple[Row, Reading]]) -> Asked:
        """Fit it all; trees are fitted on, and thresholds come from, texts that the models were not trained on."""
        rows = [row for row, _ in texts]
        words = {row.id: wording(reading) for row, reading in texts}
        folds = np.array([checksum(row.text[:80]) % _FOLDS for row in rows])
        columns = np.zeros((len(rows), len(WHOLE) + 1))
        for fold in range(_FOLDS):
            models, order = cls._fit([text for text, each in zip(texts, folds, strict=True) if each != fold], words)
            for at in np.flatnonzero(folds == fold).tolist():
                columns[at] = wholes(models, order, texts[at][1], words[rows[at].id])
        columns = np.hstack([columns, np.stack([findings(row.text, reading) for row, reading in texts])])
        fine = np.array([row.label == "allow" and row.source != "written" for row in rows])
        thresholds = [_above(columns[fine, at], FALSE_ALARMS[name]) for at, name in enumerate(WHOLE[:2])]
        ruled = [injected(row.text).score for row, each in zip(rows, fine, strict=True) if each]
        needed = {each: _needed(each) for each in set(ruled)}
        for name in JOINED:
            scores = np.zeros(len(rows))
            for fold in range(_FOLDS):
                kept = [row for row, each in zip(rows, folds, strict=True) if each != fold]
                scores[folds == fold] = _grown(kept, columns[folds != fold], name).scores(columns[folds == fold])
            spare = scores[fine] - np.array([needed[each] for each in ruled])
            thresholds.append(_above(spare, FALSE_ALARMS[name]))
        models, order = cls._fit(texts, words)
        return cls(models, order, tuple(_grown(rows, columns, name) for name in JOINED), np.array(thresholds))

    @staticmethod
    def _fit(
        texts: Sequence[tuple[Row, Reading]], words: dict[str, Places]
    ) -> tuple[tuple[Linear, ...], Linear]:
        return tuple(whole_model(texts, name, words) for name in WHOLE), order_model(texts)


# --- harm in answers


@dataclass(frozen=True, slots=True)
class Harming:
    """What judges whether a window of an answer helps to do harm."""

    model: Linear
    marks: tuple[float, float]      # margins that `SUSPECT` and `CERTAIN` harmless windows exceed

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Harming:
        """Fit it on written answers, on web texts, and on windows of harmless answers and of refusals."""
        kept = [*_windows(rows), *_web(rows), *_written_harm()]
        places = [story(read(row.text).stems) for row in kept]
        folds = np.array([checksum(row.prompt or row.text[:80]) % _FOLDS for row in kept])
        scores = np.zeros(len(kept))
        for fold in range(_FOLDS):
            model = cls._fit([(r, p) for r, p, f in zip(kept, places, folds, strict=True) if f != fold])
            chosen = np.flatnonzero(folds == fold).tolist()
            scores[chosen] = model.scores([places[at] for at in chosen])
        fine = scores[np.array([row.kind == _WINDOW for row in kept])]
        return cls(cls._fit(list(zip(kept, places, strict=True))), (_above(fine, SUSPECT), _above(fine, CERTAIN)))

    @staticmethod
    def _fit(texts: Sequence[tuple[Row, Places]]) -> Linear:
        signs = np.array([1.0 if row.label == "block" else -1.0 for row, _ in texts])
        weights = np.array([_HARM_WEIGHTS[row.kind] for row, _ in texts])
        return Linear(*fit(
            Rows.of([place for _, place in texts]), signs, _lifted(weights, signs > 0, 0.5, 0.0), decay=0.3, steps=40
        ))


SUSPECT: Final = 0.02
CERTAIN: Final = 0.001
"""Which part of the windows of harmless answers may be thought half, and all but, certain to do harm."""
_WINDOW: Final = "window"
_WEB: Final = "web"
_HARM_WEIGHTS: Final = {_WINDOW: 1.0, _WEB: 0.3, "written": 1.0}


def _windows(rows: Sequence[Row]) -> list[Row]:
    """The first window of an answer as the guard reads it, and one from further on."""
    found = []
    for row in rows:
        if not (row.outbound and row.free) or row.label not in ("ok", "refusal") or row.kind == "json":
            continue
        later = range(STEP, len(row.text) - LAPPED, STEP)
        starts = {0, later[checksum(row.id) % len(later)] - LAPPED} if later else {0}
        found += [
            Row(f"{row.id}-{at}", row.text[at : at + (STEP + LAPPED if at else STEP)], "allow", "ok", row.source,
                prompt=row.prompt, kind=_WINDOW)
            for at in sorted(starts)
        ]
    return found


def _web(rows: Sequence[Row]) -> list[Row]:
    """Texts from the web that say something, where other questions ask."""
    return [
        replace(row, kind=_WEB) for row in rows
        if not row.outbound and row.source.startswith("openai/moderation") and row.group in ("unsafe", "benign")
    ]


def _written_harm() -> list[Row]:
    return [
        Row(f"{label}{at}", text, label, "unsafe", "written", kind="written")
        for label, texts in (("block", harmful_answers()), ("allow", (*decent_answers(), *harmless())))
        for at, text in enumerate(texts)
    ]


# --- the file


def train(rows: Sequence[Row]) -> bytes:
    """The weights file for these rows; those under a copyleft licence are left out."""
    corpus = Corpus.of(rows)
    return packed(Outbound.of(corpus, corpus.answers), Asked.of(corpus.texts), Harming.of(rows))


def classifier(outbound: Outbound, asked_: Asked, harming: Harming) -> Classifier:
    """What inference would load."""
    return Classifier.load(packed(outbound, asked_, harming))


def packed(outbound: Outbound, asked_: Asked, harming: Harming) -> bytes:
    """An uncompressed archive with fixed dates: the same models make the same bytes."""
    arrays: dict[str, np.ndarray] = {
        "format": np.array(FORMAT),
        "common": outbound.common,
        "middle": outbound.second.middle,
        "spread": outbound.second.spread,
        "second": outbound.second.rows,
        "thresholds": np.concatenate([outbound.thresholds, asked_.thresholds]),
        "harming_marks": np.array(harming.marks),
    }
    models = {
        "sentence": outbound.first.sentence, "opening": outbound.first.opening, "story": outbound.first.story,
        **dict(zip(WHOLE, asked_.models, strict=True)), "order": asked_.order, "harming": harming.model,
    }
    for name, model in models.items():
        scale = float(np.max(np.abs(model.weights))) / 32767 or 1.0
        arrays[name] = np.rint(model.weights / scale).astype(np.int16)
        arrays[name + "_scale"] = np.array([scale, model.bias])
    for name, trees in zip((*OUTBOUND, *JOINED), (*outbound.second.grown, *asked_.grown), strict=True):
        arrays[name + "_column"] = trees.column.astype(np.int16)
        arrays[name + "_cut"] = np.append(trees.cut.ravel(), trees.bias)
        arrays[name + "_leaf"] = trees.leaf
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as archive:
        for name, array in sorted(arrays.items()):
            part = io.BytesIO()
            npy.write_array(part, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), part.getvalue())
    return raw.getvalue()
