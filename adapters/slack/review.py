"""What was rewritten or taken back while we could not hear. Slack tells of neither afterwards: it is found by looking.

The latest messages that the store has of a channel are looked for in its history. One that does not stand there is
asked for by name before it is taken for deleted: a page that ends early, or a reply that only its thread shows, is no
deletion. How much is looked at in one channel is bounded, since all of it is asked for behind everything else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from adapters.slack import wire
from adapters.slack.budget import Rank
from adapters.slack.calls import Calls, Closed, Gone
from adapters.slack.ids import Workspace, moment
from adapters.slack.names import People
from adapters.slack.normalise import Heard, Self
from adapters.slack.pages import pages
from adapters.slack.plain import mentioned, plain
from adapters.slack.ports import Kept, Records
from engine.errors import BadEvent, PlatformUnavailable
from engine.messages import Deleted, Edited

log = structlog.get_logger()

MESSAGES: Final = 200           # of a channel, the latest
PAGES: Final = 5                # of its history
PAGE: Final = 200               # messages on one
THREADS: Final = 10             # the latest
BY_NAME: Final = 20             # missing messages
TOMBSTONE: Final = "tombstone"
"""Subtype of what stands where a message was that has replies."""
_ROUNDED: Final = timedelta(milliseconds=1)
_NO_THREAD: Final = "thread_not_found"


@dataclass(frozen=True, slots=True)
class Review:
    """Compares one channel. ``removed``: what to do about an answer of ours that somebody took away."""

    calls: Calls
    people: People
    records: Records
    hear: Callable[[Heard, Self], Awaitable[bool]]
    removed: Callable[[Workspace, str, str], Awaitable[None]]

    async def knows(self, workspace: str, channel: str, since: datetime, until: datetime) -> bool:
        """Whether anything of that time was stored by ``until``: what comes later is as it stands there. Raises
        `StoreUnavailable`.
        """
        kept = await self.records.kept(workspace, channel, since, MESSAGES)
        return any(each.stored < until for each in kept)

    async def look(self, me: Self, channel: str, since: datetime) -> None:
        """Tells the inbox what has changed of what was said since then. Raises `PlatformUnavailable`, `Closed` or
        `StoreUnavailable`.
        """
        kept = await self.records.kept(str(me.workspace), channel, since, MESSAGES)
        if not kept:
            return
        found = _Found()
        await self._in_history(me, channel, kept, found)
        await self._in_threads(me, channel, kept, found)
        missing = sorted((k for k in kept if k.ts not in found.seen), key=lambda k: moment(k.ts), reverse=True)
        if len(missing) > BY_NAME:
            log.info("not every missing message is asked for", channel=channel, missing=len(missing))
        for each in missing[:BY_NAME]:
            await self._by_name(me, channel, each, found)
        changed = [await self._compared(me, channel, each, found.seen[each.ts]) for each in kept
                   if each.ts in found.seen]
        if any(changed):
            log.info("changes that were missed", channel=channel, messages=sum(changed))

    async def _in_history(self, me: Self, channel: str, kept: Sequence[Kept], found: _Found) -> None:
        roots = sorted(moment(k.ts) for k in kept if not k.thread)
        if not roots:
            return
        arguments = {"channel": channel, "oldest": _ts(roots[0]), "latest": _ts(roots[-1]), "inclusive": True,
                     "limit": PAGE}
        await self._read(me, "conversations.history", arguments, found)

    async def _in_threads(self, me: Self, channel: str, kept: Sequence[Kept], found: _Found) -> None:
        oldest: dict[str, datetime] = {}
        for each in sorted(kept, key=lambda k: moment(k.ts), reverse=True):
            if each.thread and each.ts not in found.seen:       # a broadcast stands in the history, too
                oldest[each.thread] = moment(each.ts)
        for thread, since in list(oldest.items())[:THREADS]:
            arguments = {"channel": channel, "ts": thread, "oldest": _ts(since), "inclusive": True, "limit": PAGE}
            try:
                await self._read(me, "conversations.replies", arguments, found)
            except Closed as closed:
                if closed.code != _NO_THREAD:
                    raise       # else all of it may be gone: each is asked for by name

    async def _by_name(self, me: Self, channel: str, kept: Kept, found: _Found) -> None:
        """Every message has a thread, if only of itself; what has none is not there."""
        at = _ts(moment(kept.ts))
        arguments = {"channel": channel, "ts": kept.ts, "oldest": at, "latest": at, "inclusive": True, "limit": PAGE}
        try:
            await self._read(me, "conversations.replies", arguments, found)
        except Gone:
            pass
        except Closed as closed:
            if closed.code != _NO_THREAD:
                raise
        found.seen.setdefault(kept.ts, None)

    async def _read(self, me: Self, method: str, arguments: Mapping[str, Any], found: _Found) -> None:
        listed, number = pages(self.calls, method, str(me.workspace), arguments, Rank.BACKGROUND), 0
        async with aclosing(listed) as those:
            async for said in those:
                messages = said.get("messages")
                if not isinstance(messages, list):
                    raise PlatformUnavailable(f"slack: {method}: its answer cannot be read")
                found.add(messages)
                number += 1
                if number == PAGES:
                    return

    async def _compared(self, me: Self, channel: str, kept: Kept, now: wire.Said | None) -> bool:
        """Whether something is to be told. What cannot be read stays as it is."""
        workspace = me.workspace
        if now is None or now.subtype == TOMBSTONE:
            key = workspace.key(channel, kept.ts, "deleted")
            await self.hear(Heard(Deleted(key, kept.message, datetime.now(UTC))), me)
            if kept.ours:
                await self.removed(workspace, channel, kept.ts)
            return True
        edited = now.edited.ts if now.edited else None
        if kept.ours or not edited or moment(edited) <= kept.at + _ROUNDED:
            return False
        await self.people.learn(workspace, mentioned(now.text or ""))
        text = plain(now.text or "", self.people.within(workspace), bot=me.user)
        key = workspace.key(channel, kept.ts, "edited", edited)
        return await self.hear(Heard(Edited(key, kept.message, text, moment(edited))), me)


@dataclass(slots=True)
class _Found:
    """What stands in Slack, by ts; None: it does not."""

    seen: dict[str, wire.Said | None] = field(default_factory=dict)

    def add(self, messages: Sequence[object]) -> None:
        """A page."""
        for each in messages:
            try:
                message = wire.read(wire.Said, each if isinstance(each, dict) else {})
                if message.edited and message.edited.ts:
                    moment(message.edited.ts)
            except BadEvent as error:
                log.warning("message of a history not understood", cause=str(error))
                if isinstance(each, dict) and isinstance(ts := each.get("ts"), str):
                    self.seen[ts] = wire.Said(ts)       # it stands there, whatever it says
            else:
                self.seen[message.ts] = message


def _ts(at: datetime) -> str:
    return f"{at.timestamp():.6f}"
