"""What came with a message, how far a platform was heard, threads that we left, installations: on both databases."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from adapters.sql.database import Database
from adapters.sql.hearing import SqlHearing
from adapters.sql.inbox import SqlInbox
from adapters.sql.installations import SqlInstallations
from adapters.sql.outbox import SqlOutbox, SqlTurns
from adapters.sql.privacy import Privacy
from adapters.sql.sealed import Keyring, MasterKeyError
from engine.messages import (
    ConversationId,
    Deleted,
    Edited,
    EventKey,
    File,
    Kind,
    Message,
    MessageId,
    Outcome,
    PersonId,
    Place,
    Said,
    Trail,
)
from engine.spoken import How, Sent
from tests.adapters.sql.test_inbox import KEYRING, QUICK, a_worker, take
from tests.builders import NOON, an_answer, said

HOUR = timedelta(hours=1)


def in_thread(ts: str, *, channel: str = "C1", addressed: bool = True, number: int = 0) -> Said:
    """Something that ann says in a thread of Slack's."""
    id = f"slack:T1/{channel}/{ts}"
    place = Place("slack", "T1", channel, PersonId("slack:T1/UANN"), ts)
    return replace(
        said(key=f"{id}/{number}", addressed=addressed),
        message=Message(MessageId(f"{id}/{number}"), ConversationId(id), place.person, "hello?", place, NOON),
    )


@pytest.fixture
async def inbox(database: Database) -> AsyncGenerator[SqlInbox]:
    async with a_worker(database, replace(QUICK, routes=("test", "slack"))) as worker:
        yield worker


@pytest.fixture
def hearing(database: Database) -> SqlHearing:
    return SqlHearing(database, "slack")


async def test_files_and_the_raw_event_come_back_with_the_claim(inbox: SqlInbox, database: Database) -> None:
    file = File("F1", "résumé \x00.pdf", "https://files.example/F1", 9, "application/pdf")
    event = said("what does it say?")
    event = replace(event, message=replace(event.message, files=(file,)), raw=b'{"response_url": "https://x"}')
    await inbox.receive(event)
    claim = await take(inbox)
    assert claim.message.files == (replace(file, name="résumé \ufffd.pdf"),)
    assert claim.raw == b'{"response_url": "https://x"}'
    sealed = await database.read(lambda c: c.execute(text("SELECT files, raw FROM message")).one())
    assert all(b"example" not in bytes(value) and b"response_url" not in bytes(value) for value in sealed)


async def test_a_message_without_either_has_neither(inbox: SqlInbox) -> None:
    await inbox.receive(said())
    claim = await take(inbox)
    assert (claim.message.files, claim.raw) == ((), b"")


async def test_both_are_exported_and_forgotten_with_the_person(inbox: SqlInbox, database: Database) -> None:
    event = said("hello?", by="ann")
    files = (File("F1", "a.txt"),)
    await inbox.receive(replace(event, message=replace(event.message, files=files), raw=b"{}"))
    privacy = Privacy(database, KEYRING)
    (exported,) = (await privacy.export("ann"))["messages"]
    assert (exported["files"][0]["name"], exported["raw"]) == ("a.txt", "{}")
    await privacy.forget("ann")
    assert await database.read(lambda c: c.execute(text("SELECT count(*) FROM person_key")).scalar_one()) == 0


async def test_a_turn_may_be_for_a_summary_and_counts_as_one(inbox: SqlInbox) -> None:
    await inbox.receive(replace(said("summarise"), kind=Kind.SUMMARY))
    assert (await take(inbox)).kind is Kind.SUMMARY


