"""The last look at a finished answer: does a passage stand behind what it claims?

Words are compared first (`engine.guards.grounding`), which costs a millisecond. Where the policy would act on a claim
that they leave in doubt, its meaning is compared, and a guard model is asked about what is in doubt then. Both may
lift a doubt and neither may add one; when they are away the doubt stays.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import sqrt
from typing import Final, Protocol

from engine.errors import Refused, RetrieverUnavailable
from engine.guards.grounding import SIMILAR, Claim, claims, sentences, weigh
from engine.guards.policy import UNSCANNED, Action, Category, FailMode, Rule, Rules
from engine.guards.verdict import Allow, Flag, Mask, Refuse, Reroute, Verdict
from engine.messages import Answer, Decision, Passage, Trail
from engine.ports import Fingerprint
from engine.prompt import head

CLAIMS: Final = 8
SENTENCES: Final = 48
"""So many doubtful claims are compared by meaning, with so many sentences: each vector takes some milliseconds."""


class Meaning(Protocol):
    """Vectors of sentences, close where they mean the same."""

    async def query(self, text: str) -> Sequence[float]:
        """Raises `RetrieverUnavailable`."""
        ...


class Support(Protocol):
    """A guard model that knows whether passages carry an answer."""

    async def carries(self, answer: str, passages: Sequence[str]) -> bool | None:
        """None: no verdict came."""
        ...


def _nowhere() -> Meaning | None:
    return None


@dataclass(frozen=True, slots=True)
class GroundingCheck:
    """Under the rules of one turn. ``meaning`` is asked for at each check: an index changes hands while we run."""

    rules: Rules
    fingerprint: Fingerprint
    meaning: Callable[[], Meaning | None] = field(default=_nowhere, repr=False)
    support: Support | None = field(default=None, repr=False)
    name: str = "grounding"
    version: str = "1"

    @property
    def holds(self) -> bool:
        """Nothing of an answer may be shown before it was checked: the policy may refuse it."""
        return self._acts and self._rule.action is not Action.MASK

    @property
    def _acts(self) -> bool:
        return self._rule.action not in (Action.ALLOW, Action.FLAG) and not self._rule.shadow

    @property
    def _rule(self) -> Rule:
        return self.rules.rule(Category.UNGROUNDED, "claim", outbound=True)

    async def check(self, answer: Answer, passages: Sequence[Passage], trail: Trail) -> Answer:
        """The answer, its unsupported claims marked where the policy says so. Raises `Refused`.

        Without any passage the note under the answer speaks for all of it, and no single claim is marked.
        """
        try:
            verdict = weigh(answer.text, await self._claims(answer.text, passages), self.rules)
        except Exception as error:
            return self._broken(answer, error, trail)
        if isinstance(verdict, Mask) and not passages:
            verdict = Flag(verdict.rule, verdict.category, verdict.score)
        self._note(trail, answer, verdict)
        if isinstance(verdict, Refuse | Reroute):       # another model would have no more to go by
            reply = verdict.reply if isinstance(verdict, Refuse) else self.rules.reply(answer.text)
            raise Refused(f"{self.name}: {verdict.rule}", reply)
        return replace(answer, text=verdict.text) if isinstance(verdict, Mask) else answer

    async def _claims(self, answer: str, passages: Sequence[Passage]) -> Sequence[Claim]:
        found: Sequence[Claim]
        if passages:
            found = await asyncio.to_thread(_compared, answer, passages)
        else:                   # not worth a thread
            found = _compared(answer, passages)
        if not self._acts or not passages:
            return found
        texts = [passage.text for passage in passages]
        if (meaning := self.meaning()) is not None and (doubtful := self._doubtful(found)):
            close = await _close([answer[claim.start : claim.end] for claim in doubtful[:CLAIMS]], texts, meaning)
            sure = {claim for claim, closeness in zip(doubtful, close, strict=False) if closeness >= SIMILAR}
            found = [replace(claim, support=1.0) if claim in sure else claim for claim in found]
        if self.support is not None and self._doubtful(found) and await self.support.carries(answer, texts):
            found = [claim if claim.number else replace(claim, support=1.0) for claim in found]
        return found

    def _doubtful(self, found: Sequence[Claim]) -> list[Claim]:
        """What the policy would act on and a closer look may lift: a number that nobody gave is not lifted."""
        return [claim for claim in found if not claim.number and 1.0 - claim.support >= self._rule.threshold]

    def _broken(self, answer: Answer, error: Exception, trail: Trail) -> Answer:
        """The policy's fail mode speaks."""
        match self.rules.fails(self.name):
            case FailMode.OPEN:
                self._note(trail, answer, Allow(UNSCANNED))
            case FailMode.DEGRADE:
                self._note(trail, answer, Flag(UNSCANNED, Category.UNGROUNDED))
            case _:
                self._note(trail, answer, Flag(type(error).__name__, ""), "error")
                raise Refused(f"{self.name} broke: {type(error).__name__}", self.rules.reply(answer.text)) from error
        return answer

    def _note(self, trail: Trail, answer: Answer, verdict: Verdict, action: str = "") -> None:
        size = len(answer.text)
        trail.decisions.append(Decision(
            "out", self.name, self.version, action or verdict.action, verdict.rule, verdict.category, verdict.score,
            self.fingerprint(answer.text), size, 0 if self.holds else size,
        ))


async def _close(said: Sequence[str], passages: Sequence[str], meaning: Meaning) -> list[float]:
    """Of each sentence, how close the closest sentence of the passages is, -1 to 1; none when vectors are away."""
    given = [sentence for passage in passages for sentence in sentences(passage)][:SENTENCES]
    try:
        vectors = await asyncio.gather(*(meaning.query(sentence) for sentence in (*given, *said)))   # as few batches
    except RetrieverUnavailable:
        return []
    known = vectors[: len(given)]
    return [max((_cosine(vector, other) for other in known), default=-1.0) for vector in vectors[len(given) :]]


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    size = sqrt(sum(x * x for x in one) * sum(y * y for y in other))
    return sum(x * y for x, y in zip(one, other, strict=True)) / size if size else 0.0


def _compared(answer: str, passages: Sequence[Passage]) -> Sequence[Claim]:
    """The claims, word by word. The date above a passage counts for a sentence that tells it, and for no other.

    Else a page that was changed on the 7th would stand behind whatever takes seven days.
    """
    found = claims(answer, [passage.text for passage in passages])
    dates = [passage.date for passage in passages if passage.date and passage.document]
    telling = {claim.start for claim in found if any(_tells(answer[claim.start : claim.end], date) for date in dates)}
    if not telling:
        return found
    dated = claims(answer, [_dated(passage) for passage in passages])       # of the same sentences
    return [late if late.start in telling else claim for claim, late in zip(found, dated, strict=True)]


def _dated(passage: Passage) -> str:
    """What the model could read of a passage, its head included, and the date in words as well."""
    if not (passage.date and passage.document):
        return passage.text
    return f"{passage.text}\n\n{head(passage)}, {passage.date:%d %B %Y}."


def _tells(sentence: str, date: datetime) -> bool:
    """Whether it names this date, or its month; a bare year where it speaks of a change."""
    day, month = rf"0?{date.day}(?:st|nd|rd|th)?", rf"(?:{date:%B}|{date:%b}\.?)"
    named = rf"\b(?:{date:%Y-%m-%d}|{day}(?: of)? {month}|{month} {day}|{month},? {date.year})\b"
    changed = rf"\b(?:changed|updated|revised|edited|modified)\b.*\b{date.year}\b"
    return re.search(f"{named}|{changed}", sentence, re.IGNORECASE | re.DOTALL) is not None
