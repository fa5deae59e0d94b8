"""Two replicas free the turns of a dead worker at the same moment."""

from __future__ import annotations

import asyncio

from sqlalchemy.ext.asyncio import create_async_engine

from adapters.sql.database import migrate, open_database
from adapters.sql.queue import Beat, Caps, TurnQueue
from adapters.sql.sealed import Keyring
from adapters.sql.statements import Statements
from adapters.sql.tables import turn, worker
from tests.builders import said
from tests.postgres import Postgres

LEASE = 15.0
NOTHING: frozenset[int] = frozenset()


async def test_a_turn_that_was_just_taken_over_is_not_taken_again(server: Postgres) -> None:
    url = await asyncio.to_thread(server.create, "reclaim")
    async with open_database(url) as database:
        await migrate(database)
        keyring, statements = Keyring(b"k" * 32), Statements(database.dialect)
        dead, heir, other = (TurnQueue(keyring, Caps(), statements, name) for name in ("dead", "heir", "other"))
        await database.write(lambda c: dead.ingest(c, [said()]))
        await database.write(lambda c: (dead.beat(c, NOTHING, LEASE), dead.claim(c, ["test"], 1)))
        await database.write(lambda c: c.execute(worker.delete()))
        engine = create_async_engine(url)
        async with engine.connect() as first, first.begin():
            freed = await first.run_sync(lambda c: heir.beat(c, NOTHING, LEASE))
            ((held, _),) = await first.run_sync(lambda c: heir.claim(c, ["test"], 1))
            waiting = asyncio.create_task(database.write(lambda c: other.beat(c, NOTHING, LEASE)))
            await asyncio.sleep(0.3)            # it waits for the row that the heir has in hand
            assert not waiting.done()
            await first.commit()
            assert await waiting == Beat(0, NOTHING, NOTHING)
        await engine.dispose()
        row = await database.read(lambda c: c.execute(turn.select()).one())
    assert freed.reclaimed == 1
    assert (row.state, row.worker, row.attempt, row.attempt) == ("running", "heir", 2, held.attempt)
