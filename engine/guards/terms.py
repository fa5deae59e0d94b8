"""The company's own words: protected terms, marks of confidential documents, and patterns.

Terms are searched in the letters alone (`engine.guards.normalise`), so blanks, case, hyphens, dots and look-alike
letters make no difference. What then decides is the original: a term of an alphabet must not go on as a longer
word, and may have gaps only between its words, or between all of its letters when somebody spelled it out.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import re2
from ahocorasick_rs import AhoCorasick

from engine.guards.normalise import LONG, Places, fold, letters, variants
from engine.guards.policy import Category, Pattern, Rule, Rules, gravest, masks
from engine.guards.verdict import Allow, Verdict

NOTICE: Final = "[removed]"
MAX_FINDS: Final = 1_000
"""Finds of one pattern in one text that are told apart; from the next one on all of the rest counts as one."""
_CERTAIN: Final = 6             # letters from which on a term is recognised however it was taken apart
_WIDE_GAP: Final = 6
_GAP: Final = 3
_FULL_STOP: Final = re.compile(r"[.!?]\s")
_NO_BLANKS: Final = re.compile("[\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00010000-\U0010ffff]")
_PIECE: Final = re.compile(r"[^\W_]+")
_SHORT_BASE64: Final = re.compile(r"(?<![A-Za-z0-9+/_\-])([A-Za-z0-9+/_\-]{6,15})={0,2}(?![A-Za-z0-9+/_\-=])")
_URL_SAFE: Final = str.maketrans("-_", "+/")
_ENCODED: Final = 12            # letters and marks of a term that base64 may write with fewer than 16


@dataclass(frozen=True, slots=True)
class Term:
    """One term, its letters, and where in them a new word begins."""

    written: str
    rule: str                   # "term" | "mark"
    letters: str
    joints: frozenset[int]


@dataclass(frozen=True, slots=True)
class Find:
    """A stretch of a text in which something of the company's stands."""

    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All terms and marks of one set of rules, ready to be searched in one pass."""

    terms: tuple[Term, ...]
    automaton: AhoCorasick | None
    short: bool = False             # there are some that base64 writes with fewer letters than `variants` looks at

    def find(self, text: str) -> tuple[Find, ...]:
        """Where they stand, in order; those that overlap become one. Lengths and places in characters."""
        if self.automaton is None:
            return ()
        finds = list(self.find_plain(text))
        for variant in variants(text):
            finds += (Find(variant.start, variant.end, find.rule) for find in self.find_plain(variant.text))
        if self.short:
            finds += _encoded(self, text)
        return united(finds)

    def find_plain(self, text: str) -> Iterator[Find]:
        """The same in a text as it is written, in no order."""
        assert self.automaton is not None               # noqa: S101 - the caller looked
        hits = self.automaton.find_matches_as_indexes(letters(text), overlapping=True)
        if not hits:
            return
        places = Places.of(text, only_letters=True)
        for which, begin, end in hits:                  # all of them: a limit is what one hides behind
            if not _stands_alone(text, places.original(begin, begin + 1)[0], places.original(end - 1, end)[1]):
                continue
            term = self.terms[which]
            starts = [places.original(at, at + 1) for at in range(begin, end)]
            if _in_one_piece(text, starts, term):
                yield Find(starts[0][0], starts[-1][1], term.rule)


def _encoded(lexicon: Lexicon, text: str) -> Iterator[Find]:
    """Short terms in base64. Decoding any word would be no proof of anything, but one of the company's words is."""
    for run in _SHORT_BASE64.finditer(text):
        written = run.group(1)
        if written[1:].islower() or written.isdigit():      # an ordinary word, or a number
            continue
        try:
            said = b64decode(written.translate(_URL_SAFE) + "=" * (-len(written) % 4), validate=True).decode()
        except ValueError:
            continue
        yield from (Find(run.start(), run.end(), find.rule) for find in lexicon.find_plain(said))


def united(finds: list[Find]) -> tuple[Find, ...]:
    """In order, and apart: those that overlap become one."""
    apart: list[Find] = []
    for find in sorted(finds, key=lambda find: (find.start, -find.end)):
        if apart and find.start < apart[-1].end:
            last = apart[-1]
            apart[-1] = Find(last.start, max(last.end, find.end), last.rule)
        else:
            apart.append(find)
    return tuple(apart)


def masked(text: str, finds: tuple[Find, ...], notice: str = NOTICE) -> str:
    """The text with a notice in the place of each find; they are in order and apart."""
    parts: list[str] = []
    at = 0
    for find in finds:
        parts += text[at : find.start], notice
        at = find.end
    return "".join(parts) + text[at:]


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Nothing before or behind makes another word of it. ``CamelCase`` is as good as a blank."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (_goes_on(before, text[start]) or _goes_on(text[end - 1], after))


def _goes_on(left: str, right: str) -> bool:
    """Two neighbours of one word."""
    return _alphabetic(left) and _alphabetic(right) and not (left.islower() and right.isupper())


