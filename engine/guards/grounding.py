"""Claims of a finished answer that no passage supports.

A claim is a sentence that states something. It is supported by the passage that shares most of its telling words,
and every number in it must stand, beside one of those words, in some passage. What words cannot tell is a negation, and
a claim in another language than the passages: the latter is left alone, its numbers aside. Who looks closer at what
words leave in doubt is `engine.guards.grounded`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.guards.policy import Category, Rules, language_of
from engine.guards.verdict import Allow, Verdict

SIGN: Final = " *(unsupported)*"
SIMILAR: Final = 0.7
"""From this closeness of meaning on, -1 to 1, a claim counts as supported though its words differ."""
_SPREAD: Final = 0.5                # what a second passage adds counts for half: claims are mostly made in one place
_STATES: Final = 3                  # telling words that make a sentence a claim, unless it names a number

_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`[^`\n]+`")
_LINK: Final = re.compile(r"\]\([^)\s]*\)|https?://\S+")
_MARK: Final = re.compile(r"\[\d{1,3}\]")
_LINE: Final = re.compile(r"[^\n]+")
_LEAD: Final = re.compile(r"[\s>*+\-•]*(?:\d{1,3}[.)]\s+)?[\s*_]*")
_END: Final = re.compile(
    r"(?<!\b[A-Za-z])(?<!\be\.g)(?<!\bi\.e)(?<!\betc)(?<!\bvs)(?<!\bapprox)(?<!\bMr)(?<!\bDr)(?<!\bMs)"
    r"[.!?][\"'”’)\]*_]*(?:\s*\[\d{1,3}\])*(?=\s|\Z)|[。！？][”」』）]*(?:\s*\[\d{1,3}\])*"
)
_WORD: Final = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff]+")
_WIDE: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]+")
_NUMBER: Final = re.compile(r"\d+(?:[,\u00a0\u202f' ]\d{3}(?!\d))*(?:\.\d+)*")
_GROUPING: Final = re.compile("[,\u00a0\u202f' ]")
_FULL_HOUR: Final = re.compile(r"(?<=\d):00\b")
_ABSENT: Final = re.compile(
    r"\b(?:(?:passages?|documents?|sources?|pages?|handbook|context|information)\b[^.]{0,60}\b(?:not|n't|no|nothing)\b"
    r"|(?:not|n't|no|nothing)\b[^.]{0,60}\b(?:passages?|documents?|sources?|pages?|handbook|context|mentioned|found|stated)"
    r"|I (?:could not|couldn't|cannot|can't|do not|don't) (?:find|know|see|tell))\b"
    r"|(?:资料|段落|文档|文件|手册)[^。]{0,20}(?:没有|未|不)|(?:没有|未)(?:找到|提到|提及|说明)",
    re.IGNORECASE,
)
_COUNTED: Final = (
    (0, 1, "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
           "seventeen eighteen nineteen"),
    (20, 10, "twenty thirty forty fifty sixty seventy eighty ninety"),
    (2, 0, "twice"), (12, 0, "dozen"), (100, 0, "hundred"), (1000, 0, "thousand"),
    (0, 1, "null ein zwei drei vier fünf sechs sieben acht neun zehn"),
)
_NUMERALS: Final[Mapping[str, str]] = {
    word: str(first + n * step) for first, step, words in _COUNTED for n, word in enumerate(words.split())
}
_TENS: Final = "|".join(word for word, number in _NUMERALS.items() if number.endswith("0") and 20 <= int(number) <= 90)
_COMPOUND: Final = re.compile(rf"\b({_TENS})[- ](one|two|three|four|five|six|seven|eight|nine)\b", re.IGNORECASE)
_IDEOGRAPHS: Final = {
    **{sign: str(n) for n, sign in enumerate("零一二三四五六七八九十")}, "两": "2", "兩": "2", "十五": "15",
    "二十": "20", "三十": "30", "六十": "60", "九十": "90", "百": "100",
}
_ASKED: Final = frozenset(("one", "zero", "ein", "null"))      # too often no number at all: "one of them"
_FUNCTION_WORDS: Final = (
    "the a an and or but if then than that this these those there here it its is are was were be been being am do does "
    "did done have has had will would can could may might must shall should not no nor of in on at to for from by with "
    "without about into onto over under after before during between through up down out off again all any both each "
    "few more most other some such only own same so too very just also you your yours they their them we our us he she "
    "his her who whom which what when where why how as per via please note however therefore thus yes answer question "
    "according passage passages based see following follows means within "
    "der die das und oder aber ist sind war nicht kein eine einen einem einer des dem den mit von für auf bei nach aus "
    "zum zur im am wird werden kann muss sie ihr ihre man auch sich als wie "
    "le la les un une des et ou est sont pas ne que qui dans pour avec sur par plus vous votre il elle ce cette au aux "
    "el los las una y o es son no que en por con para del al se su sus como"
)
_COMMON: Final = frozenset(_FUNCTION_WORDS.split())
_SUFFIXES: Final = ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s",
                    "ly", "en", "e", "y")
_STEM: Final = 4


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of the answer, from ``start`` to ``end``, and how well it is supported (0 to 1).

    ``number``: it names one that no passage gives.
    """

    start: int
    end: int
    support: float
    number: bool = False


