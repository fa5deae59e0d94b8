"""What a source of documents hands over, and the port by which it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Page:
    """One document as Markdown."""

    path: str                           # inside its source, with "/" between the parts
    text: str
    name: str                           # stands in for a title that the page itself does not have
    url: str                            # where a reader opens it; headings are reached by "#anchor"
    date: datetime | None = None        # aware, UTC: when it was last changed
    note: str = ""                      # what was not quite right with it, for the report

    @property
    def hash(self) -> str:
        """SHA-256 of everything that its chunks are made from, in hex."""
        return hashlib.sha256(f"{self.name}\0{self.text}".encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that is there and cannot be read. A ``path`` that ends in "/", or "", is a whole folder."""

    path: str
    why: str


class Source(Protocol):
    """Somewhere that pages come from. Both methods block: they are for a worker thread."""

    @property
    def name(self) -> str: ...

    def paths(self) -> Iterator[str | Unreadable]:
        """Everything that is there now, in order."""
        ...

    def read(self, path: str) -> Page | Unreadable: ...
