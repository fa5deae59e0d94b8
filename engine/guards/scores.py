"""What the outbound guards ask of a classifier; `engine.guards.classifier` answers."""

from __future__ import annotations

from typing import Protocol


class OutboundScores(Protocol):
    """How suspicious an answer is, by what it may be; each 0 to 1."""

    @property
    def deflection(self) -> float: ...
    @property
    def refusal(self) -> float: ...
    @property
    def narrative(self) -> float: ...


class OutboundClassifier(Protocol):
    """Judges an answer, or as much of it as there is, by the question that it was given to."""

    def outbound(self, question: str, answer: str) -> OutboundScores: ...
