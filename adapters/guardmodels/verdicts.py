"""A judgement, under a company's rules, as a verdict. No judgement is a verdict, too: what the fail mode says."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.guardmodels.judgement import Family, Judgement
from engine.errors import BotError
from engine.guards.policy import Category, FailMode, Rules, gravest
from engine.guards.verdict import Allow, Flag, Verdict

UNSCANNED: Final = "unscanned"


class NoVerdict(BotError):
    """A guard could not judge, and the policy says that nothing passes unjudged."""

    reply = "I could not check this, so it stops here. Please try again in a few minutes."


def missing(rules: Rules, guard: str, cause: str) -> Verdict:
    """What stands in for a verdict that did not come. Raises `NoVerdict` where the fail mode is closed."""
    match rules.fails(guard):
        case FailMode.OPEN:
            return Allow(UNSCANNED)
        case FailMode.DEGRADE:
            return Flag(UNSCANNED, Category.UNSAFE)
        case _:
            raise NoVerdict(f"{guard}: {cause}")


def verdict(
    judgement: Judgement, family: Family, rules: Rules, *, text: str, strict: bool, outbound: bool = False,
) -> Verdict:
    """The gravest of what the judgement's categories lead to. An ``error`` is not for here: see `missing`.

    The model has weighed the text itself, so a category's threshold, which is for our own scores, does not apply.
    ``strict``: a controversial text counts as unsafe; else it is flagged.
    """
    if judgement.severity == "error":
        raise ValueError("an error is no judgement")
    found: list[Verdict] = []
    if judgement.severity != "safe":
        for category in dict.fromkeys(family.ours(each) for each in judgement.categories) or (Category.UNSAFE,):
            found.append(_on(category, judgement, family, rules, text=text, outbound=outbound))
        if judgement.severity == "controversial" and not strict:
            found = [_softened(each) for each in found]
    if judgement.refusal and outbound:
        found.append(_on(Category.REFUSAL, judgement, family, rules, text=text, outbound=True))
    return gravest(found) if found else Allow(score=judgement.score)


def _on(category: str, judgement: Judgement, family: Family, rules: Rules, *, text: str, outbound: bool) -> Verdict:
    rule = replace(rules.rule(category, family.name, outbound=outbound), threshold=0.0)
    score = judgement.score if category != Category.REFUSAL else None
    return rules.apply(rule, category, family.name, score, text=text)


def _softened(verdict: Verdict) -> Verdict:
    return verdict if isinstance(verdict, Allow) else Flag(verdict.rule, verdict.category, verdict.score)
