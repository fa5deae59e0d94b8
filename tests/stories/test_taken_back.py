"""What somebody takes back in a channel is out of the index with the event, not with the next look at the channels."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.qdrant.index import PassageIndex
from adapters.qdrant.sync import SyncReport
from adapters.sql.database import Database
from adapters.sql.inbox import SqlInbox
from bot.recall import RecallingInbox
from bot.settings import Settings
from bot.sources import FILE, Definition, Knowledge, SourceKind, SourcesError, add
from engine.errors import BotError, RetrieverUnavailable
from engine.messages import Audience, Event, MessageId
from tests.adapters.qdrant.worlds import an_index, ask
from tests.adapters.sources.test_conversations import in_room
from tests.adapters.sql.test_inbox import KEYRING, a_worker
from tests.builders import an_audience, deleted, edited

SMALL = (sys.executable, "-m", "tests.adapters.qdrant.small_indexer")


@dataclass
class Channel:
    """A channel whose messages are knowledge."""

    inbox: RecallingInbox
    index: PassageIndex
    knowledge: Knowledge

    async def hears(self, *events: Event) -> None:
        for event in events:
            await self.inbox.receive(event)

    async def found(self) -> str:
        return repr(await ask(self.index, "lift key code", self.readers))

    @property
    def readers(self) -> Audience:
        """Two who are in the channel."""
        labels = " ".join(label for record in self.index.records.values() for label in record.acl) or "channel:none"
        return an_audience(ann=labels, bob=labels)


@asynccontextmanager
async def a_channel(database: Database, inbox: SqlInbox, folder: Path) -> AsyncIterator[Channel]:
    settings = Settings(data_dir=folder / "data")
    add(settings.data_dir, Definition("chat", SourceKind.CONVERSATIONS))
    async with (
        an_index(folder / "index") as index,
        Knowledge.open(index, settings, folder, (database, KEYRING), command=SMALL) as knowledge,
    ):
        async def recall(message: MessageId, deleted: bool) -> None:
            del deleted
            await knowledge.recall(message)

        yield Channel(RecallingInbox(inbox, recall), index, knowledge)


async def test_a_deleted_message_is_gone_at_once_and_the_rest_of_its_page_is_back_after_a_look(
    database: Database, tmp_path: Path,
) -> None:
    first, second = in_room("the lift code is 4711"), in_room("the lift key hangs in the hall", by="bob")
    async with a_worker(database) as inbox, a_channel(database, inbox, tmp_path) as channel:
        await channel.hears(first, second)
        await channel.knowledge.sync()
        readers = channel.readers
        assert "4711" in await channel.found()
        await channel.hears(deleted(first))
        found = await ask(channel.index, "lift key code", readers)
        assert found.passages == ()
        assert await channel.knowledge.sync() == {"chat": SyncReport(changed=1)}
        assert "4711" not in await channel.found()
        assert "hangs in the hall" in await channel.found()


async def test_an_edited_message_is_not_found_in_its_old_words(database: Database, tmp_path: Path) -> None:
    first = in_room("the lift code is 4711")
    async with a_worker(database) as inbox, a_channel(database, inbox, tmp_path) as channel:
        await channel.hears(first)
        await channel.knowledge.sync()
        readers = channel.readers
        await channel.hears(edited(first, "the lift code is with Bo"))
        assert (await ask(channel.index, "lift code", readers)).passages == ()
        await channel.knowledge.sync()
        assert "is with Bo" in await channel.found()
        assert "4711" not in await channel.found()


async def test_a_sync_that_read_before_the_deletion_does_not_bring_it_back(
    database: Database, tmp_path: Path,
) -> None:
    first, second = in_room("the lift code is 4711"), in_room("SLOW the lift key hangs in the hall", by="bob")
    async with a_worker(database) as inbox, a_channel(database, inbox, tmp_path) as channel:
        await channel.hears(first)
        await channel.knowledge.sync()
        readers = channel.readers
        await channel.hears(second)
        started = asyncio.Event()
        syncing = asyncio.create_task(channel.knowledge.sync(tell=lambda *_: started.set()))
        await started.wait()            # it has read both
        await channel.hears(deleted(first))
        await syncing
        assert (await ask(channel.index, "lift code", readers)).passages == ()
        await channel.knowledge.sync()
        assert "4711" not in await channel.found()
        assert "hangs in the hall" in await channel.found()


async def test_watching_reads_the_page_again_without_waiting_for_its_hour(database: Database, tmp_path: Path) -> None:
    first, second = in_room("the lift code is 4711"), in_room("the lift key hangs in the hall", by="bob")
    rounds: asyncio.Queue[object] = asyncio.Queue()
    async with a_worker(database) as inbox, a_channel(database, inbox, tmp_path) as channel, asyncio.timeout(60):
        await channel.hears(first, second)
        watching = asyncio.create_task(channel.knowledge.watch(3600, said=rounds.put_nowait))
        assert await rounds.get() == {"chat": SyncReport(added=1)}
        await channel.hears(deleted(first))
        assert await rounds.get() == {"chat": SyncReport(changed=1)}
        assert "hangs in the hall" in await channel.found()
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching


async def test_a_mistake_in_the_sources_file_keeps_nothing_from_being_taken_back(
    database: Database, tmp_path: Path,
) -> None:
    first, second = in_room("the lift code is 4711"), in_room("the lift key hangs in the hall", by="bob")
    async with a_worker(database) as inbox, a_channel(database, inbox, tmp_path) as channel:
        await channel.hears(first, second)
        await channel.knowledge.sync()
        readers, file = channel.readers, tmp_path / "data" / FILE
        right = file.read_text()
        file.write_text("[[source]]\nname = 7\n")
        await channel.hears(deleted(first))
        assert (await ask(channel.index, "lift key code", readers)).passages == ()
        with pytest.raises(SourcesError):
            await channel.knowledge.sync()
        file.write_text(right)
        await channel.knowledge.sync()
        assert "4711" not in await channel.found()
        assert "hangs in the hall" in await channel.found()


async def test_nor_does_a_mistake_that_is_made_while_a_sync_is_reading(database: Database, tmp_path: Path) -> None:
    first, second = in_room("the lift code is 4711"), in_room("SLOW the lift key hangs in the hall", by="bob")
    async with a_worker(database) as inbox, a_channel(database, inbox, tmp_path) as channel:
        await channel.hears(first, second)
        started = asyncio.Event()
        syncing = asyncio.create_task(channel.knowledge.sync(tell=lambda *_: started.set()))
        await started.wait()            # it has read both, and the index has neither
        file = tmp_path / "data" / FILE
        right = file.read_text()
        file.write_text("[[source]]\nname = 7\n")
        await channel.hears(deleted(first))
        await syncing
        assert "4711" not in await channel.found()
        file.write_text(right)
        await channel.knowledge.sync()
        assert "4711" not in await channel.found()
        assert "hangs in the hall" in await channel.found()


async def test_direct_messages_are_nobodys_page(database: Database, tmp_path: Path) -> None:
    first = in_room("between us", direct=True)
    async with a_worker(database) as inbox, a_channel(database, inbox, tmp_path) as channel:
        await channel.hears(first, deleted(first))
        assert await channel.knowledge.sync() == {"chat": SyncReport()}


@pytest.mark.parametrize("trouble", [RetrieverUnavailable, SourcesError])
async def test_an_index_that_is_away_does_not_keep_the_event_from_being_stored(
    database: Database, trouble: type[BotError],
) -> None:
    async def away(message: MessageId, deleted: bool) -> None:
        raise trouble(f"away: {message} {deleted}")

    first = in_room("the lift code is 4711")
    async with a_worker(database) as inbox:
        heard = RecallingInbox(inbox, away)
        assert await heard.receive(first)
        assert await heard.receive(deleted(first))
        assert not await heard.receive(deleted(first))


async def test_what_could_not_be_taken_out_is_as_soon_as_it_can_be(database: Database) -> None:
    tries: list[tuple[str, bool]] = []

    async def busy(message: MessageId, deleted: bool) -> None:
        tries.append((message, deleted))
        if len(tries) < 3:
            raise RetrieverUnavailable("another command has the index just now")

    first = in_room("the lift code is 4711")
    async with a_worker(database) as inbox, asyncio.timeout(30):
        heard = RecallingInbox(inbox, busy)
        running = asyncio.create_task(heard.run())
        assert await heard.receive(first)
        assert await heard.receive(deleted(first))
        assert len(tries) == 1
        while len(tries) < 3:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)
        assert (tries, heard.missed.qsize()) == ([(first.message.id, True)] * 3, 0)
        running.cancel()
        await asyncio.wait([running])
