"""What a text is made of, as numbers: its words in hashed sequences, its sentences, and the form that it has.

A *reading* is a text taken apart once; all models look at the same one. Everything here is pure and bounded: of
a long text the beginning and the end are read.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.guards.hashing import Places, number, numbers, runs, sequences
from engine.guards.lexicon import GROUPS
from engine.guards.normalise import simplified

Vector: TypeAlias = "NDArray[np.float64]"

HEAD: Final = 6000
TAIL: Final = 2000
"""Characters that are read of a longer text: from its beginning, and from its end."""
STEM: Final = 7
"""Letters of a word that count: forms of one word are mostly one token, in any language with endings."""
LONGEST: Final = 4
"""Tokens in the longest sequence that a model weighs."""
STORY: Final = 1400
"""Tokens of a long text that are one story."""
_PHRASE: Final = 6
"""Tokens in the longest phrase of the lexicon."""

_CJK: Final = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
_TOKEN: Final = re.compile(
    rf"[^\W\d_{_CJK}]+(?:['’-][^\W\d_{_CJK}]+)*"        # 1: a word
    rf"|[{_CJK}]|\d+|```|\n+|[^\w\s]|_+"
)
_THOUGHT: Final = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)(?:"(\s*:)?|\Z)', re.DOTALL)     # 2: it is a key
_DOCUMENT: Final = re.compile(r'[{\[]\s*["{\[]')
_LABEL: Final = re.compile(r"[\w.:/-]{0,24}\Z", re.ASCII)
_ENDS: Final = frozenset(".!?。！？…｡;；")
_OPEN: Final = {"“": "”", "„": "“”", "「": "」", "『": "』", "«": "»", "‹": "›", '"': '"'}
_MARKS: Final = frozenset(("```", "`", *_OPEN, *"".join(_OPEN.values())))
_GLUED: Final = re.compile(r"[A-Z](?<=[a-z].)(?:(?<=I)(?=[ '’])|(?=[a-z'’]))")
"""Where a service cut a word in two and pasted its line behind."""
_SEAM: Final = re.compile(      # each begins with a letter that few words begin with: so they are found quickly
    rf"[A-Z{_CJK}](?:(?<=[a-z0-9,;\])] [A-Z])[a-z'’]*(?=[ ,'’!-])|(?<=[{_CJK}][A-Z])|(?<=[^\W_{_CJK}][{_CJK}]))"
)
_COMMON: Final = frozenset((       # noqa: SIM905 - as a list it would fill a page
    "about after again also because been before being both could does doing down each from further have having "
    "here into just like make more most much only other over please same should some such than that their them "
    "then there these they this those through under until very want were what when where which while will with "
    "would your write give tell explain describe list create provide draft using used many between against "
    "within without "
).split())
_COMMON_CJK: Final = frozenset("的了是在和与或有为对请写一个关于描述分析什么如何怎么中国你我他它这那并以用")
_BEGIN: Final = number("\x02begin")
_END: Final = number("\x02end")
_TOPIC: Final = number("\x02topic")
_QUOTED: Final = np.uint32(number("\x02quoted"))
_WORD: Final = number("\x02word")
_NUMBER: Final = number("\x02number")
_CLOSING: Final = np.uint32(number("\x02closing"))
_LETTERS: Final = number("\x02letters")
_CLOSERS: Final = frozenset(".!?。！？”\"」)`")
_NEGATION, _APOLOGY, _OFFICIAL, _CRITICAL, _HELP = map(
    list(GROUPS).index, ("negation", "apology", "official", "critical", "help")
)
FORMS: Final = 5 * len(GROUPS) + 29
TABLES: Final = tuple(number(f"\x02length {length}") for length in range(_PHRASE + 1))
_LENGTHS: Final = tuple(range(1, _PHRASE + 1))
_EDGES: Final = 3
"""Tokens in the longest sequence that stands for the edge of a range."""
# The rows of `Grams`: by length sequences, those at a begin, and those at an end.
_ROWS: Final = ((1, TABLES[1]), (1, _BEGIN + 1), (1, _END + 1), (2, TABLES[2]), (2, _BEGIN + 2), (2, _END + 2),
                (3, TABLES[3]), (3, _BEGIN + 3), (3, _END + 3), (4, TABLES[4]))
_ROW_LENGTHS: Final = tuple(length for length, _ in _ROWS)
_ROW_SALTS: Final = tuple(salt for _, salt in _ROWS)
_INNER: Final = (0, 3, 6, 9)
_AT_BEGIN: Final = (1, 4, 7)
_AT_END: Final = (2, 5, 8)

# What a token is.
_LETTER: Final = 1
_WIDE: Final = 2
_DIGIT: Final = 4
_SAYS: Final = 8            # a letter or a digit
_BREAK: Final = 16
_STOP: Final = 32
_MARK: Final = 64           # of quotations and code
_LONG_TOKEN: Final = 24
_MOST_TOKENS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Reading:
    """One text, taken apart. Ranges are of tokens, the second number not included."""

    tokens: tuple[str, ...]
    stems: Places               # a number for each token
    quoted: NDArray[np.bool_]   # stands in quotation marks or code
    sentences: tuple[tuple[int, int], ...]
    seams: tuple[tuple[int, int], ...]      # from where a line may have been pasted, to its sentence's end
    wide: float                 # which part of the letters are ideographs or kana, 0..1
    kinds: NDArray[np.uint8]    # what each token is
    runs: Places                # the sequences of stems, a row for each length from 1

    def __len__(self) -> int:
        return len(self.tokens)


def unwrapped(text: str, depth: int = 4) -> str:
    """The text leaves of a JSON document, one a line, nested ones too; any other text as it is.

    A document that is broken or still coming in gives the strings that it has so far.
    """
    plain = text.strip()
    if plain.startswith("```"):
        plain = plain.strip("`").removeprefix("json").strip()
    if not depth or plain[:1] not in ("{", "["):
        return text
    try:
        leaves = list(_leaves(json.loads(plain)))
    except (ValueError, RecursionError):
        if not _DOCUMENT.match(plain):
            return text
        leaves = [_decoded(found.group(1)) for found in _STRING.finditer(plain) if found.group(2) is None]
    kept = [leaf for leaf in leaves if not _LABEL.match(leaf)] or leaves
    return "\n".join(unwrapped(leaf, depth - 1) for leaf in kept) or text


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)


def _decoded(literal: str) -> str:
    """A string out of a document that does not parse; what is cut off is dropped."""
    try:
        return str(json.loads(f'"{literal}"', strict=False))
    except ValueError:
        return re.sub(r"\\u[0-9a-fA-F]{0,3}\Z|\\\Z", "", literal).replace("\\n", "\n").replace('\\"', '"')


def said(text: str) -> str:
    """What a person would see of a text: its leaves, without what was only thought."""
    return _THOUGHT.sub("", unwrapped(text)) or text


def read(text: str) -> Reading:
    """Take a text apart. Raises nothing, whatever the text."""
    text = said(text)
    if len(text) > HEAD + TAIL:
        text = text[:HEAD] + "\n" + text[-TAIL:]
    text = _GLUED.sub(r" \g<0>", unicodedata.normalize("NFKC", text))
    found = list(_TOKEN.finditer(text))
    known = [_TOKENS[match.group()] for match in found]
    tokens = tuple([token for token, _, _ in known])
    stems = np.array([stem for _, stem, _ in known], dtype=np.uint32)
    kinds = np.frombuffer(bytes([kind for _, _, kind in known]), dtype=np.uint8)
    sentences = _sentences(kinds)
    seams = []
    if sentences and (starts := [match.start() for match in _SEAM.finditer(text)]):
        at = {match.start(): index for index, match in enumerate(found)}
        ends = [end for _, end in sentences]
        for start in starts:
            index = at.get(start)
            if index is not None and index < ends[-1]:
                seams.append((index, ends[bisect_right(ends, index)]))
    letters = int(np.count_nonzero(kinds & _LETTER)) or 1
    wide = int(np.count_nonzero(kinds & _WIDE)) / letters
    return Reading(
        tokens, stems, _quoted(tokens, kinds), sentences, tuple(seams), wide, kinds,
        runs(stems, _LENGTHS, TABLES[1:]),
    )


def _folded(token: str) -> str:
    return simplified(token.casefold().replace("’", "'"))


def _kind(token: str) -> int:
    first = token[0]
    kind = _LETTER * first.isalpha() | _WIDE * _wide(token) | _DIGIT * first.isdigit() | _SAYS * first.isalnum()
    return kind | _BREAK * (first == "\n") | _STOP * (token in _ENDS) | _MARK * (token in _MARKS)


class _Tokens(dict[str, tuple[str, int, int]]):
    """Of each token as it was written: as it is compared, the number of its stem, and what it is; found out once."""

    def __missing__(self, written: str) -> tuple[str, int, int]:
        token = _folded(written)
        value = token, number(token[:STEM]), _kind(token)
        if len(written) <= _LONG_TOKEN:
            if len(self) >= _MOST_TOKENS:
                self.clear()
            self[written] = value
        return value


_TOKENS: Final = _Tokens()


def _sentences(kinds: NDArray[np.uint8]) -> tuple[tuple[int, int], ...]:
    """Ranges between end marks and line breaks, with their end marks; blank ones are left out."""
    said = np.zeros(len(kinds) + 1, dtype=np.int64)
    np.add.accumulate(kinds & _SAYS, dtype=np.int64, out=said[1:])
    parts = np.flatnonzero(kinds & (_BREAK | _STOP))
    before = said[parts].tolist()
    ranges, start, passed = [], 0, 0
    for index, sayings, kind in zip(parts.tolist(), before, kinds[parts].tolist(), strict=True):
        if sayings > passed:
            ranges.append((start, index if kind & _BREAK else index + 1))
            passed = sayings
        start = index + 1
    if int(said[-1]) > passed:
        ranges.append((start, len(kinds)))
    return tuple(ranges)


def _quoted(tokens: Sequence[str], kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Marks that are not closed on their own line of text open nothing, except a fence."""
    inside = np.zeros(len(tokens), dtype=np.bool_)
    opened, closes, fence = -1, "", -1
    for index in np.flatnonzero(kinds & (_BREAK | _MARK)).tolist():
        token = tokens[index]
        if token == "```":  # noqa: S105 - a mark, not a secret
            if fence >= 0:
                inside[fence:index] = True
            fence = -1 if fence >= 0 else index + 1
            opened = -1
        elif token[0] == "\n":
            opened = -1
        elif opened >= 0 and token in closes:
            inside[opened:index] = True
            opened = -1
        elif opened < 0 and token in _OPEN:
            opened, closes = index + 1, _OPEN[token]
        elif opened < 0 and token == "`":   # noqa: S105
            opened, closes = index + 1, "`"
    if fence >= 0:
        inside[fence:] = True
    return inside


