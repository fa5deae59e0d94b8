"""The fake from outside its process: ``POST /control/says`` does it, ``GET /control/transcript`` tells."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import Any, Final

from aiohttp import web

from tests.fake_slack.delivery import Delivery
from tests.fake_slack.people import FakeSlack
from tests.fake_slack.world import Post

VERBS: Final = (
    "says", "edits", "deletes", "previews", "stops", "reacts", "presses", "command", "shortcut", "opens", "joins",
    "leaves", "archives", "opens_channel", "joins_team", "starts_assistant", "uninstalls", "sends",
)
LOOKS: Final = ("transcript", "answers", "hidden", "home", "modal", "refused", "called")
MESSAGES: Final = frozenset({"post", "where", "thread"})    # parameters that are messages: given by their ts


def routes(slack: FakeSlack) -> list[web.RouteDef]:
    """What a driver in another process may ask for."""
    async def do(request: web.Request) -> web.Response:
        given = await request.json() if request.can_read_body else {}
        return await _call(slack, request.match_info["verb"], VERBS, given)

    async def look(request: web.Request) -> web.Response:
        return await _call(slack, request.match_info["verb"], LOOKS, dict(request.query))

    return [web.post("/control/{verb}", do), web.get("/control/{verb}", look)]


async def _call(slack: FakeSlack, verb: str, known: tuple[str, ...], given: dict[str, Any]) -> web.Response:
    if verb not in known:
        return web.json_response({"error": f"there are {', '.join(known)}"}, status=404)
    method: Callable[..., Any] = getattr(slack, verb)
    try:
        arguments = {name: _message(slack, value) if name in MESSAGES and value else value
                     for name, value in given.items()}
        answer = method(**arguments)
        told = await answer if inspect.isawaitable(answer) else answer
    except (KeyError, StopIteration, TypeError, AssertionError) as error:
        return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
    return web.json_response(_plain(told))


def _message(slack: FakeSlack, ts: str) -> Post:
    for workspace in slack.workspaces.values():
        for channel in workspace.channels.values():
            if ts in channel.posts:
                return channel.posts[ts]
    raise KeyError(f"no message {ts}")


def _plain(told: Any) -> Any:
    """As JSON."""
    if isinstance(told, list | tuple):
        return [_plain(each) for each in told]
    if is_dataclass(told) and not isinstance(told, type):
        if isinstance(told, Delivery):      # an event of the loop is no JSON
            return {name: getattr(told, name) for name in ("kind", "sent", "acked", "answer", "failures")}
        seen = {"seen": told.seen} if hasattr(told, "seen") else {}
        return asdict(told) | seen
    return told
