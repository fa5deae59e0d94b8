"""One message that streams natively. Slack ends it after some five minutes, whatever it is doing; we do so before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.slack.calls import Gone, SlackError, StoppedByUser, StreamEnded, Unclear
from adapters.slack.outbox import Posts

LIFE: Final = 240.0
"""Seconds for which a message of ours streams, at most."""
CHARS: Final = 11_000
"""Of one streaming message; Slack takes 12,000 at a time, and some 13,000 in all."""


@dataclass(slots=True)
class Stream:
    """Create it with `open_stream`. ``words``: what was sent, and is shown unless ``sure`` is false."""

    posts: Posts
    part: int
    ts: str
    words: str
    until: float                # by the loop's clock
    sure: bool = True

    @property
    def old(self) -> bool:
        """Its time is nearly over."""
        return asyncio.get_running_loop().time() >= self.until

    def room(self, words: str) -> int:
        """How many of these characters still fit, cut between lines where they can be."""
        return cut(words, CHARS - len(self.words))

    async def append(self, words: str) -> None:
        """More of it; its place in the budget was taken before. Raises `StreamEnded` or `StoppedByUser`."""
        posts = self.posts
        arguments = {"channel": posts.channel, "ts": self.ts, "markdown_text": words}
        try:
            await posts.calls.call("chat.appendStream", posts.workspace, arguments, hold=posts.hold, paid=True)
        except Unclear:
            self.sure = False   # perhaps it is there: to say it again could double it; the end sets it right
        self.words += words

    async def stop(self, rest: str = "", blocks: Sequence[dict[str, Any]] = ()) -> None:
        """The end of it, with the last words and what stands under them. Raises `StreamEnded` if it was over before."""
        posts = self.posts
        await posts.calls.call("chat.stopStream", posts.workspace, {
            "channel": posts.channel, "ts": self.ts, "markdown_text": rest or None, "blocks": list(blocks) or None,
            "metadata": posts.mark(self.part),
        }, hold=posts.hold)

    async def give_up(self) -> None:
        """It streams no longer; what stands there is set right by an update."""
        try:
            await self.stop()
        except (StreamEnded, StoppedByUser, Gone, Unclear):
            return
        except SlackError as error:
            if error.code != "no_text":
                raise


async def open_stream(posts: Posts, part: int, words: str, recipient: tuple[str, str], life: float) -> Stream:
    """A new message for one reader (team, user; channels need it). Its place in the budget was taken before."""
    until = asyncio.get_running_loop().time() + life
    ts = await posts.start(part, words, *recipient)
    return Stream(posts, part, ts, words, until)


def cut(words: str, room: int) -> int:
    """How many characters go into the room: up to the end of a line in its second half, else all that fit."""
    if len(words) <= room:
        return len(words)
    end = words.rfind("\n", room // 2, room) + 1
    return max(0, end or room)