@dataclass(frozen=True, slots=True)
class Topic:
    """The content words of a question: what an answer is about, rather than what it does."""

    words: frozenset[str]
    pairs: frozenset[str]
    wide: float
    length: int

    @classmethod
    def of(cls, question: Reading) -> Topic:
        """Words of four letters and more, and pairs of ideographs."""
        words = {t[:STEM] for t in question.tokens if len(t) >= 4 and t[0].isalpha() and t not in _COMMON}
        pairs = {
            a + b for a, b in pairwise(question.tokens)
            if _ideograph(a) and _ideograph(b) and not (a in _COMMON_CJK or b in _COMMON_CJK)
        }
        return cls(frozenset(words), frozenset(pairs), question.wide, len(question))

    def shared(self, tokens: Sequence[str], inside: NDArray[np.bool_] | None = None) -> float:
        """Which part of the topic a text takes up, 0..1. ``inside``: what repeats it, if that is known."""
        repeating = tokens if inside is None else [tokens[index] for index in np.flatnonzero(inside).tolist()]
        words = {stem for token in repeating if (stem := token[:STEM]) in self.words}
        pairs = {pair for a, b in pairwise(tokens) if (pair := a + b) in self.pairs} if self.pairs else ()
        return (len(words) + len(pairs)) / (len(self.words) + len(self.pairs))

    def inside(self, reading: Reading) -> NDArray[np.bool_]:
        """Which tokens of a reading repeat the topic."""
        tokens = reading.tokens
        words = self.words
        hits = np.array([token[:STEM] in words for token in tokens], dtype=np.bool_)
        if self.pairs:
            for index in range(len(tokens) - 1):
                if tokens[index] + tokens[index + 1] in self.pairs:
                    hits[index] = hits[index + 1] = True
        return hits


