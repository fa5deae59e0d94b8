"""A chat server of the loopback kind: it keeps posts, counts edits, and goes wrong on demand.

In tests it runs in their own loop. As a program it serves until it is killed, and shows everything it holds::

    python -m tests.chat_server --port 8700 --bot http://127.0.0.1:8701
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

import aiohttp
from aiohttp import web


class What(StrEnum):
    """The calls that a bot makes."""

    POST = "post"
    EDIT = "edit"
    FIND = "find"
    MEMBERS = "members"


@dataclass(frozen=True, slots=True)
class Fails:
    """Answers with this status instead of doing anything; or, ``after`` doing it all."""

    status: int = 500
    after: bool = False
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Tears:
    """Closes the connection without an answer: after having done it, or before."""

    after: bool = True


@dataclass(frozen=True, slots=True)
class Dawdles:
    """Does it, but only after so many seconds; a client that has hung up meanwhile changes nothing."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Babbles:
    """Does it, and answers with this."""

    body: bytes


Fault = Fails | Tears | Dawdles | Babbles


@dataclass(slots=True)
class Post:
    """What stands in a channel."""

    id: str
    conversation: str
    reply_to: str
    trace: str
    text: str
    final: bool = False
    sources: list[dict[str, Any]] = field(default_factory=list)
    note: str = ""
    edits: int = 0
    finals: int = 0                 # edits that were final
    place: int = 0                  # its place in the order in which posts became final, from 1
    history: list[str] = field(default_factory=list)    # every text that stood there


Hook = Callable[[What, Post], None]
"""Called once a post or an edit is stored, before the bot is told so."""


@dataclass(slots=True)
class ChatServer:
    """The running server, and all that it holds."""

    token: str = ""
    bot: str = ""                   # the bot's address, for `push`
    keep: bool = True               # every text that ever stood in a post
    url: str = ""
    posts: dict[str, Post] = field(default_factory=dict)
    members: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    faults: Mapping[What, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))     # each is used once
    calls: list[What] = field(default_factory=list)
    stored: Hook = lambda _what, _post: None
    _by_trace: dict[str, list[Post]] = field(default_factory=dict)
    _ids: count[int] = field(default_factory=lambda: count(1))
    _places: count[int] = field(default_factory=lambda: count(1))
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, true: Callable[[], bool]) -> None:
        """Waits for posts to be as wanted."""
        async with self._changed:
            await self._changed.wait_for(true)

    def of(self, trace: str) -> list[Post]:
        """The posts with this mark, oldest first."""
        return self._by_trace.get(trace, [])

    def app(self) -> web.Application:
        """Everything that a bot asks for, and ``GET /`` for whoever watches."""
        app = web.Application(client_max_size=16 << 20)
        app.router.add_post("/posts", self._post)
        app.router.add_put("/posts/{id}", self._edit)
        app.router.add_get("/posts", self._find)
        app.router.add_get("/members", self._members)
        app.router.add_get("/", self._all)
        app.router.add_post("/say", self._say)
        return app

    async def push(self, event: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Hands one event to the bot; returns its status and what it says."""
        return await self.push_raw(json.dumps(event).encode())

    async def push_raw(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """The same, with a body that may be anything."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with aiohttp.ClientSession() as session, \
                session.post(f"{self.bot}/events", data=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def _post(self, request: web.Request) -> web.Response:
        given = await request.json()

        async def do() -> Post:
            id = f"post {next(self._ids)}"
            post = Post(id, given["conversation"], given["reply_to"], given["trace"], given["text"])
            self.posts[post.id] = post
            self._by_trace.setdefault(post.trace, []).append(post)
            await self._note(What.POST, post)
            return post

        return await self._faulty(What.POST, request, do, lambda post: {"id": post.id})

    async def _edit(self, request: web.Request) -> web.Response:
        given, post = await request.json(), self.posts.get(request.match_info["id"])
        if post is None:
            return web.json_response({"error": "no such post"}, status=404)

        async def do() -> Post:
            post.text, post.final, post.edits = given["text"], given["final"], post.edits + 1
            post.sources, post.note = given["sources"], given["note"]
            if post.final:
                post.finals += 1
                post.place = post.place or next(self._places)
            await self._note(What.EDIT, post)
            return post

        return await self._faulty(What.EDIT, request, do, lambda _post: {})

    async def _find(self, request: web.Request) -> web.Response:
        async def do() -> list[Post]:
            return self.of(request.query["trace"])

        return await self._faulty(What.FIND, request, do, lambda posts: [{"id": p.id, "text": p.text} for p in posts])

    async def _members(self, request: web.Request) -> web.Response:
        async def do() -> list[dict[str, Any]]:
            return self.members.get(request.query["channel"], [])

        return await self._faulty(What.MEMBERS, request, do, lambda members: members)

    async def _all(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(post) for post in self.posts.values()])

    async def _say(self, request: web.Request) -> web.Response:
        status, said = await self.push_raw(await request.read())
        return web.json_response(said, status=status)

    async def _note(self, what: What, post: Post) -> None:
        if self.keep:
            post.history.append(post.text)
        self.stored(what, post)
        async with self._changed:
            self._changed.notify_all()

    async def _faulty(self, what: What, request: web.Request, do: Any, tell: Callable[[Any], Any]) -> web.Response:
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"error": "unauthorized"}, status=401)
        self.calls.append(what)
        match self.faults[what].popleft() if self.faults[what] else None:
            case Fails(status=status, after=after, retry_after=retry_after):
                if after:
                    await do()
                headers = {"Retry-After": retry_after} if retry_after else {}
                return web.json_response({"error": "so it goes"}, status=status, headers=headers)
            case Tears(after=after):
                if after:
                    await do()
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case Dawdles(seconds=seconds):
                await asyncio.sleep(seconds)
            case Babbles(body=body):
                await do()
                return web.Response(body=body, content_type="application/json")
        return web.json_response(tell(await do()))


@asynccontextmanager
async def chat_server(
    *, token: str = "", bot: str = "", host: str = "127.0.0.1", port: int = 0, keep: bool = True,
) -> AsyncGenerator[ChatServer]:
    """The server, listening; 0 picks a free port."""
    server = ChatServer(token, bot, keep)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        server.url = f"http://{host}:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


async def _serve(host: str, port: int, bot: str, token: str) -> None:
    async with chat_server(token=token, bot=bot, host=host, port=port) as server:
        print(f"ready {server.url}", flush=True)        # whoever started us waits for this line
        await asyncio.Event().wait()


def main() -> None:
    """Serves until it is killed."""
    parser = argparse.ArgumentParser(description="A chat server: POST an event to /say, GET / for all posts.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: a free one; the ready line names it")
    parser.add_argument("--bot", default="", help="where the bot listens for events")
    parser.add_argument("--token", default="", help="what both sides must show")
    given = parser.parse_args()
    try:
        asyncio.run(_serve(given.host, given.port, given.bot, given.token))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
