"""The methods that write into a channel."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from tests.fake_slack.blocks import read_blocks
from tests.fake_slack.world import ApiError, Channel, Ephemeral, Json, Post, Status, Stream, escape

if TYPE_CHECKING:
    from tests.fake_slack.slack import Call

MARKDOWN: Final = 12_000        # characters of one ``markdown_text``
TEXT: Final = 40_000            # characters of a message; what is over is cut off
UPDATED: Final = 4_000          # bytes of the text of `chat.update`
METADATA: Final = 16_384        # bytes
BLOCKS_IN_STREAM: Final = 50
LINK: Final = re.compile(r"https?://[^\s|>]+")
CHUNKS: Final = frozenset({"markdown_text", "task_update", "plan_update", "blocks"})
TASK_STATES: Final = frozenset({"pending", "in_progress", "complete", "error"})


def post_message(call: Call) -> Json:
    """chat.postMessage"""
    channel = writable(call, call.args["channel"])
    thread = thread_of(call, channel)
    text, blocks = content(call)
    post = Post(call.slack.stamps.next(), channel.id, call.workspace.bot.id, text[:TEXT], thread, blocks,
                call.workspace.bot_id, metadata=metadata(call), broadcast=bool(call.args.get("reply_broadcast")),
                attachments=attachments(call))
    call.slack.posted(call.workspace, channel, post)
    if call.args.get("unfurl_links", True) and (link := LINK.search(post.seen)):
        call.slack.unfurl(call.workspace, channel, post, link[0])
    return {"channel": channel.id, "ts": post.ts, "message": call.slack.shown(call.workspace, post)}


def update(call: Call) -> Json:
    """chat.update"""
    channel = here(call, call.args["channel"])
    if channel.archived:
        raise ApiError("is_inactive")
    post = own(call, channel, call.args["ts"], "cant_update_message")
    if post.stream is Stream.LIVE:
        raise ApiError("streaming_state_conflict")
    if post.ts in call.slack.too_old_to_edit:
        raise ApiError("edit_window_closed")
    text = call.args.get("text")
    if text is not None and len(text.encode()) > UPDATED:
        raise ApiError("msg_too_long")
    if not {"text", "blocks", "attachments", "markdown_text", "metadata"} & call.args.keys():
        raise ApiError("no_text")
    before = call.slack.shown(call.workspace, post)
    if {"text", "blocks", "markdown_text", "attachments"} & call.args.keys():
        new, blocks = content(call, (post.text, post.blocks))
        if any(b["type"] == "rich_text" for b in post.blocks) and blocks and \
                not any(b["type"] == "rich_text" for b in blocks):
            raise ApiError("block_mismatch")
        keeps = text is None and "markdown_text" not in call.args and "blocks" not in call.args
        post.text, post.blocks = new, post.blocks if keeps else blocks
        post.edited = post.edited or not blocks
        post.stream = Stream.DONE if post.stream else None
        post.updates += 1
    if "metadata" in call.args:
        post.metadata = metadata(call)
    post.note()
    call.slack.changed(call.workspace, channel, post, before)
    call.workspace.statuses.pop((channel.id, post.thread_ts or post.ts), None)
    return {"channel": channel.id, "ts": post.ts, "text": post.text,
            "message": call.slack.shown(call.workspace, post)}


def delete(call: Call) -> Json:
    """chat.delete"""
    channel = here(call, call.args["channel"])
    if channel.archived:
        raise ApiError("is_archived")
    post = own(call, channel, call.args["ts"], "cant_delete_message")
    call.slack.removed(call.workspace, channel, post)
    return {"channel": channel.id, "ts": post.ts}


def post_ephemeral(call: Call) -> Json:
    """chat.postEphemeral"""
    channel = writable(call, call.args["channel"])
    if call.args["user"] not in channel.members:
        raise ApiError("user_not_in_channel")
    text, blocks = content(call)
    if len(text) > TEXT:
        raise ApiError("msg_too_long")
    shown = Ephemeral(call.slack.stamps.next(), channel.id, call.args["user"], text, blocks,
                      thread_of(call, channel), call.workspace.bot.id)
    call.workspace.ephemerals.append(shown)
    return {"message_ts": shown.ts}


def start_stream(call: Call) -> Json:
    """chat.startStream"""
    channel = writable(call, call.args["channel"])
    if channel.kind in ("channel", "group", "mpim"):
        if not call.args.get("recipient_team_id"):
            raise ApiError("missing_recipient_team_id")
        if not call.args.get("recipient_user_id"):
            raise ApiError("missing_recipient_user_id")
        if call.args["recipient_user_id"] not in call.workspace.people:
            raise ApiError("user_not_found")
    if call.slack.no_streams:
        raise ApiError(call.slack.no_streams)
    thread = thread_of(call, channel)
    post = Post(call.slack.stamps.next(), channel.id, call.workspace.bot.id, "", thread,
                bot_id=call.workspace.bot_id, stream=Stream.LIVE, born=call.slack.clock())
    call.slack.modes[post.ts] = "chunks" if "chunks" in call.args else "markdown_text"
    grow(call, post, needed=False)
    call.slack.posted(call.workspace, channel, post)
    return {"channel": channel.id, "ts": post.ts}


def append_stream(call: Call) -> Json:
    """chat.appendStream"""
    channel = here(call, call.args["channel"])
    post = streaming(call, channel)
    grow(call, post, needed=True)
    post.note()
    return {"channel": channel.id, "ts": post.ts}


def stop_stream(call: Call) -> Json:
    """chat.stopStream"""
    channel = here(call, call.args["channel"])
    post = streaming(call, channel)
    blocks = read_blocks(call.args["blocks"]) if "blocks" in call.args else []
    before = call.slack.shown(call.workspace, post)
    grow(call, post, needed=False)
    if "metadata" in call.args:
        post.metadata = metadata(call)
    post.blocks += blocks
    post.text = post.streamed
    post.stream = Stream.DONE
    post.note()
    call.slack.changed(call.workspace, channel, post, before)
    call.workspace.statuses.pop((channel.id, post.thread_ts or post.ts), None)
    return {"channel": channel.id, "ts": post.ts, "message": call.slack.shown(call.workspace, post)}


def permalink(call: Call) -> Json:
    """chat.getPermalink"""
    channel = here(call, call.args["channel"])
    if call.args["message_ts"] not in channel.posts:
        raise ApiError("message_not_found")
    post = channel.posts[call.args["message_ts"]]
    return {"channel": channel.id, "permalink": call.slack.permalink(call.workspace, post)}


def set_status(call: Call) -> Json:
    """assistant.threads.setStatus"""
    channel = here(call, call.args["channel_id"])
    thread, loading = call.args["thread_ts"], call.args.get("loading_messages", [])
    if thread not in channel.posts and not call.slack.is_assistant_thread(channel, thread):
        raise ApiError("invalid_thread_ts")
    if len(loading) > 10 or not all(isinstance(message, str) for message in loading):
        raise ApiError("invalid_arguments", response_metadata={"messages": ["no more than 10 loading_messages"]})
    if call.args["status"]:
        status = Status(call.args["status"], tuple(loading), call.slack.clock())
        call.workspace.statuses[(channel.id, thread)] = status
        call.slack.statuses_seen.append((channel.id, thread, status.text))
    else:
        call.workspace.statuses.pop((channel.id, thread), None)
    return {}


def set_title(call: Call) -> Json:
    """assistant.threads.setTitle"""
    channel = assistant(call)
    channel.title[call.args["thread_ts"]] = call.args["title"]
    return {}


def set_prompts(call: Call) -> Json:
    """assistant.threads.setSuggestedPrompts"""
    channel = assistant(call)
    prompts = call.args["prompts"]
    if not 1 <= len(prompts) <= 4 or not all(p.keys() == {"title", "message"} for p in prompts):
        raise ApiError("invalid_arguments", response_metadata={"messages": ["1 to 4 prompts of title and message"]})
    channel.prompts = {"title": call.args.get("title", ""), "prompts": prompts,
                       "thread_ts": call.args.get("thread_ts")}
    return {}


def react(call: Call) -> Json:
    """reactions.add"""
    channel = here(call, call.args["channel"])
    if call.args["timestamp"] not in channel.posts:
        raise ApiError("message_not_found")
    who = channel.posts[call.args["timestamp"]].reactions.setdefault(call.args["name"], [])
    if call.workspace.bot.id in who:
        raise ApiError("already_reacted")
    who.append(call.workspace.bot.id)
    return {}


# What they share.


def here(call: Call, id: str) -> Channel:
    """A channel that the bot is in, or could look into."""
    channel = call.workspace.channel(id)
    if channel.kind != "channel" and call.workspace.bot.id not in channel.members:
        raise ApiError("channel_not_found")
    return channel


def writable(call: Call, id: str) -> Channel:
    """One that it may write into; somebody's id stands for the direct conversation."""
    if id in call.workspace.people:
        return call.slack.direct(call.workspace, id)
    channel = here(call, id)
    if channel.archived:
        raise ApiError("is_archived")
    if call.workspace.bot.id not in channel.members and "chat:write.public" not in call.workspace.scopes:
        raise ApiError("not_in_channel")
    if channel.id in call.slack.read_only:
        raise ApiError("restricted_action_read_only_channel")
    return channel


