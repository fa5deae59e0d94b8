"""Events that come in: stored, then acknowledged; turned away with a reason; never lost."""

from __future__ import annotations

import asyncio
import json
import socket
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.loopback.config import LoopbackConfig
from adapters.loopback.normalise import bare, read
from adapters.loopback.platform import Loopback
from engine.errors import BadEvent, PlatformUnavailable, StoreUnavailable
from engine.messages import Deleted, Edited, Said
from tests.adapters.loopback.talk import Pile, a_message_event, listening

SECRET = "swordfish"
AWAY = StoreUnavailable("the disk is full")


async def test_a_message_is_on_disk_before_it_is_acknowledged() -> None:
    pile = Pile()
    pile.open.clear()
    async with listening(pile) as chat:
        pushing = asyncio.create_task(chat.push(a_message_event()))
        await asyncio.sleep(0.05)
        assert not pushing.done()
        pile.open.set()
        assert await pushing == (200, {"new": True})
    (said,) = pile.events
    assert isinstance(said, Said)
    assert (said.key, said.message.id, said.message.conversation) == ("loopback:k1", "loopback:m1", "loopback:general")
    assert (said.message.author, said.message.author_name, said.addressed) == ("loopback:ann", "Ann", True)
    assert said.message.text == "how much notice before annual leave?"
    place = said.message.place
    assert (place.platform, place.workspace, place.channel, place.person) == (
        "loopback", "acme", "general", "loopback:ann")
    assert (place.thread, place.direct) == (None, False)
    assert said.message.sent_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


async def test_a_redelivery_is_acknowledged_as_known() -> None:
    pile = Pile()
    async with listening(pile) as chat:
        assert [await chat.push(a_message_event()) for _ in range(2)] == [(200, {"new": True}), (200, {"new": False})]
    assert len(pile.events) == 1


async def test_edits_and_deletions_are_events_of_their_own() -> None:
    pile = Pile()
    async with listening(pile) as chat:
        edit = {"type": "edit", "key": "k2", "id": "m1", "text": "never mind", "at": "2026-03-02T13:00:00+01:00"}
        await chat.push(edit)
        await chat.push({"type": "delete", "key": "k3", "id": "m1", "at": "2026-03-02T12:00:01Z"})
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert pile.events == [
        Edited("loopback:k2", "loopback:m1", "never mind", noon),      # type: ignore[arg-type]
        Deleted("loopback:k3", "loopback:m1", noon + timedelta(seconds=1)),     # type: ignore[arg-type]
    ]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in a_message_event(text=SECRET).items() if key != name}


MALFORMED = {
    "nothing": (b"", "truncated"),
    "not JSON": (b"swordfish", "malformed"),
    "half a message": (json.dumps(a_message_event(text=SECRET)).encode()[:-9], "truncated"),
    "two messages": (2 * json.dumps(a_message_event(text=SECRET)).encode(), "trailing"),
    "a list": (b'["swordfish"]', "Expected `object`"),
    "no type": (json.dumps(without("type")).encode(), "missing required field `type`"),
    "another type": (json.dumps(a_message_event(type=SECRET)).encode(), "unknown type"),
    "a number for a type": (json.dumps(a_message_event(type=3)).encode(), "`$.type`"),
    **{f"no {name}": (json.dumps(without(name)).encode(), f"missing required field `{name}`")
       for name in ("key", "id", "conversation", "channel", "workspace", "author", "text", "at") if name != "text"},
    "no text": (json.dumps(without("text")).encode(), "missing required field `text`"),
    "a number for an author": (json.dumps(a_message_event(author=7, text=SECRET)).encode(), "`$.author`"),
    "null for a text": (json.dumps(a_message_event(text=None)).encode(), "`$.text`"),
    "an empty key": (json.dumps(a_message_event(key="", text=SECRET)).encode(), "must not be empty"),
    "an empty author": (json.dumps(a_message_event(author="", text=SECRET)).encode(), "must not be empty"),
    "a time without its offset": (json.dumps(a_message_event(at="2026-03-02T12:00:00")).encode(), "`$.at`"),
    "a time that is none": (json.dumps(a_message_event(at=SECRET)).encode(), "`$.at`"),
    "a time before the calendar": (json.dumps(a_message_event(at="0001-01-01T00:00:00+14:00")).encode(), "calendar"),
    "invalid UTF-8": (json.dumps(a_message_event()).encode().replace(b"annual", b"\xff\xfe"), "not UTF-8"),
    "half a pair": (json.dumps(a_message_event(text="@")).encode().replace(b'"@"', b'"\\ud83c"'), "surrogate"),
    "endless depth": (b'{"type":"edit","x":' + b"[" * 5000, "nested too deeply"),
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps(a_message_event()).encode(), "malformed"),
}


@pytest.mark.parametrize("kind", MALFORMED)
async def test_a_malformed_event_is_refused_with_a_reason_and_kept(kind: str) -> None:
    body, reason = MALFORMED[kind]
    pile = Pile()
    async with listening(pile) as chat:
        status, said = await chat.push_raw(body)
        after = await chat.push(a_message_event())
    assert status == 400
    assert reason in said["error"]
    assert SECRET not in said["error"]
    assert pile.rejected == [("loopback", body, said["error"])]
    assert after == (200, {"new": True})


