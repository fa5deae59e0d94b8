"""The fake Slack holds to what the documentation says: real clients, and what they must not do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.fake_slack import APP_TOKEN, SIGNING_SECRET, FakeSlack, Stream, fake_slack

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}


@asynccontextmanager
async def a_client(**options: Any) -> AsyncGenerator[tuple[FakeSlack, AsyncWebClient]]:
    async with fake_slack(**options) as slack, aiohttp.ClientSession() as session:
        yield slack, AsyncWebClient(slack.workspace().token, f"{slack.url}/api/", session=session, retry_handlers=[])


async def refusal(work: Any) -> str:
    with pytest.raises(SlackApiError) as error:
        await work
    return str(error.value.response["error"])


async def test_a_stream_lives_is_read_and_ends() -> None:
    async with a_client() as (slack, client):
        asked = slack.says("ann", "general", "@bartizan why?")
        where = {"channel": asked.channel, "thread_ts": asked.ts}
        assert await refusal(client.chat_startStream(**where)) == "missing_recipient_team_id"
        to = {"recipient_team_id": "T1", "recipient_user_id": asked.user}
        begun = await client.chat_startStream(**where, **to, markdown_text="**Because")
        ts = str(begun["ts"])
        assert await refusal(client.chat_update(channel=asked.channel, ts=ts, text="x")) == "streaming_state_conflict"
        await client.chat_appendStream(channel=asked.channel, ts=ts, markdown_text=" of it.**")
        mark = {"event_type": "m", "event_payload": {"id": "1"}}
        await client.chat_stopStream(channel=asked.channel, ts=ts, blocks=[SECTION], metadata=mark)
        late = client.chat_appendStream(channel=asked.channel, ts=ts, markdown_text="x")
        assert await refusal(late) == "message_not_in_streaming_state"
        assert [str(line) for line in slack.transcript("general")][1] == "  bartizan: **Because of it.**\n*hello*"
        for asks, told in ((True, mark), (False, None)):
            read = await client.conversations_replies(channel=asked.channel, ts=asked.ts, include_all_metadata=asks)
            assert read["messages"][1].get("metadata") == told


async def test_a_stream_dies_of_age_and_an_update_heals_it() -> None:
    async with a_client() as (slack, client):
        slack.life = 0.0
        asked = slack.says("ann", "general", "@bartizan why?")
        begun = await client.chat_startStream(
            channel=asked.channel, thread_ts=asked.ts, recipient_team_id="T1", recipient_user_id=asked.user)
        where = {"channel": asked.channel, "ts": str(begun["ts"])}
        assert await refusal(client.chat_stopStream(**where)) == "message_not_in_streaming_state"
        assert slack.answers("general")[0].stream is Stream.BROKEN
        await client.chat_update(**where, text="done", blocks=[SECTION])
        assert slack.answers("general")[0].stream is Stream.DONE


@pytest.mark.parametrize(("arguments", "error"), [
    ({"text": "x", "colour": "red"}, "invalid_arguments"), ({}, "no_text"),
    ({"text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
    ({"text": "x", "thread_ts": "1.000001"}, "cannot_reply_to_message"),
    ({"text": "x", "blocks": [{"type": "carousel9"}]}, "invalid_blocks"),
    ({"text": "x", "blocks": [{**SECTION, "colour": "red"}]}, "invalid_blocks"),
    ({"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]}, "invalid_blocks"),
    ({"text": "x", "blocks": [SECTION] * 51}, "invalid_blocks"),
    ({"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}] * 5},
     "msg_blocks_too_long"),
    ({"text": "x", "metadata": {"event_type": 1, "event_payload": {}}}, "invalid_metadata_format"),
    ({"text": "x", "channel": "CNOWHERE"}, "channel_not_found"),
])
async def test_a_post_is_looked_at(arguments: dict[str, Any], error: str) -> None:
    async with a_client() as (_, client):
        assert await refusal(client.api_call("chat.postMessage", json={"channel": "CGENERAL", **arguments})) == error


async def test_an_update_is_short_and_of_ones_own() -> None:
    async with a_client() as (slack, client):
        asked = slack.says("ann", "general", "hello")
        where = {"channel": asked.channel, "ts": asked.ts}
        assert await refusal(client.chat_update(**where, text="x")) == "cant_update_message"
        own = await client.chat_postMessage(channel=asked.channel, text="x")
        where["ts"] = str(own["ts"])
        assert await refusal(client.chat_update(**where, text="ü" * 2001)) == "msg_too_long"
        await client.chat_update(**where, text="y")
        await client.chat_delete(**where)
        assert await refusal(client.chat_delete(**where)) == "message_not_found"


async def test_scopes_membership_and_tokens_count() -> None:
    async with a_client() as (slack, client):
        slack.opens_channel("away", "ann", bot=False)
        slack.opens_channel("secret", "ann", kind="group", bot=False)
        assert await refusal(client.chat_postMessage(channel="CAWAY", text="x")) == "not_in_channel"
        assert await refusal(client.conversations_members(channel="CSECRET")) == "channel_not_found"
        slack.archives("general")
        assert await refusal(client.chat_postMessage(channel="CGENERAL", text="x")) == "is_archived"
        slack.workspace().scopes -= {"usergroups:read"}
        assert await refusal(client.usergroups_list()) == "missing_scope"
        slack.workspace().revoked = True
        assert await refusal(client.auth_test()) == "token_revoked"


async def test_a_tier_is_counted_by_the_minute_and_can_be_a_tenth() -> None:
    async with a_client(scale=0.1) as (_, client):
        for _ in range(2):
            await client.usergroups_list()
        with pytest.raises(SlackApiError) as error:
            await client.usergroups_list()
        assert error.value.response.status_code == 429
        assert 1 <= int(error.value.response.headers["Retry-After"]) <= 60
        await client.users_info(user="UANN")


async def test_an_event_that_is_not_acknowledged_comes_again_over_another_socket() -> None:
    seen: list[tuple[str, int | None]] = []

    async def listener(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        seen.append((request.payload["event"]["type"], request.retry_attempt))
        if request.retry_attempt:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async with a_client() as (slack, web_client):
        slack.delivery.within = 0.1
        sockets = [SocketModeClient(APP_TOKEN, web_client=web_client) for _ in range(2)]
        for socket in sockets:
            socket.socket_mode_request_listeners.append(listener)
            await socket.connect()
        await slack.delivery.connected(2)
        slack.says("ann", "general", "@bartizan why?")
        await slack.until(lambda: all(told.acked for told in slack.delivery.log))
        assert sorted(seen) == [("app_mention", 0), ("app_mention", 1), ("message", 0), ("message", 1)]
        for socket in sockets:
            await socket.close()


async def test_events_over_http_are_signed_and_come_again() -> None:
    heard: list[tuple[bool, str | None, str]] = []
    verifier = SignatureVerifier(SIGNING_SECRET)

    async def door(request: web.Request) -> web.Response:
        body = await request.text()
        valid = verifier.is_valid_request(body, dict(request.headers))
        heard.append((valid, request.headers.get("X-Slack-Retry-Num"), json.loads(body)["event"]["text"]))
        return web.Response(status=200 if len(heard) > 1 else 503)

    app = web.Application()
    app.router.add_post("/slack/events", door)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with a_client() as (slack, _):
            slack.delivery.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
            slack.says("ann", "general", "hello")
            async with asyncio.timeout(10):
                await slack.delivery.log[0].over.wait()
        assert heard == [(True, None, "hello"), (True, "1", "hello")]
    finally:
        await runner.cleanup()


async def test_it_is_driven_from_outside_its_process() -> None:
    async with a_client() as (slack, _), aiohttp.ClientSession() as session:
        said = {"user": "ann", "channel": "general", "text": "hello"}
        async with session.post(f"{slack.url}/control/says", json=said) as answer:
            assert (await answer.json())["seen"] == "hello"
        async with session.get(f"{slack.url}/control/transcript", params={"channel": "general"}) as answer:
            assert [line["text"] for line in await answer.json()] == ["hello"]
        async with session.post(f"{slack.url}/control/fries", json={}) as answer:
            assert answer.status == 404
