"""Trees find what no sum of columns can, and the same ones every time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adapters.evaluation.boosted import grow

NUMBERS = st.floats(-10, 10, allow_subnormal=False)


def test_two_signs_that_count_only_together_are_learned() -> None:
    rows = np.array([[a, b, 0.5] for a in (0.0, 1.0) for b in (0.0, 1.0) for _ in range(25)])
    labels = np.where(rows[:, 0] == rows[:, 1], 1.0, -1.0)
    importance = np.where((rows[:, 0] == 0) & (rows[:, 1] == 0), 1.5, 1.0)     # a tie has no best first question
    trees = grow(rows, labels, importance, trees=60, depth=2, calm=1.0)
    assert (np.sign(trees.scores(rows)) == labels).all()


@given(arrays(np.float64, (12, 3), elements=NUMBERS), st.integers(0, 2**12 - 1))
@settings(max_examples=50, deadline=None)
def test_growing_twice_makes_the_same_trees_and_a_row_scores_as_it_does_among_others(
    rows: np.ndarray, drawn: int
) -> None:
    labels = np.array([1.0 if drawn >> at & 1 else -1.0 for at in range(12)])
    first, second = (grow(rows, labels, np.ones(12), trees=5, depth=2, calm=1.0) for _ in range(2))
    assert first.scores(rows).tolist() == second.scores(rows).tolist()
    assert [first.score(row) for row in rows] == first.scores(rows).tolist()


def test_rows_that_are_all_alike_get_the_mean_of_their_labels() -> None:
    trees = grow(np.zeros((4, 2)), np.array([1.0, 1.0, 1.0, -1.0]), np.ones(4), trees=3, depth=2, calm=10.0)
    assert len(set(trees.scores(np.array([[0.0, 0.0], [9.0, -9.0]])).tolist())) == 1
