"""Lines from a file descriptor, read without holding up the loop, whatever bytes they are."""

from __future__ import annotations

import asyncio
import codecs
import os
import stat
from dataclasses import dataclass, field
from typing import Final

CHUNK: Final = 1 << 16
LONGEST: Final = 4 << 20
"""Characters of one line; what is beyond is dropped, and the engine says that the message is too long."""


@dataclass(slots=True)
class Typed:
    """The lines of one descriptor. Bytes that are no UTF-8 become replacement characters."""

    descriptor: int
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8-sig")("replace")
    )
    _held: str = ""
    _over: bool = False             # the descriptor has ended
    _skipping: bool = False         # the rest of a line that was too long

    async def line(self) -> str | None:
        """The next line without its end, or None after the last one."""
        while True:
            line, end, rest = self._held.partition("\n")
            if end or len(line) > LONGEST or self._over:
                self._held = rest
                skipped, self._skipping = self._skipping, not end
                if skipped and (end or not self._over):
                    continue
                return None if skipped or not (line or end) else line[:LONGEST].removesuffix("\r")
            self._take(await self._read())

    async def whole(self) -> str:
        """Everything that is left, as one text of at most `LONGEST` characters."""
        while not self._over and len(self._held) <= LONGEST:
            self._take(await self._read())
        held, self._held = self._held, ""
        return held[:LONGEST].strip("\r\n")

    def _take(self, chunk: bytes) -> None:
        self._over = not chunk
        self._held += self._decoder.decode(chunk, self._over)

    async def _read(self) -> bytes:
        """Empty at the end, and when there is no such descriptor or the terminal has hung up."""
        try:
            if not _pollable(self.descriptor):
                return await asyncio.to_thread(os.read, self.descriptor, CHUNK)
            await _readable(self.descriptor)
            return os.read(self.descriptor, CHUNK)
        except OSError:
            return b""


def _pollable(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode     # files are always ready, and no loop takes them
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(descriptor, wake)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
