"""Several workspaces: somebody of each opens ``/slack/install``, agrees at Slack, and comes back with a code."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackClientError
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.config import INSTALLED, SLACK, OAuth
from adapters.slack.homes import Home, Homes
from adapters.slack.http import Page
from adapters.slack.ids import Workspace
from adapters.slack.normalise import Self
from adapters.slack.ports import Installations
from engine.errors import StoreUnavailable

log = structlog.get_logger()

INSTALL: Final = "/slack/install"
LASTS: Final = timedelta(minutes=10)    # from the first page to the last
TRY_AGAIN: Final = "That did not work right now. Please begin the installation again in a few minutes."
AUTHORIZE: Final = "https://slack.com/oauth/v2/authorize"


@dataclass(frozen=True, slots=True)
class States(AsyncOAuthStateStore):
    """Which installations have begun here: a code that somebody else sends is not taken."""

    installations: Installations

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        """A new one."""
        del args, kwargs
        state = secrets.token_urlsafe(32)
        await self.installations.issue(state, LASTS)
        return state

    async def async_consume(self, state: str) -> bool:
        """Good once, and not for long."""
        return await self.installations.consume(state)


@dataclass(frozen=True, slots=True)
class Store(AsyncInstallationStore):
    """Keeps what Slack hands over. Whose tokens we have is looked up in `Homes`, not here."""

    homes: Homes
    installations: Installations

    async def async_save(self, installation: Installation) -> None:
        """One workspace, or one organisation."""
        team = "" if installation.is_enterprise_install else installation.team_id or ""
        workspace = Workspace(team, installation.enterprise_id or "")
        me = Self(workspace, installation.bot_user_id or "", installation.bot_id or "")
        token = installation.bot_token or ""
        await self.installations.save(
            str(workspace), bot_user=me.user, bot_id=me.bot, token=token, scopes=tuple(installation.bot_scopes or ()),
        )
        self.homes.add(Home(me, token))
        log.info("installed", workspace=str(workspace))

    async def async_save_bot(self, bot: Bot) -> None:
        """A part of what `async_save` keeps."""
        del bot


def pages(oauth: OAuth, client: AsyncWebClient, homes: Homes, installations: Installations) -> Mapping[str, Page]:
    """The two pages of an installation."""
    quiet = logging.getLogger("adapters.slack.oauth")
    quiet.setLevel(logging.CRITICAL)        # it would print what Slack handed over
    store = Store(homes, installations)
    base = urlsplit(client.base_url)
    flow = AsyncOAuthFlow(client=client, logger=quiet, settings=AsyncOAuthSettings(
        client_id=oauth.client_id, client_secret=oauth.client_secret, scopes=list(oauth.scopes), user_scopes=[],
        redirect_uri=oauth.redirect_url or None, install_path=INSTALL, redirect_uri_path=INSTALLED,
        installation_store=store, state_store=States(installations),
        state_expiration_seconds=int(LASTS.total_seconds()),
        authorization_url=AUTHORIZE if client.base_url == SLACK else f"{base.scheme}://{base.netloc}/oauth/v2/authorize",
    ))
    return {INSTALL: _patient(flow.handle_installation), INSTALLED: _patient(flow.handle_callback)}


def _patient(page: Page) -> Page:
    """The page; or a word, when Slack or our store is away."""
    async def shown(request: AsyncBoltRequest) -> BoltResponse:
        try:
            return await page(request)
        except (aiohttp.ClientError, OSError, TimeoutError, SlackClientError, StoreUnavailable) as error:
            log.warning("installation failed", cause=type(error).__name__)
            return BoltResponse(status=HTTPStatus.SERVICE_UNAVAILABLE, body=TRY_AGAIN)

    return shown
