"""What people do in Slack, in the words of a story: they say, edit, press, and look at what stands there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.fake_slack.delivery import Delivery
from tests.fake_slack.slack import Office
from tests.fake_slack.world import (
    Channel,
    Ephemeral,
    Json,
    Person,
    Post,
    Stream,
    View,
    Workspace,
    button_label,
    escape,
    interactive,
    unescape,
)

LINK: Final = re.compile(r"https?://[^\s&]+")
NAME: Final = re.compile(r"([@#])([a-z0-9_-]+)")
KINDS: Final = {"txt": "text/plain", "md": "text/plain", "pdf": "application/pdf", "csv": "text/csv",
                "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "html": "text/html", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript. ``state``: what else a person sees of it."""

    who: str
    text: str
    state: str = ""             # "", "live", "stopped", "broken", "edited", "status", "only <name>"
    reply: bool = False         # in a thread
    ts: str = ""

    def __str__(self) -> str:
        return f"{'  ' if self.reply else ''}{self.who}: {self.text}{f' ({self.state})' if self.state else ''}"


class FakeSlack(Office):
    """A whole Slack. People and channels are named as people name them; ``team`` defaults to the first workspace."""

    # Who and where.

    def workspace(self, team: str = "") -> Workspace:
        """By its id."""
        return self.workspaces[team] if team else next(iter(self.workspaces.values()))

    def install(
        self, team: str, domain: str, *, enterprise: str = "", scopes: Iterable[str] | None = None,
    ) -> Workspace:
        """A further workspace that has the app."""
        bot = Person(f"U{team}BOT", "bartizan", team, "Bartizan", bot=True, app_id=self.app_id)
        workspace = Workspace(team, domain, bot, f"B{team}BOT", f"xoxb-fake-{team}", enterprise)
        if scopes is not None:
            workspace.scopes = frozenset(scopes)
        slackbot = Person("USLACKBOT", "slackbot", team, "Slackbot")
        workspace.people |= {bot.id: bot, slackbot.id: slackbot}
        self.workspaces[team] = workspace
        return workspace

    def joins_team(self, name: str, *, team: str = "", home: str = "", guest: bool = False, **more: Any) -> Person:
        """Somebody new in a workspace. ``home``: the organisation of a stranger (Slack Connect)."""
        w = self.workspace(team)
        letter = "W" if w.enterprise and not home else "U"
        id = letter + re.sub(r"[^A-Z0-9]", "", name.upper())
        person = Person(id, name, home or w.id, name.title(), guest=guest, email=f"{name}@{w.domain}.example", **more)
        w.people[id] = person
        return person

    def opens_channel(self, name: str, *members: str, team: str = "", kind: str = "channel", connect: bool = False,
                      bot: bool = True) -> Channel:
        """A new channel with these people, and the bot unless it is left out."""
        w = self.workspace(team)
        prefix = "G" if kind == "mpim" else "C"
        at_work = bool(self.delivery.request_url or self.delivery.sockets)
        ids = [self.person(member, team).id for member in members]
        first = [w.bot.id] if bot else []
        channel = Channel(prefix + re.sub(r"[^A-Z0-9]", "", name.upper()), name, w.id, kind,
                          first if at_work else [*ids, *first], connect=connect)
        w.channels[channel.id] = channel
        if at_work:     # somebody has opened it with the bot, and then the others came
            for user in (w.bot.id, *members) if bot else members:
                self._comes("member_joined_channel", user, channel.id, team)
        return channel

    def person(self, name: str, team: str = "") -> Person:
        """By name or id; ``bot`` is the bot."""
        w = self.workspace(team)
        if name == "bot":
            return w.bot
        return next(p for p in w.people.values() if name in (p.name, p.id))

    def channel(self, name: str, team: str = "", user: str = "") -> Channel:
        """By name or id; ``dm`` is the direct conversation of ``user`` with the bot."""
        w = self.workspace(team)
        if name == "dm":
            return self.direct(w, self.person(user, team).id)
        return next(c for c in w.channels.values() if name.removeprefix("#") in (c.name, c.id))

    # What people do.

    def says(self, user: str, channel: str, text: str, thread: Post | str | None = None, *, team: str = "",
             files: Iterable[Json] = (), broadcast: bool = False) -> Post:
        """Somebody writes; ``@bartizan``, ``@bob`` and ``#general`` become what Slack makes of them."""
        w, person, where = self.workspace(team), self.person(user, team), self.channel(channel, team, user)
        ts = thread.thread_ts or thread.ts if isinstance(thread, Post) else thread
        listed = list(files)
        subtype = "file_share" if listed else "thread_broadcast" if broadcast else ""
        post = Post(self.stamps.next(), where.id, person.id, self.written(w, text), ts, subtype=subtype, files=listed,
                    broadcast=broadcast)
        mention: Json | None = None
        if f"<@{w.bot.id}>" in post.text and where.kind != "im":
            mention = {"type": "app_mention", "user": person.id, "text": post.text, "ts": post.ts, "team": person.team,
                       "channel": where.id, "event_ts": post.ts, "blocks": [], "client_msg_id": "x",
                       **({"thread_ts": ts} if ts else {}), **({"files": listed} if listed else {})}
        first = mention is not None and self.delivery.chance.random() < 0.5
        if mention and first:
            self.emit(w, mention, where)
        self.posted(w, where, post)
        if mention and not first:
            self.emit(w, mention, where)
        return post

    def edits(self, post: Post, text: str, *, team: str = "") -> None:
        """The author changes their message."""
        w = self.workspace(team)
        channel = w.channels[post.channel]
        before = self.shown(w, post)
        post.text, post.edited, post.edited_at = self.written(w, text), True, self.stamps.next()
        post.note()
        self.changed(w, channel, post, before)

    def previews(self, post: Post, link: str = "https://example.com/", *, team: str = "") -> None:
        """Slack puts a preview under a message; its text stays."""
        w = self.workspace(team)
        self.unfurl(w, w.channels[post.channel], post, link)

    def deletes(self, post: Post, *, team: str = "") -> None:
        """The author, or an admin, removes a message."""
        w = self.workspace(team)
        self.removed(w, w.channels[post.channel], post)

    def stops(self, post: Post) -> None:
        """The reader stops a stream."""
        assert post.stream is Stream.LIVE
        post.text, post.stream = post.streamed, Stream.STOPPED

    def uploads(
        self, user: str, channel: str, name: str, data: bytes, text: str = "", *,
        thread: Post | str | None = None, team: str = "",
    ) -> Post:
        """Somebody shares a file, with a word about it."""
        w = self.workspace(team)
        id, kind = f"F{self.number():08d}", name.rpartition(".")[2].lower()
        link = f"{self.url}/files-pri/{w.id}-{id}/{name}"
        told: Json = {
            "id": id, "created": 1, "timestamp": 1, "name": name, "title": name, "filetype": kind, "mode": "hosted",
            "mimetype": KINDS.get(kind, "application/octet-stream"), "pretty_type": kind.upper(), "size": len(data),
            "user": self.person(user, team).id, "is_external": False, "is_public": False, "editable": False,
            "url_private": link, "url_private_download": link, "file_access": "visible",
            "permalink": f"https://{w.domain}.slack.com/files/{id}",
        }
        w.files[id] = told, data
        return self.says(user, channel, text, thread, team=team, files=[told])

    def reacts(self, user: str, post: Post, name: str, *, team: str = "", added: bool = True) -> None:
        """An emoji under a message."""
        w, person = self.workspace(team), self.person(user, team)
        kind = "reaction_added" if added else "reaction_removed"
        self.emit(w, {"type": kind, "user": person.id, "reaction": name, "item_user": post.user,
                      "item": {"type": "message", "channel": post.channel, "ts": post.ts},
                      "event_ts": self.stamps.next()}, w.channels[post.channel])

    async def presses(self, user: str, where: Post | Ephemeral | View, button: str, *, team: str = "") -> Delivery:
        """Somebody presses what says, or is called, ``button``; returns once the app has acknowledged."""
        w, person = self.workspace(team), self.person(user, team)
        blocks = where.given["blocks"] if isinstance(where, View) else where.blocks
        element, block, pressed = find_button(blocks, button)
        action = {"action_id": element["action_id"], "block_id": block.get("block_id", "b0"), "type": element["type"],
                  "action_ts": self.stamps.next(), **pressed}
        body = self.interaction(w, person, type="block_actions", actions=[action])
        if isinstance(where, View):
            body |= {"container": {"type": "view", "view_id": where.id}, "view": {
                "id": where.id, "hash": where.hash, "state": {"values": {}}, **where.given}}
        else:
            channel = w.channels[where.channel]
            hidden = isinstance(where, Ephemeral)
            body |= {
                "container": {"type": "message", "message_ts": where.ts, "channel_id": channel.id,
                              "is_ephemeral": hidden, **({"thread_ts": where.thread_ts} if where.thread_ts else {})},
                "channel": {"id": channel.id, "name": "directmessage" if channel.kind == "im" else channel.name},
                "state": {"values": {}}, "response_url": self.response_url(w, channel.id, person.id, where),
            }
            if isinstance(where, Post):
                body["message"] = self.shown(w, where)
        return await self._acked(self.delivery.deliver("interactive", body), person, where)

    async def submits(
        self, user: str, view: View, values: Mapping[str, str] | None = None, *, team: str = "",
    ) -> Delivery:
        """Somebody fills in a modal and sends it; ``values`` by action id."""
        w, person = self.workspace(team), self.person(user, team)
        state: dict[str, Json] = {}
        for number, block in enumerate(view.given["blocks"]):
            if block["type"] == "input":
                element = block["element"]
                given = (values or {}).get(element["action_id"])
                state.setdefault(block.get("block_id", f"b{number}"), {})[element["action_id"]] = {
                    "type": element["type"], "value": given}
        told = {"id": view.id, "team_id": w.id, "hash": view.hash, "state": {"values": state}, "callback_id": "",
                "private_metadata": "", "app_id": self.app_id, "bot_id": w.bot_id, **view.given}
        body = self.interaction(w, person, type="view_submission", view=told, response_urls=[])
        delivery = await self._acked(self.delivery.deliver("interactive", body), person, None)
        if not isinstance(delivery.answer, Mapping) or delivery.answer.get("response_action") in (None, "clear"):
            view.open = delivery.acked is None
        return delivery

    async def command(self, user: str, channel: str, command: str, *, team: str = "") -> Delivery:
        """``/bartizan ask why?``; what the acknowledgement says is shown at once."""
        w, person, where = self.workspace(team), self.person(user, team), self.channel(channel, team, user)
        name, _, text = command.partition(" ")
        text = self.written(w, text)        # the manifest says ``should_escape``
        label = {"im": "directmessage", "group": "privategroup"}.get(where.kind, where.name)
        body = {
            "token": "deprecated", "team_id": w.id, "team_domain": w.domain, "channel_id": where.id,
            "channel_name": label, "user_id": person.id, "user_name": person.name, "command": name, "text": text,
            "api_app_id": self.app_id, "is_enterprise_install": "false", "trigger_id": self.trigger(person.id),
            "response_url": self.response_url(w, where.id, person.id, None),
            **({"enterprise_id": w.enterprise, "enterprise_name": "Grid"} if w.enterprise else {}),
        }
        delivery = await self._acked(self.delivery.deliver("slash_commands", body), person, where)
        if delivery.answer:
            said = delivery.answer if isinstance(delivery.answer, Mapping) else {"text": delivery.answer}
            w.ephemerals.append(Ephemeral(self.stamps.next(), where.id, person.id, str(said.get("text", "")),
                                          list(said.get("blocks", [])), by=w.bot.id))
        return delivery

    async def shortcut(self, user: str, callback: str, post: Post | None = None, *, team: str = "") -> Delivery:
        """One of the app's shortcuts: of a message, or, without one, the global kind."""
        w, person = self.workspace(team), self.person(user, team)
        body = self.interaction(w, person, type="message_action" if post else "shortcut", callback_id=callback,
                                action_ts=self.stamps.next())
        if post:
            channel = w.channels[post.channel]
            body |= {"channel": {"id": channel.id, "name": channel.name or "directmessage"}, "message_ts": post.ts,
                     "message": self.shown(w, post),
                     "response_url": self.response_url(w, channel.id, person.id, post)}
        return await self._acked(self.delivery.deliver("interactive", body), person, post)

    def opens(self, user: str, tab: str = "home", *, team: str = "") -> None:
        """Somebody opens a tab of the app: home or messages."""
        w, person = self.workspace(team), self.person(user, team)
        home = w.homes.get(person.id)
        self.emit(w, {"type": "app_home_opened", "user": person.id, "channel": self.direct(w, person.id).id,
                      "tab": tab, "event_ts": self.stamps.next(),
                      **({"view": {"id": home.id, "hash": home.hash, **home.given}} if home and tab == "home" else {})})

    def starts_assistant(self, user: str, *, team: str = "") -> str:
        """The older assistant view begins a conversation; returns its thread."""
        w, person = self.workspace(team), self.person(user, team)
        channel, ts = self.direct(w, person.id), self.stamps.next()
        self.assistant_threads.add((channel.id, ts))
        self.emit(w, {"type": "assistant_thread_started", "event_ts": ts, "assistant_thread": {
            "user_id": person.id, "channel_id": channel.id, "thread_ts": ts,
            "context": {"channel_id": None, "team_id": w.id, "enterprise_id": w.enterprise or None}}})
        return ts

    def joins(self, user: str, channel: str, *, team: str = "") -> None:
        """Somebody enters a channel."""
        self._comes("member_joined_channel", user, channel, team)

    def leaves(self, user: str, channel: str, *, team: str = "") -> None:
        """Somebody leaves a channel, or is put out of it."""
        self._comes("member_left_channel", user, channel, team)

    def archives(self, channel: str, *, team: str = "") -> None:
        """A channel is closed for good."""
        w, where = self.workspace(team), self.channel(channel, team)
        where.archived = True
        self.emit(w, {"type": "channel_archive", "channel": where.id, "user": "UINSTALLER",
                      "event_ts": self.stamps.next()}, where)

    def uninstalls(self, *, team: str = "") -> None:
        """An admin removes the app."""
        w = self.workspace(team)
        w.installed, w.revoked = False, True
        self.emit(w, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [w.bot.id]},
                      "event_ts": self.stamps.next()})
        self.emit(w, {"type": "app_uninstalled", "event_ts": self.stamps.next()})

    def sends(self, event: Json, *, team: str = "", **around: Any) -> Delivery:
        """Any event at all, however odd; ``around`` changes what is put around it."""
        return self.delivery.deliver("events_api", self.envelope(self.workspace(team), event) | around)

    # What people see.

    def transcript(self, channel: str, *, team: str = "", user: str = "") -> list[Line]:
        """All that stands in a channel, oldest first; then what stands under it."""
        w, where = self.workspace(team), self.channel(channel, team, user)
        lines = []
        for post in sorted(where.posts.values(), key=lambda p: (p.thread_ts or p.ts, p.ts)):
            self.age(post)
            state = "" if post.stream in (None, Stream.DONE) else str(post.stream)
            lines.append(Line(self._named(w, post.user), post.seen, state or ("edited" if post.edited else ""),
                              post.thread_ts not in (None, post.ts), post.ts))
        for hidden in w.ephemerals:
            if hidden.channel == where.id and not hidden.removed:
                lines.append(Line(self._named(w, hidden.by), hidden.seen, f"only {self._named(w, hidden.user)}",
                                  bool(hidden.thread_ts), hidden.ts))
        for id, thread in w.statuses:
            if id == where.id and (text := self.status(w, id, thread)):
                lines.append(Line(w.bot.name, text, "status", reply=True))
        return lines

    def answers(self, channel: str, thread: Post | str | None = None, *, team: str = "", user: str = "") -> list[Post]:
        """The bot's messages in a channel, or in one thread of it."""
        w, where = self.workspace(team), self.channel(channel, team, user)
        ts = thread.thread_ts or thread.ts if isinstance(thread, Post) else thread
        posts = [p for p in where.posts.values() if p.bot_id == w.bot_id and ts in (None, p.thread_ts)]
        for post in posts:
            self.age(post)
        return posts

    def hidden(self, user: str, *, team: str = "") -> list[Ephemeral]:
        """What only this person sees."""
        w, id = self.workspace(team), self.person(user, team).id
        return [e for e in w.ephemerals if e.user == id and not e.removed]

    def modal(self, user: str, *, team: str = "") -> View | None:
        """The modal in front of somebody."""
        w, id = self.workspace(team), self.person(user, team).id
        return next((v for v in reversed(w.modals.values()) if v.user == id and v.open), None)

    def home(self, user: str, *, team: str = "") -> View | None:
        """Somebody's App Home."""
        return self.workspace(team).homes.get(self.person(user, team).id)

    async def until(self, true: Callable[[], Any], seconds: float = 20.0) -> None:
        """Waits for something to be so; tells all there is when it does not come."""
        try:
            async with asyncio.timeout(seconds * self.patience):
                while not true():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"it did not come to that; there is:\n{self.dump()}") from None

    async def settled(self, quiet: float = 0.3, seconds: float = 20.0) -> None:
        """Waits until nothing is under way: deliveries over, no stream, no status, and no call for a while."""
        def calm() -> bool:
            channels = [c for w in self.workspaces.values() for c in w.channels.values() if not c.archived]
            posts = [p for c in channels for p in c.posts.values()]
            for post in posts:
                self.age(post)
            going = [f"{d.name} is being told" for d in self.delivery.log if not d.over.is_set()]
            going += [f"{p.ts} streams" for p in posts if p.stream is Stream.LIVE]
            going += [f"status {key}" for w in self.workspaces.values() for key in w.statuses if self.status(w, *key)]
            going += [f"{c.method} is being called" for c in self.calls if c.done is None]
            if self.calls and asyncio.get_running_loop().time() - self.calls[-1].at < quiet:
                going.append("the last call was just now")
            under_way[:] = going
            return not going

        under_way: list[str] = []
        try:
            await self.until(calm, seconds)
        except AssertionError as error:
            raise AssertionError(f"still under way: {under_way}; {error}") from None

    def called(self, method: str) -> list[Json]:
        """The arguments of every call of a method that went well."""
        return [call.args for call in self.calls if call.method == method and not call.error]

    def refused(self) -> list[tuple[str, str]]:
        """Every call that did not go well: method and error."""
        return [(call.method, call.error) for call in self.calls if call.error]

    # How it is done.

    def written(self, workspace: Workspace, text: str) -> str:
        """As Slack hands on what somebody typed."""
        people = {p.name: p.id for p in workspace.people.values()}
        channels = {c.name: c.id for c in workspace.channels.values() if c.name}

        def named(found: re.Match[str]) -> str:
            sign, name = found[1], found[2]
            if sign == "@" and name in people:
                return f"<@{people[name]}>"
            if sign == "@" and name in ("channel", "here", "everyone"):
                return f"<!{name}>"
            return f"<#{channels[name]}|{name}>" if sign == "#" and name in channels else found[0]

        return NAME.sub(named, LINK.sub(lambda found: f"<{found[0]}>", escape(text)))

    def _comes(self, kind: str, user: str, channel: str, team: str) -> None:
        w, person, where = self.workspace(team), self.person(user, team), self.channel(channel, team)
        if kind == "member_joined_channel" and person.id not in where.members:
            where.members.append(person.id)
        event = {"type": kind, "user": person.id, "channel": where.id, "team": w.id, "event_ts": self.stamps.next(),
                 "channel_type": {"channel": "C", "group": "G"}.get(where.kind, "D")}
        if kind == "member_joined_channel":
            self.emit(w, event, where)
        elif person is w.bot:
            where.members.remove(person.id)
            self.emit(w, {"type": "group_left" if where.kind == "group" else "channel_left", "channel": where.id,
                          "actor_id": "UINSTALLER", "event_ts": self.stamps.next()}, where)
        else:
            self.emit(w, event, where)
            where.members.remove(person.id)

    async def _acked(self, delivery: Delivery, person: Person, where: Any) -> Delivery:
        """What is not acknowledged in time is not sent again: the person reads that it failed."""
        await delivery.over.wait()
        if delivery.acked is None:
            channel = where.id if isinstance(where, Channel) else getattr(where, "channel", "")
            w = next(w for w in self.workspaces.values() if person.id in w.people)
            w.ephemerals.append(Ephemeral(self.stamps.next(), channel, person.id, "operation_timeout"))
        return delivery

    @staticmethod
    def _named(workspace: Workspace, id: str) -> str:
        return workspace.people[id].name if id in workspace.people else "slack"


def find_button(blocks: list[Json], name: str) -> tuple[Json, Json, Json]:
    """The element, its block, and what pressing it adds to the action."""
    labels = []
    for element, block in interactive(blocks):
        if element["type"] == "feedback_buttons":
            for side in ("positive_button", "negative_button"):
                label = unescape(element[side]["text"]["text"])
                labels.append(label)
                if name in (label, side.removesuffix("_button"), element["action_id"]):
                    return element, block, {"text": element[side]["text"], "value": element[side]["value"]}
            continue
        labels.append(button_label(element) or element["action_id"])
        if name in (labels[-1], element["action_id"]):
            more: Json = {key: element[key] for key in ("text", "value") if key in element}
            return element, block, more
    raise AssertionError(f"there is no button {name!r}; there are {labels}")
