"""A detector finds; the company decides what becomes of a find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given

from engine.errors import Refused
from engine.guards.egress import Egress
from engine.guards.governed import Governed
from engine.guards.leak import LeakGuard
from engine.guards.page import Detector, Page
from engine.guards.policy import Action, Change, FailMode, Policy, Rules
from engine.guards.secrets import SecretsGuard
from engine.guards.verdict import Flag, Refuse, Reroute
from engine.messages import Found, TraceId, Trail
from engine.ports import OutboundGuard, Piece, Reasoning, Scan, Text
from tests.engine.guards.screens import CUTS, Seen, cut, fingerprint, watch

RULES = Policy.default().rules_for()
KEY = "AKIA" + "ABCDEFGHIJ234567"
ANSWER = f"The id is {KEY}, keep it."


def ruled(key: str, action: Action, *, shadow: bool = False) -> Rules:
    return replace(RULES, outbound={key: Change(action=action, shadow=shadow)})


@dataclass(slots=True)
class Finds:
    """A detector that ends an answer at the word "stop"."""

    name: str = "deflection"
    version: str = "1"
    said: list[str] = field(default_factory=list)

    def open(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Finds:
        del question, found, flags
        self.said = []
        return self

    async def feed(self, piece: Piece) -> Scan:
        self.said.append(piece.text if isinstance(piece, Text) else "")
        text = "".join(self.said)
        at = text.find("stop")
        if at >= 0:
            return Scan(at, verdict=Reroute("line", "deflection", 0.7))
        return Scan(max(0, len(text) - 3))

    async def close(self) -> Scan:
        return Scan(len("".join(self.said)))


async def shown(text: str, guard: Finds | SecretsGuard, rules: Rules, cuts: Sequence[int] = ()) -> Seen:
    return await watch(cut(text, list(cuts)), Governed(guard, rules))


async def test_without_a_word_of_the_policy_a_find_is_what_it_was() -> None:
    seen = await shown("Now stop here.", Finds(), RULES)
    assert (seen.text, seen.tripped) == ("", "line")
    assert (seen.trail.decisions[0].action, seen.trail.decisions[0].score) == ("reroute", 0.7)
    assert (await shown(ANSWER, SecretsGuard(), RULES)).text == "The id is [AWS key removed], keep it."


@given(cuts=CUTS)
async def test_what_the_policy_allows_is_shown_whole(cuts: list[int]) -> None:
    for action in (Action.ALLOW, Action.FLAG):
        seen = await shown("Now stop here, then stop.", Finds(), ruled("deflection", action), cuts)
        assert (seen.text, seen.tripped) == ("Now stop here, then stop.", "")
        seen = await shown(ANSWER, SecretsGuard(), ruled("secret", action), cuts)
        assert (seen.text, seen.tripped) == (ANSWER, "")


async def test_a_flag_is_on_record() -> None:
    for guard, key in ((Finds(), "deflection"), (SecretsGuard(), "secret")):
        text = "Now stop here." if key == "deflection" else ANSWER
        seen = await shown(text, guard, ruled(key, Action.FLAG))
        assert [(each.action, each.category) for each in seen.trail.decisions] == [("flag", key)]


async def test_a_refusal_has_the_companys_words_and_not_what_was_found() -> None:
    stream = Governed(Finds(), ruled("deflection", Action.REFUSE)).open("why?", Found())
    scan = await stream.feed(Text("Now stop here."))
    assert isinstance(scan.verdict, Refuse)
    assert scan.verdict.reply == RULES.reply("why?")
    assert "stop" not in scan.verdict.reply


@given(cuts=CUTS)
async def test_an_edit_may_be_a_refusal(cuts: list[int]) -> None:
    seen = await shown(ANSWER, SecretsGuard(), ruled("secret", Action.REFUSE), cuts)
    assert seen.tripped == "aws_key"
    assert "The id is ".startswith(seen.text)


async def test_a_shadow_decides_nothing() -> None:
    seen = await shown("Now stop here.", Finds(), ruled("deflection", Action.REROUTE, shadow=True))
    assert (seen.text, seen.tripped) == ("Now stop here.", "")
    seen = await shown(ANSWER, SecretsGuard(), ruled("secret", Action.MASK, shadow=True))
    assert seen.text == ANSWER


async def test_a_single_rule_may_differ() -> None:
    rules = replace(RULES, outbound={"secret.aws_key": Change(action=Action.ALLOW)})
    assert (await shown(ANSWER, SecretsGuard(), rules)).text == ANSWER
    assert "ghp_" not in (await shown("ghp_" + "a1B2" * 9, SecretsGuard(), rules)).text


async def test_reroutes_and_flags_keep_their_scores() -> None:
    guard = Governed(Finds(), ruled("deflection", Action.FLAG))
    stream = guard.open("", Found())
    scan = await stream.feed(Text("stop"))
    assert scan == Scan(4, verdict=Flag("line", "deflection", 0.7))
    assert (guard.name, guard.version) == ("deflection", "1")


@dataclass(slots=True)
class Breaks:
    """A detector that reads three pieces, holds the last word, and breaks."""

    together: bool
    name: str = "deflection"
    version: str = "1"
    pieces: int = 0

    def open(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Breaks:
        del question, found, flags
        return self

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector | None:
        del question, found, flags
        return Detector(lambda: self) if self.together else None

    def read(self, page: Page) -> int:
        self.pieces += 1
        if self.pieces > 3:
            raise ValueError("too much to read")
        return 0 * page.end

    async def feed(self, piece: Piece) -> Scan:
        del piece
        self.pieces += 1
        if self.pieces > 3:
            raise ValueError("too much to read")
        return Scan(0)

    async def close(self) -> Scan:
        raise ValueError("too much to read")


@pytest.mark.parametrize("together", [True, False])
async def test_what_a_broken_detector_could_not_read_is_what_the_policy_says(together: bool) -> None:
    async def left(fail: FailMode | None) -> tuple[str, tuple[str, str, str]]:
        rules = replace(RULES, fail={"deflection": fail} if fail else {})
        seen = await watch(cut("One two three four five.", [4, 8, 12, 16, 20]), Governed(Breaks(together), rules))
        last = seen.trail.decisions[0]
        return seen.text, (last.action, last.rule, last.category)

    whole = "One two three four five."
    assert await left(FailMode.OPEN) == (whole, ("allow", "unscanned", ""))
    assert await left(FailMode.DEGRADE) == (whole, ("flag", "unscanned", "deflection"))
    for closed in (left(FailMode.CLOSED), left(None)):
        with pytest.raises(Refused, match="deflection broke: ValueError"):
            await closed


INSTRUCTIONS = "Base the answer on the numbered passages, and mark each statement with the number of its passage."
THOUGHT = f"The instructions say: {INSTRUCTIONS} And there is {KEY}, which is for nobody."


@pytest.mark.parametrize(("guard", "rule", "about"), [
    (LeakGuard(INSTRUCTIONS), "system_prompt", "leak"), (SecretsGuard(), "aws_key", "secret"),
])
@pytest.mark.parametrize(("action", "noted"), [
    (Action.REFUSE, "flag"), (Action.MASK, "flag"), (Action.FLAG, "flag"), (Action.ALLOW, "allow"),
])
async def test_what_a_model_only_thought_never_ends_its_answer(
    guard: OutboundGuard, rule: str, about: str, action: Action, noted: str,
) -> None:
    trail = Trail(TraceId("t1"))
    screen = Egress([Governed(guard, ruled(about, action))], fingerprint).open("how so?", Found(), trail)
    said = "".join([await screen.feed(Reasoning(THOUGHT)), await screen.feed(Text("Ten days.")), await screen.close()])
    assert said == "Ten days."
    (decision,) = trail.decisions
    assert (decision.action, decision.rule, decision.category) == (noted, f"{rule}_in_reasoning", about)
