"""Keeps a dead server from costing every question its whole time budget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import monotonic


class Breaker:
    """After so many failures in a row nothing is tried for a while, then one trial at a time.

    A trial starts another cool-down at once, so that it needs no end of its own: one that is cancelled delays the
    next trial and blocks nothing.
    """

    __slots__ = ("_clock", "_cooldown", "_failures", "_threshold", "_until")

    def __init__(self, threshold: int, cooldown: timedelta, clock: Callable[[], float] = monotonic) -> None:
        """``clock`` counts seconds and never goes back."""
        self._threshold = threshold
        self._cooldown = cooldown.total_seconds()
        self._clock = clock
        self._failures = 0
        self._until: float | None = None    # None: closed, everything passes

    @property
    def open(self) -> bool:
        """Whether questions are turned away, trials aside."""
        return self._until is not None

    def admits(self) -> bool:
        """Whether this question may be tried; a yes while open is the trial."""
        if self._until is None:
            return True
        if self._clock() < self._until:
            return False
        self._until = self._clock() + self._cooldown
        return True

    def alive(self) -> None:
        """The server does answer: close, and let one more failure open again."""
        self._until = None

    def succeeded(self) -> None:
        """A whole answer came through: forget the failures."""
        self._failures = 0
        self._until = None

    def failed(self) -> None:
        """The server was away, or broke off."""
        self._failures += 1
        if self._failures >= self._threshold:
            self._until = self._clock() + self._cooldown
