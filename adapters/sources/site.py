"""A static site or an exported wiki over HTTP, as its sitemap lists it. Only the configured hosts are ever asked.

A redirect is followed only to one of these hosts, and not where it asks for a password or where several pages lead:
that is where one logs in, and not the page. Nor is one what asks in its place who we are. Sizes are counted after
unpacking; a page that the server does not find any more is not there, and any other failure says that it could not be
read. What a host's robots.txt closes to "bartizan", or to everybody, is not asked for; and a host that asks to be left
alone is, for that sync.

Where we are asked who we are, what we knew of the page is for nobody until it can be read again. Perhaps only our token
has run out; but perhaps fewer people may read it than could, and then each answer from it would tell somebody what is
not for them any more. It costs little to be wrong: the vectors stay, and the report says it.
"""

from __future__ import annotations

import asyncio
import html
import re
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit, urlunsplit

import aiohttp

from adapters.files.folder import page
from adapters.parsing.parser import LARGEST_DOCUMENT, Parser
from adapters.sources.credentials import let_in
from adapters.sources.login import PASSWORD, PATH, Shown, asks_who, few, leads_away, shown
from adapters.sources.robots import Robots
from adapters.sources.robots import read as read_robots
from engine.rag.page import Entry, Listed, Page, Unreadable

