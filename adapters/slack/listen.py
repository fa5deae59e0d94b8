"""What Slack tells us, taken in: stored before it is acknowledged, and answered at once where somebody waits.

Everything comes through one `slack_bolt` app, over a socket or over HTTP. An event that cannot be stored now is not
acknowledged, so that Slack sends it again (S2); commands and buttons are never sent again (S4), so their trouble is
told in a sentence.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from weakref import WeakValueDictionary

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import commands, wire
from adapters.slack.homes import Homes
from adapters.slack.ids import NAME, Workspace, ts_of, user_of
from adapters.slack.membership import Rooms
from adapters.slack.names import People
from adapters.slack.normalise import Heard, Ignored, OwnRemoved, Self, read_message, workspace_of
from adapters.slack.plain import channels, mentioned
from adapters.slack.ports import Counts, Cursors, Engagement, Interactions
from engine.errors import BadEvent, BotError, StoreUnavailable
from engine.messages import Message, Said
from engine.ports import Inbox

log = structlog.get_logger()

Body: TypeAlias = Mapping[str, Any]
Spawn: TypeAlias = Callable[[str, Coroutine[Any, Any, None]], None]
"""Runs something beside the listening: its name for the log, and what."""
Handle: TypeAlias = Callable[[Workspace, Body], Coroutine[Any, Any, None]]
"""Does what somebody pressed, chose or sent."""
Missed: TypeAlias = Callable[[Self, str | None, datetime | None], Coroutine[Any, Any, None]]
"""Something may be missing: where, of which channel (None: of all), and since when (None: ever)."""

STORED: Final = 2.0             # seconds, of the three that Slack gives a command
CHANNEL_EVENTS: Final = frozenset({
    "channel_archive", "channel_unarchive", "channel_deleted", "channel_left", "channel_shared", "channel_unshared",
    "group_archive", "group_unarchive", "group_deleted", "group_left",
})
"""After these we ask anew who is in a channel."""
COUNTED: Final = frozenset({
    *CHANNEL_EVENTS, "message", "app_mention", "member_joined_channel", "member_left_channel", "channel_rename",
    "group_rename", "channel_id_changed", "user_change", "team_join", "subteam_created", "subteam_updated",
    "subteam_members_changed", "reaction_added", "reaction_removed", "app_home_opened", "assistant_thread_started",
    "assistant_thread_context_changed", "app_uninstalled", "tokens_revoked",
})
"""Kinds of events that are counted under their own name."""


@dataclass(slots=True)
class Ears:
    """Takes in what Slack sends, and hands on what others are to do about it."""

    homes: Homes
    people: People
    rooms: Rooms
    inbox: Inbox
    engagement: Engagement
    cursors: Cursors
    interactions: Interactions
    counts: Counts
    idle: timedelta
    spawn: Spawn
    missed: Missed
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    # -- events ------------------------------------------------------------------------------------------------

    async def event(self, body: Body) -> None:
        """One ``event_callback``. Raises `StoreUnavailable`: it must come again."""
        raw = wire.encode(body)
        kind = ""
        try:
            envelope = wire.read(wire.Envelope, body)
            found = envelope.event.get("type")
            kind = found if isinstance(found, str) and found in COUNTED else "other"
            me = await self.homes.me(workspace_of(envelope))
            if me is None:
                raise BadEvent("event of a workspace that the app is not installed in")     # noqa: TRY301
            came = await self._take(envelope.event, me, raw)
        except BadEvent as error:
            await self.reject(raw, error, kind or "other")
        else:
            self.counts.heard(kind, came)

    async def reject(self, raw: bytes, error: BadEvent, kind: str) -> None:
        """Keeps what cannot be read, for the operator. Raises `StoreUnavailable`."""
        await self.inbox.reject(NAME, raw, str(error))
        self.counts.heard(kind, "rejected")
        log.warning("event not understood", platform=NAME, kind=kind, cause=str(error))

    async def _take(self, event: Body, me: Self, raw: bytes) -> str:
        """What came of it, for the count."""
        match event.get("type"):
            case "message" | "app_mention":
                return await self._message(event, me, raw)
            case "member_joined_channel" | "member_left_channel":
                await self._moved(wire.read(wire.InChannel, event), me, joined=event["type"] == "member_joined_channel")
            case "channel_rename" | "group_rename":
                self.people.renamed(me.workspace, wire.read(wire.Described, event).channel)
            case "channel_id_changed":
                moved = wire.read(wire.Renumbered, event)
                await self.cursors.renamed(str(me.workspace), moved.old_channel_id, moved.new_channel_id)
                self.rooms.drop(me.workspace, moved.old_channel_id)
            case "user_change" | "team_join":
                self.people.changed(me.workspace, wire.read(wire.WithUser, event).user)
            case "subteam_created" | "subteam_updated" | "subteam_members_changed":
                self.rooms.drop_groups(me.workspace)
            case "app_uninstalled" | "tokens_revoked":
                await self._uninstalled(event, me)
            case str(kind) if kind in CHANNEL_EVENTS:
                self.rooms.drop(me.workspace, wire.read(wire.InChannel, event).channel)
            case _:
                return self._interaction(event, me)
        return "noted"

    async def _message(self, event: Body, me: Self, raw: bytes) -> str:
        # The library runs a task for each event (S7): in one channel they are stored as they came.
        async with self._turns.setdefault(f"{me.workspace}/{event.get('channel')}", asyncio.Lock()):
            return await self._take_message(event, me, raw)

    async def _take_message(self, event: Body, me: Self, raw: bytes) -> str:
        await self._learn(event, me)
        read = read_message(event, me, self.people.within(me.workspace), raw)
        match read:
            case Ignored(why):
                log.debug("message passed over", why=why)
                return "ignored"
            case OwnRemoved(channel, ts, gone):
                self.spawn("removed", self.interactions.removed(me.workspace, channel, ts))
                return "stored" if await self.inbox.receive(gone) else "known"
        return "stored" if await self.hear(read, me) else "known"

    async def hear(self, heard: Heard, me: Self) -> bool:
        """To the inbox, once it is clear whether it is for us. Raises `StoreUnavailable`."""
        event = heard.event
        if not isinstance(event, Said):
            return await self.inbox.receive(event)
        if heard.asks and await self.engagement.engaged(event.message.conversation, self.idle):
            event = replace(event, addressed=True)
        at = event.message.place
        if at.direct and at.thread:         # under an answer of ours: the conversation that this one belongs to
            root = await self.engagement.conversation_of(me.workspace.message(at.channel, at.thread))
            event = replace(event, message=replace(event.message, conversation=root or event.message.conversation))
        words = ""
        if event.addressed and at.thread and not at.direct and commands.is_leave(event.message.text):
            await self.engagement.leave(event.message.conversation)
            words = commands.LEFT_THREAD
        elif event.addressed and commands.is_help(event.message.text):
            words = commands.HELP
        new = await self.inbox.receive(replace(event, addressed=False) if words else event)
        if new and words:
            self.spawn("told", self._tell(event.message, words))
        return new

    async def _tell(self, message: Message, words: str) -> None:
        """A sentence of ours for who wrote this, where it stands."""
        at = message.place
        await self.people.calls.call("chat.postEphemeral", at.workspace, {
            "channel": at.channel, "user": user_of(at.person), "text": words,
            "thread_ts": at.thread if at.thread != ts_of(message.id) else None,
        })

    async def _learn(self, event: Body, me: Self) -> None:
        """Names of those in a message, so that it is stored with them. Only a question waits for them, and not long."""
        said = event.get("message") if event.get("subtype") == "message_changed" else event
        text, user = (said.get("text"), said.get("user")) if isinstance(said, dict) else (None, None)
        text = text if isinstance(text, str) else ""
        named = mentioned(text)
        people = (*named, *([user] if isinstance(user, str) else []))
        asked = event.get("channel_type") == "im" or me.user in named
        await self.people.learn(me.workspace, people, channels(text), wait=asked)

    async def _moved(self, move: wire.InChannel, me: Self, *, joined: bool) -> None:
        self.rooms.drop(me.workspace, move.channel)
        if move.user:
            self.rooms.drop_person(me.workspace, move.user)
        if joined and move.user == me.user:     # what was said before we came is knowledge, too
            await self.missed(me, move.channel, None)

    async def _uninstalled(self, event: Body, me: Self) -> None:
        tokens = event.get("tokens")
        if event["type"] == "tokens_revoked" and not (isinstance(tokens, dict) and tokens.get("bot")):
            return                              # a person's token; we have none of those
        log.warning("the app was taken out of a workspace", workspace=str(me.workspace))
        await self.homes.gone(me.workspace)

    def _interaction(self, event: Body, me: Self) -> str:
        """What is no message and still wants an answer. Raises `BadEvent` for whatever we do not know."""
        match event.get("type"):
            case "app_home_opened":
                home = wire.read(wire.HomeOpened, event)
                job = self.interactions.home_opened(me.workspace, home.user, home.tab, home.channel)
                self.spawn("home_opened", job)
            case "assistant_thread_started":
                thread = wire.read(wire.ThreadStarted, event).assistant_thread
                self.spawn("thread_started", self.interactions.thread_started(
                    me.workspace, thread.user_id, thread.channel_id, thread.thread_ts,
                ))
            case "assistant_thread_context_changed":
                return "ignored"
            case "reaction_added" | "reaction_removed":
                found = wire.read(wire.Reaction, event)
                if found.item_user != me.user or not found.item.channel or not found.item.ts or found.user == me.user:
                    return "ignored"
                self.spawn("reacted", self.interactions.reacted(
                    me.workspace, found.user, found.item.channel, found.item.ts, found.reaction,
                    added=event["type"] == "reaction_added",
                ))
            case _:
                raise BadEvent("event of an unknown type")
        return "noted"

    async def held_back(self, body: Body) -> None:
        """``app_rate_limited``: Slack has dropped events of a minute (S5)."""
        team, minute = body.get("team_id"), body.get("minute_rate_limited")
        me = await self.homes.me(Workspace(team)) if isinstance(team, str) else None
        if me is None or not isinstance(minute, int):
            raise BadEvent("app_rate_limited without a workspace of ours or a minute")
        log.warning("Slack holds events back: more than 30,000 an hour", workspace=str(me.workspace))
        self.counts.heard("app_rate_limited", "noted")
        await self.missed(me, None, datetime.fromtimestamp(minute, UTC))

    # -- what somebody waits for -------------------------------------------------------------------------------

    async def command(self, body: Body, ack: AsyncAck) -> None:
        """``/bartizan ...``: three seconds, and it never comes again."""
        raw = wire.encode(body)
        try:
            command = wire.read(wire.Command, body)
            me = await self._me_of(body)
            await self.people.learn(me.workspace, (command.user_id,))
            asked = commands.read(command, me, self.people.within(me.workspace), at=datetime.now(UTC), raw=raw)
            match asked:
                case commands.Leave():
                    await self.engagement.leave_channel(str(me.workspace), command.channel_id)
                    await ack(commands.LEFT)
                case commands.Privacy():
                    self.spawn("privacy", self.interactions.privacy(me.workspace, body))
                    await ack()
                case commands.Help(words):
                    await ack(words)
                case commands.Ask(said):
                    await ack() if await self._asked(said) else await ack(commands.TROUBLE)
            self.counts.heard("command", type(asked).__name__.lower())
        except BadEvent as error:
            await self.reject(raw, error, "command")
            await ack(error.reply)
        except BotError as error:
            log.warning("command failed", cause=str(error))
            self.counts.heard("command", "failed")
            await ack(error.reply)

    async def shortcut(self, body: Body, ack: AsyncAck) -> None:
        """A shortcut on a message, or the global one."""
        await ack()
        await self._attended("shortcut", body, self._chosen)

    async def _chosen(self, workspace: Workspace, body: Body) -> None:
        if body.get("type") == "message_action" and body.get("callback_id") == commands.SUMMARISE:
            me = await self._me_of(body)
            action = wire.read(wire.MessageAction, body)
            await self.people.learn(workspace, (action.user.id,))
            names = self.people.within(workspace)
            said = commands.summary_of(action, me, names, at=datetime.now(UTC), raw=wire.encode(body))
            if not await self._asked(said):
                raise StoreUnavailable("a shortcut is not on disk in time")
        elif body.get("callback_id") in (commands.ASK_ABOUT, commands.ASK):
            self.spawn("opened", self.interactions.opened(workspace, body))
        else:
            raise BadEvent("shortcut of an unknown callback_id")

    async def pressed(self, body: Body, ack: AsyncAck) -> None:
        """A button."""
        await ack()
        await self._attended("block_actions", body, self._handed_on("block_actions", self.interactions.pressed))

    async def submitted(self, body: Body, ack: AsyncAck) -> None:
        """A modal; it closes."""
        await ack()
        await self._attended("view_submission", body, self._handed_on("view_submission", self.interactions.submitted))

    def _handed_on(self, kind: str, handle: Handle) -> Handle:
        async def hand_on(workspace: Workspace, body: Body) -> None:
            self.spawn(kind, handle(workspace, body))

        return hand_on

    async def _attended(self, kind: str, body: Body, handle: Handle) -> None:
        """What Slack never sends again (S4): when it comes to nothing, whoever waits is told so."""
        try:
            try:
                await handle((await self._me_of(body)).workspace, body)
                self.counts.heard(kind, "noted")
            except BadEvent as error:
                await self.reject(wire.encode(body), error, kind)
        except BotError as error:
            log.warning("interaction failed", kind=kind, cause=str(error))
            self.counts.heard(kind, "failed")
            self.spawn("trouble", self._say_trouble(body))

    async def _say_trouble(self, body: Body) -> None:
        """To that person alone. Nothing is noted of it: it may be the store that is away."""
        calls, workspace, text = self.people.calls, str(_workspace_of(body)), commands.NOT_DONE
        if url := body.get("response_url"):
            told = {"response_type": "ephemeral", "replace_original": False, "text": text}
            await calls.respond(str(url), told, _free)
            return
        user, channel = _id_in(body, "user"), _id_in(body, "channel")
        if not channel:
            opened = await calls.call("conversations.open", workspace, {"users": user})
            channel = _id_in(opened, "channel")
        await calls.call("chat.postEphemeral", workspace, {"channel": channel, "user": user, "text": text})

    async def _asked(self, said: Said) -> bool:
        """Whether it is on disk in time for the one who waits."""
        try:
            async with asyncio.timeout(STORED):
                await self.inbox.receive(said)
        except (StoreUnavailable, TimeoutError) as error:
            log.warning("question not stored", cause=type(error).__name__)
            return False
        return True

    async def _me_of(self, body: Body) -> Self:
        """Who we are where somebody pressed, typed or chose. Raises `BadEvent`."""
        me = await self.homes.me(_workspace_of(body))
        if me is None:
            raise BadEvent("from a workspace that the app is not installed in")
        return me


def _id_in(body: Body, name: str) -> str:
    inner = body.get(name)
    return str(inner.get("id") or "") if isinstance(inner, dict) else ""


def _free() -> None:
    """No turn stands behind it."""


def _workspace_of(body: Body) -> Workspace:
    """A command says it in its form, an interaction inside ``team``, ``enterprise`` or ``user`` (org-wide: no team)."""
    def part(name: str, key: str) -> str:
        inner = body.get(name)
        found = inner.get(key) if isinstance(inner, dict) else None
        return found if isinstance(found, str) else ""

    def own(key: str) -> str:
        found = body.get(key)
        return found if isinstance(found, str) else ""

    team = own("team_id") or part("team", "id") or part("view", "app_installed_team_id") or part("user", "team_id")
    return Workspace(team, own("enterprise_id") or part("enterprise", "id") or part("team", "enterprise_id"))


@dataclass(frozen=True, slots=True)
class Reception:
    """What comes over a socket or through the door, to the app and to an answer."""

    app: AsyncApp
    ears: Ears

    async def __call__(self, body: str | dict[str, Any], headers: Mapping[str, Any], mode: str) -> BoltResponse:
        """Status 200: it is taken, or will never be; 503: it must come again."""
        try:
            try:
                request = request_of(body, headers, mode)
                if request.body.get("type") == "app_rate_limited":
                    await self.ears.held_back(request.body)
                    return BoltResponse(status=HTTPStatus.OK)
                return await self._dispatched(request)
            except BadEvent as error:
                await self.ears.reject(body.encode() if isinstance(body, str) else wire.encode(body), error, "other")
                return BoltResponse(status=HTTPStatus.OK)
        except StoreUnavailable as error:
            log.warning("event not stored, Slack will repeat it", cause=str(error))
            return BoltResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)

    async def _dispatched(self, request: AsyncBoltRequest) -> BoltResponse:
        if request.body.get("type") == "view_closed":
            return BoltResponse(status=HTTPStatus.OK)
        response = await self.app.async_dispatch(request)
        if response.status == HTTPStatus.NOT_FOUND:
            raise BadEvent("nothing that the app listens to")
        return response


def request_of(body: str | dict[str, Any], headers: Mapping[str, Any], mode: str) -> AsyncBoltRequest:
    """The library's view of it. Raises `BadEvent` for what the library would stumble over."""
    try:
        request = AsyncBoltRequest(body=body, headers=dict(headers), mode=mode)
    except (ValueError, RecursionError) as error:
        raise BadEvent("neither JSON nor a form") from error
    except (AttributeError, KeyError, TypeError, IndexError) as error:      # it reads before it looks
        raise BadEvent("not of a shape that Slack sends") from error
    if not isinstance(request.body, dict):
        raise BadEvent("not an object")
    kind, fits = request.body.get("type"), True
    match kind:
        case "event_callback":
            event = request.body.get("event")
            fits = isinstance(event, dict) and isinstance(event.get("type"), str)
        case "block_actions":
            actions = request.body.get("actions")
            fits = isinstance(actions, list) and bool(actions) and all(
                isinstance(action, dict) and isinstance(action.get("action_id"), str) for action in actions
            )
        case "message_action" | "shortcut":
            fits = isinstance(request.body.get("callback_id"), str)
        case "view_submission":
            view = request.body.get("view")
            fits = isinstance(view, dict) and isinstance(view.get("callback_id"), str)
        case None:
            fits = isinstance(request.body.get("command", ""), str)
    if not fits:
        raise BadEvent(f"{kind} without its contents")
    return request


