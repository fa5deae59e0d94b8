"""What the store has of a thread: all that was said to the channel, and nothing that was not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from adapters.sql.database import Database
from adapters.sql.privacy import Privacy
from adapters.sql.transcripts import SqlTranscripts
from engine.messages import ConversationId, Place, Said
from tests.adapters.sql.test_inbox import KEYRING, a_worker
from tests.builders import NOON, deleted, edited, said


def in_thread(text: str, at: int, *, by: str = "ann", thread: str = "t1", private: bool = False) -> Said:
    event = said(text, by=by, addressed=private)
    place = replace(event.message.place, channel="ops", thread=thread, private=private)
    room = ConversationId(f"test:acme/ops/{by if private else thread}")
    message = replace(event.message, place=place, conversation=room, sent_at=NOON + timedelta(minutes=at))
    return replace(event, message=message)


def here(thread: str | None = "t1") -> Place:
    return in_thread("", 0, thread=thread or "").message.place if thread else replace(here(), thread=None)


async def test_a_thread_is_read_in_its_order_with_who_said_what_to_whom(database: Database) -> None:
    async with a_worker(database) as inbox:
        for event in (in_thread("second", 2, by="bob"), in_thread("first", 1), in_thread("elsewhere", 1, thread="t2"),
                      in_thread("what does bob earn?", 3, private=True)):
            await inbox.receive(event)
        there = await SqlTranscripts(database, KEYRING).said(here(), 10)
        assert [(p.title, p.text) for p in there] == [("Ann", "first"), ("Bob", "second")]
        assert {p.acl for p in there} == {frozenset({"channel:test:acme/ops"})}
        channel = await SqlTranscripts(database, KEYRING).said(here(None), 10)
        assert {p.text for p in channel} == {"first", "elsewhere", "second"}


async def test_what_was_taken_back_edited_or_forgotten_is_told_as_it_is_now(database: Database) -> None:
    transcripts = SqlTranscripts(database, KEYRING)
    async with a_worker(database) as inbox:
        gone, changed, bobs = in_thread("gone", 1), in_thread("befor", 2), in_thread("bob's", 3, by="bob")
        for event in (gone, changed, bobs, deleted(gone), edited(changed, "before")):
            await inbox.receive(event)
        assert [p.text for p in await transcripts.said(here(), 10)] == ["before", "bob's"]
        await Privacy(database, KEYRING).forget("bob")
        assert [p.text for p in await transcripts.said(here(), 10)] == ["before"]


async def test_of_a_long_thread_the_first_message_and_the_latest_come(database: Database) -> None:
    transcripts = SqlTranscripts(database, KEYRING)
    async with a_worker(database) as inbox:
        for n in range(7):
            await inbox.receive(in_thread(f"m{n}", n))
        assert [p.text for p in await transcripts.said(here(), 3)] == ["m0", "m5", "m6"]
        assert [p.text for p in await transcripts.said(here(None), 3)] == ["m4", "m5", "m6"]
