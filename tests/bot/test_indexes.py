"""An index on a server has one writer in each folder; when that one ends, another takes over."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.qdrant.errand import Tell
from adapters.qdrant.index import PassageIndex
from adapters.qdrant.parcel import Parcel, Shelved
from adapters.qdrant.points import Record
from adapters.qdrant.server import ServerOptions, open_generations
from adapters.qdrant.socket import SharedIndex, open_index
from adapters.qdrant.sync import SyncReport
from adapters.qdrant.turns import Turns
from adapters.qdrant.writers import ALIVE, WRITER
from bot.app import keep_indexed, open_bot
from bot.indexes import open_settled
from bot.settings import Settings
from bot.sources import Definition, Knowledge, SourceKind, write_definitions
from engine.errors import RetrieverUnavailable
from engine.messages import Audience, MessageId, PersonId, Place
from tests.adapters.qdrant.wire import Wire, a_wire
from tests.adapters.qdrant.worlds import ANN, QUIET, Bags, ask
from tests.fakes import Room

pytestmark = QUIET
HERE = Place("slack", "T1", "C01", PersonId(""))
SMALL = (sys.executable, "-m", "tests.adapters.qdrant.small_indexer")
WATCH = (sys.executable, "-m", "bot", "sync", "--watch", "--every", "1")


def on(wire: Wire, tmp_path: Path) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path / "data", "knowledge": {"qdrant_url": wire.url}})


class Heard:
    """What an owner was asked for."""

    def __init__(self, shared: SharedIndex) -> None:
        self.said: list[object] = []
        shared.heed, shared.works, shared.minds = self.recall, self.sync, self.mind
        shared.shelf, shared.room = self.shelve, self.readers

    async def recall(self, message: MessageId, deleted: bool) -> None:
        self.said.append((message, deleted))

    async def sync(self, only: str | None, full: bool, tell: Tell) -> Mapping[str, SyncReport]:
        tell("wiki", 1, 2)
        self.said.append((only, full))
        return {"wiki": SyncReport(added=2)}

    async def mind(self) -> Mapping[str, int]:
        return {"wiki": 3}

    async def shelve(self, parcel: Parcel) -> Shelved:
        self.said.append(parcel.message)
        return Shelved(frozenset(parcel.paths))

    async def readers(self, place: Place) -> Audience:
        return ANN if place == HERE else Audience()


async def test_the_others_of_a_folder_ask_its_writer_and_one_takes_over(tmp_path: Path) -> None:
    async with a_wire() as wire, asyncio.timeout(60):
        settings = on(wire, tmp_path)
        async with open_settled(settings) as first:
            second = await (others := open_settled(settings)).__aenter__()
            third = await (more := open_settled(settings)).__aenter__()
            assert (first.own is not None, second.own, third.own) == (True, None, None)
            with pytest.raises(RetrieverUnavailable, match="another command has the index"):
                await second.sync(None, False, lambda *_: None)
            heard, steps = Heard(first), list[tuple[str, int, int]]()
            await second.recall(MessageId("slack:C01/1"), True)
            assert await second.sync("wiki", True, lambda *step: steps.append(step)) == {"wiki": SyncReport(added=2)}
            assert await second.mind() == {"wiki": 3}
            parcel = Parcel(MessageId("slack:C01/2"), "slack:C01", ("a",))
            assert await second.shelve(parcel) == Shelved(frozenset({"a"}))
            assert await second.readers(HERE) == ANN
            assert (heard.said, steps) == (
                [("slack:C01/1", True), ("wiki", True), "slack:C01/2"], [("wiki", 1, 2)])
            assert first.own
            await first.own.put([(Record(
                "wiki/leave.md", "wiki", "h", "1", frozenset({"org"}), "", datetime(2026, 3, 2, tzinfo=UTC)), [])])
        heard = Heard(second)
        await second.recall(MessageId("slack:C01/3"), False)
        assert (heard.said, second.writer) == ([("slack:C01/3", False)], None)
        assert second.own
        assert set(second.own.records) == {"wiki/leave.md"}         # as the first one left it
        assert await third.settled()
        assert (third.own, await third.mind()) == (None, {"wiki": 3})
        await others.__aexit__(None, None, None)
        assert await third.settled()
        assert third.own is not None
        await more.__aexit__(None, None, None)


async def test_a_recall_finds_a_new_owner_in_a_folder_too(tmp_path: Path) -> None:
    async with open_index(tmp_path, Bags()) as first:
        second = await (others := open_index(tmp_path, Bags())).__aenter__()
        heard = Heard(first)
        await second.recall(MessageId("test:ops/1"), True)
        assert heard.said == [("test:ops/1", True)]
    heard = Heard(second)
    await second.recall(MessageId("test:ops/2"), True)
    assert heard.said == [("test:ops/2", True)]
    assert second.own is not None
    await others.__aexit__(None, None, None)


async def test_a_bot_becomes_the_writer_when_the_other_one_is_killed(tmp_path: Path) -> None:
    (pages := tmp_path / "pages").mkdir()
    (pages / "leave.md").write_text("# Leave\n\nGive four weeks notice.")
    async with a_wire() as wire, asyncio.timeout(300):
        settings = on(wire, tmp_path)
        settings.data_dir.mkdir(mode=0o700)
        write_definitions(settings.data_dir, [Definition("wiki", SourceKind.FOLDER, str(pages), ("org",))])
        other = await asyncio.create_subprocess_exec(
            *WATCH, env={**os.environ, "BARTIZAN_DATA_DIR": str(settings.data_dir),
                         "BARTIZAN_KNOWLEDGE__QDRANT_URL": wire.url})
        try:
            while not (settings.data_dir / "server" / "socket").exists():
                await asyncio.sleep(0.1)
            async with open_bot(settings, [Room(ANN)]) as bot:
                while not (await ask(bot.index, "notice")).passages:
                    await asyncio.sleep(0.1)
                assert bot.index.own is None
                keeping = asyncio.create_task(keep_indexed(bot))
                (pages / "leave.md").unlink()
                while (await ask(bot.index, "notice")).passages:        # by the other one
                    await asyncio.sleep(0.1)
                assert bot.index.own is None
                other.send_signal(signal.SIGKILL)
                await other.wait()
                (pages / "pay.md").write_text("# Pay\n\nPaid with notice.")
                while not (await ask(bot.index, "notice")).passages:
                    await asyncio.sleep(0.1)
                assert bot.index.own is not None
                write_definitions(settings.data_dir, [])
                while [each.title for each in (await ask(bot.index, "paid notice")).passages] == ["Pay"]:
                    await asyncio.sleep(0.1)
                keeping.cancel()
                await asyncio.wait([keeping])
        finally:
            if other.returncode is None:
                other.kill()
                await other.wait()


async def test_two_folders_with_other_sources_do_not_take_away_what_the_other_has(tmp_path: Path) -> None:
    """A second machine, or a laptop that looks into the index: what is no source there is one here."""
    for name in ("a", "b"):
        (tmp_path / name / "pages").mkdir(parents=True)
        (tmp_path / name / "pages" / "leave.md").write_text(f"# Leave\n\nThe page of {name}.")

    def source(name: str, of: str = "") -> Definition:
        return Definition(name, SourceKind.FOLDER, str(tmp_path / (of or name) / "pages"), ("org",))

    @asynccontextmanager
    async def a_folder(name: str, *sources: Definition) -> AsyncIterator[Knowledge]:
        settings = on(wire, tmp_path / name)
        write_definitions(settings.data_dir, sources)
        async with (
            open_generations(ServerOptions(wire.url)) as generations,
            PassageIndex.over(generations, Bags()) as index,
            Knowledge.open(index, settings, tmp_path, command=SMALL) as knowledge,
        ):
            yield knowledge

    async with a_wire() as wire:
        async with a_folder("a", source("a")) as knowledge:
            assert (await knowledge.sync())["a"].notes == ()
        async with a_folder("b", source("b")) as knowledge:
            (path, note), = (await knowledge.sync())["b"].notes
            assert path == ""
            assert note.startswith(f"{socket.gethostname()}:{tmp_path / 'a' / 'data'} writes to this index, too")
            assert knowledge.index.records.keys() == {"a/leave.md", "b/leave.md"}
        async with a_folder("a", source("a"), source("b")) as knowledge:
            assert await knowledge.mind() == {}
            write_definitions(knowledge.settings.data_dir, [source("b")])
            assert await knowledge.mind() == {"a": 1}           # nobody else has that
            write_definitions(knowledge.settings.data_dir, [source("a")])
            assert await knowledge.mind() == {}
        async with a_folder("b", source("b", of="a")) as knowledge:
            assert (await knowledge.sync())["b"].notes != ()    # by that name they have something else
        async with a_folder("a", source("b", of="a")) as knowledge:
            assert (await knowledge.sync())["b"].notes == ()
        async with a_folder("c", source("a")) as knowledge:
            assert await knowledge.mind() == {}
            marks = [mark async for batch in knowledge.index.store.scroll(WRITER) for mark in batch]
            await knowledge.index.store.upsert(
                [replace(mark, payload=mark.payload | {"at": mark.payload["at"] - ALIVE}) for mark in marks])
            assert await knowledge.mind() == {"b": 1}           # nobody has looked for it for long


async def test_a_round_in_which_another_folder_writes_says_so_and_the_next_one_does_its_work(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "leave.md").write_text("# Leave\n\nTen days.")
    async with a_wire() as wire, asyncio.timeout(60):
        settings = on(wire, tmp_path)
        write_definitions(
            settings.data_dir, [Definition("wiki", SourceKind.FOLDER, str(tmp_path / "pages"), ("org",))])
        async with (
            open_generations(ServerOptions(wire.url)) as generations,
            PassageIndex.over(generations, Bags()) as index,
            Knowledge.open(index, settings, tmp_path, command=SMALL) as knowledge,
        ):
            ours = knowledge.syncer.turns
            assert ours is not None
            ours.beat, ours.patience = 0.1, 0.3
            async with Turns(lambda: index.store, "other:/srv", beat=0.1).taken():
                assert await knowledge.sync() == {"wiki": SyncReport(failed=((
                    "", "other:/srv writes to this index just now: nothing was read for it from here"),))}
                assert await knowledge.mind() == {}         # what takes away does not wait
            assert await knowledge.sync() == {"wiki": SyncReport(added=1)}