@dataclass(frozen=True, slots=True)
class _Evidence:
    """One passage, as it is compared."""

    words: frozenset[str]
    sentences: tuple[tuple[frozenset[str], frozenset[str]], ...]     # words and numbers of each


def claims(answer: str, passages: Sequence[str]) -> tuple[Claim, ...]:
    """Every claim of the answer, in order. Code, headings, questions and "the pages do not say" claim nothing."""
    evidence = [_evidence(passage) for passage in passages]
    foreign = bool(passages) and _script(answer) != _script(" ".join(passages)[:4000])
    found = []
    for start, end in _sentences(answer):
        text = answer[start:end]
        plain = _MARK.sub(" ", text)
        words, numbers = _words(plain), _numbers(plain, asked=True)
        if not numbers and len(words) < _STATES:
            continue
        if _ABSENT.search(plain) or plain.rstrip(" *_\"'”’)]").endswith(("?", "？", ":", "：")):
            continue
        if any(not _given(number, frozenset() if foreign else words, evidence) for number in numbers):
            found.append(Claim(start, end, 0.0, number=True))
            continue
        found.append(Claim(start, end, 1.0 if foreign else _support(plain, words, evidence)))
    return tuple(found)


def weigh(answer: str, found: Sequence[Claim], rules: Rules) -> Verdict:
    """What the company's rule for unsupported claims makes of the answer.

    The score is that of the weakest claim. *Show* is ``allow`` or ``flag``; *mark* is ``mask``, whose text has a
    sign behind each claim that is over the threshold; *refuse* is ``refuse``.
    """
    if not found:
        return Allow(category=Category.UNGROUNDED, score=0.0)
    rule = rules.rule(Category.UNGROUNDED, "claim", outbound=True)
    weak = [claim for claim in found if 1.0 - claim.support >= rule.threshold]
    score = 1.0 - min(claim.support for claim in found)
    return rules.apply(rule, Category.UNGROUNDED, "claim", score, text=answer, masked=marked(answer, weak))


def marked(answer: str, weak: Sequence[Claim], sign: str = SIGN) -> str:
    """The answer with a sign behind each of these claims."""
    parts, at = [], 0
    for claim in weak:
        parts += [answer[at : claim.end], sign]
        at = claim.end
    return "".join([*parts, answer[at:]])


def sentences(text: str) -> list[str]:
    """The sentences of its prose."""
    return [text[start:end] for start, end in _sentences(text)]


def _sentences(answer: str) -> list[tuple[int, int]]:
    """Where sentences of prose begin and end."""
    def blank(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found.group())

    prose = _LINK.sub(blank, _SPAN.sub(lambda found: "x" * len(found.group()), _FENCE.sub(blank, answer)))
    spans = []
    for line in _LINE.finditer(prose):
        lead = _LEAD.match(line.group())
        at = line.start() + (lead.end() if lead else 0)
        if prose[at : at + 1] in ("#", "|", "") or not prose[at : line.end()].strip():
            continue
        for end in _END.finditer(prose, at, line.end()):
            spans.append((at, end.end()))
            at = end.end()
        spans.append((at, line.end()))
    return [(start + len(prose[start:end]) - len(prose[start:end].lstrip()), end - _trailing(prose[start:end]))
            for start, end in spans if prose[start:end].strip()]


