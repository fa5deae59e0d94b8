"""`bartizan run`: every configured platform, the health pages, and a clean end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

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
    store_ready,
    watch_queue,
)
from bot.health import Check, Readiness, health_app, serve
from bot.settings import Settings, SettingsError

log = structlog.get_logger()


async def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. A second signal does not wait for the turns under way."""
    async with configured(settings) as platforms, open_bot(settings, platforms, patient=True) as bot, pages(bot):
        _heed_signals(bot)
        log.info("running", platforms=sorted(bot.platforms), models=len(bot.models))
        await bot.serve(keep_indexed, housekeep, watch_queue)
    log.info("stopped")


@asynccontextmanager
async def configured(settings: Settings) -> AsyncGenerator[list[ChatPlatform]]:
    """The platforms that the settings name, open until the last reply has ended."""
    chosen, address = settings.loopback, settings.loopback.address
    async with AsyncExitStack() as stack:
        platforms: list[ChatPlatform] = []
        if chosen.url and address:
            token = chosen.token.get_secret_value() if chosen.token else ""
            config = LoopbackConfig(chosen.url, *address, token, settings.limits.event_bytes)
            platforms.append(await stack.enter_async_context(Loopback.open(config)))
        if not platforms:
            raise SettingsError(["no chat platform is configured: `bartizan chat` needs none"])
        yield platforms


@asynccontextmanager
async def pages(bot: Bot) -> AsyncGenerator[None]:
    """Health, readiness and metrics, unless they are switched off."""
    http = bot.settings.http
    if http.port is None:
        yield
        return
    readiness = Readiness([
        Check("store", lambda: store_ready(bot.database)),
        Check("index", lambda: index_ready(bot)),
        Check("model", lambda: model_ready(bot.models)),
    ])
    async with serve(health_app(readiness, bot.metrics.registry), http.host, http.port) as (host, port):
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
