"""`bartizan inbox show` says of an answer whose page was deleted that it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.sql.desk import Desk
from bot.app import Bot, open_bot
from bot.inbox_show import show
from bot.settings import Settings
from tests.builders import said
from tests.fakes import ANN, Room


@asynccontextmanager
async def a_program(settings: Settings) -> AsyncIterator[Bot]:
    """The whole bot with a room instead of a chat platform."""
    async with open_bot(settings, [Room(ANN)]) as bot:
        await bot.sync()
        yield bot


async def test_the_sources_of_an_answer_say_when_they_are_gone(tmp_path: Path) -> None:
    page = tmp_path / "pages" / "leave.md"
    page.parent.mkdir()
    page.write_text("# Annual leave\n\nGive ten working days' notice before annual leave.\n")
    settings = Settings.model_validate({"data_dir": tmp_path / "data", "knowledge": {"folder": page.parent}})
    question = said("how much notice before annual leave?")

    async def answered(bot: Bot) -> None:
        await bot.inbox.receive(question)
        while not await Desk(bot.database).turns(state="done"):
            await asyncio.sleep(0.01)
        bot.stopping.set()

    async with a_program(settings) as bot:
        await bot.serve(answered)
        (turn,) = await Desk(bot.database).turns(state="done")
        shown = await show(settings, turn["trace"])       # asks the one that has the index
        (source,) = shown["sources"]
        assert (source["marker"], source["title"], source["deleted"]) == (1, "Annual leave", False)
        page.unlink()
        await bot.sync()
        assert [each["deleted"] for each in (await show(settings, turn["trace"]))["sources"]] == [True]
