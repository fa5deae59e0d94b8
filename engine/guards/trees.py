"""Small decision trees, added up: where two signs mean something only beside each other, a sum of both is too little.

All nodes of one level of a tree ask the same thing, so a tree is a row of questions and a leaf is found by the
answers' bits, for all trees at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of trees of one depth, each over a few columns."""

    column: NDArray[np.int64]       # trees by depth: the column that a level looks at,
    cut: NDArray[np.float64]        # and the value that it must exceed
    leaf: NDArray[np.float64]       # trees by 2 ** depth
    bias: float

    def score(self, row: NDArray[np.float64]) -> float:
        """Of one row of columns."""
        return float(self.scores(row[None, :])[0])

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """One for each row."""
        trees, depth = self.column.shape
        at = np.zeros((len(rows), trees), dtype=np.int64)
        for level in range(depth):
            at |= (rows[:, self.column[:, level]] > self.cut[:, level]).astype(np.int64) << level
        return np.asarray(np.add.reduce(self.leaf[np.arange(trees), at], axis=1) + self.bias)
