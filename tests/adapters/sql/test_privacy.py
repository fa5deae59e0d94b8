"""What a person may ask of us, and what an operator sees of the queue."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from adapters.sql.database import Database
from adapters.sql.desk import Desk, UnknownTurn
from adapters.sql.privacy import Privacy, UnknownPerson, check_master
from adapters.sql.sealed import Keyring, MasterKeyError
from adapters.sql.store import SqlStore
from engine.messages import Outcome
from tests.adapters.sql.test_inbox import KEYRING, a_worker, count, take, trail
from tests.builders import a_passage, an_answer, an_audience, deleted, edited, said


async def test_an_export_holds_all_that_was_said_and_answered(database: Database) -> None:
    async with a_worker(database) as inbox:
        event = said("how much notice?")
        await inbox.receive(event)
        await inbox.receive(edited(event, "how much notice for leave?"))
        claim = await take(inbox)
        await inbox.checkpoint(claim, an_answer("Ten days [1]."), trail(claim), "p1")
        await inbox.finish(claim, Outcome.ANSWERED, trail(claim))
        gone = said("never mind", conversation="b")
        await inbox.receive(gone)
        await inbox.receive(deleted(gone))
        await inbox.receive(said("not ann's", by="bob"))
        whole = await Privacy(database, KEYRING).export("ann")
    assert (whole["person"], whole["name"]) == ("ann", "Ann")
    assert [[r["text"] for r in m["revisions"]] for m in whole["messages"]] == [
        ["how much notice?", "how much notice for leave?"], ["never mind", None]]
    assert [(t["outcome"], t["answer"]) for t in whole["turns"]] == [
        ("answered", "Ten days [1]."), ("withdrawn", None)]
    assert "not ann's" not in json.dumps(whole)


async def test_a_forgotten_person_is_noise_and_others_keep_their_words(database: Database) -> None:
    everyone = an_audience(ann="org", bob="org")
    async with a_worker(database) as inbox:
        for who in ("ann", "bob"):
            await inbox.receive(said(f"{who} asks", by=who))
            claim = await take(inbox)
            said_to = replace(an_answer(f"Dear {who} [1]", a_passage()), asked=f"{who} asks")
            await inbox.checkpoint(claim, said_to, trail(claim), "p")
            await inbox.finish(claim, Outcome.ANSWERED, trail(claim))
        await inbox.receive(said("ann waits", by="ann", conversation="other"))
        done = await Privacy(database, KEYRING).forget("ann")
        assert (done.messages, done.answers) == (2, 1)
        with pytest.raises(UnknownPerson):
            await Privacy(database, KEYRING).export("ann")
        for table in ("person", "message", "turn", "membership", "person_key"):
            rows = await database.read(lambda c, t=table: str(c.execute(text(f"SELECT * FROM {t}")).all()))
            assert "'ann'" not in rows, table

        await inbox.receive(said("bob again", by="bob"))
        now = await take(inbox)         # and not ann's, which waited
        assert now.message.text == "bob again"
        past = await SqlStore(database, KEYRING, inbox).load(
            now.message.conversation, before=now, audience=everyone)
        assert [t.question.text for t in past.turns] == ["bob asks"]


async def test_who_writes_again_after_being_forgotten_is_a_new_person(database: Database) -> None:
    async with a_worker(database) as inbox:
        await inbox.receive(said("old words", conversation="a"))
        await Privacy(database, KEYRING).forget("ann")
        await inbox.receive(said("new words", conversation="b"))
        assert (await take(inbox)).message.text == "new words"
        whole = await Privacy(database, KEYRING).export("ann")
    assert [m["revisions"][0]["text"] for m in whole["messages"]] == ["new words"]


async def test_a_wrong_master_key_is_noticed_at_the_start(database: Database) -> None:
    async with a_worker(database) as inbox:
        await inbox.receive(said())
    await database.read(lambda c: check_master(KEYRING, c))
    with pytest.raises(MasterKeyError, match="restore the right key file"):
        await database.read(lambda c: check_master(Keyring(b"other" + b"k" * 27), c))


async def test_a_dead_letter_can_be_listed_shown_retried_and_dropped(database: Database) -> None:
    desk = Desk(database)
    async with a_worker(database) as inbox:
        await inbox.receive(said("the merger"))
        claim = await take(inbox)
        await inbox.bury(claim, "ModelUnavailable: connection refused", trail(claim))
        (row,) = await desk.turns()
        assert (row["state"], row["cause"]) == ("dead", "ModelUnavailable: connection refused")
        assert "merger" not in json.dumps(await desk.show(claim.trace[:8]))
        assert await desk.retry(claim.trace[:8]) == claim.trace
        again = await take(inbox)
        assert (again.trace, again.failures, again.message.text) == (claim.trace, 0, "the merger")
        with pytest.raises(UnknownTurn, match="no dead turn"):
            await desk.retry(claim.trace)
        await inbox.bury(again, "still", trail(again))
        assert await desk.drop(claim.trace) == claim.trace
        assert await desk.turns() == []
        depth = await desk.depth()
    assert (depth.ready, depth.running, depth.dead) == (0, 0, 0)


async def test_a_trace_that_fits_several_turns_is_not_guessed(database: Database) -> None:
    async with a_worker(database) as inbox:
        await inbox.receive(said(conversation="a"))
        await inbox.receive(said(conversation="b"))
        with pytest.raises(UnknownTurn, match="several turns"):
            await Desk(database).drop("")
        with pytest.raises(UnknownTurn, match="no dead or ready turn"):
            await Desk(database).drop("%")


async def test_unreadable_events_are_kept_sealed_and_old_rows_are_pruned(database: Database) -> None:
    desk = Desk(database)
    async with a_worker(database) as inbox:
        await inbox.receive(said())
        await inbox.reject("slack", b"{broken \xff heron", "not JSON")
        (row,) = await desk.rejected()
        assert (row["platform"], row["reason"]) == ("slack", "not JSON")
        body = await database.read(lambda c: bytes(c.execute(text("SELECT body FROM rejected")).scalar_one()))
        assert b"heron" not in body
        assert await desk.prune(3600.0) == 0
        assert await desk.prune(-1.0) == 2
        assert await count(database, "event") == 0
        assert await count(database, "message") == 1
