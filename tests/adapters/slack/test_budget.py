"""No window ever holds more calls than Slack allows, and last words go before progress."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.slack.budget import RULES, Allowance, Budget, Key, Rank, Rule

KEY = Key("chat.appendStream", "T1")


@example(calls=2, window=22.0, burst=2, pauses=[2.085695584860219, 1.0, 0.0, 0.0])
@given(
    calls=st.integers(1, 30), window=st.floats(0.5, 120), burst=st.integers(1, 30),
    pauses=st.lists(st.floats(0, 10), min_size=1, max_size=120),
)
def test_no_window_holds_more_calls_than_the_rule(calls: int, window: float, burst: int, pauses: list[float]) -> None:
    """S21, S22: whoever calls whenever it may stays within the tier."""
    allowance, now, left = Allowance(Rule(calls, window, min(burst, calls))), 1_000.0, []
    for pause in pauses:
        now += pause
        now += allowance.wait(now)
        allowance.take(now)
        left.append(now)
    for end in left:
        assert sum(end - window < each <= end for each in left) <= calls


@given(calls=st.integers(2, 30), burst=st.integers(1, 30))
def test_after_the_burst_calls_are_spread_evenly(calls: int, burst: int) -> None:
    burst = min(burst, calls)
    allowance, now, left = Allowance(Rule(calls, 60.0, burst)), 0.0, []
    for _ in range(calls):
        now += allowance.wait(now)
        allowance.take(now)
        left.append(now)
    step = 60.0 / calls
    assert left[burst - 1] == pytest.approx(0.0)
    assert all(after - before >= step * 0.99 for before, after in zip(left[burst - 1:], left[burst:], strict=False))


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 1.0])
def test_a_share_of_an_allowance_is_never_more_and_never_nothing(share: float) -> None:
    for rule in RULES.values():
        part = rule.scaled(share)
        assert part.calls >= 1
        assert part.burst >= 1
        assert part.calls / part.window <= rule.calls * share / rule.window + 1e-9


def test_a_silence_that_was_asked_for_is_kept() -> None:
    allowance = Allowance(Rule(10))
    allowance.close(130.0)
    assert allowance.wait(100.0) == 30.0
    assert allowance.wait(130.0) == 0.0


async def test_last_words_go_before_progress() -> None:
    budget = Budget(rules={KEY.method: Rule(1, 0.02)})
    order: list[str] = []

    async def call(name: str, rank: Rank) -> None:
        await budget.take(KEY, rank)
        order.append(name)

    await budget.take(KEY)
    async with asyncio.TaskGroup() as group:
        for name, rank in (("edit", Rank.PROGRESS), ("edit again", Rank.PROGRESS), ("end", Rank.LAST_WORD)):
            group.create_task(call(name, rank))
    assert order == ["end", "edit", "edit again"]


async def test_who_gives_up_waiting_keeps_nobody_waiting() -> None:
    budget = Budget(rules={KEY.method: Rule(1, 0.05)})
    await budget.take(KEY)
    gone = asyncio.ensure_future(budget.take(KEY))
    await asyncio.sleep(0)
    assert not budget.try_take(KEY)
    gone.cancel()
    async with asyncio.timeout(1):
        await budget.take(KEY)


async def test_workspaces_and_methods_are_counted_apart() -> None:
    """S22: per method and workspace."""
    budget = Budget(rules={"chat.update": Rule(1), "chat.delete": Rule(1)})
    assert budget.try_take(Key("chat.update", "T1"))
    assert not budget.try_take(Key("chat.update", "T1"))
    assert budget.try_take(Key("chat.update", "T2"))
    assert budget.try_take(Key("chat.delete", "T1"))


async def test_a_channel_takes_one_post_a_second() -> None:
    budget = Budget()
    post = Key("chat.postMessage", "T1", "C1")
    assert budget.try_take(post)
    assert 0.9 < budget.wait(post) < 1.2
    assert budget.try_take(post._replace(channel="C2"))


async def test_twenty_starts_a_minute_have_room_and_no_more() -> None:
    budget = Budget()
    start = Key("chat.startStream", "T1")
    assert [budget.try_take(start) for _ in range(21)] == [True] * 20 + [False]
    assert 60.0 < budget.wait(start) < 64.0
