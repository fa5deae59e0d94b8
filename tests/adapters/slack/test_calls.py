"""The Web API as a neighbour that is away, full, or says no: each in our words, and a post never twice."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.slack.budget import Budget, Rank, Rule
from adapters.slack.calls import (
    Calls,
    Closed,
    Gone,
    Limited,
    NotSent,
    Revoked,
    SlackError,
    StoppedByUser,
    StreamEnded,
    TooLong,
    Unclear,
    open_calls,
)
from adapters.slack.config import SlackConfig
from engine.errors import Fenced, PlatformUnavailable
from tests.adapters.slack.speaking import OneToken
from tests.fake_slack import Breaks, Dawdles, FakeSlack, Says, Tears, fake_slack
from tests.fake_slack import Limited as TurnsAway

POST = {"channel": "CGENERAL", "text": "hello"}


@asynccontextmanager
async def calling(slack: FakeSlack, *, patience: float = 3.0, budget: Budget | None = None) -> AsyncGenerator[Calls]:
    token = slack.workspace().token
    config = SlackConfig(
        token, base_url=slack.url + "/api/", timeout=timedelta(seconds=1), patience=timedelta(seconds=patience),
    )
    async with open_calls(config, OneToken(token), budget) as calls:
        yield calls


def made(slack: FakeSlack, method: str) -> int:
    return sum(call.method == method for call in slack.calls)


@pytest.mark.parametrize("fault", [Tears(), Tears(after=False), Breaks(), Breaks(after=True), Dawdles(2.0)])
async def test_a_post_of_unclear_fate_is_made_once(fault: Any) -> None:
    """S26: no key makes it safe to repeat."""
    async with fake_slack() as slack, calling(slack) as calls:
        slack.fails("chat.postMessage", fault)
        with pytest.raises(Unclear):
            await calls.call("chat.postMessage", "T1", POST)
        assert made(slack, "chat.postMessage") == 1


@pytest.mark.parametrize("fault", [Tears(), Breaks(), Dawdles(2.0)])
async def test_an_edit_is_repeated_until_it_is_there(fault: Any) -> None:
    async with fake_slack() as slack, calling(slack) as calls:
        ts = (await calls.call("chat.postMessage", "T1", POST))["ts"]
        slack.fails("chat.update", fault)
        await calls.call("chat.update", "T1", {"channel": "CGENERAL", "ts": ts, "text": "bye"})
        assert [post.text for post in slack.answers("general")] == ["bye"]


async def test_a_post_that_did_not_arrive_is_repeated() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/api/"
    config = SlackConfig("xoxb", base_url=url, patience=timedelta(seconds=1))
    async with open_calls(config, OneToken("xoxb")) as calls:
        with pytest.raises(NotSent):
            await calls.call("chat.postMessage", "T1", POST)


async def test_an_address_where_nobody_answers_is_told_at_once_and_once() -> None:
    """An operator who has mistyped it should not have to wait until patience is over."""
    async with fake_slack() as slack, calling(slack) as calls:
        slack.fails("auth.test", *[Breaks(404)] * 3)
        with capture_logs() as logs:
            await calls.call("auth.test", "T1", {})
        assert [(log["event"], log["cause"]) for log in logs] == [
            ("Slack does not answer, trying on", "slack: auth.test: 404")]


@pytest.mark.parametrize("method", ["chat.postMessage", "auth.test"])
async def test_a_rate_limit_is_waited_out(method: str) -> None:
    """S22: what was turned away was not done, so even a post is made again."""
    async with fake_slack() as slack, calling(slack) as calls:
        slack.fails(method, TurnsAway(1))
        await calls.call(method, "T1", POST if method.startswith("chat") else {})
        first, second = [call.at for call in slack.calls if call.method == method]
        assert second - first >= 1.0
        assert len(slack.answers("general")) == (method == "chat.postMessage")


async def test_a_rate_limit_holds_back_its_method_and_workspace_alone() -> None:
    """S22."""
    async with fake_slack() as slack, calling(slack) as calls:
        slack.fails("chat.postMessage", TurnsAway(1))
        async with asyncio.TaskGroup() as group:
            group.create_task(calls.call("chat.postMessage", "T1", POST))
            await slack.until(lambda: made(slack, "chat.postMessage") == 1)
            await calls.call("auth.test", "T1", {})
            assert made(slack, "chat.postMessage") == 1


async def test_a_limit_beyond_our_patience_is_said() -> None:
    async with fake_slack() as slack, calling(slack, patience=0.5) as calls:
        slack.fails("chat.postMessage", TurnsAway(30))
        with pytest.raises(Limited):
            await calls.call("chat.postMessage", "T1", POST)
        assert slack.answers("general") == []


@pytest.mark.parametrize(("code", "kind"), [
    ("message_not_found", Gone), ("message_not_in_streaming_state", StreamEnded), ("stopped_by_user", StoppedByUser),
    ("msg_too_long", TooLong), ("msg_blocks_too_long", TooLong), ("msg_blocks_too_many", TooLong),
    ("token_revoked", Revoked), ("invalid_auth", Revoked), ("account_inactive", Revoked), ("internal_error", Unclear),
    ("invalid_blocks", SlackError), ("something_new", SlackError),
])
async def test_slacks_words_become_ours(code: str, kind: type[SlackError]) -> None:
    async with fake_slack() as slack, calling(slack) as calls:
        slack.fails("chat.postMessage", Says(code))
        with pytest.raises(SlackError) as error:
            await calls.call("chat.postMessage", "T1", POST)
        assert type(error.value) is kind
        assert error.value.code == code
        assert isinstance(error.value, PlatformUnavailable)
        assert "hello" not in str(error.value)


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found", "is_archived", "cannot_reply_to_message",
                                  "restricted_action_thread_locked"])
async def test_a_place_that_is_closed_for_good_is_no_matter_of_patience(code: str) -> None:
    async with fake_slack() as slack, calling(slack) as calls:
        slack.fails("chat.postMessage", Says(code))
        with pytest.raises(Closed) as closed:
            await calls.call("chat.postMessage", "T1", POST)
        assert closed.value.reply.startswith("I could not answer where you asked: ")
        assert made(slack, "chat.postMessage") == 1


async def test_a_missing_scope_is_named_for_the_operator() -> None:
    async with fake_slack(scopes=["users:read"]) as slack, calling(slack) as calls:
        with pytest.raises(Revoked, match=r"missing_scope: the app needs .*chat:write"):
            await calls.call("chat.postMessage", "T1", POST)
        assert calls.problem is not None
        assert calls.problem.startswith("workspace T1: slack: chat.postMessage: missing_scope")


async def test_health_recovers_with_the_token() -> None:
    async with fake_slack() as slack, calling(slack) as calls:
        slack.fails("auth.test", Says("token_revoked"))
        with pytest.raises(Revoked):
            await calls.call("auth.test", "T1", {})
        assert calls.problem is not None
        await calls.call("auth.test", "T1", {})
        assert calls.problem is None


async def test_a_trimming_that_is_not_allowed_is_no_reason_to_call_us_unwell() -> None:
    async with fake_slack(scopes=["users:read"]) as slack, calling(slack) as calls:
        with pytest.raises(Revoked):
            await calls.call("assistant.threads.setTitle", "T1", {"channel_id": "D1", "thread_ts": "1.1", "title": "x"})
        assert calls.problem is None


async def test_who_does_not_hold_the_turn_calls_nothing() -> None:
    """The question is asked after the wait, immediately before the call leaves."""
    held = True

    def hold() -> None:
        if not held:
            raise Fenced("taken over")

    async with fake_slack() as slack, calling(slack, budget=Budget(rules={"chat.update": Rule(1, 0.3)})) as calls:
        edit = {"channel": "CGENERAL", "ts": "1.1", "text": "x"}
        with pytest.raises(Gone):
            await calls.call("chat.update", "T1", edit, hold=hold)
        waits = asyncio.ensure_future(calls.call("chat.update", "T1", edit, hold=hold, rank=Rank.PROGRESS))
        await asyncio.sleep(0.05)
        held = False
        with pytest.raises(Fenced):
            await waits
        assert made(slack, "chat.update") == 1


async def test_a_budget_that_is_kept_provokes_no_limit() -> None:
    """S21: with Slack's tiers at a tenth, and our share of them at a tenth."""
    async with fake_slack(scale=5.0) as slack, calling(slack, budget=Budget(5.0)) as calls:
        async with asyncio.TaskGroup() as group:
            for _ in range(60):
                group.create_task(calls.call("auth.test", "T1", {}))
        assert slack.refused() == []


async def test_nothing_of_an_answer_leaves_for_another_host() -> None:
    """The response address is the peer's to name."""
    async with fake_slack() as slack, calling(slack) as calls:
        for url in ("https://evil.example/x", "http://hooks.slack.com/x", "https://slack.com.evil.example/x", "x"):
            with pytest.raises(Gone):
                await calls.respond(url, {"text": "hello"}, lambda: None)


async def test_a_token_never_stands_in_an_error() -> None:
    async with fake_slack() as slack, calling(slack) as calls:
        slack.fails("chat.postMessage", Says("invalid_auth"))
        with pytest.raises(Revoked) as error:
            await calls.call("chat.postMessage", "T1", POST)
        assert slack.workspace().token not in f"{error.value!r} {error.value}"
