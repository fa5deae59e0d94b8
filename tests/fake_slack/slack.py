"""The workspaces behind the methods: what is stored, who is told, and what goes wrong on demand."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.fake_slack.delivery import Deliverer, Delivery
from tests.fake_slack.documented import EVENTS
from tests.fake_slack.limits import Limits
from tests.fake_slack.world import ApiError, Channel, Ephemeral, Json, Person, Post, Stamps, Stream, Workspace

APP_TOKEN: Final = "xapp-1-fake"
SIGNING_SECRET: Final = "shh-signing"
LIFE: Final = 300.0             # seconds of a stream
STATUS_LIFE: Final = 120.0      # seconds of a status
RESPONSES: Final = 5            # posts to one response_url
RESPONSE_LIFE: Final = 1800.0   # seconds of one
KINDS: Final = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}
SENT_TO_ALL: Final = frozenset({"app_uninstalled", "tokens_revoked", "app_rate_limited", "url_verification"})


# What goes wrong, once each.


@dataclass(frozen=True, slots=True)
class Says:
    """``ok: false`` with this error."""

    error: str
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limited:
    """429, whatever the tier says."""

    seconds: int = 1


@dataclass(frozen=True, slots=True)
class Breaks:
    """A server error; ``after`` doing it all."""

    status: int = 503
    after: bool = False


@dataclass(frozen=True, slots=True)
class Tears:
    """Closes the connection without an answer: after having done it, or before."""

    after: bool = True


@dataclass(frozen=True, slots=True)
class Dawdles:
    """Does it, and tells only after so many seconds."""

    seconds: float


Fault = Says | Limited | Breaks | Tears | Dawdles


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method, let in."""

    slack: Office
    workspace: Workspace
    method: str
    args: Json
    authorization: str


@dataclass(slots=True)
class Called:
    """A call that was made, for whoever asks afterwards."""

    method: str
    workspace: str
    args: Json
    at: float                   # by the loop's clock
    error: str = ""             # "ratelimited" for a 429
    done: float | None = None


@dataclass(slots=True)
class Respond:
    """A ``response_url``."""

    workspace: Workspace
    channel: str
    user: str
    source: Post | Ephemeral | None
    made: float
    thread: str | None = None
    used: int = 0


