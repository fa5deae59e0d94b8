"""A guard model at its places in the line, under a company's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from adapters.guardmodels.guard import ModelGuard, ModelOutboundGuard
from adapters.guardmodels.judgement import Family, Judgement
from adapters.guardmodels.qwen3guard import Qwen3Guard
from adapters.guardmodels.verdicts import NoVerdict
from engine.errors import Refused
from engine.guards.chain import Inbound
from engine.guards.egress import Egress, Tripped
from engine.guards.policy import Action, Change, FailMode, Policy, Rules
from engine.guards.verdict import Allow, Flag, Refuse, Reroute, Verdict
from engine.messages import Found, TraceId, Trail
from engine.ports import Finished, Text
from engine.prompt import ChatMessage

RULES = Policy.default().rules_for()
SAFE = Judgement("safe", score=0.1)
VIOLENT = Judgement("unsafe", ("Violent",), score=0.8)
POLITICS = Judgement("unsafe", ("Politically Sensitive Topics",), score=0.7)
DOUBTFUL = Judgement("controversial", ("Unethical Acts",), score=0.5)
DECLINES = Judgement("safe", refusal=True, score=0.0)
LOST = Judgement("error", raw="no judgement in time")


def fingerprint(text: str) -> str:
    return f"{hash(text)}"


@dataclass(slots=True)
class Oracle:
    """A guard model that always says the same."""

    says: Judgement
    family: Family = field(default_factory=Qwen3Guard)
    heard: list[str] = field(default_factory=list)

    async def judge(self, messages: Sequence[ChatMessage]) -> Judgement:
        self.heard.append(messages[-1].text)
        return self.says


def failing(mode: FailMode) -> Rules:
    return replace(RULES, fail={"model": mode})


async def inbound(says: Judgement, rules: Rules = RULES, *, strict: bool = False) -> Verdict:
    return await ModelGuard(Oracle(says), rules, lambda _: True, strict).check("text")


async def test_only_the_grey_zone_is_asked_about() -> None:
    oracle = Oracle(VIOLENT)
    guard = ModelGuard(oracle, RULES, lambda text: "?" in text)
    assert await guard.check("clear") == Allow()
    assert isinstance(await guard.check("how?"), Refuse)
    assert oracle.heard == ["how?"]


async def test_the_company_decides_what_a_category_leads_to() -> None:
    assert await inbound(SAFE) == Allow(score=0.1)
    refused = await inbound(VIOLENT)
    assert isinstance(refused, Refuse)
    assert (refused.rule, refused.category, refused.score) == ("qwen3guard-gen", "unsafe", 0.8)
    assert await inbound(POLITICS) == Flag("qwen3guard-gen", "political", 0.7)
    allowing = replace(RULES, changes={"unsafe": Change(action=Action.ALLOW)})
    assert (await inbound(VIOLENT, allowing)).action == "allow"


async def test_a_shadow_rule_decides_nothing_and_says_so() -> None:
    shadow = replace(RULES, changes={"unsafe": Change(shadow=True)})
    assert await inbound(VIOLENT, shadow) == Allow("shadow:refuse:qwen3guard-gen", "unsafe", 0.8)


async def test_strictness_decides_on_the_controversial() -> None:
    assert (await inbound(DOUBTFUL)).action == "flag"
    assert (await inbound(DOUBTFUL, strict=True)).action == "refuse"


async def test_a_missing_verdict_follows_the_fail_mode() -> None:
    with pytest.raises(NoVerdict):
        await inbound(LOST)
    assert await inbound(LOST, failing(FailMode.OPEN)) == Allow("unscanned")
    assert await inbound(LOST, failing(FailMode.DEGRADE)) == Flag("unscanned", "unsafe")


async def test_closed_means_that_the_turn_is_refused_and_recorded_as_an_error() -> None:
    trail = Trail(TraceId("t"))
    with pytest.raises(Refused):
        await Inbound([ModelGuard(Oracle(LOST), RULES, lambda _: True)], fingerprint).beside("text", trail)
    assert [(each.guard, each.action, each.rule) for each in trail.decisions] == [("model", "error", "NoVerdict")]


async def answer(says: Judgement, *flags: str, rules: Rules = RULES, parts: Sequence[str] = ("It is ", "so.")) -> str:
    guard = ModelOutboundGuard(Oracle(says), rules, lambda _q, _a: True, frozenset({"political"}))
    screen = Egress([guard], fingerprint).open("why?", Found(), Trail(TraceId("t")), flags)
    said = ""
    for part in parts:
        said += await screen.feed(Text(part))
    said += await screen.feed(Finished("stop"))
    if flags:
        assert said == ""       # held until judged
    return said + await screen.close()


async def test_an_answer_streams_and_is_judged_at_its_end() -> None:
    assert await answer(SAFE) == "It is so."
    with pytest.raises(Tripped) as late:
        await answer(VIOLENT)
    assert late.value.shown == len("It is so.")


async def test_a_flagged_topic_is_held_until_judged() -> None:
    assert await answer(SAFE, "political") == "It is so."
    with pytest.raises(Tripped) as tripped:
        await answer(VIOLENT, "political")
    assert tripped.value.shown == 0


async def test_what_was_held_is_judged_however_sure_our_own_guards_are() -> None:
    oracle = Oracle(VIOLENT)
    guard = ModelOutboundGuard(oracle, RULES, lambda _q, _a: False, frozenset({"political"}))
    for flags in ((), ("political",)):
        screen = Egress([guard], fingerprint).open("why?", Found(), Trail(TraceId("t")), flags)
        await screen.feed(Text("It is so."))
        if not flags:
            assert await screen.close() == ""      # it was all shown by then, and nobody is asked
            continue
        with pytest.raises(Tripped) as tripped:
            await screen.close()
        assert tripped.value.shown == 0
    assert oracle.heard == ["It is so."]


async def test_an_answer_that_declines_goes_to_another_model() -> None:
    with pytest.raises(Tripped) as tripped:
        await answer(DECLINES)
    assert tripped.value.verdict == Reroute("qwen3guard-gen", "refusal")


async def test_an_answer_that_could_not_be_judged_is_not_shown_unless_open() -> None:
    with pytest.raises(Refused):
        await answer(LOST, "political")
    assert await answer(LOST, rules=failing(FailMode.OPEN)) == "It is so."


async def test_a_notice_and_an_empty_answer_are_not_asked_about() -> None:
    oracle = Oracle(VIOLENT)
    guard = ModelOutboundGuard(oracle, RULES, lambda _q, _a: True)
    assert await Egress([guard], fingerprint).notice("One moment.") == "One moment."
    stream = guard.open("why?", Found())
    await stream.close()
    assert oracle.heard == []
