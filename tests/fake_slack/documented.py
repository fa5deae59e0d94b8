"""What Slack's documentation says about each method that a bot calls here: arguments, scopes, and how often.

A method that is not in this table is not known to the fake; add it together with what its page says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TWO, THREE, FOUR = 20, 50, 100      # calls a minute, per method and workspace
SPECIAL: Final = 600                # "special rate limits apply", and none is named


@dataclass(frozen=True, slots=True)
class Method:
    """``args`` maps the documented arguments to their types; a name that ends in "!" is required."""

    args: Mapping[str, str]
    tier: int
    scopes: tuple[str, ...] = ()    # all of them
    app_level: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """The arguments that must be there."""
        return tuple(name[:-1] for name in self.args if name.endswith("!"))

    @property
    def types(self) -> Mapping[str, str]:
        """Every argument with its type: str, int, bool, list or dict."""
        return {name.rstrip("!"): kind for name, kind in self.args.items()}


def _args(text: str, **types: str) -> dict[str, str]:
    named = dict.fromkeys(text.split(), "str")
    for name, kind in types.items():
        named[f"{name}!" if f"{name}!" in named else name] = kind
    return named


_AUTHOR: Final = "icon_emoji icon_url username"
_CONTENT: Final = {"attachments": "list", "blocks": "list", "metadata": "dict", "link_names": "bool"}
_PAGE: Final = {"limit": "int"}
_HISTORY: Final = {"limit": "int", "inclusive": "bool", "include_all_metadata": "bool"}
_VIEW: Final = {"view": "dict"}

METHODS: Final[Mapping[str, Method]] = {
    "auth.test": Method({}, SPECIAL),
    "apps.connections.open": Method({}, THREE, ("connections:write",), app_level=True),
    "chat.postMessage": Method(_args(
        "channel! text markdown_text parse thread_ts current_draft_last_updated_ts " + _AUTHOR, **_CONTENT,
        as_user="bool", mrkdwn="bool", reply_broadcast="bool",
        unfurl_links="bool", unfurl_media="bool", unfurl_app_links="bool",
    ), SPECIAL, ("chat:write",)),
    "chat.update": Method(_args(
        "channel! ts! text markdown_text parse", **_CONTENT,
        as_user="bool", file_ids="list", reply_broadcast="bool", unfurled_attachments="list",
    ), THREE, ("chat:write",)),
    "chat.delete": Method(_args("channel! ts!", as_user="bool"), THREE, ("chat:write",)),
    "chat.postEphemeral": Method(_args(
        "channel! user! text markdown_text parse thread_ts " + _AUTHOR, **_CONTENT, as_user="bool",
    ), FOUR, ("chat:write",)),
    "chat.startStream": Method(_args(
        "channel! thread_ts! markdown_text recipient_team_id recipient_user_id task_display_mode " + _AUTHOR,
        chunks="list",
    ), TWO, ("chat:write",)),
    "chat.appendStream": Method(_args("channel! ts! markdown_text", chunks="list"), FOUR, ("chat:write",)),
    "chat.stopStream": Method(_args(
        "channel! ts! markdown_text session_status", chunks="list", blocks="list", metadata="dict",
    ), TWO, ("chat:write",)),
    "chat.getPermalink": Method(_args("channel! message_ts!"), SPECIAL),
    "conversations.info": Method(
        _args("channel!", include_locale="bool", include_num_members="bool"), THREE),
    "conversations.members": Method(_args("channel! cursor", **_PAGE), FOUR),
    "conversations.history": Method(_args("channel! cursor latest oldest", **_HISTORY), THREE),
    "conversations.replies": Method(_args("channel! ts! cursor latest oldest", **_HISTORY), THREE),
    "conversations.open": Method(_args("channel users", return_im="bool", prevent_creation="bool"), THREE),
    "conversations.list": Method(_args("cursor team_id types", **_PAGE, exclude_archived="bool"), TWO),
    "conversations.join": Method(_args("channel!"), THREE, ("channels:join",)),
    "users.info": Method(_args("user!", include_locale="bool"), FOUR, ("users:read",)),
    "users.list": Method(_args("cursor team_id", **_PAGE, include_locale="bool"), TWO, ("users:read",)),
    "users.conversations": Method(_args("cursor team_id types user", **_PAGE, exclude_archived="bool"), THREE),
    "auth.teams.list": Method(_args("cursor", limit="int", include_icon="bool"), TWO),
    "bots.info": Method(_args("bot team_id"), THREE, ("users:read",)),
    "usergroups.list": Method(_args(
        "team_id", include_count="bool", include_disabled="bool", include_users="bool"), TWO, ("usergroups:read",)),
    "usergroups.users.list": Method(
        _args("usergroup! team_id", include_disabled="bool"), TWO, ("usergroups:read",)),
    "team.info": Method(_args("team domain", include_slackbot_availability="bool"), THREE, ("team:read",)),
    "assistant.threads.setStatus": Method(
        _args("channel_id! thread_ts! status! " + _AUTHOR, loading_messages="list"), SPECIAL, ("chat:write",)),
    "assistant.threads.setTitle": Method(_args("channel_id! thread_ts! title!"), FOUR, ("assistant:write",)),
    "assistant.threads.setSuggestedPrompts": Method(
        _args("channel_id! thread_ts title prompts!", prompts="list"), FOUR, ("assistant:write",)),
    "views.open": Method(_args("trigger_id interactivity_pointer view!", **_VIEW), FOUR),
    "views.push": Method(_args("trigger_id interactivity_pointer view!", **_VIEW), FOUR),
    "views.update": Method(_args("view_id external_id hash view!", **_VIEW), FOUR),
    "views.publish": Method(_args("user_id! hash view!", **_VIEW), FOUR),
    "files.info": Method(_args("file! cursor", count="int", limit="int", page="int"), FOUR, ("files:read",)),
    "oauth.v2.access": Method(
        _args("client_id client_secret code redirect_uri grant_type refresh_token"), FOUR),
    "reactions.add": Method(_args("channel! name! timestamp!"), THREE, ("reactions:write",)),
    "reactions.remove": Method(_args("name! channel timestamp file file_comment"), TWO, ("reactions:write",)),
}

GETS: Final = frozenset({
    "bots.info", "chat.getPermalink", "conversations.history", "conversations.info", "conversations.list",
    "conversations.members", "conversations.replies", "files.info", "oauth.v2.access", "team.info", "usergroups.list",
    "usergroups.users.list", "users.conversations", "users.info", "users.list",
})
"""Methods that may be asked with GET; the pages of all others name POST alone."""
READS: Final = {"channel": "channels:read", "group": "groups:read", "im": "im:read", "mpim": "mpim:read"}
HISTORIES: Final = {
    "channel": "channels:history", "group": "groups:history", "im": "im:history", "mpim": "mpim:history",
}
EVENTS: Final[Mapping[str, str]] = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history", "message.groups": "groups:history",
    "message.im": "im:history", "message.mpim": "mpim:history",
    "reaction_added": "reactions:read", "reaction_removed": "reactions:read",
    "member_joined_channel": "channels:read", "member_left_channel": "channels:read",
    "channel_archive": "channels:read", "channel_unarchive": "channels:read", "channel_deleted": "channels:read",
    "channel_rename": "channels:read", "channel_id_changed": "channels:read", "channel_shared": "channels:read",
    "channel_unshared": "channels:read", "channel_left": "channels:read", "group_left": "groups:read",
    "group_archive": "groups:read", "group_unarchive": "groups:read", "group_deleted": "groups:read",
    "group_rename": "groups:read", "user_change": "users:read", "team_join": "users:read",
    "subteam_created": "usergroups:read", "subteam_updated": "usergroups:read",
    "subteam_members_changed": "usergroups:read", "file_shared": "files:read", "file_deleted": "files:read",
    "team_domain_change": "team:read",
    "app_home_opened": "", "app_uninstalled": "", "tokens_revoked": "", "app_rate_limited": "",
    "assistant_thread_started": "assistant:write", "assistant_thread_context_changed": "assistant:write",
    "link_shared": "links:read",
}
"""Events that an app may subscribe to, each with the scope that it needs."""

ALL_SCOPES: Final = frozenset(
    {scope for method in METHODS.values() if not method.app_level for scope in method.scopes}
    | {scope for scope in EVENTS.values() if scope}
    | set(READS.values()) | set(HISTORIES.values())
    | {"im:write", "mpim:write", "commands", "users:read.email", "chat:write.public"}
) - {"chat:write.public", "channels:join"}
"""What an installation has unless a test says otherwise."""
