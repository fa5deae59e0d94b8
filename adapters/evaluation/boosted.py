"""Boosted trees, fitted the same to the last bit on every machine.

Each tree takes a step towards what the ones before it left over, by the squared hinge as in
`adapters.evaluation.linear`. Columns are cut at a few of their own values. No random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypedDict

import numpy as np
from numpy.typing import NDArray

from engine.guards.features import Vector
from engine.guards.trees import Trees

BINS: Final = 24
"""Values of a column at which it may be cut."""


class Growth(TypedDict):
    """How many trees, with how many questions each, and how much evidence a leaf must have."""

    trees: int
    depth: int
    calm: float


def grow(
    rows: Vector, labels: Vector, importance: Vector, *, trees: int = 120, depth: int = 3, rate: float = 0.15,
    calm: float = 20.0,
) -> Trees:
    """Trees for labels of -1 and 1. ``calm``: how much evidence a leaf must have before it says anything."""
    cuts = [_cuts(column) for column in rows.T]
    binned = np.stack(
        [np.searchsorted(cut, column, side="left") for cut, column in zip(cuts, rows.T, strict=True)]
    ).astype(np.int64)
    total = float(np.add.reduce(importance))
    bias = float(np.add.reduce(importance * labels)) / total
    importance = importance * (len(labels) / total)
    score = np.full(len(labels), bias)
    chosen_columns, chosen_cuts, leaves = [], [], []
    for _ in range(trees):
        gap = np.maximum(0.0, 1.0 - labels * score)
        pull = 2.0 * importance * labels * gap
        bend = 2.0 * importance * (gap > 0)
        node = np.zeros(len(labels), dtype=np.int64)
        columns, values = [], []
        for level in range(depth):
            column, at = _best(binned, [len(cut) for cut in cuts], node, pull, bend, calm=calm)
            columns.append(column)
            values.append(float(cuts[column][at]) if len(cuts[column]) else 0.0)
            node |= (binned[column] > at).astype(np.int64) << level
        force = np.bincount(node, weights=pull, minlength=1 << depth)
        inertia = np.bincount(node, weights=bend, minlength=1 << depth)
        leaf = rate * force / (inertia + calm)
        score = score + leaf[node]
        chosen_columns.append(columns)
        chosen_cuts.append(values)
        leaves.append(leaf)
    return Trees(np.array(chosen_columns, dtype=np.int64), np.array(chosen_cuts), np.array(leaves), bias)


def _cuts(column: Vector) -> Vector:
    """Values between which a column's rows are spread about evenly; the highest is none, for nothing exceeds it."""
    values = np.sort(column)
    places = np.arange(1, BINS + 1) * len(values) // (BINS + 1)
    kept = np.unique(np.concatenate([values[:1], values[places]]))
    return np.asarray(kept[kept < values[-1]], dtype=np.float64)


def _best(
    binned: NDArray[np.int64], cuts: Sequence[int], node: NDArray[np.int64], pull: Vector, bend: Vector, *, calm: float
) -> tuple[int, int]:
    """The column and the cut that explain most of what is left over, of all nodes together.

    ``cuts``: how many each column has. Behind the last one lies no row, and what rounding finds there is no cut.
    """
    best, found = -1.0, (0, 0)
    nodes = int(np.max(node)) + 1
    bins = BINS + 2
    for column, (bin_, many) in enumerate(zip(binned, cuts, strict=True)):
        at = node * bins + bin_
        force = np.bincount(at, weights=pull, minlength=nodes * bins).reshape(nodes, bins)
        inertia = np.bincount(at, weights=bend, minlength=nodes * bins).reshape(nodes, bins)
        left_force, left_inertia = np.cumsum(force, axis=1), np.cumsum(inertia, axis=1)
        right_force = left_force[:, -1:] - left_force
        right_inertia = left_inertia[:, -1:] - left_inertia
        gain = np.add.reduce(
            left_force**2 / (left_inertia + calm) + right_force**2 / (right_inertia + calm), axis=0
        )
        top = int(np.argmax(gain[:many])) if many else 0
        if gain[top] > best:
            best, found = float(gain[top]), (column, top)
    return found