def _ideograph(token: str) -> bool:
    return "\u3400" <= token[:1] <= "\u9fff"


def _wide(token: str) -> bool:
    return "\u3040" <= token[:1] <= "\u9fff"


def acts(reading: Reading, topic: Topic, common: Places, inside: NDArray[np.bool_] | None = None) -> Places:
    """The stems as a text *does* something with them, whatever it is about. ``inside``: `Topic.inside`, if it is known.

    Words of the question, numbers, and words that are not among the ``common`` ones (sorted) each become one token;
    quoted words are set apart from all others. Ideographs stay as they are.
    """
    stems, kinds = reading.stems, reading.kinds
    known = np.zeros(len(stems), dtype=np.bool_)
    if len(common):
        slot = np.minimum(np.searchsorted(common, stems), len(common) - 1)
        known = common[slot] == stems
    word = (kinds & (_LETTER | _WIDE)) == _LETTER
    acting = np.where(word & ~known, np.uint32(_WORD), stems)
    acting = np.where((kinds & _DIGIT) != 0, np.uint32(_NUMBER), acting)
    acting = np.where(topic.inside(reading) if inside is None else inside, np.uint32(_TOPIC), acting)
    return np.where(reading.quoted, acting ^ _QUOTED, acting)


@dataclass(frozen=True, slots=True)
class Grams:
    """All sequences of a token list, so that any range's own can be taken out at no cost."""

    rows: Places                # of `_ROWS`; those at an end are numbered by their first token, too

    @classmethod
    def of(cls, stems: Places) -> Grams:
        """For lengths 1 to `LONGEST`, and 1 to 3 at the edges."""
        return cls(runs(stems, _ROW_LENGTHS, _ROW_SALTS))

    def of_range(self, start: int, stop: int) -> Places:
        """The sequences in one range, with its edges."""
        return self.of_ranges(((start, stop),))[0]

    def of_ranges(self, ranges: Sequence[tuple[int, int]]) -> tuple[Places, NDArray[np.int64]]:
        """Those of several ranges, one range after the other, and how many each has."""
        size = self.rows.shape[1]
        bounds = np.array(ranges, dtype=np.int64)
        start, stop = bounds[:, :1], bounds[:, 1:]
        length = stop - start
        first = np.concatenate(
            (start + _FROM_INNER * size, start + _FROM_BEGIN * size, stop + _FROM_END * size - _BACK), axis=1)
        edges = (length > _BEHIND).astype(np.int64)
        many = np.concatenate((np.maximum(length - _SHORTER, 0), edges, edges), axis=1)
        return _taken(self.rows, first[:, _ORDER], many[:, _ORDER])


