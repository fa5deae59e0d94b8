"""Settings are handed down in parts, and every part arrives."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import Bot, Patient, dispatch_options, keep_indexed, model_configs, open_bot, queue_options, settle
from bot.dispatch import DispatchOptions
from bot.settings import ModelSettings, QueueSettings, Settings
from bot.sources import Knowledge
from engine.errors import MembershipUnavailable, RetrieverUnavailable, StillReading
from engine.messages import MessageId, PersonId, Place
from tests.adapters.qdrant.worlds import ask
from tests.fakes import ANN, Room

QUEUE = QueueSettings(
    concurrency=1, lease=timedelta(seconds=2), poll=timedelta(seconds=0.3),
    max_failures=4, max_unreachable=5, max_crashes=6,
    backlog=7, quota=8, quota_window=timedelta(seconds=9), deadline=timedelta(seconds=10), grace=timedelta(seconds=11),
    retry_base=timedelta(seconds=12), retry_max=timedelta(seconds=13),
)


def test_the_dispatcher_gets_its_part() -> None:
    made = dispatch_options(Settings(queue=QUEUE))
    ours = {field.name for field in fields(DispatchOptions)} - {"ending"}
    assert {name: getattr(made, name) for name in ours} == {name: getattr(QUEUE, name) for name in ours}


def test_the_queue_gets_its_part() -> None:
    made = queue_options(Settings(queue=QUEUE), ("test",))
    assert (made.routes, made.lease, made.poll) == (("test",), QUEUE.lease, QUEUE.poll)
    assert (made.retry_base, made.retry_max) == (QUEUE.retry_base, QUEUE.retry_max)
    assert (made.caps.backlog, made.caps.quota, made.caps.window) == (7, 8, 9.0)


def test_the_model_gets_its_part() -> None:
    settings = Settings(model=ModelSettings(
        url="http://gpu:30000", name="qwen",
        connect_timeout=timedelta(seconds=1), first_token_timeout=timedelta(seconds=2),
        idle_timeout=timedelta(seconds=3), answer_timeout=timedelta(seconds=4), retries=5, breaker_failures=6,
        breaker_cooldown=timedelta(seconds=7), temperature=0.8, reasoning_effort="low",
    ))
    (made,) = model_configs(settings)
    assert [part.total_seconds() for part in (made.connect, made.first_token, made.idle, made.whole)] == [1, 2, 3, 4]
    assert (made.retries, made.breaker_threshold, made.breaker_cooldown.total_seconds()) == (5, 6, 7)
    assert (made.name, made.temperature, made.reasoning_effort) == ("qwen", 0.8, "low")
    assert model_configs(Settings()) == []


async def test_what_was_said_is_taken_back_though_what_came_with_it_cannot_be() -> None:
    heard = []

    class Stuck:
        async def forget(self, message: MessageId) -> None:
            raise RetrieverUnavailable(f"no room for {message}")

    class Knowing:
        async def recall(self, message: MessageId) -> None:
            heard.append(message)

    rest: dict[str, Any] = {field.name: None for field in fields(Bot) if not field.name.startswith("_")}
    bot = Bot(**{**rest, "uploads": Stuck(), "knowledge": Knowing()})
    with pytest.raises(RetrieverUnavailable, match="no room for test:ops/1"):
        await bot.recalled(MessageId("test:ops/1"), True)
    assert heard == ["test:ops/1"]


async def test_whoever_syncs_or_takes_something_back_at_a_start_does_it_with_the_same_knowledge(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(6):
        (pages / f"{number}.md").write_text(f"# Page {number}\n\nNumber {number} is served on day {number}.\n")
    settings = Settings.model_validate({"data_dir": tmp_path / "data", "knowledge": {"folder": pages}})
    async with open_bot(settings, [Room(ANN)]) as bot, asyncio.timeout(60):
        keeping: list[asyncio.Task[None]] = []
        known: list[Knowledge | None] = []

        def tell(_source: str, _done: int, _total: int) -> None:
            known.append(bot.knowledge)
            if not keeping:
                keeping.append(asyncio.create_task(keep_indexed(bot)))

        reports = await bot.sync_for(None, False, tell)
        assert reports["folder"].added == 6
        await bot.recalled(MessageId("test:ops/1"), True)
        assert (await bot.sync_for("folder", False, tell))["folder"].unchanged == 6
        assert await bot.mind() == {}
        assert {id(each) for each in known} == {id(await bot.known())}
        keeping[0].cancel()
        await asyncio.wait(keeping)


async def test_who_is_in_a_room_is_known_of_platforms_that_are_served(tmp_path: Path) -> None:
    async with open_bot(Settings(data_dir=tmp_path / "data"), [Room(ANN)]) as bot, asyncio.timeout(60):
        here = Place("test", "T1", "ops", PersonId(""))
        assert {member.person for member in (await bot.index.readers(here)).members} == {"ann"}
        with pytest.raises(MembershipUnavailable, match="known only while"):
            await bot.index.readers(replace(here, platform="slack"))


async def test_who_asks_before_there_is_any_page_hears_that_they_are_being_read(tmp_path: Path) -> None:
    async with open_bot(Settings(data_dir=tmp_path / "data"), [Room(ANN)]) as bot, asyncio.timeout(60):
        waiting = Patient(bot.index, asyncio.Event(), timedelta(0))
        with pytest.raises(StillReading) as heard:
            await ask(waiting, "how much notice?")
        assert heard.value.reply.startswith("I am still reading my pages")
        waiting.indexed.set()
        assert not (await ask(waiting, "how much notice?")).answers


async def test_what_is_loaded_is_left_alone_once_the_pages_are_there(tmp_path: Path) -> None:
    before = gc.get_freeze_count()
    async with open_bot(Settings(data_dir=tmp_path / "data"), [Room(ANN)]) as bot, asyncio.timeout(60):
        settling = asyncio.create_task(settle(bot))
        await asyncio.sleep(0)
        assert gc.get_freeze_count() == before
        bot.indexed.set()
        try:
            await settling
            assert gc.get_freeze_count() > before
        finally:
            gc.unfreeze()       # what other tests leave behind is garbage
