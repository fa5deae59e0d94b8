"""Messages of ours: noted before they are posted, found again by their mark, and never there twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeVar

import structlog

from adapters.slack.budget import Rank
from adapters.slack.calls import Calls, Closed, Gone, SlackError, TooLong, Unclear
from adapters.slack.ids import Workspace
from engine.errors import Fenced, PlatformUnavailable
from engine.ports import Hold
from engine.spoken import How, Outbox, Sent

log = structlog.get_logger()

EVENT: Final = "bartizan_message"
"""``metadata.event_type`` of all that we post. Anybody in the workspace can read the payload: an opaque id alone."""
LOOKS: Final = (0.0, 0.3, 1.0, 2.0)
"""Seconds before each look for a message whose fate is unclear: Slack may still be storing it."""
PAGE: Final = 200
PAGES: Final = 5
_LOST: Final = (SlackError, Closed)
_PLAIN: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "block_mismatch"})
NEWER: Final = frozenset({"context_actions"})
"""Blocks that came late to Slack."""
T = TypeVar("T")


class Content(Protocol):
    """One message as the renderer makes it."""

    @property
    def blocks(self) -> list[dict[str, Any]]: ...
    @property
    def text(self) -> str: ...


class Me(Protocol):
    """Who we are in a workspace."""

    @property
    def user(self) -> str: ...
    @property
    def bot(self) -> str: ...


class Ourselves(Protocol):
    """Who we are, by workspace; None where we are not installed."""

    async def me(self, workspace: Workspace) -> Me | None: ...


@dataclass(slots=True)
class Posts:
    """What is said under one name in one place. All raise `PlatformUnavailable`, `Closed`, `StoreUnavailable` or what
    ``hold`` raises.
    """

    calls: Calls
    outbox: Outbox
    ourselves: Ourselves
    hold: Hold
    name: str
    workspace: str
    channel: str
    thread: str                 # "": none
    since: str                  # nothing of ours is older than this ts
    how: How = How.POST
    looks: Sequence[float] = LOOKS
    _unsure: set[int] = field(default_factory=set)      # parts that may stand there, though nobody told us
    _looked: set[int] = field(default_factory=set)      # of these, the ones for which we have looked patiently

    async def earlier(self) -> list[Sent]:
        """What an earlier attempt has left, by part. What did not turn up is not there."""
        found = []
        for sent in await self.outbox.of(self.name):
            if sent.ts is None and sent.how is not How.PRIVATE:
                if (ts := await self._look(sent.part, sent.how) or await self._told_late(sent.part)) is None:
                    await self.outbox.unsent(self.name, sent.part)
                    continue
                await self.outbox.sent(self.name, sent.part, ts)
                found.append(replace(sent, ts=ts))
            else:
                found.append(sent)
        return found

    async def turned_up(self, part: int) -> bool:
        """Whether a message that may have been posted stands there; its row stays as a lock if it does not."""
        ts = await self._look(part, self.how)
        if ts is not None:
            await self.outbox.sent(self.name, part, ts)
        return ts is not None

    async def post(self, part: int, content: Content, rank: Rank = Rank.LAST_WORD) -> str:
        """A new message; its ts. Raises `Unclear` when it may be there or not."""
        async def put(blocks: list[dict[str, Any]]) -> str:
            return await self._put(part, self.how, "chat.postMessage", {
                "channel": self.channel, "thread_ts": self.thread or None, "text": content.text,
                "blocks": blocks or None, "parse": "none", "unfurl_links": False, "unfurl_media": False,
                "metadata": self.mark(part),
            }, rank=rank)

        return await _taken(content, put)

    async def start(self, part: int, words: str, team: str, user: str) -> str:
        """A new message that streams; its ts. Its place in the budget was taken before."""
        arguments = {
            "channel": self.channel, "thread_ts": self.thread, "markdown_text": words, "recipient_team_id": team,
            "recipient_user_id": user,
        }
        return await self._put(part, How.STREAM, "chat.startStream", arguments, paid=True)

    async def update(self, ts: str, content: Content, rank: Rank = Rank.LAST_WORD, *, once: bool = False,
                     paid: bool = False) -> None:
        """Other words in a message. ``once``: the next update makes up for this one. Raises `Gone` where none is."""
        async def put(blocks: list[dict[str, Any]]) -> None:
            arguments = {"channel": self.channel, "ts": ts, "text": content.text, "blocks": blocks, "parse": "none"}
            await self.calls.call(
                "chat.update", self.workspace, arguments, hold=self.hold, rank=rank, once=once,
                paid=paid and blocks is content.blocks,     # what is said more plainly has no place yet
            )

        await _taken(content, put)

    async def remove(self, part: int, ts: str) -> None:
        """A message of ours that has nothing to say any more."""
        try:
            await self.calls.call("chat.delete", self.workspace, {"channel": self.channel, "ts": ts}, hold=self.hold)
        except Gone:
            log.info("a message of ours was gone already")
        await self.outbox.unsent(self.name, part)

    async def direct(self, user: str) -> Posts:
        """The same, said in the person's own conversation with us instead."""
        opened = await self.calls.call("conversations.open", self.workspace, {"users": user}, hold=self.hold)
        channel = opened.get("channel")
        id = channel.get("id") if isinstance(channel, dict) else None
        if not isinstance(id, str) or not id:
            raise SlackError("slack: conversations.open: its answer names no conversation")
        return replace(self, name=f"{self.name}:dm", channel=id, thread="", how=How.DIRECT, _unsure=set(),
                       _looked=set())

    def mark(self, part: int) -> dict[str, Any]:
        """The metadata by which a message is found again."""
        return {"event_type": EVENT, "event_payload": {"id": f"{self.name}/{part}"}}

    async def _put(
        self, part: int, how: How, method: str, arguments: Mapping[str, Any], *, rank: Rank = Rank.LAST_WORD,
        paid: bool = False,
    ) -> str:
        if part in self._unsure:
            return await self._settled(part, how)
        self.hold()                     # whoever lost the turn leaves the row to their successor
        await self.outbox.sending(Sent(self.name, part, how, self.workspace, self.channel, self.thread))
        self._unsure.add(part)          # until we are told, whatever ends the call
        try:
            said = await self.calls.call(method, self.workspace, arguments, hold=self.hold, rank=rank, paid=paid)
            ts = said.get("ts")
            if not isinstance(ts, str) or not ts:
                raise Unclear(f"slack: {method}: its answer names no message")  # noqa: TRY301
        except Unclear as error:
            log.info("looking for a message of unclear fate", cause=str(error))
            return await self._settled(part, how)
        except Fenced:                  # not sent; by now the row may be the successor's
            self._unsure.discard(part)
            raise
        except _LOST:                   # it was refused, or not sent
            self._unsure.discard(part)
            await self.outbox.unsent(self.name, part)
            raise
        self._unsure.discard(part)
        await self.outbox.sent(self.name, part, ts)
        return ts

    async def _settled(self, part: int, how: How) -> str:
        """The ts of a message that may be there; it is not posted again from here. Should it not turn up, the turn goes
        back to the inbox, and its next attempt looks once more before it posts.
        """
        ts = await self._look(part, how, self.looks[:1] if part in self._looked else self.looks)
        if ts is None:
            self._looked.add(part)      # who asks for it again has waited for it already
            raise Unclear("slack: a message of ours did not turn up")
        self._unsure.discard(part)
        await self.outbox.sent(self.name, part, ts)
        return ts

    async def _told_late(self, part: int) -> str | None:
        """An earlier attempt that lost its turn may still have heard what became of its last call."""
        return next((sent.ts for sent in await self.outbox.of(self.name) if sent.part == part), None)

    async def _look(self, part: int, how: How, looks: Sequence[float] | None = None) -> str | None:
        for pause in self.looks if looks is None else looks:
            await asyncio.sleep(pause)
            messages = await self._ours()
            marked = [m for m in messages if _mark_of(m) == f"{self.name}/{part}"]
            if marked:
                return str(marked[0]["ts"])
            if self.thread and how in (How.STREAM, How.POST) and (ts := await self._unmarked(part, messages)):
                return ts
        return None

    async def _unmarked(self, part: int, messages: Sequence[Mapping[str, Any]]) -> str | None:
        """A stream bears no mark before it ends, and a history may not tell of marks at all: it is the message of ours
        that nothing else accounts for. Turns of one thread run one after the other, so there is at most one.
        """
        bare = [str(m["ts"]) for m in messages if not _mark_of(m)]
        known = await self.outbox.others(self.name, self.workspace, self.channel, bare) if bare else frozenset()
        mine = {sent.ts for sent in await self.outbox.of(self.name) if sent.part != part}
        return next((ts for ts in reversed(bare) if ts not in known and ts not in mine), None)

    async def _ours(self) -> list[dict[str, Any]]:
        """Our messages in this place since the question, oldest first."""
        me = await self.ourselves.me(Workspace.of(self.workspace))
        if me is None:
            raise PlatformUnavailable("slack: the app is not installed in that workspace")
        method, found, cursor = "conversations.replies" if self.thread else "conversations.history", [], None
        for _ in range(PAGES):
            said = await self.calls.call(method, self.workspace, {
                "channel": self.channel, "ts": self.thread or None, "oldest": self.since, "limit": PAGE,
                "include_all_metadata": True, "cursor": cursor,
            })
            page = said.get("messages")
            found += [m for m in page if isinstance(m, dict)] if isinstance(page, list) else []
            cursor = (said.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        ours = [m for m in found if isinstance(m.get("ts"), str) and (m.get("user") == me.user or
                                                                     (me.bot and m.get("bot_id") == me.bot))]
        return sorted(ours, key=lambda m: (len(m["ts"].partition(".")[0]), m["ts"]))


async def _taken(content: Content, put: Callable[[list[dict[str, Any]]], Awaitable[T]]) -> T:
    """Says it, and more plainly where Slack takes offence at its shape: rather without buttons than not at all."""
    *shapes, last = _shapes(content.blocks)
    for blocks in shapes:
        try:
            return await put(blocks)
        except SlackError as error:
            if not isinstance(error, TooLong) and error.code not in _PLAIN:
                raise
            log.error("Slack does not take our blocks", cause=str(error))   # noqa: TRY400
    return await put(last)


def _shapes(blocks: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """As they are, without what a server may not know yet, and none."""
    known = [block for block in blocks if block["type"] not in NEWER]
    return [blocks, *([known] if known and len(known) < len(blocks) else []), []]


def _mark_of(message: Mapping[str, Any]) -> str:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT:
        return ""
    payload = metadata.get("event_payload")
    return str(payload.get("id", "")) if isinstance(payload, dict) else ""
