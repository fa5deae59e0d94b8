"""One way into either database: a function over a SQLAlchemy `Connection`, run in one transaction, off the loop.

PostgreSQL is reached through asyncpg and SQLAlchemy's asyncio extension. SQLite has no network to wait for:
there the same functions run in a thread of their own, a whole transaction per hand-over instead of one per
statement, which measured about a third of the processor time.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import Float

from engine.errors import StoreUnavailable

T = TypeVar("T")

BUSY_TIMEOUT_MS: Final = 5_000
MIGRATION_LOCK: Final = 0x62617274      # any number that no other program on the server uses
READERS: Final = 4


class db_now(GenericFunction[float]):
    """Seconds since 1970 by the database's clock: the only clock that all replicas share."""

    type = Float()
    inherit_cache = True
    name = "db_now"


@compiles(db_now, "postgresql")
def _now_postgresql(element: db_now, compiler: SQLCompiler, **_: Any) -> str:
    del element, compiler
    return "extract(epoch from clock_timestamp())::float8"


@compiles(db_now, "sqlite")
def _now_sqlite(element: db_now, compiler: SQLCompiler, **_: Any) -> str:
    del element, compiler
    return "((julianday('now') - 2440587.5) * 86400.0)"     # milliseconds; 'subsec' needs SQLite 3.42


class Conflict(StoreUnavailable):
    """The statement broke a rule of the schema; another transaction may do better."""


@dataclass(frozen=True, slots=True)
class Database:
    """Reads and writes, each a function that runs in one transaction."""

    dialect: str
    _write: Callable[[Callable[[Connection], Any]], Any]
    _read: Callable[[Callable[[Connection], Any]], Any]

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs ``work`` in a transaction that is on disk when this returns. Raises `StoreUnavailable`."""
        result: T = await _translated(self._write, work)
        return result

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs ``work``, which only reads, beside the writer. Raises `StoreUnavailable`."""
        result: T = await _translated(self._read, work)
        return result


@asynccontextmanager
async def open_database(url: str, *, page_limit: int | None = None) -> AsyncGenerator[Database]:
    """A database by its URL: ``sqlite:///path`` or ``postgresql+asyncpg://...``.

    ``page_limit`` bounds an SQLite file (in pages of 4 KiB), as a full disk would.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        async with _open_sqlite(parsed, page_limit) as database:
            yield database
    else:
        async with _open_postgresql(parsed) as database:
            yield database


@asynccontextmanager
async def _open_sqlite(url: URL, page_limit: int | None) -> AsyncGenerator[Database]:
    path = url.database
    if not path or path == ":memory:":
        raise StoreUnavailable("the SQLite database needs a file: sqlite:///path/to/bartizan.db")
    Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))      # for its owner alone, whatever the folder's mode is
    address = URL.create("sqlite", database=path)
    writer = _sqlite_engine(address, begin="BEGIN IMMEDIATE", size=1, page_limit=page_limit)
    reader = _sqlite_engine(address, begin="BEGIN", size=READERS, page_limit=None)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "sqlite-writer") as writing, ThreadPoolExecutor(READERS, "sqlite-reader") as reading:
        try:
            yield Database(
                "sqlite",
                lambda work: loop.run_in_executor(writing, _in_transaction, writer, work),
                lambda work: loop.run_in_executor(reading, _in_transaction, reader, work),
            )
        finally:
            await loop.run_in_executor(writing, writer.dispose)
            await loop.run_in_executor(reading, reader.dispose)


def _sqlite_engine(address: URL, *, begin: str, size: int, page_limit: int | None) -> Engine:
    engine = create_engine(
        address, hide_parameters=True, pool_size=size, max_overflow=0, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None       # transactions are begun by us, below
        pragmas = [
            f"busy_timeout = {BUSY_TIMEOUT_MS}", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON",
            "secure_delete = ON",               # a deleted key leaves no bytes in free pages
        ]
        if page_limit is not None:
            pragmas.append(f"max_page_count = {page_limit}")
        try:
            for pragma in pragmas:
                _patiently(connection, f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Runs a pragma; waits for others, up to the busy timeout, where SQLite itself gives up at once.

    It does so for the change of a new file's journal to WAL: of several that open it together, all but one would fail.
    """
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute(statement).close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.005)
        else:
            return


def _in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)


@asynccontextmanager
async def _open_postgresql(url: URL) -> AsyncGenerator[Database]:
    engine = create_async_engine(
        url, hide_parameters=True, pool_size=READERS + 1, max_overflow=0, pool_timeout=30,
        connect_args={"timeout": 5, "command_timeout": 60, "server_settings": {"application_name": "bartizan"}},
    )

    async def run(work: Callable[[Connection], T]) -> T:
        return await _asynchronously(engine, work)

    try:
        yield Database("postgresql", run, run)
    finally:
        await engine.dispose()


async def _asynchronously(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    async with engine.begin() as connection:
        return await connection.run_sync(work)


async def _translated(run: Callable[[Callable[[Connection], T]], Any], work: Callable[[Connection], T]) -> T:
    try:
        result: T = await run(work)
    except DBAPIError as error:
        cause = str(error.orig).partition("\n")[0][:300]
        kind = Conflict if isinstance(error.orig, sqlite3.IntegrityError) or _is_conflict(error) else StoreUnavailable
        raise kind(f"database: {type(error.orig).__name__}: {cause}") from error
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"database: {type(error).__name__}") from error
    except (OSError, TimeoutError) as error:
        raise StoreUnavailable(f"database: {type(error).__name__}: {error}") from error
    return result


def _is_conflict(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None) or ""
    return state[:2] in {"22", "23", "40"}      # data exceptions, integrity violations, deadlocks


async def migrate(database: Database) -> str:
    """Brings the schema to this program's revision and returns it; replicas that start together take turns.

    Raises `StoreUnavailable` when the database belongs to a newer program.
    """
    import migrations  # noqa: PLC0415  (its revisions are package data)

    if await database.read(_revision) != migrations.HEAD:
        await database.write(_upgrade)
    return migrations.HEAD


def _revision(connection: Connection) -> str | None:
    from sqlalchemy import inspect  # noqa: PLC0415

    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found is not None else None


def _upgrade(connection: Connection) -> None:
    # Alembic costs a quarter of a second to import; a start with nothing to migrate does without it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    import migrations  # noqa: PLC0415

    if connection.dialect.name == "postgresql":     # on SQLite, BEGIN IMMEDIATE is the lock
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        found = _revision(connection)
        raise StoreUnavailable(
            f"the database is at revision {found}, which this version of Bartizan does not know: run a newer one"
        ) from error
