"""The pages for whoever looks after the process: /healthz, /readyz and /metrics, in the bot's own loop.

They tell names and states, never addresses, keys or texts. Other parts of the program may hang routes of their own
into the same server.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.values import redact
from engine.errors import BotError

if TYPE_CHECKING:   # the server is imported by whoever serves: a chat in the terminal starts without it
    from prometheus_client import CollectorRegistry
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class CannotListen(BotError):
    """The address is taken, not ours to take, or not one."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to be there before the bot is ready.

    ``ask`` returns None when it is, or the reason why not; raising counts as not, and so does ``timeout``.
    """

    name: str
    ask: Callable[[], Awaitable[str | None]]
    timeout: timedelta = timedelta(seconds=2)


@dataclass(slots=True)
class Readiness:
    """All checks at once, asked at most once in ``fresh``, however many callers there are."""

    checks: Sequence[Check]
    fresh: timedelta = timedelta(seconds=1)
    clock: Callable[[], float] = time.monotonic
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _reasons: dict[str, str] = field(default_factory=dict)
    _until: float = float("-inf")

    async def reasons(self) -> dict[str, str]:
        """Why the bot is not ready, by the name of the check; empty when it is."""
        async with self._asking:
            if self.clock() >= self._until:
                said = await asyncio.gather(*(self._ask(check) for check in self.checks))
                self._reasons = {
                    check.name: reason for check, reason in zip(self.checks, said, strict=True) if reason
                }
                self._until = self.clock() + self.fresh.total_seconds()
            return dict(self._reasons)

    async def _ask(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(check.timeout.total_seconds()):
                reason = await check.ask()
        except TimeoutError:
            return f"no answer within {check.timeout.total_seconds():g} s"
        except BotError as error:
            return redact(str(error)) or type(error).__name__
        except Exception as error:      # whatever breaks a check, the page must still be served
            return type(error).__name__
        return None if reason is None else redact(reason)


def health_app(readiness: Readiness, registry: CollectorRegistry, *, routes: Sequence[BaseRoute] = ()) -> ASGIApp:
    """The pages, and ``routes`` beside them (paths of ours come first)."""
    from prometheus_client import generate_latest  # noqa: PLC0415  (see the head of this file)
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4  # noqa: PLC0415
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import JSONResponse, Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    async def healthz(request: Request) -> Response:
        """The loop turns, or nobody would have answered."""
        del request
        return JSONResponse({"status": "alive"})

    async def readyz(request: Request) -> Response:
        """200, or 503 and why."""
        del request
        reasons = await readiness.reasons()
        if reasons:
            return JSONResponse({"status": "not ready", "reasons": reasons}, status_code=503)
        return JSONResponse({"status": "ready"})

    async def metrics(request: Request) -> Response:
        """Prometheus' text format."""
        del request
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

    ours = (Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics))
    return _Guarded(Starlette(routes=[*ours, *routes]))


@dataclass(frozen=True, slots=True)
class _Guarded:
    """Security headers on every answer, errors too; a route that sets one itself keeps its own."""

    inner: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                message["headers"] = given + [pair for pair in _HEADERS if pair[0] not in names]
            await send(message)

        await self.inner(scope, receive, with_headers)


@asynccontextmanager
async def serve(app: ASGIApp, host: str, port: int) -> AsyncGenerator[tuple[str, int]]:
    """Serves while inside, in this loop, and gives the address (``port`` 0: a free one).

    Signals stay with whoever owns the process. Requests under way at the end get two seconds. Raises `CannotListen`.
    """
    import uvicorn  # noqa: PLC0415  (see the head of this file)

    class Server(uvicorn.Server):
        """uvicorn without its hold on the process."""

        ready: asyncio.Event

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """As ever, and says so."""
            await super().startup(sockets)
            self.ready.set()

        @contextmanager
        def capture_signals(self) -> Generator[None]:
            """SIGTERM is the bot's: it has turns to finish."""
            yield

    listener = await _listener(host, port)
    address, free = listener.getsockname()[:2]
    server = Server(uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", proxy_headers=False, server_header=False,
        limit_concurrency=256, timeout_graceful_shutdown=2,
    ))
    server.ready = asyncio.Event()
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    serving.add_done_callback(lambda _: server.ready.set())     # it may end before it has begun
    try:
        await server.ready.wait()
        if serving.done():
            raise CannotListen(f"the pages at {address}:{free} did not start") from serving.exception()
        yield address, free
    finally:
        server.should_exit = True
        try:
            await serving       # what broke it, if anything did, is raised here
        finally:
            listener.close()


async def _listener(host: str, port: int) -> socket.socket:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {host}:{port} ({error.strerror}): choose http.host and http.port"
        ) from error
