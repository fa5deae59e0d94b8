"""A file is fetched from Slack, with our token, within its limits; and our token goes nowhere else (S27)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from aiohttp import web
from yarl import URL

from adapters.slack.files import Files, FileTooLarge, NotAFile
from adapters.sql.database import Database
from engine.errors import PlatformUnavailable
from engine.messages import File
from tests.adapters.slack.hearing import Listener, listening
from tests.fake_slack import FakeSlack

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def bot(fake: FakeSlack, database: Database) -> AsyncGenerator[Listener]:
    async with listening(fake, database) as listener:
        yield listener


async def upload(bot: Listener, data: bytes) -> File:
    """A file as we hear of it."""
    bot.fake.uploads("ann", "dm", "notes.txt", data)
    await bot.hears()
    (file,) = bot.said[-1].message.files
    return file


async def test_a_file_is_what_was_uploaded(bot: Listener) -> None:
    assert await bot.slack.fetch(await upload(bot, b"Ten days."), 9) == b"Ten days."


async def test_a_file_over_the_limit_is_left_where_it_is(bot: Listener) -> None:
    file = await upload(bot, b"x" * 10)
    with pytest.raises(FileTooLarge):
        await bot.slack.fetch(file, 9)
    lying = File(file.id, file.name, file.url, 1, file.kind)        # what it says of its size is not believed
    with pytest.raises(FileTooLarge):
        await bot.slack.fetch(lying, 9)


@pytest.mark.parametrize("address", [
    "https://evil.example/files-pri/T1-F1/a.txt", "http://files.slack.com/files-pri/T1-F1/a.txt", "",
    "https://slack.com.evil.example/a", "https://evilslack.com/a", "file:///etc/passwd", "http://127.0.0.1:1/a", "//x",
    "https://files.slack.com@evil.example/a",
])
async def test_our_token_goes_to_slack_alone(bot: Listener, address: str) -> None:
    with pytest.raises(NotAFile):
        await bot.slack.fetch(File("F1", "a.txt", address), 100)


async def test_a_file_that_is_gone_is_none(bot: Listener) -> None:
    file = await upload(bot, b"x")
    with pytest.raises(NotAFile):
        await bot.slack.fetch(File(file.id, file.name, file.url.replace(file.id, "F0")), 100)


async def breaks(_: web.Request) -> web.Response:
    return web.Response(status=503)


async def asks_to_sign_in(_: web.Request) -> web.Response:
    return web.Response(text="<html>Sign in</html>", content_type="text/html")


async def sends_elsewhere(_: web.Request) -> web.Response:
    raise web.HTTPFound("http://evil.example/a")


async def goes_round(request: web.Request) -> web.Response:
    raise web.HTTPFound(request.path)


async def never_ends(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 1_000)


@pytest.mark.parametrize(("page", "error"), [
    (breaks, PlatformUnavailable), (asks_to_sign_in, NotAFile), (sends_elsewhere, NotAFile), (goes_round, NotAFile),
    (never_ends, FileTooLarge),
])
async def test_a_server_may_do_anything(bot: Listener, page: Page, error: type[Exception]) -> None:
    app = web.Application()
    app.router.add_get("/files-pri/{name}", page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        root = f"http://127.0.0.1:{runner.addresses[0][1]}"
        files = Files(bot.slack.files.session, bot.slack.homes, URL(f"{root}/api/"))
        with pytest.raises(error):
            await files.fetch(File("F1", "a.txt", f"{root}/files-pri/T1-F1"), 10_000)
    finally:
        await runner.cleanup()
