"""A bot that is killed, stopped, slowed down or shut out, and what stands in Slack in the end."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path
from urllib.parse import unquote

import aiohttp
import pytest

from tests.fake_sglang import fake_sglang, says
from tests.fake_slack import Dawdles, Limited, Stream
from tests.stories.slack_day import ASK, HTTP, NOTICE, SLOWLY, SOCKET, a_day, acme, begun, states, voice

QUICKLY = [says(*NOTICE)]


@pytest.mark.parametrize("mode", [SOCKET, HTTP])
async def test_kill_9_in_the_middle_of_everything_loses_nothing_and_says_nothing_twice(
    tmp_path: Path, mode: str,
) -> None:
    """S6, S17, S22, S24: a stream under way, a private answer that waits, and what is said and deleted meanwhile."""
    async with acme(again=()) as slack:         # no delivery of what it missed ever comes; the history has it
        async with fake_sglang(voice) as slow, begun(tmp_path, slack, slow.url, mode) as program:
            regretted = slack.says("bob", "general", "The door code is 1234.")
            before = slack.says("cyd", "general", ASK)
            await slack.until(lambda: any("[Try again]" in p.seen for p in slack.answers("general", before)))
            slack.fails("response_url", Dawdles(0.0), Limited(30))      # what it says first goes through
            await slack.command("bob", "general", "/bartizan ask how much notice before annual leave?")
            await slack.until(lambda: not slack.faults["response_url"])
            question = slack.says("ann", "general", SLOWLY)
            await slack.until(lambda: any("word1" in p.seen for p in slack.answers("general", question)))
            program.process.kill()
            await program.ends()
        assert states(slack) == [Stream.DONE, Stream.LIVE]
        (status,) = slack.hidden("bob")
        assert status.seen.startswith("You asked: how much notice before annual leave?")
        missed = slack.says("cyd", "general", "@bartizan and how much notice for a half day?")
        slack.deletes(regretted)
        await asyncio.sleep(0.2)
        async with fake_sglang(QUICKLY) as quick, begun(tmp_path, slack, quick.url, mode):
            for asked in (question, missed):
                await slack.until(
                    lambda asked=asked: any("[Try again]" in p.seen for p in slack.answers("general", asked)), 60)
            await slack.until(lambda: any("[Try again]" in e.seen for e in slack.hidden("bob")), 60)
            for told in [d for d in slack.delivery.log if d.payload.get("event", {}).get("ts") == question.ts]:
                slack.delivery.deliver("events_api", told.payload)
            await slack.until(lambda: "changes that were missed" in (tmp_path / "log").read_text(), 40)
            await slack.command("cyd", "general", "/bartizan summarise")
            await slack.until(lambda: any("[Share with channel]" in e.seen for e in slack.hidden("cyd")))
            await slack.settled()
        summary = str(quick.requests[-1]["messages"])
        assert ("how much notice for a half day" in summary, "door code" in summary) == (True, False)
        assert [len(slack.answers("general", asked)) for asked in (before, question, missed)] == [1, 1, 1]
        (answer,) = slack.answers("general", question)
        assert answer.seen.startswith("Give ten working days' notice [1].")
        assert (answer.stream, answer.thread_ts) == (Stream.DONE, question.ts)
        assert len(slack.hidden("bob")) == 2
        # A wait that we caused, and a message that was asked for by name before it was taken for deleted.
        assert set(slack.refused()) == {("response_url", "ratelimited"), ("conversations.replies", "thread_not_found")}


@pytest.mark.long
@pytest.mark.parametrize("mode", [SOCKET, HTTP])
async def test_kill_9_in_the_middle_of_a_stream_at_a_tenth_of_the_tiers_leaves_one_finished_answer(
    tmp_path: Path, mode: str,
) -> None:
    """And no broken pill, no second answer, and nothing twice when the question is delivered again."""
    share = {"BARTIZAN_SLACK__RATE_SHARE": "0.09"}
    async with acme(scale=0.1) as slack:
        async with fake_sglang(voice) as slow, begun(tmp_path, slack, slow.url, mode, share) as program:
            question = slack.says("ann", "general", SLOWLY)
            await slack.until(lambda: any("word" in p.seen for p in slack.answers("general")))
            program.process.kill()
            await program.ends()
        assert states(slack) == [Stream.LIVE]
        async with fake_sglang(QUICKLY) as quick, begun(tmp_path, slack, quick.url, mode, share):
            await slack.until(lambda: any("[Try again]" in p.seen for p in slack.answers("general")), 60)
            for told in [d for d in slack.delivery.log if d.payload.get("event", {}).get("ts") == question.ts]:
                slack.delivery.deliver("events_api", told.payload)
            await slack.settled()
        (answer,) = slack.answers("general")
        assert answer.seen.startswith("Give ten working days' notice [1].")
        assert (answer.stream, answer.thread_ts) == (Stream.DONE, question.ts)
        assert not [call for call in slack.calls if call.error == "ratelimited"]


@pytest.mark.long
async def test_a_polite_stop_in_the_middle_of_a_stream_leaves_no_broken_pill(tmp_path: Path) -> None:
    async with acme() as slack:
        async with fake_sglang(voice) as slow, \
                begun(tmp_path, slack, slow.url, SOCKET, {"BARTIZAN_QUEUE__GRACE": "0s"}) as program:
            slack.says("ann", "general", SLOWLY)
            await slack.until(lambda: any("word1" in p.seen for p in slack.answers("general")))
            program.process.send_signal(signal.SIGTERM)
            assert await program.ends() == 0
        async with fake_sglang(QUICKLY) as quick, begun(tmp_path, slack, quick.url):
            await slack.until(lambda: any("[Try again]" in p.seen for p in slack.answers("general")))
            await slack.settled()
        assert states(slack) == [Stream.DONE]


@pytest.mark.long
@pytest.mark.parametrize("mode", [SOCKET, HTTP])
async def test_a_day_with_every_rate_tier_at_a_tenth(tmp_path: Path, mode: str) -> None:
    async with a_day(tmp_path, mode, {"BARTIZAN_SLACK__RATE_SHARE": "0.09"}, scale=0.1) as day:
        slack = day.slack
        first = slack.says("ann", "general", ASK)
        direct = slack.says("bob", "dm", "how much notice before annual leave?")
        third = slack.says("cyd", "general", ASK)
        await day.answered(first, channel="general", seconds=60)
        await day.answered(direct, channel="dm", user="bob", seconds=60)
        await day.answered(third, channel="general", seconds=60)
        before = len(slack.hidden("ann"))
        await slack.command("ann", "general", "/bartizan ask how much notice before annual leave?")
        await slack.until(lambda: any("Give ten" in e.seen for e in slack.hidden("ann")[before:]), 60)
        assert [error for _, error in slack.refused()] == []


@pytest.mark.long
async def test_a_bot_that_does_not_know_of_the_tenth_honours_what_slack_says(tmp_path: Path) -> None:
    """S22: its budget is too big; every 429 is waited out and nothing is lost."""
    async with a_day(tmp_path, scale=0.1) as day:
        questions = [day.slack.says(user, "general", ASK) for user in ("ann", "bob", "cyd")]
        for question in questions:
            await day.answered(question, channel="general", seconds=90)


@pytest.mark.long
async def test_a_missing_scope_is_named(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        slack = day.slack
        slack.workspace().scopes -= {"chat:write"}
        slack.says("ann", "general", ASK)
        await slack.until(lambda: "missing_scope: the app needs chat:write" in (tmp_path / "log").read_text())


async def test_a_token_that_slack_does_not_know_ends_the_start_with_a_reason(tmp_path: Path) -> None:
    async with acme() as slack:
        slack.workspace().token = "xoxb-another"
        async with fake_sglang(voice) as model:
            slack_token = {"SLACK_BOT_TOKEN": "xoxb-wrong"}
            async with begun(tmp_path, slack, model.url, SOCKET, slack_token, ready=False) as program:
                assert await program.ends() != 0
        log = (tmp_path / "log").read_text()
        assert "invalid_auth" in log
        assert "xoxb-wrong" not in log


@pytest.mark.long
async def test_an_uninstalled_app_falls_silent_and_lives_on(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        day.slack.uninstalls()
        await day.slack.until(lambda: "taken out of a workspace" in (tmp_path / "log").read_text())
        assert (await day.program.page("/healthz"))[0] == 200


async def test_a_second_workspace_installs_the_app_both_are_answered_apart_and_one_revokes_its_token(
    tmp_path: Path,
) -> None:
    """S28: people and channels of the two bear the same ids. The revoked token is a clear line for the operator."""
    async with acme() as slack, fake_sglang(voice) as model:
        other = slack.install("T2", "globex", scopes=slack.workspace().scopes)
        other.installed = False
        slack.joins_team("ann", team="T2")
        slack.opens_channel("general", "ann", team="T2")
        slack.codes["the-code"] = other
        settings = {"BARTIZAN_SLACK__CLIENT_ID": slack.client_id, "BARTIZAN_SLACK__CLIENT_SECRET": slack.client_secret}
        async with begun(tmp_path, slack, model.url, HTTP, settings) as program, aiohttp.ClientSession() as browser:
            async with browser.get(f"{program.http}/slack/install") as page:
                state = unquote(re.findall(r"state=([^&\"]+)", await page.text() + str(page.url))[0])
                cookie = page.headers["Set-Cookie"].partition(";")[0]
            back = {"code": "the-code", "state": state}
            url = f"{program.http}/slack/oauth_redirect"
            async with browser.get(url, params=back, headers={"Cookie": cookie}) as page:
                assert page.status == 200, await page.text()
            here = slack.says("ann", "general", ASK)
            there = slack.says("ann", "general", ASK, team="T2")
            assert here.channel == there.channel
            for team in ("T1", "T2"):
                await slack.until(lambda team=team: any(
                    "[Try again]" in p.seen for p in slack.answers("general", team=team)))
            async with browser.get(url, params=back, headers={"Cookie": cookie}) as page:
                assert page.status == 401
            await slack.settled()
            other.revoked = True
            slack.says("ann", "general", ASK, team="T2")
            await slack.until(lambda: "token_revoked" in (tmp_path / "log").read_text())
            assert (await program.page("/healthz"))[0] == 200
            async with asyncio.timeout(10):         # the page is asked at most once a second
                while (ready := await program.page("/readyz"))[0] == 200:
                    await asyncio.sleep(0.1)
            assert "workspace T2: slack:" in ready[1]
            assert "token_revoked" in ready[1]
        assert [len(slack.answers("general", team=team)) for team in ("T1", "T2")] == [1, 1]
        database = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*.db*"))
        assert other.token.encode() not in database


async def test_a_workspace_of_a_grid_is_served(tmp_path: Path) -> None:
    """S28: people belong to the organisation, and their ids begin otherwise."""
    async with acme() as slack, fake_sglang(voice) as model:
        slack.workspace().enterprise = "E1"
        assert slack.joins_team("wim").id == "WWIM"
        slack.opens_channel("grid", "wim", "ann")
        async with begun(tmp_path, slack, model.url):
            slack.says("wim", "grid", ASK)
            await slack.until(lambda: any("[Try again]" in p.seen for p in slack.answers("grid")))
            await slack.command("wim", "grid", "/bartizan ask how much notice before annual leave?")
            await slack.until(lambda: any("Annual leave" in e.seen for e in slack.hidden("wim")))
            await slack.presses("wim", slack.answers("grid")[0], "Show sources")
            await slack.until(lambda: any("ten working days" in e.seen for e in slack.hidden("wim")))
        assert "Annual leave" in slack.answers("grid")[0].seen
        assert slack.refused() == []
