"""Instructions that somebody smuggles in: overrides, forged roles, personae without rules, questions for the prompt.

Three things are looked at, and their suspicions joined: rules over the normalised text and over what is decoded out
of it; the *segments* of a text that are somebody else's words (quoted, forwarded, a file, what a tool returned),
where speaking to the assistant at all is suspicious; and the classifier's score. Each can only raise the whole, so
the result is monotone in every part. Passages from the index are such segments as well: `screen_passages`.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Final, Protocol

import re2

from engine.guards.harm import harm
from engine.guards.normalise import LONG, normalise, variants
from engine.guards.orders import Where, signs
from engine.guards.policy import HOUSE, Action, Category, Rules
from engine.guards.segments import MAX_READ, Segment, segments, stray
from engine.guards.suspicion import Suspicion, joined
from engine.guards.verdict import Allow, Mask, Refuse, Reroute, Verdict
from engine.messages import Found, Passage

TRUST: Final = 0.75
"""What the classifier's word on harm counts beside the rules: on what it never saw it errs more often than they."""
JOINT: Final = 0.95
"""What it counts where it has weighed the rules itself."""
_SURE: Final = 0.94             # from here on it counts for more and more, up to all
_DRESSED: Final = 120           # characters that a request and its dress take
_HARMFUL: Final = 0.55
_NAMED: Final = 0.4
_MAX_JUDGED: Final = 8          # segments that the classifier reads, the longest ones
TAKEN_OUT: Final = "[a sentence that gives orders was left out]"


class InboundScores(Protocol):
    """What a classifier says about one text; all 0 to 1."""

    @property
    def injection(self) -> float: ...
    @property
    def unsafe(self) -> float: ...
    @property
    def political(self) -> float: ...


class InboundClassifier(Protocol):
    """Judges a text; pure and quick."""

    def inbound(self, text: str) -> InboundScores: ...


def together(by_rules: float, by_classifier: float) -> float:
    """Both as one suspicion. A classifier that is alone must be all but certain to count as much as a clear rule."""
    beyond = max(by_classifier - _SURE, 0.0) / (1.0 - _SURE)
    return joined(by_rules, TRUST * by_classifier * (1.0 - beyond) + by_classifier * beyond)


def joint(by_rules: float, by_classifier: float) -> float:
    """Both as one suspicion, of an injection: the classifier knows what the rules have found.

    A classifier that alone is just at its threshold brings the whole just to that of the house's rule.
    """
    both, needed = joined(by_rules, JOINT * by_classifier), HOUSE[Category.INJECTION].threshold
    brought = JOINT * needed
    return both * needed / brought if both < brought else needed + (both - brought) * (1.0 - needed) / (1.0 - brought)


def judged(text: str, classifier: InboundClassifier | None, *, data: bool = False) -> float:
    """What the classifier says of the worst segment: a long harmless document must not hide a short order in it."""
    if classifier is None:
        return 0.0
    parts = (Segment(text, True),) if data else segments(text)
    longest = sorted(parts, key=lambda part: len(part.text), reverse=True)[:_MAX_JUDGED]
    return max((classifier.inbound(part.text).injection for part in longest), default=0.0)


def read(text: str, *, data: bool = False) -> Suspicion:
    """What the rules say about a text, and about each of its segments. ``data``: all of it is somebody else's."""
    found = met(text, data=data)
    return Suspicion(joined(*found.values()), max(found, key=lambda rule: found[rule])) if found else Suspicion(0.0)


def met(text: str, *, data: bool = False) -> dict[str, float]:
    """The rules that a text meets, with the weight of each."""
    head = text if len(text) <= 2 * MAX_READ else text[:MAX_READ] + "\n" + text[-MAX_READ:]
    parts = (Segment(head, True),) if data else segments(head)
    found: dict[str, float] = {}
    for part in parts:
        for rule, weight in _met(part).items():
            found[rule] = max(found.get(rule, 0.0), weight)
    for variant in variants(text):      # why should anybody hide a harmless sentence?
        hidden = signs(Where.BOTH if data else Where.ASKED).read(normalise(variant.text))
        if hidden:
            found[f"encoded_{variant.kind}"] = max(0.95, *hidden.values())
        elif variant.kind == "tags":
            found["encoded_tags"] = 0.95
    return found


