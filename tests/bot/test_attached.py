"""From a file that somebody sends to what can be read of it, and no further than its thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from adapters.sql.attached import SqlAttached
from adapters.sql.database import Database
from adapters.sql.privacy import Privacy
from bot.attached import Attached
from engine.errors import PlatformUnavailable
from engine.messages import ConversationId, File, Said
from tests.adapters.sql.test_inbox import KEYRING, a_worker
from tests.builders import deleted, said


@dataclass(slots=True)
class Cloakroom:
    """A platform that people leave files at."""

    kept: dict[str, bytes]
    fetched: list[str] = field(default_factory=list)

    async def fetch(self, file: File, limit: int) -> bytes:
        self.fetched.append(file.id)
        if file.id not in self.kept:
            raise PlatformUnavailable("the cloakroom is closed")
        return self.kept[file.id][:limit]


def sends(text: str, *files: File, by: str = "ann", thread: str = "t1") -> Said:
    event = said(text, by=by)
    place = replace(event.message.place, channel="ops", thread=thread)
    room = ConversationId(f"test:acme/ops/{thread}")
    return replace(event, message=replace(event.message, place=place, conversation=room, files=files))


def attached(database: Database, **kept: bytes) -> Attached:
    return Attached(SqlAttached(database, KEYRING), {"test": Cloakroom(kept)})


async def test_a_file_is_read_for_its_conversation_and_its_readers(database: Database) -> None:
    menu = File("F1", "menu.md", "https://files.acme.example/F1")
    files = attached(database, F1=b"# Menu\n\nPelmeni on Thursdays.\n")
    async with a_worker(database) as inbox:
        question, elsewhere = sends("what is there?", menu), sends("what is there?", thread="t2")
        for event in (question, elsewhere):
            await inbox.receive(event)
        pieces = await files.of(sends("and on Thursday?").message)
        assert [(p.title, p.url, "Pelmeni" in p.text) for p in pieces] == [("menu.md", menu.url, True)]
        assert {p.acl for p in pieces} == {frozenset({"channel:test:acme/ops", "user:ann"})}
        assert await files.of(elsewhere.message) == []
        await inbox.receive(deleted(question))
        assert await files.of(sends("and on Thursday?").message) == []


async def test_a_text_is_fetched_once_and_nothing_is_left_of_who_was_forgotten(database: Database) -> None:
    files = attached(database, F1=b"Pelmeni on Thursdays.")
    async with a_worker(database) as inbox:
        question = sends("what is there?", File("F1", "menu.txt"))
        await inbox.receive(question)
        for _ in range(3):
            assert await files.of(question.message)
        cloakroom = files.platforms["test"]
        assert isinstance(cloakroom, Cloakroom)
        assert cloakroom.fetched == ["F1"]
        await Privacy(database, KEYRING).forget("ann")
        assert await files.of(question.message) == []


async def test_a_file_that_cannot_be_read_says_so_to_who_sent_it_and_to_nobody_later(database: Database) -> None:
    files = attached(database, F1=b"\x89PNG\r\n\x1a\n" + b"\0" * 99)
    async with a_worker(database) as inbox:
        question = sends("what is this?", File("F1", "photo.png"), File("F2", "gone.txt"))
        await inbox.receive(question)
        assert [p.text for p in await files.of(question.message)] == [
            "The file “photo.png” that came with this question could not be read: It is called .png and is an image.",
            "The file “gone.txt” that came with this question could not be read: " + PlatformUnavailable.reply,
        ]
        assert await files.of(sends("and now?").message) == []


async def test_a_terminal_has_no_files(database: Database) -> None:
    files = Attached(SqlAttached(database, KEYRING), {"test": object()})
    assert await files.of(sends("what is this?", File("F1", "photo.png")).message) == ()
