"""What was said while we could not hear: fetched from Slack's history, the newest first, and stored like the rest.

A gap is on disk before it is filled, and what is left of it after every page: a crash repeats a page, and repeated
messages are known by their key. When all gaps are filled, what was said before them is looked at once more: it may have
been rewritten or taken back meanwhile (`adapters/slack/review.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from adapters.slack import wire
from adapters.slack.budget import Rank
from adapters.slack.calls import Calls, Closed, Revoked
from adapters.slack.homes import Homes
from adapters.slack.ids import Workspace, moment
from adapters.slack.names import People
from adapters.slack.normalise import Heard, Self, said_in
from adapters.slack.pages import pages, told
from adapters.slack.plain import mentioned
from adapters.slack.ports import Cursors, Engagement, Gap
from adapters.slack.review import Review
from engine.errors import BadEvent, BotError, PlatformUnavailable, StoreUnavailable
from engine.messages import Edited, Said

log = structlog.get_logger()

PAGE: Final = 200
MARGIN: Final = timedelta(seconds=60)       # Slack's clock and ours, and what was under way
BEAT: Final = 10.0              # seconds between two notes of how far we have heard
AGAIN: Final = 30.0             # seconds before another try


@dataclass(slots=True)
class Backfill:
    """Notes how far we have heard, and fills what is missing."""

    homes: Homes
    calls: Calls
    people: People
    cursors: Cursors
    engagement: Engagement
    lookback: timedelta
    recent: timedelta
    idle: timedelta
    hearing: Callable[[], bool]
    hear: Callable[[Heard, Self], Awaitable[bool]] = field(init=False)
    review: Review = field(init=False)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _back: asyncio.Event = field(default_factory=asyncio.Event)
    _times: int = 0             # that we began to hear again
    _owed: dict[str, datetime | None] = field(default_factory=dict)
    """Workspaces where something is missing that is in no gap yet, and since when; None: the store knows."""

    @property
    def settled(self) -> bool:
        """All that was missed until now is in a gap."""
        return self._times > 0 and not self._owed

    def restored(self, since: datetime | None) -> None:
        """We hear again, for `catch_up` to make up for it. ``since``: when that ended; None: what the store says."""
        self._times += 1
        for me in self.homes.all:
            earlier = self._owed.get(str(me.workspace), since)
            # Nothing is noted as heard while something is owed: the store still says the earlier.
            self._owed[str(me.workspace)] = min(earlier, since) if earlier and since else None
        self._back.set()

    async def catch_up(self) -> None:
        """Until cancelled: puts into gaps what was missed, and tries again where that is not known."""
        while True:
            self._back.clear()
            here = {str(me.workspace): me for me in self.homes.all}
            for workspace, since in list(self._owed.items()):
                times = self._times
                done = workspace not in here or await self._caught_up(here[workspace], since)
                if done and times == self._times:       # else something was missed after that, too
                    del self._owed[workspace]
            try:
                async with asyncio.timeout(AGAIN if self._owed else None):
                    await self._back.wait()
            except TimeoutError:
                continue

    async def _caught_up(self, me: Self, since: datetime | None) -> bool:
        """Whether it is in gaps now. What goes wrong in one workspace, its token above all, is no matter of others."""
        workspace, until = str(me.workspace), datetime.now(UTC)
        try:
            if start := since or await self.cursors.last_heard(workspace):
                for each in await self._workspaces(me):
                    await self.missed(each, None, start)
            await self.cursors.heard(workspace, until)
        except BotError as error:
            log.warning("what was missed is not known yet", workspace=workspace, cause=str(error))
            return False
        except Exception:       # whatever stands in one list must not end the hearing of everything else
            log.exception("what was missed is not known yet", workspace=workspace)
            return False
        return True

    async def missed(self, me: Self, channel: str | None, since: datetime | None) -> None:
        """Opens gaps of a channel, or of all, from a moment on, or as far back as we look.

        Raises `PlatformUnavailable` or `StoreUnavailable`.
        """
        now = datetime.now(UTC)
        earliest = now - self.lookback
        oldest = max(earliest, since - MARGIN) if since else earliest
        if oldest >= now:
            return
        channels = [channel] if channel else await self._channels(me)
        await self.cursors.open_gaps(str(me.workspace), channels, oldest, now)
        log.info("gap to be filled", workspace=str(me.workspace), channels=len(channels),
                 seconds=round((now - oldest).total_seconds()))
        self._more.set()

    async def beat(self) -> None:
        """Until cancelled: notes that nothing is missing up to now."""
        while True:
            await asyncio.sleep(BEAT)
            if self._times and self.hearing():
                try:
                    for workspace in [str(me.workspace) for me in self.homes.all]:
                        if workspace not in self._owed:
                            await self.cursors.heard(workspace, datetime.now(UTC))
                except StoreUnavailable as error:
                    log.warning("how far we have heard is not noted", cause=str(error))

    async def run(self) -> None:
        """Until cancelled: fills what is open."""
        while True:
            self._more.clear()
            try:
                if await self._worked():
                    await self._more.wait()
                    continue
            except StoreUnavailable as error:
                log.warning("gaps cannot be filled", cause=str(error))
            try:
                async with asyncio.timeout(AGAIN):
                    await self._more.wait()
            except TimeoutError:
                continue

    async def _worked(self) -> bool:
        """Whether nothing is left to do, but for what has come meanwhile. Raises `StoreUnavailable`."""
        done = [await self._tried(gap, self._fill) for gap in await self.cursors.gaps() if not _filled(gap)]
        for gap in await self.cursors.gaps():
            if self._more.is_set():         # what somebody waits for goes first
                return False
            if _filled(gap):
                done.append(await self._tried(gap, self._reviewed))
        return all(done)

    async def _tried(self, gap: Gap, work: Callable[[Gap, Self], Awaitable[None]]) -> bool:
        """Whether this is done, or will never be. Raises `StoreUnavailable`."""
        try:
            if me := await self.homes.me(Workspace.of(gap.workspace)):
                await work(gap, me)
            else:
                await self._close(gap, "the app is not installed there any more")
        except (Closed, Revoked) as error:
            await self._close(gap, str(error))
        except PlatformUnavailable as error:
            log.warning("gap not filled yet", channel=gap.channel, cause=str(error))
            return False
        except StoreUnavailable:
            raise
        except Exception:       # whatever stands in one history must not end the hearing of everything else
            log.exception("gap not filled yet", channel=gap.channel)
            return False
        return True

    async def _fill(self, gap: Gap, me: Self) -> None:
        """All of it is stored. Where something was known before, the gap stays on record until that is reviewed."""
        since = datetime.now(UTC) - self.lookback
        known = await self.review.knows(gap.workspace, gap.channel, since, gap.latest)
        await self._threads(gap, me)
        stored = await self._history(gap, me)
        end = gap.oldest + _LEAST if known else gap.oldest
        await self.cursors.filled(gap.workspace, gap.channel, gap.oldest, end)
        if stored:
            log.info("gap filled", channel=gap.channel, stored=stored)

    async def _reviewed(self, gap: Gap, me: Self) -> None:
        """What was known before the gap is still so, and the gap is closed."""
        await self.review.look(me, gap.channel, datetime.now(UTC) - self.lookback)
        await self.cursors.filled(gap.workspace, gap.channel, gap.oldest, gap.oldest)

    async def _close(self, gap: Gap, why: str) -> None:
        log.warning("gap cannot be filled", workspace=gap.workspace, channel=gap.channel, cause=why)
        await self.cursors.filled(gap.workspace, gap.channel, gap.oldest, gap.oldest)

    async def _threads(self, gap: Gap, me: Self) -> None:
        """Replies in threads that began before the gap: a history tells of none of them."""
        within = self.idle + (datetime.now(UTC) - gap.oldest)
        for root in await self.engagement.threads(gap.workspace, gap.channel, within):
            if not _since(root, gap.oldest):
                await self._replies(gap, me, root)

    async def _history(self, gap: Gap, me: Self) -> int:
        stored = 0
        arguments = {
            "channel": gap.channel, "oldest": _ts(gap.oldest), "latest": _ts(gap.latest), "inclusive": True,
            "limit": PAGE,
        }
        listed = pages(self.calls, "conversations.history", gap.workspace, arguments, Rank.BACKGROUND)
        async with aclosing(listed) as found:
            async for said in found:
                page = _readable(said)
                for message in reversed(page):
                    stored += await self._store(gap, me, message)
                    if message.reply_count and _since(message.latest_reply, gap.oldest):
                        stored += await self._replies(gap, me, message.ts)
                if page:
                    await self.cursors.filled(
                        gap.workspace, gap.channel, gap.oldest, max(moment(page[-1].ts), gap.oldest + 2 * _LEAST)
                    )
        return stored

    async def _replies(self, gap: Gap, me: Self, root: str) -> int:
        stored = 0
        arguments = {"channel": gap.channel, "ts": root, "oldest": _ts(gap.oldest), "inclusive": True, "limit": PAGE}
        listed = pages(self.calls, "conversations.replies", gap.workspace, arguments, Rank.BACKGROUND)
        async with aclosing(listed) as found:
            async for said in found:
                for message in _readable(said):
                    stored += await self._store(gap, me, message)
        return stored

    async def _store(self, gap: Gap, me: Self, message: wire.Said) -> int:
        """1 if it was new. What was asked too long ago gets no answer any more."""
        people = [*mentioned(message.text or ""), *([message.user] if message.user else [])]
        await self.people.learn(me.workspace, people)
        names, kind = self.people.within(me.workspace), "im" if gap.channel.startswith("D") else "channel"
        try:
            heard = said_in(message, me, names, channel=gap.channel, kind=kind, raw=_raw(gap, me, message))
        except BadEvent as error:
            log.warning("message of a history not understood", cause=str(error))
            return 0
        if not isinstance(heard, Heard) or not isinstance(heard.event, Said):
            return 0
        said = heard.event
        if datetime.now(UTC) - said.message.sent_at > self.recent:
            heard = Heard(replace(said, addressed=False))
        new = await self.hear(heard, me)
        if not new and message.edited and message.edited.ts:
            key = me.workspace.key(gap.channel, message.ts, "edited", message.edited.ts)
            edit = Edited(key, said.message.id, said.message.text, moment(message.edited.ts))
            await self.hear(Heard(edit), me)
        return int(new)

    async def _workspaces(self, me: Self) -> Sequence[Self]:
        """Of a whole organisation's installation, whose channels are listed by workspace, all that it is approved for.
        """
        organisation = me.workspace
        if organisation.team:
            return [me]
        found: list[Self] = []
        async with aclosing(pages(self.calls, "auth.teams.list", str(organisation), {"limit": PAGE})) as listed:
            async for said in listed:
                teams = [told(wire.Channel, each).id for each in said.get("teams") or []]
                found += [replace(me, workspace=Workspace(team, organisation.enterprise)) for team in teams]
        return found

    async def _channels(self, me: Self) -> Sequence[str]:
        """Where we are a member."""
        found: list[str] = []
        arguments = {
            "types": "public_channel,private_channel,mpim,im", "exclude_archived": True, "limit": PAGE,
            "team_id": await self.homes.team(me.workspace),
        }
        async with aclosing(pages(self.calls, "users.conversations", str(me.workspace), arguments)) as listed:
            async for said in listed:
                found += [told(wire.Channel, each).id for each in said.get("channels") or []]
        return found


_LEAST: Final = timedelta(microseconds=1)


def _filled(gap: Gap) -> bool:
    """Only its review is still to come."""
    return gap.latest <= gap.oldest + 1.5 * _LEAST


def _since(ts: str | None, oldest: datetime) -> bool:
    """Whether this ``ts`` is one, and not before. What is none counts as now: nothing is asked for under it."""
    try:
        return ts is not None and moment(ts) >= oldest
    except BadEvent:
        return True


def _readable(said: Mapping[str, Any]) -> list[wire.Said]:
    """The messages of a page; one that cannot be read must not keep all the others waiting."""
    found = []
    for each in said.get("messages") or []:
        try:
            message = wire.read(wire.Said, each)
            moment(message.ts)
            found.append(message)
        except BadEvent as error:
            log.warning("message of a history not understood", cause=str(error))
    return found


def _ts(at: datetime) -> str:
    return f"{at.timestamp():.6f}"


def _raw(gap: Gap, me: Self, message: wire.Said) -> bytes:
    """In the form of an event, for whoever reads it later."""
    kind = "im" if gap.channel.startswith("D") else "channel"
    event = {"type": "message", "channel": gap.channel, "channel_type": kind, **wire.fields(message)}
    return wire.encode({"type": "event_callback", "team_id": me.workspace.team, "event": event})
