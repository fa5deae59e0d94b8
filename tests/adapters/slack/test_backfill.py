"""What was said while we could not hear is fetched, once, and answered only if it is recent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from adapters.slack import backfill, sockets
from adapters.slack.backfill import MARGIN, Backfill
from adapters.slack.calls import Calls, Revoked
from adapters.slack.homes import Home, Homes
from adapters.slack.ids import Workspace
from adapters.slack.names import People
from adapters.slack.normalise import Self
from adapters.sql.database import Database
from adapters.sql.hearing import SqlHearing
from adapters.sql.installations import SqlInstallations
from engine.errors import PlatformUnavailable
from engine.messages import Edited
from tests.adapters.slack.hearing import KEYRING, Listener, listening
from tests.fake_slack import Breaks, FakeSlack, Says, fake_slack


@pytest.fixture
async def fake() -> AsyncGenerator[FakeSlack]:
    async with fake_slack(again=()) as slack:       # whatever is not taken at once is lost
        yield slack


async def filled(bot: Listener) -> None:
    """Waits until no gap is left."""
    await bot.hears()
    async with asyncio.timeout(20):
        while not bot.slack.settled or await SqlHearing(bot.inbox.database, "slack").gaps():
            await asyncio.sleep(0.02)


async def seen_before(fake: FakeSlack, database: Database) -> None:
    """A first run, in which ann asks something in a thread."""
    async with listening(fake, database) as bot:
        fake.says("ann", "general", "@bartizan how much notice?")
        await bot.hears()
        await filled(bot)


async def test_what_was_asked_while_we_were_down_is_answered_once(fake: FakeSlack, database: Database) -> None:
    await seen_before(fake, database)
    (root,) = fake.channel("general").posts.values()
    fake.says("ann", "general", "and for two weeks?", root)             # a thread that began before
    fake.says("bob", "general", "lunch?")
    second = fake.says("bob", "general", "@bartizan who decides?")
    fake.says("bob", "general", "anybody?", second)                     # a thread that began meanwhile
    fake.says("cyd", "dm", "hello?")
    async with listening(fake, database) as bot:
        await filled(bot)
        assert sorted(bot.asked) == ["and for two weeks?", "anybody?", "hello?", "who decides?"]
        assert len(bot.said) == 5
    async with listening(fake, database) as bot:
        await filled(bot)
        assert bot.said == []


async def test_a_word_under_an_answer_in_a_direct_conversation_is_not_missed(
    fake: FakeSlack, database: Database
) -> None:
    async with listening(fake, database) as bot:
        asked = fake.says("ann", "dm", "how much notice?")
        await bot.hears()
        await filled(bot)
    fake.says("ann", "dm", "and for two weeks?", asked)
    async with listening(fake, database, recent=timedelta(hours=1)) as bot:
        await filled(bot)
        assert bot.asked == ["and for two weeks?"]
        assert bot.said[0].message.conversation == "slack:T1/DANN"


async def test_what_was_asked_too_long_ago_is_stored_and_not_answered(fake: FakeSlack, database: Database) -> None:
    await seen_before(fake, database)
    fake.says("bob", "general", "@bartizan who decides?")
    async with listening(fake, database, recent=timedelta(0)) as bot:
        await filled(bot)
        assert (bot.asked, [said.message.text for said in bot.said]) == ([], ["who decides?"])


async def test_a_missed_edit_comes_with_its_message(fake: FakeSlack, database: Database) -> None:
    await seen_before(fake, database)
    (root,) = fake.channel("general").posts.values()
    fake.edits(root, "@bartizan how much notice for two weeks?")
    async with listening(fake, database) as bot:
        await filled(bot)
        (edit,) = bot.changes
        assert isinstance(edit, Edited)
        assert edit.text == "how much notice for two weeks?"


async def test_a_gap_is_filled_page_by_page_and_goes_on_after_a_failure(fake: FakeSlack, database: Database) -> None:
    """S21; a crash or an outage in the middle repeats a page, and no message."""
    await seen_before(fake, database)
    for number in range(23):
        fake.says("bob", "general", f"number {number}")
    fake.page = 5
    fake.fails("conversations.history", *[Breaks()] * 3)
    async with listening(fake, database) as bot:
        await filled(bot)
        assert sorted(int(said.message.text.split()[1]) for said in bot.said) == list(range(23))


async def test_a_channel_that_took_us_out_does_not_keep_the_others_waiting(fake: FakeSlack, database: Database) -> None:
    await seen_before(fake, database)
    fake.says("cyd", "dm", "hello?")
    fake.fails("conversations.history", Says("not_in_channel"), Says("not_in_channel"))
    async with listening(fake, database) as bot:
        await filled(bot)


async def test_when_no_socket_is_open_for_a_while_the_time_is_made_up_for(
    fake: FakeSlack, database: Database, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """S6, S8"""
    monkeypatch.setattr(sockets, "PING", 0.5)
    async with listening(fake, database) as bot:
        await filled(bot)
        fake.fails("apps.connections.open", *[Breaks()] * 2)
        await fake.delivery.disconnect("link_disabled", grace=0)
        await fake.until(lambda: bot.slack.problem is not None)
        fake.says("ann", "dm", "hello?")
        await fake.until(lambda: bot.slack.problem is None)
        await fake.until(lambda: bot.asked)
        assert bot.asked == ["hello?"]


async def test_a_socket_that_hears_nothing_any_more_is_given_up_and_the_time_made_up_for(
    fake: FakeSlack, database: Database, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """S8: it is open as before, and no ping is answered: with the library's own five seconds it takes twenty."""
    monkeypatch.setattr(sockets, "PING", 0.25)
    async with listening(fake, database) as bot:
        await filled(bot)
        await asyncio.sleep(0.6)                    # pings were answered till then
        fake.delivery.forget()
        told = fake.says("ann", "dm", "hello?")
        await bot.hears()
        assert (told.seen, bot.asked) == ("hello?", [])
        await fake.until(lambda: fake.delivery.hellos == 2)
        await fake.until(lambda: bot.asked)
        assert bot.asked == ["hello?"]
        assert bot.slack.problem is None