def _alphabetic(char: str) -> bool:
    """A letter of a script that writes blanks between its words."""
    return char.isalpha() and not _blankless(char)


def _blankless(char: str) -> bool:
    return bool(_NO_BLANKS.match(char))


def _in_one_piece(text: str, places: list[tuple[int, int]], term: Term) -> bool:
    inside: list[str] = []
    wide: list[str] = []
    for at in range(1, len(places)):
        if places[at][0] < places[at - 1][1]:
            continue                                    # two letters out of one character
        between = text[places[at - 1][1] : places[at][0]]
        seen = "".join(map(fold, between))
        (wide if at in term.joints else inside).append(seen)
    if any(len(gap) > _WIDE_GAP for gap in wide) or any(len(gap) > _GAP for gap in inside):
        return False
    if not any(inside):
        return len(term.joints) > 1 or not any(map(_FULL_STOP.match, wide))
    return all(inside) or len(term.letters) >= _CERTAIN or _blankless(term.letters[0])


@lru_cache(maxsize=64)
def lexicon(terms: tuple[str, ...], marks: tuple[str, ...]) -> Lexicon:
    """Built once for each set of words. A term without two letters or digits, or one ideograph, is no term."""
    written = [*((term, "term") for term in terms), *((mark, "mark") for mark in marks)]
    known = [term for word, rule in written if (term := _term(word, rule))]
    short = any(4 <= len(term.letters) < _ENCODED for term in known)
    return Lexicon(tuple(known), AhoCorasick([term.letters for term in known]) if known else None, short)


def _term(written: str, rule: str) -> Term | None:
    plain = letters(written)
    if len(plain) < 2 and not (plain and _blankless(plain)):
        return None
    joints, at = set(), 0
    for piece in _PIECE.finditer(written):
        if at:
            joints.add(at)
        at += len(letters(piece.group()))
    return Term(written, rule, plain, frozenset(joints))


@dataclass(frozen=True, slots=True)
class TermsGuard:
    """Protected terms and marks of the company."""

    rules: Rules
    name = "terms"
    version = "1"
    beside = False                      # what it refuses must not be searched for, either

    async def check(self, text: str) -> Verdict:
        """What the policy says about ``protected_term``; rules are ``term`` and ``mark``."""
        return await asyncio.to_thread(self.judge, text) if len(text) > LONG else self.judge(text)

    def judge(self, text: str) -> Verdict:
        """As `check`, at once."""
        finds = lexicon(self.rules.terms, self.rules.marks).find(text)
        if not finds:
            return Allow(category=Category.PROTECTED_TERM)
        kinds = sorted({find.rule for find in finds})
        masking = [kind for kind in kinds if masks(self.rules.rule(Category.PROTECTED_TERM, kind))]
        cut = masked(text, tuple(find for find in finds if find.rule in masking))
        return gravest(self.rules.verdict(Category.PROTECTED_TERM, kind, text=text, masked=cut) for kind in kinds)


class BadPattern(ValueError):
    """RE2 does not take it; ``str`` says why, in RE2's words."""


_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """The pattern, ready to be searched in linear time. Raises `BadPattern`."""
    try:
        return re2.compile(_SURROGATE.sub("\ufffd", pattern), _OPTIONS)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        raise BadPattern(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from error


@dataclass(frozen=True, slots=True)
class PatternsGuard:
    """Patterns of the company; each has its own action."""

    rules: Rules
    name = "patterns"
    version = "1"
    beside = False

    async def check(self, text: str) -> Verdict:
        """What the policy says about each pattern that is found; those to be masked are masked together."""
        return await asyncio.to_thread(self.judge, text) if len(text) > LONG else self.judge(text)

    def judge(self, text: str) -> Verdict:
        """As `check`, at once."""
        plain = text if text.isascii() or not self.rules.patterns else _SURROGATE.sub("\ufffd", text)
        found = [(pattern, finds) for pattern in self.rules.patterns if (finds := _spans(pattern, plain))]
        if not found:
            return Allow(category=Category.PATTERN)
        taken = united([find for pattern, finds in found if masks(self._rule(pattern)) for find in finds])
        cut = masked(text, taken)
        return gravest(
            self.rules.verdict(Category.PATTERN, pattern.name, text=text, masked=cut, change=pattern.change)
            for pattern, _ in found
        )

    def _rule(self, pattern: Pattern) -> Rule:
        return pattern.change.over(self.rules.rule(Category.PATTERN, pattern.name))


def _spans(pattern: Pattern, text: str) -> list[Find]:
    spans: list[Find] = []
    for found in compiled(pattern.pattern).finditer(text):
        if found.end() == found.start():
            continue
        if len(spans) == MAX_FINDS:     # each may have cost a look at all that follows
            spans.append(Find(found.start(), len(text), pattern.name))
            break
        spans.append(Find(found.start(), found.end(), pattern.name))
    return spans