_FROM_INNER: Final = np.array(_INNER)
_FROM_BEGIN: Final = np.array(_AT_BEGIN)
_FROM_END: Final = np.array(_AT_END)
_SHORTER: Final = np.arange(LONGEST)
_BEHIND: Final = np.arange(_EDGES)
_BACK: Final = _BEHIND + 1
_ORDER: Final = np.array([0, 1, 2, 3, 4, 7, 5, 8, 6, 9])     # a begin and an end of each length in turn


def _taken(rows: Places, first: NDArray[np.int64], many: NDArray[np.int64]) -> tuple[Places, NDArray[np.int64]]:
    """So many numbers from each of these places, in order, and how many those of one line are together."""
    lengths = many.ravel()
    ends = np.add.accumulate(lengths)
    which = np.repeat(first.ravel() - ends + lengths, lengths)
    which += np.arange(len(which))
    return rows.ravel()[which], np.add.reduce(many, axis=1)


@cache
def _lexicon() -> tuple[tuple[Places, NDArray[np.uint8]], ...]:
    """For each length the sorted numbers of the phrases, and the groups that they belong to."""
    tables: list[dict[int, int]] = [{} for _ in range(_PHRASE)]
    for group, phrases in enumerate(GROUPS.values()):
        for phrase in phrases.split("|"):
            stems = numbers(_folded(match.group())[:STEM] for match in _TOKEN.finditer(phrase))
            if not 0 < len(stems) <= _PHRASE:
                raise ValueError(f"a phrase of {len(stems)} tokens in group {group}")
            key = int(sequences(stems, len(stems), TABLES[len(stems)])[0])
            tables[len(stems) - 1].setdefault(key, group)
    result = []
    for table in tables:
        keys = sorted(table)
        result.append((np.array(keys, dtype=np.uint32), np.array([table[key] for key in keys], dtype=np.uint8)))
    return tuple(result)


