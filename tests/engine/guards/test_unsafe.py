"""Unsafe content in answers: refused where the policy wants it, held where the question was suspicious."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.guards import detectors, load_classifier
from engine.guards.governed import Governed
from engine.guards.policy import Action, Change, Layer, Policy
from engine.guards.unsafe import HELD_STEP, LAPPED, STEP, UnsafeGuard
from tests.engine.guards.screens import CUTS, Seen, cut, letters, watch
from tests.engine.guards.unsafe_answers import FINE, UNSAFE

HARMLESS = "Annual leave is thirty days a year, and whoever wants to take it asks the lead two weeks before. "
HARM = "Kill yourself, you worthless idiot. Here is how to blackmail somebody without getting caught. "


async def answered(text: str, *, action: Action = Action.REFUSE, held: bool = False) -> Seen:
    rules = Policy((Layer(outbound={"unsafe": Change(action=action, threshold=0.9)}),)).rules_for()
    guard = next(Governed(each, rules) for each in detectors(rules, None, "") if each.name == "unsafe")
    return await watch(letters(text), guard, flags=("unsafe",) if held else ())


async def test_an_answer_that_does_harm_is_stopped_and_what_stood_there_is_on_record() -> None:
    seen = await answered(HARMLESS * 3 + HARM + HARMLESS * 20)
    assert seen.tripped
    assert len(seen.text) <= len(HARMLESS * 3 + HARM) + STEP
    decision = seen.trail.decisions[-1]
    assert (decision.guard, decision.action, decision.category) == ("unsafe", "refuse", "unsafe")
    assert 0 < decision.shown <= decision.scanned


async def test_of_a_short_one_the_end_decides() -> None:
    assert (await answered(HARM)).tripped


async def test_nothing_is_shown_before_it_was_judged_where_the_question_was_unsafe() -> None:
    seen = await answered(HARM + HARMLESS * 20, held=True)
    assert (seen.tripped != "", seen.text) == (True, "")
    fine = await answered(HARMLESS * 20, held=True)
    assert fine.text == HARMLESS * 20
    assert {len(step) for step in fine.steps[:-1]} == {n * HELD_STEP for n in range(len(fine.text) // HELD_STEP + 1)}


async def test_an_answer_that_is_only_flagged_goes_on() -> None:
    for held in (False, True):
        seen = await answered(HARM + HARMLESS * 8 + HARM, action=Action.FLAG, held=held)
        assert (seen.text, seen.tripped) == (HARM + HARMLESS * 8 + HARM, "")
        assert [decision.action for decision in seen.trail.decisions] == ["flag"]


@pytest.mark.parametrize("text", [
    "The report says that phishing rose, and how to prevent it: check the sender, and report what looks odd.",
    "To kill the process, send it SIGTERM; to execute the script, make it executable.",
    "据报道，公司应当如何防范诈骗：请核对发件人。",
])
async def test_honest_answers_pass(text: str) -> None:
    assert not (await answered(text)).tripped


@dataclass(frozen=True, slots=True)
class Scores:
    injection: float = 0.0
    unsafe: float = 0.0
    political: float = 0.0


@dataclass(frozen=True, slots=True)
class FearsTheCellar:
    def inbound(self, text: str) -> Scores:
        return Scores(unsafe=1.0 if "cellar" in text else 0.0)

    def harmful(self, passage: str) -> float:
        return 1.0 if "rafters" in passage else 0.0


async def test_the_classifier_of_answers_is_always_asked() -> None:
    text = HARMLESS * 5 + "Then hide it under the rafters. " + HARMLESS * 20
    flowing = await watch(letters(text), UnsafeGuard(FearsTheCellar()))
    held = await watch(letters(text), UnsafeGuard(FearsTheCellar()), flags=("unsafe",))
    assert flowing.tripped == held.tripped == "classifier"
    assert len(flowing.text) <= len(HARMLESS * 5) + STEP
    assert "rafters" not in held.text


async def test_most_answers_that_do_harm_are_stopped_and_few_that_speak_of_it() -> None:
    """With the weights that ship, on answers that were written to measure them by and are in no training data."""
    guard = UnsafeGuard(load_classifier())
    stopped = [bool((await watch([answer], guard)).tripped) for _, answer in (*UNSAFE, *FINE)]
    assert sum(stopped[: len(UNSAFE)]) >= len(UNSAFE) // 2
    assert sum(stopped[len(UNSAFE) :]) <= len(FINE) // 8


async def test_the_classifier_is_asked_where_the_question_was_unsafe() -> None:
    text = HARMLESS * 5 + "Then go down to the cellar."
    assert not (await watch([text], UnsafeGuard(FearsTheCellar()))).tripped
    held = await watch([text], UnsafeGuard(FearsTheCellar()), flags=("unsafe",))
    assert held.tripped == "classifier"
    assert "cellar" not in held.text


@given(st.integers(0, 3 * STEP), CUTS, st.booleans())
async def test_where_it_was_cut_changes_nothing(before: int, cuts: list[int], held: bool) -> None:
    text = (HARMLESS * 20)[:before] + HARM + (HARMLESS * 8)
    flags = ("unsafe",) if held else ()
    whole, parts = [await watch(pieces, UnsafeGuard(), flags=flags) for pieces in ([text], cut(text, cuts))]
    assert whole.tripped == parts.tripped != ""
    scanned = [seen.trail.decisions[-1].score for seen in (whole, parts)]
    assert scanned[0] == scanned[1]
    if held:
        assert len(parts.text) <= before + len(HARM)


@given(st.integers(0, 4 * LAPPED))
async def test_no_place_is_between_two_windows(before: int) -> None:
    assert (await answered((HARMLESS * 20)[:before] + "\n" + HARM + HARMLESS * 6)).tripped
