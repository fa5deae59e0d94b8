"""Slack's events to events of ours. Pure: what it needs to know of the world is handed in.

One mention comes as a ``message`` and as an ``app_mention``, perhaps several times, and once more when we fill a gap:
all of them are the same event here, because its key is made of the workspace, the channel and the ``ts`` (S3). A
change never starts a turn (S10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from adapters.slack import wire
from adapters.slack.ids import NAME, Workspace, moment
from adapters.slack.plain import Names, calls_others, mentioned, plain
from engine.errors import BadEvent
from engine.messages import Deleted, Edited, File, Message, PersonId, Place, Said

SPOKEN: Final = frozenset({None, "", "file_share", "thread_broadcast", "me_message"})
"""Subtypes of what a person said (S11)."""
HOUSEKEEPING: Final = frozenset({
    "assistant_app_thread", "bot_add", "bot_remove", "channel_archive", "channel_canvas_updated",
    "channel_convert_to_private",
    "channel_convert_to_public", "channel_join", "channel_leave", "channel_name", "channel_posting_permissions",
    "channel_purpose", "channel_topic", "channel_unarchive", "document_comment_root", "document_mention",
    "ekm_access_denied", "file_comment", "file_mention", "group_archive", "group_join", "group_leave", "group_name",
    "group_purpose", "group_topic", "group_unarchive", "huddle_thread", "joiner_notification",
    "joiner_notification_for_inviter", "message_replied", "pinned_item", "reminder_add", "reply_broadcast",
    "sh_room_created", "sh_room_shared", "slackbot_response", "tombstone", "unpinned_item",
})
"""Subtypes of messages that nobody said."""
AUTOMATIC: Final = "bot_message"
SLACKBOT: Final = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Self:
    """Who we are in one workspace."""

    workspace: Workspace
    user: str                   # "U0BOT"
    bot: str = ""               # "B0BOT"

    def wrote(self, user: str | None, bot: str | None) -> bool:
        """A message of ours; some carry only one of the two."""
        return bool((user and user == self.user) or (bot and bot == self.bot))


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing of it concerns us, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Something for the inbox. ``asks``: whether it is for us depends on the thread; the event says no until then."""

    event: Said | Edited | Deleted
    asks: bool = False


@dataclass(frozen=True, slots=True)
class OwnRemoved:
    """Somebody deleted a message of ours (S9)."""

    channel: str
    ts: str
    event: Deleted


Read: TypeAlias = Heard | OwnRemoved | Ignored


def workspace_of(envelope: wire.Envelope) -> Workspace:
    """Through which of our installations we hear this: ``team_id`` may be another's, in a shared channel (S29)."""
    ours = envelope.authorizations[0] if envelope.authorizations else wire.Authorization()
    team = ours.team_id or envelope.team_id or ""
    enterprise = ours.enterprise_id or envelope.enterprise_id or ""
    if not team and not enterprise:
        raise BadEvent("the event names no workspace")
    return Workspace(team, enterprise)


def read_message(event: Mapping[str, Any], me: Self, names: Names, raw: bytes) -> Read:
    """A ``message`` or an ``app_mention`` event. Raises `BadEvent`."""
    subtype = event.get("subtype")
    match subtype:
        case "message_changed":
            return _changed(wire.read(wire.Changed, event), me, names)
        case "message_deleted":
            return _deleted(wire.read(wire.Removed, event), me)
    where = wire.read(wire.Where, event)
    if event.get("hidden") is True:
        return Ignored("hidden")
    kind = where.channel_type or ("im" if where.channel.startswith("D") else "channel")
    return said_in(wire.read(wire.Said, event), me, names, channel=where.channel, kind=kind, raw=raw)


