"""Whether Slack takes our tokens, and lets us do what we need: for `bartizan check`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.calls import SlackError, answered
from adapters.slack.config import SlackConfig
from adapters.slack.sockets import OPEN

PATIENCE: Final = 10            # seconds for an answer


async def problems(config: SlackConfig, scopes: Sequence[str]) -> list[str]:
    """What is wrong, a sentence each; nothing when all is well. ``scopes``: what the bot needs."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        client = AsyncWebClient("", base_url=config.base_url, session=session, timeout=PATIENCE, retry_handlers=[])
        return [*await _bot(client, config, scopes), *await _app(client, config)]


async def _bot(client: AsyncWebClient, config: SlackConfig, scopes: Sequence[str]) -> list[str]:
    if not config.bot_token:
        return []
    headers: dict[str, str] = {}

    async def test() -> AsyncSlackResponse:
        said = await client.auth_test(token=config.bot_token)
        headers.update({name.lower(): value for name, value in said.headers.items()})
        return said

    try:
        await answered("auth.test", test())
    except SlackError as error:
        return [f"Slack does not take the bot's token: {error.code or error}"]
    granted = headers.get("x-oauth-scopes")
    if granted is None:         # not every server says so
        return []
    missing = sorted(set(scopes) - {scope.strip() for scope in granted.split(",")})
    if not missing:
        return []
    return [f"The app lacks the scopes {', '.join(missing)}: see `bartizan slack manifest`, and reinstall it"]


async def _app(client: AsyncWebClient, config: SlackConfig) -> list[str]:
    if not config.app_token:
        return []
    try:
        await answered(OPEN, client.apps_connections_open(app_token=config.app_token))
    except SlackError as error:
        return [f"Slack does not take the app's token: {error.code or error}"]
    return []
