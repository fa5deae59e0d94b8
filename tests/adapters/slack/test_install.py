"""Several workspaces: installed by the people who run them, each with a token of its own, until they take it back."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from adapters.slack.ids import Workspace
from adapters.sql.database import Database
from adapters.sql.installations import SqlInstallations
from engine.errors import PlatformUnavailable
from tests.adapters.slack.hearing import KEYRING, Listener, listening
from tests.fake_slack import FakeSlack, Tears

# The library's own call of aiohttp.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


@pytest.fixture
async def bot(fake: FakeSlack, database: Database) -> AsyncGenerator[Listener]:
    async with listening(fake, database, http=True, oauth=True) as listener:
        yield listener


async def installs(bot: Listener, team: str, *, state: str | None = None) -> int:
    """Somebody of a workspace opens our page, agrees at Slack, and comes back; the status of the last page."""
    root = bot.fake.delivery.request_url.removesuffix("/slack/events")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(f"{root}/slack/install", allow_redirects=False) as response:
            page = response.headers.get("Location", "") or await response.text()
            cookies = {"slack-app-oauth-state": response.cookies["slack-app-oauth-state"].value}
        (address,) = re.findall(r'https?://[^"\s]*/oauth/v2/authorize[^"\s]*', page)
        given = parse_qs(urlsplit(address.replace("&amp;", "&")).query)
        assert (given["client_id"], given["scope"]) == ([bot.fake.client_id], ["chat:write"])
        bot.fake.codes[f"code-{team}"] = bot.fake.workspace(team)
        back = {"code": f"code-{team}", "state": state or given["state"][0]}
        async with browser.get(f"{root}/slack/oauth_redirect", params=back, headers={
            "Cookie": f"slack-app-oauth-state={cookies['slack-app-oauth-state']}",
        }) as response:
            return response.status


async def test_a_workspace_that_installs_the_app_is_heard(bot: Listener, database: Database) -> None:
    bot.fake.install("T2", "other")
    bot.fake.joins_team("dan", team="T2")
    bot.fake.says("dan", "dm", "too early", team="T2")
    await bot.hears()
    assert len(bot.ledger.rejected) == 1
    assert await installs(bot, "T1") == 200
    assert await installs(bot, "T2") == 200
    bot.fake.says("ann", "dm", "hello from one")
    bot.fake.says("dan", "dm", "hello from two", team="T2")
    await bot.hears()
    assert sorted((said.message.author, said.message.text) for said in bot.said) == [
        ("slack:T1/UANN", "hello from one"), ("slack:T2/UDAN", "hello from two"),
    ]
    assert await bot.slack.homes.token("T2") == bot.fake.workspace("T2").token
    kept = await SqlInstallations(database, KEYRING, "slack").all()
    assert [each.workspace for each in kept] == ["T1", "T2"]


async def test_nobody_can_install_with_a_code_that_we_did_not_ask_for(bot: Listener) -> None:
    assert await installs(bot, "T1", state="made-up") >= 400
    assert bot.slack.homes.all == []


async def test_when_slack_is_away_somebody_is_told_to_try_again(bot: Listener) -> None:
    bot.fake.fails("oauth.v2.access", Tears(after=False))
    assert await installs(bot, "T1") == 503
    assert await installs(bot, "T1") == 200


async def test_an_installation_is_there_after_a_restart_and_for_every_replica(
    bot: Listener, fake: FakeSlack, database: Database
) -> None:
    await installs(bot, "T1")
    async with listening(fake, database, http=True, oauth=True) as replica:
        fake.says("ann", "dm", "hello?")
        await replica.hears()
        assert replica.asked == ["hello?"]


async def test_a_workspace_that_takes_the_app_out_is_forgotten(bot: Listener, database: Database) -> None:
    await installs(bot, "T1")
    bot.fake.uninstalls()
    await bot.hears()
    assert await SqlInstallations(database, KEYRING, "slack").all() == []
    with pytest.raises(PlatformUnavailable, match="not installed"):
        await bot.slack.homes.token("T1")


async def test_a_workspace_of_a_grid_has_its_own_name(fake: FakeSlack, database: Database) -> None:
    """S28"""
    fake.install("T5", "grid", enterprise="E5")
    fake.joins_team("gil", team="T5")
    async with listening(fake, database, http=True, oauth=True) as bot:
        await installs(bot, "T5")
        fake.says("gil", "dm", "hello?", team="T5")
        await fake.command("gil", "dm", "/bartizan ask and privately?", team="T5")
        await bot.hears()
        assert [said.message.author for said in bot.said] == ["slack:E5/WGIL"] * 2
        assert {said.message.place.workspace for said in bot.said} == {"E5.T5"}
        assert (await bot.slack.homes.me(Workspace("T5"))) is not None
