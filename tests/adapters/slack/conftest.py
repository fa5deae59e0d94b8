"""A Slack, and a database to listen with."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from adapters.sql.database import Database, migrate, open_database
from tests.fake_slack import FakeSlack, fake_slack


@pytest.fixture
async def fake() -> AsyncGenerator[FakeSlack]:
    async with fake_slack() as slack:
        yield slack


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    async with open_database(f"sqlite:///{tmp_path}/b.db") as opened:
        await migrate(opened)
        yield opened
