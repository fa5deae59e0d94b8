"""An outbound detector under a company's rules: the detector finds, the policy says what becomes of a find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from engine.guards.page import Detector, ends, shared
from engine.guards.policy import Action, Category, Rule, Rules
from engine.guards.verdict import Allow, Flag, Verdict
from engine.guards.worn import Worn
from engine.messages import Found
from engine.ports import Edit, OutboundGuard, Piece, Scan, StreamGuard, Text

EDITS: Final[Mapping[str, str]] = MappingProxyType({
    "secrets": Category.SECRET, "personal": Category.PERSONAL, "mentions": Category.MENTION, "links": Category.LINK,
})
"""What the edits of a guard are about, by the guard's name; those of any other are no finds (citations)."""


@dataclass(frozen=True, slots=True)
class Governed(Worn[OutboundGuard]):
    """A guard, and the rules that apply to this turn."""

    inner: OutboundGuard
    rules: Rules

    def open(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> GovernedStream:
        """One stream for one answer."""
        return GovernedStream(self.inner.open(question, found, flags), self._ruling(question))

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector | None:
        """The inner one's, with the policy's word on its finds."""
        inner = shared(self.inner, question, found, flags)
        if inner is not None:
            inner.ruled = self._ruling(question).of     # it is new, and this answer's alone
        return inner

    def _ruling(self, question: str) -> Ruling:
        return Ruling(self.rules, question, EDITS.get(self.name, ""))


@dataclass(slots=True)
class GovernedStream:
    """The inner stream, until it ends an answer that the policy lets pass: from there on it is not heard any more."""

    inner: StreamGuard
    ruling: Ruling
    _end: int = 0
    _overruled: Verdict | None = None

    async def feed(self, piece: Piece) -> Scan:
        """As the inner one, with the policy's verdict in the place of its own."""
        if isinstance(piece, Text):
            self._end += len(piece.text)
        return Scan(self._end) if self._overruled else self._ruled(await self.inner.feed(piece))

    async def close(self) -> Scan:
        """As the inner one."""
        if self._overruled:
            return Scan(self._end, verdict=self._overruled)
        return self._ruled(await self.inner.close())

    def _ruled(self, scan: Scan) -> Scan:
        said = self.ruling.of(scan)
        if ends(scan.verdict) and not ends(said.verdict):
            self._overruled = said.verdict
            return replace(said, safe=self._end)
        return said


@dataclass(slots=True)
class Ruling:
    """What becomes of the finds of one guard in one answer."""

    rules: Rules
    question: str
    about: str                  # what its edits are about; empty: they are no finds
    _known: dict[str, Rule] = field(default_factory=dict)

    def of(self, scan: Scan) -> Scan:
        """The scan, with the policy's verdict in the place of the detector's."""
        if scan.edits and self.about:
            scan = self._edited(scan)
        if scan.verdict is None or isinstance(scan.verdict, Allow):
            return scan
        return replace(scan, verdict=self._said(scan.verdict))

    def _said(self, verdict: Verdict) -> Verdict:
        """The detector has compared its score with a threshold of its own, so the rule's does not apply again."""
        rule = replace(self.rules.rule(verdict.category, verdict.rule, outbound=True), threshold=0.0)
        return self.rules.apply(rule, verdict.category, verdict.rule, verdict.score, text=self.question)

    def _edited(self, scan: Scan) -> Scan:
        """Edits stay where the policy masks; where it allows, the text does; where it refuses, the answer ends."""
        kept: list[Edit] = []
        verdict = scan.verdict
        for edit in scan.edits:
            rule = self._known.get(edit.rule)
            if rule is None:
                rule = self._known[edit.rule] = self.rules.rule(self.about, edit.rule, outbound=True)
            action = Action.ALLOW if rule.shadow else rule.action
            if rule.shadow and verdict is None:
                verdict = Allow(f"shadow:{rule.action}:{edit.rule}", self.about)
            if action in (Action.REFUSE, Action.REROUTE):
                return Scan(edit.start, tuple(kept), self.rules.verdict(self.about, edit.rule, text=self.question,
                                                                        outbound=True))
            if action is Action.MASK:
                kept.append(edit)
            elif action is Action.FLAG and (verdict is None or isinstance(verdict, Allow)):
                verdict = Flag(edit.rule, self.about)
        return replace(scan, edits=tuple(kept), verdict=verdict)
