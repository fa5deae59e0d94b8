"""The database's revisions, shipped with the program: `bartizan migrate` applies them."""

from typing import Final

HEAD: Final = "2026_11_26_speaking"
"""The newest revision; a start compares it with the database before it loads Alembic."""
