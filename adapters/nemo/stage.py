"""NeMo's rails as a guard of ours, in either chain, under our policy's fail mode."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from adapters.guardmodels.verdicts import missing
from adapters.nemo.process import Direction, Reply
from engine.guards.policy import Category, Rules
from engine.guards.verdict import Allow, Mask, Refuse, Verdict
from engine.messages import Found
from engine.ports import Edit, Piece, Scan, Text

NAME: Final = "nemo"
VERSION: Final = "1"


class Rails(Protocol):
    """What a stage needs of the process."""

    async def ask(self, direction: Direction, question: str, text: str) -> Reply: ...


@dataclass(frozen=True, slots=True)
class NemoGuard:
    """Inbound: a blocked text is what the rule ``unsafe.nemo`` says, a modified one goes on as modified."""

    rails: Rails
    rules: Rules
    name: str = NAME
    version: str = VERSION
    beside: bool = True

    async def check(self, text: str) -> Verdict:
        """Raises `NoVerdict` when none came and the policy's fail mode is closed."""
        reply = await self.rails.ask("in", "", text)
        if reply.status == "modified":
            return Mask(reply.text, NAME, Category.TOPIC)
        return _verdict(reply, self.rules, text)


@dataclass(frozen=True, slots=True)
class NemoOutboundGuard:
    """Outbound: rails judge whole answers. ``hold``: nothing is shown before; else a late verdict takes it back."""

    rails: Rails
    rules: Rules
    hold: bool = True
    name: str = NAME
    version: str = VERSION

    def open(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> NemoStream:
        """One stream for one answer. Without a question (an answer shown again, a notice) nothing is judged."""
        del found, flags
        return NemoStream(self, question)


@dataclass(slots=True)
class NemoStream:
    """Reads along, and asks at the end."""

    guard: NemoOutboundGuard
    question: str
    _parts: list[str] = field(default_factory=list)
    _end: int = 0

    async def feed(self, piece: Piece) -> Scan:
        """Held, nothing is safe yet."""
        if isinstance(piece, Text):
            self._end += len(piece.text)
            if self.question:
                self._parts.append(piece.text)
        return Scan(0 if self.guard.hold and self.question else self._end)

    async def close(self) -> Scan:
        """Raises `NoVerdict` when none came and the policy's fail mode is closed."""
        answer = "".join(self._parts)
        if not answer.strip():
            return Scan(self._end)
        reply = await self.guard.rails.ask("out", self.question, answer)
        if reply.status == "modified" and self.guard.hold:
            return Scan(self._end, (Edit(0, self._end, reply.text, NAME),))
        if reply.status == "modified":          # it stands there already as it was not to be
            return Scan(self._end, verdict=Refuse(NAME, Category.TOPIC, self.guard.rules.reply(self.question)))
        return Scan(self._end, verdict=_verdict(reply, self.guard.rules, self.question, outbound=True))


def _verdict(reply: Reply, rules: Rules, text: str, *, outbound: bool = False) -> Verdict:
    if reply.status == "error":
        return missing(rules, NAME, reply.rail)
    if reply.status == "passed":
        return Allow("no rails here" if reply.rail else "")
    said = rules.verdict(Category.UNSAFE, NAME, text=text, outbound=outbound)
    return said if isinstance(said, Allow) else replace(said, rule=f"{NAME}:{reply.rail}"[:200])
