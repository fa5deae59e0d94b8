"""Unsafe content in an answer: harm that is explained or done, which only a passage gives away.

Judged a window at a time as the answer comes in, and at the end: by rules, and by a classifier that was taught what
such answers sound like beside honest reports on a crime. Each raises the suspicion, and neither alone needs the other.
Where the inbound side found the question unsafe, a classifier that knows such questions is asked about the windows too,
and the answer is held until each was judged. Where it did not, the answer flows and a verdict comes late: what stands
by then is taken back. What knows questions has no say there: a report on a crime reads to it like a request for one.
"""

from __future__ import annotations

from typing import Final, Protocol

from engine.guards.harm import harm
from engine.guards.injection import InboundClassifier, together
from engine.guards.leaves import LeafReadingGuard
from engine.guards.normalise import normalise
from engine.guards.page import Detector, Page
from engine.guards.suspicion import joined
from engine.guards.verdict import Refuse
from engine.messages import Found

STEP: Final = 480
"""Characters between two judgements of an answer that flows,"""
HELD_STEP: Final = 240
"""and of one that is held."""
LAPPED: Final = 240
"""Characters before them that are read again."""
SURELY: Final = 0.97
UNSAFE: Final = "unsafe"


class UnsafeClassifier(InboundClassifier, Protocol):
    """Judges questions, and windows of answers."""

    def harmful(self, passage: str) -> float: ...       # 0 to 1


class UnsafeGuard(LeafReadingGuard):
    """Outbound: refuses an answer that helps to do harm, or does it in words."""

    name = "unsafe"
    version = "1"

    def __init__(
        self, classifier: UnsafeClassifier | None = None, *, threshold: float = SURELY,
        reply: str = "I may not show the answer to this.",
    ) -> None:
        """``threshold``: suspicion from which on it is one, 0 to 1. ``reply`` is what the person reads instead."""
        self._classifier, self._threshold, self._reply = classifier, threshold, reply

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector:  # noqa: ARG002
        """For one answer; ``unsafe`` among the flags holds it."""
        held = UNSAFE in flags

        def opened() -> UnsafeReader:
            return UnsafeReader(self._classifier, self._threshold, self._reply, held=held)

        return Detector(opened)


class UnsafeReader:
    """A `Reader` of one text."""

    __slots__ = ("_classifier", "_end", "_held", "_judged", "_next", "_reply", "_step", "_threshold", "_window")

    def __init__(self, classifier: UnsafeClassifier | None, threshold: float, reply: str, *, held: bool) -> None:
        self._classifier, self._threshold, self._reply, self._held = classifier, threshold, reply, held
        self._step = HELD_STEP if held else STEP
        self._window = ""
        self._end = 0
        self._judged = 0            # up to here it has been judged, and found fit
        self._next = self._step

    def read(self, page: Page) -> int:
        """The next piece; safe is what has been judged, or all if it flows."""
        text, at = page.text, 0
        if self._end + len(text) < self._next and not page.final:       # nearly always: it is not time yet
            self._window += text
            self._end += len(text)
            return self._judged if self._held else page.end
        while at < len(text):
            stop = min(at + self._next - self._end, len(text))      # the same places wherever the text was cut
            self._window += text[at:stop]
            self._end += stop - at
            at = stop
            if self._end == self._next and not self._fit(page):
                return self._judged if self._held else page.end
        if page.final and self._end > self._judged:
            self._fit(page)
        return self._judged if self._held else page.end

    def _fit(self, page: Page) -> bool:
        """Judges the window, and moves on if there is nothing to say against it."""
        found = harm(normalise(self._window))
        score = found.score
        if self._classifier is not None:
            score = joined(score, self._classifier.harmful(self._window))
            if self._held:
                score = together(score, self._classifier.inbound(self._window).unsafe)
        if score >= self._threshold:
            page.judge(Refuse(found.rule or "classifier", UNSAFE, self._reply, score), self._end)
            return False
        self._judged = self._end
        self._next = self._end + self._step
        self._window = self._window[-LAPPED:]
        return True
