"""The fields that we read of what Slack sends. Everything else is left alone; a field of a wrong kind is an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from engine.errors import BadEvent

T = TypeVar("T")


class Authorization(Struct, frozen=True):
    """One of our installations that may see an event; Slack names the first only."""

    team_id: str | None = None
    enterprise_id: str | None = None
    is_enterprise_install: bool = False


class Envelope(Struct, frozen=True):
    """``event_callback``: what happened, and where."""

    event: dict[str, Any]
    team_id: str | None = None
    enterprise_id: str | None = None
    event_id: str = ""
    authorizations: list[Authorization] | None = None


class FileWire(Struct, frozen=True):
    """Something that was uploaded. Slack Connect leaves all but the id out."""

    id: str
    name: str | None = None
    title: str | None = None
    mimetype: str | None = None
    url_private_download: str | None = None
    url_private: str | None = None
    size: int = 0
    mode: str | None = None


class Attachment(Struct, frozen=True):
    """What hangs under a message: a link's preview, or a message that was shared."""

    is_share: bool = False
    text: str | None = None
    author_name: str | None = None
    from_url: str | None = None


class Edit(Struct, frozen=True):
    """Who changed a message, and when."""

    ts: str | None = None


class Said(Struct, frozen=True):
    """A message, as an event, inside of one, or in a channel's history."""

    ts: str
    text: str | None = None
    user: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    thread_ts: str | None = None
    team: str | None = None
    user_team: str | None = None
    files: list[FileWire] | None = None
    attachments: list[Attachment] | None = None
    reply_count: int = 0
    latest_reply: str | None = None
    edited: Edit | None = None


class Revision(Struct, frozen=True):
    """A message after a change. ``edited`` is missing when Slack itself changed it."""

    ts: str
    text: str | None = None
    user: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    edited: Edit | None = None


class Changed(Struct, frozen=True):
    """``message_changed``."""

    channel: str
    message: Revision
    event_ts: str | None = None
    ts: str | None = None
    previous_message: Revision | None = None


class Removed(Struct, frozen=True):
    """``message_deleted``."""

    channel: str
    deleted_ts: str
    event_ts: str | None = None
    ts: str | None = None
    previous_message: Revision | None = None


class Where(Struct, frozen=True):
    """Where a message event stands."""

    channel: str
    channel_type: str | None = None


class Item(Struct, frozen=True):
    """What a reaction is under."""

    type: str = ""
    channel: str | None = None
    ts: str | None = None


class Reaction(Struct, frozen=True):
    """``reaction_added`` and ``reaction_removed``."""

    user: str
    reaction: str
    item: Item
    item_user: str | None = None


class InChannel(Struct, frozen=True):
    """Somebody came or went, or something happened to a channel."""

    channel: str
    user: str | None = None


class Channel(Struct, frozen=True):
    """A channel that was described instead of named."""

    id: str
    name: str | None = None


class Described(Struct, frozen=True):
    """``channel_rename`` and the like."""

    channel: Channel


class Renumbered(Struct, frozen=True):
    """``channel_id_changed``."""

    old_channel_id: str
    new_channel_id: str


class Profile(Struct, frozen=True):
    """What a person is called."""

    display_name: str | None = None
    real_name: str | None = None
    email: str | None = None


class EnterpriseUser(Struct, frozen=True):
    """The same person in an Enterprise Grid."""

    enterprise_id: str | None = None


class User(Struct, frozen=True):
    """A person, as ``users.info``, ``users.list`` and ``user_change`` describe one."""

    id: str
    team_id: str | None = None
    name: str | None = None
    real_name: str | None = None
    deleted: bool = False
    is_bot: bool = False
    is_app_user: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    profile: Profile | None = None
    enterprise_user: EnterpriseUser | None = None


class WithUser(Struct, frozen=True):
    """``user_change``, ``team_join``, and the answer of ``users.info``."""

    user: User


class UserGroup(Struct, frozen=True):
    """A user group. ``date_delete`` is 0 while it is in use."""

    id: str
    handle: str | None = None
    date_delete: int = 0
    users: list[str] | None = None


class HomeOpened(Struct, frozen=True):
    """``app_home_opened``."""

    user: str
    channel: str = ""
    tab: str = "home"


class AssistantThread(Struct, frozen=True):
    """Where the older assistant view opened."""

    user_id: str
    channel_id: str
    thread_ts: str


class ThreadStarted(Struct, frozen=True):
    """``assistant_thread_started``."""

    assistant_thread: AssistantThread


class Command(Struct, frozen=True):
    """A slash command, as a form."""

    user_id: str
    channel_id: str
    command: str
    trigger_id: str
    response_url: str
    text: str = ""
    user_name: str = ""
    team_id: str | None = None
    enterprise_id: str | None = None


class Named(Struct, frozen=True):
    """Somebody or something by its id, inside of an interaction."""

    id: str
    team_id: str | None = None
    enterprise_id: str | None = None


class MessageAction(Struct, frozen=True):
    """A message shortcut."""

    callback_id: str
    trigger_id: str
    user: Named
    channel: Named
    message: Said
    response_url: str = ""


def read(kind: type[T], found: Mapping[str, Any]) -> T:
    """These fields of it. Raises `BadEvent`, which names the field and quotes nothing."""
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise BadEvent(f"{kind.__name__}: {error}") from error
    except RecursionError as error:
        raise BadEvent("nested too deeply") from error


def fields(found: Struct) -> dict[str, Any]:
    """Back to plain values, without what is not there."""
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return {name: value for name, value in plain.items() if value not in (None, 0)}


encode: Final = msgspec.json.Encoder().encode