def _trailing(text: str) -> int:
    return len(text) - len(text.rstrip())


def _evidence(passage: str) -> _Evidence:
    sentences = tuple(
        (_words(passage[start:end]), _numbers(passage[start:end])) for start, end in _sentences(passage)
    )
    others = [line for line in passage.splitlines() if line.lstrip().startswith(("|", "#"))]     # tables, headings
    return _Evidence(_words(passage), sentences + tuple((_words(line), _numbers(line)) for line in others))


def _support(text: str, words: frozenset[str], evidence: Sequence[_Evidence]) -> float:
    """The share of the claim's telling words that the best passage has; names count more."""
    if not words or not evidence:
        return 0.0 if words else 1.0
    names = _names(text)
    weight = {word: 1.5 if word in names else 1.0 for word in words}
    whole = sum(weight.values())
    best = max(evidence, key=lambda each: sum(weight[word] for word in words & each.words))
    shared = sum(weight[word] for word in words & best.words)
    elsewhere = frozenset().union(*(each.words for each in evidence)) - best.words
    return min(1.0, (shared + _SPREAD * sum(weight[word] for word in words & elsewhere)) / whole)


def _given(number: str, words: frozenset[str], evidence: Sequence[_Evidence]) -> bool:
    """Whether a passage gives the number in a sentence, or the next one, that speaks of the same."""
    for each in evidence:
        before: frozenset[str] = frozenset()
        for said, numbers in each.sentences:
            if number in numbers and (not words or words & (said | before)):
                return True
            before = said
    return False


def _words(text: str) -> frozenset[str]:
    """Telling words, by their stems; of ideographs each pair of neighbours."""
    stems = {_stem(word.casefold()) for word in _WORD.findall(text)}
    pairs = {run[at : at + 2] for run in _WIDE.findall(text) for at in range(max(1, len(run) - 1))}
    return frozenset(stems - {""}) | frozenset(pairs)


def _stem(word: str) -> str:
    if len(word) < 3 or word in _COMMON or word in _NUMERALS:
        return ""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _STEM:
            return word[: -len(suffix)]
    return word


def _names(text: str) -> frozenset[str]:
    """Words with a capital inside a sentence, and words of capitals."""
    found = [match for match in _WORD.finditer(text) if match.group()[0].isupper()]
    return frozenset(_stem(match.group().casefold()) for match in found if match.start() > 0 or match.group().isupper())


def _numbers(text: str, *, asked: bool = False) -> frozenset[str]:
    """Numbers in one spelling. ``asked``: only those that a claim must have from somewhere."""
    text = _COMPOUND.sub(_added, _FULL_HOUR.sub("", text))
    digits = {_spelt(found) for found in _NUMBER.findall(text)}
    words = {word for word in map(str.casefold, _WORD.findall(text)) if word in _NUMERALS}
    spelt = {_NUMERALS[word] for word in (words - _ASKED if asked else words)}
    if asked:
        return frozenset(digits | spelt)
    wide = {_IDEOGRAPHS[part] for run in _WIDE.findall(text) for size in (1, 2)
            for at in range(len(run)) if (part := run[at : at + size]) in _IDEOGRAPHS}
    return frozenset(digits | spelt | wide)


def _added(found: re.Match[str]) -> str:
    return str(int(_NUMERALS[found[1].casefold()]) + int(_NUMERALS[found[2].casefold()]))


def _spelt(number: str) -> str:
    plain = _GROUPING.sub("", number)
    if plain.count(".") == 1:
        plain = plain.rstrip("0").rstrip(".")
    return plain.lstrip("0") or "0"


def _script(text: str) -> str:
    """Which words could be compared at all: those of one script and, in the Latin one, of one language."""
    wide = sum(map(len, _WIDE.findall(text)))
    narrow = sum(map(len, _WORD.findall(text)))
    return "wide" if 2 * wide > narrow else language_of(text)
