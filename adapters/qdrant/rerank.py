"""A second look at the best passages by a cross-encoder, which reads question and passage together.

Optional, from a folder, off the event loop. It changes the order; what may be read, and whether anything answers at
all, is decided before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from adapters.qdrant.embed import IMPORTING, LONGEST, WEIGHTS, sendable
from engine.errors import RetrieverUnavailable
from engine.messages import Audience, Conversation, Found, Passage
from engine.ports import Retriever
from engine.rag.followup import asked

if TYPE_CHECKING:
    from fastembed.rerank.cross_encoder.custom_text_cross_encoder import CustomTextCrossEncoder

CANDIDATES: Final = 30          # passages that are read again
BATCH: Final = 8                # pairs at a time: more would only take memory
WINDOW: Final = 512             # tokens of a pair, question and passage together


class Reranker(Protocol):
    """Says how well each text answers a question: the higher the better, on a scale of its own."""

    async def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]: ...


@dataclass(frozen=True, slots=True)
class Reranked:
    """A `Retriever` around a `Retriever`."""

    inner: Retriever
    reranker: Reranker

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """The best of what the inner one finds. Equal ones stay in its order. Raises `RetrieverUnavailable`."""
        found = await self.inner.find(question, past=past, audience=audience, limit=max(limit, CANDIDATES))
        passages = found.passages
        if limit < 1 or len(passages) < 2:
            return replace(found, passages=passages[: max(0, limit)])
        whole = " ".join(reversed(asked(question, past)))       # earlier questions first, as they were asked
        scores = await self.reranker.scores(whole, [f"{each.title}\n{each.text}" for each in passages])
        best = sorted(zip(scores, passages, strict=True), key=lambda pair: -pair[0])
        return replace(found, passages=tuple(replace(each, score=score) for score, each in best[:limit]))

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """As the inner one says."""
        return await self.inner.still_readable(passages, audience)


@dataclass(frozen=True, slots=True)
class CrossEncoder:
    """A `Reranker`: a sentence-transformers cross-encoder as ONNX, with one worker thread."""

    model: CustomTextCrossEncoder
    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "rerank"))

    @classmethod
    @asynccontextmanager
    async def of(cls, folder: Path) -> AsyncGenerator[Self]:
        """Loads the model in this folder. Raises `RetrieverUnavailable`."""
        encoder = cls(await asyncio.to_thread(_load, folder))
        try:
            yield encoder
        finally:
            await asyncio.to_thread(encoder._worker.shutdown, cancel_futures=True)

    async def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Raises `RetrieverUnavailable`."""
        work = partial(self._scored, sendable(question), [sendable(text) for text in texts])
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _scored(self, question: str, texts: Sequence[str]) -> list[float]:
        order = sorted(range(len(texts)), key=lambda n: len(texts[n]))      # equals share a batch: little is padded
        try:
            scores = list(self.model.rerank(question[: LONGEST // 4], [texts[n] for n in order], batch_size=BATCH))
        except Exception as error:
            raise RetrieverUnavailable(f"reranking failed: {type(error).__name__}") from error
        placed = dict(zip(order, scores, strict=True))
        return [float(placed[n]) for n in range(len(texts))]


def _load(folder: Path) -> CustomTextCrossEncoder:
    # as heavy as the embedding model's library, of which it is a part
    with IMPORTING:
        from fastembed.common.model_description import BaseModelDescription, ModelSource  # noqa: PLC0415
        from fastembed.rerank.cross_encoder.custom_text_cross_encoder import CustomTextCrossEncoder  # noqa: PLC0415

    places = (folder / part / name for name in WEIGHTS for part in ("", "onnx"))
    weights = next((path for path in places if path.is_file()), None)
    if weights is None:
        raise RetrieverUnavailable(f"the folder of the reranking model holds no {WEIGHTS[-1]}")

    file = str(weights.resolve())

    class Quiet(CustomTextCrossEncoder):
        SUPPORTED_MODELS = [  # noqa: RUF012 - declared so by fastembed
            BaseModelDescription(
                model=folder.name, sources=ModelSource(url="local"), model_file=file,
                description="", license="", size_in_GB=0.0,
            )
        ]

        @classmethod
        def add_extra_session_options(cls, session_options: Any, extra_options: dict[str, Any]) -> None:
            super().add_extra_session_options(session_options, extra_options)
            session_options.add_session_config_entry("session.intra_op.allow_spinning", "0")

    try:
        model = Quiet(
            folder.name, cache_dir=str(folder), specific_model_path=str(folder), threads=1,
            providers=["CPUExecutionProvider"], enable_cpu_mem_arena=False,
        )
    except Exception as error:
        raise RetrieverUnavailable(f"the reranking model does not load: {type(error).__name__}") from error
    if model.tokenizer is None:
        raise RetrieverUnavailable("the reranking model came without its tokenizer")
    model.tokenizer.enable_truncation(WINDOW)
    return model
