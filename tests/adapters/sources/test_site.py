"""A site is what its sitemap lists, on the hosts that were named."""

from __future__ import annotations

import asyncio
import gzip
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from adapters.sources.site import Site
from engine.rag.page import Entry, Page, Unreadable

WORDS = "<html><body><main><h1>Leave</h1><p>Give ten working days of notice.</p></main></body></html>"


@asynccontextmanager
async def a_site(**pages: str | Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """``pages`` by name; a dot is written ``_``. Yields the site's host and port."""
    async def answer(request: web.Request) -> web.StreamResponse:
        page = pages.get(request.path.strip("/").replace(".", "_"))
        if page is None:
            return web.Response(status=404)
        if callable(page):
            return await page(request)
        return web.Response(body=io.BytesIO(page.replace("HOST", request.host).encode()), content_type="text/html")

    application = web.Application()
    application.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0)
    await server.start()
    try:
        yield "{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


def sitemap(*places: str, changed: str = "") -> str:
    date = f"<lastmod>{changed}</lastmod>" if changed else ""
    return f"<urlset>{''.join(f'<url><loc>{place}</loc>{date}</url>' for place in places)}</urlset>"


def the_site(host: str) -> Site:
    return Site("docs", f"http://{host}/sitemap.xml", frozenset({host}), patience=5)


async def listed(site: Site) -> list[Entry | Unreadable]:
    return await asyncio.to_thread(lambda: list(site.listing()))


async def read(site: Site, path: str) -> Page | Unreadable:
    try:
        return await asyncio.to_thread(site.read, path)
    finally:
        await asyncio.to_thread(site.close)


async def test_a_page_of_the_sitemap_with_its_date() -> None:
    async with a_site(sitemap_xml=sitemap("http://HOST/leave", changed="2026-01-12"), leave=WORDS) as host:
        site = the_site(host)
        address = f"http://{host}/leave"
        assert await listed(site) == [Entry(address, "2026-01-12", address)]
        page = await read(site, address)
        assert isinstance(page, Page)
        assert "ten working days" in page.text
        assert (page.url, f"{page.date}") == (address, "2026-01-12 00:00:00+00:00")


