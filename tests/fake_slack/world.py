"""What a workspace holds: people, channels, messages, streams, and what only one person sees."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from tests.fake_slack.documented import ALL_SCOPES

Json = dict[str, Any]
FAMILIAR: Final = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
PING: Final = re.compile(r"<(@[UW][A-Z0-9]+|!channel|!here|!everyone|!subteam\^[A-Z0-9]+)(?:\|[^>]*)?>")


class ApiError(Exception):
    """``ok: false``, and why."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code, self.more = code, more


class Stream(StrEnum):
    """What has become of a streamed message."""

    LIVE = "live"
    DONE = "done"
    STOPPED = "stopped"     # by the person who reads it
    BROKEN = "broken"       # it died of age: a pill that says so hangs under it until the message is updated


@dataclass(slots=True)
class Person:
    """Somebody of one workspace; of another one if ``team`` differs from the workspace that asks."""

    id: str
    name: str
    team: str
    real_name: str = ""
    zone: str = "Europe/Berlin"
    guest: bool = False             # multi-channel
    bot: bool = False
    deleted: bool = False
    email: str = ""
    app_id: str = ""


@dataclass(slots=True)
class Post:
    """A message, as it stands now; ``texts`` is all that ever stood there."""

    ts: str
    channel: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[Json] = field(default_factory=list)
    bot_id: str = ""
    subtype: str = ""
    metadata: Json | None = None
    files: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    stream: Stream | None = None
    born: float = 0.0               # of a stream, by the fake's clock
    streamed: str = ""              # markdown, of a stream
    edited: bool = False            # the flag that people see
    edited_at: str = ""             # when its author did it
    broadcast: bool = False
    updates: int = 0
    texts: list[str] = field(default_factory=list)

    @property
    def seen(self) -> str:
        """What a person reads: blocks where there are some, else the text."""
        if self.stream is not None and not self.updates:
            return "\n".join(part for part in (self.streamed, words(self.blocks)) if part)
        return words(self.blocks) if self.blocks else unescape(self.text)

    @property
    def pings(self) -> list[str]:
        """Whom it notifies: ``@U1``, ``!channel``, ..."""
        return pings(self.text, self.streamed, *mrkdwn(self.blocks))

    def note(self) -> None:
        """Remembers what can be read now."""
        if not self.texts or self.texts[-1] != self.seen:
            self.texts.append(self.seen)


@dataclass(slots=True)
class Channel:
    """A channel or a direct conversation."""

    id: str
    name: str
    team: str
    kind: str = "channel"           # channel | group | im | mpim
    members: list[str] = field(default_factory=list)
    archived: bool = False
    connect: bool = False           # shared with another organisation
    posts: dict[str, Post] = field(default_factory=dict)
    topic: str = ""
    title: dict[str, str] = field(default_factory=dict)         # of threads of the assistant
    prompts: Json | None = None     # the suggested ones

    def thread(self, ts: str) -> list[Post]:
        """Root and replies, oldest first."""
        return [p for p in self.posts.values() if ts in (p.ts, p.thread_ts)]


@dataclass(slots=True)
class Ephemeral:
    """A message that one person sees, until they reload."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    by: str = ""                    # empty: Slack itself
    removed: bool = False

    @property
    def seen(self) -> str:
        """What the person reads."""
        return words(self.blocks) if self.blocks else unescape(self.text)

    @property
    def pings(self) -> list[str]:
        """As in `Post`."""
        return pings(self.text, *mrkdwn(self.blocks))


@dataclass(frozen=True, slots=True)
class Status:
    """The line under a thread that says what the bot is about."""

    text: str
    loading: tuple[str, ...]
    at: float


@dataclass(slots=True)
class View:
    """A modal, or somebody's App Home."""

    id: str
    user: str
    given: Json
    hash: str
    open: bool = True

    @property
    def seen(self) -> str:
        """What the person reads."""
        title = self.given.get("title", {}).get("text", "")
        return "\n".join(part for part in (title, words(self.given["blocks"])) if part)


