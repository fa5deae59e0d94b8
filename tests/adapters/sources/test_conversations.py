"""Channels become pages: what people said, and nothing that they took back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from adapters.sources.conversations import Conversations
from adapters.sql.database import Database
from adapters.sql.inbox import SqlInbox
from adapters.sql.privacy import Privacy
from engine.messages import ConversationId, Said
from engine.rag.page import Entry, Form, Page
from tests.adapters.sql.test_inbox import KEYRING, a_worker
from tests.builders import deleted, edited, said


def in_room(text: str, *, by: str = "ann", thread: str = "", direct: bool = False) -> Said:
    event = said(text, by=by, addressed=False)
    place = replace(event.message.place, channel="ann" if direct else "ops", thread=thread or None, direct=direct)
    conversation = ConversationId(f"test:ops/{thread or direct}")
    return replace(event, message=replace(event.message, place=place, conversation=conversation))


async def listed(source: Conversations) -> dict[str, Entry]:
    entries = await asyncio.to_thread(lambda: list(source.listing()))
    return {entry.path: entry for entry in entries if isinstance(entry, Entry)}


async def texts(source: Conversations) -> dict[str, str]:
    pages = [await asyncio.to_thread(source.read, path) for path in await listed(source)]
    return {page.path: page.text for page in pages if isinstance(page, Page)}


async def told(inbox: SqlInbox, *events: Said) -> None:
    for event in events:
        await inbox.receive(event)


async def test_threads_and_weeks_are_pages_with_the_label_of_their_channel(database: Database) -> None:
    source = Conversations(database, KEYRING, asyncio.get_running_loop(), lambda id: f"https://chat.acme.example/{id}")
    async with a_worker(database) as inbox:
        first = in_room("the lift is stuck")
        await told(inbox, first, in_room("call Bo\n\n \nnow", by="bob"), in_room("who has the key?", thread="t1"),
                   in_room("between us", direct=True))
        entries = await listed(source)
        week, thread = sorted(entries, key=lambda path: not path.endswith("W10"))
        assert thread.endswith("/t1")
        assert len(entries) == 2
        page = await asyncio.to_thread(source.read, week)
        assert isinstance(page, Page)
        assert page.text == "Ann (2026-03-02 12:00): the lift is stuck\n\nBob (2026-03-02 12:00): call Bo\nnow"
        assert page.form is Form.CHAT
        assert page.url == f"https://chat.acme.example/{first.message.id}"
        label, = page.acl or ()
        assert label.startswith("channel:")
        assert entries[week].acl == page.acl


async def test_what_was_deleted_edited_or_forgotten_changes_the_stamp_and_the_text(database: Database) -> None:
    source = Conversations(database, KEYRING, asyncio.get_running_loop())
    async with a_worker(database) as inbox:
        first, second, third = in_room("one"), in_room("two"), in_room("three", by="bob")
        await told(inbox, first, second, third)
        path, = before = await listed(source)
        await inbox.receive(deleted(first))
        await inbox.receive(edited(second, "two, corrected"))
        after = await listed(source)
        assert before[path].stamp != after[path].stamp
        assert [line.partition(": ")[2] for line in (await texts(source))[path].split("\n\n")] == [
            "two, corrected", "three"]
        await Privacy(database, KEYRING).forget("ann")
        assert (await listed(source))[path].stamp != after[path].stamp
        assert (await texts(source))[path] == "Bob (2026-03-02 12:00): three"
        await inbox.receive(deleted(third))
        assert await listed(source) == {}


async def test_what_was_asked_in_a_channel_in_private_is_no_page_of_it(database: Database) -> None:
    source = Conversations(database, KEYRING, asyncio.get_running_loop())
    async with a_worker(database) as inbox:
        asked = in_room("what does Bo earn?", thread="t1")
        place = replace(asked.message.place, private=True)
        await told(inbox, replace(asked, message=replace(asked.message, place=place), addressed=True),
                   in_room("the lift is stuck", thread="t1"))
        assert [text.partition(": ")[2] for text in (await texts(source)).values()] == ["the lift is stuck"]
