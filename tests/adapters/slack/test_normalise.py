"""Slack's payloads, as they are sent, to events of ours; and whatever text there is, to plain Markdown."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from adapters.slack import wire
from adapters.slack.ids import Workspace, moment, ts_of, user_of
from adapters.slack.listen import request_of
from adapters.slack.normalise import Heard, Ignored, OwnRemoved, Self, read_message, workspace_of
from adapters.slack.plain import calls_others, mentioned, plain
from adapters.sql.inbox import LONGEST_ID, storable
from engine.errors import BadEvent
from engine.messages import Deleted, Edited, Said

ME = Self(Workspace("T1"), "UBOT", "BBOT")
GRID = Self(Workspace("T0123456789", "E0123456789"), "WBOT")


@dataclass(frozen=True, slots=True)
class Book:
    """A few names."""

    users: dict[str, str] = field(default_factory=lambda: {"UANN": "ann", "UBOB": "bob", "UBOT": "Bartizan"})

    def user(self, id: str) -> str:
        return self.users.get(id, "")

    def channel(self, id: str) -> str:
        return {"CGENERAL": "general"}.get(id, "")

    def group(self, id: str) -> str:
        return {"SHR": "hr"}.get(id, "")


NAMES = Book()


def a_message(**more: Any) -> dict[str, Any]:
    """A message event, as it comes."""
    return {
        "type": "message", "client_msg_id": "9d1f", "text": "how much notice?", "user": "UANN",
        "ts": "1718000000.000100", "team": "T1", "channel": "CGENERAL", "channel_type": "channel",
        "event_ts": "1718000000.000100", "blocks": [{"type": "rich_text", "elements": []}], **more,
    }


def heard(event: dict[str, Any], me: Self = ME) -> Said:
    read = read_message(event, me, NAMES, b"{}")
    assert isinstance(read, Heard)
    assert isinstance(read.event, Said)
    return read.event


def test_a_message_of_a_channel() -> None:
    said = heard(a_message(text="<@UBOT> how much *notice*, <@UBOB>?"))
    m = said.message
    assert said.addressed
    assert (m.id, m.conversation, m.author, m.author_name, m.text) == snapshot((
        "slack:T1/CGENERAL/1718000000.000100",
        "slack:T1/CGENERAL/1718000000.000100",
        "slack:T1/UANN",
        "ann",
        "how much *notice*, @bob?",
    ))
    assert (m.place.platform, m.place.workspace, m.place.channel, m.place.thread, m.place.direct) == snapshot(
        ("slack", "T1", "CGENERAL", "1718000000.000100", False)
    )
    assert m.sent_at.isoformat() == "2024-06-10T06:13:20.000100+00:00"


def test_a_reply_belongs_to_the_thread_of_its_root() -> None:
    """S12"""
    said = heard(a_message(ts="1718000001.000100", thread_ts="1718000000.000100", parent_user_id="UBOB"))
    assert said.message.conversation == "slack:T1/CGENERAL/1718000000.000100"
    root = heard(a_message(thread_ts="1718000000.000100"))
    assert root.message.place.thread == "1718000000.000100"


def test_a_ts_is_a_name_and_no_number() -> None:
    """S12: as a float the last digit would go."""
    said = heard(a_message(ts="1718000000.000010"))
    assert said.message.id.endswith("/1718000000.000010")


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_what_a_person_says_in_other_ways_counts(subtype: str) -> None:
    """S11"""
    assert heard(a_message(subtype=subtype)).message.text == "how much notice?"


@pytest.mark.parametrize("event", [
    a_message(subtype="channel_join"), a_message(subtype="bot_message", user=None, bot_id="BOTHER"),
    a_message(bot_id="BOTHER"), a_message(user="UBOT"), a_message(user=None, bot_id="BBOT", subtype="bot_message"),
    a_message(hidden=True), a_message(subtype="tombstone", user="USLACKBOT"),
])
def test_what_nobody_says_to_us_is_passed_over(event: dict[str, Any]) -> None:
    """S9, S11"""
    assert isinstance(read_message(event, ME, NAMES, b""), Ignored)


@pytest.mark.parametrize("event", [
    {}, {"channel": None}, a_message(ts=1718000000.0001), a_message(ts="inf"), a_message(text=["a"]),
    a_message(user=None), a_message(subtype="hologram"), a_message(files="none"), a_message(subtype=3),
    {"type": "message", "subtype": "message_changed", "channel": "C1"},
    {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": 3},
])
def test_what_is_malformed_says_which_field_and_quotes_nothing(event: dict[str, Any]) -> None:
    with pytest.raises(BadEvent) as caught:
        read_message(event, ME, NAMES, b"")
    assert "notice" not in str(caught.value)


def test_files_that_can_be_fetched() -> None:
    """S27"""
    files = [
        {"id": "F1", "name": "a.txt", "mimetype": "text/plain", "size": 9, "mode": "hosted",
         "url_private": "https://files.slack.com/files-pri/T1-F1/a.txt",
         "url_private_download": "https://files.slack.com/files-pri/T1-F1/download/a.txt"},
        {"id": "F2", "mode": "tombstone"},
        {"id": "F3", "file_access": "check_file_info"},
    ]
    said = heard(a_message(subtype="file_share", files=files))
    assert [(f.id, f.name, f.url, f.size, f.kind) for f in said.message.files] == snapshot([
        ("F1", "a.txt", "https://files.slack.com/files-pri/T1-F1/download/a.txt", 9, "text/plain"),
        ("F3", "F3", "", 0, ""),
    ])


def test_a_message_that_is_passed_on_is_quoted() -> None:
    shared = {"is_share": True, "text": "Give <@UBOB> a call.\nSoon.", "author_name": "Cyd", "ts": "1.2"}
    preview = {"text": "A page about leave", "from_url": "https://example.com"}
    said = heard(a_message(text="what about this?", channel="DANN", channel_type="im", attachments=[shared, preview]))
    assert said.message.text == snapshot("""\
