"""What a text is about: sensitive politics, harm, and subjects of the company's own.

Rules give the classifier a second opinion: they know names and events, and the forms in which people ask for harm;
it knows everything in between. As with injections the suspicions are joined, so each side can only raise the whole.
A topic is no verdict on a person: out of the box politics is flagged, and the outbound side then looks for the
official line in the place of an answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import re2

from engine.guards.harm import harm
from engine.guards.injection import InboundClassifier, together
from engine.guards.normalise import LONG, normalise, variants
from engine.guards.orders import Signs, plain_pattern
from engine.guards.policy import Category, Rules, gravest
from engine.guards.segments import MAX_READ
from engine.guards.subjects import OFFICE, POLITICAL
from engine.guards.suspicion import Suspicion, joined, read, sentencewise
from engine.guards.terms import lexicon
from engine.guards.verdict import Verdict

_ALONE: Final = 0.94


@lru_cache(maxsize=1)
def political_signs() -> Signs:
    return Signs((POLITICAL,))


_OF_AN_OFFICE: Final = frozenset({"power", "state"})
"""Rules that the affairs of a company meet, too: its president, a party to a contract, a holiday in the US."""
_IN_ANY_TALK: Final = frozenset({"blame", "form"})
"""Rules that mean nothing alone: a critique, of what?"""
_OFFICE: Final = re2.compile(plain_pattern(OFFICE))


def named(plain: str) -> Suspicion:
    """How likely a normalised text is about sensitive politics; half as likely where nothing but powers and states is
    named. What an office calls by such words is not read."""
    found = sentencewise(political_signs(), plain)
    if found.score and _OFFICE.search(plain.encode()):
        plain = _OFFICE.sub(" ", plain)
        found = sentencewise(political_signs(), plain)
    if found.score:
        met, _ = read(political_signs(), plain)
        if _OF_AN_OFFICE.issuperset(met) or (len(met) == 1 and _IN_ANY_TALK.issuperset(met)):
            return Suspicion(found.score / 2, found.rule)
    return found


def politics(by_rules: float, by_classifier: float) -> float:
    """Both as one suspicion. A flag takes nothing from anybody, so a classifier may raise one alone."""
    return joined(by_rules, _ALONE * by_classifier)


def political(text: str) -> Suspicion:
    """How likely a text is about sensitive politics, by the rules alone."""
    return named(plainly(text))


def unsafe(text: str) -> Suspicion:
    """How likely a text asks for harm or does it, by the rules alone."""
    return harm(plainly(text))


def plainly(text: str) -> str:
    """Head and tail of the text, with what is decoded out of it."""
    head = text if len(text) <= 2 * MAX_READ else text[:MAX_READ] + "\n" + text[-MAX_READ:]
    return normalise("\n".join((head, *(variant.text for variant in variants(head)))))


@dataclass(frozen=True, slots=True)
class TopicsGuard:
    """Inbound: flags or refuses by subject."""

    rules: Rules
    classifier: InboundClassifier | None = None
    name = "topics"
    version = "1"
    beside = True

    async def check(self, text: str) -> Verdict:
        """The gravest of what the policy says about ``political``, ``unsafe`` and each topic of the company's own."""
        return await asyncio.to_thread(self.judge, text) if len(text) > LONG else self.judge(text)

    def judge(self, text: str) -> Verdict:
        """As `check`, at once."""
        plain = plainly(text)
        scores = self.classifier.inbound(text) if self.classifier else None
        about, harmful = named(plain), harm(plain)
        verdicts = [
            self._verdict(Category.POLITICAL, about, politics(about.score, scores.political if scores else 0.0), text),
            self._verdict(Category.UNSAFE, harmful, together(harmful.score, scores.unsafe if scores else 0.0), text),
        ]
        verdicts += (
            self.rules.verdict(Category.TOPIC, topic.name, text=text, change=topic.change)
            for topic in self.rules.topics if lexicon(topic.phrases, ()).find(text)
        )
        return gravest(verdicts)

    def _verdict(self, category: Category, suspicion: Suspicion, score: float, text: str) -> Verdict:
        return self.rules.verdict(category, suspicion.rule or "classifier", score, text=text)
