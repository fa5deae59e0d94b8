"""How events, buttons and commands reach the app: over its sockets, or signed over HTTP; and again, if need be."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

from tests.fake_slack.world import Json

SOCKETS: Final = 10             # open at once, of one app
WITHIN: Final = 3.0             # seconds to acknowledge
AGAIN: Final = (0.1, 60.0, 300.0)   # seconds before an event is sent again


@dataclass(slots=True)
class Delivery:
    """One thing that the app was told. ``kind``: events_api, interactive or slash_commands."""

    kind: str
    payload: Json
    made: float                     # by the loop's clock, like the others
    sent: list[float] = field(default_factory=list)
    acked: float | None = None
    answer: Any = None              # what came with the acknowledgement
    failures: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)      # acknowledged, or given up

    @property
    def name(self) -> str:
        """``message``, ``app_mention``, ``block_actions``, ``/bartizan`` ..."""
        payload = self.payload
        return str(payload.get("event", {}).get("type") or payload.get("command") or payload.get("type", ""))


@dataclass(slots=True)
class Socket:
    """One connection of the app, and what it still has to acknowledge."""

    number: int
    stream: web.WebSocketResponse
    pending: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    deaf: bool = False              # the server has forgotten it, and does not say so


class NotTaken(Exception):
    """The app did not acknowledge; says why."""


@dataclass(slots=True)
class Deliverer:
    """Sends, waits for the acknowledgement, and sends events again. Every delivery is a task of ``spawn``."""

    spawn: Callable[[Any], asyncio.Task[None]]
    app_id: str
    signing_secret: str
    url: str = ""                   # of the fake itself
    request_url: str = ""           # of the app; empty: Socket Mode
    within: float = WITHIN
    again: tuple[float, ...] = AGAIN
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    sockets: list[Socket] = field(default_factory=list)
    hellos: int = 0
    log: list[Delivery] = field(default_factory=list)
    keep: bool = True
    said: Callable[[Delivery], None] = lambda _delivery: None
    _session: aiohttp.ClientSession | None = None
    _number: int = 0
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def socket_url(self) -> str:
        """Where a socket may be opened."""
        self._number += 1
        return f"{self.url.replace('http', 'ws', 1)}/link/?ticket=ticket-{self._number}&app_id={self.app_id}"

    def deliver(self, kind: str, payload: Json) -> Delivery:
        """Begins a delivery."""
        delivery = Delivery(kind, payload, self._now())
        if self.keep:
            self.log.append(delivery)
        self.spawn(self._deliver(delivery))
        return delivery

    async def connected(self, sockets: int = 1) -> None:
        """Waits until so many sockets are open."""
        while len(self.sockets) < sockets:
            self._came.clear()
            await self._came.wait()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One socket, until it is closed."""
        stream = web.WebSocketResponse(autoping=False)
        await stream.prepare(request)
        self.hellos += 1
        socket = Socket(self.hellos, stream)
        if len(self.sockets) >= SOCKETS:
            await stream.send_json({"type": "disconnect", "reason": "too_many_websockets",
                                    "debug_info": {"host": "fake"}})
            await stream.close()
            return stream
        self.sockets.append(socket)
        try:
            await stream.send_json({
                "type": "hello", "num_connections": len(self.sockets), "connection_info": {"app_id": self.app_id},
                "debug_info": {"host": "fake", "build_number": 1, "approximate_connection_time": 18060},
            })
            self._came.set()
            async for frame in stream:
                await self._heard(socket, frame)
        finally:
            self.sockets.remove(socket)
            for waiting in socket.pending.values():
                if not waiting.done():
                    waiting.set_exception(NotTaken("connection_failed"))
        return stream

    async def disconnect(self, reason: str = "refresh_requested", *, grace: float = 0.2) -> None:
        """Asks one socket to go, and closes it unless it is a mere warning."""
        socket = self.chance.choice(self.sockets)
        await socket.stream.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}})
        if reason != "warning":
            await asyncio.sleep(grace)
            await socket.stream.close(code=1000)

    def forget(self) -> None:
        """Every socket that is open now stays open, and nothing comes over it any more: neither events nor pongs."""
        for socket in self.sockets:
            socket.deaf = True

    async def close(self) -> None:
        """Ends every socket."""
        for socket in list(self.sockets):
            await socket.stream.close()
        if self._session is not None:
            await self._session.close()

    async def _heard(self, socket: Socket, frame: aiohttp.WSMessage) -> None:
        if frame.type is WSMsgType.PING and not socket.deaf:
            await socket.stream.pong(frame.data)
        elif frame.type is WSMsgType.TEXT and not socket.deaf:
            said = json.loads(frame.data)
            waiting = socket.pending.get(said.get("envelope_id", ""))
            if waiting is not None and not waiting.done():
                waiting.set_result(said.get("payload"))

    async def _deliver(self, delivery: Delivery) -> None:
        pauses = [0.0, *(self.again if delivery.kind == "events_api" else ())]
        try:
            for attempt, pause in enumerate(pauses):
                await asyncio.sleep(pause)
                delivery.sent.append(self._now())
                try:
                    async with asyncio.timeout(self.within):
                        send = self._over_http if self.request_url else self._over_socket
                        delivery.answer = await send(delivery, attempt)
                except (NotTaken, TimeoutError, aiohttp.ClientError, ConnectionError) as error:
                    delivery.failures.append(str(error) if isinstance(error, NotTaken) else
                                             "timeout" if isinstance(error, TimeoutError) else "connection_failed")
                    if delivery.failures[-1] == "no_retry":
                        return
                else:
                    delivery.acked = self._now()
                    return
        finally:
            delivery.over.set()
            self.said(delivery)

    async def _over_socket(self, delivery: Delivery, attempt: int) -> Any:
        if not self.sockets:
            raise NotTaken("no_connection")
        socket = self.chance.choice(self.sockets)
        if socket.deaf:
            raise NotTaken("timeout")
        self._number += 1
        id = f"envelope-{self._number}"
        envelope: Json = {"envelope_id": id, "payload": delivery.payload, "type": delivery.kind,
                          "accepts_response_payload": delivery.kind != "events_api"}
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": delivery.failures[-1] if attempt else ""}
        waiting = socket.pending[id] = asyncio.get_running_loop().create_future()
        try:
            await socket.stream.send_json(envelope)
            return await waiting
        finally:
            del socket.pending[id]

    async def _over_http(self, delivery: Delivery, attempt: int) -> Any:
        body, kind = wire(delivery.kind, delivery.payload)
        headers = signed(self.signing_secret, body) | {"Content-Type": kind}
        if attempt:
            reason = {"timeout": "http_timeout"}.get(delivery.failures[-1], delivery.failures[-1])
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        status, said, answer = await self.post(body, headers)
        if not 200 <= status < 300:
            raise NotTaken("no_retry" if said.get("X-Slack-No-Retry") == "1" else "http_error")
        try:
            return json.loads(answer) if answer else None
        except ValueError:
            return answer

    async def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], str]:
        """One request to the app, which may be anything; status, headers and body of what it says."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.post(self.request_url, data=body, headers=headers) as response:
            return response.status, response.headers, await response.text()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def wire(kind: str, payload: Json) -> tuple[bytes, str]:
    """The body of a request to the app, and its content type."""
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def signed(secret: str, body: bytes, at: int | None = None) -> dict[str, str]:
    """The headers that prove where a request comes from."""
    stamp = str(int(time.time()) if at is None else at)
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