@dataclass(slots=True)
class Office:
    """Everything that the methods work on."""

    delivery: Deliverer
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    app_id: str = "A0FAKE"
    client_id: str = "11.22"
    client_secret: str = "client-secret"
    app_token: str = APP_TOKEN
    url: str = ""
    subscriptions: frozenset[str] = frozenset(EVENTS)
    life: float = LIFE          # of a stream
    patience: float = 1.0       # how much longer `until` waits than it is told
    page: int = 1000            # at most so many items on one page, whatever was asked for
    limits: Limits = field(default_factory=lambda: Limits(time.monotonic))
    stamps: Stamps = field(default_factory=Stamps)
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)       # by method
    calls: list[Called] = field(default_factory=list)
    statuses_seen: list[tuple[str, str, str]] = field(default_factory=list)     # channel, thread, text
    modes: dict[str, str] = field(default_factory=dict)         # of streams, by ts
    triggers: dict[str, tuple[str, float]] = field(default_factory=dict)
    exchanged: set[str] = field(default_factory=set)
    responds: dict[str, Respond] = field(default_factory=dict)
    codes: dict[str, Workspace] = field(default_factory=dict)   # of installations under way
    assistant_threads: set[tuple[str, str]] = field(default_factory=set)
    too_old_to_edit: set[str] = field(default_factory=set)
    read_only: set[str] = field(default_factory=set)
    no_streams: str = ""        # the error that every start of a stream gets
    tells_metadata: bool = True     # in a history that is asked for it
    unfurls: list[Post] = field(default_factory=list)           # messages whose links Slack looked at
    answered: Callable[[Called], None] = lambda _called: None      # whoever watches calls
    _number: int = 0

    @staticmethod
    def clock() -> float:
        """Seconds; never goes back."""
        return time.monotonic()

    def number(self) -> int:
        """The next one, for ids."""
        self._number += 1
        return self._number

    def fails(self, method: str, *faults: Fault) -> None:
        """The next calls of a method go wrong like this, one after another."""
        self.faults.setdefault(method, deque()).extend(faults)

    # What happens in a channel.

    def posted(self, workspace: Workspace, channel: Channel, post: Post) -> None:
        """A new message, for everyone to see."""
        channel.posts[post.ts] = post
        post.note()
        if post.bot_id:
            workspace.statuses.pop((channel.id, post.thread_ts or post.ts), None)
        if post.thread_ts and (root := channel.posts.get(post.thread_ts)) and root.thread_ts is None:
            root.thread_ts = root.ts
        event = self.shown(workspace, post, metadata=True, channel=channel)
        event |= {"channel": channel.id, "channel_type": channel.kind, "event_ts": post.ts}
        self.emit(workspace, event, channel)

    def changed(self, workspace: Workspace, channel: Channel, post: Post, before: Json) -> None:
        """A message got other contents, or a preview of a link."""
        at = self.stamps.next()
        self.emit(workspace, {
            "type": "message", "subtype": "message_changed", "message": self.shown(workspace, post),
            "previous_message": before, "channel": channel.id, "channel_type": channel.kind, "hidden": True,
            "ts": at, "event_ts": at,
        }, channel)

    def removed(self, workspace: Workspace, channel: Channel, post: Post) -> None:
        """A message is gone; of one with replies a stone remains."""
        before, at = self.shown(workspace, post), self.stamps.next()
        event: Json = {"type": "message", "channel": channel.id, "channel_type": channel.kind, "hidden": True,
                       "previous_message": before, "ts": at, "event_ts": at}
        if any(p.thread_ts == post.ts and p is not post for p in channel.posts.values()):
            post.text, post.blocks, post.subtype, post.user = "This message was deleted.", [], "tombstone", "USLACKBOT"
            post.bot_id, post.files = "", []
            event |= {"subtype": "message_changed", "message": self.shown(workspace, post)}
        else:
            del channel.posts[post.ts]
            event |= {"subtype": "message_deleted", "deleted_ts": post.ts}
        self.emit(workspace, event, channel)

    def unfurl(self, workspace: Workspace, channel: Channel, post: Post, link: str) -> None:
        """Slack looks at a link and puts a preview under the message."""
        self.unfurls.append(post)
        before = self.shown(workspace, post)
        post.attachments.append({"from_url": link, "title": "A page", "fallback": "A page", "id": 1})
        self.changed(workspace, channel, post, before)

    def age(self, post: Post) -> None:
        """A stream dies some minutes after it was started, whatever is appended."""
        if post.stream is Stream.LIVE and self.clock() - post.born >= self.life:
            post.stream = Stream.BROKEN

    def direct(self, workspace: Workspace, user: str) -> Channel:
        """The direct conversation of somebody and the bot."""
        for channel in workspace.channels.values():
            if channel.kind == "im" and user in channel.members:
                return channel
        id = f"D{user[1:]}"
        channel = Channel(id, "", workspace.id, "im", [user, workspace.bot.id])
        workspace.channels[id] = channel
        return channel

    def is_assistant_thread(self, channel: Channel, ts: str) -> bool:
        """A conversation of the older assistant view, which begins without a message."""
        return (channel.id, ts) in self.assistant_threads

    def status(self, workspace: Workspace, channel: str, thread: str) -> str:
        """What stands under a thread now; empty: nothing."""
        status = workspace.statuses.get((channel, thread))
        return status.text if status and self.clock() - status.at < STATUS_LIFE else ""

    # How it is told.

    def shown(      # noqa: PLR0912  (a message object has many parts that may be missing)
        self, workspace: Workspace, post: Post, *, metadata: bool = False, channel: Channel | None = None,
    ) -> Json:
        """A message object."""
        told: Json = {"type": "message", "user": post.user, "ts": post.ts, "text": post.text or post.streamed,
                      "team": workspace.id}
        if post.bot_id:
            told |= {"bot_id": post.bot_id, "app_id": self.app_id,
                     "bot_profile": {"id": post.bot_id, "app_id": self.app_id, "name": workspace.bot.name,
                                     "deleted": False, "team_id": workspace.id}}
        elif not post.subtype:
            told["client_msg_id"] = f"00000000-0000-4000-8000-{post.ts.replace('.', '')[-12:]}"
        if (person := workspace.people.get(post.user)) and person.team != workspace.id:
            told |= {"team": person.team, "user_team": person.team, "source_team": person.team,
                     "user_profile": {"name": person.name, "team": person.team}}
        if post.blocks:
            told["blocks"] = [{"block_id": f"b{n}", **block} for n, block in enumerate(post.blocks)]
        elif not post.bot_id and post.text and post.subtype != "tombstone":
            told["blocks"] = [{"type": "rich_text", "block_id": "b0", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": post.text}]}]}]
        if post.thread_ts:
            told["thread_ts"] = post.thread_ts
            where = channel or workspace.channels[post.channel]
            root = where.posts.get(post.thread_ts)
            if root is post:
                replies = [p for p in where.thread(post.ts) if p is not post]
                told |= {"reply_count": len(replies), "reply_users": list(dict.fromkeys(p.user for p in replies)),
                         "subscribed": False, **({"latest_reply": replies[-1].ts} if replies else {})}
            elif root is not None:
                told["parent_user_id"] = root.user
        for name in ("subtype", "files", "attachments"):
            if value := getattr(post, name):
                told[name] = value
        if post.reactions:
            told["reactions"] = [{"name": n, "users": u, "count": len(u)} for n, u in post.reactions.items()]
        if post.edited:
            told["edited"] = {"user": post.user, "ts": post.edited_at or post.ts}
        if metadata and self.tells_metadata and post.metadata:
            told["metadata"] = post.metadata
        return told

    def permalink(self, workspace: Workspace, post: Post) -> str:
        """Where a person opens a message."""
        link = f"https://{workspace.domain}.slack.com/archives/{post.channel}/p{post.ts.replace('.', '')}"
        reply = post.thread_ts not in (None, post.ts)
        return f"{link}?thread_ts={post.thread_ts}&cid={post.channel}" if reply else link

    def emit(self, workspace: Workspace, event: Json, channel: Channel | None = None) -> Delivery | None:
        """Tells the app, if it has subscribed to that, may know it, and is in the channel."""
        name = KINDS[channel.kind] if channel and event["type"] == "message" else event["type"]
        if name not in SENT_TO_ALL:
            scope = EVENTS.get(name, "")
            if not workspace.installed or name not in self.subscriptions or (scope and scope not in workspace.scopes):
                return None
            if channel and workspace.bot.id not in channel.members and not event["type"].endswith("_left"):
                return None
        connect = channel is not None and channel.connect
        return self.delivery.deliver("events_api", self.envelope(workspace, event, connect=connect))

    def envelope(self, workspace: Workspace, event: Json, *, connect: bool = False) -> Json:
        """What is put around an event."""
        id = f"Ev{self.number():010d}"
        return {
            "token": "deprecated", "team_id": workspace.id, "context_team_id": workspace.id,
            "context_enterprise_id": workspace.enterprise or None, "api_app_id": self.app_id, "event": event,
            "type": "event_callback", "event_id": id, "event_time": int(time.time()),
            "authorizations": [{
                "enterprise_id": workspace.enterprise or None, "team_id": workspace.id, "user_id": workspace.bot.id,
                "is_bot": True, "is_enterprise_install": False,
            }],
            "is_ext_shared_channel": connect, "event_context": f"4-{id}",
            **({"enterprise_id": workspace.enterprise} if workspace.enterprise else {}),
        }

    def trigger(self, user: str) -> str:
        """A new trigger id."""
        id = f"trigger.{self.number()}"
        self.triggers[id] = user, self.clock()
        return id

    def response_url(self, workspace: Workspace, channel: str, user: str, source: Post | Ephemeral | None) -> str:
        """A new address to answer at."""
        key = f"respond-{self.number()}"
        thread = source.thread_ts if source else None
        self.responds[key] = Respond(workspace, channel, user, source, self.clock(), thread)
        return f"{self.url}/respond/{key}"

    def interaction(self, workspace: Workspace, person: Person, **more: Any) -> Json:
        """What all interactions have in common."""
        return {
            "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": workspace.id},
            "team": {"id": workspace.id, "domain": workspace.domain,
                     **({"enterprise_id": workspace.enterprise} if workspace.enterprise else {})},
            "enterprise": {"id": workspace.enterprise, "name": "Grid"} if workspace.enterprise else None,
            "is_enterprise_install": False, "api_app_id": self.app_id, "token": "deprecated",
            "trigger_id": self.trigger(person.id), **more,
        }

    def dump(self) -> str:
        """Everything that people see, for a test that failed."""
        lines = []
        for w in self.workspaces.values():
            for channel in w.channels.values():
                for post in channel.posts.values():
                    self.age(post)
                    state = f" <{post.stream}>" if post.stream else ""
                    lines.append(f"{channel.id} {'  ' if post.thread_ts not in (None, post.ts) else ''}"
                                 f"{post.user}: {post.seen!r}{state}")
            lines += [f"{e.channel} only {e.user} sees: {e.seen!r}" for e in w.ephemerals]
            lines += [f"{key[0]} status of {key[1]}: {status.text!r}" for key, status in w.statuses.items()]
        lines += [f"{call.method} {call.error or 'ok'} {json.dumps(call.args)}" for call in self.calls[-20:]]
        return "\n".join(line[:200] for line in lines[-60:])


__all__ = ["ApiError", "Breaks", "Call", "Called", "Dawdles", "Limited", "Office", "Says", "Tears"]
