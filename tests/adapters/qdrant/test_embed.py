"""The real model: its vectors, its files, and what happens when one of these is not ours."""

from __future__ import annotations

import asyncio
import math
import shutil
from pathlib import Path

import pytest

from adapters.qdrant.embed import FOLDER, SHA256, WINDOW, Counter, Embedder, MiniLM, verify
from engine.errors import RetrieverUnavailable


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM.load()


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_texts_that_mean_the_same_are_near(model: MiniLM) -> None:
    vpn, credentials, menu = (list(v) for v in model.embed(
        ["reset my VPN password", "recover your VPN credentials", "the cafeteria's menu"]
    ))
    assert cosine(vpn, credentials) > 0.6
    assert cosine(vpn, menu) < 0.2
    assert math.isclose(cosine(vpn, vpn), 1, abs_tol=1e-5)


def test_a_vector_does_not_depend_on_the_company_it_was_made_in(model: MiniLM) -> None:
    texts = ["word " * length for length in (200, 1, 30, 7, 90, 3, 60, 2, 150, 5)]
    together = model.embed(texts)
    for text, vector in zip(texts, together, strict=True):
        alone, = model.embed([text])
        assert cosine(list(alone), list(vector)) > 0.999


def test_what_is_beyond_the_window_is_not_seen(model: MiniLM) -> None:
    long = "word " * (WINDOW - 2)
    one, other = model.embed([long, f"{long} and a secret"])
    assert cosine(list(one), list(other)) > 0.999


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "x" * 1_000_000, "年次休暇"])
def test_any_text_has_a_vector(model: MiniLM, text: str) -> None:
    vector, = model.embed([text])
    assert len(vector) == 384
    assert all(map(math.isfinite, vector))


def test_tokens_are_counted_beyond_the_window() -> None:
    counter = Counter.load()
    assert counter.count("annual leave") == 4
    assert counter.count("word " * 1_000) == 1_002


async def test_a_question_is_embedded_once() -> None:
    async with Embedder(kept=2).running() as embedder:
        await embedder.ready()
        first = await embedder.query("annual leave")
        assert await embedder.query("annual leave") is first
        await embedder.query("two")
        await embedder.query("three")
        assert list(await embedder.query("annual leave")) == list(first)


async def test_whoever_stops_waiting_does_not_stop_the_loading() -> None:
    async with Embedder().running() as embedder:
        impatient = asyncio.create_task(embedder.ready())
        await asyncio.sleep(0)
        impatient.cancel()
        assert len(await embedder.query("annual leave")) == 384


async def test_an_embedder_that_does_not_run_says_so() -> None:
    with pytest.raises(RetrieverUnavailable):
        await Embedder().query("annual leave")


def test_a_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    verify({name: FOLDER / name for name in SHA256 if name != "model.onnx"})
    shutil.copy(FOLDER / "tokenizer.json", tmp_path)
    with (tmp_path / "tokenizer.json").open("a") as file:
        file.write(" ")
    with pytest.raises(RetrieverUnavailable, match=r"tokenizer\.json"):
        verify({"tokenizer.json": tmp_path / "tokenizer.json"})
    with pytest.raises(RetrieverUnavailable, match=r"model\.onnx"):
        verify({"model.onnx": tmp_path / "model.onnx"})
