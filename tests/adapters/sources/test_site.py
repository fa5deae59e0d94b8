"""A site is what its sitemap lists, on the hosts that were named."""

from __future__ import annotations

import asyncio
import gzip
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from adapters.sources.login import shown
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
                "asks who we are, or shows what other pages show: one may have to log in", False, False, True)


def vouched(title: str, body: str, head: str = "") -> str:
    return f"<html><head><title>{title}</title>{head}</head><body>{body}</body></html>"


WITHOUT_PASSWORD = {
    "a button to whoever vouches": vouched("Log in · Acme Wiki", (
        "<h1>Acme Wiki</h1><p>All that you write here is seen by all of Acme. Ask the service desk for an account.</p>"
        "<button class=big><svg></svg> Sign in with Okta</button>")),
    "a link to it": vouched("Wiki", (
        "<h2>Welcome back</h2><h1>Sign in to Acme</h1><div><a href='https://id.example/go?c=7'>"
        "<span>Continue with single sign-on</span></a></div><p>Use your company account.</p>")),
    "a form for an address": vouched("Sign in to your account", (
        "<form action='/go' method=post><h2>Acme</h2><label>Work e-mail <input type=email name=loginfmt></label>"
        "<input type=hidden name=state value=x><input type=checkbox name=stay> Stay signed in"
        "<input type=submit value=Next></form><p>No account? Ask your manager.</p>")),
    "a form for a link by mail": vouched("Acme Wiki", "<form><p>We write to you, and you follow the link.</p>"
                                         "<input name=email><button>E-mail me a login link</button></form>"),
    "a request that is handed on": vouched("One moment", (
        "<p>If nothing happens, press the button.</p><form method=post action='https://idp.example/x'>"
        "<input type=hidden name=SAMLRequest value=PHNh><input type=submit value=Go></form>"),
        "<script>onload = () => document.forms[0].submit()</script>"),
    "a script that leads there": vouched(
        "Acme Wiki", "<p>Redirecting ...</p>",
        "<script>window.location.replace('https://acme.example/auth/sso?to=' + escape(document.URL))</script>"),
    "one without words": vouched("", "", "<script>location.href = \"https://login.acme.example/start\";</script>"),
    "in German": vouched("Anmelden", "<h1>Willkommen</h1><button>Mit Firmenkonto anmelden</button>"),
    "in Chinese": vouched("Acme", "<h1>登录</h1><button>使用企业微信登录</button>"),
}
ABOUT_LOGGING_IN = {
    "how it is done": vouched("Sign in with Okta · Handbook", (
        "<main><h1>Sign in with Okta</h1><p>Open the wiki, choose <a href='https://acme.okta.example/login'>Sign in "
        "with Okta</a>, and approve it on your phone.</p><p>The service desk helps if that fails.</p></main>")),
    "what is asked often": vouched("Log in problems", (
        "<h1>I cannot log in</h1><ul><li>Is caps lock on?</li><li>Has your account expired?</li>"
        "<li>Try <b>Continue with Google</b> instead.</li></ul>")),
    "a list of links": vouched("Quick links", (
        "<h1>Quick links</h1><ul><li><a href='https://acme.okta.example'>Sign in with Okta</a></li>"
        "<li><a href='/rota'>Rota</a></li><li><a href='/pay'>Pay</a></li></ul>")),
    "a newsletter": vouched("News", "<h1>News</h1><p>The canteen opens at eleven.</p><form action='/subscribe'>"
                            "<input type=email name=email placeholder=E-mail><button>Subscribe</button></form>"),
    "a search": vouched("Single sign-on", (
        "<form role=search><input type=search name=user-search><button>Find</button></form><h1>Single sign-on</h1>"
        "<p>Who leaves is locked out of all systems within the hour.</p>")),
    "a request": vouched("New account", (
        "<h1>Ask for an account</h1><form action='/ask'><input name=email><input name=team>"
        "<textarea name=why></textarea><button>Send</button></form><p>It takes a day.</p>")),
    "a script of its own": vouched("Rota", "<h1>Rota</h1><p>Shifts change on Wednesday.</p>",
                                   "<script>if (location.hash == '#login') { location.href = '/rota/week' }</script>"),
    "where it moved to": vouched("Moved", "<h1>This page has moved</h1><p>It is in the new handbook.</p>",
                                 "<script>location.replace('https://handbook.acme.example/leave')</script>"),
}
OTHERS = {name: said(f"{name * 9} is what stands here, and {name * 5} is what does not.") for name in "xyz"}


