"""Data keys as they lie in the database: a person's, and the one that belongs to nobody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection

from adapters.sql import statements as sql
from adapters.sql.database import db_now
from adapters.sql.sealed import DataKey, Keyring, WrappedKey
from adapters.sql.tables import person, person_key, platform

SYSTEM_PERSON: Final = "bartizan"
"""Owns the key under which lies what is no person's: unreadable events, tokens of installations."""


def stored_keys(connection: Connection, keyring: Keyring, people: Iterable[str]) -> dict[str, DataKey]:
    """The keys of those who have one. Whoever is being forgotten at this moment has to wait for us."""
    found = connection.execute(sql.KEYS, {"people": sorted(people)})
    return {who: keyring.unwrap(WrappedKey(*stored)) for who, *stored in found}


def system_key(connection: Connection, keyring: Keyring, statements: sql.Statements) -> DataKey:
    """The key that belongs to nobody, made at its first use."""
    if key := stored_keys(connection, keyring, [SYSTEM_PERSON]).get(SYSTEM_PERSON):
        return key
    wrapped, _ = keyring.make()
    connection.execute(statements.add(platform), [{"id": SYSTEM_PERSON}])
    connection.execute(
        statements.add(person, created_at=db_now()), [{"id": SYSTEM_PERSON, "platform": SYSTEM_PERSON}]
    )
    connection.execute(
        statements.add(person_key),
        [{"id": wrapped.id, "person": SYSTEM_PERSON, "master": wrapped.master, "wrapped": wrapped.wrapped}],
    )
    return stored_keys(connection, keyring, [SYSTEM_PERSON])[SYSTEM_PERSON]    # another replica may have been first