def phrases(reading: Reading) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Where phrases of the lexicon begin outside quotations, and their groups."""
    where, groups = [], []
    for n, (keys, group) in enumerate(_lexicon()):
        table = reading.runs[n, : len(reading) - n]
        if len(reading) <= n or not len(keys):
            continue
        slot = np.minimum(np.searchsorted(keys, table), len(keys) - 1)
        hits = np.flatnonzero((keys[slot] == table) & ~reading.quoted[: len(table)])
        where.append(hits)
        groups.append(group[slot[hits]])
    if not where:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.uint8)
    return np.concatenate(where), np.concatenate(groups)


def pasted(reading: Reading) -> tuple[tuple[int, int], ...]:
    """Ranges at the end of a text that a service may have put there: from every seam and, where nothing parts words,
    from every ideograph of the last sentence."""
    sentences, tokens = reading.sentences, reading.tokens
    if not sentences:
        return ()
    floor = sentences[max(-3, -len(sentences))][0]
    ranges = [(start, end) for start, end in reading.seams if end - start >= 4 and end >= floor][-16:]
    start, end = sentences[-1]
    if end - start > 14:
        ranges += [(at, end) for at in range(max(start + 1, end - 34), end - 7) if _ideograph(tokens[at])]
    return tuple(sorted(set(ranges)))


def opening(grams: Grams, length: int) -> Places:
    """How a text begins and how it ends."""
    both, lengths = grams.of_ranges(((0, min(length, 64)), (max(0, length - 40), length)))
    both[lengths[0] :] ^= _CLOSING
    return both


def story(stems: Places, start: int = 0, stop: int = STORY) -> Places:
    """What a passage says: its words and sequences of two and three."""
    passage = stems[start:stop]
    return np.concatenate([sequences(passage, n, TABLES[n]) for n in (1, 2, 3)])


def stories(reading: Reading, ranges: Sequence[tuple[int, int]]) -> tuple[Places, NDArray[np.int64]]:
    """What several passages say, one after the other, and how many sequences each has."""
    bounds = np.minimum(np.array(ranges, dtype=np.int64), len(reading))
    start, stop = bounds[:, :1], bounds[:, 1:]
    return _taken(reading.runs, start + _THREE * len(reading), np.maximum(stop - start - _THREE, 0))


_THREE: Final = np.arange(3)


def passages(length: int) -> list[tuple[int, int]]:
    """Ranges that a long answer is judged by, one after the other."""
    return [(at, min(length, at + 90)) for at in range(0, max(1, length - 20), 90)][:14]


def wording(reading: Reading, start: int = 0, stop: int = 1500) -> Places:
    """Words and the letters they are made of, for texts that may be misspelt or in any language."""
    letters = " ".join(reading.tokens[start:stop])
    points = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return np.concatenate([story(reading.stems, start, stop), *(sequences(points, n, _LETTERS + n) for n in (3, 4, 5))])


def segments(reading: Reading, limit: int = 80) -> list[tuple[int, int]]:
    """Two sentences at a time, each at most 120 tokens: what could be an order among other text."""
    sentences = reading.sentences
    if not sentences:
        return [(0, min(len(reading), 120))]
    pairs = zip(sentences, (*sentences[1:], sentences[-1]), strict=True)
    return [(first[0], min(second[1], first[0] + 120)) for first, second in pairs][:limit]


def form(reading: Reading, topic: Topic, inside: NDArray[np.bool_] | None = None) -> Vector:
    """What a text looks like beside its question, whatever its words: `FORMS` numbers around 0 to 1.

    ``inside``: `Topic.inside`, if it is known.
    """
    tokens, length = reading.tokens, len(reading)
    repeated = topic.inside(reading) if inside is None else inside
    where, groups = phrases(reading)
    nothing = ((0, 0),)
    first, last = (reading.sentences or nothing)[0], (reading.sentences or nothing)[-1]

    def count(start: int, stop: int) -> Vector:
        inside = groups[(where >= start) & (where < stop)]
        return np.minimum(np.bincount(inside, minlength=len(GROUPS)), 3).astype(np.float64)

    begins, ends, head, tail = count(*first), count(*last), count(0, 60), count(length - 60, length)
    dense = np.bincount(groups, minlength=len(GROUPS)) / (length + 20) ** 0.5
    later = np.bincount(groups[where >= 60], minlength=len(GROUPS))
    repeats = float(np.add.reduce(repeated) / length) if length else 0.0
    asked = len(topic.words) + len(topic.pairs)
    shared = topic.shared(tokens, repeated) if asked else 0.5
    foreign = abs(reading.wide - topic.wide) if topic.length and length else 0.0
    quoted = float(np.add.reduce(reading.quoted) / length) if length else 0.0
    negated = float(begins[_NEGATION] > 0)
    apart = float(asked >= 3 and length > 60 and foreign < 0.4)
    single = [
        min(length, 1024) ** 0.5 / 32, float(length < 25), float(25 <= length < 80), float(80 <= length < 200),
        float(length >= 400), min(len(reading.sentences), 10) / 10, float(len(reading.sentences) == 1),
        repeats, shared, float(not asked), shared * float(length > 60), foreign, reading.wide,
        quoted, float(quoted > 0), float("```" in tokens),
        5 * int(np.count_nonzero(reading.kinds & _BREAK)) / (length + 10),
        5 * int(np.count_nonzero(reading.kinds & _DIGIT)) / (length + 10),
        float(length > 0 and tokens[-1] not in _CLOSERS), float(bool(reading.seams)),
        negated * float(length < 120), negated * float(begins[_APOLOGY] > 0), negated * (1 - repeats),
        negated * float(begins[_HELP] > 0), negated * float(later[_HELP] > 2),
        float(head[_OFFICIAL] > 1) * (1 - float(dense[_CRITICAL] > 0.15)),
        float(dense[_OFFICIAL] - dense[_CRITICAL]),
        apart * float(shared == 0), apart * max(0.0, 0.34 - shared),
    ]
    return np.concatenate([begins / 2, ends / 2, head / 3, tail / 3, dense, np.array(single)])
