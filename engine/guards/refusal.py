"""Explicit refusals: a model that says in its first sentences that it will not do what was asked.

Only the opening is looked at (`SPAN` characters), by its form and, where the form leaves doubt, by a classifier.
A sentence is held back only while it could become a refusal. "I can't open attachments, but here is what
usually works" is help with a caveat; so where the first sentence leaves that open, the next one is awaited.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.guards import forms
from engine.guards.leaves import LeafReadingGuard
from engine.guards.page import Detector
from engine.guards.scores import OutboundClassifier
from engine.guards.sentences import MORE, Place, Sentences
from engine.guards.verdict import Allow, Reroute, Verdict
from engine.messages import Found

SPAN: Final = 300
"""A refusal begins within so many characters."""
_BEFORE: Final = 2          # sentences that may precede it
_PLAIN: Final = 0.8         # refused beyond doubt: nothing that follows makes it help
_ASK: Final = 0.3


class RefusalGuard(LeafReadingGuard):
    """Outbound: an explicit refusal sends the question to another model."""

    name = "refusal"
    version = "1"

    def __init__(
        self, classifier: OutboundClassifier | None = None, *, threshold: float = 0.6, sure: float = 0.5,
    ) -> None:
        """``threshold`` for the form; ``sure``: the classifier's score from which a doubtful form is a refusal."""
        self._classifier, self._threshold, self._sure = classifier, threshold, sure

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector:  # noqa: ARG002
        """For one answer."""
        judge = _Refusals(question, self._classifier, self._threshold, self._sure)
        return Detector(lambda: Sentences(judge, SPAN, quoted=False, seams=False))


class _Refusals:
    """The judge of sentences."""

    __slots__ = ("_classifier", "_question", "_sure", "_threshold")

    def __init__(
        self, question: str, classifier: OutboundClassifier | None, threshold: float, sure: float,
    ) -> None:
        self._question, self._classifier, self._threshold, self._sure = question, classifier, threshold, sure

    def wants(self, word: str, second: str, place: Place) -> bool:
        return not place.seam and place.before <= _BEFORE and forms.opens(word, second)

    def may_begin(self, letters: str, place: Place) -> bool:
        return not place.seam and forms.may_open(letters)

    def suspects(self, text: str, place: Place) -> bool:  # noqa: ARG002 - the same wherever it stands
        return forms.may_refuse(text)

    def judge(self, sentences: str, place: Place, answer: Callable[[], str], *, last: bool) -> Verdict:  # noqa: ARG002
        score = forms.refuses(sentences)
        if score >= _PLAIN or (last and score >= self._threshold):
            return Reroute("refusal", "refusal", score)
        if not last:
            return MORE if score >= _ASK or len(sentences) < forms.GATE else Allow()
        if self._classifier is not None and score >= _ASK:
            scored = self._classifier.outbound(self._question, answer()).refusal
            if scored >= self._sure:
                return Reroute("refusal", "refusal", scored)
        return Allow(score=score)
