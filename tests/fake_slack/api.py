"""The Web API at the wire: who calls, whether they may, how often, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web

from tests.fake_slack import chat, reads
from tests.fake_slack.blocks import read_blocks
from tests.fake_slack.documented import GETS, METHODS, Method
from tests.fake_slack.slack import (
    RESPONSE_LIFE,
    RESPONSES,
    Breaks,
    Call,
    Called,
    Dawdles,
    Limited,
    Office,
    Respond,
    Says,
    Tears,
)
from tests.fake_slack.world import ApiError, Ephemeral, Json, Post, Workspace

DO: Final[Mapping[str, Callable[[Call], Json]]] = {
    "auth.test": reads.auth_test,
    "auth.teams.list": reads.auth_teams,
    "apps.connections.open": reads.connections_open,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "chat.delete": chat.delete,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.startStream": chat.start_stream,
    "chat.appendStream": chat.append_stream,
    "chat.stopStream": chat.stop_stream,
    "chat.getPermalink": chat.permalink,
    "conversations.info": reads.conversations_info,
    "conversations.members": reads.conversations_members,
    "conversations.history": reads.conversations_history,
    "conversations.replies": reads.conversations_replies,
    "conversations.open": reads.conversations_open,
    "conversations.list": reads.conversations_list,
    "conversations.join": reads.conversations_join,
    "users.info": reads.users_info,
    "users.list": reads.users_list,
    "users.conversations": reads.users_conversations,
    "bots.info": reads.bots_info,
    "usergroups.list": reads.usergroups_list,
    "usergroups.users.list": reads.usergroups_users,
    "team.info": reads.team_info,
    "assistant.threads.setStatus": chat.set_status,
    "assistant.threads.setTitle": chat.set_title,
    "assistant.threads.setSuggestedPrompts": chat.set_prompts,
    "views.open": reads.views_open,
    "views.update": reads.views_update,
    "views.publish": reads.views_publish,
    "files.info": reads.files_info,
    "oauth.v2.access": reads.oauth_access,
    "reactions.add": chat.react,
}
KEPT: Final = 20_000            # calls that are remembered


class Api:
    """The handlers; their state is the office's."""

    def __init__(self, office: Office) -> None:
        self.office = office

    async def call(self, request: web.Request) -> web.StreamResponse:
        """``/api/{method}``"""
        name, loop = request.match_info["method"], asyncio.get_running_loop()
        authorization = request.headers.get("Authorization", "")
        called = Called(name, "", {}, loop.time())
        self.office.calls.append(called)
        if len(self.office.calls) > KEPT:
            del self.office.calls[: KEPT // 2]
        try:
            return await self.answer(request, name, authorization, called)
        except ApiError as error:
            called.error = error.code
            return web.json_response({"ok": False, "error": error.code, **error.more})
        finally:
            called.done = loop.time()
            self.office.answered(called)

    async def answer(
        self, request: web.Request, name: str, authorization: str, called: Called,
    ) -> web.StreamResponse:
        """What the call gets, whatever goes wrong with it. Raises `ApiError`."""
        given = called.args = await arguments(request)
        shown = given.pop("token", "")
        token = authorization.removeprefix("Bearer ") if authorization.startswith("Bearer ") else shown
        if name not in DO:
            raise ApiError("unknown_method", req_method=name)
        if request.method == "GET" and name not in GETS:
            called.error = "405"
            return web.Response(status=405)
        workspace = self.workspace(METHODS[name], name, token)
        called.workspace = workspace.id
        # Of every method, though few pages say so: bolt's clients send it along.
        if given.pop("team_id", workspace.id) != workspace.id and workspace.enterprise == "":
            raise ApiError("team_access_not_granted")
        fault = self.fault(name)
        wait = fault.seconds if isinstance(fault, Limited) else \
            self.office.limits.wait(name, workspace.id, str(given.get("channel", "")))
        if wait:
            called.error = "ratelimited"
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429,
                                     headers={"Retry-After": str(wait)})
        if isinstance(fault, Says):
            raise ApiError(fault.error, **fault.more)
        if isinstance(fault, Breaks | Tears) and not fault.after:
            return broken(request, called, fault)
        said = {"ok": True, **self.do(METHODS[name], workspace, name, given, authorization)}
        if isinstance(fault, Breaks | Tears):
            return broken(request, called, fault)
        if isinstance(fault, Dawdles):
            await asyncio.sleep(fault.seconds)
        return web.json_response(said, headers={"X-OAuth-Scopes": ",".join(sorted(workspace.scopes))})

    def workspace(self, method: Method, name: str, token: str) -> Workspace:
        """Whose token it is; raises `ApiError`."""
        office = self.office
        first = next(iter(office.workspaces.values()))
        if method.app_level:
            if token != office.app_token:
                raise ApiError("not_allowed_token_type" if token.startswith("xoxb-") else "invalid_auth")
            return first
        if name == "oauth.v2.access":
            return first
        if not token:
            raise ApiError("not_authed")
        for workspace in office.workspaces.values():
            if workspace.token == token:
                if workspace.revoked:
                    raise ApiError("token_revoked")
                if not workspace.installed:
                    raise ApiError("account_inactive")
                return workspace
        raise ApiError("invalid_auth")

    def do(self, method: Method, workspace: Workspace, name: str, given: Json, authorization: str) -> Json:
        """Looks at scopes and arguments, then does it."""
        if missing := [scope for scope in method.scopes if scope not in workspace.scopes and not method.app_level]:
            raise ApiError("missing_scope", needed=",".join(missing), provided=",".join(sorted(workspace.scopes)))
        return DO[name](Call(self.office, workspace, name, typed(method, given), authorization))

    def fault(self, name: str) -> Any:
        """What goes wrong with this call."""
        waiting = self.office.faults.get(name)
        return waiting.popleft() if waiting else None

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """``/respond/{key}``: what is said to a ``response_url``."""
        office, key = self.office, request.match_info["key"]
        called = Called("response_url", "", {}, asyncio.get_running_loop().time())
        office.calls.append(called)
        try:
            given = called.args = await request.json()
            fault = self.fault("response_url")
            if isinstance(fault, Limited):
                called.error = "ratelimited"
                return web.Response(status=429, headers={"Retry-After": str(fault.seconds)})
            if isinstance(fault, Breaks | Tears) and not fault.after:
                return broken(request, called, fault)
            self.responded(self.open_address(key), given)
            return broken(request, called, fault) if isinstance(fault, Breaks | Tears) else web.Response(text="ok")
        except ApiError as error:
            called.error = error.code
            return web.json_response({"ok": False, "error": error.code}, status=404)
        finally:
            called.done = asyncio.get_running_loop().time()
            self.office.answered(called)

    def open_address(self, key: str) -> Respond:
        """A ``response_url``, used once more. Raises `ApiError`."""
        to = self.office.responds.get(key)
        if to is None or self.office.clock() - to.made > RESPONSE_LIFE:
            raise ApiError("expired_url" if to else "invalid_url")
        if to.used >= RESPONSES:
            raise ApiError("used_url")
        to.used += 1
        return to

    def responded(self, to: Respond, given: Json) -> None:
        """Posts, replaces or removes."""
        known = {"text", "blocks", "attachments", "response_type", "replace_original", "delete_original", "thread_ts",
                 "unfurl_links", "unfurl_media", "metadata", "mrkdwn"}
        if extra := given.keys() - known:
            raise ApiError("invalid_payload", extra=sorted(extra))
        w, office = to.workspace, self.office
        # An app's own message alone can be replaced; after a command or a shortcut a new one comes.
        source = to.source if isinstance(to.source, Ephemeral) or (to.source and to.source.bot_id == w.bot_id) else None
        if given.get("delete_original"):
            if isinstance(source, Ephemeral):
                source.removed = True
            elif isinstance(source, Post):
                office.removed(w, w.channels[to.channel], source)
            return
        text, blocks = given.get("text", ""), read_blocks(given["blocks"]) if "blocks" in given else []
        if not text and not blocks:
            raise ApiError("no_text")
        if given.get("replace_original") and source is not None:
            source.text, source.blocks = text, blocks
            if isinstance(source, Post):
                source.updates += 1
                source.note()
        elif given.get("response_type") == "in_channel":
            channel = w.channels[to.channel]
            post = Post(office.stamps.next(), channel.id, w.bot.id, text, given.get("thread_ts") or to.thread, blocks,
                        w.bot_id)
            office.posted(w, channel, post)
        else:
            thread = given.get("thread_ts") or to.thread
            w.ephemerals.append(Ephemeral(office.stamps.next(), to.channel, to.user, text, blocks, thread, w.bot.id))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """``/files-pri/{id}/{name}``: the bytes; without a token the page where people sign in."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        team, _, file = request.match_info["id"].partition("-")
        workspace = self.office.workspaces.get(team)
        called = Called("file", team, {"file": file}, asyncio.get_running_loop().time())
        self.office.calls.append(called)
        try:
            fault = self.fault("file")
            if isinstance(fault, Breaks | Tears):
                return broken(request, called, fault)
            if isinstance(fault, Dawdles):
                await asyncio.sleep(fault.seconds)
            if workspace is None or token != workspace.token or workspace.revoked \
                    or "files:read" not in workspace.scopes:
                return web.Response(text="<!DOCTYPE html><title>Sign in</title>", content_type="text/html")
            if file not in workspace.files:
                return web.Response(status=404)
            told, data = workspace.files[file]
            return web.Response(body=data, content_type=told["mimetype"])
        finally:
            called.done = asyncio.get_running_loop().time()
            self.office.answered(called)


def broken(request: web.Request, called: Called, fault: Breaks | Tears) -> web.StreamResponse:
    """A server error, or a connection that ends before an answer."""
    if isinstance(fault, Breaks):
        called.error = str(fault.status)
        return web.Response(status=fault.status, text="so it goes")
    called.error = "torn"
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def arguments(request: web.Request) -> Json:
    """From the address, a form or JSON."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            raise ApiError("invalid_json") from None
        if not isinstance(body, dict):
            raise ApiError("json_not_object")
        return given | body
    if request.can_read_body:
        given |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return given


