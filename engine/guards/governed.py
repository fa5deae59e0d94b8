"""An outbound detector under a company's rules: the detector finds, the policy says what becomes of a find."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from engine.guards.leaves import IN_REASONING
from engine.guards.page import Detector, Opened, Page, Reader, ends, shared
from engine.guards.policy import UNSCANNED, Action, Category, Rule, Rules
from engine.guards.verdict import SHADOW, Allow, Flag, Verdict
from engine.guards.worn import Worn
from engine.messages import Found
from engine.ports import Edit, OutboundGuard, Piece, Scan, StreamGuard, Text

EDITS: Final[Mapping[str, str]] = MappingProxyType({
    "secrets": Category.SECRET, "personal": Category.PERSONAL, "mentions": Category.MENTION, "links": Category.LINK,
})
"""What the edits of a guard are about, by the guard's name; those of any other are no finds (citations)."""
FINDS: Final[Mapping[str, str]] = MappingProxyType({
    **EDITS, "leak": Category.LEAK, "deflection": Category.DEFLECTION, "refusal": Category.REFUSAL,
    "narrative": Category.NARRATIVE, "unsafe": Category.UNSAFE,
})
"""What a guard that broke would have been about."""


@dataclass(frozen=True, slots=True)
class Governed(Worn[OutboundGuard]):
    """A guard, and the rules that apply to this turn."""

    inner: OutboundGuard
    rules: Rules

    def open(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> GovernedStream:
        """One stream for one answer."""
        return GovernedStream(self.inner.open(question, found, flags), self._ruling(question), self._unscanned())

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector | None:
        """The inner one's, with the policy's word on its finds."""
        inner = shared(self.inner, question, found, flags)
        if inner is not None:
            inner.ruled = self._ruling(question).of     # it is new, and this answer's alone
            if (unscanned := self._unscanned()) is not None:
                inner.opened = _bearing(inner.opened, unscanned)
                inner.around = inner.around and _bearing(inner.around, unscanned)
                inner.thoughts = inner.thoughts and _bearing(inner.thoughts, unscanned)
        return inner

    def _unscanned(self) -> Verdict | None:
        return self.rules.unscanned(self.name, FINDS)

    def _ruling(self, question: str) -> Ruling:
        return Ruling(self.rules, question, EDITS.get(self.name, ""))


def _bearing(opened: Opened, unscanned: Verdict) -> Opened:
    return lambda: Bearing(opened(), unscanned)


class Bearing:
    """A `Reader` that may break: from there on everything is safe, and said to be unscanned."""

    __slots__ = ("_inner", "_unscanned")

    def __init__(self, inner: Reader, unscanned: Verdict) -> None:
        self._inner: Reader | None = inner
        self._unscanned = unscanned

    def read(self, page: Page) -> int:
        """As the inner one, while it can."""
        if self._inner is not None:
            try:
                return self._inner.read(page)
            except Exception:       # the policy's fail mode speaks for it, whatever it was
                self._inner = None
                page.judge(self._unscanned)
        return page.end


@dataclass(slots=True)
class GovernedStream:
    """The inner stream, until it ends an answer that the policy lets pass: from there on it is not heard any more.

    ``unscanned``: what is said when it breaks; None: it may not.
    """

    inner: StreamGuard
    ruling: Ruling
    unscanned: Verdict | None = None
    _end: int = 0
    _overruled: Verdict | None = None

    async def feed(self, piece: Piece) -> Scan:
        """As the inner one, with the policy's verdict in the place of its own."""
        if isinstance(piece, Text):
            self._end += len(piece.text)
        return Scan(self._end) if self._overruled else await self._heard(self.inner.feed(piece))

    async def close(self) -> Scan:
        """As the inner one."""
        if self._overruled:
            return Scan(self._end, verdict=self._overruled)
        return await self._heard(self.inner.close())

    async def _heard(self, scan: Awaitable[Scan]) -> Scan:
        try:
            return self._ruled(await scan)
        except Exception:           # as in `Bearing`
            if self.unscanned is None:
                raise
            self._overruled = self.unscanned
            return Scan(self._end, verdict=self.unscanned)

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
        if scan.verdict is None or isinstance(scan.verdict, Allow) or scan.verdict.rule == UNSCANNED:
            return scan
        return replace(scan, verdict=self._said(scan.verdict))

    def _said(self, verdict: Verdict) -> Verdict:
        """The detector has compared its score with a threshold of its own, so the rule's does not apply again.

        Models repeat their instructions and weigh stock lines in thought: at most that is flagged.
        """
        if verdict.rule.endswith(IN_REASONING):
            about = self.about or verdict.category
            rule = self.rules.rule(about, verdict.rule.removesuffix(IN_REASONING), outbound=True)
            rule = replace(rule, threshold=0.0, action=Action.ALLOW if rule.action is Action.ALLOW else Action.FLAG)
            return self.rules.apply(rule, about, verdict.rule, verdict.score)
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
                verdict = Allow(f"{SHADOW}{rule.action}:{edit.rule}", self.about)
            if action in (Action.REFUSE, Action.REROUTE):
                return Scan(edit.start, tuple(kept), self.rules.verdict(self.about, edit.rule, text=self.question,
                                                                        outbound=True))
            if action is Action.MASK:
                kept.append(edit)
            elif action is Action.FLAG and (verdict is None or isinstance(verdict, Allow)):
                verdict = Flag(edit.rule, self.about)
        return replace(scan, edits=tuple(kept), verdict=verdict)
