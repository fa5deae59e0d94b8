"""A static site or an exported wiki over HTTP, as its sitemap lists it. Only the configured hosts are ever asked.

A redirect is followed only to one of these hosts; sizes are counted after unpacking; a page that the server does not
find any more is not there, and any other failure says that it could not be read. What a host's robots.txt closes to
"bartizan", or to everybody, is not asked for; and a host that asks to be left alone is, for that sync.
"""

from __future__ import annotations

import asyncio
import html
import re
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit
from urllib.robotparser import RobotFileParser

import aiohttp

from adapters.files.folder import page
from adapters.parsing.parser import LARGEST_DOCUMENT, Parser
from engine.rag.page import Entry, Listed, Page, Unreadable

PAGES: Final = 50_000
SITEMAPS: Final = 500
LARGEST_SITEMAP: Final = 50_000_000     # bytes, unpacked
HOPS: Final = 4
AGENT: Final = "bartizan"
WAITS: Final = 2                # times that a page is asked for again where the host says when
LONGEST_WAIT: Final = 20.0      # seconds; who wants to be left alone for longer is, until the next sync
LARGEST_ROBOTS: Final = 500_000
_GROUP: Final = re.compile(r"<(url|sitemap)\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)
_PLACE: Final = re.compile(
    r"<loc\b[^>]*>\s*(?:<!\[CDATA\[)?\s*(.*?)\s*(?:\]\]>)?\s*</loc\s*>", re.DOTALL | re.IGNORECASE)
_CHANGED: Final = re.compile(r"<lastmod\b[^>]*>\s*([^<]{4,40}?)\s*</lastmod\s*>", re.IGNORECASE)


class _Failed(Exception):
    """A sentence without its subject. ``lasting``: it stays so until the page changes; ``gone``: there is no page."""

    def __init__(self, why: str, *, lasting: bool = False, gone: bool = False) -> None:
        super().__init__(why)
        self.lasting, self.gone = lasting, gone


@dataclass(frozen=True, slots=True)
class Site(Listed):
    """A source. ``hosts``: the only ones that are asked, ``host`` or ``host:port``; others are not pages of it.

    ``sitemap`` is its address; ``token`` goes along as a bearer token, never in the address.
    """

    name: str
    sitemap: str
    hosts: frozenset[str]
    token: str = field(default="", repr=False)
    patience: float = 30.0              # seconds for one page
    parser: Parser = field(default_factory=Parser, compare=False)
    _dates: dict[str, datetime | None] = field(default_factory=dict, compare=False)
    _robots: dict[str, RobotFileParser] = field(default_factory=dict, compare=False)        # of each host
    _closed: dict[str, float] = field(default_factory=dict, compare=False)      # hosts to be left alone, for seconds

    def listing(self) -> Iterator[Entry | Unreadable]:
        """Every page of the sitemap, and of the sitemaps that it names. One that is missing: the site is away."""
        try:
            places = asyncio.run(self._places())
        except _Failed as error:
            yield Unreadable("", f"the sitemap {error}")
            return
        self._dates.clear()
        for place, changed in sorted(places.items()):
            self._dates[place] = _when(changed)
            yield Entry(place, changed, place)

    def read(self, path: str) -> Page | Unreadable:
        """One page. ``path`` is its address."""
        try:
            raw, changed = asyncio.run(self._page(path))
        except _Failed as error:
            return Unreadable(path, str(error), lasting=error.lasting, gone=error.gone)
        name = urlsplit(path).path.rstrip("/").rpartition("/")[2] or urlsplit(path).netloc
        named = name if "." in name else f"{name}.html"
        read = page(self.parser, named, raw, url=path, date=self._dates.get(path) or _when(changed))
        if isinstance(read, Unreadable):
            return Unreadable(path, read.why, lasting=read.lasting)
        return replace(read, path=path)

    def close(self) -> None:
        """Ends the parser's process."""
        self.parser.close()

    async def _places(self) -> dict[str, str]:
        found: dict[str, str] = {}
        waiting, asked = deque([self.sitemap]), {self.sitemap}
        async with self._session() as session:
            while waiting:
                raw, _ = await self._fetched(session, waiting.popleft(), LARGEST_SITEMAP)
                for kind, inside in _GROUP.findall(_unpacked(raw)):
                    place, changed = _PLACE.search(inside), _CHANGED.search(inside)
                    address = self._ours(html.unescape(place[1])) if place else None
                    if address is None:
                        continue
                    if kind.lower() == "url":
                        found[address] = changed[1] if changed else ""
                    elif address not in asked and len(asked) < SITEMAPS:
                        asked.add(address)
                        waiting.append(address)
                    if len(found) > PAGES:
                        raise _Failed(f"names more than {PAGES:,} pages")
        if not found:
            raise _Failed("names no page of the configured hosts")
        return found

    async def _page(self, address: str) -> tuple[bytes, str]:
        async with self._session() as session:
            return await self._fetched(session, address, LARGEST_DOCUMENT)

    def _session(self) -> aiohttp.ClientSession:
        headers = {"User-Agent": AGENT, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        return aiohttp.ClientSession(
            headers=headers, timeout=aiohttp.ClientTimeout(total=self.patience), cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def _fetched(self, session: aiohttp.ClientSession, address: str, limit: int) -> tuple[bytes, str]:
        hops, waits = 0, 0
        while hops < HOPS:
            if (place := self._ours(address)) is None:
                raise _Failed("leads to a host that is not configured", lasting=True)
            await self._may(session, place)
            try:
                async with session.get(place, allow_redirects=False) as response:
                    if response.status in {301, 302, 303, 307, 308}:
                        address, hops = urljoin(place, response.headers.get("Location", "")), hops + 1
                        continue
                    if response.status in {429, 503} and waits < WAITS:
                        wait, waits = self._wait(place, response), waits + 1
                        await asyncio.sleep(wait)
                        continue
                    if response.status != 200:
                        raise _Failed(f"is answered with HTTP {response.status}", gone=response.status in {404, 410})
                    return _text(await _body(response, limit), response), response.headers.get("Last-Modified", "")
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise _Failed(f"cannot be fetched: {type(error).__name__}") from error
        raise _Failed("redirects in a circle")

    def _wait(self, place: str, response: aiohttp.ClientResponse) -> float:
        """Seconds until the host wants to be asked again. Raises `_Failed` where that is too long, or not said."""
        said = response.headers.get("Retry-After", "").strip()
        wait = float(said) if re.fullmatch(r"\d{1,7}", said) else -1.0
        if wait < 0 and (when := _when(said)) is not None:
            wait = max(0.0, (when - datetime.now(UTC)).total_seconds())
        if 0 <= wait <= LONGEST_WAIT:
            return wait
        if wait > 0:
            self._closed[urlsplit(place).netloc] = wait
        raise _Failed(f"is answered with HTTP {response.status}")

    async def _may(self, session: aiohttp.ClientSession, place: str) -> None:
        """Raises `_Failed` for what the host does not want to be asked for, now or at all."""
        parts = urlsplit(place)
        if (wait := self._closed.get(parts.netloc)) is not None:
            raise _Failed(f"is not asked for: its host wants to be left alone for {wait:g} s")
        if parts.netloc not in self._robots:
            rules = urlunsplit(parts._replace(path="/robots.txt", query=""))
            self._robots[parts.netloc] = await _robots(session, rules)
        if place != self.sitemap and not self._robots[parts.netloc].can_fetch(AGENT, place):
            raise _Failed("is closed to us by its host's robots.txt: User-agent: bartizan")

    def _ours(self, address: str) -> str | None:
        """The address without its fragment, if we may ask there."""
        try:
            parts = urlsplit(address.strip())
            fits = parts.scheme in {"http", "https"} and parts.netloc.lower() in self.hosts
        except ValueError:
            return None
        return urlunsplit(parts._replace(fragment="")) if fits else None


async def _robots(session: aiohttp.ClientSession, address: str) -> RobotFileParser:
    """What a host wants of robots; one that does not say wants nothing."""
    rules = RobotFileParser()
    lines: list[str] = []
    try:
        async with session.get(address, allow_redirects=False) as response:
            if response.status == 200:
                lines = (await _body(response, LARGEST_ROBOTS)).decode("utf-8", "replace").splitlines()
    except (aiohttp.ClientError, TimeoutError, ValueError, _Failed):
        pass                    # whether the host answers at all is told of what is asked for next
    rules.parse(lines)
    return rules


def _text(raw: bytes, response: aiohttp.ClientResponse) -> bytes:
    """Text in the charset that the answer's head names, as UTF-8; what is UTF-8 or no text stays as it is."""
    if not response.content_type.startswith("text/") or response.charset is None:
        return raw
    try:
        raw.decode()
    except UnicodeDecodeError:
        with suppress(UnicodeDecodeError, LookupError):
            return raw.decode(response.charset).encode()
    return raw


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_chunked(65_536):
        size += len(part)
        if size > limit:
            raise _Failed(f"is larger than {limit:,} bytes", lasting=True)
        parts.append(part)
    return b"".join(parts)


def _unpacked(raw: bytes) -> str:
    if raw.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            raw = unpacker.decompress(raw, LARGEST_SITEMAP)
        except zlib.error as error:
            raise _Failed("is damaged") from error
        if unpacker.unconsumed_tail:
            raise _Failed(f"is larger than {LARGEST_SITEMAP:,} bytes")
    return raw.decode("utf-8", "replace")


def _when(said: str) -> datetime | None:
    """A sitemap's date, or a header's."""
    for reader in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            when = reader(said)
        except ValueError:
            continue
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    return None
