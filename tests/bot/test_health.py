"""The pages, asked over a real socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.health import CannotListen, Check, Readiness, health_app, serve
from bot.telemetry import Metrics
from engine.errors import StoreUnavailable

SECRET = "hush-4711-hush"


@dataclass(slots=True)
class Part:
    """Something the bot needs, in whatever state."""

    state: str | Exception | None = None
    asked: int = 0
    slow: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self) -> str | None:
        self.asked += 1
        if isinstance(self.state, Exception):
            raise self.state
        if self.state == "slow":
            await self.slow.wait()
        return self.state


@dataclass(slots=True)
class Hands:
    """A clock that is moved by hand."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def pages(*checks: Check, metrics: Metrics | None = None, routes: tuple[Route, ...] = ()) -> AsyncGenerator[
    aiohttp.ClientSession
]:
    app = health_app(Readiness(checks), (metrics or Metrics.fresh()).registry, routes=routes)
    async with (
        serve(app, "127.0.0.1", 0) as (host, port),
        aiohttp.ClientSession(f"http://{host}:{port}") as session,
    ):
        yield session


async def test_the_process_is_alive_even_if_it_is_not_ready() -> None:
    async with pages(Check("model", Part("no model yet").ask)) as session:
        async with session.get("/healthz") as page:
            assert (page.status, await page.json()) == (200, {"status": "alive"})
        async with session.get("/readyz") as page:
            assert page.status == 503
            assert await page.json() == {"status": "not ready", "reasons": {"model": "no model yet"}}


async def test_it_is_ready_when_everything_is_there() -> None:
    checks = (Check("database", Part().ask), Check("index", Part().ask))
    async with pages(*checks) as session, session.get("/readyz") as page:
        assert (page.status, await page.json()) == (200, {"status": "ready"})


async def test_reasons_hold_no_secrets() -> None:
    checks = (
        Check("database", Part(StoreUnavailable(f"cannot reach postgresql://bot:{SECRET}@db/x")).ask),
        Check("index", Part(ValueError(SECRET)).ask),
        Check("model", Part(f"no answer from http://bot:{SECRET}@model").ask),
    )
    async with pages(*checks) as session, session.get("/readyz") as page:
        text = await page.text()
    assert SECRET not in text
    assert "cannot reach postgresql://bot:***@db/x" in text
    assert "ValueError" in text


async def test_a_check_that_hangs_is_a_reason_and_holds_nobody_up() -> None:
    readiness = Readiness([
        Check("database", Part("slow").ask, timedelta(milliseconds=10)), Check("index", Part("still building").ask),
    ])
    assert await readiness.reasons() == {"database": "no answer within 0.01 s", "index": "still building"}


async def test_a_crowd_of_askers_is_one_question_a_second() -> None:
    part, clock = Part(), Hands()
    readiness = Readiness([Check("database", part.ask)], clock=clock)
    await asyncio.gather(*(readiness.reasons() for _ in range(50)))
    clock.now += 0.9
    await readiness.reasons()
    assert part.asked == 1
    part.state = "gone"
    clock.now += 0.2
    assert await readiness.reasons() == {"database": "gone"}
    assert part.asked == 2


async def test_an_asker_who_hangs_up_leaves_the_question_open() -> None:
    part = Part("slow")
    readiness = Readiness([Check("database", part.ask)])
    asker = asyncio.create_task(readiness.reasons())
    await asyncio.sleep(0)
    asker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asker
    part.state = None
    assert await readiness.reasons() == {}


async def test_metrics_are_in_the_text_format() -> None:
    metrics = Metrics.fresh()
    metrics.buried()
    async with pages(metrics=metrics) as session, session.get("/metrics") as page:
        assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "bartizan_dead_letters_total 1.0\n" in await page.text()


async def broken(request: Request) -> Response:
    """A page that is not ours."""
    raise StoreUnavailable(f"{SECRET} {request.url}")


async def test_every_answer_has_security_headers_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async with pages(routes=(Route("/broken", broken),)) as session:
        for method, path, status in (
            ("GET", "/healthz", 200), ("GET", "/readyz", 200), ("GET", "/metrics", 200), ("GET", "/nowhere", 404),
            ("POST", "/healthz", 405), ("GET", "/broken", 500),
        ):
            async with session.request(method, path) as page:
                assert (path, page.status) == (path, status)
                assert page.headers["x-content-type-options"] == "nosniff"
                assert page.headers["cache-control"] == "no-store"
                assert page.headers["content-security-policy"].startswith("default-src 'none'")
                assert "server" not in page.headers
                assert SECRET not in await page.text()
    assert any(record.exc_info for record in caplog.records)     # it is in the log instead


async def test_other_parts_hang_their_own_routes_in_and_keep_their_own_headers() -> None:
    async def hello(request: Request) -> Response:
        return PlainTextResponse(await request.body(), headers={"Cache-Control": "max-age=60"})

    async with pages(routes=(Route("/slack/events", hello, methods=["POST"]),)) as session:
        async with session.post("/slack/events", data=b"hi") as page:
            assert (await page.text(), page.headers.getall("cache-control")) == ("hi", ["max-age=60"])
            assert page.headers["x-content-type-options"] == "nosniff"
        async with session.get("/healthz") as page:
            assert page.status == 200


async def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    app = health_app(Readiness(()), Metrics.fresh().registry)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"cannot listen on 127.0.0.1:{port} \(.+\): choose http.host"):
            async with serve(app, "127.0.0.1", port):
                pass


async def test_a_host_that_nobody_knows_is_said_in_a_sentence() -> None:
    app = health_app(Readiness(()), Metrics.fresh().registry)
    with pytest.raises(CannotListen, match="cannot listen on no such host:1"):
        async with serve(app, "no such host", 1):
            pass


async def test_signals_stay_with_whoever_owns_the_process() -> None:
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, heard.set)
    owners = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    try:
        async with pages() as session:
            assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == owners
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(heard.wait(), 5)
            async with session.get("/healthz") as page:
                assert page.status == 200
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def test_leaving_frees_the_port_even_if_it_is_by_cancellation() -> None:
    app = health_app(Readiness(()), Metrics.fresh().registry)
    open_at: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def until_cancelled() -> None:
        async with serve(app, "127.0.0.1", 0) as (_, port):
            open_at.set_result(port)
            await asyncio.Event().wait()

    serving = asyncio.create_task(until_cancelled())
    port = await open_at
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    async with serve(app, "127.0.0.1", port) as (_, again):
        assert again == port
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "http"] == []


async def test_what_breaks_inside_comes_out_as_it_is() -> None:
    with pytest.raises(StoreUnavailable, match="full"):
        async with pages():
            raise StoreUnavailable("full")