@dataclass(slots=True)
class Workspace:
    """One workspace with the app installed in it, and all that it holds."""

    id: str
    domain: str
    bot: Person
    bot_id: str
    token: str
    enterprise: str = ""
    scopes: frozenset[str] = ALL_SCOPES
    installed: bool = True
    revoked: bool = False
    people: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, tuple[str, list[str]]] = field(default_factory=dict)      # id → handle, members
    ephemerals: list[Ephemeral] = field(default_factory=list)
    statuses: dict[tuple[str, str], Status] = field(default_factory=dict)       # (channel, thread)
    homes: dict[str, View] = field(default_factory=dict)
    modals: dict[str, View] = field(default_factory=dict)
    files: dict[str, tuple[Json, bytes]] = field(default_factory=dict)

    def channel(self, id: str, error: str = "channel_not_found") -> Channel:
        """Raises `ApiError`."""
        if id not in self.channels:
            raise ApiError(error)
        return self.channels[id]


@dataclass(slots=True)
class Stamps:
    """Message names: strings that grow and never repeat."""

    _last: int = 0

    def next(self) -> str:
        """The next one, close to now."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


def pings(*texts: str) -> list[str]:
    """Whom these notify, each once."""
    return list(dict.fromkeys(PING.findall("\n".join(texts))))


def escape(text: str) -> str:
    """As Slack escapes what people write."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """As a person reads it."""
    for written, read in FAMILIAR.items():
        text = text.replace(written, read)
    return text


def words(blocks: Iterable[Any]) -> str:
    """Everything that a person can read in blocks, a line for each piece."""
    return "\n".join(piece for block in blocks for piece in _words(block) if piece)


def _words(block: Any) -> list[str]:  # noqa: PLR0911, PLR0912  (a case for each kind)
    if isinstance(block, list):
        return [piece for item in block for piece in _words(item)]
    if not isinstance(block, Mapping):
        return []
    match block.get("type"):
        case "mrkdwn" | "plain_text":
            return [unescape(str(block.get("text", "")))]
        case "markdown":
            return [str(block.get("text", ""))]
        case "button" | "workflow_button":
            return [f"[{button_label(block)}]"]
        case "feedback_buttons":
            return [f"[{unescape(block[side]['text']['text'])}]" for side in ("positive_button", "negative_button")]
        case "icon_button":
            return [f"[{block['text']['text']}]"]
        case "image":
            return [f"(image: {block.get('alt_text', '')})"]
        case "rich_text":
            return [_rich(element) for element in block.get("elements", ())]
        case "table":
            return [" | ".join(_cell(cell) for cell in row) for row in block.get("rows", ())]
        case "option":
            return _words(block.get("text"))
    found = []
    for key in ("title", "label", "text", "fields", "elements", "element", "accessory", "options", "placeholder"):
        if key in block:
            part = block[key]
            found += _words([{"type": "option", **o} for o in part] if key == "options" else part)
    return found


def _rich(element: Mapping[str, Any]) -> str:
    match element.get("type"):
        case "text":
            return str(element["text"])
        case "link":
            return str(element.get("text") or element["url"])
        case "user":
            return f"@{element['user_id']}"
        case "emoji":
            return f":{element['name']}:"
        case "rich_text_list":
            return "\n".join(f"• {_rich(item)}" for item in element["elements"])
    return "".join(_rich(part) for part in element.get("elements", ()))


def _cell(cell: Mapping[str, Any]) -> str:
    return str(cell["text"]) if cell.get("type") == "raw_text" else "".join(_words(cell))


def button_label(element: Mapping[str, Any]) -> str:
    """What stands on it."""
    return unescape(str(element.get("text", {}).get("text", "")))


def mrkdwn(blocks: Any) -> list[str]:
    """Every text in which Slack would look for mentions."""
    if isinstance(blocks, list):
        return [text for item in blocks for text in mrkdwn(item)]
    if not isinstance(blocks, Mapping):
        return []
    if blocks.get("type") in ("mrkdwn", "markdown"):
        return [str(blocks.get("text", ""))]
    if blocks.get("type") == "user" and "user_id" in blocks:
        return [f"<@{blocks['user_id']}>"]
    if blocks.get("type") == "broadcast":
        return [f"<!{blocks.get('range', 'channel')}>"]
    return [text for value in blocks.values() for text in mrkdwn(value)]


def interactive(blocks: Any) -> list[tuple[Json, Json]]:
    """Every element that can be pressed, with the block it stands in."""
    found = []
    for block in blocks:
        parts = [block.get("accessory"), block.get("element"), *block.get("elements", ())]
        found += [(part, block) for part in parts if isinstance(part, dict) and "action_id" in part]
    return found