def thread_of(call: Call, channel: Channel) -> str | None:
    """The root to reply to, as the call names it."""
    ts = call.args.get("thread_ts")
    if not ts:
        return None
    post = channel.posts.get(ts)
    if call.slack.is_assistant_thread(channel, ts):
        return str(ts)
    if post is None or post.subtype == "tombstone" or (post.thread_ts and post.thread_ts != post.ts):
        # Of a reply's own ts Slack only says "avoid"; a strict fake finds whoever does not.
        raise ApiError("cannot_reply_to_message")
    return str(ts)


def own(call: Call, channel: Channel, ts: str, error: str) -> Post:
    """A message that the app wrote."""
    post = channel.posts.get(ts)
    if post is None or post.subtype == "tombstone":
        raise ApiError("message_not_found")
    if post.bot_id != call.workspace.bot_id:
        raise ApiError(error)
    call.slack.age(post)
    return post


def streaming(call: Call, channel: Channel) -> Post:
    """A stream of ours that still lives."""
    if channel.archived:
        raise ApiError("is_archived")
    post = own(call, channel, call.args["ts"], "message_not_owned_by_app")
    if post.stream is Stream.STOPPED and call.method == "chat.appendStream":
        raise ApiError("stopped_by_user")
    if post.stream is not Stream.LIVE:
        raise ApiError("message_not_in_streaming_state")
    return post


