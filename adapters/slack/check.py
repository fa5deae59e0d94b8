"""Whether Slack takes our tokens, and lets us do what we need: for `bartizan check`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.config import SlackConfig

PATIENCE: Final = 10            # seconds for an answer


async def problems(config: SlackConfig, scopes: Sequence[str]) -> list[str]:
    """What is wrong, a sentence each; nothing when all is well. ``scopes``: what the bot needs."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        client = AsyncWebClient("", base_url=config.base_url, session=session, timeout=PATIENCE, retry_handlers=[])
        return [*await _bot(client, config, scopes), *await _app(client, config)]


async def _bot(client: AsyncWebClient, config: SlackConfig, scopes: Sequence[str]) -> list[str]:
    if not config.bot_token:
        return []
    try:
        said = await client.auth_test(token=config.bot_token)
    except SlackApiError as error:
        return [f"Slack does not take the bot's token: {error.response.get('error')}"]
    except _AWAY as error:
        return [f"Slack does not answer: {type(error).__name__}"]
    granted = {name.lower(): value for name, value in said.headers.items()}.get("x-oauth-scopes")
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
        await client.apps_connections_open(app_token=config.app_token)
    except SlackApiError as error:
        return [f"Slack does not take the app's token: {error.response.get('error')}"]
    except _AWAY as error:
        return [f"Slack does not answer: {type(error).__name__}"]
    return []


_AWAY: Final = (aiohttp.ClientError, OSError, TimeoutError, SlackClientError)
