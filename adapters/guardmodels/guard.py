"""A guard model at its two places: beside retrieval for what came in, at the end of an answer for what goes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from adapters.guardmodels.judgement import Family, Judgement
from adapters.guardmodels.verdicts import missing, verdict
from engine.guards.policy import Rules
from engine.guards.verdict import Allow, Verdict
from engine.messages import Found
from engine.ports import Piece, Scan, Text
from engine.prompt import ChatMessage

NAME: Final = "model"


class Judge(Protocol):
    """What a guard needs of a guard model."""

    @property
    def family(self) -> Family: ...
    async def judge(self, messages: Sequence[ChatMessage]) -> Judgement: ...


@dataclass(frozen=True, slots=True)
class ModelGuard:
    """Inbound, for the grey zone only: ``needed`` says of which texts our own classifier is not sure."""

    judge: Judge
    rules: Rules
    needed: Callable[[str], bool]
    strict: bool = False
    name: str = NAME
    beside: bool = True

    @property
    def version(self) -> str:
        """Which family judges."""
        return self.judge.family.name

    async def check(self, text: str) -> Verdict:
        """Raises `NoVerdict` when none came and the policy's fail mode is closed."""
        if not self.needed(text):
            return Allow()
        judgement = await self.judge.judge([ChatMessage("user", text)])
        if judgement.severity == "error":
            return missing(self.rules, self.name, "no judgement")
        return verdict(judgement, self.judge.family, self.rules, text=text, strict=self.strict)


@dataclass(frozen=True, slots=True)
class ModelOutboundGuard:
    """Outbound: judges a whole answer with its question, once it has ended.

    ``held``: flags of the inbound side with which nothing is shown before the judgement, so that there always is one;
    without them ``needed`` says of question and answer whether to ask, the answer streams, and a late verdict takes
    it back.
    """

    judge: Judge
    rules: Rules
    needed: Callable[[str, str], bool]
    held: frozenset[str] = frozenset()
    strict: bool = False
    name: str = NAME

    @property
    def version(self) -> str:
        """Which family judges."""
        return self.judge.family.name

    def open(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> ModelStream:
        """One stream for one answer. Without a question (an answer shown again, a notice) nothing is judged."""
        del found
        return ModelStream(self, question, hold=bool(question) and not self.held.isdisjoint(flags))


@dataclass(slots=True)
class ModelStream:
    """Reads along, and asks at the end."""

    guard: ModelOutboundGuard
    question: str
    hold: bool
    _parts: list[str] = field(default_factory=list)
    _end: int = 0

    async def feed(self, piece: Piece) -> Scan:
        """Everything is safe so far, or, held, nothing is."""
        if isinstance(piece, Text):
            self._end += len(piece.text)
            if self.question:
                self._parts.append(piece.text)
        return Scan(0 if self.hold else self._end)

    async def close(self) -> Scan:
        """Raises `NoVerdict` when no judgement came and the policy's fail mode is closed."""
        guard, answer = self.guard, "".join(self._parts)
        if not answer.strip() or not (self.hold or guard.needed(self.question, answer)):
            return Scan(self._end)
        judgement = await guard.judge.judge([ChatMessage("user", self.question), ChatMessage("assistant", answer)])
        if judgement.severity == "error":
            said = missing(guard.rules, guard.name, "no judgement")
        else:
            said = verdict(judgement, guard.judge.family, guard.rules, text=self.question, strict=guard.strict,
                           outbound=True)
        return Scan(self._end, verdict=said)