def typed(method: Method, given: Json) -> Json:
    """The documented arguments, each of its type. Raises `ApiError` for any other."""
    wrong = [f"[ERROR] unknown argument: {name}" for name in given if name not in method.types]
    wrong += [f"[ERROR] missing required field: {name}" for name in method.required if given.get(name) in (None, "")
              and not (name == "status" and given.get(name) == "")]
    read: Json = {}
    for name, value in given.items():
        if value is None or name not in method.types:
            continue
        try:
            read[name] = read_as(method.types[name], value)
        except (ValueError, TypeError, KeyError):
            if name == "blocks":
                raise ApiError("invalid_blocks_format") from None
            wrong.append(f"[ERROR] must be a valid {method.types[name]} [json-pointer:/{name}]")
    if wrong:
        raise ApiError("invalid_arguments", response_metadata={"messages": wrong})
    return read


def read_as(kind: str, value: Any) -> Any:
    """A form holds strings only. Raises `ValueError` or `TypeError`."""
    match kind:
        case "bool":
            return value if isinstance(value, bool) else \
                {"1": True, "true": True, "0": False, "false": False}[str(value).lower()]
        case "int":
            return int(value)
        case "list" | "dict":
            if isinstance(value, str):
                value = json.loads(value) if value[:1] in "[{" else value.split(",")
            if not isinstance(value, list if kind == "list" else dict):
                raise TypeError
            return value
    if not isinstance(value, str):
        raise TypeError
    return value