async def test_what_was_said_before_we_came_into_a_channel_is_stored(fake: FakeSlack, database: Database) -> None:
    async with listening(fake, database) as bot:
        fake.opens_channel("news", "ann", bot=False)
        fake.says("ann", "news", "the office is closed on Friday")
        fake.joins("bot", "news")
        await filled(bot)
        await fake.until(lambda: bot.said)
        assert [(said.message.text, said.addressed) for said in bot.said] == [("the office is closed on Friday", False)]


async def test_when_slack_holds_events_back_they_are_fetched(fake: FakeSlack, database: Database) -> None:
    """S5"""
    async with listening(fake, database) as bot:
        await filled(bot)
        fake.subscriptions = frozenset()
        asked = fake.says("ann", "dm", "hello?")
        fake.delivery.deliver("events_api", {
            "type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": int(float(asked.ts)), "token": "x",
            "api_app_id": "A0FAKE",
        })
        await bot.hears()
        await fake.until(lambda: bot.asked)
        assert bot.asked == ["hello?"]


async def test_a_channel_with_another_id_keeps_its_threads(fake: FakeSlack, database: Database) -> None:
    """S28"""
    async with listening(fake, database) as bot:
        root = fake.says("ann", "general", "@bartizan how much notice?")
        await bot.hears()
        general = fake.channel("general")
        fake.sends({"type": "channel_id_changed", "old_channel_id": "CGENERAL", "new_channel_id": "CNEW"})
        await bot.hears()
        del fake.workspace().channels["CGENERAL"]
        general.id = "CNEW"
        fake.workspace().channels["CNEW"] = general
        fake.says("ann", "general", "and now?", root)
        await bot.hears()
        assert bot.asked == ["how much notice?", "and now?"]


EARLIER, LATER = datetime.now(UTC) - timedelta(hours=3), datetime.now(UTC) - timedelta(hours=1)


