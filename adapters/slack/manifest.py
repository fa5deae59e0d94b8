"""The manifest of the app that a customer installs as its own: what it shows, hears and may do, each with its reason.

An app of one's own, and not one that everybody shares, keeps Slack's ordinary rates for reading history. Nothing is
asked for that is not used: a test holds this list against what is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.slack.commands import ASK, ASK_ABOUT, COMMAND, SUMMARISE
from adapters.slack.config import EVENTS as ARRIVE
from adapters.slack.config import INSTALLED


@dataclass(frozen=True, slots=True)
class Scope:
    """Something that the bot may do, and what it does with it."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the bot is told. ``scope``: which one lets it be told; "" for none."""

    name: str
    scope: str
    reason: str


SCOPES: Final = (
    Scope("app_mentions:read", "to hear that it was mentioned"),
    Scope("assistant:write", "to suggest prompts and to name threads in its own tab"),
    Scope("channels:history", "to read public channels it is a member of: follow-ups without a mention, summaries"),
    Scope("channels:read", "to know who reads a public channel before it answers there"),
    Scope("chat:write", "to answer"),
    Scope("commands", f"for {COMMAND} and the shortcuts"),
    Scope("files:read", "to read a file that somebody sends with a question, for that thread alone"),
    Scope("groups:history", "to read private channels it was invited to"),
    Scope("groups:read", "to know who reads a private channel before it answers there"),
    Scope("im:history", "to hear what is written to it directly"),
    Scope("im:read", "to know whom a direct conversation is with"),
    Scope("im:write", "to tell somebody directly what it cannot say where they asked"),
    Scope("mpim:history", "to hear group conversations that it is part of"),
    Scope("mpim:read", "to know who reads a group conversation"),
    Scope("reactions:read", "to take a thumb under an answer as feedback"),
    Scope("usergroups:read", "to know who is in a user group that pages are open to"),
    Scope("users:read", "to show names instead of ids, and to know who is a guest"),
)
EVENTS: Final = (
    Event("app_home_opened", "", "shows the Home tab and the first prompts"),
    Event("app_mention", "app_mentions:read", "a question in a channel"),
    Event("app_uninstalled", "", "forgets a workspace's token"),
    Event("channel_archive", "channels:read", "asks anew who reads a channel"),
    Event("channel_deleted", "channels:read", "the same"),
    Event("channel_id_changed", "channels:read", "keeps what it knows of a channel that got another id"),
    Event("channel_left", "channels:read", "was taken out of a channel"),
    Event("channel_rename", "channels:read", "calls a channel by its new name"),
    Event("channel_shared", "channels:read", "a channel got readers from another company"),
    Event("channel_unarchive", "channels:read", "asks anew who reads a channel"),
    Event("channel_unshared", "channels:read", "the same"),
    Event("group_archive", "groups:read", "the same, of a private channel"),
    Event("group_deleted", "groups:read", "the same, of a private channel"),
    Event("group_left", "groups:read", "was taken out of a private channel"),
    Event("group_rename", "groups:read", "calls a private channel by its new name"),
    Event("group_unarchive", "groups:read", "asks anew who reads a private channel"),
    Event("member_joined_channel", "channels:read", "a channel got another reader; its own joining starts a look back"),
    Event("member_left_channel", "channels:read", "a channel lost a reader"),
    Event("message.channels", "channels:history", "follow-ups, edits and deletes in public channels"),
    Event("message.groups", "groups:history", "the same in private channels"),
    Event("message.im", "im:history", "what is written to it directly"),
    Event("message.mpim", "mpim:history", "the same in group conversations"),
    Event("reaction_added", "reactions:read", "a thumb under an answer"),
    Event("reaction_removed", "reactions:read", "a thumb taken back"),
    Event("subteam_created", "usergroups:read", "asks anew who is in which user group"),
    Event("subteam_members_changed", "usergroups:read", "the same"),
    Event("subteam_updated", "usergroups:read", "the same"),
    Event("team_join", "users:read", "somebody new"),
    Event("tokens_revoked", "", "forgets a workspace's token"),
    Event("user_change", "users:read", "somebody is called otherwise, became a guest, or left"),
)
LEGACY_EVENTS: Final = (
    Event("assistant_thread_context_changed", "assistant:write", "where the older assistant view was opened from"),
    Event("assistant_thread_started", "assistant:write", "the older assistant view was opened"),
)
PROMPTS: Final = (
    ("What can you do?", "help"),
    ("Time off", "How much notice do I have to give before annual leave?"),
    ("Expenses", "How do I get my expenses back?"),
)
"""Title and message of what is suggested where somebody begins: what any company's pages answer."""
_SHORT: Final = "Answers from your own pages, with sources, on your own hardware."
_LONG: Final = (
    "Bartizan answers questions from your company's own pages and names its sources. It uses a page only if everybody "
    "who will read the answer may read it, and shows nothing that its guards have not cleared. It runs on your own "
    "hardware: neither questions nor answers leave your network, except to Slack."
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Which manifest. ``url``: where Slack calls us, as https://host; "" for Socket Mode, in which we call Slack."""

    name: str = "Bartizan"
    url: str = ""
    legacy: bool = False        # the older assistant view in place of the agent view, for an app that has it already
    organisation: bool = False  # may be installed for a whole Enterprise Grid organisation


def manifest(shape: Shape) -> dict[str, Any]:
    """As Slack takes it, as JSON or YAML. Raises `ValueError` for a name or an address that it would not take."""
    if not 0 < len(shape.name) <= 35:
        raise ValueError("an app's name has 1 to 35 characters")
    if shape.url and not (shape.url.startswith("https://") and len(shape.url) <= 2_000 and shape.url.isprintable()):
        raise ValueError("Slack calls only addresses that begin with https://")
    there = {"request_url": f"{shape.url.rstrip('/')}{ARRIVE}"} if shape.url else {}
    command = {
        "command": COMMAND, "description": "Ask, summarise, send away, or see what is stored about you",
        "usage_hint": "ask <question> | summarise | leave | privacy | help", "should_escape": True,
        **({"url": there["request_url"]} if there else {}),
    }
    redirects = {"redirect_urls": [f"{shape.url.rstrip('/')}{INSTALLED}"]} if shape.url else {}
    return {
        "display_information": {
            "name": shape.name, "description": _SHORT, "long_description": _LONG, "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": _handle(shape.name), "always_online": True},
            "shortcuts": [
                _shortcut("Ask about this", "message", ASK_ABOUT, "Ask about a message; only you see the answer"),
                _shortcut("Summarise thread", "message", SUMMARISE, "What was said, in short; only you see it"),
                _shortcut("Ask a question", "global", ASK, "Ask from anywhere; only you see the answer"),
            ],
            "slash_commands": [command],
            **_view(legacy=shape.legacy),
        },
        "oauth_config": {**redirects, "scopes": {"bot": list(scope_names())}},
        "settings": {
            "event_subscriptions": {**there, "bot_events": [event.name for event in events(legacy=shape.legacy)]},
            "interactivity": {"is_enabled": True, **there},
            "org_deploy_enabled": shape.organisation,
            "socket_mode_enabled": not shape.url,
            "token_rotation_enabled": False,
        },
    }


