"""The durable queue, over SQLite and over a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from adapters.sql.database import Database
from adapters.sql.inbox import QueueOptions, SqlInbox
from adapters.sql.queue import Caps
from adapters.sql.sealed import Keyring
from adapters.sql.store import SqlStore
from adapters.sql.tables import answer, decision, revision, turn
from engine.errors import BadEvent, Fenced
from engine.messages import Claim, Decision, Kind, Lane, Outcome, TraceId, Trail
from tests.builders import a_passage, an_answer, an_audience, deleted, edited, said

KEYRING = Keyring(b"k" * 32)
QUICK = QueueOptions(routes=("test",), lease=timedelta(seconds=0.6), poll=timedelta(seconds=0.05),
                     retry_base=timedelta(0))
EVERYONE = an_audience(ann="org", bob="org")


@asynccontextmanager
async def a_worker(database: Database, options: QueueOptions = QUICK) -> AsyncGenerator[SqlInbox]:
    inbox = SqlInbox(database, KEYRING, options)
    task = asyncio.create_task(inbox.run())
    try:
        yield inbox
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def inbox(database: Database) -> AsyncGenerator[SqlInbox]:
    async with a_worker(database) as worker:
        yield worker


def trail(claim: Claim) -> Trail:
    return Trail(claim.trace)


async def take(inbox: SqlInbox) -> Claim:
    async with asyncio.timeout(5):
        (claim,) = await inbox.claim(1)
    return claim


async def nothing_to_take(inbox: SqlInbox) -> bool:
    try:
        async with asyncio.timeout(0.3):
            await inbox.claim(1)
    except TimeoutError:
        return True
    return False


async def count(database: Database, where: str) -> int:
    return await database.read(lambda c: int(c.execute(text(f"SELECT count(*) FROM {where}")).scalar_one()))


async def test_a_message_comes_back_as_it_was_said(inbox: SqlInbox) -> None:
    event = said("日本語, emoji 🏖 and a NUL \x00 and half a pair \ud83c")
    assert await inbox.receive(event)
    claim = await take(inbox)
    assert claim.message.text == "日本語, emoji 🏖 and a NUL \ufffd and half a pair \ufffd"
    assert (claim.message.author, claim.message.author_name) == ("ann", "Ann")
    assert claim.message.place == event.message.place
    assert claim.message.sent_at == event.message.sent_at
    assert (claim.attempt, claim.kind, len(claim.trace)) == (1, Kind.ANSWER, 32)


async def test_a_redelivery_is_known(inbox: SqlInbox, database: Database) -> None:
    event = said()
    first, *again = await asyncio.gather(*(inbox.receive(event) for _ in range(5)))
    assert (first, again) == (True, [False] * 4)
    assert await inbox.receive(event) is False
    assert await count(database, "turn") == 1


async def test_one_message_in_two_events_is_one_turn(inbox: SqlInbox, database: Database) -> None:
    await inbox.receive(said(id="test:general/9", key="message.channels", addressed=False))
    assert await count(database, "turn") == 0
    await inbox.receive(said(id="test:general/9", key="app_mention"))
    assert (await count(database, "turn"), await count(database, "message")) == (1, 1)


async def test_one_conversation_runs_one_turn_at_a_time_in_order(inbox: SqlInbox) -> None:
    for n in range(3):
        await inbox.receive(said(f"q{n}"))
    await inbox.receive(said("elsewhere", conversation="random"))
    claims = await inbox.claim(10)
    assert [c.message.text for c in claims] == ["q0", "elsewhere"]
    assert await nothing_to_take(inbox)
    await inbox.finish(claims[0], Outcome.ANSWERED, trail(claims[0]))
    assert (await take(inbox)).message.text == "q1"


async def test_people_are_served_before_digests(inbox: SqlInbox) -> None:
    await inbox.receive(said("digest", conversation="d", lane=Lane.DIGEST))
    await inbox.receive(said("person", conversation="p"))
    assert [(await take(inbox)).message.text for _ in range(2)] == ["person", "digest"]


async def test_a_checkpointed_answer_is_not_computed_again(inbox: SqlInbox) -> None:
    await inbox.receive(said())
    first = await take(inbox)
    kept = an_answer("Ten days [1].", a_passage(acl=frozenset({"group:hr"})))
    await inbox.checkpoint(first, kept, trail(first), "post-7")
    await inbox.hand_back(first)
    second = await take(inbox)
    assert (second.trace, second.attempt, second.resumed) == (first.trace, 2, True)
    assert (second.answer, second.posted) == (kept, "post-7")


async def test_who_lost_the_turn_can_write_nothing(database: Database) -> None:
    async with a_worker(database) as one, a_worker(database) as two:
        await one.receive(said())
        old = await take(one)
        await one.hand_back(old)
        new = await take(two)
        assert new.trace == old.trace
        with pytest.raises(Fenced):
            await one.checkpoint(old, an_answer(), trail(old), None)
        with pytest.raises(Fenced):
            await one.finish(old, Outcome.ANSWERED, trail(old))
        await two.finish(new, Outcome.ANSWERED, trail(new))


async def test_a_dead_workers_turn_is_taken_over_after_its_lease(database: Database) -> None:
    hangs = replace(QUICK, lease=timedelta(hours=1))       # beats once, and then not for twenty minutes
    async with a_worker(database, hangs) as first, a_worker(database) as second:
        await first.receive(said())
        old = await take(first)
        new = await take(second)
        assert (new.trace, new.attempt, new.crashes) == (old.trace, 2, 1)
        with pytest.raises(Fenced):
            await first.finish(old, Outcome.ANSWERED, trail(old))


async def test_a_turn_is_held_only_as_long_as_its_lease_is_fresh(database: Database) -> None:
    """By a clock that goes on while the process is stopped: whoever wakes up late must not write."""
    hangs = replace(QUICK, lease=timedelta(seconds=6))      # beats every two seconds
    async with a_worker(database, hangs) as inbox:
        await inbox.receive(said())
        claim = await take(inbox)
        assert inbox.holds(claim)
        assert not inbox.holds(replace(claim, attempt=2))
        inbox._beat_at -= 0.81 * 6                          # as if the last beat were so long ago
        assert not inbox.holds(claim)
        async with asyncio.timeout(2):
            while not inbox.holds(claim):                   # the next one is on its way
                inbox.ledger.wake.set()
                await asyncio.sleep(0.01)
        await inbox.finish(claim, Outcome.ANSWERED, trail(claim))
        assert not inbox.holds(claim)


async def test_a_worker_that_ends_leaves_nothing_behind(database: Database) -> None:
    async with a_worker(database) as first:
        await first.receive(said())
        old = await take(first)
    assert await count(database, "worker") == 0
    async with a_worker(database) as second:
        new = await take(second)
        assert (new.trace, new.attempt, new.crashes) == (old.trace, 2, 0)


async def test_a_worker_that_lives_keeps_its_turn_beyond_the_lease(database: Database) -> None:
    async with a_worker(database) as one, a_worker(database) as two:
        await one.receive(said())
        claim = await take(one)
        await asyncio.sleep(2 * QUICK.lease.total_seconds())
        assert await nothing_to_take(two)
        await one.finish(claim, Outcome.ANSWERED, trail(claim))


async def test_a_turn_without_a_task_is_freed_by_the_next_heartbeat(inbox: SqlInbox) -> None:
    await inbox.receive(said())
    claim = await take(inbox)
    inbox.abandon(claim)        # its end could not be written
    assert (await take(inbox)).attempt == 2


async def test_a_failure_is_tried_again_and_a_dead_letter_is_not(inbox: SqlInbox, database: Database) -> None:
    await inbox.receive(said())
    for failures in range(3):
        claim = await take(inbox)
        assert claim.failures == failures
        await inbox.retry(claim, "model away", trail(claim))
    claim = await take(inbox)
    await inbox.bury(claim, "model away", trail(claim))
    assert await nothing_to_take(inbox)
    assert await count(database, "turn WHERE state = 'dead' AND cause = 'model away'") == 1


async def test_a_crowded_conversation_gets_one_notice(database: Database) -> None:
    options = QueueOptions(routes=("test",), caps=Caps(backlog=3), poll=timedelta(seconds=0.05))
    async with a_worker(database, options) as inbox:
        await asyncio.gather(*(inbox.receive(said(f"q{n}")) for n in range(50)))
        assert await count(database, "message") == 50
        claims = await inbox.claim(100)
        assert [(c.kind, c.collapsed) for c in claims] == [(Kind.ANSWER, 0), (Kind.BUSY, 46)]
        assert await count(database, "turn WHERE outcome = 'shed'") == 46


async def test_a_person_over_the_quota_is_told_and_others_are_served(database: Database) -> None:
    options = QueueOptions(routes=("test",), caps=Caps(quota=2), poll=timedelta(seconds=0.05))
    async with a_worker(database, options) as inbox:
        for n in range(4):
            await inbox.receive(said(f"q{n}", conversation=f"c{n}"))
        await inbox.receive(said("mine", by="bob", conversation="c9"))
        claims = await inbox.claim(100)
        assert [c.kind for c in claims] == [Kind.ANSWER, Kind.ANSWER, Kind.QUOTA, Kind.QUOTA, Kind.ANSWER]


async def test_each_person_over_a_cap_is_told_and_so_are_those_who_come_while_a_notice_is_said(
    database: Database,
) -> None:
    options = QueueOptions(routes=("test",), caps=Caps(backlog=1), poll=timedelta(seconds=0.05))
    async with a_worker(database, options) as inbox:
        for n in range(3):
            await inbox.receive(said(f"a{n}", by="ann"))
            await inbox.receive(said(f"b{n}", by="bob"))
        answer_, *notices = await inbox.claim(100)
        assert answer_.kind is Kind.ANSWER
        assert sorted((c.message.author, c.collapsed) for c in notices) == [("ann", 1), ("bob", 2)]
        await inbox.receive(said("late", by="bob"))         # bob's notice is being said, and does not count this one
        bobs = next(c for c in notices if c.message.author == "bob")
        await inbox.finish(bobs, Outcome.NOTICE, trail(bobs))
        late = await take(inbox)
        assert (late.kind, late.message.text, late.collapsed) == (Kind.BUSY, "late", 0)


async def test_a_row_that_cannot_be_read_keeps_nobody_waiting(inbox: SqlInbox, database: Database) -> None:
    await inbox.receive(said("from a newer version", conversation="a"))
    await database.write(lambda c: c.execute(text("UPDATE turn SET kind = 'haiku'")))
    await inbox.receive(said("as ever", conversation="b"))
    assert (await take(inbox)).message.text == "as ever"
    assert await count(database, "turn WHERE state = 'dead' AND cause LIKE '%cannot be read%'") == 1


async def test_an_edit_before_the_answer_counts(inbox: SqlInbox, database: Database) -> None:
    await inbox.receive(said("block the lane", conversation="general"))
    event = said("how many days?")
    await inbox.receive(event)
    await inbox.receive(edited(event, "how many hours?"))
    first = await take(inbox)
    await inbox.finish(first, Outcome.ANSWERED, trail(first))
    assert (await take(inbox)).message.text == "how many hours?"
    kinds = await database.read(lambda c: c.execute(
        select(revision.c.kind).where(revision.c.message == event.message.id).order_by(revision.c.n)).scalars().all())
    assert kinds == ["said", "edited"]


async def test_a_deleted_question_is_not_answered(inbox: SqlInbox, database: Database) -> None:
    event = said()
    await inbox.receive(event)
    await inbox.receive(deleted(event))
    assert await nothing_to_take(inbox)
    assert await count(database, "turn WHERE outcome = 'withdrawn'") == 1
    assert await count(database, "revision WHERE kind = 'deleted' AND body IS NULL") == 1


async def test_deleting_a_question_stops_its_running_turn(database: Database) -> None:
    async with a_worker(database) as inbox:
        lost: list[tuple[TraceId, str]] = []
        inbox.lost = lambda trace, _attempt, why: lost.append((trace, why))
        event = said()
        await inbox.receive(event)
        claim = await take(inbox)
        await inbox.receive(deleted(event))
        assert lost == [(claim.trace, "withdrawn")]
        with pytest.raises(Fenced):
            await inbox.checkpoint(claim, an_answer(), trail(claim), None)


async def test_verdicts_are_kept_once(inbox: SqlInbox, database: Database) -> None:
    await inbox.receive(said())
    claim = await take(inbox)
    noted = trail(claim)
    noted.decisions.append(Decision("in", "secrets", "1", "mask", "aws-key", "secret", None, "abc", 10))
    await inbox.checkpoint(claim, an_answer(), noted, None)
    await inbox.finish(claim, Outcome.ANSWERED, noted)
    rows = await database.read(lambda c: c.execute(select(decision.c.guard, decision.c.action)).all())
    assert [tuple(r) for r in rows] == [("secrets", "mask")]


@pytest.mark.parametrize("bad", ["", "x" * 500, "a\nb", "a\x00b"])
async def test_an_event_without_a_usable_key_is_refused(inbox: SqlInbox, bad: str) -> None:
    event = said()
    with pytest.raises(BadEvent, match="key must be"):
        await inbox.receive(type(event)(bad, event.message))


async def test_ten_thousand_messages_to_one_conversation(database: Database) -> None:
    async with a_worker(database) as inbox:
        got = await asyncio.gather(*(inbox.receive(said(f"{n}", by=f"p{n % 500}")) for n in range(10_000)))
        assert sum(got) == 10_000
        assert await count(database, "message") == 10_000
        assert await count(database, "turn WHERE state = 'ready' AND kind = 'answer'") == Caps().backlog
        assert (await take(inbox)).message.text == "0"


async def test_nothing_that_was_written_lies_readable_in_the_database(inbox: SqlInbox, database: Database) -> None:
    await inbox.receive(said("the merger is called heron"))
    claim = await take(inbox)
    await inbox.checkpoint(claim, an_answer("heron means [1]", a_passage("heron is a bird")), trail(claim), None)
    stored = await database.read(lambda c: [
        *c.execute(text("SELECT body FROM revision")).scalars(), *c.execute(text("SELECT body FROM answer")).scalars(),
        *c.execute(text("SELECT name FROM person")).scalars()])
    assert len(stored) == 3
    assert not any(b"heron" in bytes(body) or b"Ann" in bytes(body) for body in stored)


async def test_the_past_holds_what_this_audience_may_read(inbox: SqlInbox, database: Database) -> None:
    store = SqlStore(database, KEYRING, inbox)
    for question, labels in (("open", {"org"}), ("secret", {"group:hr"}), ("refused", None), ("again", {"org"})):
        await inbox.receive(said(question))
        claim = await take(inbox)
        if labels:
            answered = replace(an_answer("Yes [1].", a_passage(acl=frozenset(labels))), asked=question)
            await store.answered(claim, answered, trail(claim), posted="p")
        await inbox.finish(claim, Outcome.ANSWERED if labels else Outcome.REFUSED, trail(claim))
    await inbox.receive(said("now"))
    now = await take(inbox)

    async def past(**people: str) -> list[str]:
        conversation = await store.load(now.message.conversation, before=now, audience=an_audience(**people))
        return [t.question.text for t in conversation.turns]

    assert await past(ann="org group:hr") == ["open", "secret", "again"]
    assert await past(ann="org group:hr", bob="org") == ["open", "again"]
    assert await past() == []


async def test_an_answer_is_stored_with_the_labels_of_its_passages(inbox: SqlInbox, database: Database) -> None:
    await inbox.receive(said())
    claim = await take(inbox)
    passages = a_passage(acl=frozenset({"group:b", "group:a"})), a_passage(acl=frozenset({"org"}))
    await inbox.checkpoint(claim, an_answer("A [1] B [2].", *passages), trail(claim), None)
    (acl,) = await database.read(lambda c: c.execute(select(answer.c.acl)).scalars().all())
    assert acl == [["group:a", "group:b"], ["org"]]
    assert await count(database, "citation") == 2


async def test_two_workers_share_the_load_without_meeting(database: Database) -> None:
    """300 events, each delivered to both workers: each is answered once, in order within its conversation."""
    order: dict[str, list[str]] = {}
    async with a_worker(database) as one, a_worker(database) as two:
        events = [said(f"{n}", conversation=f"c{n % 20}", by=f"p{n % 7}") for n in range(300)]

        async def work(inbox: SqlInbox) -> None:
            while True:
                for claim in await inbox.claim(8):
                    await asyncio.sleep(0)
                    order.setdefault(claim.message.conversation, []).append(claim.message.text)
                    await inbox.finish(claim, Outcome.ANSWERED, trail(claim))

        workers = [asyncio.create_task(work(i)) for i in (one, two)]
        for event in events:
            await asyncio.gather(one.receive(event), two.receive(event))
        async with asyncio.timeout(30):
            while await count(database, "turn WHERE state <> 'done'"):
                await asyncio.sleep(0.05)
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    assert sum(map(len, order.values())) == 300
    assert all(texts == sorted(texts, key=int) for texts in order.values())


async def test_the_schema_holds_one_running_turn_per_conversation(inbox: SqlInbox, database: Database) -> None:
    await inbox.receive(said("a"))
    await inbox.receive(said("b"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await database.write(lambda c: c.execute(turn.update().values(state="running")))
