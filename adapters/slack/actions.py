"""What people do besides writing: buttons, dialogs, the Home tab, reactions.

Slack has its acknowledgement by now, and will not tell us again. A button carries an opaque id; what that stands for,
and whom it was made for, lies in the store.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import structlog

from adapters.slack import commands, home, modals, render
from adapters.slack.budget import Rank
from adapters.slack.calls import Calls, Closed, Gone
from adapters.slack.ids import NAME, Workspace
from adapters.slack.manifest import PROMPTS
from adapters.slack.normalise import Self, person_in, private
from adapters.slack.outbox import Content, Posts
from adapters.slack.plain import Names, plain
from adapters.slack.share import CLOCKS, Sharing
from engine.afterwards import Afterwards
from engine.errors import BadEvent, BotError, PlatformUnavailable
from engine.harmless import harmless
from engine.messages import EventKey, Kind, Labels, MessageId, PersonId, Place, Said, TraceId, Visibility
from engine.ports import Inbox
from engine.spoken import Appeals, How, Outbox, PersonalData, Purpose, Stop, Ticket, Tickets, Told, Turns

log = structlog.get_logger()

NOT_YOURS: Final = "Only the person who asked can do that."
TOO_OLD: Final = "This button is too old to work. Please ask again."
OVER: Final = "This answer is finished already."
THANKS: Final = "Thank you for telling me."
NOTED: Final = "Thank you. Whoever looks after my rules will look at it."
NO_SOURCES: Final = "This answer has no sources that you may read."
ABOUT: Final = "It is about this message:"
PRIVACY: Final = "What you write to me is stored encrypted, with a key that is yours alone."
FORGOTTEN: Final = "Done: nobody can read what you wrote to me any more."
PROMPTS_TITLE: Final = "What can I find for you?"
GOOD: Final = frozenset({"+1", "thumbsup", "heart", "white_check_mark", "tada"})
BAD: Final = frozenset({"-1", "thumbsdown", "x"})
RECENT: Final = 10
ABOUT_CHARS: Final = 1_200      # quotes and line ends count twice, and a dialog takes 3,000 with it
ADDRESS: Final = 400            # characters of a response address that a dialog carries


class Ourselves(Protocol):
    """Who we are, by workspace; None where we are not installed."""

    async def me(self, workspace: Workspace) -> Self | None: ...


@dataclass(frozen=True, slots=True)
class Around:
    """What people are told about this installation."""

    prompts: Sequence[tuple[str, str]] = PROMPTS
    readable: Callable[[], Awaitable[Sequence[tuple[str, Labels]]]] | None = None
    """The sources' names, and who may read something of each."""
    settings: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Pressed:
    """One press of one button."""

    workspace: Workspace
    body: Mapping[str, Any]
    person: PersonId
    user: str
    action: str
    value: str
    at: str                     # Slack's name of the press


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Implements `Interactions`."""

    calls: Calls
    outbox: Outbox
    tickets: Tickets
    turns: Turns
    ourselves: Ourselves
    names: Callable[[Workspace], Names]
    inbox: Inbox
    stop: Stop
    appeals: Appeals
    personal: PersonalData
    afterwards: Afterwards
    link: Callable[[Place, MessageId], Awaitable[str]]      # where a message opens; "" where that is not known
    around: Around = Around()

    async def pressed(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """A button; who may not press it is told so."""
        for press in presses(workspace, body):
            try:
                await self._press(press)
            except BotError as error:
                log.info("a button did not do it", action=press.action, cause=str(error))
                await self._say(press, error.reply)

    async def _press(self, press: Pressed) -> None:
        id, sign = (press.value[:-1], press.value[-1:]) if press.action == render.FEEDBACK else (press.value, "")
        ticket = await self.tickets.redeem(id)
        if ticket is None or ticket.purpose is not _PURPOSES.get(press.action):
            await self._say(press, TOO_OLD)
            return
        if press.action in _OWN and ticket.person != press.person:
            await self._say(press, NOT_YOURS)
            return
        match press.action:
            case home.EXPORT:
                everything = await asyncio.to_thread(_exported, await self.personal.export(press.person))
                await self._open(press.workspace, press.body, everything)
            case home.FORGET:
                await self._open(press.workspace, press.body, modals.forget_modal(press.value))
            case render.STOP if ticket.trace is not None:
                if not await self.stop(ticket.trace):
                    await self._say(press, OVER)
            case _ if ticket.trace is not None and (told := await self.turns.told(ticket.trace)) is not None:
                await self._about(press, told, sign)
            case _:
                await self._say(press, TOO_OLD)

    async def _about(self, press: Pressed, told: Told, sign: str) -> None:
        """A button under an answer."""
        match press.action:
            case render.FEEDBACK:
                await self.turns.rate(told.trace, press.person, good=sign == "+")
                await self._say(press, THANKS)
            case render.SHOW_SOURCES:
                await self._sources(press, told)
            case render.SHARE:
                sharing = Sharing(self.calls, self.outbox, self.tickets, self.ourselves, self.afterwards)
                await self._say(press, await sharing.share(told))
            case render.AGAIN:
                await self.inbox.receive(again(told, press))
            case render.WRONG:
                await self.appeals.appeal(told.trace, press.person)
                await self._say(press, NOTED)

    async def _sources(self, press: Pressed, told: Told) -> None:
        place = replace(told.question.place, person=press.person)
        if told.answer is None or (told.question.place.private and told.question.author != press.person):
            await self._say(press, NO_SOURCES)
            return
        shown = await self.afterwards.sources(told.answer, place)
        if not shown.sources:
            await self._say(press, NO_SOURCES)
            return
        for part in render.passages(shown):
            await self._whisper(press, part)

    async def submitted(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """A dialog: a question, or a forgetting that somebody is sure about."""
        view, user = _part(body, "view"), _text(_part(body, "user"), "id")
        match view.get("callback_id"):
            case modals.ASK:
                try:
                    await self._ask(workspace, view, user)
                except BotError as error:       # the dialog has closed, and the question went with it
                    log.warning("a question from a dialog was not taken", cause=str(error))
                    await self._give_back(workspace, view, user)
            case modals.FORGET_CONFIRMED:
                ticket = await self.tickets.redeem(modals.told(view))
                person = _person(workspace, body)
                if ticket is None or ticket.purpose is not Purpose.MINE or ticket.person != person:
                    return
                try:
                    await self.personal.forget(person)
                    sentence = FORGOTTEN
                except BotError as error:
                    sentence = error.reply
                await self._direct(workspace, user, sentence, f"forgotten:{_mark(_text(view, 'id'))}")
                await self.home_opened(workspace, user, "home", "")
            case _:
                log.info("a dialog without an answer was sent")

    async def opened(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """A shortcut that wants a question: about a message, or about anything."""
        message = _part(body, "message")
        if body.get("type") != "message_action" or not message:
            await self._open(workspace, body, modals.ask_modal())
            return
        said = harmless(await self.afterwards.egress.notice(plain(_text(message, "text"), self.names(workspace))))
        about = {
            "channel": _text(_part(body, "channel"), "id"), "about": said[:ABOUT_CHARS],
            "thread": _text(message, "thread_ts") or _text(message, "ts"),
            # A dialog has none of its own; this one reaches its reader where we are no member, too.
            "url": url if len(url := _text(body, "response_url")) <= ADDRESS else "",
        }
        await self._open(workspace, body, modals.ask_modal(json.dumps(about, ensure_ascii=False), said[:ABOUT_CHARS]))

    async def _ask(self, workspace: Workspace, view: Mapping[str, Any], user: str) -> None:
        question, me = modals.question_of(view), await self.ourselves.me(workspace)
        if not question or me is None:
            return
        try:
            about = json.loads(modals.told(view) or "{}")
        except ValueError as error:
            raise BadEvent("a dialog came back with other data than it was opened with") from error
        mark, at, names = f"view.{_mark(_text(view, 'id'))}", datetime.now(UTC), self.names(workspace)
        if channel := str(about.get("channel") or ""):
            text = f"{question}\n\n{ABOUT}\n\n" + "\n".join(f"> {line}" for line in str(about["about"]).splitlines())
            await self.inbox.receive(private(
                channel, user, text, me, names, mark=mark, at=at, raw=_address(str(about.get("url") or "")),
                thread=str(about.get("thread")) or None,
            ))
            return
        # Asked from nowhere: it is answered in the direct conversation, under the question.
        asked = await render.rendered(await self.afterwards.egress.notice(f"{commands.ASKED} {question}"))
        posts, ts = await self._told(workspace, user, asked[0], f"ask:{_mark(_text(view, 'id'))}")
        said = private(posts.channel, user, question, me, names, mark=ts, at=at, raw=b"", thread=ts)
        message = replace(
            said.message, conversation=workspace.conversation(posts.channel, ts),
            place=replace(said.message.place, private=False, direct=True),
        )
        await self.inbox.receive(replace(said, message=message))

    async def _give_back(self, workspace: Workspace, view: Mapping[str, Any], user: str) -> None:
        """The question, to who asked alone. Nothing is noted of it: it may be the store that is away."""
        words = f"{commands.TROUBLE}\n\n{commands.ASKED} {modals.question_of(view)}"
        opened = await self.calls.call("conversations.open", str(workspace), {"users": user})
        for part in await render.rendered(await self.afterwards.egress.notice(words)):
            await self.calls.call("chat.postEphemeral", str(workspace), {
                "channel": _text(_part(opened, "channel"), "id"), "user": user, "parse": "none", "text": part.text,
                "blocks": part.blocks,
            })

    async def privacy(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        """``/bartizan privacy``: two buttons, for this person alone."""
        person = _person(workspace, body)
        id = await self.tickets.issue(Ticket(Purpose.MINE, person))
        words = render.render(await self.afterwards.egress.notice(PRIVACY))[0]
        buttons = home.privacy_buttons(id, id)
        shown = replace(words, blocks=[*words.blocks, buttons])
        await self._whisper(Pressed(workspace, body, person, _text(body, "user_id"), "", "", ""), shown)

    async def home_opened(self, workspace: Workspace, user: str, tab: str, channel: str) -> None:
        """The Home tab is drawn anew each time; under Messages some questions are suggested (0.1)."""
        if tab == "messages":
            await self._suggest(workspace, channel, None)
            return
        person = workspace.person(user)
        asked = await self.turns.recent(person, RECENT)
        clear = self.afterwards.egress.notice
        questions = [
            home.Question(await clear(each.text), each.at,
                          "" if each.place.private else await self.link(each.place, each.message)) for each in asked
        ]
        id = await self.tickets.issue(Ticket(Purpose.MINE, person))
        readable = await self._readable(person, workspace)
        view = home.home_view(home.Home(questions, self.around.settings, readable, id, id))
        await self.calls.call("views.publish", str(workspace), {"user_id": user, "view": view})

    async def _readable(self, person: PersonId, workspace: Workspace) -> list[str]:
        """What pages may be used to answer this person, by the names of their sources."""
        if self.around.readable is None:
            return []
        alone = Place(NAME, str(workspace), "", person, direct=True, private=True)
        audience = await self.afterwards.membership.audience(alone, Visibility.PRIVATE)
        clear = self.afterwards.egress.notice
        return [await clear(name) for name, labels in await self.around.readable() if audience.may_read(labels)]

    async def thread_started(self, workspace: Workspace, user: str, channel: str, thread: str) -> None:
        """The older assistant view: the same suggestions, in its thread."""
        del user
        await self._suggest(workspace, channel, thread)

    async def reacted(self, workspace: Workspace, user: str, channel: str, ts: str, name: str, *, added: bool) -> None:
        """A thumb under an answer is feedback like a button's."""
        plain_name = name.partition("::")[0]
        if not added or plain_name not in GOOD | BAD:
            return
        if sent := await self.outbox.find(str(workspace), channel, ts):
            trace = TraceId(sent.name.partition(":")[0])
            if await self.turns.told(trace):
                await self.turns.rate(trace, workspace.person(user), good=plain_name in GOOD)

    async def removed(self, workspace: Workspace, channel: str, ts: str) -> None:
        """Somebody removed a message of ours. Its first part is the answer; we ourselves remove further ones alone."""
        sent = await self.outbox.find(str(workspace), channel, ts)
        if sent is None or sent.part != 0 or ":" in sent.name:
            return
        told = await self.turns.told(TraceId(sent.name))
        if told is not None and told.outcome is not None and told.answer is not None:
            log.info("an answer was removed by somebody", trace=sent.name)
            await self.turns.retract(told.trace)

    # -- how it is said ----------------------------------------------------------------------------------------

    async def _say(self, press: Pressed, sentence: str) -> None:
        """To who pressed alone."""
        await self._whisper(press, render.render(await self.afterwards.egress.notice(sentence))[0])

    async def _whisper(self, press: Pressed, content: Content) -> None:
        shown = {"text": content.text, "blocks": content.blocks}
        url = _text(press.body, "response_url")
        if url:
            whisper = {"response_type": "ephemeral", "replace_original": False, **shown}
            try:
                await self.calls.respond(url, whisper, _free)
            except Gone as error:
                log.info("the response address is over", cause=str(error))
            else:
                return
        channel = _text(_part(press.body, "channel"), "id") or _text(press.body, "channel_id")
        if channel:
            await self.calls.call("chat.postEphemeral", str(press.workspace), {
                "channel": channel, "user": press.user, "parse": "none", **shown,
                "thread_ts": _text(_part(press.body, "container"), "thread_ts") or None,
            })
        else:                           # in the Home tab nothing can be whispered
            await self._open(press.workspace, press.body, modals.forgotten_modal(content.text))

    async def _open(self, workspace: Workspace, body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
        """A dialog, within the three seconds that its trigger lasts."""
        trigger = {"trigger_id": _text(body, "trigger_id"), "view": view}
        await self.calls.call("views.open", str(workspace), trigger, once=True)

    async def _direct(self, workspace: Workspace, user: str, sentence: str, name: str) -> None:
        content = render.render(await self.afterwards.egress.notice(sentence))[0]
        await self._told(workspace, user, content, name)

    async def _told(self, workspace: Workspace, user: str, content: Content, name: str) -> tuple[Posts, str]:
        """A message in somebody's direct conversation, and its ts."""
        opened = await self.calls.call("conversations.open", str(workspace), {"users": user})
        channel = _text(_part(opened, "channel"), "id")
        since = f"{datetime.now(UTC).timestamp() - CLOCKS:.6f}"
        posts = Posts(self.calls, self.outbox, self.ourselves, _free, name, str(workspace), channel, "", since,
                      how=How.DIRECT)
        return posts, await posts.post(0, content)

    async def _suggest(self, workspace: Workspace, channel: str, thread: str | None) -> None:
        prompts = [{"title": title, "message": message} for title, message in self.around.prompts[:4]]
        if not prompts or not channel:
            return
        try:
            await self.calls.call("assistant.threads.setSuggestedPrompts", str(workspace), {
                "channel_id": channel, "thread_ts": thread, "title": PROMPTS_TITLE, "prompts": prompts,
            }, rank=Rank.BACKGROUND)
        except (PlatformUnavailable, Closed) as error:
            log.info("nothing suggested here", cause=str(error))


_PURPOSES: Final[Mapping[str, Purpose]] = {
    render.FEEDBACK: Purpose.ANSWER, render.SHOW_SOURCES: Purpose.ANSWER, render.SHARE: Purpose.ANSWER,
    render.AGAIN: Purpose.ANSWER, render.WRONG: Purpose.ANSWER, render.STOP: Purpose.STOP,
    home.EXPORT: Purpose.MINE, home.FORGET: Purpose.MINE,
}
_OWN: Final = frozenset({render.SHARE, render.AGAIN, render.WRONG, render.STOP, home.EXPORT, home.FORGET})
"""For whom the button was made, and nobody else."""


def presses(workspace: Workspace, body: Mapping[str, Any]) -> list[Pressed]:
    """What was pressed, by whom; other elements than ours are passed over."""
    user = _text(_part(body, "user"), "id")
    actions = body.get("actions")
    return [
        Pressed(workspace, body, _person(workspace, body), user, _text(action, "action_id"), _text(action, "value"),
                _text(action, "action_ts"))
        for action in (actions if isinstance(actions, list) else [])
        if isinstance(action, dict) and _text(action, "action_id") in _PURPOSES
    ]


def again(told: Told, press: Pressed) -> Said:
    """The same question once more, as a message of its own; to press twice is to ask once."""
    question = told.question
    mark = hashlib.sha256(told.trace.encode()).hexdigest()[:5]
    head, _, ts = question.id.rpartition("/")
    base = head.partition("/~")[0]
    url = _text(press.body, "response_url") if question.place.private else ""
    return Said(
        EventKey(f"slack:again/{told.trace}"),
        replace(question, id=MessageId(f"{base}/~{mark}/{ts}"), sent_at=datetime.now(UTC)),
        raw=_address(url),
        kind=Kind.SUMMARY if told.kind is Kind.SUMMARY else Kind.ANSWER,
    )


def _exported(export: Mapping[str, Any]) -> dict[str, Any]:
    return modals.export_modal(json.dumps(export, ensure_ascii=False, indent=2))


def _person(workspace: Workspace, body: Mapping[str, Any]) -> PersonId:
    user = _part(body, "user")
    return person_in(workspace, _text(user, "id") or _text(body, "user_id"), _text(user, "team_id") or None)


def _address(url: str) -> bytes:
    """As a command brings it along."""
    return json.dumps({"response_url": url}).encode() if url else b""


def _mark(id: str) -> str:
    return hashlib.sha256(id.encode()).hexdigest()[:12]


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _text(of: Mapping[str, Any], name: str) -> str:
    found = of.get(name)
    return found if isinstance(found, str) else ""


def _free() -> None:
    """No turn stands behind what a button does."""

