"""Where the chat server hands in its events. An event is acknowledged once it is on disk, and not before."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from aiohttp import web

from adapters.loopback.normalise import NAME, read
from adapters.loopback.wire import Taken, encode
from engine.errors import BadEvent, StoreUnavailable
from engine.ports import Inbox

log = structlog.get_logger()


class TooLarge(BadEvent):
    """More bytes than are read of one event."""


@dataclass(frozen=True, slots=True)
class Door:
    """``POST /events``: 200 stored, 400 and 413 never will be, 401 not from our chat server, 503 try again."""

    inbox: Inbox
    token: str
    event_bytes: int

    def app(self) -> web.Application:
        """The web application with its one page."""
        app = web.Application()
        app.router.add_post("/events", self.take)
        return app

    async def take(self, request: web.Request) -> web.Response:
        """One delivery."""
        if not self._admits(request):
            return _said(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong")
        body = bytearray()
        try:
            await self._read(request, body)
            return _taken(await self.inbox.receive(read(bytes(body))))
        except BadEvent as error:
            return await self._rejected(bytes(body), error)
        except StoreUnavailable as error:
            log.warning("event not stored, the sender will repeat it", cause=str(error))
            return _said(HTTPStatus.SERVICE_UNAVAILABLE, "cannot store anything right now")

    async def _read(self, request: web.Request, body: bytearray) -> None:
        try:
            async for block in request.content.iter_any():
                body += block
                if len(body) > self.event_bytes:
                    del body[self.event_bytes :]
                    raise TooLarge(f"event of more than {self.event_bytes} bytes")
        except (web.RequestPayloadError, ConnectionError) as error:
            raise BadEvent("the body cannot be read to its end") from error

    async def _rejected(self, body: bytes, error: BadEvent) -> web.Response:
        try:
            await self.inbox.reject(NAME, body, str(error))
        except StoreUnavailable as away:
            log.warning("malformed event not kept, the sender will repeat it", cause=str(away))
            return _said(HTTPStatus.SERVICE_UNAVAILABLE, "cannot store anything right now")
        log.warning("malformed event", cause=str(error), bytes=len(body))
        large = isinstance(error, TooLarge)
        return _said(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if large else HTTPStatus.BAD_REQUEST, str(error))

    def _admits(self, request: web.Request) -> bool:
        shown = request.headers.get("Authorization", "")
        expected = f"Bearer {self.token}"
        return not self.token or hmac.compare_digest(_bytes(shown), _bytes(expected))


def _taken(new: bool) -> web.Response:
    return web.Response(body=encode(Taken(new)), content_type="application/json")


def _said(status: HTTPStatus, reason: str) -> web.Response:
    return web.Response(status=status, body=encode({"error": reason}), content_type="application/json")


def _bytes(header: str) -> bytes:
    return header.encode("utf-8", "surrogateescape")
