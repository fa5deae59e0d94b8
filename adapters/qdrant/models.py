"""The embedding model that an index was made with, found again by the index's own record."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.qdrant.embed import Embedder, ours
from adapters.qdrant.index import QueryEmbedder
from adapters.qdrant.points import Manifest
from engine.errors import RetrieverUnavailable


@dataclass(frozen=True, slots=True)
class Mute:
    """In the place of a model that is not there any more: its index is kept and cannot be asked."""

    model: str
    size: int

    async def ready(self) -> None:
        """Raises `RetrieverUnavailable`."""
        await self.query("")

    async def query(self, text: str) -> Sequence[float]:
        """Raises `RetrieverUnavailable`."""
        del text
        raise RetrieverUnavailable(
            f"the index was made with {self.model}, which is not there any more; `bartizan sync` builds it anew")


@asynccontextmanager
async def made_with(manifest: Manifest) -> AsyncGenerator[QueryEmbedder]:
    """The model of that record, checked by the hashes in it; a mute one where it is gone or has changed."""
    async with AsyncExitStack() as stack:
        yield await _found(manifest, stack) or Mute(manifest.model, manifest.size)


async def _found(manifest: Manifest, stack: AsyncExitStack) -> QueryEmbedder | None:
    try:
        if manifest.folder:
            opened = Embedder.of(Path(manifest.folder), dict(manifest.sha256))
        else:
            opened = Embedder(chosen=ours(manifest.model)).running()
        embedder = await stack.enter_async_context(opened)
    except RetrieverUnavailable:        # another word for it is `Mute`, which says so to whoever asks
        return None
    return embedder if embedder.model == manifest.model else None
