"""Canned deflections: a model's hosted habit of changing the subject, caught before a character of it is seen.

The text is read once, character by character, down a tree of known lines (`engine.guards.lines`). A line may
begin

* where a sentence may: at the start, after its end mark, a colon or a line break, past blanks and list marks;
* at a *seam*, where a service cut an answer short and pasted its line behind: a capital letter right after
  another letter or a blank, or an ideograph of a line's beginning that does not follow a comma.

Text is held from there for exactly as long as it still reads like a line. Short lines must also end their
sentence, and short ones at a seam the answer. A line inside quotation marks or code is a quotation, provided
that these are closed: until then it is held, and if the line of text ends first, it was no quotation. Block
quotes are quotations. In an answer that is a JSON object, ``"`` marks strings, not quotations.

Lines that nobody has listed are known by their form (`engine.guards.forms`), sentence by sentence, and where the
form leaves doubt by a classifier.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.guards import forms
from engine.guards.leaves import LeafReadingGuard
from engine.guards.lines import END, FIRM_CJK, FIRM_LATIN, Node, beginnings, cjk, openers, tree
from engine.guards.markup import Where
from engine.guards.normalise import letter as fold
from engine.guards.page import Detector, Page
from engine.guards.scores import OutboundClassifier
from engine.guards.sentences import MORE, Place, Sentences
from engine.guards.verdict import Allow, Reroute, Verdict
from engine.messages import Found

_ROOT: Final = tree()
_BEGINNINGS: Final = beginnings(_ROOT, 3)
_QUOTES: Final = {'"': '"', "“": "”", "„": "“”", "「": "」", "『": "』", "«": "»", "»": "«", "《": "》"}
_SINGLE: Final = {"'": "'", "‘": "’'", "‚": "‘’"}
_APOSTROPHES: Final = frozenset("'’‘")
_ENDS: Final = frozenset(".!?。！？…;；:：>｡")
_WEAK_ENDS: Final = frozenset(",，、")
_POINT: Final = re.compile(             # where a line or a quotation may begin; all else is passed over
    "[.!?。！？…;；:：>｡\"“”„「」『』«»《》]"
    r"|['‘’‚]|(?<=[^\W_A-Z]|[\])）】 ])[A-Z]"
    f"|(?<![,，、])[{openers(_ROOT)}]"
)
_PROSE: Final = Where.PROSE
_SPAN: Final = Where.SPAN
_FENCE: Final = Where.FENCE
_CLOSED: Final = Where.CLOSED
_BREAK: Final = Where.BREAK
_MARGIN: Final = Where.MARGIN
_PLAIN: Final = re.compile("[a-z ]+")
_MAX_QUOTE: Final = 600
_MAX_FENCE: Final = 4096
"""Characters after which a quotation that is not closed is none."""


@dataclass(slots=True)
class _Way:
    """Down the tree from one place."""

    start: int
    node: Node
    seam: bool
    opened: bool                # inside a quotation that is not closed yet
    depth: int = 0
    wide: int = 0               # ideographs among them

    @property
    def firm(self) -> bool:
        return self.wide >= FIRM_CJK or self.depth + 2 * self.wide >= FIRM_LATIN


@dataclass(slots=True)
class _Match:
    """A whole line was read; what follows decides whether it was meant."""

    start: int
    end: int
    sentence: bool              # must still be seen to end its sentence
    last: bool                  # must also be the last thing said
    opened: bool                # inside a quotation, if that is going to be closed
    where: Where


class Lines:
    """Reads one text, piece by piece, and finds the first line that is meant."""

    __slots__ = (
        "_apostrophe",
        "_end",
        "_fresh",
        "_json",
        "_matches",
        "_now",
        "_opened",
        "_previous",
        "_quoted",
        "_ways",
        "_where",
        "by",
        "found",
    )

    def __init__(self) -> None:
        self._end = 0
        self._fresh = True          # a sentence may begin here
        self._json: bool | None = None
        self._quoted = False        # in a block quote
        self._opened = ""           # closes the quotation that we are in
        self._apostrophe = False    # the last character closes it, unless a letter follows
        self._previous = ""
        self._where = _PROSE
        self._ways: list[_Way] = []
        self._matches: list[_Match] = []
        self.found = -1
        """Where a line begins that is meant; -1: none so far."""
        self.by = -1
        """How many characters had to be read to know."""
        self._now = 0

    def read(self, page: Page) -> int:
        """How many characters from the start are safe."""
        self._end = page.end
        if not self._fresh and self._passes(page):
            return self._end
        for where, at, stretch in page.stretches:
            if self.found >= 0:
                return self.found
            if where is not self._where:
                self._moved(where)
            if where is _BREAK:
                self._now = at
                self._broke()
            elif where is _MARGIN:
                self._quoted = ">" in stretch
            elif where is not _CLOSED and not self._quoted:
                self._stretch(where, at, stretch)
        if page.final and self.found < 0:
            self._over()
        if self.found >= 0:
            return self.found
        safe = self._end
        if self._ways:
            safe = min(safe, *[way.start for way in self._ways])
        if self._matches:
            safe = min(safe, *[match.start for match in self._matches])
        return safe

    def _passes(self, page: Page) -> bool:
        """Whether nothing is going on, as in nearly all pieces of small letters, in which nothing begins."""
        if (
            self._ways or self._matches or self._apostrophe or self._quoted or self.found >= 0
            or page.final or self._where is not _PROSE or len(page.stretches) != 1 or not _PLAIN.fullmatch(page.text)
        ):
            return False
        where, _, stretch = page.stretches[0]
        if where is not _PROSE:
            return False
        self._previous = stretch[-1]
        return True

    # --- places

    def _moved(self, where: Where) -> None:
        """What was matched in code that has been closed was a quotation."""
        if where is _CLOSED:
            self._matches = [match for match in self._matches if match.where is not self._where]
        if where is _SPAN or where is _FENCE or self._where is _SPAN or self._where is _FENCE:
            self._ways = []
            self._fresh = self._fresh or where is not _PROSE
        self._where = where

    def _broke(self) -> None:
        """The end of a line of text: a quotation that is still open was none."""
        if self._apostrophe:
            self._closed_at_end()
        if self._matches:
            for match in self._matches:
                if not match.last and match.where is not _FENCE:
                    self._meant(match.start)
            self._matches = [match for match in self._matches if not match.last]
        self._opened = self._previous = ""
        self._fresh, self._quoted = True, False

    def _over(self) -> None:
        """The end of the answer."""
        self._closed_at_end()
        starts = [match.start for match in self._matches]
        if self._previous.isalnum():            # cut off in mid-line
            starts += [way.start for way in self._ways if way.firm and not way.opened]
        self.found, self.by = min([*starts, *([self.found] if self.found >= 0 else [])], default=-1), self._end + 1
        self._ways, self._matches = [], []

    # --- characters

    def _stretch(self, where: Where, at: int, text: str) -> None:
        index, end = 0, len(text)
        while index < end:
            if self._ways or self._matches or self._apostrophe:
                pass
            elif self._fresh:
                if text[index] == " ":          # nothing that a line begins with
                    self._previous = " "
                    index += 1
                    continue
            else:
                point = self._next_point(text, index)
                if point < 0:
                    self._previous = text[-1]
                    return
                if text[point] in _ENDS:        # as nearly always: a sentence may begin behind it
                    self._previous = text[point]
                    self._fresh, self._json = True, bool(self._json)
                    index = point + 1
                    continue
                if point > index:
                    self._previous = text[point - 1]
                index = point
            char = text[index]
            if not self._ways and not self._matches and _begins_none(text[index : index + 3]) and not self._apostrophe:
                self._fresh, self._json = False, bool(self._json)
                self._previous = char
                index += 1
                continue
            self._character(char, at + index, where)
            self._previous = char
            if self.found >= 0:
                return
            index += 1

    def _next_point(self, text: str, index: int) -> int:
        if index:
            found = _POINT.search(text, index)
            return found.start() if found else -1
        found = _POINT.search(self._previous + text, len(self._previous))
        return found.start() - len(self._previous) if found else -1

    def _character(self, char: str, at: int, where: Where) -> None:
        self._now = at
        letters = fold(char)
        if self._json is None and not char.isspace():
            self._json = char == "{"
        if self._apostrophe:
            self._apostrophe = False
            if not _latin(letters):
                self._quotation_closed()
        if self._matches:
            self._weigh(char, at, letters)
        if not letters:
            self._sign(char, where)
            return
        if self._ways:
            self._ways = [way for way in self._ways if self._step(way, letters, at, where)]
        if letters[0] in _ROOT and (self._fresh or self._at_seam(char)):
            self._begin(letters, at, where, seam=not self._fresh)
        self._fresh = False

    def _sign(self, char: str, where: Where) -> None:
        """Punctuation, a blank or a mark."""
        if where is _FENCE:
            self._fresh = self._fresh or char in _ENDS or char == "\n"
        elif char == '"' and self._json:
            self._fresh = True
        elif char in self._opened:
            if char in _APOSTROPHES and _latin(self._previous):
                self._apostrophe = True         # the next character tells
            else:
                self._quotation_closed()
        elif not self._opened and char in _QUOTES:
            self._opened = _QUOTES[char]
            self._fresh = True
        elif not self._opened and char in _SINGLE and not _latin(self._previous):
            self._opened = _SINGLE[char]
            self._fresh = True
        elif char in _ENDS:
            self._fresh = True

    def _quotation_closed(self) -> None:
        self._opened = ""
        self._matches = [match for match in self._matches if not match.opened]

    def _closed_at_end(self) -> None:
        if self._apostrophe:
            self._apostrophe = False
            self._quotation_closed()

    def _at_seam(self, char: str) -> bool:
        if cjk(char):
            return self._previous not in _WEAK_ENDS
        return char.isupper() and (
            (self._previous.isalnum() and not self._previous.isupper()) or self._previous in ("]", ")", "）", "】", " ")
        )

    def _begin(self, letters: str, at: int, where: Where, *, seam: bool) -> None:
        way = _Way(at, _ROOT, seam, bool(self._opened))
        if self._step(way, letters, at, where):
            self._ways.append(way)

    def _step(self, way: _Way, letters: str, at: int, where: Where) -> bool:
        """False: this is not a line, or a whole one."""
        for letter in letters:
            node = way.node.get(letter)
            if node is None:
                return False
            way.node = node
            if "\u4e00" <= letter <= "\u9fff":
                way.wide += 1
            else:
                way.depth += 1
        if (end := way.node.get(END)) is None:
            return True
        firm = way.firm and END not in end
        if firm and not way.opened and where is _PROSE:
            self._meant(way.start)
            return False
        self._matches.append(_Match(way.start, at, not firm, way.seam and not firm, way.opened, where))
        return not firm                         # a longer line may begin with this one

    def _meant(self, start: int) -> None:
        """Of several lines the one that begins first."""
        self.found = start if self.found < 0 else min(self.found, start)
        self.by = self._now + 1

    def _weigh(self, char: str, at: int, letters: str) -> None:
        """The next character behind whole lines."""
        kept = []
        for match in self._matches:
            if match.sentence and (letters or char in _WEAK_ENDS):
                continue                        # the sentence goes on: it only began like one
            if match.last and letters:
                continue
            if match.sentence and char in _ENDS:
                match.sentence = False
            held_in_code = match.where is not _PROSE
            limit = _MAX_FENCE if match.where is _FENCE else _MAX_QUOTE
            sure = not (match.sentence or match.last or match.opened or held_in_code)
            if sure or ((match.opened or held_in_code) and not match.sentence and at - match.end > limit):
                self._meant(match.start)
            kept.append(match)
        self._matches = kept


def _begins_none(letters: str) -> bool:
    """Whether no line begins with these."""
    return letters.isascii() and letters.isalpha() and letters.lower() not in _BEGINNINGS


def _latin(letters: str) -> bool:
    """Of a script in which an apostrophe stands between letters."""
    return letters.isalnum() and not cjk(letters[0])


class DeflectionGuard(LeafReadingGuard):
    """Outbound: a stock line sends the question to another model."""

    name = "deflection"
    version = "2"

    def __init__(
        self, classifier: OutboundClassifier | None = None, *, threshold: float = 0.5, sure: float = 0.5,
        expects_reasoning: bool = False,
    ) -> None:
        """``threshold`` for the form of a sentence; ``sure``: the classifier's score from which a doubtful one counts.

        ``expects_reasoning``: the model thinks aloud before it answers, so that an answer without a thought is
        suspicious by itself.
        """
        self._classifier, self._threshold, self._sure = classifier, threshold, sure
        self._expects_reasoning = expects_reasoning

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector:  # noqa: ARG002
        """For one answer: `Reroute` for a line in it, one `Flag` for the first in the reasoning."""
        signals = _Signals(wide(question) if question else None, self._expects_reasoning)
        judge = _Deflections(question, signals, self._classifier, self._threshold, self._sure)
        return Detector(lambda: _Both(judge), around=_Known, thoughts=_Known, heard=signals.thought)


@dataclass(slots=True)
class _Signals:
    """What the way an answer comes in says about it."""

    wide: bool | None           # whether the question was asked in ideographs
    thoughtless: bool           # no thought came from a model that thinks

    def thought(self) -> None:
        """One came."""
        self.thoughtless = False


_LINE: Final = Reroute("canned_line", "deflection", 1.0)


class _Known:
    """A `Reader` of known lines."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines = Lines()

    def read(self, page: Page) -> int:
        safe = self._lines.read(page)
        if self._lines.found >= 0:
            page.judge(_LINE, self._lines.by)
        return safe


