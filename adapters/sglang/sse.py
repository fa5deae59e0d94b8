"""Server-sent events, cut out of network reads that respect no boundary."""

from __future__ import annotations


class Events:
    """Bytes in, the data of whole events out.

    Lines end in LF or CRLF; comments and fields other than ``data`` are skipped; several data lines are joined by
    LF. An event without its closing blank line is not one: the peer broke off before it was done.
    """

    __slots__ = ("_data", "_held", "_limit", "_parts", "_waiting", "overflow")

    def __init__(self, limit: int) -> None:
        """``limit``: bytes that one event may have, line by line and together."""
        self._limit = limit
        self._parts: list[bytes] = []       # the line that has not ended yet, read by read
        self._waiting = 0                   # bytes in _parts
        self._data: list[bytes] = []        # data lines of the event that has not ended yet
        self._held = 0                      # bytes in _data
        self.overflow = False               # an event was over the limit: nothing more is read

    def feed(self, block: bytes) -> list[bytes]:
        """The events that end in this block."""
        events: list[bytes] = []
        *lines, rest = block.split(b"\n")
        for number, line in enumerate(lines):
            if number == 0 and self._parts:     # only the first line of a block can have begun in an earlier one
                self._parts.append(line)
                whole, self._parts, self._waiting = b"".join(self._parts), [], 0
            else:
                whole = line
            if self.overflow or self._over(len(whole)):
                return events
            self._line(whole, events)
        if rest and not self.overflow:
            self._waiting += len(rest)
            if not self._over(self._waiting):
                self._parts.append(rest)
        return events

    def _over(self, size: int) -> bool:
        self.overflow = self._held + size > self._limit
        return self.overflow

    def _line(self, line: bytes, events: list[bytes]) -> None:
        if line.endswith(b"\r"):
            line = line[:-1]
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            self._held += len(line)
        elif not line and self._data:
            events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
            self._data, self._held = [], 0
