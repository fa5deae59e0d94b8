"""The weights in an ONNX file, read where they lie: views of the mapped file, of which only what is used is in memory.

An ONNX file is a Protocol Buffers message. Of the whole format this needs four fields of three messages, so the
library of that name, and the 20 MB of the one that describes ONNX, stay away.
Numbers of fields after https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import mmap
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

GRAPH: Final = 7                # of a model
INITIALIZER: Final = 5          # of a graph
DIMS, KIND, NAME, RAW = 1, 2, 8, 9      # of an initializer
KINDS: Final[Mapping[int, type[np.generic]]] = {
    1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16,
}

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def tensors(path: Path) -> dict[str, Array | None]:
    """By their names; None for one that the file names without holding it. Raises `OSError` and `ValueError`."""
    with path.open("rb") as file:
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return dict(
            _tensor(whole, *tensor)
            for number, *graph in _fields(whole, 0, len(whole)) if number == GRAPH
            for kind, *tensor in _fields(whole, *graph) if kind == INITIALIZER
        )
    except (IndexError, KeyError) as error:
        raise ValueError("not an ONNX file") from error


def _tensor(whole: mmap.mmap, begin: int, end: int) -> tuple[str, Array | None]:
    name, kind, dims, array = "", 0, list[int](), None
    for number, first, last in _fields(whole, begin, end):
        if number == NAME:
            name = whole[first:last].decode()
        elif number == KIND:
            kind = first
        elif number == DIMS:
            dims.append(first)
        elif number == RAW:
            size = (last - first) // np.dtype(KINDS[kind]).itemsize
            array = np.frombuffer(whole, KINDS[kind], size, first)
    return name, None if array is None else array.reshape(dims)


def _fields(whole: mmap.mmap, at: int, end: int) -> Generator[tuple[int, int, int]]:
    """Each field's number, and where it begins and ends; of a plain number twice the number itself."""
    while at < end:
        key, at = _number(whole, at)
        if key & 7 == 0:
            value, at = _number(whole, at)
            yield key >> 3, value, value
            continue
        size = {1: 8, 5: 4}.get(key & 7)
        if size is None:
            size, at = _number(whole, at)
        yield key >> 3, at, at + size
        at += size


def _number(whole: mmap.mmap, at: int) -> tuple[int, int]:
    """Seven bits a byte, the lowest first; and where what follows begins."""
    value = shift = 0
    while True:
        byte = whole[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