def scope_names() -> tuple[str, ...]:
    """What the bot asks to be allowed to do."""
    return tuple(scope.name for scope in SCOPES)


def events(*, legacy: bool) -> Sequence[Event]:
    """What the bot asks to be told."""
    return sorted((*EVENTS, *LEGACY_EVENTS), key=lambda event: event.name) if legacy else EVENTS


def reasons(*, legacy: bool = False) -> str:
    """Every scope and every event with what it is for, a line each."""
    lines = ["Scopes: what the bot may do, and what for", ""]
    lines += [f"  {scope.name:<20} {scope.reason}" for scope in SCOPES]
    lines += ["", "Events: what the bot is told, by which scope, and what for", ""]
    lines += [f"  {event.name:<34} {event.scope or '-':<18} {event.reason}" for event in events(legacy=legacy)]
    return "\n".join(lines)


def _view(*, legacy: bool) -> dict[str, Any]:
    prompts = [{"title": title, "message": message} for title, message in PROMPTS]
    if legacy:
        return {"assistant_view": {"assistant_description": _SHORT, "suggested_prompts": prompts}}
    return {"agent_view": {"agent_description": _SHORT, "suggested_prompts": prompts}}


def _shortcut(name: str, kind: str, callback: str, description: str) -> dict[str, str]:
    return {"name": name, "type": kind, "callback_id": callback, "description": description}


def _handle(name: str) -> str:
    """What it is mentioned by: small letters, digits, hyphens."""
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split())[:80] or "bartizan"
