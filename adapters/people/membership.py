"""A `Membership` around a `Membership`: the room as the platform knows it, with the company's own groups."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.people.directory import Directory, joined, read
from engine.errors import MembershipUnavailable
from engine.messages import Audience, Place, Visibility
from engine.ports import Membership

FRESH: Final = 60.0             # seconds for which what was read counts
LARGEST: Final = 200_000_000    # bytes of one file


@dataclass(slots=True)
class People:
    """Files with people and groups, read again when they are older than `FRESH`, off the event loop."""

    files: Sequence[Path]
    clock: Callable[[], float] = time.monotonic
    _read: Directory | None = None
    _at: float = 0.0
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def now(self) -> Directory:
        """What the files say, at most a minute ago. Raises `MembershipUnavailable`: then nobody's rights are known."""
        async with self._reading:
            if self._read is None or self.clock() - self._at >= FRESH:
                self._read = None
                self._read = await asyncio.to_thread(lambda: joined([_file(path) for path in self.files]))
                self._at = self.clock()
            return self._read


@dataclass(frozen=True, slots=True)
class WithGroups:
    """The audience of a place, every member completed from the company's directory."""

    inner: Membership
    people: People

    async def audience(self, place: Place, visibility: Visibility) -> Audience:
        """Raises `MembershipUnavailable` when the directory cannot be read."""
        room = await self.inner.audience(place, visibility)
        people = await self.people.now()
        return Audience(tuple(people.completed(member) for member in room.members))


def _file(path: Path) -> Directory:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise MembershipUnavailable(f"the directory of people cannot be read: {error.strerror}") from error
    if len(raw) > LARGEST:
        raise MembershipUnavailable(f"the directory of people is larger than {LARGEST:,} bytes")
    return read(raw, toml=path.suffix == ".toml")