def bolt_app(ears: Ears, base_url: str) -> AsyncApp:
    """The app that sorts what comes. Signatures are checked before, at the door (`adapters/slack/http.py`)."""
    quiet = logging.getLogger("adapters.slack.bolt")
    quiet.setLevel(logging.CRITICAL)        # it would print whole events; what matters is logged here

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        me = await ears.homes.me(Workspace(team_id or "", enterprise_id or ""))
        if me is None:
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token="-")    # noqa: S106
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_user_id=me.user, bot_id=me.bot,
            bot_token=await ears.homes.token(str(me.workspace)),
        )

    app = AsyncApp(
        logger=quiet, name="bartizan", client=AsyncWebClient(token="", base_url=base_url, retry_handlers=[]),
        authorize=authorize, process_before_response=True, request_verification_enabled=False,
        ignoring_self_events_enabled=False,         # it would hide that an answer of ours was deleted (S9)
        attaching_conversation_kwargs_enabled=False,
    )

    async def event(body: dict[str, Any]) -> None:
        await ears.event(body)

    async def failed(error: Exception) -> BoltResponse:
        """The store is away: not acknowledged. Anything else is a fault of ours, and logged as one."""
        if not isinstance(error, StoreUnavailable):
            log.error("event not taken", exc_info=error)
        else:
            log.warning("event not stored, Slack will repeat it", cause=str(error))
        return BoltResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)

    anything = re.compile(r"")
    app.event(anything)(event)
    app.command(anything)(ears.command)
    app.shortcut(anything)(ears.shortcut)
    app.action(anything)(ears.pressed)
    app.view(anything)(ears.submitted)
    app.error(failed)
    return app
