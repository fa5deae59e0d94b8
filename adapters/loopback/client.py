"""Calls to the chat server. What may be repeated is repeated while patience lasts; a new post never is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from adapters.loopback import wire
from adapters.loopback.config import LoopbackConfig
from engine.errors import PlatformUnavailable
from engine.ports import Hold

T = TypeVar("T")

PAUSE: Final = (0.1, 2.0)       # seconds before another attempt: the first time, and at most
UNTOLD: Final = 1.0             # seconds to wait when a rate limit does not say how long
LOOKS: Final = (0.0, 0.1, 0.4, 1.0)
"""Seconds before each look for a post whose fate is unclear: the server may still be storing it."""


class NotSent(PlatformUnavailable):
    """The server was not reached: nothing of the request has arrived."""


class Unclear(PlatformUnavailable):
    """The server may have done it, or not: its answer was lost, or was that it broke."""


class Gone(PlatformUnavailable):
    """There is no such post any more."""


@dataclass(slots=True)
class Client:
    """The chat server's calls. All of them raise `PlatformUnavailable`. Create it with `open_client`."""

    root: URL
    session: aiohttp.ClientSession
    patience: float                 # seconds
    _not_before: float = 0.0        # by the loop's clock: the server asked us to be quiet until then

    async def post(self, post: wire.NewPost, hold: Hold) -> str:
        """Puts a new post there and returns its id. Raises `Unclear` when it may be there or not."""
        body = wire.encode(post)
        said = await self._until(NotSent, lambda: self._call("POST", self.root / "posts", body, hold))
        return _decoded(wire.posted, said).id

    async def edit(self, id: str, revision: wire.Revision, hold: Hold) -> None:
        """Replaces what stands in a post, in as many attempts as it takes. Raises `Gone` when there is none."""
        await self._until(PlatformUnavailable, lambda: self.edit_once(id, revision, hold))

    async def edit_once(self, id: str, revision: wire.Revision, hold: Hold) -> None:
        """The same in one attempt, for an edit that the next one makes superfluous."""
        url = (self.root / "posts").joinpath(quote(id, safe=""), encoded=True)
        await self._call("PUT", url, wire.encode(revision), hold)

    async def find(self, trace: str) -> str | None:
        """The id of our post with this mark, the oldest if there are several."""
        url = (self.root / "posts").with_query(trace=trace)
        found = _decoded(wire.posts, await self._until(PlatformUnavailable, lambda: self._call("GET", url)))
        return found[0].id if found else None

    async def look(self, trace: str) -> str | None:
        """The same for a post that may be on its way: looks more than once before it says that there is none."""
        for pause in LOOKS:
            await asyncio.sleep(pause)
            if id := await self.find(trace):
                return id
        return None

    async def members(self, channel: str) -> list[wire.MemberWire]:
        """Who reads a channel, asked once."""
        return _decoded(wire.members, await self._call("GET", (self.root / "members").with_query(channel=channel)))

    async def _until(self, again: type[PlatformUnavailable], call: Callable[[], Awaitable[T]]) -> T:
        """Repeats the call while it fails like this and patience lasts. A clear no is an answer."""
        clock = asyncio.get_running_loop().time
        end, pause = clock() + self.patience, PAUSE[0]
        while True:
            try:
                return await call()
            except (NotSent, Unclear) as error:
                if not isinstance(error, again) or clock() + pause > end:
                    raise
            await asyncio.sleep(pause)
            pause = min(PAUSE[1], 2 * pause)

    async def _call(self, method: str, url: URL, body: bytes | None = None, hold: Hold | None = None) -> bytes:
        """One request. A rate limit is waited out, again and again while patience lasts."""
        clock = asyncio.get_running_loop().time
        end = clock() + self.patience
        while True:
            if (pause := self._not_before - clock()) > 0:
                await asyncio.sleep(pause)
            if hold is not None:
                hold()
            status, wait, said = await self._request(method, url, body)
            if status != HTTPStatus.TOO_MANY_REQUESTS:
                break
            self._not_before = max(self._not_before, clock() + wait)
            if self._not_before > end:
                raise PlatformUnavailable(f"chat server: its rate limit lasts another {wait:g} s")
        _check(status)
        return said

    async def _request(self, method: str, url: URL, body: bytes | None) -> tuple[int, float, bytes]:
        """Status, seconds to wait if it is a rate limit, and the body."""
        headers = {"Content-Type": "application/json"} if body is not None else None
        try:
            async with self.session.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
                return response.status, _seconds(response.headers.get("Retry-After", "")), await response.read()
        except aiohttp.ClientConnectorError as error:
            raise NotSent(f"chat server: not reached: {error.strerror or type(error).__name__}") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise NotSent("chat server: not reached in time") from error
        except TimeoutError as error:
            raise Unclear("chat server: no answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unclear(f"chat server: {type(error).__name__}") from error


@asynccontextmanager
async def open_client(config: LoopbackConfig) -> AsyncGenerator[Client]:
    """A client whose connections are closed with the context."""
    timeout = config.timeout.total_seconds()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),        # how many replies are open is the dispatcher's affair
        timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, 3.0)),
        headers={"Authorization": f"Bearer {config.token}"} if config.token else {},
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    ) as session:
        yield Client(URL(config.url), session, config.patience.total_seconds())


def _check(status: int) -> None:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unclear(f"chat server: {status}")
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise Gone(f"chat server: {status}")
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise PlatformUnavailable(f"chat server: {status}")


def _decoded(answer: msgspec.json.Decoder[T], said: bytes) -> T:
    try:
        return answer.decode(said)
    except (ValueError, RecursionError) as error:
        # It did what we asked, but what it says about it cannot be read.
        raise Unclear("chat server: its answer cannot be read") from error


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.strip().isdecimal() else UNTOLD
