"""Where a message is opened in a browser. Slack is asked once in a workspace: its addresses are built alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from adapters.slack.ids import ts_of
from engine.errors import BotError
from engine.messages import MessageId, Place

log = structlog.get_logger()

_PATH = "/archives/"


class Ask(Protocol):
    """A call of the Web API: method, workspace, arguments."""

    async def call(self, method: str, workspace: str, arguments: Mapping[str, Any], /) -> dict[str, Any]: ...


@dataclass(slots=True)
class Permalinks:
    """Implements the engine's `Links`."""

    calls: Ask
    _sites: dict[str, str] = field(default_factory=dict)        # by workspace

    async def link(self, place: Place, message: MessageId) -> str:
        """Its address; "" when Slack does not say: a summary without links is better than none."""
        ts = ts_of(message)
        site = self._sites.get(place.workspace)
        if site is None:
            try:
                arguments = {"channel": place.channel, "message_ts": ts}
                said = await self.calls.call("chat.getPermalink", place.workspace, arguments)
            except BotError as error:
                log.info("no address of a message", cause=str(error))
                return ""
            site, path, _ = str(said.get("permalink") or "").partition(_PATH)
            if not path:
                return ""
            self._sites[place.workspace] = site
        there = f"{site}{_PATH}{place.channel}/p{ts.replace('.', '')}"
        return f"{there}?thread_ts={place.thread}&cid={place.channel}" if place.thread not in (None, ts) else there
