"""Interrupting a task for a reason, and leaving everybody else's cancellations alone."""

from __future__ import annotations

import asyncio

import pytest

from bot.interrupt import Interrupted, Interruptible, Reason


async def sleeper(turn: Interruptible, began: asyncio.Event) -> str:
    try:
        async with turn:
            began.set()
            await asyncio.sleep(30)
    except Interrupted as stop:
        await asyncio.sleep(0)          # the task is alive and may wait again
        return stop.reason.value
    return "slept"


async def a_sleeper() -> tuple[Interruptible, asyncio.Task[str]]:
    turn, began = Interruptible(), asyncio.Event()
    task = asyncio.create_task(sleeper(turn, began))
    await began.wait()
    return turn, task


async def test_the_first_reason_counts() -> None:
    turn, task = await a_sleeper()
    turn.interrupt(Reason.STOPPED)
    turn.interrupt(Reason.SHUTDOWN)
    assert await task == "stopped"
    assert task.cancelling() == 0


async def test_somebody_elses_cancellation_passes_through() -> None:
    _, task = await a_sleeper()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_both_at_once_is_a_cancellation() -> None:
    turn, task = await a_sleeper()
    turn.interrupt(Reason.STOPPED)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_block_may_interrupt_itself_at_its_next_wait_or_not_at_all() -> None:
    async def waits() -> None:
        async with Interruptible() as turn:
            turn.interrupt(Reason.STOPPED)
            await asyncio.sleep(1)

    with pytest.raises(Interrupted):
        await waits()
    async with Interruptible() as turn:
        turn.interrupt(Reason.STOPPED)
    await asyncio.sleep(0.01)           # too late: nothing is left to interrupt


async def test_outside_the_block_nothing_happens() -> None:
    turn = Interruptible()
    turn.interrupt(Reason.STOPPED)
    async with turn:
        await asyncio.sleep(0)
    turn.interrupt(Reason.STOPPED)
    await asyncio.sleep(0)
