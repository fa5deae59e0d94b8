"""Slack calling us: signed requests at ``/slack/events``, and the two pages of an installation.

Only a signed body is looked at; one that is signed and cannot be read is kept, like any other event.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

import structlog
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from adapters.slack.config import EVENTS
from engine.errors import BadEvent

log = structlog.get_logger()

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Reception: TypeAlias = Callable[[str, Mapping[str, str], str], Awaitable[BoltResponse]]
Page: TypeAlias = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]


class TooLarge(BadEvent):
    """More bytes than are read of one request."""


@dataclass(frozen=True, slots=True)
class Door:
    """An ASGI app. ``pages``: what is shown for a GET of a path, beside the events."""

    verifier: SignatureVerifier
    event_bytes: int
    receive: Reception
    pages: Mapping[str, Page]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            raise TypeError(f"no {scope['type']} here")
        response = await self._answer(scope, receive)
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, values in response.headers.items() for value in values
        ]
        await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
        await send({"type": "http.response.body", "body": (response.body or "").encode()})

    async def _answer(self, scope: Scope, receive: Receive) -> BoltResponse:
        method, path = scope["method"], scope["path"]
        headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        if method == "GET" and path in self.pages:
            query = scope["query_string"].decode("latin-1")
            return await self.pages[path](AsyncBoltRequest(body="", query=query, headers={**headers}))
        if method != "POST" or path != EVENTS:
            return BoltResponse(status=HTTPStatus.NOT_FOUND, body="")
        try:
            body = await self._read(receive)
        except TooLarge as error:
            log.warning("request turned away", cause=str(error))
            return BoltResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, body="")
        if not self._signed(body, headers):
            log.warning("request turned away", cause="its signature is missing, old or wrong")
            return BoltResponse(status=HTTPStatus.UNAUTHORIZED, body="")
        return await self.receive(body.decode("utf-8", "replace"), headers, "http")

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self.event_bytes:
                raise TooLarge(f"request of more than {self.event_bytes} bytes")
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return bytes(body)

    def _signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        low = {name.lower(): value for name, value in headers.items()}
        try:
            return self.verifier.is_valid(      # by the hash alone, in constant time
                body, low.get("x-slack-request-timestamp", "0"), low.get("x-slack-signature", "")
            )
        except ValueError:                  # a timestamp that is no number, a body that is no text
            return False
