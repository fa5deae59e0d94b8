"""A finished answer and the passages behind it: what the policy makes of claims that nobody supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from engine.errors import Refused, RetrieverUnavailable
from engine.guards.grounded import GroundingCheck
from engine.guards.grounding import SIGN
from engine.guards.policy import Action, Change, FailMode, Policy
from engine.messages import Answer, Passage, TraceId, Trail
from tests.builders import a_passage

PAGE = a_passage("Give ten working days' notice before annual leave. Your manager approves it within three days.")
GOOD = "Give ten working days' notice [1]."
BAD = "The cafeteria serves vegan lasagne on Fridays."
REWORDED = "Holidays get booked well ahead through your boss."
NUMBER = "Annual leave takes 77 days of notice."


def fingerprint(text: str) -> str:
    return f"#{len(text)}"


def a_check(action: Action, *, fails: Mapping[str, FailMode] | None = None, shadow: bool = False,
            **more: object) -> GroundingCheck:
    rules = replace(Policy.default().rules_for(), changes={"ungrounded": Change(action=action, shadow=shadow)},
                    fail=fails or {}, trace=TraceId("7" * 32))
    return replace(GroundingCheck(rules, fingerprint), **more)     # type: ignore[arg-type]


@dataclass(slots=True)
class Vectors:
    """Sentences that mean the same point the same way."""

    alike: Sequence[str] = ()
    broken: Exception | None = None

    async def query(self, text: str) -> Sequence[float]:
        if self.broken:
            raise self.broken
        if any(each in text for each in self.alike):
            return (1.0, 0.1, 0.0)
        return (0.0, 0.0, 1.0) if "lasagne" in text else (0.0, 1.0, 0.0)


@dataclass(slots=True)
class GuardModelSays:
    """A guard model with one opinion."""

    carried: bool | None
    asked: list[str] = field(default_factory=list)

    async def carries(self, answer: str, passages: Sequence[str]) -> bool | None:
        assert list(passages) == [PAGE.text]
        self.asked.append(answer)
        return self.carried


async def looked_at(
    check: GroundingCheck, text: str, passages: Sequence[Passage] = (PAGE,),
) -> tuple[str, list[tuple[str, int]]]:
    trail = Trail(TraceId("7" * 32))
    answer = await check.check(Answer(text), passages, trail)
    return answer.text, [(d.action, d.shown) for d in trail.decisions]


async def test_out_of_the_box_a_claim_without_support_is_recorded_and_shown() -> None:
    text = f"{GOOD} {BAD}"
    assert await looked_at(a_check(Action.FLAG), text) == (text, [("flag", len(text))])
    assert await looked_at(a_check(Action.FLAG), GOOD) == (GOOD, [("allow", len(GOOD))])


async def test_a_policy_may_have_it_marked_and_only_it() -> None:
    check = a_check(Action.MASK)
    assert (await looked_at(check, f"{GOOD} {BAD}"))[0] == f"{GOOD} {BAD}{SIGN}"
    assert (await looked_at(check, GOOD))[0] == GOOD
    assert not check.holds


async def test_a_policy_may_have_it_refused_and_then_nothing_was_shown() -> None:
    check, trail = a_check(Action.REFUSE), Trail(TraceId("7" * 32))
    assert check.holds
    assert (await looked_at(check, GOOD)) == (GOOD, [("allow", 0)])
    with pytest.raises(Refused) as refused:
        await check.check(Answer(f"{GOOD} {BAD}"), [PAGE], trail)
    assert "7777" in refused.value.reply
    assert "lasagne" not in refused.value.reply + str(refused.value)
    assert [(d.action, d.category, d.shown) for d in trail.decisions] == [("refuse", "ungrounded", 0)]


async def test_a_rule_in_shadow_holds_and_hides_nothing() -> None:
    check = a_check(Action.REFUSE, shadow=True)
    assert not check.holds
    assert (await looked_at(check, BAD))[0] == BAD


async def test_without_a_passage_the_note_under_the_answer_speaks_for_all_of_it() -> None:
    assert await looked_at(a_check(Action.MASK), BAD, ()) == (BAD, [("flag", len(BAD))])
    with pytest.raises(Refused):
        await looked_at(a_check(Action.REFUSE), BAD, ())


async def test_the_same_in_other_words_is_lifted_by_its_meaning_and_a_number_is_not() -> None:
    vectors = Vectors(("Holidays", "77", "approves"))
    check = a_check(Action.MASK, meaning=lambda: vectors)
    assert (await looked_at(check, REWORDED))[0] == REWORDED
    assert (await looked_at(check, NUMBER))[0] == NUMBER + SIGN
    assert (await looked_at(check, BAD))[0] == BAD + SIGN


async def test_a_guard_model_lifts_what_is_in_doubt_and_is_not_asked_about_anything_else() -> None:
    for carried, marked in ((True, REWORDED), (False, REWORDED + SIGN), (None, REWORDED + SIGN)):
        model = GuardModelSays(carried)
        check = a_check(Action.MASK, support=model)
        assert (await looked_at(check, REWORDED))[0] == marked
        assert (await looked_at(check, GOOD))[0] == GOOD
        assert (await looked_at(check, NUMBER))[0] == NUMBER + SIGN
        assert model.asked == [REWORDED]


async def test_vectors_that_are_away_leave_the_doubt_where_it_is() -> None:
    vectors = Vectors(broken=RetrieverUnavailable("no model"))
    assert (await looked_at(a_check(Action.MASK, meaning=lambda: vectors), REWORDED))[0] == REWORDED + SIGN


async def test_a_check_that_breaks_is_no_permission_unless_the_policy_says_so() -> None:
    broken = {"meaning": lambda: Vectors(broken=ValueError("bug"))}
    with pytest.raises(Refused, match="grounding broke: ValueError"):
        await looked_at(a_check(Action.MASK, **broken), BAD)
    text, noted = await looked_at(a_check(Action.MASK, fails={"grounding": FailMode.OPEN}, **broken), BAD)
    assert (text, noted[0][0]) == (BAD, "allow")
    _, noted = await looked_at(a_check(Action.MASK, fails={"grounding": FailMode.DEGRADE}, **broken), BAD)
    assert noted[0][0] == "flag"


@pytest.mark.parametrize(("claim", "marks"), [
    ("As of 2 January 2026, ten working days' notice are needed.", 0),
    ("The page about annual leave was last changed on 2026-01-02.", 0),
    ("That page was updated in January 2026, and ten working days' notice are needed.", 0),
    ("As of 17 January 2026, ten working days' notice are needed.", 1),
    ("Give 2 working days' notice before annual leave.", 1),        # nor does it stand behind any other number
    ("Your manager approves annual leave within two days.", 1),
    ("Give 2026 working days' notice before annual leave.", 1),
])
async def test_the_date_of_a_passage_may_be_told(claim: str, marks: int) -> None:
    page = replace(PAGE, date=datetime(2026, 1, 2, tzinfo=UTC), document="wiki/leave.md")
    answer = await a_check(Action.MASK).check(Answer(claim), (page,), Trail(TraceId("7" * 32)))
    assert answer.text.count(SIGN.strip()) == marks