HOSTS: Final = 1_000            # others that are counted
LONGEST_HOST: Final = 253       # characters of a name, by RFC 1035
PAGES: Final = 50_000
SITEMAPS: Final = 500
LARGEST_SITEMAP: Final = 50_000_000     # bytes, unpacked
HOPS: Final = 4
FOREIGN: Final = 5              # hosts that are not configured, of those that a report names
AGENT: Final = "bartizan"
WAITS: Final = 2                # times that a page is asked for again where the host says when
LONGEST_WAIT: Final = 20.0      # seconds; who wants to be left alone for longer is, until the next sync
LONGEST_MARK: Final = 200       # characters of an ETag
LARGEST_ROBOTS: Final = 500_000
PROBES: Final = 3               # places that pages lead to of which one more page is asked whether it leads there, too
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_SITEMAP: Final = re.compile(r"<(?:url|sitemap)", re.IGNORECASE)
_EDGE: Final = re.compile(r"<(/?)(url|sitemap)\b[^<>]*>", re.IGNORECASE)
_PLACE: Final = re.compile(r"<loc\b[^<>]*>((?:\s*<!\[CDATA\[)?[^<]*)</loc\s*>", re.IGNORECASE)
_CHANGED: Final = re.compile(r"<lastmod\b[^<>]*>([^<]{4,100})</lastmod\s*>", re.IGNORECASE)
"""None of these looks at a character more than a few times, whatever a sitemap looks like."""
_REFRESH: Final = re.compile(rb"<meta\b[^<>]*\bhttp-equiv\s*=\s*[\"']?refresh\b[^<>]*>", re.IGNORECASE)
_LED: Final = re.compile(rb"\bcontent\s*=\s*[\"']?\s*[0-5]\s*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"'<>\s]+)", re.IGNORECASE)
HEAD: Final = 4_000             # bytes in which a page says that it leads elsewhere
_BARRED: Final = frozenset({401, 403, 407})


class _Answer(NamedTuple):
    """``place``: where it came from in the end; ``changed`` and ``etag``: as its head says. ``same``: nothing came."""

    raw: bytes
    changed: str
    place: str
    etag: str = ""
    same: bool = False

    @property
    def mark(self) -> str:
        """Names this version of what lies there; "": the host does not."""
        return f"{self.etag} {self.place}" if 0 < len(self.etag) <= LONGEST_MARK and " " not in self.etag else ""


class _Failed(Exception):
    """A sentence without its subject. ``lasting``: it stays so until the page changes; ``gone``: there is no page.

    ``barred``: we are asked who we are.
    """

    def __init__(self, why: str, *, lasting: bool = False, gone: bool = False, barred: bool = False) -> None:
        super().__init__(why)
        self.lasting, self.gone, self.barred = lasting, gone, barred

    def of(self, path: str, subject: str = "") -> Unreadable:
        """For the report."""
        return Unreadable(path, f"{subject}{self}", self.lasting, self.gone, self.barred)


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
    _robots: dict[str, Robots] = field(default_factory=dict, compare=False)        # of each host
    _closed: dict[str, float] = field(default_factory=dict, compare=False)      # hosts to be left alone, for seconds
    _led: dict[tuple[str, str], str] = field(default_factory=dict, compare=False)   # the first page that led to a place
    _logins: list[Shown] = field(default_factory=list, compare=False)       # found in the place of pages
    _cleared: list[Shown] = field(default_factory=list, compare=False)      # looked into, and none of these

    def listing(self) -> Iterator[Entry | Unreadable]:
        """Every page of the sitemap, and of the sitemaps that it names. One that is missing: the site is away."""
        try:
            places, others = asyncio.run(self._places())
        except _Failed as error:
            told = error.of("", "the sitemap ")
            yield replace(told, why=f"{told.why}: {let_in(self.token)}") if error.barred else told
            return
        for known in (self._dates, self._led, self._logins, self._cleared):
            known.clear()
        for host, count in others.most_common(FOREIGN):
            left = f"is no configured host: {count:,} {'address' if count == 1 else 'addresses'} there left out"
            yield Unreadable(f"{host}/", left, gone=True)
        for place, changed in sorted(places.items()):
            self._dates[place] = _when(changed)
            yield Entry(place, changed, place)

    def read(self, path: str) -> Page | Unreadable:
        """One page. ``path`` is its address."""
        return self.read_since(path, "") or Unreadable(path, "is answered with HTTP 304")

    def read_since(self, path: str, mark: str) -> Page | Unreadable | None:
        """As `engine.rag.page.Marking` says: the host is asked whether it has another version."""
        try:
            answer = asyncio.run(self._page(path, mark))
        except _Failed as error:
            return error.of(path)
        if answer.same:
            return None
        read = self._read(path, answer)
        if self._asks(path, answer, read) if isinstance(read, Page) else leads_away(answer.raw, path):
            return Unreadable(path, "asks who we are, or shows what other pages show: one may have to log in",
                              barred=True)
        return read

    def close(self) -> None:
        """Ends the parser's process."""
        self.parser.close()

    def _read(self, path: str, answer: _Answer) -> Page | Unreadable:
        name = urlsplit(path).path.rstrip("/").rpartition("/")[2] or urlsplit(path).netloc
        named = name if "." in name else f"{name}.html"
        date = self._dates.get(path) or _when(answer.changed)
        read = page(self.parser, named, answer.raw, url=path, date=date)
        if isinstance(read, Unreadable):
            return Unreadable(path, read.why, lasting=read.lasting)
        return replace(read, path=path, mark=answer.mark)

    def _asks(self, path: str, answer: _Answer, read: Page) -> bool:
        """Whether one logs in here, instead of reading: a few other pages are asked for what they show."""
        if not few(read.text) or PATH.search(urlsplit(path).path):      # that one is listed as what it is
            return False
        here = shown(answer.raw, read.text, answer.place)
        if not here.suspect:
            return False
        if any(map(here.like, self._logins)):
            return True
        if here in self._cleared or sum(each.kind == here.kind for each in self._cleared) >= PROBES:
            return False
        asks = here.stands_out(list(self._others(path)))
        (self._logins if asks else self._cleared).append(here)
        return asks

    def _others(self, path: str) -> Iterator[Shown]:
        """Some of the other pages that can be had, from all over the list."""
        places = [place for place in self._dates if place != path]
        for other in places[:: max(1, -(-len(places) // PROBES))]:
            with suppress(_Failed):
                answer = asyncio.run(self._page(other, ""))
                if isinstance(read := self._read(other, answer), Page):
                    yield shown(answer.raw, read.text, answer.place)

    async def _places(self) -> tuple[dict[str, str], Counter[str]]:
        """The pages with their dates, and what other hosts are named, how often."""
        found: dict[str, str] = {}
        others = Counter[str]()
        waiting, asked = deque([self.sitemap]), {self.sitemap}
        async with self._session() as session:
            while waiting:
                raw, _, end, *_ = await self._fetched(session, asking := waiting.popleft(), LARGEST_SITEMAP)
                if not _SITEMAP.search(text := _unpacked(raw)):
                    raise _Failed("is none: what stands there names no pages and no sitemaps",
                                  barred=shown(raw, text, end).sure or leads_away(raw, end) or asks_who(asking, end))
                for kind, inside in _groups(text):
                    place, changed = _PLACE.search(inside), _CHANGED.search(inside)
                    address = self._ours(_named(place[1])) if place else None
                    if address is None:
                        host = _host(_named(place[1])) if place else ""
                        if host and (host in others or len(others) < HOSTS):
                            others[host] += 1
                        continue
                    if kind == "url":
                        found[address] = changed[1].strip() if changed else ""
                    elif address not in asked and len(asked) < SITEMAPS:
                        asked.add(address)
                        waiting.append(address)
                    if len(found) > PAGES:
                        raise _Failed(f"names more than {PAGES:,} pages")
        if not found:
            raise _Failed("names no page of the configured hosts", gone=True)
        return found, others

    async def _page(self, address: str, mark: str) -> _Answer:
        async with self._session() as session:
            answer = await self._fetched(session, address, LARGEST_DOCUMENT, mark)
            if answer.same or _where(answer.place) == _where(address):
                return answer
            if (PASSWORD.search(answer.raw) or asks_who(address, answer.place)
                    or await self._gathers(session, address, _where(answer.place))):
                raise _Failed("leads to where other pages lead, or to a password: one may have to log in", barred=True)
            return answer

    async def _gathers(self, session: aiohttp.ClientSession, address: str, place: tuple[str, str]) -> bool:
        """Whether other pages lead to this place, too."""
        if (first := self._led.setdefault(place, address)) != address:
            return True
        places = list(self._dates)
        if len(self._led) > PROBES or first not in self._dates or len(places) < 2:
            return False
        other = places[(places.index(address) + 1) % len(places)]
        try:
            end = (await self._fetched(session, other, LARGEST_DOCUMENT)).place
        except _Failed:
            return False
        return _where(end) == place != _where(other)

    def _session(self) -> aiohttp.ClientSession:
        headers = {"User-Agent": AGENT, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        return aiohttp.ClientSession(
            headers=headers, timeout=aiohttp.ClientTimeout(total=self.patience), cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def _fetched(
        self, session: aiohttp.ClientSession, address: str, limit: int, mark: str = "",
    ) -> _Answer:
        asked, hops, waits = address, 0, 0
        etag, _, marked = mark.partition(" ")
        while hops < HOPS:
            if (place := self._ours(address)) is None:
                if asks_who(asked, address):
                    raise _Failed("leads to where one may have to log in, on another host", barred=True)
                raise _Failed("leads to a host that is not configured", lasting=True)
            await self._may(session, place)
            try:
                known = {"If-None-Match": etag} if etag and place == marked else {}
                async with session.get(place, allow_redirects=False, headers=known) as response:
                    if response.status == 304 and known:
                        return _Answer(b"", "", place, same=True)
                    if response.status in _MOVED:
                        address, hops = urljoin(place, response.headers.get("Location", "")), hops + 1
                        continue
                    if response.status in {429, 503}:
                        wait, waits = self._wait(place, response, waits), waits + 1
                        await asyncio.sleep(wait)
                        continue
                    if response.status != 200:
                        raise _Failed(f"is answered with HTTP {response.status}", gone=response.status in {404, 410},
                                      barred=response.status in _BARRED)
                    raw = _text(await _body(response, limit), response)
                    if limit == LARGEST_DOCUMENT and (led := _refreshed(raw)):
                        address, hops = urljoin(place, led), hops + 1
                        continue
                    head = response.headers
                    return _Answer(raw, head.get("Last-Modified", ""), place, head.get("ETag", ""))
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise _Failed(f"cannot be fetched: {type(error).__name__}") from error
        raise _Failed("redirects in a circle")

    def _wait(self, place: str, response: aiohttp.ClientResponse, waits: int) -> float:
        """Seconds until the host wants to be asked again. Raises `_Failed` where that is too long, or not said.

        Also where it was asked again often enough: else each of its pages would be waited for.
        """
        said = response.headers.get("Retry-After", "").strip()
        wait = float(said) if re.fullmatch(r"\d{1,7}", said) else -1.0
        if wait < 0 and (when := _when(said)) is not None:
            wait = max(0.0, (when - datetime.now(UTC)).total_seconds())
        if 0 <= wait <= LONGEST_WAIT and waits < WAITS:
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
            self._robots[parts.netloc] = await _robots(session, rules, self._ours)
        if place != self.sitemap and not self._robots[parts.netloc].allows(place):
            raise _Failed("is closed to us by its host's robots.txt: User-agent: bartizan")

    def _ours(self, address: str) -> str | None:
        """The address without its fragment, if we may ask there."""
        try:
            parts = urlsplit(address.strip())
            fits = parts.scheme in {"http", "https"} and parts.netloc.lower() in self.hosts
        except ValueError:
            return None
        return urlunsplit(parts._replace(fragment="")) if fits else None


async def _robots(
    session: aiohttp.ClientSession, address: str, ours: Callable[[str], str | None],
) -> Robots:
    """What a host wants of robots; one that does not say wants nothing."""
    said = ""
    place: str | None = address
    hops = 0
    try:
        while place is not None and hops < HOPS:
            async with session.get(place, allow_redirects=False) as response:
                if response.status == 200:
                    said = (await _body(response, LARGEST_ROBOTS)).decode("utf-8", "replace")
                moved = response.headers.get("Location", "") if response.status in _MOVED else ""
                place, hops = ours(urljoin(place, moved)) if moved else None, hops + 1
    except (aiohttp.ClientError, TimeoutError, ValueError, _Failed):
        pass                    # whether the host answers at all is told of what is asked for next
    return read_robots(said, AGENT)


def _groups(text: str) -> Iterator[tuple[str, str]]:
    """What is inside of each ``url`` and ``sitemap``, and which of them it is."""
    begun, at = "", 0
    for edge in _EDGE.finditer(text):
        kind = edge[2].lower()
        if not edge[1]:
            begun, at = kind, edge.end()
        elif kind == begun:
            yield kind, text[at : edge.start()]
            begun = ""


def _named(said: str) -> str:
    """The address in a ``loc``."""
    return html.unescape(said.strip().removeprefix("<![CDATA[").removesuffix("]]>").strip())


def _host(address: str) -> str:
    """"": it names none."""
    try:
        parts = urlsplit(address)
        return f"{(parts.hostname or '')[:LONGEST_HOST]}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return ""


def _where(address: str) -> tuple[str, str]:
    """Host and path, which is the same with a slash behind it and without."""
    parts = urlsplit(address)
    return parts.netloc.lower(), parts.path.rstrip("/")


def _refreshed(raw: bytes) -> str:
    """Where a page leads that does so by itself, as a redirect would; "": it is a page."""
    refresh = _REFRESH.search(raw[:HEAD])
    led = _LED.search(refresh[0]) if refresh else None
    return html.unescape(led[1].decode("utf-8", "replace")) if led else ""


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
            return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        except (ValueError, OverflowError):     # the first of all days, as it is somewhere else
            continue
    return None
