"""Stopping one task for a reason that its code can name, the way `asyncio.timeout` stops it for the clock."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from types import TracebackType


class Reason(StrEnum):
    """Why a turn is interrupted."""

    STOPPED = "stopped"         # by the person
    WITHDRAWN = "withdrawn"     # the question was deleted
    TAKEN = "taken"             # another worker has it, or must be assumed to
    SHUTDOWN = "shutdown"       # we are going down


class Interrupted(Exception):
    """Raised out of an `Interruptible` block."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Interruptible:
    """``async with Interruptible() as turn``: from elsewhere, ``turn.interrupt(reason)`` ends the block.

    A cancellation that comes from anywhere else passes through untouched.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None
        self._reason: Reason | None = None
        self._before = 0
        self._cancelled = False

    def interrupt(self, reason: Reason) -> None:
        """Cancels what runs in the block; the first reason counts. Without an open block nothing happens."""
        if self._task is None or self._reason is not None:
            return
        self._reason = reason
        if self._task is asyncio.current_task():        # cancels itself at its next wait, if the block is still open
            asyncio.get_running_loop().call_soon(self._cancel)
        else:
            self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._cancelled = True
            self._task.cancel()

    async def __aenter__(self) -> Interruptible:
        self._task = asyncio.current_task()
        self._before = self._task.cancelling() if self._task else 0
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        # The count tells our cancellation from others': it is theirs as well if more than ours is left.
        if not self._cancelled or self._reason is None or task is None or task.uncancel() > self._before:
            return
        if kind is None or not issubclass(kind, asyncio.CancelledError):
            return              # the block ended by itself at the same moment
        raise Interrupted(self._reason) from error
