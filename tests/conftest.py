"""What every test may ask for."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from adapters.sql.database import Database, migrate, open_database
from tests.postgres import Postgres, postgres

structlog.configure(processors=[                        # rich tracebacks take so long that leases run out
    structlog.contextvars.merge_contextvars, structlog.processors.format_exc_info,
    structlog.processors.KeyValueRenderer(key_order=["event"]),
])
settings.register_profile("house", deadline=None)     # machines are noisy: no test asserts a time
settings.load_profile("house")
_databases = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Generator[Postgres]:
    """A real PostgreSQL, one for the whole run."""
    with postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bartizan.db"
    running: Postgres = request.getfixturevalue("server")
    return running.create(f"test{next(_databases)}")


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """The same, migrated and open."""
    async with open_database(database_url) as opened:
        await migrate(opened)
        yield opened
