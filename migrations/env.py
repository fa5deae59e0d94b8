"""How Alembic reaches the database: always over the connection that `adapters.sql.database.migrate` hands in."""

from __future__ import annotations

from alembic import context

from adapters.sql.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Use `bartizan migrate`: it takes the lock that keeps two replicas apart.")

context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
