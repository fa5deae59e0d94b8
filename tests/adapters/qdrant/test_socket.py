"""Another process asks the one that has the index."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import uvloop

from adapters.qdrant import frames
from adapters.qdrant.index import PassageIndex
from adapters.qdrant.socket import LARGEST, Ask, RemoteIndex, SharedIndex, Told, in_folder, open_index, serve
from engine.errors import BotError, RetrieverUnavailable, StoreUnavailable
from engine.messages import Audience, Found, MessageId, Passage, PersonId, Place
from tests.adapters.qdrant.worlds import ANN, Bags, a_page, ask, documents

LEAVE = "# Leave\n\nGive four weeks notice."


class Failing:
    """A retriever on a bad day."""

    async def find(self, *_: object, **__: object) -> Found:
        raise RetrieverUnavailable("the disk is full")

    async def search(self, *_: object, **__: object) -> Found:
        raise RetrieverUnavailable("the disk is full")

    async def still_readable(self, *_: object) -> tuple[Passage, ...]:
        raise RetrieverUnavailable("the disk is full")


async def test_the_second_asks_the_first(tmp_path: Path) -> None:
    async with open_index(tmp_path, Bags()) as first:
        assert first.own
        await first.own.put([a_page("leave.md", LEAVE)])
        async with open_index(tmp_path, Bags()) as second, open_index(tmp_path, Bags()) as third:
            assert second.own is None
            assert await ask(second, "notice") == await ask(third, "notice") == await ask(first, "notice")
        assert documents(await ask(first, "notice")) == ["leave.md"]


async def test_when_the_owner_ends_one_of_the_others_takes_over(tmp_path: Path) -> None:
    async with AsyncExitStack() as others:
        async with open_index(tmp_path, Bags()) as first:
            assert first.own
            await first.own.put([a_page("leave.md", LEAVE)])
            second = await others.enter_async_context(open_index(tmp_path, Bags()))
            third = await others.enter_async_context(open_index(tmp_path, Bags()))
            assert documents(await ask(second, "notice")) == ["leave.md"]
        found = await asyncio.gather(ask(second, "notice"), ask(third, "notice"), ask(second, "days"))
        assert [documents(f) for f in found] == [["leave.md"]] * 3
        assert (second.own is None) != (third.own is None)


async def test_one_who_comes_a_moment_too_early_waits_for_the_socket(tmp_path: Path) -> None:
    async def owner(leave: asyncio.Event, locked: asyncio.Event) -> None:
        async with PassageIndex.open(tmp_path, Bags()) as index:
            locked.set()
            await asyncio.sleep(0.05)
            async with serve(index, tmp_path / "socket"):
                await leave.wait()

    leave, locked = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(owner(leave, locked))
        await locked.wait()
        async with open_index(tmp_path, Bags()) as opened:
            assert opened.own is None
        leave.set()


async def test_the_socket_is_for_its_owner_alone_and_goes_with_it(tmp_path: Path) -> None:
    async with serve(Failing(), tmp_path / "socket"):
        assert stat.S_IMODE((tmp_path / "socket").stat().st_mode) == 0o600
    assert not (tmp_path / "socket").exists()


async def test_a_leftover_socket_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "socket").write_text("of a process that was killed")
    async with serve(Failing(), tmp_path / "socket"):
        with pytest.raises(RetrieverUnavailable, match="the disk is full"):
            await ask(RemoteIndex(tmp_path / "socket"), "notice")


async def test_a_path_too_long_for_a_socket_works_as_well(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    async with open_index(deep, Bags()), open_index(deep, Bags()) as second:
        assert await ask(second, "notice") == Found()


async def test_without_an_owner_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(RetrieverUnavailable):
        await ask(RemoteIndex(tmp_path / "socket"), "notice")


@asynccontextmanager
async def a_peer(path: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("nonsense", [
    b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x03abc", (LARGEST + 1).to_bytes(4, "big"), frames.packed({"question": 1}),
    b"\0\0",
])
async def test_nonsense_harms_nobody_else(tmp_path: Path, nonsense: bytes) -> None:
    async with open_index(tmp_path, Bags()):
        async with a_peer(tmp_path / "socket") as (reader, writer):
            writer.write(nonsense)
            writer.write_eof()
            told = await reader.read()
            assert not told or told == frames.packed(Told(error=msgspec.msgpack.decode(told[frames.HEAD :])["error"]))
        assert await ask(RemoteIndex(tmp_path / "socket"), "notice") == Found()


async def test_an_owner_leaves_though_somebody_is_still_connected(tmp_path: Path) -> None:
    answer = frames.packed(Told(Found()))
    async with open_index(tmp_path, Bags()):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "socket"))
        writer.write(frames.packed(Ask(("notice",), ANN, 6)))
        assert await reader.readexactly(len(answer)) == answer
    assert await reader.read() == b""
    writer.close()


def test_it_works_on_uvloop_too(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_index(tmp_path, Bags()) as first, open_index(tmp_path, Bags()) as second:
            assert first.own
            await first.own.put([a_page("leave.md", LEAVE)])
            assert documents(await ask(second, "notice", ANN)) == ["leave.md"]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story())


async def test_what_was_taken_back_elsewhere_the_owner_takes_out(tmp_path: Path) -> None:
    heard: list[tuple[str, bool]] = []

    async def heed(message: MessageId, deleted: bool) -> None:
        heard.append((message, deleted))
        if message == "bad":
            raise StoreUnavailable("locked")
        if message == "odd":
            raise BotError("the sources cannot be understood")

    async with open_index(tmp_path, Bags()) as first, open_index(tmp_path, Bags()) as second:
        for each in (first, second):        # nobody knows more than the index yet: it is not done
            with pytest.raises(RetrieverUnavailable, match="another command has the index"):
                await each.recall(MessageId("early"), True)
        first.heed = heed
        await second.recall(MessageId("test:ops/1"), True)
        await first.recall(MessageId("test:ops/2"), False)
        with pytest.raises(RetrieverUnavailable, match="locked"):
            await second.recall(MessageId("bad"), True)
        with pytest.raises(RetrieverUnavailable, match="cannot be understood"):
            await second.recall(MessageId("odd"), True)
    assert heard == [("test:ops/1", True), ("test:ops/2", False), ("bad", True), ("odd", True)]


async def test_what_the_file_of_sources_takes_back_the_owner_forgets_and_counts(tmp_path: Path) -> None:
    async def minds() -> dict[str, int]:
        return {"wiki": 7}

    async with open_index(tmp_path, Bags()) as first, open_index(tmp_path, Bags()) as second:
        for each in (first, second):
            with pytest.raises(RetrieverUnavailable, match="another command has the index"):
                await each.mind()
        first.minds = minds
        assert (await first.mind(), await second.mind()) == ({"wiki": 7}, {"wiki": 7})


async def test_an_index_that_is_away_at_the_start_is_tried_again_with_each_question(tmp_path: Path) -> None:
    tries = 0

    async def opener(shared: SharedIndex, stack: AsyncExitStack) -> PassageIndex | RemoteIndex:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise RetrieverUnavailable(f"no server, {tries}")
        return await in_folder(shared, stack)

    with pytest.raises(RetrieverUnavailable, match="no server, 1"):
        async with open_index(tmp_path, Bags(), opener=opener):
            pass
    async with open_index(tmp_path, Bags(), opener=opener, patient=True) as shared:
        assert (shared.own, shared.away) == (None, "no server, 2")
        with pytest.raises(RetrieverUnavailable, match="no server, 2"):
            await shared.ready()
        with pytest.raises(RetrieverUnavailable, match="no server, 3"):
            await ask(shared, "notice")
        assert shared.away == "no server, 3"
        assert await shared.settled()
        assert (await ask(shared, "notice"), shared.away) == (Found(), "")


async def test_those_who_ask_at_once_wait_for_one_try(tmp_path: Path) -> None:
    tries = 0

    async def opener(shared: SharedIndex, stack: AsyncExitStack) -> PassageIndex | RemoteIndex:
        del shared, stack
        nonlocal tries
        tries += 1
        await asyncio.sleep(0.01)
        raise RetrieverUnavailable("no server")

    async with open_index(tmp_path, Bags(), opener=opener, patient=True) as shared:
        results = await asyncio.gather(*(ask(shared, "notice") for _ in range(20)), return_exceptions=True)
    assert {type(result) for result in results} == {RetrieverUnavailable}
    assert tries == 2


async def test_who_is_in_a_room_the_owner_says(tmp_path: Path) -> None:
    place = Place("slack", "T1", "C01", PersonId(""))

    async def room(asked: Place) -> Audience:
        assert asked == place
        return ANN

    async with open_index(tmp_path, Bags()) as first, open_index(tmp_path, Bags()) as second:
        with pytest.raises(RetrieverUnavailable, match="only while `bartizan run`"):
            await second.readers(place)
        first.room = room
        assert await second.readers(place) == await first.readers(place) == ANN