def said_in(said: wire.Said, me: Self, names: Names, *, channel: str, kind: str, raw: bytes) -> Heard | Ignored:
    """A message of a channel, whether it was pushed to us or fetched. ``kind``: im, mpim, channel or group."""
    if me.wrote(said.user, said.bot_id):
        return Ignored("our own")
    if said.subtype in HOUSEKEEPING:
        return Ignored("nobody said it")
    if said.subtype == AUTOMATIC or said.bot_id or said.user == SLACKBOT:
        return Ignored("another bot")       # two of them could go on for ever
    if said.subtype not in SPOKEN:
        raise BadEvent("message of an unknown subtype")
    if not said.user:
        raise BadEvent("message without user")
    text, direct = said.text or "", kind == "im"
    root = said.thread_ts if said.thread_ts and said.thread_ts != said.ts else None
    called = me.user in mentioned(text)
    asks = root is not None and not direct and not called and not calls_others(text, me.user)
    workspace = me.workspace
    person = person_in(workspace, said.user, said.user_team or said.team)
    thread = root if direct else root or said.ts
    message = Message(
        workspace.message(channel, said.ts),
        workspace.conversation(channel, thread),
        person,
        _with_shares(plain(text, names, bot=me.user), said, names),
        Place(NAME, str(workspace), channel, person, thread, direct),
        moment(said.ts),
        names.user(said.user),
        files_of(said.files or ()),
    )
    return Heard(Said(workspace.key(channel, said.ts), message, direct or called, raw=raw), asks)


def person_in(workspace: Workspace, user: str, home: str | None) -> PersonId:
    """Somebody whom we meet in a workspace; a visitor from elsewhere keeps the name of where they belong (S29).

    Inside a Grid an event does not say whether another team belongs to the same organisation; ids are its own there.
    """
    if home and not workspace.enterprise and home != workspace.team:
        return Workspace(home).person(user)
    return workspace.person(user)


def files_of(files: Iterable[wire.FileWire]) -> tuple[File, ...]:
    """What can be fetched of what was uploaded."""
    return tuple(
        File(f.id, f.name or f.title or f.id, f.url_private_download or f.url_private or "", f.size, f.mimetype or "")
        for f in files if f.mode not in ("tombstone", "hidden_by_limit")
    )


def private(
    channel: str, user: str, text: str, me: Self, names: Names, *,
    mark: str, at: datetime, raw: bytes, thread: str | None = None,
) -> Said:
    """A question that only one person sees the answer of. ``mark``: the same each time that we hear of it."""
    workspace = me.workspace
    person = workspace.person(user)
    message = Message(
        workspace.message(channel, mark),
        workspace.conversation(channel, user),      # what was asked in private is not remembered in public
        person,
        text,
        Place(NAME, str(workspace), channel, person, thread, direct=channel.startswith("D"), private=True),
        at,
        names.user(user),
    )
    return Said(workspace.key(channel, mark), message, raw=raw)


def _changed(changed: wire.Changed, me: Self, names: Names) -> Read:
    new, old = changed.message, changed.previous_message
    if new.subtype == "tombstone":              # deleted, but answers stand under it
        return _gone(changed.channel, new.ts, changed.event_ts or changed.ts or new.ts, me,
                     own=old is not None and me.wrote(old.user, old.bot_id))
    if me.wrote(new.user, new.bot_id):
        return Ignored("our own")
    if new.bot_id or new.subtype == AUTOMATIC:
        return Ignored("another bot")
    text = plain(new.text or "", names, bot=me.user)
    if old is not None and text == plain(old.text or "", names, bot=me.user):
        return Ignored("same words")            # a preview was added, or the language was found out
    at = (new.edited.ts if new.edited else None) or changed.event_ts or changed.ts or new.ts
    return Heard(Edited(
        me.workspace.key(changed.channel, new.ts, "edited", at), me.workspace.message(changed.channel, new.ts),
        text, moment(at),
    ))


def _deleted(removed: wire.Removed, me: Self) -> Read:
    old = removed.previous_message
    return _gone(removed.channel, removed.deleted_ts, removed.event_ts or removed.ts or removed.deleted_ts, me,
                 own=old is not None and me.wrote(old.user, old.bot_id))


def _gone(channel: str, ts: str, at: str, me: Self, *, own: bool) -> Read:
    event = Deleted(me.workspace.key(channel, ts, "deleted"), me.workspace.message(channel, ts), moment(at))
    return OwnRemoved(channel, ts, event) if own else Heard(event)


def _with_shares(text: str, said: wire.Said, names: Names) -> str:
    """A message that somebody passes on is what they ask about: it stands under their own words, as a quotation."""
    shared = [
        f"> {attachment.author_name + ': ' if attachment.author_name else ''}"
        + plain(attachment.text, names).replace("\n", "\n> ")
        for attachment in said.attachments or () if attachment.is_share and attachment.text
    ]
    return "\n\n".join(part for part in (text, *shared) if part)
