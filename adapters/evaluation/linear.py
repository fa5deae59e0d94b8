"""Linear models over hashed sequences, fitted the same to the last bit on every machine.

Only additions, multiplications, divisions and square roots are used, in a fixed order: no exponentials and no matrix
library, whose last digits differ between processors. Hence the squared hinge, in place of the logistic loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.guards.classifier import SMOOTH
from engine.guards.hashing import BITS, Places, places

Vector: TypeAlias = "NDArray[np.float64]"

_MEMORY: Final = 8


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts as sparse rows: which places each fills, and with what value."""

    row: NDArray[np.int64]
    place: NDArray[np.int64]
    value: Vector
    count: int

    @classmethod
    def of(cls, texts: Sequence[Places]) -> Rows:
        """Sequences are counted, and a row divided by the root of how many it has."""
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        row = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
        mixed = np.concatenate(texts) if texts else np.zeros(0, dtype=np.uint32)
        value = (1.0 / np.sqrt(lengths + SMOOTH))[row]
        return cls(row, places(mixed).astype(np.int64), value, len(texts))

    def times(self, weights: Vector) -> Vector:
        """One score for each row."""
        sums = np.bincount(self.row, weights=weights[self.place] * self.value, minlength=self.count)
        return np.asarray(sums, dtype=np.float64)

    def back(self, errors: Vector) -> Vector:
        """One sum for each place."""
        sums = np.bincount(self.place, weights=errors[self.row] * self.value, minlength=1 << BITS)
        return np.asarray(sums, dtype=np.float64)


def fit(rows: Rows, labels: Vector, importance: Vector, *, decay: float, steps: int = 60) -> tuple[Vector, float]:
    """Weights and a bias for labels of -1 and 1."""
    size = 1 << BITS

    def loss(parameters: Vector) -> tuple[float, Vector]:
        weights, bias = parameters[:size], parameters[size]
        gap = np.maximum(0.0, 1.0 - labels * (rows.times(weights) + bias))
        errors = importance * gap
        slope = -2.0 * errors * labels
        total = float(np.add.reduce(errors * gap)) + decay * float(np.add.reduce(weights * weights))
        return total, np.append(rows.back(slope) + 2.0 * decay * weights, np.add.reduce(slope))

    found = _descend(loss, np.zeros(size + 1), steps)
    return found[:size], float(found[size])


def fit_dense(
    rows: Vector, labels: Vector, importance: Vector, *, decay: float, steps: int = 120
) -> tuple[Vector, float]:
    """The same for a full matrix of rows by columns."""
    columns = np.ascontiguousarray(rows.T)

    def loss(parameters: Vector) -> tuple[float, Vector]:
        weights, bias = parameters[:-1], parameters[-1]
        score = np.add.reduce(columns * weights[:, None], axis=0) + bias
        gap = np.maximum(0.0, 1.0 - labels * score)
        errors = importance * gap
        slope = -2.0 * errors * labels
        total = float(np.add.reduce(errors * gap)) + decay * float(np.add.reduce(weights * weights))
        return total, np.append(np.add.reduce(columns * slope, axis=1) + 2.0 * decay * weights, np.add.reduce(slope))

    found = _descend(loss, np.zeros(rows.shape[1] + 1), steps)
    return found[:-1], float(found[-1])


def _descend(loss: Callable[[Vector], tuple[float, Vector]], at: Vector, steps: int) -> Vector:
    """Limited-memory BFGS with a halving line search."""
    value, slope = loss(at)
    moves: list[tuple[Vector, Vector, float]] = []
    for _ in range(steps):
        direction = -slope
        scales: list[float] = []
        for move, turn, inverse in reversed(moves):
            scale = inverse * _dot(move, direction)
            scales.append(scale)
            direction = direction - scale * turn
        if moves:
            move, turn, inverse = moves[-1]
            direction = direction * (1.0 / (inverse * _dot(turn, turn)))
        else:
            direction = direction * (1.0 / max(1.0, _dot(slope, slope) ** 0.5))
        for (move, turn, inverse), scale in zip(moves, reversed(scales), strict=True):
            direction = direction + move * (scale - inverse * _dot(turn, direction))
        downhill = _dot(direction, slope)
        if downhill >= 0:
            break
        stride = 1.0
        for _ in range(20):
            there = at + stride * direction
            new_value, new_slope = loss(there)
            if new_value <= value + 1e-4 * stride * downhill:
                break
            stride *= 0.5
        else:
            break
        move, turn = there - at, new_slope - slope
        curved = _dot(move, turn)
        if curved > 1e-12:
            moves = [*moves[1 - _MEMORY :], (move, turn, 1.0 / curved)]
        done = value - new_value <= 1e-6 * max(1.0, abs(value))
        at, value, slope = there, new_value, new_slope
        if done:
            break
    return at


def _dot(a: Vector, b: Vector) -> float:
    return float(np.add.reduce(a * b))
