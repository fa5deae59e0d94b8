"""`bartizan run`: every configured platform, the health pages, and a clean end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from adapters.loopback.config import LoopbackConfig
from adapters.loopback.platform import Loopback
from bot.app import (
    Bot,
    ChatPlatform,
    housekeep,
    index_ready,
    keep_indexed,
    model_ready,
    open_bot,
    open_store,
    settle,
    store_ready,
    watch_queue,
)
from bot.health import Check, Readiness, health_app, serve
from bot.settings import Settings, SettingsError
from bot.sources import Store
from bot.telemetry import Metrics

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

log = structlog.get_logger()


async def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. A second signal does not wait for the turns under way."""
    metrics = Metrics.fresh()
    async with (
        open_store(settings) as store,
        configured(settings, store, metrics) as platforms,
        open_bot(settings, platforms, store=store, metrics=metrics, patient=True) as bot,
        pages(bot),
    ):
        if settings.slack.on:
            from bot.slack import attend  # noqa: PLC0415  (as below)

            attend(bot)
        _heed_signals(bot)
        log.info("running", platforms=sorted(bot.platforms), models=len(bot.models))
        await bot.serve(keep_indexed, housekeep, watch_queue, settle)
    log.info("stopped")


@asynccontextmanager
async def configured(settings: Settings, store: Store, metrics: Metrics) -> AsyncGenerator[list[ChatPlatform]]:
    """The platforms that the settings name, open until the last reply has ended."""
    chosen, address = settings.loopback, settings.loopback.address
    if not settings.slack.on and (settings.slack.app_token or settings.slack.signing_secret):
        raise SettingsError(["slack: the bot cannot speak: give bot_token (SLACK_BOT_TOKEN), too"])
    if not (chosen.url and address) and not settings.slack.on:
        raise SettingsError(["no chat platform is configured: give what [slack] needs; `bartizan chat` needs none"])
    async with AsyncExitStack() as stack:
        platforms: list[ChatPlatform] = []
        if chosen.url and address:
            token = chosen.token.get_secret_value() if chosen.token else ""
            config = LoopbackConfig(chosen.url, *address, token, settings.limits.event_bytes)
            platforms.append(await stack.enter_async_context(Loopback.open(config)))
        if settings.slack.on:
            from bot.slack import open_slack  # noqa: PLC0415  (its library costs a start that does without it)

            platforms.append(await stack.enter_async_context(open_slack(settings, store, metrics)))
        yield platforms


@asynccontextmanager
async def pages(bot: Bot) -> AsyncGenerator[None]:
    """Health, readiness and metrics, unless they are switched off."""
    http = bot.settings.http
    if http.port is None:
        yield
        return
    checks = [
        Check("store", lambda: store_ready(bot.database)),
        Check("index", lambda: index_ready(bot)),
        Check("model", lambda: model_ready(bot.models)),
    ]
    routes: list[BaseRoute] = []
    if bot.settings.slack.on:
        from bot.slack import slack_ready, slack_routes  # noqa: PLC0415  (as above)

        checks.append(Check("slack", lambda: slack_ready(bot)))
        routes += slack_routes(bot)
    app = health_app(Readiness(checks), bot.metrics.registry, routes=routes)
    async with serve(app, http.host, http.port) as (host, port):
        log.info("listening", host=host, port=port)
        yield


def _heed_signals(bot: Bot) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, bot, number)


def _stop(bot: Bot, number: int) -> None:
    if not bot.stopping.is_set():
        log.info("stopping", signal=signal.Signals(number).name, turns=bot.dispatcher.open_turns)
        bot.stopping.set()
    else:
        bot.dispatcher.hurry()
