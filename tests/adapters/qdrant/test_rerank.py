"""A second look changes the order and nothing else. The model is a graph of our own: it counts a pair's tokens."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.qdrant.embed import FOLDER
from adapters.qdrant.rerank import CANDIDATES, WINDOW, CrossEncoder, Reranked
from engine.errors import RetrieverUnavailable
from engine.messages import Audience, Conversation, ConversationId, Found, Passage, Turn
from tests.adapters.qdrant.worlds import ANN, NO_PAST
from tests.builders import a_message, a_passage


@dataclass
class Shelf:
    """Finds the same passages whatever is asked."""

    found: Found
    asked: int = 0

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        del question, past, audience
        self.asked = limit
        return self.found

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        return tuple(passage for passage in passages if audience.may_read(passage.acl))


@dataclass
class Longest:
    """The longer, the better."""

    question: str = ""

    async def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        self.question = question
        return [float(len(text)) for text in texts]


THREE = Found((a_passage("a"), a_passage("ccc"), a_passage("bb")), answers=True)


async def test_the_best_come_first_and_no_more_than_asked_for() -> None:
    shelf = Shelf(THREE)
    found = await Reranked(shelf, Longest()).find("how?", past=NO_PAST, audience=ANN, limit=2)
    assert [passage.text for passage in found.passages] == ["ccc", "bb"]
    assert (found.answers, shelf.asked) == (True, CANDIDATES)


async def test_equal_ones_stay_in_their_order() -> None:
    passages = (a_passage("x1"), a_passage("x2"), a_passage("x3"))
    found = await Reranked(Shelf(Found(passages)), Longest()).find("how?", past=NO_PAST, audience=ANN, limit=6)
    assert [passage.text for passage in found.passages] == ["x1", "x2", "x3"]


async def test_a_follow_up_is_read_with_the_question_before_it() -> None:
    past = Conversation(ConversationId("test:general"), (Turn(a_message("when is payday?"), None),))
    reranker = Longest()
    await Reranked(Shelf(THREE), reranker).find("and why?", past=past, audience=ANN, limit=2)
    assert reranker.question == "when is payday? and why?"


@pytest.mark.parametrize("limit", [0, 1])
async def test_one_passage_needs_no_second_look(limit: int) -> None:
    reranker = Longest()
    found = await Reranked(Shelf(Found((a_passage("a"),))), reranker).find(
        "how?", past=NO_PAST, audience=ANN, limit=limit)
    assert (len(found.passages), reranker.question) == (limit, "")


async def test_what_may_not_be_read_any_more_is_the_inner_ones_affair() -> None:
    assert await Reranked(Shelf(THREE), Longest()).still_readable(THREE.passages, Audience()) == ()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cross-encoder as an operator would bring it in: MiniLM's tokenizer, and a graph that counts tokens."""
    copy = tmp_path / "counts-tokens"
    shutil.copytree(FOLDER, copy)
    (copy / "model.onnx").write_bytes(counting())
    return copy


async def test_a_model_comes_from_a_folder(folder: Path) -> None:
    async with CrossEncoder.of(folder) as encoder:
        scores = await encoder.scores("how much notice?", ["four weeks before annual leave", "four", "word " * 9_000])
    assert scores == [4 + 5 + 3, 4 + 1 + 3, WINDOW]         # of both texts, and three special ones


async def test_a_question_may_be_strange(folder: Path) -> None:
    async with CrossEncoder.of(folder) as encoder:
        assert await encoder.scores("\ud800", ["\0"]) != []
        assert await encoder.scores("notice", []) == []


async def test_a_folder_without_a_model_says_so(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(RetrieverUnavailable, match=r"no model\.onnx"):
        async with CrossEncoder.of(tmp_path):
            pass
    (folder / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(RetrieverUnavailable, match="does not load"):
        async with CrossEncoder.of(folder):
            pass


def counting() -> bytes:
    """An ONNX graph, written by hand: the sum of the attention mask of each row."""
    def tensor(name: bytes, kind: int, *dims: bytes) -> bytes:
        shape = b"".join(part(1, part(2, dim)) for dim in dims)
        return part(1, name) + part(2, part(1, number(1, kind) + part(2, shape)))

    def node(inputs: bytes, output: bytes, kind: bytes, *attributes: bytes) -> bytes:
        return part(1, inputs) + part(2, output) + part(4, kind) + b"".join(part(5, each) for each in attributes)

    int64, float32, integer, integers = 7, 1, 2, 7
    to = part(1, b"to") + number(3, float32) + number(20, integer)
    axes = part(1, b"axes") + number(8, 1) + number(20, integers)
    graph = b"".join((
        part(1, node(b"attention_mask", b"ones", b"Cast", to)),
        part(1, node(b"ones", b"logits", b"ReduceSum", axes)),
        part(2, b"counting"),
        part(11, tensor(b"input_ids", int64, b"b", b"s")),
        part(11, tensor(b"attention_mask", int64, b"b", b"s")),
        part(12, tensor(b"logits", float32, b"b", b"one")),
    ))
    return number(1, 7) + part(7, graph) + part(8, part(1, b"") + number(2, 11))


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def part(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))
