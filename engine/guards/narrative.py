"""A narrative in the place of an answer: official lines in essay form, which only a passage gives away.

Judged by a classifier, with the question as its context: at `FIRST` characters, then step by step, and at
the end. If the inbound side flagged the topic, the answer is held until it has been judged, and no further; if
not, it flows, and a verdict comes late: the words that stand by then are taken back, and the record says so.

Refusals and deflections that no form gave away are seen here as well, as late.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.guards.leaves import LeafReadingGuard
from engine.guards.page import Detector, Page
from engine.guards.scores import OutboundClassifier
from engine.guards.verdict import Flag, Reroute, Verdict
from engine.messages import Found

FIRST: Final = 320
"""Characters before the first judgement."""
STEP: Final = 240
"""Characters between two judgements of a held answer. One that flows is judged ever more rarely."""
SURE: Final = 0.8
"""The score from which an answer is a refusal or a deflection by that alone."""
WINDOW: Final = 8000
"""Characters of an answer that are judged together: its beginning, and its end."""
POLITICAL: Final = "political"


class NarrativeGuard(LeafReadingGuard):
    """Outbound: an answer that only recites sends the question to another model."""

    name = "narrative"
    version = "1"

    def __init__(
        self, classifier: OutboundClassifier | None = None, *, threshold: float = 0.5, passing: Collection[str] = (),
    ) -> None:
        """``threshold``: the score from which it is one. Without a classifier nothing is judged, or held.

        ``passing``: rules under which an answer goes on. Their first find is a flag, and what follows is judged.
        """
        self._classifier, self._threshold, self._passing = classifier, threshold, frozenset(passing)

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector:  # noqa: ARG002
        """For one answer; ``political`` among the flags holds it."""
        classifier, held = self._classifier, POLITICAL in flags

        def opened() -> NarrativeReader:
            return NarrativeReader(question, classifier, self._threshold, held=held, passing=self._passing)

        return Detector(opened)


class NarrativeReader:
    """A `Reader` of one text."""

    __slots__ = (
        "_classifier", "_end", "_flagged", "_head", "_held", "_judged", "_next", "_passing", "_question", "_tail",
        "_threshold",
    )

    def __init__(
        self, question: str, classifier: OutboundClassifier | None, threshold: float, *, held: bool,
        passing: frozenset[str] = frozenset(),
    ) -> None:
        self._question, self._classifier, self._threshold, self._held = question, classifier, threshold, held
        self._passing = passing
        self._flagged: set[str] = set()     # of the passing ones
        self._head = ""             # the first half of the window
        self._tail = ""             # the last
        self._end = 0
        self._judged = 0            # up to here it has been judged, and found fit
        self._next = FIRST

    def read(self, page: Page) -> int:
        """The next piece; safe is what has been judged, or all if it flows."""
        if self._classifier is None:
            return page.end
        text = page.text
        at = 0
        if self._end + len(text) < self._next and not page.final:       # nearly always: it is not time yet
            self._take(text)
            return self._judged if self._held else self._end
        while at < len(text):
            stop = min(at + self._next - self._end, len(text))      # the same places wherever the text was cut
            self._take(text[at:stop])
            at = stop
            if self._end == self._next and (verdict := self._judge()):
                page.judge(verdict, self._end)
                if isinstance(verdict, Reroute):
                    break
        over = page.news and isinstance(page.verdict, Reroute)
        if page.final and self._end > self._judged and not over and (verdict := self._judge()):
            page.judge(verdict, self._end)
        return self._judged if self._held else self._end

    def _take(self, text: str) -> None:
        self._end += len(text)
        room = WINDOW // 2 - len(self._head)
        self._head += text[:room] if room > 0 else ""
        self._tail = (self._tail + text[max(room, 0) :])[-WINDOW // 2 :]

    def _judge(self) -> Verdict | None:
        assert self._classifier is not None     # noqa: S101 - readers without one judge nothing
        scores = self._classifier.outbound(self._question, self._head + self._tail)
        late = "" if self._held else "late_"
        flag: Flag | None = None
        for category, score, needed in (
            ("narrative", scores.narrative, self._threshold), ("refusal", scores.refusal, SURE),
            ("deflection", scores.deflection, SURE),
        ):
            rule = f"{late}{category}"
            if score >= needed and rule not in self._passing:
                return Reroute(rule, category, score)
            if score >= needed and rule not in self._flagged and flag is None:
                self._flagged.add(rule)
                flag = Flag(rule, category, score)
        self._judged = self._end
        self._next = self._end + (STEP if self._held else max(STEP, self._end // 2))
        return flag