@pytest.mark.parametrize("page", WITHOUT_PASSWORD.values(), ids=WITHOUT_PASSWORD)
async def test_where_one_logs_in_without_a_password_is_not_the_page_either(page: str) -> None:
    for pages in ({"hr": page, **OTHERS}, {**dict.fromkeys(("hr", "pay", "rota"), page), "x": OTHERS["x"]}):
        async with a_site(sitemap_xml=sitemap(*(f"http://HOST/{name}" for name in pages)), **pages) as host:
            site = the_site(host)
            came = {entry.path: await read(site, entry.path) for entry in await listed(site)}
        for path, each in came.items():
            name = path.rpartition("/")[2]
            assert isinstance(each, Page if name in OTHERS else Unreadable), name
            if isinstance(each, Unreadable):
                assert (each.barred, each.lasting, each.gone) == (True, False, False)
    async with a_site(sitemap_xml=page) as host:
        entry, = await listed(the_site(host))
        assert isinstance(entry, Unreadable)
        assert entry.barred


@pytest.mark.parametrize("page", ABOUT_LOGGING_IN.values(), ids=ABOUT_LOGGING_IN)
async def test_a_page_about_logging_in_is_a_page(page: str) -> None:
    pages = {"hr": page, **OTHERS}
    async with a_site(sitemap_xml=sitemap(*(f"http://HOST/{name}" for name in pages)), **pages) as host:
        site = the_site(host)
        for entry in await listed(site):
            assert isinstance(await read(site, entry.path), Page), entry.path


@pytest.mark.parametrize("box", [
    "<header><button>Sign in with Okta</button></header>", "<footer><a href='/start'>Continue with Google</a></footer>",
    "<script>function login() { location.href = '/login?to=' + location.pathname }</script>",
    "<header><form action='/login'><input name=email><button>Log in</button></form></header>",
])
async def test_a_way_in_that_is_on_each_page_bars_none(box: str) -> None:
    pages = {"short": said("Shifts change on Wednesday.", box), "brief": said("Paid on the twentieth.", box),
             "one": said("A long page. " * 100, box), "two": said("Another long page. " * 100, box)}
    async with a_site(sitemap_xml=sitemap(*(f"http://HOST/{name}" for name in pages)), **pages) as host:
        site = the_site(host)
        for entry in await listed(site):
            assert isinstance(await read(site, entry.path), Page), entry.path


@pytest.mark.parametrize(("place", "barred"), [
    ("https://sso.example/", True), ("https://who.example/oauth2/authorize?client=7", True),
    ("https://who.example/x?RelayState=https%3A%2F%2Fwiki.example%2Fhr", True), ("https://new.example/hr/", False),
    ("https://account-rules.example/", False),
])
async def test_a_page_that_leads_to_another_host_asks_who_we_are_or_has_moved(place: str, barred: bool) -> None:
    async def away(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(place)

    by_itself = f"<html><head><meta http-equiv=refresh content='0; url={place}'></head></html>"
    for how in (away, by_itself):
        async with a_site(hr=how) as host:
            page = await read(the_site(host), f"http://{host}/hr")
        assert isinstance(page, Unreadable)
        assert (page.barred, page.lasting) == (barred, not barred)
    async with a_site(sitemap_xml=away) as host:
        entry, = await listed(the_site(host))
        assert isinstance(entry, Unreadable)
        assert entry.barred == (barred and "RelayState" not in place)


def test_no_page_takes_long_however_it_was_made() -> None:
    odd = (b"<a <a " * 60_000 + b">", b"<script>" * 50_000, b"<title>" * 50_000 + b"</title>",
           b"<script>" + b"location = '" * 30_000 + b"</script>", b"<a href=x>Sign in with" * 15_000 + b"</a>",
           b"<button>log in " * 25_000 + b"</button>", b"<form><input name=" * 20_000, b"<a>x</a>" * 50_000)
    began = time.process_time()
    for raw in odd:
        shown(raw, "", "http://wiki.example/")
    assert time.process_time() - began < 10


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