_FRAMES: Final = re2.compile(
    r"\b(?:you are (?:an?|the|now|my)|you're an?|imagine|pretend|suppose|picture|act(?:ing)? as"
    r"|role-?play\w*|as an? \w+"
    r" (?:\w+ )?(?:expert|researcher|writer|teacher|journalist|engineer|scientist|author|actor|consultant"
    r"|officer|doctor)"
    r"|fiction\w*|hypothetical\w*|novel|screenplay|script for|character|story (?:about|where|in which)|scene"
    r"|for (?:a |an |my )?(?:educational|research|academic|safety|training|awareness) \w+|dialogue"
    r"|thought experiment)\b"
)
"""How a request is dressed up; harmless by itself."""
_TOLD: Final = re2.compile(
    r"\b(?:explain\w*|describ\w+|teach\w*|show\w*|tell\w*|walk\w*|instruct\w*|giv\w+|list\w*|recit\w+)\b[^.!?\n]*"
    r"\b(?:how|step[- ]by[- ]step|all (?:\w+ )?(?:amounts|steps|details|ingredients|quantities|temperatures)|exact\w*"
    r"|precise\w*|detailed|in (?:full |great )?detail|measurements|instructions|recipe|ingredients)\b"
)
"""What such a scene is for, where a crime is only named in it."""


def _met(part: Segment) -> dict[str, float]:
    plain = normalise(part.text)
    met = signs(Where.BOTH if part.data else Where.ASKED).read(plain)
    if not part.data and len(plain) > _DRESSED and _FRAMES.search(plain.encode()):
        weight = harm(plain).score
        if weight >= _HARMFUL:
            met["dressed_up"] = weight * 0.8
        elif weight >= _NAMED and _TOLD.search(plain.encode()):
            met["dressed_up"] = 0.7
    if part.data and stray(part.text):
        met["stray"] = 0.6
    return met


@dataclass(frozen=True, slots=True)
class InjectionGuard:
    """Inbound: what a person sends, with all that it brings along."""

    rules: Rules
    classifier: InboundClassifier | None = None
    name = "injection"
    version = "1"
    beside = True

    async def check(self, text: str) -> Verdict:
        """What the policy says about ``injection``; a long text is read off the event loop."""
        return await asyncio.to_thread(self.judge, text) if len(text) > LONG else self.judge(text)

    def judge(self, text: str) -> Verdict:
        """As `check`, at once."""
        suspicion = read(text)
        score = joint(suspicion.score, judged(text, self.classifier))
        if not score:
            return Allow(category=Category.INJECTION, score=0.0)
        return self.rules.verdict(Category.INJECTION, suspicion.rule or "classifier", score, text=text)


# --- passages


@dataclass(frozen=True, slots=True)
class Screened:
    """Passages that may go into a prompt, and what was said about each of the others."""

    found: Found
    verdicts: tuple[Verdict, ...] = ()


def screen_passages(found: Found, rules: Rules, classifier: InboundClassifier | None = None) -> Screened:
    """Retrieved text is somebody else's, and is read before a model reads it.

    The rule is ``injection.passage``: ``mask`` leaves out the sentences that give orders, and the passage when
    nothing remains; ``refuse`` and ``reroute`` drop the passage; ``flag`` keeps it. The question itself goes on.
    """
    kept: list[Passage] = []
    verdicts: list[Verdict] = []
    for passage in found.passages:
        verdict = _judged(passage, rules, classifier)
        if not isinstance(verdict, Allow):
            verdicts.append(verdict)
        if isinstance(verdict, Mask):
            rest = replace(passage, text=verdict.text, title=_without_orders(passage.title))
            # What is still suspicious was not said in so many words: it is encoded, or spread over sentences.
            if rest.text.replace(TAKEN_OUT, "").strip() and isinstance(_judged(rest, rules, classifier), Allow):
                kept.append(rest)
        elif not isinstance(verdict, Refuse | Reroute):
            kept.append(passage)
    if not verdicts:
        return Screened(found)
    return Screened(replace(found, passages=tuple(kept), answers=found.answers and bool(kept)), tuple(verdicts))


def _judged(passage: Passage, rules: Rules, classifier: InboundClassifier | None) -> Verdict:
    whole = f"{passage.title}\n{passage.text}"
    suspicion = read(whole, data=True)
    score = joint(suspicion.score, judged(whole, classifier, data=True))
    rule = rules.rule(Category.INJECTION, "passage")
    masked = _without_orders(passage.text) if score >= rule.threshold and rule.action is Action.MASK else None
    return rules.apply(rule, Category.INJECTION, f"passage:{suspicion.rule or 'classifier'}", score, masked=masked)


def _without_orders(text: str) -> str:
    """The text without the sentences that give orders."""
    return "".join(
        TAKEN_OUT + sentence[len(sentence.rstrip()) :] if signs(Where.BOTH).read(normalise(sentence)) else sentence
        for sentence in _SENTENCES.findall(text)
    )


_SENTENCES: Final = re.compile(r"[^.!?。！？\n]*(?:[.!?。！？\n]+\s*|\Z)")
