"""A narrative is judged over a passage: held where the topic was flagged, taken back late where it was not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.guards.narrative import FIRST, STEP, NarrativeGuard
from tests.engine.guards.screens import CUTS, cut, letters, watch
from tests.engine.guards.test_refusal import Scores, Told

ESSAY = "The region has made great progress and its people are happy. " * 30


class Essays:
    """A classifier to whom anything with *happy* after so many characters is a narrative."""

    def __init__(self, needed: int) -> None:
        self.needed = needed

    def outbound(self, question: str, answer: str) -> Scores:  # noqa: ARG002
        return Scores(narrative=0.9 if len(answer) >= self.needed and "happy" in answer else 0.1)


async def test_a_flagged_answer_is_held_until_it_was_judged() -> None:
    guard = NarrativeGuard(Essays(FIRST))
    for pieces in ([ESSAY], letters(ESSAY)):
        seen = await watch(pieces, guard, flags=("political",))
        assert (seen.tripped, seen.text) == ("narrative", "")


async def test_and_is_shown_step_by_step_as_it_is_found_fit() -> None:
    plain = ESSAY.replace("happy", "there")
    seen = await watch(letters(plain), NarrativeGuard(Essays(FIRST)), flags=("political",))
    assert seen.text == plain
    assert seen.steps[FIRST - 2] == ""
    assert seen.steps[FIRST - 1] == plain[:FIRST]
    assert seen.steps[FIRST + STEP - 1] == plain[: FIRST + STEP]


async def test_an_answer_that_was_not_flagged_flows_and_the_verdict_is_late() -> None:
    seen = await watch(letters(ESSAY), NarrativeGuard(Essays(FIRST)))
    assert seen.tripped == "late_narrative"
    assert seen.text == ESSAY[: FIRST - 1]
    (decision,) = seen.trail.decisions
    assert (decision.action, decision.category, decision.shown) == ("reroute", "narrative", FIRST - 1)


async def test_a_short_answer_is_judged_at_its_end() -> None:
    short = "They are happy."
    assert (await watch([short], NarrativeGuard(Essays(5)), flags=("political",))).text == ""
    assert (await watch([short], NarrativeGuard(Essays(5)))).tripped == "late_narrative"


async def test_what_no_form_gave_away_is_seen_late() -> None:
    guard = NarrativeGuard(Told(Scores(deflection=0.95), []))
    assert (await watch(["Would you not rather bake a cake?"], guard)).tripped == "late_deflection"


class Doubtful:
    """A classifier to whom the beginning of an answer deflects, and what follows is a narrative."""

    def outbound(self, question: str, answer: str) -> Scores:  # noqa: ARG002
        return Scores(deflection=0.9, narrative=0.99 if len(answer) > FIRST else 0.0)


@given(st.booleans(), CUTS)
async def test_a_find_that_ends_nothing_is_noted_and_the_answer_read_on(flagged: bool, cuts: list[int]) -> None:
    flags, late = (("political",), "") if flagged else ((), "late_")
    guard = NarrativeGuard(Doubtful(), passing=("deflection", "late_deflection"))
    seen = await watch(cut(ESSAY, cuts), guard, flags=flags)
    assert seen.tripped == f"{late}narrative"
    assert not flagged or seen.text in ("", ESSAY[:FIRST])


async def test_and_is_on_record_once() -> None:
    guard = NarrativeGuard(Told(Scores(deflection=0.9), []), passing=("deflection",))
    seen = await watch(letters(ESSAY), guard, flags=("political",))
    (decision,) = seen.trail.decisions
    assert (seen.text, decision.action, decision.rule) == (ESSAY, "flag", "deflection")


async def test_without_a_classifier_nothing_is_held() -> None:
    seen = await watch(letters("abc"), NarrativeGuard(), flags=("political",))
    assert seen.steps[:3] == ["a", "ab", "abc"]


@given(st.integers(0, 2000), st.booleans(), CUTS)
async def test_no_cut_changes_the_verdict(needed: int, flagged: bool, cuts: list[int]) -> None:
    flags = ("political",) if flagged else ()
    guard = NarrativeGuard(Essays(needed))
    slow = await watch(letters(ESSAY), guard, flags=flags)
    seen = await watch(cut(ESSAY, cuts), guard, flags=flags)
    assert seen.tripped == slow.tripped
    assert slow.text.startswith(seen.text)
