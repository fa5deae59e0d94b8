"""The methods that only look, and views."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tests.fake_slack.blocks import read_blocks
from tests.fake_slack.chat import here
from tests.fake_slack.documented import HISTORIES, READS
from tests.fake_slack.world import ApiError, Channel, Json, Person, Post, View, Workspace

if TYPE_CHECKING:
    from tests.fake_slack.slack import Call

T = TypeVar("T")
TRIGGER: Final = 3.0            # seconds that a trigger lasts


def auth_test(call: Call) -> Json:
    """auth.test"""
    w = call.workspace
    return {"url": f"https://{w.domain}.slack.com/", "team": w.domain, "user": w.bot.name, "team_id": w.id,
            "user_id": w.bot.id, "bot_id": w.bot_id, "is_enterprise_install": False,
            **({"enterprise_id": w.enterprise} if w.enterprise else {})}


def auth_teams(call: Call) -> Json:
    """auth.teams.list"""
    w = call.workspace
    found = [t for t in call.slack.workspaces.values() if t is w or (w.enterprise and t.enterprise == w.enterprise)]
    teams, more = page(call, found, 100, 1000)
    return {"teams": [{"id": team.id, "name": team.domain} for team in teams], **more}


def team_info(call: Call) -> Json:
    """team.info"""
    w = call.workspace
    if call.args.get("team", w.id) != w.id:
        raise ApiError("team_not_found")
    return {"team": {"id": w.id, "name": w.domain, "domain": w.domain, "email_domain": f"{w.domain}.example",
                     **({"enterprise_id": w.enterprise} if w.enterprise else {})}}


def conversations_info(call: Call) -> Json:
    """conversations.info"""
    channel = visible(call)
    told = channel_wire(call.workspace, channel)
    if call.args.get("include_num_members"):
        told["num_members"] = len(channel.members)
    return {"channel": told}


def conversations_members(call: Call) -> Json:
    """conversations.members"""
    members, more = page(call, visible(call).members, 100, 1000)
    return {"members": members, **more}


def conversations_list(call: Call) -> Json:
    """conversations.list"""
    kinds = kinds_of(call)
    found = [c for c in call.workspace.channels.values() if kind_name(c) in kinds
             and (c.kind == "channel" or call.workspace.bot.id in c.members)
             and not (c.archived and call.args.get("exclude_archived"))]
    channels, more = page(call, found, 100, 1000)
    return {"channels": [channel_wire(call.workspace, c) for c in channels], **more}


def users_conversations(call: Call) -> Json:
    """users.conversations"""
    kinds, user = kinds_of(call), call.args.get("user", call.workspace.bot.id)
    found = [c for c in call.workspace.channels.values() if kind_name(c) in kinds and user in c.members
             and (c.kind == "channel" or call.workspace.bot.id in c.members)
             and not (c.archived and call.args.get("exclude_archived"))]
    channels, more = page(call, found, 100, 999)
    return {"channels": [channel_wire(call.workspace, c) for c in channels], **more}


def conversations_join(call: Call) -> Json:
    """conversations.join"""
    channel = visible(call)
    if channel.kind != "channel":
        raise ApiError("method_not_supported_for_channel_type")
    if call.workspace.bot.id not in channel.members:
        channel.members.append(call.workspace.bot.id)
    return {"channel": channel_wire(call.workspace, channel)}


def conversations_open(call: Call) -> Json:
    """conversations.open"""
    users = [user for user in (call.args.get("users") or "").split(",") if user]
    if call.args.get("channel"):
        return {"channel": {"id": visible(call).id}}
    if len(users) != 1:
        raise ApiError("users_list_not_supplied" if not users else "method_not_supported_for_channel_type")
    need(call, "im:write")
    if users[0] not in call.workspace.people:
        raise ApiError("user_not_found")
    return {"channel": {"id": call.slack.direct(call.workspace, users[0]).id}}


def conversations_history(call: Call) -> Json:
    """conversations.history"""
    channel = readable(call)
    posts = [p for p in channel.posts.values() if p.thread_ts in (None, p.ts) or p.broadcast]
    return messages(call, sorted(posts, key=lambda p: p.ts, reverse=True), channel)


def conversations_replies(call: Call) -> Json:
    """conversations.replies"""
    channel, ts = readable(call), call.args["ts"]
    if ts not in channel.posts:
        raise ApiError("thread_not_found")
    posts = [channel.posts[ts]] if channel.posts[ts].thread_ts not in (None, ts) else channel.thread(ts)
    return messages(call, sorted(posts, key=lambda p: p.ts), channel)


def users_info(call: Call) -> Json:
    """users.info"""
    person = call.workspace.people.get(call.args["user"])
    if person is None:
        raise ApiError("user_not_found")
    return {"user": person_wire(call.workspace, person)}


def users_list(call: Call) -> Json:
    """users.list"""
    people, more = page(call, list(call.workspace.people.values()), 100, 1000)
    return {"members": [person_wire(call.workspace, person) for person in people], **more}


def bots_info(call: Call) -> Json:
    """bots.info"""
    w = call.workspace
    if call.args.get("bot") == w.bot_id:
        return {"bot": {"id": w.bot_id, "deleted": False, "name": w.bot.name, "app_id": call.slack.app_id,
                        "user_id": w.bot.id}}
    raise ApiError("bot_not_found")


def usergroups_list(call: Call) -> Json:
    """usergroups.list"""
    groups = call.workspace.groups.items()
    return {"usergroups": [
        {"id": id, "team_id": call.workspace.id, "is_usergroup": True, "name": handle, "handle": handle,
         "is_external": False, "date_delete": 0, "deleted_by": None, "user_count": len(users),
         **({"users": users} if call.args.get("include_users") else {})}
        for id, (handle, users) in groups
    ]}


def usergroups_users(call: Call) -> Json:
    """usergroups.users.list"""
    if call.args["usergroup"] not in call.workspace.groups:
        raise ApiError("no_such_subteam")
    return {"users": call.workspace.groups[call.args["usergroup"]][1]}


def files_info(call: Call) -> Json:
    """files.info"""
    if call.args["file"] not in call.workspace.files:
        raise ApiError("file_not_found")
    return {"file": call.workspace.files[call.args["file"]][0], "comments": []}


def connections_open(call: Call) -> Json:
    """apps.connections.open"""
    return {"url": call.slack.delivery.socket_url()}


def oauth_access(call: Call) -> Json:
    """oauth.v2.access"""
    client, secret = call.args.get("client_id"), call.args.get("client_secret")
    if call.authorization.startswith("Basic "):
        client, _, secret = base64.b64decode(call.authorization.removeprefix("Basic ")).decode().partition(":")
    if (client, secret) != (call.slack.client_id, call.slack.client_secret):
        raise ApiError("bad_client_secret" if client == call.slack.client_id else "invalid_client_id")
    w = call.slack.codes.pop(call.args.get("code", ""), None)
    if w is None:
        raise ApiError("invalid_code")
    w.installed, w.revoked = True, False
    return {
        "access_token": w.token, "token_type": "bot", "scope": ",".join(sorted(w.scopes)), "bot_user_id": w.bot.id,
        "app_id": call.slack.app_id, "team": {"name": w.domain, "id": w.id}, "authed_user": {"id": "UINSTALLER"},
        "enterprise": {"name": w.enterprise, "id": w.enterprise} if w.enterprise else None,
        "is_enterprise_install": False,
    }


def views_open(call: Call) -> Json:
    """views.open"""
    user = trigger(call)
    given = view(call, "modal")
    opened = View(f"V{call.slack.number()}", user, given, call.slack.stamps.next())
    call.workspace.modals[opened.id] = opened
    return {"view": view_wire(call, opened)}


def views_update(call: Call) -> Json:
    """views.update"""
    id, external = call.args.get("view_id"), call.args.get("external_id")
    for opened in call.workspace.modals.values():
        if opened.open and (opened.id == id or (external and opened.given.get("external_id") == external)):
            break
    else:
        raise ApiError("not_found")
    if call.args.get("hash", opened.hash) != opened.hash:
        raise ApiError("hash_conflict")
    opened.given, opened.hash = view(call, "modal"), call.slack.stamps.next()
    return {"view": view_wire(call, opened)}


def views_publish(call: Call) -> Json:
    """views.publish"""
    user, known = call.args["user_id"], call.workspace.homes.get(call.args["user_id"])
    if user not in call.workspace.people:
        raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] invalid user"]})
    if known and call.args.get("hash", known.hash) != known.hash:
        raise ApiError("hash_conflict")
    home = View(known.id if known else f"V{call.slack.number()}", user, view(call, "home"), call.slack.stamps.next())
    call.workspace.homes[user] = home
    return {"view": view_wire(call, home)}


# What they share.


def need(call: Call, scope: str) -> None:
    """Raises `ApiError` for a scope that the installation has not."""
    if scope not in call.workspace.scopes:
        raise ApiError("missing_scope", needed=scope, provided=",".join(sorted(call.workspace.scopes)))


def visible(call: Call) -> Channel:
    """A channel whose data the app may look at."""
    channel = here(call, call.args["channel"])
    need(call, READS[channel.kind])
    return channel


def readable(call: Call) -> Channel:
    """A channel whose messages the app may read."""
    channel = here(call, call.args["channel"])
    need(call, HISTORIES[channel.kind])
    if call.workspace.bot.id not in channel.members:
        raise ApiError("not_in_channel")
    return channel


def kind_name(channel: Channel) -> str:
    """As ``types`` names it."""
    return {"channel": "public_channel", "group": "private_channel"}.get(channel.kind, channel.kind)


def kinds_of(call: Call) -> set[str]:
    """The kinds of channels that are asked for; each needs its scope."""
    kinds = {kind.strip() for kind in call.args.get("types", "public_channel").split(",")}
    names = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
    if kinds - names.keys():
        raise ApiError("invalid_types")
    for kind in sorted(kinds):
        need(call, READS[names[kind]])
    return kinds


def page(call: Call, items: Sequence[T], default: int, most: int) -> tuple[list[T], Json]:
    """One page, and where the next one is."""
    limit = call.args.get("limit", default) or default
    if not 0 < limit <= most:
        raise ApiError("invalid_limit")
    try:
        start = int(base64.b64decode(call.args.get("cursor") or base64.b64encode(b"0")))
    except ValueError:
        raise ApiError("invalid_cursor") from None
    end = start + min(limit, call.slack.page)
    more = base64.b64encode(str(end).encode()).decode() if end < len(items) else ""
    return list(items[start:end]), {"response_metadata": {"next_cursor": more}}


def messages(call: Call, posts: list[Post], channel: Channel) -> Json:
    """A page of messages within ``oldest`` and ``latest``."""
    oldest, latest = float(call.args.get("oldest") or 0), float(call.args.get("latest") or "inf")
    if call.args.get("inclusive"):
        posts = [p for p in posts if oldest <= float(p.ts) <= latest]
    else:       # of a thread the root always comes
        root = call.args.get("ts")
        posts = [p for p in posts if oldest < float(p.ts) < latest or p.ts == root]
    found, more = page(call, posts, 100 if call.method == "conversations.history" else 1000, 1000)
    return {
        "messages": [call.slack.shown(call.workspace, post, metadata=bool(call.args.get("include_all_metadata")),
                                      channel=channel) for post in found],
        "has_more": bool(more["response_metadata"]["next_cursor"]), **more,
    }


def channel_wire(workspace: Workspace, channel: Channel) -> Json:
    """A channel object."""
    told: Json = {
        "id": channel.id, "created": 1_700_000_000, "is_archived": channel.archived,
        "is_channel": channel.kind == "channel", "is_group": channel.kind == "group", "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim", "is_private": channel.kind != "channel", "context_team_id": workspace.id,
        "is_member": workspace.bot.id in channel.members, "is_org_shared": False,
        "is_ext_shared": channel.connect, "is_shared": channel.connect, "updated": 1_700_000_000_000,
    }
    if channel.kind == "im":
        return told | {"user": next(m for m in channel.members if m != workspace.bot.id), "is_open": True}
    return told | {
        "name": channel.name, "name_normalized": channel.name, "is_general": channel.name == "general",
        "creator": "UINSTALLER", "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0}, "previous_names": [],
    }


def person_wire(workspace: Workspace, person: Person) -> Json:
    """A user object; of another organisation's people an app sees less."""
    told: Json = {
        "id": person.id, "team_id": person.team, "name": person.name, "deleted": person.deleted,
        "real_name": person.real_name or person.name, "is_bot": person.bot, "is_app_user": False, "updated": 1,
        "profile": {
            "real_name": person.real_name or person.name, "display_name": person.name, "team": person.team,
            **({"email": person.email} if person.email and "users:read.email" in workspace.scopes else {}),
            **({"api_app_id": person.app_id} if person.app_id else {}),
        },
    }
    if person.team != workspace.id:
        return told | {"is_stranger": True}
    return told | {
        "tz": person.zone, "tz_label": person.zone, "tz_offset": 3600, "is_admin": False, "is_owner": False,
        "is_restricted": person.guest, "is_ultra_restricted": False,
        **({"enterprise_user": {"id": person.id, "enterprise_id": workspace.enterprise, "teams": [workspace.id]}}
           if workspace.enterprise else {}),
    }


