"""Socket Mode: we call Slack, and hear over several connections, so that one may reconnect while another hears (S6).

The library closes an old connection before it opens the next, and calls one stale after four pings without an answer
(S8). It retries for ever and in silence; what is wrong stands in `Sockets.problem`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.calls import Closed, Limited, Revoked, SlackError, answered

log = structlog.get_logger()

OPEN: Final = "apps.connections.open"
PING: Final = 5.0               # seconds between two pings
LOOK: Final = 0.5               # seconds between two looks at the connections
SILENCE: Final = 15.0           # seconds between two lines about a connection that cannot be made
CLOSING: Final = 1.0            # seconds for events that are being stored while we close

Receive: TypeAlias = Callable[[dict[str, Any], Mapping[str, Any], str], Awaitable[BoltResponse]]


class Socket(SocketModeClient):
    """One connection that tells why it cannot be opened."""

    problem: str | None = None

    async def issue_new_wss_url(self) -> str:
        """Where to connect. Raises `SlackError`."""
        while True:
            try:
                said = await answered(OPEN, self.web_client.apps_connections_open(app_token=self.app_token))
            except Limited as error:
                self.problem = str(error)
                await asyncio.sleep(error.seconds)
            except (SlackError, Closed) as error:
                self.problem = str(error)
                raise
            else:
                self.problem = None
                return str(said.get("url"))


@dataclass(slots=True)
class Sockets:
    """Several connections, each of which may get any event.

    ``restored`` is told, before anything is heard again, since when nothing was; None at the first connection.
    ``apart``: seconds between the first connections, so that Slack does not renew them all at once.
    """

    client: AsyncWebClient
    token: str = field(repr=False)
    count: int
    apart: float
    receive: Receive
    restored: Callable[[datetime | None], None]
    hearing: bool = False
    _sockets: list[Socket] = field(default_factory=list)
    _taking: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def problem(self) -> str | None:
        """None while at least one is open."""
        if self.hearing:
            return None
        return next((socket.problem for socket in self._sockets if socket.problem), "not connected")

    async def run(self) -> None:
        """Until cancelled."""
        quiet = logging.getLogger("adapters.slack.socket")
        quiet.setLevel(logging.CRITICAL + 1)    # it would print frames with what people wrote
        self._sockets = [
            Socket(self.token, quiet, self.client, ping_interval=PING, auto_reconnect_enabled=True)
            for _ in range(self.count)
        ]
        for socket in self._sockets:
            socket.socket_mode_request_listeners.append(self._take)
        try:
            async with asyncio.TaskGroup() as group:
                for number, socket in enumerate(self._sockets):
                    group.create_task(self._connect(socket, number * self.apart))
                await self._watch()
        finally:
            self.hearing = False
            if self._taking:        # what is being stored is still acknowledged
                await asyncio.wait(self._taking, timeout=CLOSING)
            for socket in self._sockets:
                await _close(socket)

    async def _connect(self, socket: Socket, pause: float) -> None:
        """The first connection; the library looks after it from then on. Raises `Revoked` for a token that is none."""
        while True:
            await asyncio.sleep(pause)
            pause = PING
            try:
                await socket.connect_to_new_endpoint(force=True)
            except Revoked:
                if not self.hearing:
                    raise
            except (SlackError, Closed) as error:
                log.info("not connected yet", cause=str(error))
            else:
                return

    async def _watch(self) -> None:
        """Notices when nothing can be heard, and when it can again."""
        deaf_since: datetime | None = None
        told_at = time.monotonic()
        while True:
            open_now = [await socket.is_connected() for socket in self._sockets]
            if any(open_now) and not self.hearing:
                log.info("connected to Slack", sockets=sum(open_now))
                self.restored(deaf_since)
                self.hearing = True
            elif not any(open_now) and self.hearing:
                self.hearing, deaf_since = False, datetime.now(UTC) - timedelta(seconds=4 * PING)
                log.warning("connection to Slack lost", cause=self.problem)
            elif not self.hearing and time.monotonic() - told_at > SILENCE:
                told_at = time.monotonic()
                log.warning("no connection to Slack", cause=self.problem)
            await asyncio.sleep(LOOK)

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """One envelope; acknowledged if it was taken, else it comes again."""
        if task := asyncio.current_task():      # the library's own, which it does not look after
            self._taking.add(task)
            task.add_done_callback(self._taking.discard)
        began = time.time()
        response = await self.receive(request.payload, build_headers(request) or {}, "socket_mode")
        try:
            await send_async_response(client, request, response, began)
        except (ConnectionError, aiohttp.ClientError) as error:      # it comes again, and is known by then
            log.info("acknowledgement not sent", cause=type(error).__name__)


async def _close(socket: Socket) -> None:
    """Closes it and waits for the tasks that it began: it only cancels them."""
    tasks = [socket.message_processor, socket.current_session_monitor, socket.message_receiver]
    await socket.close()        # type: ignore[no-untyped-call]
    await asyncio.wait([asyncio.ensure_future(task) for task in tasks if task is not None], timeout=2.0)
