"""Slack, wired: its settings, what it keeps in our store, and its page beside the health pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import structlog

from adapters.slack.actions import Actions, Around
from adapters.slack.config import SLACK, OAuth, SlackConfig
from adapters.slack.ids import NAME
from adapters.slack.manifest import scope_names
from adapters.slack.platform import Slack, Stores
from adapters.sql.decisions import Decisions
from adapters.sql.hearing import SqlHearing
from adapters.sql.installations import SqlInstallations
from adapters.sql.outbox import SqlOutbox, SqlTickets, SqlTurns
from adapters.sql.privacy import Privacy
from bot.app import Bot
from bot.settings import Settings, SettingsError
from bot.sources import SourcesError, Store, read_definitions
from bot.telemetry import Metrics, PlatformCounts
from bot.values import duration_text
from engine.afterwards import Afterwards
from engine.messages import Labels

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

log = structlog.get_logger()


def slack_config(settings: Settings) -> SlackConfig:
    """Slack's part of the settings. Raises `SettingsError` for parts that do not fit together."""
    s = settings.slack
    if not (s.app_token or s.signing_secret):
        raise SettingsError([
            "slack: the bot cannot hear: give app_token (Socket Mode) or signing_secret (events over HTTP)"
        ])
    if (s.client_id or not s.app_token) and settings.http.port is None:
        raise SettingsError(["slack: without app_token Slack calls us, so http.port must not be off"])
    oauth = None
    if s.client_id and s.client_secret:
        oauth = OAuth(s.client_id, s.client_secret.get_secret_value(), scope_names(), s.redirect_url or "")
    base = s.api_base_url or SLACK
    return SlackConfig(
        bot_token=s.bot_token.get_secret_value() if s.bot_token else "",
        app_token=s.app_token.get_secret_value() if s.app_token else "",
        signing_secret=s.signing_secret.get_secret_value() if s.signing_secret else "",
        oauth=oauth,
        base_url=base if base.endswith("/") else f"{base}/",
        sockets=s.sockets, event_bytes=settings.limits.event_bytes, rate_share=s.rate_share, engaged=s.thread_idle,
        lookback=s.lookback, recent=s.answer_missed, group_handles=s.group_handles, file_bytes=s.file_bytes,
    )


@asynccontextmanager
async def open_slack(settings: Settings, store: Store, metrics: Metrics) -> AsyncGenerator[Slack]:
    """The platform, open until the last reply has ended."""
    database, keyring = store
    hearing = SqlHearing(database, NAME)
    stores = Stores(
        installations=SqlInstallations(database, keyring, NAME), engagement=hearing, cursors=hearing, records=hearing,
        outbox=SqlOutbox(database), tickets=SqlTickets(database),
    )
    async with Slack.open(slack_config(settings), stores, PlatformCounts(metrics, NAME)) as slack:
        yield slack


def slack_of(bot: Bot) -> Slack:
    """The one that runs."""
    slack = bot.platforms[NAME]
    assert isinstance(slack, Slack)     # noqa: S101  (for the type checker)
    return slack


def attend(bot: Bot) -> None:
    """Connects what people do besides writing with the engine, which is opened after the platform."""
    slack, engine, (database, keyring) = slack_of(bot), bot.engine, bot.store
    slack.stop = bot.inbox.stop
    slack.clear = engine.egress.notice
    slack.interactions = Actions(
        calls=slack.calls, outbox=slack.stores.outbox, tickets=slack.stores.tickets,
        turns=SqlTurns(database, keyring), ourselves=slack.homes, names=slack.people.within, inbox=bot.inbox,
        stop=bot.inbox.stop, appeals=Decisions(database, keyring), personal=Privacy(database, keyring),
        afterwards=Afterwards(engine.membership, engine.retriever, engine.egress, engine.transcripts),
        link=slack.permalinks.link,
        around=Around(readable=partial(sources, bot.settings), settings=(
            ("I follow a thread until nobody has asked me for", duration_text(bot.settings.slack.thread_idle)),
            ("Questions for each person",
             f"{bot.settings.queue.quota} in {duration_text(bot.settings.queue.quota_window)}"),
        )),
    )


async def sources(settings: Settings) -> Sequence[tuple[str, Labels]]:
    """What pages there are: each source's name, and who may read something of it."""
    try:
        definitions = await asyncio.to_thread(read_definitions, settings.data_dir)
    except SourcesError as error:
        log.warning("the sources cannot be told", cause=str(error))
        return ()
    own = settings.knowledge
    name = own.folder.name if own.folder else "The handbook that comes with me"
    told = [(name, frozenset(own.acl))] if own.folder or not definitions else []
    return told + [(each.name, frozenset(each.acl).union(*(acl for _, acl in each.rules))) for each in definitions]


def slack_routes(bot: Bot) -> list[BaseRoute]:
    """What Slack, or somebody who installs the app, may call."""
    from starlette.routing import Route  # noqa: PLC0415  (the server is imported by whoever serves)

    slack = slack_of(bot)
    return [Route("/slack/{rest:path}", endpoint=slack)] if slack.config.signing_secret else []


async def slack_ready(bot: Bot) -> str | None:
    """None, or why Slack is not heard or cannot be answered."""
    return slack_of(bot).problem