def grow(call: Call, post: Post, *, needed: bool) -> None:
    """Adds what a call of the stream brings."""
    text, chunks = call.args.get("markdown_text"), call.args.get("chunks")
    if text is not None and chunks is not None:
        raise ApiError("cannot_provide_both_markdown_text_and_chunks")
    if needed and not text and not chunks:
        raise ApiError("markdown_text_or_chunks_required")
    if given := "chunks" if chunks is not None else "markdown_text" if text is not None else "":
        mode = call.slack.modes[post.ts]
        # A stream that was started with neither takes the mode of what comes first.
        if given != mode and post.streamed:
            raise ApiError("streaming_mode_mismatch")
        call.slack.modes[post.ts] = given
    if text is not None and len(text) > MARKDOWN:
        raise ApiError("invalid_arguments", response_metadata={
            "messages": [f"[ERROR] must be less than {MARKDOWN + 1} characters [json-pointer:/markdown_text]"]})
    post.streamed += text or ""
    for chunk in chunks or ():
        add_chunk(post, chunk)
    if len(post.blocks) > BLOCKS_IN_STREAM:
        raise ApiError("msg_blocks_too_many")


def add_chunk(post: Post, chunk: Json) -> None:
    """One chunk of a stream."""
    match chunk:
        case {"type": "markdown_text", "text": str(text)} if len(text) <= MARKDOWN:
            post.streamed += text
        case {"type": "task_update", "id": str(), "title": str(), "status": status} if status in TASK_STATES:
            return
        case {"type": "plan_update", "title": str()}:
            return
        case {"type": "blocks", "blocks": blocks}:
            post.blocks += read_blocks(blocks)
        case _:
            raise ApiError("invalid_chunks")


def content(call: Call, before: tuple[str, list[Json]] | None = None) -> tuple[str, list[Json]]:
    """Text and blocks of a message."""
    text, markdown = call.args.get("text"), call.args.get("markdown_text")
    if markdown is not None:
        if text is not None or "blocks" in call.args:
            raise ApiError("markdown_text_conflict")
        if len(markdown) > MARKDOWN:
            raise ApiError("msg_too_long")
        return escape(markdown), [{"type": "markdown", "text": markdown}]
    blocks = read_blocks(call.args["blocks"]) if "blocks" in call.args else []
    if not text and not blocks and not call.args.get("attachments") and before is None:
        raise ApiError("no_text")
    if text is None and before is not None:
        text = before[0]
    return text or "", blocks


def attachments(call: Call) -> list[Json]:
    """The older kind of content."""
    given = call.args.get("attachments", [])
    if len(given) > 100:
        raise ApiError("too_many_attachments")
    return list(given)


def metadata(call: Call) -> Json | None:
    """Whatever an app wants to find again."""
    given: Any = call.args.get("metadata")
    if not given:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("event_type"), str) \
            or not isinstance(given.get("event_payload"), dict) or given.keys() - {"event_type", "event_payload"}:
        raise ApiError("invalid_metadata_format")
    if any(isinstance(value, dict) for value in given["event_payload"].values()):
        raise ApiError("invalid_metadata_schema")
    if len(json.dumps(given)) > METADATA:
        raise ApiError("metadata_too_large")
    return given


def assistant(call: Call) -> Channel:
    """A direct conversation with the bot."""
    channel = here(call, call.args["channel_id"])
    if channel.kind != "im":
        raise ApiError("channel_not_found")
    thread = call.args.get("thread_ts")
    if thread and thread not in channel.posts and not call.slack.is_assistant_thread(channel, thread):
        raise ApiError("invalid_thread_ts")
    return channel
