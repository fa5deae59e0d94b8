"""What was said, what buttons stand for, and turns that are to stop, on either database."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import text, update

from adapters.sql.database import Database, db_now
from adapters.sql.desk import Desk
from adapters.sql.outbox import LOST, TICKET_LIFE, SqlOutbox, SqlTickets, SqlTurns
from adapters.sql.privacy import Privacy
from adapters.sql.tables import outbox, ticket
from engine.messages import Outcome, PersonId, TraceId
from engine.spoken import How, Purpose, Sent, Ticket
from tests.adapters.sql.test_inbox import KEYRING, a_worker, take, trail
from tests.builders import an_answer, deleted, said

SENT = Sent("a" * 32, 0, How.STREAM, "T1", "C1", "1.1")
ANN = PersonId("ann")


async def test_a_message_is_noted_before_it_is_sent_and_completed_after_it(database: Database) -> None:
    box = SqlOutbox(database)
    await box.sending(SENT)
    assert await box.of(SENT.name) == [SENT]
    await box.sent(SENT.name, 0, "1.2")
    assert await box.of(SENT.name) == [replace(SENT, ts="1.2")]
    assert await box.find("T1", "C1", "1.2") == replace(SENT, ts="1.2")
    assert await box.find("T2", "C1", "1.2") is None
    await box.unsent(SENT.name, 0)
    assert await box.of(SENT.name) == []


async def test_what_was_said_stays_on_record_whoever_begins_it_anew(database: Database) -> None:
    """A worker that woke too late knows nothing of what its successor has said."""
    box = SqlOutbox(database)
    await box.sending(SENT)
    await box.sending(replace(SENT, how=How.POST))
    assert await box.of(SENT.name) == [replace(SENT, how=How.POST)]
    await box.sent(SENT.name, 0, "1.2")
    await box.sending(SENT)
    assert await box.of(SENT.name) == [replace(SENT, how=How.POST, ts="1.2")]
    await box.unsent(SENT.name, 0)
    await box.sending(SENT)
    assert await box.of(SENT.name) == [SENT]


async def test_parts_come_in_their_order_and_names_apart(database: Database) -> None:
    box = SqlOutbox(database)
    for part in (2, 0, 1):
        await box.sending(replace(SENT, part=part, ts=f"1.{part}"))
    await box.sending(replace(SENT, name="b" * 32, ts="9.9"))
    assert [sent.part for sent in await box.of(SENT.name)] == [0, 1, 2]
    assert await box.others(SENT.name, "T1", "C1", ["1.0", "9.9", "7.7"]) == {"9.9"}


async def test_of_two_at_once_one_is_first(database: Database) -> None:
    box = SqlOutbox(database)
    assert sorted(await asyncio.gather(*(box.first(SENT) for _ in range(5)))) == [False] * 4 + [True]


async def test_what_was_begun_long_ago_may_be_taken_over_and_what_was_said_may_not(database: Database) -> None:
    box = SqlOutbox(database)
    await box.first(SENT)
    await database.write(lambda c: c.execute(update(outbox).values(at=db_now() - LOST - 1)))
    assert [await box.first(SENT), await box.first(SENT)] == [True, False]
    await box.sent(SENT.name, 0, "1.2")
    await database.write(lambda c: c.execute(update(outbox).values(at=db_now() - LOST - 1)))
    assert not await box.first(SENT)


async def test_a_button_stands_for_what_it_was_made_for(database: Database) -> None:
    tickets, made = SqlTickets(database), Ticket(Purpose.ANSWER, ANN, TraceId("a" * 32))
    id, other = await tickets.issue(made), await tickets.issue(made)
    assert len(id) == 32
    assert id != other
    assert await tickets.redeem(id) == made
    assert await tickets.redeem(id) == made
    assert await tickets.redeem(id[:-1]) is None
    assert await tickets.redeem("\ud800") is None
    assert await database.read(lambda c: c.execute(text("SELECT digest FROM ticket")).scalars().all().count(id)) == 0


async def test_an_old_button_works_no_more_and_is_swept_out(database: Database) -> None:
    tickets = SqlTickets(database)
    id = await tickets.issue(Ticket(Purpose.MINE, ANN))
    await database.write(lambda c: c.execute(update(ticket).values(at=db_now() - TICKET_LIFE - 1)))
    assert await tickets.redeem(id) is None
    assert await Desk(database).prune(1.0) == 1


async def test_a_stop_reaches_whoever_runs_the_turn(database: Database) -> None:
    lost: list[tuple[str, str]] = []
    async with a_worker(database) as one, a_worker(database) as other:
        other.lost = lambda trace, _attempt, why: lost.append((trace, why))
        await other.receive(said())
        claim = await take(other)
        waiting = asyncio.ensure_future(other.claim(1))      # as a dispatcher does
        assert await one.stop(claim.trace)
        async with asyncio.timeout(10):
            while not lost:
                await asyncio.sleep(0.01)
        waiting.cancel()
        assert lost[0] == (claim.trace, "stopped")
        await other.finish(claim, Outcome.STOPPED, trail(claim))
        assert not await one.stop(claim.trace)
        assert not await one.stop(TraceId("f" * 32))


async def test_a_stop_outlives_the_worker(database: Database) -> None:
    """Whoever takes the turn next knows of it."""
    async with a_worker(database) as one:
        await one.receive(said())
        claim = await take(one)
        assert await one.stop(claim.trace)
        await one.hand_back(claim)
        again = await take(one)
        assert (again.trace, again.stopped) == (claim.trace, True)
        await one.finish(again, Outcome.STOPPED, trail(again))


async def test_a_turn_is_told_to_its_buttons(database: Database) -> None:
    turns = SqlTurns(database, KEYRING)
    question, second = said("how much notice?"), said("and for half a day?")
    async with a_worker(database) as one:
        await one.receive(question)
        claim = await take(one)
        await one.checkpoint(claim, an_answer(), trail(claim), None)
        await one.finish(claim, Outcome.ANSWERED, trail(claim))
        told = await turns.told(claim.trace)
        assert told is not None
        assert (told.question.text, told.outcome) == ("how much notice?", Outcome.ANSWERED)
        assert told.answer is not None
        assert told.answer.text == "Ten working days [1]."
        await one.receive(second)
        assert [asked.text for asked in await turns.recent(ANN, 5)] == ["and for half a day?", "how much notice?"]
        assert await turns.recent(PersonId("bob"), 5) == []
        await turns.retract(claim.trace)
        told = await turns.told(claim.trace)
        assert told is not None
        assert (told.answer, told.outcome) == (None, Outcome.WITHDRAWN)
        await one.receive(deleted(question))
        assert await turns.told(claim.trace) is None
        assert await turns.told(TraceId("f" * 32)) is None


async def test_what_somebody_thinks_is_exported_and_forgotten_with_them(database: Database) -> None:
    turns, tickets, privacy = SqlTurns(database, KEYRING), SqlTickets(database), Privacy(database, KEYRING)
    async with a_worker(database) as one:
        await one.receive(said(by="ann"))
        claim = await take(one)
        await turns.rate(claim.trace, ANN, good=True)
        await turns.rate(claim.trace, ANN, good=False)
        id = await tickets.issue(Ticket(Purpose.MINE, ANN))
        assert (await privacy.export("ann"))["feedback"] == [{"trace": claim.trace, "good": False}]
        await privacy.forget("ann")
        assert await tickets.redeem(id) is None
        assert await database.read(lambda c: c.execute(text("SELECT count(*) FROM feedback")).scalar_one()) == 0
        assert await turns.told(claim.trace) is None