async def test_other_hosts_are_never_asked() -> None:
    async with a_site(secret=WORDS) as other:
        async def away(_request: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(f"http://{other}/secret")

        async def home(_request: web.Request) -> web.StreamResponse:
            raise web.HTTPFound("/leave")

        pages = sitemap("http://HOST/away", "http://HOST/home", f"http://{other}/secret", "file:///etc/passwd")
        async with a_site(sitemap_xml=pages, away=away, home=home, leave=WORDS) as host:
            site = the_site(host)
            places = [entry.path for entry in await listed(site)]
            assert places == [f"http://{host}/away", f"http://{host}/home"]
            assert await read(site, places[0]) == Unreadable(places[0], "leads to a host that is not configured")
            assert isinstance(await read(site, places[1]), Page)
            assert isinstance(await read(site, f"http://{other}/secret"), Unreadable)


async def test_sitemaps_of_sitemaps_packed_ones_and_circles() -> None:
    index = "<sitemapindex>" + "".join(
        f"<sitemap><loc>http://HOST/{name}</loc></sitemap>" for name in ("sitemap.xml", "one.xml.gz")
    ) + "</sitemapindex>"

    async def packed(request: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(sitemap(f"http://{request.host}/leave?a=1&amp;b=2#top").encode()))

    async with a_site(sitemap_xml=index, one_xml_gz=packed) as host:
        assert [e.path for e in await listed(the_site(host))] == [f"http://{host}/leave?a=1&b=2"]


async def test_what_fails_is_named() -> None:
    async def circle(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/circle")

    async def bomb(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(bytes(60_000_000)), headers={"Content-Encoding": "gzip"})

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport
        request.transport.close()
        return response

    async with a_site(circle=circle, bomb=bomb, cut=cut, large="x" * 5_000_000) as host:
        site = the_site(host)
        said = {name: await read(site, f"http://{host}/{name}") for name in ("circle", "bomb", "cut", "large", "gone")}
    why = {name: page.why for name, page in said.items() if isinstance(page, Unreadable)}
    assert why == {
        "circle": "redirects in a circle", "bomb": "is larger than 50,000,000 bytes",
        "cut": "cannot be fetched: ClientPayloadError", "large": "is larger than 2,000,000 bytes",
        "gone": "is answered with HTTP 404",
    }
    assert [name for name, page in said.items() if isinstance(page, Unreadable) and page.gone] == ["gone"]


async def test_a_site_that_is_away_or_empty_loses_nothing() -> None:
    none = "the sitemap is none: what stands there names no pages and no sitemaps"
    index = "<sitemapindex><sitemap><loc>http://HOST/a</loc></sitemap><sitemap><loc>http://HOST/b</loc></sitemap>"
    for text, why, empty in (("<urlset></urlset>", "the sitemap names no page of the configured hosts", True),
                             (WORDS, none, False), ("", none, False), (index.format("a"), none, False)):
        async with a_site(sitemap_xml=text, a=sitemap("http://HOST/leave"), b=WORDS) as host:
            entry, = await listed(the_site(host))
        assert isinstance(entry, Unreadable)
        assert (entry.path, entry.why, entry.gone) == ("", why, empty)
    entry, = await listed(the_site(host))
    assert isinstance(entry, Unreadable)
    assert (entry.path, entry.gone) == ("", False)


async def test_a_host_that_wants_to_be_asked_later_is() -> None:
    asked: list[str] = []

    def busy(status: int, *waits: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        left = list(waits)

        async def answer(request: web.Request) -> web.StreamResponse:
            asked.append(request.path)
            if left:
                return web.Response(status=status, headers={"Retry-After": left.pop(0)})
            return web.Response(text=WORDS, content_type="text/html")

        return answer

    past = "Mon, 02 Mar 2026 12:00:00 GMT"
    async with a_site(soon=busy(429, "0", "1"), date=busy(503, past), never=busy(503, *"000"), odd=busy(503, "later"),
                      long=busy(429, "3600"), after=WORDS) as host:
        site = the_site(host)
        assert isinstance(await read(site, f"http://{host}/soon"), Page)
        assert isinstance(await read(site, f"http://{host}/date"), Page)
        why = [await read(site, f"http://{host}/{name}") for name in ("never", "odd", "long", "after")]
    assert [each.why if isinstance(each, Unreadable) else "" for each in why] == [
        "is answered with HTTP 503", "is answered with HTTP 503", "is answered with HTTP 429",
        "is not asked for: its host wants to be left alone for 3600 s",
    ]
    assert asked == ["/soon"] * 3 + ["/date"] * 2 + ["/never"] * 3 + ["/odd", "/long"]


async def test_what_robots_are_asked_to_leave_alone_is_named_and_not_fetched() -> None:
    rules = "User-agent: *\nDisallow: /private\n\nUser-agent: bartizan\nDisallow: /drafts\n"
    async with a_site(robots_txt=rules, sitemap_xml=sitemap("http://HOST/drafts/a"), private=WORDS) as host:
        site = the_site(host)
        assert [entry.path for entry in await listed(site)] == [f"http://{host}/drafts/a"]
        draft = await read(site, f"http://{host}/drafts/a")
        assert isinstance(draft, Unreadable)
        assert draft.why == "is closed to us by its host's robots.txt: User-agent: bartizan"
        assert isinstance(await read(site, f"http://{host}/private"), Page)     # our own rules count, not everybody's


async def test_a_slow_drip_ends_and_a_charset_in_the_head_counts() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.05)

    async def latin(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=WORDS.replace("Leave", "Caf\u00e9").encode("latin-1"),
                            headers={"Content-Type": "text/html; charset=iso-8859-1"})

    async def wrong(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=WORDS.replace("Leave", "Caf\u00e9").encode(),
                            headers={"Content-Type": "text/html; charset=no-such"})

    async with a_site(drip=drip, latin=latin, wrong=wrong) as host:
        slow = Site("docs", f"http://{host}/sitemap.xml", frozenset({host}), patience=0.5)
        dripped = await read(slow, f"http://{host}/drip")
        assert isinstance(dripped, Unreadable)
        assert dripped.why == "cannot be fetched: TimeoutError"
        for name in ("latin", "wrong"):
            page = await read(the_site(host), f"http://{host}/{name}")
            assert isinstance(page, Page)
            assert (page.text.startswith("# Caf\u00e9\n"), page.note) == (True, "")


LOGIN = "<html><body><h1>Who are you?</h1><form><input name=a><input type='password' name=b></form></body></html>"
SIGN_ON = "<html><body><h1>Sign on</h1><p>We will send you a link by mail.</p></body></html>"


@pytest.mark.parametrize("login", [LOGIN, SIGN_ON], ids=["password", "mail"])
async def test_where_one_logs_in_is_not_the_page(login: str) -> None:
    expired = True

    async def page(request: web.Request) -> web.StreamResponse:
        if expired:
            raise web.HTTPFound(f"/login?next={request.path}")
        return web.Response(text=WORDS, content_type="text/html")

    async with a_site(sitemap_xml=sitemap("http://HOST/leave", "http://HOST/pay", "http://HOST/rota"),
                      leave=page, pay=page, rota=page, login=login) as host:
        site = the_site(host)
        entries = await listed(site)
        for entry in entries:
            said = await read(site, entry.path)
            assert isinstance(said, Unreadable), entry.path
            assert (said.why, said.lasting, said.gone, said.barred) == (
                "leads to where other pages lead, or to a password: one may have to log in", False, False, True)
        expired = False
        assert [isinstance(await read(site, entry.path), Page) for entry in entries] == [True] * 3


BOX = "<header><form action=/login><input name=u><input type=password name=p><button>Log in</button></form></header>"
BANNER = " ".join(["For authorized users only, whose activities are recorded."] * 12)


def asking(who: str, more: str = "") -> str:
    return (f"<html><head><title>Wiki</title></head><body><h1>Log in</h1><form action=''><label>Name <input></label>"
            f"<label>Word <input type=password></label></form><p>{who}</p><p>{more}</p></body></html>")


def said(text: str, box: str = "") -> str:
    return f"<html><body>{box}<main><h1>Page</h1><p>{text}</p></main></body></html>"


@pytest.mark.parametrize(("pages", "barred"), [
    (dict.fromkeys("abcd", asking("")), "abcd"),                            # all of it
    ({"a": said("One."), "b": asking(""), "c": said("Three.")}, "b"),       # one page
    ({"b": asking("")}, "b"),                                               # which is all there is
    ({name: asking(f"You asked for the page {name} of this wiki, which is not for all.", BANNER) for name in "abc"},
     "abc"),                                                                # which is named there
    ({name: said(f"{name * 9} is what stands here.", BOX) for name in "abcd"}, ""),     # a box on each page
    ({"a": said("One.", BOX), **dict.fromkeys("bcd", said("A long page. " * 100, BOX))}, ""),
    ({**dict.fromkeys("abc", said("<a href='/sso/start?x'>Go on with your account</a>")), "d": said("x")}, "abc"),
    ({"a": said("<a href='/login'>Log in</a> Draft."), "b": said("<a href='/login'>Log in</a> Draft."),
      "c": said("Three."), "d": said("Four.")}, ""),                        # two drafts
    (dict.fromkeys("abc", said("Draft.")), ""),                             # nothing asks who one is
    ({"a": said("Fill it in. " * 100 + "<form><input type=password></form>"), "b": said("x")}, ""),     # how it is done
    ({"a": said("One."), "login": asking("")}, ""),                         # listed as what it is
])
async def test_where_one_logs_in_may_stand_in_the_place_of_a_page(pages: dict[str, str], barred: str) -> None:
    async with a_site(sitemap_xml=sitemap(*(f"http://HOST/{name}" for name in pages)), **pages) as host:
        site = the_site(host)
        entries = await listed(site)
        came = {entry.path.rpartition("/")[2]: await read(site, entry.path) for entry in entries}
    assert "".join(name for name, page in came.items() if isinstance(page, Unreadable)) == barred
    for page in came.values():
        if isinstance(page, Unreadable):
            assert (page.why, page.lasting, page.gone, page.barred) == (
                "asks for a password, or shows what other pages show: one may have to log in", False, False, True)


async def test_who_asks_who_we_are_bars_the_page() -> None:
    def answered(status: int) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=status)
        return answer

    codes = (401, 403, 407, 404, 500, 503)
    async with a_site(**{f"a{code}": answered(code) for code in codes}, sitemap_xml=answered(401)) as host:
        site = the_site(host)
        entry, = await listed(site)
        said = [await read(site, f"http://{host}/a{code}") for code in codes]
    assert isinstance(entry, Unreadable)
    assert (entry.path, entry.why, entry.barred) == ("", (
        "the sitemap is answered with HTTP 401: it asks who we are: name a file that holds a token for it, as "
        "token_file in sources.toml"), True)
    assert [page.barred for page in said if isinstance(page, Unreadable)] == [True, True, True, False, False, False]
    async with a_site(sitemap_xml=answered(403)) as host:
        entry, = await listed(replace(the_site(host), token="s3cret"))
    assert (entry.path, entry.why) == ("", (                # type: ignore[union-attr]
        "the sitemap is answered with HTTP 403: its token is refused: put one that may read it into its token file"))
    async with a_site(sitemap_xml=LOGIN) as host:
        entry, = await listed(the_site(host))
    assert isinstance(entry, Unreadable)
    assert entry.barred


async def test_a_page_that_leads_elsewhere_by_itself_is_a_redirect() -> None:
    def stub(place: str, delay: int = 0) -> str:
        return f"<html><head><META content='{delay}; URL={place}' http-equiv=refresh></head>Redirecting ...</html>"

    clock = "<html><head><meta http-equiv='refresh' content='300'></head><body><p>A wall of numbers.</p></body></html>"
    async with a_site(sitemap_xml=sitemap(*(f"http://HOST/{each}" for each in ("old", "hr", "pay", "away", "clock"))),
                      old=stub("/leave?a=1&amp;b=2"), leave=WORDS, hr=stub("/login"), pay=stub("login"), login=SIGN_ON,
                      away=stub("http://other.example/"), clock=clock, circle=stub("circle")) as host:
        site = the_site(host)
        await listed(site)
        names = ("old", "hr", "pay", "away", "clock", "circle")
        said = {name: await read(site, f"http://{host}/{name}") for name in names}
    assert {name: page.text[:7] if isinstance(page, Page) else page.why for name, page in said.items()} == {
        "old": "# Leave", "hr": "leads to where other pages lead, or to a password: one may have to log in",
        "pay": "leads to where other pages lead, or to a password: one may have to log in",
        "away": "leads to a host that is not configured", "clock": "A wall ", "circle": "redirects in a circle"}


@pytest.mark.parametrize(
    "place", ["/users/sign_in", "/sso/start", "/oauth2/authorize", "/who?goto=%2Fhr", "/Login.aspx"])
async def test_one_private_page_alone_is_told_from_one_that_moved(place: str) -> None:
    async def private(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(place)

    async with a_site(sitemap_xml=sitemap("http://HOST/hr", "http://HOST/leave"), hr=private, leave=WORDS,
                      **{place.partition("?")[0].strip("/").replace(".", "_"): SIGN_ON}) as host:
        site = the_site(host)
        await listed(site)
        said = await read(site, f"http://{host}/hr")
        assert isinstance(said, Unreadable)
        assert "one may have to log in" in said.why


class Marked:
    """A page with an ETag. ``asked``: what came with each request."""

    def __init__(self, text: str, etag: str) -> None:
        self.text, self.etag, self.asked = text, etag, list[str | None]()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(said := request.headers.get("If-None-Match"))
        if said is not None and said == self.etag:
            return web.Response(status=304)
        headers = {"ETag": self.etag} if self.etag else {}
        return web.Response(text=self.text, content_type="text/html", headers=headers)


async def test_a_page_without_a_date_is_fetched_again_only_when_its_host_has_another() -> None:
    leave, pay, bare = Marked(WORDS, '"1"'), Marked(WORDS, 'W/"a b"'), Marked(WORDS, "")

    async def moved(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/leave")

    async with a_site(leave=leave, pay=pay, bare=bare, moved=moved) as host:
        site = the_site(host)
        address = f"http://{host}/leave"
        first = await read(site, address)
        assert isinstance(first, Page)
        assert first.mark == f'"1" {address}'
        assert await asyncio.to_thread(site.read_since, address, first.mark) is None
        leave.text, leave.etag = WORDS.replace("ten", "twelve"), '"2"'
        second = await asyncio.to_thread(site.read_since, address, first.mark)
        assert isinstance(second, Page)
        assert ("twelve" in second.text, second.mark) == (True, f'"2" {address}')
        assert leave.asked == [None, '"1"', '"1"']
        for name in ("pay", "bare"):        # one that is no ETag, and none
            page = await read(site, f"http://{host}/{name}")
            assert isinstance(page, Page)
            assert page.mark == ""
        elsewhere = await asyncio.to_thread(site.read_since, f"http://{host}/moved", f'"2" http://{host}/moved')
        assert isinstance(elsewhere, Page)          # the mark was of what lay there, not of where it leads now
        assert leave.asked[-1] is None
        assert await asyncio.to_thread(site.read_since, f"http://{host}/moved", second.mark) is None


async def test_a_page_that_moved_by_itself_is_read_where_it_is_now() -> None:
    async def moved(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(f"{request.path}.html")

    async with a_site(sitemap_xml=sitemap("http://HOST/leave", "http://HOST/pay"), leave=moved, pay=moved,
                      leave_html=WORDS, pay_html=WORDS) as host:
        site = the_site(host)
        assert [isinstance(await read(site, entry.path), Page) for entry in await listed(site)] == [True] * 2


async def test_robots_that_moved_and_a_host_that_stays_busy() -> None:
    async def moved(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/rules")

    asked: list[str] = []

    async def busy(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=503, headers={"Retry-After": "1"})

    async with a_site(robots_txt=moved, rules="User-agent: *\nDisallow: /drafts\n", drafts=WORDS, one=busy,
                      two=busy) as host:
        site = the_site(host)
        draft = await read(site, f"http://{host}/drafts")
        assert isinstance(draft, Unreadable)
        assert "robots.txt" in draft.why
        said = [await read(site, f"http://{host}/{name}") for name in ("one", "two")]
    assert asked == ["/one"] * 3            # and not three times for each of its pages
    assert [each.why if isinstance(each, Unreadable) else "" for each in said] == [
        "is answered with HTTP 503", "is not asked for: its host wants to be left alone for 1 s"]


async def test_odd_sitemaps_are_read_in_one_go() -> None:
    odd = "<url><loc>" * 100_000 + "<loc" * 100_000 + " " * 100_000 + (
        "<url><loc> <![CDATA[http://HOST/leave]]> </loc><lastmod>0001-01-01T00:00:00+14:00</lastmod></url>")
    async with a_site(sitemap_xml=odd, leave=WORDS) as host:
        site = the_site(host)
        address = f"http://{host}/leave"
        assert await listed(site) == [Entry(address, "0001-01-01T00:00:00+14:00", address)]
        page = await read(site, address)
        assert isinstance(page, Page)
        assert page.date is None
