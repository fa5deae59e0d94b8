"""`bartizan inbox show`: one turn, and whether the pages behind its answer are still there."""

from __future__ import annotations

from typing import Any

from adapters.sql.desk import Desk
from bot.app import open_store
from bot.indexes import open_settled
from bot.settings import Settings
from engine.errors import RetrieverUnavailable
from engine.messages import Citation


async def show(settings: Settings, trace: str) -> dict[str, Any]:
    """``sources`` of the answer say ``deleted``: true, false, or null while the index cannot be asked.

    Raises `UnknownTurn` and `StoreUnavailable`.
    """
    async with open_store(settings) as (database, keyring):
        desk = Desk(database)
        whole = await desk.show(trace)
        cited = await desk.cited(trace, keyring)
    return {**whole, "sources": await _sources(settings, cited) if cited else []}


async def _sources(settings: Settings, cited: tuple[Citation, ...]) -> list[dict[str, Any]]:
    documents = {citation.passage.document for citation in cited}
    try:
        async with open_settled(settings) as index:
            standing: frozenset[str] | None = await index.standing(documents)
    except RetrieverUnavailable:
        standing = None
    return [
        {"marker": citation.marker, "title": citation.passage.title, "url": citation.passage.url,
         "deleted": None if standing is None else citation.passage.document not in standing}
        for citation in cited
    ]
