"""Several inbound guards as one: the first refusal wins, and every verdict is noted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.errors import Refused
from engine.guards.verdict import Allow, Flag, Mask, Refuse, Reroute
from engine.messages import Decision, Trail
from engine.ports import Fingerprint, Guard

BROKEN: Final = "I could not check your message, so I will not answer it. Please try again in a few minutes."
ELSEWHERE: Final = "I may not answer this."
_VERDICTS: Final = (Allow, Flag, Mask, Refuse, Reroute)


@dataclass(frozen=True, slots=True)
class Passed:
    """A message that may go on, as it may go on; ``flags`` are categories to look at more closely on the way out."""

    text: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inbound:
    """The guards in front of the model. One that breaks counts as a refusal."""

    guards: Sequence[Guard]
    fingerprint: Fingerprint

    async def first(self, text: str, trail: Trail) -> Passed:
        """What must be known before anything else sees the text; each guard reads what the last one left.

        Raises `Refused`.
        """
        return await self._in_order([guard for guard in self.guards if not guard.beside], text, trail)

    async def beside(self, text: str, trail: Trail) -> Passed:
        """What may be judged beside retrieval, all at once; the first refusal cancels the others.

        Raises `Refused`.
        """
        guards = [guard for guard in self.guards if guard.beside]
        digest = self.fingerprint(text)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._ask(guard, text, digest, trail)) for guard in guards]
        except BaseExceptionGroup as errors:
            refusal = _first(errors)
            raise refusal from refusal.__cause__
        verdicts = [task.result() for task in tasks]
        flags = tuple(verdict.category for verdict in verdicts if isinstance(verdict, Flag))
        masking = [guard for guard, verdict in zip(guards, verdicts, strict=True) if isinstance(verdict, Mask)]
        masks = [verdict for verdict in verdicts if isinstance(verdict, Mask)]
        if not masks:
            return Passed(text, flags)
        # Each has masked the same text; so the first one's is what the others are asked about again.
        rest = await self._in_order(masking[1:], masks[0].text, trail)
        return Passed(rest.text, flags + rest.flags)

    async def _in_order(self, guards: Sequence[Guard], text: str, trail: Trail) -> Passed:
        flags: list[str] = []
        digest = self.fingerprint(text)
        for guard in guards:
            verdict = await self._ask(guard, text, digest, trail)
            if isinstance(verdict, Mask):
                text, digest = verdict.text, self.fingerprint(verdict.text)
            elif isinstance(verdict, Flag):
                flags.append(verdict.category)
        return Passed(text, tuple(flags))

    async def _ask(self, guard: Guard, text: str, digest: str, trail: Trail) -> Allow | Flag | Mask:
        """The verdict, noted, when it lets the text go on; else raises `Refused`."""
        try:
            verdict = await guard.check(text)
            if not isinstance(verdict, _VERDICTS):
                raise TypeError("not a verdict")    # noqa: TRY301 - the same as breaking
        except Exception as error:
            trail.decisions.append(Decision(
                "in", guard.name, guard.version, "error", type(error).__name__, text_hash=digest, scanned=len(text),
            ))
            raise Refused(f"{guard.name} broke: {type(error).__name__}", BROKEN) from error
        trail.decisions += [
            Decision("in", guard.name, guard.version, each.action, each.rule, each.category, each.score, digest,
                     len(text))
            for each in (*verdict.also, verdict)
        ]
        if isinstance(verdict, Refuse):
            raise Refused(f"{guard.name}: {verdict.rule}", verdict.reply)
        if isinstance(verdict, Reroute):            # there is no other model for a question
            raise Refused(f"{guard.name}: {verdict.rule}", ELSEWHERE)
        return verdict


def _first(errors: BaseException) -> BaseException:
    """One error, out of however many groups it is wrapped in."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors
