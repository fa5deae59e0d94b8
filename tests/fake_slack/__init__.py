"""A Slack for tests: it does what the documentation says, refuses what it does not say, and goes wrong on demand.

In tests it runs in their own loop::

    async with fake_slack() as slack:
        slack.says("ann", "general", "@bartizan how much notice?")

As a program it serves until it is killed; ``POST /control/says`` does what the method does::

    python -m tests.fake_slack --port 8800 --record calls.jsonl
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.fake_slack.api import Api
from tests.fake_slack.control import routes
from tests.fake_slack.delivery import Deliverer
from tests.fake_slack.people import FakeSlack, Line
from tests.fake_slack.slack import APP_TOKEN, SIGNING_SECRET, Breaks, Dawdles, Limited, Says, Tears
from tests.fake_slack.world import Channel, Ephemeral, Person, Post, Stream, View, Workspace

__all__ = [
    "APP_TOKEN", "SIGNING_SECRET", "Breaks", "Channel", "Dawdles", "Ephemeral", "FakeSlack", "Limited", "Line",
    "Person", "Post", "Says", "Stream", "Tears", "View", "Workspace", "fake_slack",
]


@asynccontextmanager
async def fake_slack(
    *, host: str = "127.0.0.1", port: int = 0, scale: float = 1.0, scopes: Iterable[str] | None = None,
    subscriptions: Iterable[str] | None = None, again: tuple[float, ...] = (0.1, 0.5, 1.0), patience: float = 1.0,
) -> AsyncGenerator[FakeSlack]:
    """A workspace ``T1`` with ann, bob and cyd, in #general; the app is installed and in the channel.

    ``scale`` makes every rate tier smaller, 0 turns them off. ``again``: seconds before each redelivery, of which
    Slack's own are 0.1, 60 and 300. The bot's token is ``slack.workspace().token``, and ``slack.url + "/api/"`` its
    base URL; set ``slack.delivery.request_url`` for events over HTTP.
    """
    tasks: set[asyncio.Task[None]] = set()

    def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    delivery = Deliverer(spawn, "A0FAKE", SIGNING_SECRET, again=again)
    slack = FakeSlack(delivery, spawn)
    slack.limits.scale, slack.patience = scale, patience
    if subscriptions is not None:
        slack.subscriptions = frozenset(subscriptions)
    slack.install("T1", "acme", scopes=scopes)
    for name in ("ann", "bob", "cyd"):
        slack.joins_team(name)
    slack.opens_channel("general", "ann", "bob", "cyd")

    api = Api(slack)
    app = web.Application(client_max_size=32 << 20)
    app.router.add_route("*", "/api/{method}", api.call)
    app.router.add_post("/respond/{key}", api.respond)
    app.router.add_get("/files-pri/{id}/{name}", api.file)
    app.router.add_get("/link/", delivery.serve)
    app.add_routes(routes(slack))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        slack.url = delivery.url = f"http://{host}:{runner.addresses[0][1]}"
        yield slack
    finally:
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await delivery.close()
        await runner.cleanup()
