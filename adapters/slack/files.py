"""What people upload, fetched when it is needed: with the bot's token, from Slack and from nowhere else (S27)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import aiohttp
from yarl import URL

from adapters.slack.homes import Homes
from engine.errors import FileUnavailable, PlatformUnavailable
from engine.messages import File

HOPS: Final = 3                 # redirections of one download
_TEAM: Final = re.compile(r"/files-(?:pri|tmb)/([TE][A-Z0-9]+)-")


class FileTooLarge(FileUnavailable):
    """More than is read of a file."""

    reply = "That file is too large for me to read."


class NotAFile(FileUnavailable):
    """Slack has no such file for us: deleted, not shared with us, or somewhere else."""

    reply = "I could not open that file."


@dataclass(frozen=True, slots=True)
class Files:
    """Downloads. The address comes with an event, so it is looked at before the token goes there."""

    session: aiohttp.ClientSession
    homes: Homes
    base: URL                   # of the Web API
    timeout: timedelta = timedelta(seconds=60)

    async def fetch(self, file: File, limit: int) -> bytes:
        """The bytes. Raises `FileTooLarge`, `NotAFile`, or `PlatformUnavailable`."""
        if file.size > limit:
            raise FileTooLarge(f"is larger than {limit:,} bytes")
        url = self._checked(file.url)
        headers = {"Authorization": f"Bearer {await self._token(url)}"}
        whole = aiohttp.ClientTimeout(total=self.timeout.total_seconds(), sock_connect=3)
        try:
            for _ in range(HOPS + 1):
                async with self.session.get(url, headers=headers, allow_redirects=False, timeout=whole) as response:
                    if response.status in _MOVED:
                        url = self._checked(str(url.join(URL(response.headers.get("Location", "")))))
                        continue
                    return await _body(response, file, limit)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise PlatformUnavailable(f"slack: a file cannot be fetched: {type(error).__name__}") from error
        raise NotAFile("is redirected again and again")

    def _checked(self, address: str) -> URL:
        try:
            url = URL(address)
            origin, host = url.origin(), url.host or ""
        except ValueError as error:
            raise NotAFile("has no address") from error
        slacks = url.scheme == "https" and (host == "slack.com" or host.endswith((".slack.com", ".slack-gov.com")))
        if not slacks and origin != self.base.origin():
            raise NotAFile("is not kept by Slack")
        return url

    async def _token(self, url: URL) -> str:
        found = _TEAM.search(url.path)
        for me in self.homes.all:
            if found is None or found[1] in (me.workspace.team, me.workspace.enterprise):
                return await self.homes.token(str(me.workspace))
        if len(self.homes.all) == 1:        # a shared channel: the file belongs to the other side's team
            return await self.homes.token(str(self.homes.all[0].workspace))
        raise NotAFile("is of a workspace that I am not installed in")


_MOVED: Final = frozenset({
    HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
})


async def _body(response: aiohttp.ClientResponse, file: File, limit: int) -> bytes:
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise PlatformUnavailable(f"slack: a file cannot be fetched: {response.status}")
    if response.status != HTTPStatus.OK:
        raise NotAFile(f"cannot be fetched from Slack ({response.status})")
    if response.content_type == "text/html" and not file.kind.startswith("text/html"):
        raise NotAFile("Slack does not give me: the app needs files:read")
    body = bytearray()
    async for block in response.content.iter_any():
        body += block
        if len(body) > limit:
            raise FileTooLarge(f"is larger than {limit:,} bytes")
    return bytes(body)
