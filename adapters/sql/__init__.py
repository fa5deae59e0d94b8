"""The conversation store and the durable queue, on SQLite or PostgreSQL."""
