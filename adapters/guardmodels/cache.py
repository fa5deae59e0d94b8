"""Judgements of texts that were judged lately, found by keyed hashes: the texts themselves are not kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import monotonic

from adapters.guardmodels.judgement import Judgement


class Verdicts:
    """Bounded in size and in age. An error is not a verdict and is not kept."""

    __slots__ = ("_age", "_clock", "_kept", "_size")

    def __init__(self, size: int, age: timedelta, clock: Callable[[], float] = monotonic) -> None:
        """``clock`` counts seconds and never goes back."""
        self._size = size
        self._age = age.total_seconds()
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Judgement]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: str) -> Judgement | None:
        """The judgement, unless it is unknown or too old."""
        found = self._kept.get(key)
        if found is None:
            return None
        until, judgement = found
        if self._clock() >= until:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return judgement

    def keep(self, key: str, judgement: Judgement) -> None:
        """Without what the model said, which may repeat the text."""
        if judgement.severity == "error" or self._size == 0:
            return
        self._kept[key] = (self._clock() + self._age, replace(judgement, raw=""))
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
