"""Weights read out of an ONNX file, and files that are none."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.qdrant.embed import FOLDER, model_path
from adapters.qdrant.tensors import tensors


def number(value: int) -> bytes:
    digits = []
    while value >= 128:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def message(field: int, body: bytes) -> bytes:
    return number(field << 3 | 2) + number(len(body)) + body


def a_model(name: str, kind: int, dims: list[int], raw: bytes | None) -> bytes:
    tensor = b"".join(number(1 << 3) + number(size) for size in dims) + number(2 << 3) + number(kind)
    tensor += message(8, name.encode()) + (b"" if raw is None else message(9, raw))
    return number(1 << 3) + number(10) + message(7, message(2, b"graph") + message(5, tensor))


def test_a_tensor_has_its_name_its_shape_and_its_numbers(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(a_model("weights", 3, [100, 2], bytes(range(200))))
    found = tensors(file)["weights"]
    assert found is not None
    assert (found.dtype, found.shape, found[99].tolist()) == (np.int8, (100, 2), [-58, -57])
    file.write_bytes(a_model("elsewhere", 1, [2], None))
    assert tensors(file) == {"elsewhere": None}


def test_every_weight_that_our_graph_names_is_in_the_package() -> None:
    graph, package = tensors(FOLDER / "graph.onnx"), tensors(model_path())
    named = {name for name, value in graph.items() if value is None}
    assert len(named) > 100
    assert all(package[name] is not None for name in named)
    assert sum(value.nbytes for value in graph.values() if value is not None) < 4_000


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda body: a_model("w", 1, [3], body)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_no_such_file_is_said_to_be_none(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(data)
    with suppress(ValueError):
        assert all(isinstance(name, str) for name in tensors(file))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="model"):
        tensors(tmp_path / "model.onnx")