what about this?

> Cyd: Give @bob a call.
> Soon.\
""")


def test_an_edit_carries_the_text_from_inside() -> None:
    """S10"""
    inner = {"type": "message", "user": "UANN", "ts": "1718000000.000100"}
    changed = {
        "type": "message", "subtype": "message_changed", "channel": "CGENERAL", "hidden": True,
        "ts": "1718000009.000100", "event_ts": "1718000009.000100",
        "message": {**inner, "text": "new <@UBOB>", "edited": {"user": "UANN", "ts": "1718000008.000000"}},
        "previous_message": {**inner, "text": "old"},
    }
    read = read_message(changed, ME, NAMES, b"")
    assert isinstance(read, Heard)
    assert isinstance(read.event, Edited)
    assert (read.event.message, read.event.text) == ("slack:T1/CGENERAL/1718000000.000100", "new @bob")
    same = {**changed, "previous_message": {**inner, "text": "new <@UBOB|bob>"}}
    assert isinstance(read_message(same, ME, NAMES, b""), Ignored)
    of_ours = {**changed, "message": {**changed["message"], "user": "UBOT"}}    # type: ignore[dict-item]
    assert isinstance(read_message(of_ours, ME, NAMES, b""), Ignored)


def test_a_deletion_and_a_deletion_of_ours() -> None:
    """S9, S10"""
    gone = {"type": "message", "subtype": "message_deleted", "channel": "CGENERAL", "hidden": True,
            "deleted_ts": "1718000000.000100", "ts": "1718000009.000100", "event_ts": "1718000009.000100"}
    theirs = read_message({**gone, "previous_message": {"ts": "1718000000.000100", "user": "UANN"}}, ME, NAMES, b"")
    assert isinstance(theirs, Heard)
    assert isinstance(theirs.event, Deleted)
    for wrote in ({"user": "UBOT"}, {"bot_id": "BBOT"}):
        ours = read_message({**gone, "previous_message": {"ts": "1718000000.000100", **wrote}}, ME, NAMES, b"")
        assert isinstance(ours, OwnRemoved)
        assert ours.ts == "1718000000.000100"


def test_a_stranger_keeps_the_name_of_where_they_belong() -> None:
    """S29"""
    said = heard(a_message(user="UEVE", team="T9", user_team="T9", source_team="T9"))
    assert said.message.author == "slack:T9/UEVE"
    assert said.message.id.startswith("slack:T1/")


def test_a_grid_has_names_of_its_own_and_they_fit() -> None:
    """S28"""
    said = heard(a_message(channel="C0123456789", user="W0123456789", text="<@WBOT> hi"), GRID)
    assert (said.message.author, said.message.id) == snapshot((
        "slack:E0123456789/W0123456789", "slack:E0123456789.T0123456789/C0123456789/1718000000.000100",
    ))
    assert Workspace.of(said.message.place.workspace) == GRID.workspace
    ids = (said.key, said.message.id, said.message.conversation, said.message.author)
    assert all(len(id) <= LONGEST_ID for id in ids)
    storable(said)
    assert (ts_of(said.message.id), user_of(said.message.author)) == ("1718000000.000100", "W0123456789")


def test_an_event_names_the_installation_that_hears_it() -> None:
    """S28, S29: in a shared channel the team may be the other side's."""
    envelope = wire.read(wire.Envelope, {
        "event": {}, "team_id": "T9", "enterprise_id": "E9",
        "authorizations": [{"team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": False}],
    })
    assert workspace_of(envelope) == Workspace("T1", "E1")
    assert workspace_of(wire.read(wire.Envelope, {"event": {}, "team_id": "T1"})) == Workspace("T1")
    with pytest.raises(BadEvent):
        workspace_of(wire.read(wire.Envelope, {"event": {}}))


