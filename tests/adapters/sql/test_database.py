"""The database as a neighbour that is sometimes away, locked, full or newer than we are."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select, text, update

import migrations
from adapters.sql.alive import signed_in, strike_off, the_dead
from adapters.sql.database import Database, db_now, migrate, open_database
from adapters.sql.inbox import SqlInbox
from adapters.sql.tables import metadata, turn, worker
from engine.errors import StoreUnavailable
from tests.adapters.sql.test_inbox import KEYRING, QUICK, a_worker, count, take, trail
from tests.builders import an_answer, said
from tests.postgres import free_port


async def test_two_replicas_may_migrate_at_once(database_url: str) -> None:
    async with open_database(database_url) as one, open_database(database_url) as two:
        assert await asyncio.gather(migrate(one), migrate(two), migrate(one)) == [migrations.HEAD] * 3


async def test_a_new_file_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    for round_ in range(40):        # without patience, one round in eight failed
        async with AsyncExitStack() as opened:
            many = [
                await opened.enter_async_context(open_database(f"sqlite:///{tmp_path}/{round_}.db")) for _ in range(6)
            ]
            found = await asyncio.gather(*(one.read(_journal) for one in many))
            assert found == ["wal"] * 6


def _journal(connection: Connection) -> object:
    return connection.execute(text("PRAGMA journal_mode")).scalar()


async def test_the_schema_is_what_the_tables_say(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        from alembic.autogenerate import compare_metadata

        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await database.read(differences) == []


def test_the_newest_revision_is_known_by_name() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


async def test_a_newer_database_is_left_alone(database: Database) -> None:
    await database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '2099_01_01_later'")))
    with pytest.raises(StoreUnavailable, match="2099_01_01_later, which this version of Bartizan does not know"):
        await migrate(database)


async def test_time_is_the_databases(database: Database) -> None:
    first = await database.read(lambda c: c.execute(select(db_now())).scalar_one())
    assert 1_700_000_000 < first < 5_000_000_000
    assert await database.read(lambda c: c.execute(select(db_now())).scalar_one()) >= first


async def test_sqlite_is_opened_for_durability(tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path}/b.db") as database:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        found = [await database.write(lambda c, p=p: c.exec_driver_sql(f"PRAGMA {p}").scalar()) for p in pragmas]
    assert found == ["wal", 2, 1, 1]


async def test_a_server_that_is_away_is_said_in_a_sentence() -> None:
    async with open_database(f"postgresql+asyncpg://bot:hunter2@127.0.0.1:{free_port()}/b") as database:
        with pytest.raises(StoreUnavailable) as caught:
            await database.read(lambda c: c.execute(text("SELECT 1")))
    assert "hunter2" not in str(caught.value)


async def test_a_locked_database_keeps_nothing_half(tmp_path: Path) -> None:
    """Somebody else holds the lock for longer than we wait: the event is not acknowledged, and later it is."""
    async with open_database(f"sqlite:///{tmp_path}/b.db") as database:
        await migrate(database)
        await database.write(lambda c: c.exec_driver_sql("PRAGMA busy_timeout = 100"))
        async with a_worker(database) as inbox:
            await inbox.receive(said("before"))
            thief = sqlite3.connect(f"{tmp_path}/b.db", isolation_level=None)
            thief.execute("BEGIN EXCLUSIVE")
            event = said("during")
            with pytest.raises(StoreUnavailable, match="locked"):
                await inbox.receive(event)
            thief.execute("ROLLBACK")
            thief.close()
            assert await inbox.receive(event)
            assert await count(database, "message") == 2


async def test_a_full_disk_keeps_what_is_there(tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path}/b.db") as database:
        await migrate(database)
    size = (tmp_path / "b.db").stat().st_size // 4096
    url = f"sqlite:///{tmp_path}/b.db"
    async with open_database(url, page_limit=size + 30) as database, a_worker(database) as inbox:
        kept = 0

        async def fill() -> None:
            nonlocal kept
            for kept in range(1000):
                await inbox.receive(said("x" * 20_000, conversation=f"c{kept}"))

        with pytest.raises(StoreUnavailable, match="full"):
            await fill()
        assert kept > 0
        assert await count(database, "message") == kept
        assert await inbox.claim(1)


async def test_a_write_that_breaks_a_rule_fails_alone(database: Database) -> None:
    """Answers with an impossible column value beside good receives: group commit does not spread the damage."""
    async with a_worker(database) as inbox:
        await inbox.receive(said("a", conversation="a"))
        await inbox.receive(said("b", conversation="b"))
        one, two = await take(inbox), await take(inbox)
        bad = an_answer()
        object.__setattr__(bad, "grounded", None)
        results = await asyncio.gather(
            inbox.checkpoint(one, bad, trail(one), None),
            inbox.checkpoint(two, an_answer(), trail(two), None),
            inbox.receive(said("c", conversation="c")),
            return_exceptions=True,
        )
        assert isinstance(results[0], StoreUnavailable)
        assert results[1:] == [None, True]
        assert await count(database, "answer") == 1


async def test_a_crashed_workers_turns_are_free_at_the_next_start(database: Database, tmp_path: Path) -> None:
    """Without waiting for the lease: the dead worker's file is not locked any more."""
    from dataclasses import replace
    from datetime import timedelta

    patient = replace(QUICK, lease=timedelta(hours=1))
    first = SqlInbox(database, KEYRING, patient)
    folder = tmp_path / "workers"
    async with a_worker(database, patient) as inbox:
        await inbox.receive(said())
        await take(inbox)
        killed = await database.read(lambda c: c.execute(select(turn).where(turn.c.state == "running")).one())
        folder.mkdir()
        (folder / f"{inbox.me}.lock").touch()       # as a kill -9 leaves it
        with signed_in(folder, first.me):
            dead = the_dead(folder)
            assert dead == [inbox.me]
    def as_a_crash_leaves_it(connection: Connection) -> None:
        connection.execute(insert(worker), {"id": killed.worker, "seen_at": killed.received_at})
        connection.execute(update(turn).values(state="running", worker=killed.worker))

    await database.write(as_a_crash_leaves_it)
    await database.write(lambda c: strike_off(dead, c))
    async with a_worker(database, patient) as second:
        assert (await take(second)).crashes == 1


