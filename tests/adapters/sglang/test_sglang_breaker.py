"""The breaker, against a clock that the test turns."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sglang.breaker import Breaker

COOLDOWN = 10


class Story:
    """A breaker and its time."""

    def __init__(self, threshold: int = 3) -> None:
        self.now = 0.0
        self.breaker = Breaker(threshold, timedelta(seconds=COOLDOWN), lambda: self.now)

    def fails(self, times: int) -> None:
        for _ in range(times):
            self.breaker.failed()


def test_it_opens_after_failures_in_a_row() -> None:
    story = Story()
    story.fails(2)
    assert story.breaker.admits()
    story.fails(1)
    assert not story.breaker.admits()


def test_a_success_between_failures_forgets_them() -> None:
    story = Story()
    for _ in range(5):
        story.fails(2)
        story.breaker.succeeded()
    assert story.breaker.admits()


def test_after_the_cool_down_one_is_tried_and_no_other_beside_it() -> None:
    story = Story()
    story.fails(3)
    story.now = COOLDOWN
    assert [story.breaker.admits() for _ in range(3)] == [True, False, False]


def test_a_trial_that_fails_starts_the_cool_down_again() -> None:
    story = Story()
    story.fails(3)
    story.now = COOLDOWN
    assert story.breaker.admits()
    story.now = COOLDOWN + 5
    story.fails(1)
    story.now = 2 * COOLDOWN + 4
    assert not story.breaker.admits()


def test_a_trial_that_nobody_waits_for_any_more_blocks_nothing() -> None:
    story = Story()
    story.fails(3)
    story.now = COOLDOWN
    assert story.breaker.admits()       # cancelled: nothing is reported
    story.now = 2 * COOLDOWN
    assert story.breaker.admits()


def test_the_first_word_of_a_trial_lets_all_in_and_the_next_failure_shuts_them_out() -> None:
    story = Story()
    story.fails(3)
    story.now = COOLDOWN
    assert story.breaker.admits()
    story.breaker.alive()
    assert story.breaker.admits()
    assert story.breaker.admits()
    story.fails(1)
    assert not story.breaker.admits()


@settings(deadline=None)
@given(st.integers(1, 5), st.lists(st.sampled_from(["failed", "alive", "succeeded", "tick", "ask"]), max_size=40))
def test_it_is_closed_again_whatever_happened_once_an_answer_came_through(threshold: int, events: list[str]) -> None:
    story = Story(threshold)
    for event in events:
        match event:
            case "tick":
                story.now += 3
            case "ask":
                story.breaker.admits()
            case _:
                getattr(story.breaker, event)()
    story.breaker.succeeded()
    assert story.breaker.admits()
    story.fails(threshold - 1)
    assert story.breaker.admits()
    story.fails(1)
    assert not story.breaker.admits()
    story.now += COOLDOWN
    assert story.breaker.admits()
