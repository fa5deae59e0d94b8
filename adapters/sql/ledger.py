"""Group commit: everything that waits to be written goes into one transaction, and callers resume after it.

At low load that is one commit where each write alone would be four; at high load the cost of a transaction
is shared by hundreds of writes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

from engine.errors import StoreUnavailable

BATCH: Final = 500
PAUSE: Final = (0.1, 5.0)       # seconds to wait after a failed transaction: the first time, and at most

Operation: TypeAlias = Callable[[Connection, Sequence[Any]], Sequence[Any]]
"""Writes several items at once; returns a result or an exception for each."""


@dataclass(slots=True)
class Entry:
    """One write that somebody waits for."""

    operation: Operation
    item: Any
    done: asyncio.Future[Any]


@dataclass(slots=True)
class Ledger:
    """The queue of writes of one process."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: deque[Entry] = field(default_factory=deque)
    _closed: bool = False

    async def submit(self, operation: Operation, item: Any) -> Any:
        """Returns ``operation``'s result for ``item`` once it is on disk. Raises what the operation raised.

        A caller that is cancelled while waiting may still have written: every operation can be repeated.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        entry = Entry(operation, item, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self.wake.set()
        return await entry.done

    def take(self) -> list[Entry]:
        """The next batch."""
        return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def __len__(self) -> int:
        return len(self._waiting)

    def close(self, cause: str) -> None:
        """Whoever still waits is told so."""
        self._closed = True
        settle([(entry, StoreUnavailable(cause)) for entry in self._waiting])
        self._waiting.clear()


def apply(connection: Connection, entries: Sequence[Entry], order: Sequence[Operation]) -> list[tuple[Entry, Any]]:
    """Runs a batch inside the transaction at hand, one operation after the other in the given order."""
    results: list[tuple[Entry, Any]] = []
    for operation in order:
        # Bound methods are made anew at each access: compare them by value.
        mine = [entry for entry in entries if entry.operation == operation]
        if mine:
            outcome = operation(connection, [entry.item for entry in mine])
            results.extend(zip(mine, outcome, strict=True))
    return results


def settle(results: Sequence[tuple[Entry, Any]]) -> None:
    """Hands each caller its result; a caller that has gone is passed over."""
    for entry, result in results:
        if entry.done.done():
            continue
        if isinstance(result, BaseException):
            entry.done.set_exception(result)
        else:
            entry.done.set_result(result)