@pytest.mark.parametrize(("sent", "reads"), [
    ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
    ("<@UANN> and <@UANN|ann> and <@UWHO>", "@ann and @ann and @UWHO"),
    ("<@UWHO|eve>", "@eve"),
    ("<#CGENERAL> <#C2|random> <#C3|>", "#general #random #C3"),
    ("<!here> <!channel> <!subteam^SHR> <!subteam^S2|@ops>", "@here @channel @hr @ops"),
    ("<!date^1718000000^{date}|10 June>", "10 June"),
    ("<https://example.com/a>", "https://example.com/a"),
    ("<http://example.com|example.com>", "example.com"),
    ("<mailto:a@b.example|a@b.example> <tel:+49|+49>", "a@b.example +49"),
    ("<https://e.com/?a=1&amp;b=2|the [page]>", "[the \\[page\\]](https://e.com/?a=1&b=2)"),
    ("if a <b or b> a", "if a <b or b> a"),
])
def test_text_is_read_as_it_was_meant(sent: str, reads: str) -> None:
    """S13"""
    assert plain(sent, NAMES) == reads


def test_who_is_spoken_to_at_the_beginning_is_not_part_of_the_question() -> None:
    assert plain("<@UBOT>: what is <@UBOT> for?", NAMES, bot="UBOT") == "what is @Bartizan for?"
    assert plain("  <@UBOT|bartizan>, hello", NAMES, bot="UBOT") == "hello"
    assert plain("hello <@UBOT>", NAMES, bot="UBOT") == "hello @Bartizan"


def test_who_is_named() -> None:
    assert mentioned("<@UANN> <@UBOB|bob> <@UANN> &lt;@UCYD&gt;") == ("UANN", "UBOB")
    assert not calls_others("<@UBOT> hi", "UBOT")
    assert all(calls_others(text, "UBOT") for text in ("<@UANN> hi", "<!here>", "<!subteam^S1>", "<@UBOT> <@UANN>"))


@given(st.text(alphabet=st.sampled_from("<>@#!|&;abU1C \n[]()^*_`") | st.characters(), max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    plain(text, NAMES, bot="UBOT")
    mentioned(text)
    calls_others(text, "UBOT")


@given(st.text(max_size=200))
def test_what_slack_escaped_comes_back_as_it_was_typed(typed: str) -> None:
    """S13"""
    sent = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert plain(sent, NAMES) == typed


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5,
)
FIELDS = ("channel", "channel_type", "ts", "thread_ts", "user", "text", "files", "subtype", "message", "attachments",
          "previous_message", "deleted_ts", "bot_id", "team", "hidden", "event_ts")


@given(st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=4))
def test_any_field_may_be_anything(odd: dict[str, Any]) -> None:
    """It is an event, or passed over, or a `BadEvent`; nothing else."""
    try:
        read = read_message(a_message(**odd), ME, NAMES, b"{}")
        if isinstance(read, Heard):
            storable(read.event)
    except BadEvent:
        pass


@given(st.from_regex(re.compile(r"\d{1,10}\.\d{6}", re.ASCII), fullmatch=True))
def test_every_ts_is_a_moment(ts: str) -> None:
    assert abs(moment(ts).timestamp() - float(ts)) < 1e-3


AROUND = (
    "type", "event", "authorizations", "team", "team_id", "enterprise", "enterprise_id", "user", "user_id", "view",
    "actions", "callback_id", "channel", "message", "container", "response_url", "is_enterprise_install", "command",
)
KINDS = st.sampled_from([
    "event_callback", "block_actions", "view_submission", "message_action", "shortcut", "url_verification", "other",
])


@given(st.dictionaries(st.sampled_from(AROUND), ODD, max_size=5), KINDS)
def test_around_an_event_there_may_be_anything(odd: dict[str, Any], kind: str) -> None:
    """What the library would stumble over is told apart before it is handed on."""
    for body in (odd, {**odd, "type": kind}, {**odd, "type": kind, "event": {"type": "message", **odd}}):
        for given_body in (body, json.dumps(body)):
            mode = "http" if isinstance(given_body, str) else "socket_mode"
            with suppress(BadEvent):
                request_of(given_body, {"content-type": "application/json"}, mode)


@given(st.text(max_size=50))
def test_a_body_may_be_no_json_at_all(body: str) -> None:
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        with suppress(BadEvent):
            request_of(body, {"content-type": kind}, "http")