class _Both:
    """A `Reader` of known lines and of sentences that have their form."""

    __slots__ = ("_lines", "_safe", "_sentences")

    def __init__(self, judge: _Deflections) -> None:
        self._lines, self._sentences = Lines(), Sentences(judge)
        self._safe = 0

    def read(self, page: Page) -> int:
        lines, sentences = self._lines, self._sentences
        safe, judged = lines.read(page), sentences.read(page)
        if judged < safe:               # noqa: PLR1730 - half as dear as a call of min
            safe = judged
        if page.final or not safe == page.placed == page.end or not page.text[-1:].strip():
            safe = sentences.before_blanks(safe, final=page.final)
        if lines.found >= 0 and (sentences.by is None or lines.by <= sentences.by):
            page.judge(_LINE, lines.by)
        safe = self._safe = max(safe, self._safe)
        return safe


class _Deflections:
    """The judge of sentences."""

    __slots__ = ("_classifier", "_question", "_signals", "_sure", "_threshold")

    def __init__(
        self, question: str, signals: _Signals, classifier: OutboundClassifier | None, threshold: float, sure: float,
    ) -> None:
        self._question, self._signals, self._classifier = question, signals, classifier
        self._threshold, self._sure = threshold, sure

    def wants(self, word: str, second: str, place: Place) -> bool:
        return forms.opens(word, second, aside=place.aside)

    def may_begin(self, letters: str, place: Place) -> bool:
        return forms.may_open(letters, aside=place.aside)

    def suspects(self, text: str, place: Place) -> bool:
        return forms.may_deflect(text, seam=place.seam and not place.glued)

    def judge(self, sentences: str, place: Place, answer: Callable[[], str], *, last: bool) -> Verdict:
        score = self._weigh(sentences, place)
        if score >= self._threshold:
            return Reroute("canned_line", "deflection", score)
        if score >= _ASK and self._classifier is not None:
            scored = self._classifier.outbound(self._question, answer()).deflection
            if scored >= self._sure:
                return Reroute("canned_line", "deflection", scored)
        if not last and (score >= _ASK or len(sentences) < _SHORT or (place.seam and forms.form(sentences).sorry)):
            return MORE
        return Allow(score=score)

    def _weigh(self, sentences: str, place: Place) -> float:
        """The form, and what speaks for it in where and how it comes."""
        form = forms.form(sentences)
        score = form.deflects
        if place.switched and score and not form.helps:
            return min(score + 0.3, 1.0)    # nobody changes the script within a sentence to say such a thing
        if place.told:
            return min(max(score - 0.3, 0.0), _REPORTED)
        if form.whole and not form.helps:
            if place.led or (place.seam and _TITLED.search(sentences)):
                return min(score, _REPORTED)    # a speaker's words, an item, a title
            score = max(score, _WHOLE)
        elif form.kinds < 2 or form.helps:
            return score
        elif form.begins_unfit or not form.points:
            return min(score, _REPORTED)        # held for what it might have been; the classifier may know it
        if place.glued and not wide(sentences):
            score += 0.15           # nobody begins a sentence in the middle of a word
        elif place.seam and not form.greets:
            score -= 0.1
        if place.alone:
            score += 0.1            # all that there is
        if self._signals.wide is not None and self._signals.wide != wide(sentences):
            score += 0.1            # in another language than the question
        if self._signals.thoughtless:
            score += 0.1
        return min(max(score, 0.0), 1.0)


_WHOLE: Final = 0.6
_REPORTED: Final = 0.4          # not by its form alone
_TITLED: Final = re.compile(r" [A-Z][a-z]{3}")
"""In the middle of a sentence: a title, and nothing that is said to anybody."""
_ASK: Final = 0.25
_SHORT: Final = 16


def wide(text: str) -> bool:
    """Whether a text is written in ideographs, more or less."""
    return 3 * sum(map(cjk, text[:400])) > len(text[:400])