async def test_we_take_part_where_we_were_spoken_to_and_were_not_sent_away(
    inbox: SqlInbox, hearing: SqlHearing
) -> None:
    thread, other = (ConversationId(f"slack:T1/C1/{ts}") for ts in ("1.1", "2.2"))
    await inbox.receive(in_thread("1.1"))
    await inbox.receive(in_thread("2.2", addressed=False))
    assert await hearing.engaged(thread, HOUR)
    assert not await hearing.engaged(other, HOUR)
    assert not await hearing.engaged(thread, timedelta(0))
    assert await hearing.threads("T1", "C1", HOUR) == ["1.1"]
    direct = in_thread("3.3", channel="D1")
    at = replace(direct.message.place, thread=None, direct=True)
    id, room = MessageId("slack:T1/D1/3.3"), ConversationId("slack:T1/D1")
    await inbox.receive(replace(direct, message=replace(direct.message, id=id, conversation=room, place=at)))
    assert await hearing.threads("T1", "D1", HOUR) == ["3.3"]
    await hearing.leave(thread)
    assert not await hearing.engaged(thread, HOUR)
    assert await hearing.threads("T1", "C1", HOUR) == []
    await inbox.receive(in_thread("1.1", number=1))
    assert await hearing.engaged(thread, HOUR)


async def test_we_leave_all_threads_of_a_channel_and_of_no_other(inbox: SqlInbox, hearing: SqlHearing) -> None:
    for channel in ("C1", "C12"):
        await inbox.receive(in_thread("1.1", channel=channel))
    await hearing.leave_channel("T1", "C1")
    assert not await hearing.engaged(ConversationId("slack:T1/C1/1.1"), HOUR)
    assert await hearing.engaged(ConversationId("slack:T1/C12/1.1"), HOUR)


async def test_where_a_message_was_said(inbox: SqlInbox, hearing: SqlHearing) -> None:
    await inbox.receive(in_thread("1.1"))
    assert await hearing.conversation_of(MessageId("slack:T1/C1/1.1/0")) == "slack:T1/C1/1.1"
    assert await hearing.conversation_of(MessageId("slack:T1/C1/9.9")) is None


def at(ts: str, *, channel: str = "C1", thread: str | None = None, mark: str = "", **where: bool) -> Said:
    """Something that ann says; ``mark``: what its id is made of where that is not the ts."""
    place = Place("slack", "T1", channel, PersonId("slack:T1/UANN"), thread, **where)
    room = f"slack:T1/{channel}" if place.direct else f"slack:T1/{channel}/{thread or ts}"
    id = MessageId(f"slack:T1/{channel}/{mark or ts}")
    return replace(said(key=id), message=Message(id, ConversationId(room), place.person, "hello?", place, NOON))


async def test_what_stands_in_a_channel_is_what_nobody_took_back_and_anybody_may_see(
    inbox: SqlInbox, hearing: SqlHearing, database: Database,
) -> None:
    before, room = NOON - HOUR, "slack:T1/C1"
    for each in (
        at("1.1", thread="1.1"), at("1.2", thread="1.1"), at("1.3"), at("2.1", private=True, mark="9f"),
        at("1.3", mark="~abc/1.3"), at("4.4", channel="C12"), at("5.5", channel="D1", direct=True),
        at("5.6", channel="D1", direct=True, thread="5.5"),
    ):
        await inbox.receive(each)
    await inbox.receive(Edited(EventKey("e"), MessageId(f"{room}/1.2"), "hello!", NOON + HOUR))
    await inbox.receive(Deleted(EventKey("d"), MessageId(f"{room}/1.3"), NOON))
    kept = await hearing.kept("T1", "C1", before, 10)
    assert sorted((k.ts, k.thread, k.at, k.ours) for k in kept) == [
        ("1.1", "", NOON, False), ("1.2", "1.1", NOON + HOUR, False)]
    assert sorted((k.ts, k.thread) for k in await hearing.kept("T1", "D1", before, 10)) == [("5.5", ""), ("5.6", "5.5")]
    assert len(await hearing.kept("T1", "C1", before, 1)) == 1
    assert await hearing.kept("T1", "C1", NOON + HOUR, 10) == []
    assert await hearing.kept("T2", "C1", before, 10) == []
    claim = next(c for c in [await take(inbox) for _ in range(2)] if c.message.place.channel == "C1")
    outbox = SqlOutbox(database)
    for part, ts in enumerate(("7.1", "7.2")):
        await outbox.sending(Sent(claim.trace, part, How.POST, "T1", "C1", "1.1", ts))
    assert len(await hearing.kept("T1", "C1", before, 10)) == 2             # it is being written
    await inbox.checkpoint(claim, an_answer(), Trail(claim.trace), None)
    await inbox.finish(claim, Outcome.ANSWERED, Trail(claim.trace))
    assert [(k.ts, k.thread) for k in await hearing.kept("T1", "C1", before, 10) if k.ours] == [("7.1", "1.1")]
    await SqlTurns(database, KEYRING).retract(claim.trace)
    assert [k for k in await hearing.kept("T1", "C1", before, 10) if k.ours] == []