@dataclass(slots=True)
class Lists:
    """Slack's lists of channels: one channel in each workspace. ``away``: whom it refuses, and with what."""

    away: dict[str, Exception] = field(default_factory=dict)
    asked: int = 0
    teams: list[str | None] = field(default_factory=list)       # that a call named
    slow: asyncio.Event | None = None

    async def call(self, method: str, workspace: str, arguments: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        if method == "auth.teams.list":
            first = arguments.get("cursor") is None
            return {"teams": [{"id": "T8", "name": "east"} if first else {"id": "T9", "name": "west"}],
                    "response_metadata": {"next_cursor": "more" if first else ""}}
        assert (method, bool(arguments), bool(more)) == ("users.conversations", True, True)
        self.asked += 1
        self.teams.append(arguments.get("team_id"))
        if self.slow:
            await self.slow.wait()
        if workspace in self.away:
            raise self.away[workspace]
        return {"channels": [{"id": f"C{workspace}"}]}

    async def is_asked(self, more: int) -> None:
        """Until that many more calls have come."""
        wanted = self.asked + more
        async with asyncio.timeout(10):
            while self.asked < wanted:
                await asyncio.sleep(0.005)


@dataclass(slots=True)
class Outage:
    """Two workspaces that were heard until a while ago."""

    backfill: Backfill
    lists: Lists
    cursors: SqlHearing

    async def gaps(self) -> list[tuple[str, datetime]]:
        """Channels, and since when something is missing there."""
        return sorted((gap.channel, gap.oldest + MARGIN) for gap in await self.cursors.gaps())

    async def over(self) -> None:
        async with asyncio.timeout(10):
            while not self.backfill.settled:
                await asyncio.sleep(0.005)


@pytest.fixture
async def outage(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Outage]:
    monkeypatch.setattr(backfill, "AGAIN", 0.02)
    monkeypatch.setattr(backfill, "BEAT", 0.01)
    cursors, lists, homes = SqlHearing(database, "slack"), Lists(), Homes("", SqlInstallations(database, KEYRING, "s"))
    for team in ("T1", "T2"):
        homes.add(Home(Self(Workspace(team), "U0BOT"), "xoxb"))
        await cursors.heard(team, EARLIER)
    await homes.identify(cast(Calls, lists))
    people = People(cast(Calls, lists), homes)
    filling = Backfill(
        homes, cast(Calls, lists), people, cursors, cursors, lookback=timedelta(days=1), recent=timedelta(hours=1),
        idle=timedelta(hours=1), hearing=lambda: True,
    )
    jobs = [asyncio.create_task(filling.catch_up()), asyncio.create_task(filling.beat())]
    yield Outage(filling, lists, cursors)
    for job in jobs:
        job.cancel()
    await asyncio.wait(jobs)


async def test_coming_into_a_channel_does_not_hide_what_the_others_miss(outage: Outage) -> None:
    outage.lists.away = dict.fromkeys(("T1", "T2"), PlatformUnavailable("slack: away"))
    outage.backfill.restored(None)
    await outage.lists.is_asked(2)
    await outage.backfill.missed(Self(Workspace("T1"), "U0BOT"), "CNEW", None)
    await outage.lists.is_asked(2)
    outage.lists.away = {}
    await outage.over()
    assert [gap for gap in await outage.gaps() if gap[0] != "CNEW"] == [("CT1", EARLIER), ("CT2", EARLIER)]


async def test_of_two_losses_the_first_is_made_up_for_too(outage: Outage) -> None:
    outage.lists.away = dict.fromkeys(("T1", "T2"), PlatformUnavailable("slack: away"))
    outage.backfill.restored(EARLIER)
    await outage.lists.is_asked(2)
    outage.lists.away = {}
    outage.backfill.restored(LATER)
    await outage.over()
    assert await outage.gaps() == [("CT1", EARLIER), ("CT2", EARLIER)]


async def test_a_loss_while_another_is_made_up_for_is_not_forgotten(outage: Outage) -> None:
    outage.lists.slow = asyncio.Event()
    outage.backfill.restored(EARLIER)
    await outage.lists.is_asked(1)
    again = datetime.now(UTC)
    outage.backfill.restored(again)
    outage.lists.slow.set()
    await outage.over()
    ends = {gap.channel: gap.latest for gap in await outage.cursors.gaps()}
    assert (ends["CT1"] >= again, ends["CT2"] >= again) == (True, True)


async def test_a_token_that_is_none_any_more_keeps_no_other_workspace_waiting(outage: Outage) -> None:
    outage.lists.away = {"T1": Revoked("slack: token_revoked")}
    outage.backfill.restored(None)
    await outage.lists.is_asked(4)
    assert await outage.gaps() == [("CT2", EARLIER)]
    assert await outage.cursors.last_heard("T1") == EARLIER         # what it missed is still known when it comes back
    before = await outage.cursors.last_heard("T2")
    await asyncio.sleep(0.1)
    after = await outage.cursors.last_heard("T2")
    assert before is not None
    assert after is not None
    assert EARLIER < before < after
    outage.lists.away = {}
    await outage.over()
    assert await outage.gaps() == [("CT1", EARLIER), ("CT2", EARLIER)]


async def test_what_an_organisation_missed_is_fetched_workspace_by_workspace(outage: Outage) -> None:
    """S28: installed for a whole Grid, whose channels are listed by workspace."""
    outage.backfill.homes.add(Home(Self(Workspace("", "E1"), "U0BOT"), "xoxb-org"))
    await outage.cursors.heard("E1.", EARLIER)
    outage.backfill.restored(None)
    await outage.over()
    assert await outage.gaps() == [("CE1.T8", EARLIER), ("CE1.T9", EARLIER), ("CT1", EARLIER), ("CT2", EARLIER)]
    assert outage.lists.teams == [None, None, "T8", "T9"]
    assert {gap.workspace for gap in await outage.cursors.gaps()} == {"T1", "T2", "E1.T8", "E1.T9"}
    me = await outage.backfill.homes.me(Workspace("T9", "E1"))
    assert me == Self(Workspace("T9", "E1"), "U0BOT")
