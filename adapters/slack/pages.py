"""Lists that Slack hands out in pages, and answers that must be what they say they are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from adapters.slack import wire
from adapters.slack.budget import Rank
from adapters.slack.calls import Calls
from engine.errors import BadEvent, PlatformUnavailable


async def pages(
    calls: Calls, method: str, workspace: str, arguments: Mapping[str, Any], rank: Rank = Rank.LAST_WORD,
) -> AsyncGenerator[dict[str, Any], None]:
    """Every page of a list, the first one first. Raises what `Calls.call` raises."""
    cursor = ""
    while True:
        said = await calls.call(method, workspace, {**arguments, "cursor": cursor or None}, rank=rank)
        yield said
        meta = said.get("response_metadata")
        cursor = str(meta.get("next_cursor") or "") if isinstance(meta, dict) else ""
        if not cursor:
            return


def told(kind: type[wire.T], said: Any) -> wire.T:
    """A part of an answer. Raises `PlatformUnavailable`: better no answer than a guess."""
    try:
        return wire.read(kind, said)
    except BadEvent as error:
        raise PlatformUnavailable(f"slack: an answer cannot be read: {error}") from error