async def test_a_gap_shrinks_as_it_is_filled_and_closes(hearing: SqlHearing) -> None:
    oldest, middle, latest = (datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (8, 9, 10))
    assert await hearing.last_heard("T1") is None
    await hearing.open_gaps("T1", ["C2", "C1"], oldest, latest)
    await hearing.open_gaps("T1", ["C1"], oldest, latest)        # the same once more
    assert await hearing.last_heard("T1") is None                # a gap tells nothing of what else was said
    await hearing.filled("T1", "C1", oldest, middle)
    assert [(g.workspace, g.channel, g.oldest, g.latest) for g in await hearing.gaps()] == [
        ("T1", "C2", oldest, latest), ("T1", "C1", oldest, middle),
    ]
    for channel in ("C1", "C2"):
        await hearing.filled("T1", channel, oldest, oldest)
    assert await hearing.gaps() == []
    await hearing.heard("T1", latest + HOUR)
    assert await hearing.last_heard("T1") == latest + HOUR


async def test_a_channel_with_another_id_keeps_its_conversations(
    inbox: SqlInbox, hearing: SqlHearing, database: Database
) -> None:
    await inbox.receive(in_thread("1.1"))
    await inbox.receive(in_thread("1.1", channel="C12"))
    await hearing.open_gaps("T1", ["C1"], NOON, NOON + HOUR)
    await hearing.renamed("T1", "C1", "C9")
    assert await hearing.engaged(ConversationId("slack:T1/C9/1.1"), HOUR)
    assert await hearing.engaged(ConversationId("slack:T1/C12/1.1"), HOUR)
    assert [gap.channel for gap in await hearing.gaps()] == ["C9"]
    await inbox.receive(in_thread("2.2", channel="C9"))
    assert sorted(await hearing.threads("T1", "C9", HOUR)) == ["1.1", "2.2"]
    rooms = "SELECT count(DISTINCT c.channel) FROM message m JOIN conversation c ON c.id = m.conversation"
    assert await database.read(lambda c: c.execute(text(rooms)).scalar_one()) == 2
    await inbox.receive(in_thread("3.3"))                       # somebody still calls it by its old name
    await hearing.renamed("T1", "C1", "C9")
    assert sorted(await hearing.threads("T1", "C9", HOUR)) == ["1.1", "2.2", "3.3"]


async def test_an_installation_is_kept_sealed_and_can_be_taken_back(database: Database) -> None:
    installations = SqlInstallations(database, KEYRING, "slack")
    await installations.save("T1", bot_user="U1", bot_id="B1", token="xoxb-old", scopes=["chat:write"])
    await installations.save("T1", bot_user="U1", bot_id="B1", token="xoxb-new", scopes=["chat:write", "im:read"])
    await installations.save("E1.T2", bot_user="U2", bot_id="B2", token="xoxb-two", scopes=[])
    first, second = await installations.all()
    assert (first.workspace, first.token) == ("E1.T2", "xoxb-two")
    assert (second.token, second.scopes) == ("xoxb-new", ("chat:write", "im:read"))
    assert "xoxb" not in repr(second)
    rows = await database.read(lambda c: c.execute(text("SELECT token FROM installation")).scalars().all())
    assert all(b"xoxb" not in bytes(row) for row in rows)
    with pytest.raises(MasterKeyError):
        await SqlInstallations(database, Keyring(b"o" * 32), "slack").all()
    await installations.remove("T1")
    assert [each.workspace for each in await installations.all()] == ["E1.T2"]


async def test_a_state_is_good_once_and_not_for_long(database: Database) -> None:
    installations = SqlInstallations(database, KEYRING, "slack")
    await installations.issue("one", HOUR)
    await installations.issue("late", timedelta(seconds=-1))
    assert [await installations.consume(state) for state in ("one", "one", "late", "never")] == [
        True, False, False, False,
    ]
