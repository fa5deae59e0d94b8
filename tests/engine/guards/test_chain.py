"""What people send is looked at before anything else sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import pytest

from engine.errors import Refused
from engine.guards.chain import BROKEN, ELSEWHERE, Inbound, Passed
from engine.guards.secrets import SecretsGuard
from engine.guards.verdict import Allow, Flag, Mask, Refuse, Reroute, Verdict
from engine.messages import TraceId, Trail
from tests.engine.guards.screens import fingerprint


@dataclass
class Watching:
    """A guard that judges by a function; `wait` is set when it may speak."""

    judge: Callable[[str], Verdict]
    name: str = "watching"
    version: str = "2"
    beside: bool = False
    wait: asyncio.Event | None = None
    cancelled: bool = False

    async def check(self, text: str) -> Verdict:
        try:
            if self.wait:
                await self.wait.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return self.judge(text)


def allowing(_: str) -> Verdict:
    return Allow()


def refusing(_: str) -> Verdict:
    return Refuse("weather", "topic", "I do not talk about the weather.", 0.9)


def breaking(_: str) -> Verdict:
    raise LookupError("the secret text")


def speechless(_: str) -> Verdict:
    return cast(Verdict, None)      # a guard from elsewhere, that no type checker has seen


def masking(word: str) -> Callable[[str], Verdict]:
    return lambda text: Mask(text.replace(word, "*"), word, "secret") if word in text else Allow()


def a_trail() -> Trail:
    return Trail(TraceId("t1"))


def actions(trail: Trail) -> list[tuple[str, str]]:
    return [(decision.guard, decision.action) for decision in trail.decisions]


async def test_each_guard_reads_what_the_last_one_left() -> None:
    trail = a_trail()
    later = Watching(lambda text: Flag("long", f"saw {text}"))
    chain = Inbound([SecretsGuard(), later, Watching(refusing, beside=True)], fingerprint)
    passed = await chain.first("key ghp_0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R!", trail)
    assert passed == Passed("key [GitHub token removed]!", ("saw key [GitHub token removed]!",))
    assert actions(trail) == [("secrets", "mask"), ("watching", "flag")]
    first, second = trail.decisions
    assert (first.direction, first.scanned, first.text_hash, second.scanned) == ("in", 45, "#45", 27)


async def test_the_first_refusal_wins_and_the_rest_is_not_asked() -> None:
    trail = a_trail()
    with pytest.raises(Refused) as refused:
        await Inbound([Watching(refusing, "a"), Watching(breaking, "b")], fingerprint).first("rain?", trail)
    assert refused.value.reply == "I do not talk about the weather."
    assert actions(trail) == [("a", "refuse")]
    assert (trail.decisions[0].category, trail.decisions[0].score) == ("topic", 0.9)


@pytest.mark.parametrize("beside", [False, True])
async def test_a_guard_that_breaks_refuses_and_says_nothing_of_the_text(beside: bool) -> None:
    for judge in (breaking, speechless):
        trail = a_trail()
        chain = Inbound([Watching(judge, beside=beside)], fingerprint)
        with pytest.raises(Refused) as refused:
            await (chain.beside if beside else chain.first)("hello", trail)
        assert refused.value.reply == BROKEN
        assert "secret" not in str(refused.value)
        assert isinstance(refused.value.__cause__, LookupError | TypeError)
        assert actions(trail) == [("watching", "error")]


async def test_there_is_no_other_model_for_a_question() -> None:
    with pytest.raises(Refused) as refused:
        await Inbound([Watching(lambda _: Reroute("r", "c"))], fingerprint).first("hello", a_trail())
    assert refused.value.reply == ELSEWHERE


async def test_guards_beside_retrieval_run_at_once_and_a_refusal_comes_out_as_itself() -> None:
    go = asyncio.Event()

    def starts_the_other(_: str) -> Verdict:
        go.set()
        return Allow()

    trail = a_trail()
    waits, starts = Watching(allowing, "waits", beside=True, wait=go), Watching(starts_the_other, "starts", beside=True)
    chain = Inbound([waits, starts], fingerprint)
    assert await chain.beside("hello", trail) == Passed("hello")
    assert sorted(actions(trail)) == [("starts", "allow"), ("waits", "allow")]

    slow = Watching(allowing, beside=True, wait=asyncio.Event())
    with pytest.raises(Refused) as refused:
        await Inbound([slow, Watching(refusing, beside=True)], fingerprint).beside("rain?", trail)
    assert refused.value.reply == "I do not talk about the weather."
    assert slow.cancelled


async def test_masks_beside_each_other_all_count() -> None:
    chain = Inbound([Watching(masking(word), word, beside=True) for word in ("red", "green", "blue")], fingerprint)
    assert await chain.beside("red green yellow", a_trail()) == Passed("* * yellow")
    assert await chain.beside("yellow", a_trail()) == Passed("yellow")


@pytest.mark.parametrize("beside", [False, True])
async def test_stopping_is_no_refusal(beside: bool) -> None:
    slow, trail = Watching(allowing, beside=beside, wait=asyncio.Event()), a_trail()
    chain = Inbound([slow], fingerprint)
    task = asyncio.create_task((chain.beside if beside else chain.first)("hello", trail))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.cancelled
    assert trail.decisions == []
