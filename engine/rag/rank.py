"""Several orders become one, and the best of it a short list without repetition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def fuse(*rankings: Sequence[str], k: int = 60) -> tuple[tuple[str, float], ...]:
    """Reciprocal rank fusion: the score of an id is the sum of ``1 / (k + rank)`` over the rankings that hold it.

    Ranks count from 1, the best first. After Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms
    Condorcet and individual Rank Learning Methods", SIGIR 2009, with their k of 60. An id that one ranking holds
    twice counts there once. Equal scores: the better single rank goes first, then the smaller id.
    """
    scores: dict[str, float] = {}
    best: dict[str, int] = {}
    for ranking in rankings:
        for rank, key in enumerate(dict.fromkeys(ranking), 1):
            scores[key] = scores.get(key, 0.0) + 1 / (k + rank)
            best[key] = min(rank, best.get(key, rank))
    return tuple(sorted(scores.items(), key=lambda item: (-item[1], best[item[0]], item[0])))


def spread(
    ranked: Iterable[T], *, limit: int, document: Callable[[T], str], content: Callable[[T], str], each: int = 2
) -> tuple[T, ...]:
    """The first ``limit`` of a ranked list: no content twice, and at most ``each`` of one document."""
    taken: list[T] = []
    seen: set[str] = set()
    counts: Counter[str] = Counter()
    for item in ranked:
        if len(taken) >= limit:
            break
        if content(item) in seen or counts[document(item)] >= each:
            continue
        seen.add(content(item))
        counts[document(item)] += 1
        taken.append(item)
    return tuple(taken)