async def test_an_event_that_no_store_takes_is_kept_as_well() -> None:
    pile = Pile(broken=BadEvent("key must be 1 to 160 printable characters"))
    async with listening(pile) as chat:
        status, said = await chat.push(a_message_event(key="k" * 500))
    assert (status, said) == (400, {"error": "key must be 1 to 160 printable characters"})
    assert len(pile.rejected) == 1


async def test_a_body_that_says_it_is_compressed_and_is_not() -> None:
    pile = Pile()
    async with listening(pile) as chat, aiohttp.ClientSession() as session:
        raw = json.dumps(a_message_event()).encode()
        for encoding, body, status in (("deflate", zlib.compress(raw), 200), ("gzip", b"no gzip at all", 400)):
            headers = {"Content-Encoding": encoding}
            async with session.post(f"{chat.bot}/events", data=body, headers=headers) as answer:
                assert answer.status == status
        assert await chat.push(a_message_event()) == (200, {"new": False})


async def test_a_message_of_a_megabyte_is_taken() -> None:
    pile = Pile()
    async with listening(pile) as chat:
        assert await chat.push(a_message_event(text="x" * 1_000_000)) == (200, {"new": True})
    (said,) = pile.events
    assert isinstance(said, Said)
    assert len(said.message.text) == 1_000_000


async def test_more_than_the_limit_is_refused_and_its_beginning_kept() -> None:
    pile = Pile()
    async with listening(pile, event_bytes=2000) as chat:
        status, said = await chat.push(a_message_event(text=SECRET * 1000))
        assert await chat.push(a_message_event()) == (200, {"new": True})
    assert (status, said) == (413, {"error": "event of more than 2000 bytes"})
    (platform, raw, reason), = pile.rejected
    assert (platform, len(raw), reason) == ("loopback", 2000, "event of more than 2000 bytes")


async def test_a_bomb_is_not_unpacked() -> None:
    pile = Pile()
    async with listening(pile, event_bytes=2000) as chat, aiohttp.ClientSession() as session:
        bomb = zlib.compress(bytes(50_000_000))
        async with session.post(f"{chat.bot}/events", data=bomb, headers={"Content-Encoding": "deflate"}) as answer:
            assert answer.status in (400, 413)
    assert [len(raw) <= 2000 for _, raw, _ in pile.rejected] == [True]


async def test_without_a_store_nothing_is_acknowledged() -> None:
    pile = Pile(broken=AWAY)
    async with listening(pile) as chat:
        assert (await chat.push(a_message_event()))[0] == 503
        pile.broken = None
        assert await chat.push(a_message_event()) == (200, {"new": True})
    assert pile.rejected == []


async def test_a_malformed_event_that_cannot_be_kept_is_asked_for_again() -> None:
    pile = Pile(reject_broken=AWAY)
    async with listening(pile) as chat:
        status, said = await chat.push_raw(b"{")
    assert (status, said) == (503, {"error": "cannot store anything right now"})


@pytest.mark.parametrize("header", ["", "Bearer wrong", "swordfish", "Bearer schwertfisch ß", "Basic swordfish"])
async def test_a_stranger_is_turned_away(header: str) -> None:
    pile = Pile()
    async with listening(pile, token=SECRET) as chat, aiohttp.ClientSession() as session:
        headers = {"Authorization": header} if header else {}
        for body in (json.dumps(a_message_event()), "{"):
            async with session.post(f"{chat.bot}/events", data=body, headers=headers) as answer:
                assert answer.status == 401
        assert await chat.push(a_message_event()) == (200, {"new": True})
    assert (len(pile.events), pile.rejected) == (1, [])


async def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with Loopback.open(LoopbackConfig("http://127.0.0.1:1", "127.0.0.1", port)) as platform:
            with pytest.raises(PlatformUnavailable, match=f"cannot listen on 127.0.0.1:{port}: .*in use"):
                await platform.listen(Pile())


async def test_a_cancelled_platform_hears_nothing_more() -> None:
    async with Loopback.open(LoopbackConfig("http://127.0.0.1:1", "127.0.0.1", 0)) as platform:
        task = asyncio.create_task(platform.listen(Pile()))
        port = await platform.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await reader.read() == b""       # it hung up on who was connected
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6,
)


@given(st.binary(max_size=200) | st.dictionaries(
    st.sampled_from(sorted(a_message_event())), json_values | st.sampled_from(["message", "edit", "delete"]),
).map(lambda event: json.dumps({**a_message_event(), **event}).encode()))
def test_whatever_comes_is_an_event_or_a_bad_one(raw: bytes) -> None:
    try:
        event = read(raw)
    except BadEvent:
        return
    assert event.key.startswith("loopback:")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
names = texts.filter(bool)


@given(key=names, id=names, conversation=names, channel=texts, author=names, text=texts, name=texts,
       thread=st.none() | texts, direct=st.booleans(), addressed=st.booleans(),
       at=st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))     # noqa: DTZ001
def test_a_message_arrives_as_it_was_sent(**fields: Any) -> None:
    sent = a_message_event(**{**fields, "at": fields["at"].isoformat()})
    said = read(json.dumps(sent).encode())
    assert isinstance(said, Said)
    m = said.message
    heard = {"key": bare(said.key), "id": bare(m.id), "conversation": bare(m.conversation), "channel": m.place.channel,
             "author": bare(m.author), "text": m.text, "name": m.author_name, "thread": m.place.thread,
             "direct": m.place.direct, "addressed": said.addressed, "at": m.sent_at}
    assert heard == fields