def trigger(call: Call) -> str:
    """Who pressed something, by the trigger that came of it."""
    id = call.args.get("trigger_id") or call.args.get("interactivity_pointer")
    if id not in call.slack.triggers:
        raise ApiError("invalid_trigger_id")
    user, at = call.slack.triggers[id]
    if call.slack.clock() - at > TRIGGER:
        raise ApiError("expired_trigger_id")
    if id in call.slack.exchanged:
        raise ApiError("exchanged_trigger_id")
    call.slack.exchanged.add(id)
    return user


def view(call: Call, surface: str) -> Json:
    """A view as it was given, looked at."""
    given: Any = call.args["view"]
    optional = {"private_metadata", "callback_id", "external_id", "blocks", "type"}
    if surface == "modal":
        optional |= {"title", "close", "submit", "clear_on_close", "notify_on_close", "submit_disabled"}
    if given.get("type") != surface or given.keys() - optional or "blocks" not in given:
        raise invalid(f"a {surface} view has {sorted(optional)}")
    if surface == "modal":
        for name in ("title", "close", "submit"):
            if name in given and (given[name].get("type") != "plain_text" or not 1 <= len(given[name]["text"]) <= 24):
                raise invalid(f"{name} has 1 to 24 characters")
        if "title" not in given:
            raise invalid("title is required")
        if any(block.get("type") == "input" for block in given["blocks"]) and "submit" not in given:
            raise invalid("a modal with inputs needs submit")
    if len(given.get("private_metadata", "")) > 3000 or len(given.get("callback_id", "")) > 255:
        raise invalid("private_metadata or callback_id too long")
    read_blocks(given["blocks"], surface)
    return dict(given)


def invalid(why: str) -> ApiError:
    """`invalid_arguments`"""
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {why}"]})


def view_wire(call: Call, opened: View) -> Json:
    """A view object."""
    return {
        "id": opened.id, "team_id": call.workspace.id, "app_id": call.slack.app_id, "bot_id": call.workspace.bot_id,
        "hash": opened.hash, "root_view_id": opened.id, "previous_view_id": None, "state": {"values": {}},
        "private_metadata": "", "callback_id": "", "external_id": "", **opened.given,
    }
