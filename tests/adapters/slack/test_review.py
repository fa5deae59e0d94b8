"""What was rewritten or taken back while we could not hear is found afterwards, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from adapters.slack import review
from adapters.slack.platform import Slack
from adapters.sql.database import Database
from adapters.sql.hearing import SqlHearing
from adapters.sql.outbox import SqlTurns
from adapters.sql.sealed import Keyring
from adapters.sql.tables import turn
from engine.messages import Deleted, Edited, TraceId
from tests.adapters.slack.company import a_company
from tests.adapters.slack.hearing import Listener, listening
from tests.builders import a_passage
from tests.fake_slack import Breaks, FakeSlack, Post, fake_slack
from tests.fakes import ScriptedModel


@pytest.fixture
async def fake() -> AsyncGenerator[FakeSlack]:
    async with fake_slack(again=()) as slack:       # whatever is not taken at once is lost
        yield slack


async def reviewed(bot: Listener) -> None:
    await bot.hears()
    await settled(bot.slack, bot.inbox.database)


async def settled(slack: Slack, database: Database) -> None:
    """Waits until no gap is left."""
    async with asyncio.timeout(20):
        while not slack.settled or await SqlHearing(database, "slack").gaps():
            await asyncio.sleep(0.02)


async def before(fake: FakeSlack, database: Database) -> dict[str, Post]:
    """What was said while we heard everything."""
    async with listening(fake, database) as bot:
        root = fake.says("ann", "general", "The door code is 1234.")
        said = {
            "root": root, "reply": fake.says("bob", "general", "Thank you.", root),
            "loose": fake.says("cyd", "general", "Lunch is at noon."),
            "shouted": fake.says("bob", "general", "It has changed!", root, broadcast=True),
            "direct": fake.says("ann", "dm", "What is the door code?"),
        }
        await bot.hears()
        said["under"] = fake.says("ann", "dm", "And of the cellar?", said["direct"])
        await reviewed(bot)
        assert len(bot.said) == len(said)
    return said


@pytest.mark.parametrize("what", ["root", "reply", "loose", "shouted", "direct", "under"])
async def test_what_was_taken_back_meanwhile_is_deleted(fake: FakeSlack, database: Database, what: str) -> None:
    """S9, S10: no history shows it; of what has replies a stone is left."""
    said = await before(fake, database)
    fake.deletes(said[what])
    async with listening(fake, database) as bot:
        await reviewed(bot)
        assert [(type(change), change.message) for change in bot.changes] == [
            (Deleted, f"slack:T1/{said[what].channel}/{said[what].ts}")]
    async with listening(fake, database) as bot:
        await reviewed(bot)
        assert bot.changes == []


@pytest.mark.parametrize("what", ["root", "reply", "loose", "shouted", "direct", "under"])
async def test_what_was_rewritten_meanwhile_is_edited(fake: FakeSlack, database: Database, what: str) -> None:
    said = await before(fake, database)
    fake.edits(said[what], "It is <2345> now.")
    async with listening(fake, database) as bot:
        await reviewed(bot)
        assert [(type(change), change.message) for change in bot.changes] == [
            (Edited, f"slack:T1/{said[what].channel}/{said[what].ts}")]
        assert isinstance(bot.changes[0], Edited)
        assert bot.changes[0].text == "It is <2345> now."
    async with listening(fake, database) as bot:
        await reviewed(bot)
        assert bot.changes == []


async def test_what_stands_there_is_left_alone_however_little_of_it_is_looked_at(
    fake: FakeSlack, database: Database, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page that ends early and a thread too many are no deletions."""
    await before(fake, database)
    for name in ("PAGES", "THREADS"):
        monkeypatch.setattr(review, name, 1)
    fake.page = 1
    async with listening(fake, database) as bot:
        await reviewed(bot)
        assert bot.changes == []
    assert {error for _, error in fake.refused()} <= {""}


async def test_an_outage_in_the_middle_of_looking_deletes_nothing_and_forgets_nothing(
    fake: FakeSlack, database: Database, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.slack.backfill.AGAIN", 0.05)
    said = await before(fake, database)
    fake.deletes(said["reply"])
    async with listening(fake, database, patience=review.timedelta(0)) as bot:
        fake.fails("conversations.replies", *[Breaks()] * 3)
        await reviewed(bot)
        assert [change.message for change in bot.changes] == [f"slack:T1/CGENERAL/{said['reply'].ts}"]


async def test_an_answer_of_ours_that_somebody_took_away_meanwhile_is_not_remembered(
    fake: FakeSlack, tmp_path: Path,
) -> None:
    """S9"""
    pages, model = [a_passage(title="Leave")], ScriptedModel(["Ten days [1]."] * 2)
    async with a_company(fake, tmp_path, model=model, passages=pages) as company:
        for _ in range(2):
            fake.says("ann", "general", "@bartizan how much notice?")
            await fake.settled()
        await settled(company.platform, company.database)
        first, second = fake.answers("general")
    fake.deletes(first)
    async with a_company(fake, tmp_path, model=model, passages=pages) as company:
        await settled(company.platform, company.database)
        await fake.settled()
        traces = await company.database.read(lambda c: list(c.execute(turn.select().order_by(turn.c.id))))
        turns = SqlTurns(company.database, Keyring(b"k" * 32))
        told = [await turns.told(TraceId(row.trace)) for row in traces]
        assert [one is not None and one.answer is not None for one in told] == [False, True]
        assert fake.answers("general") == [second]
