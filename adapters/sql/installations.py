"""Where an app is installed that may be in several workspaces. Its tokens lie sealed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection, delete, insert, select

from adapters.sql.database import Database, db_now
from adapters.sql.keys import system_key
from adapters.sql.sealed import Keyring
from adapters.sql.statements import Statements
from adapters.sql.tables import install_state, installation


@dataclass(frozen=True, slots=True)
class Installation:
    """One workspace, who the bot is there, and its token."""

    workspace: str
    bot_user: str
    bot_id: str
    token: str = field(repr=False)
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SqlInstallations:
    """All installations on one platform. All raise `StoreUnavailable`."""

    database: Database
    keyring: Keyring
    platform: str

    async def all(self) -> Sequence[Installation]:
        """Every one, by the name of its workspace."""
        return await self.database.write(self._all)     # the key under which tokens lie may have to be made

    async def save(self, workspace: str, *, bot_user: str, bot_id: str, token: str, scopes: Sequence[str]) -> None:
        """A new one, or one anew."""
        found = Installation(workspace, bot_user, bot_id, token, tuple(scopes))
        await self.database.write(partial(self._save, found))

    async def remove(self, workspace: str) -> None:
        """The app was taken out of a workspace: its token is worthless, and goes."""
        gone = delete(installation).where(installation.c.workspace == self._id(workspace))
        await self.database.write(lambda connection: connection.execute(gone))

    async def issue(self, state: str, lasts: timedelta) -> None:
        """Remembers a state until its time is over."""
        def write(connection: Connection) -> None:
            connection.execute(delete(install_state).where(install_state.c.until < db_now()))
            connection.execute(
                insert(install_state).values(state=_hashed(state), until=db_now() + lasts.total_seconds())
            )

        await self.database.write(write)

    async def consume(self, state: str) -> bool:
        """True once, for a state that was issued and is not too old."""
        used = (
            delete(install_state).where(install_state.c.state == _hashed(state), install_state.c.until >= db_now())
            .returning(install_state.c.state)
        )
        return await self.database.write(lambda connection: connection.execute(used).scalar()) is not None

    def _all(self, connection: Connection) -> list[Installation]:
        key = system_key(connection, self.keyring, Statements(connection.dialect.name))
        rows = connection.execute(
            select(installation).where(installation.c.workspace.startswith(self._id(""), autoescape=True))
            .order_by(installation.c.workspace)
        )
        return [
            Installation(row.workspace.removeprefix(self._id("")), row.bot_user, row.bot_id,
                         key.open(row.token, _row(row.workspace)), tuple(row.scopes))
            for row in rows
        ]

    def _save(self, found: Installation, connection: Connection) -> None:
        statements = Statements(connection.dialect.name)
        id, key = self._id(found.workspace), system_key(connection, self.keyring, statements)
        row = {"workspace": id, "bot_user": found.bot_user, "bot_id": found.bot_id,
               "token": key.seal(found.token, _row(id)), "scopes": list(found.scopes)}
        connection.execute(statements.replace(installation, "workspace", installed_at=db_now()), [row])

    def _id(self, workspace: str) -> str:
        return f"{self.platform}:{workspace}"


def _row(workspace: str) -> str:
    return f"installation/{workspace}"


def _hashed(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()
