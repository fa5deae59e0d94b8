"""Files that people uploaded in a chat. Whoever could see the upload may find it again, and nobody else."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from adapters.files.folder import page
from adapters.parsing.parser import LARGEST_DOCUMENT, Parser
from engine.errors import StoreUnavailable
from engine.messages import Labels
from engine.rag.page import Changes, Entry, Page, Unreadable

_ODD: Final = re.compile(r"[^\w.\- ]")
_ID: Final = re.compile(r"[0-9a-f]{32}")


class _Note(msgspec.Struct, frozen=True):
    """What the platform said of a file."""

    name: str
    url: str
    acl: list[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Uploads:
    """A source: a folder of ours with two files an upload, its bytes and what the platform said of it."""

    root: Path
    name: str = "uploads"
    parser: Parser = field(default_factory=Parser, compare=False)

    def add(self, raw: bytes, *, name: str, url: str, acl: Labels, at: datetime) -> str:
        """Keeps a file and returns its path. Blocking. Raises `ValueError` for one that is too large or for nobody,
        and `StoreUnavailable`.

        ``url``: where the platform shows it; ``acl``: ``channel:<id>`` of where it was uploaded, or ``user:<id>``.
        """
        if len(raw) > LARGEST_DOCUMENT:
            raise ValueError(f"the file is larger than {LARGEST_DOCUMENT:,} bytes")
        if not acl:
            raise ValueError("nobody may read the file")
        key = secrets.token_hex(16)
        note = _Note(_ODD.sub("_", name)[-100:].strip() or "file", url, sorted(acl), at)
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _written(self.root / key, raw)
            _written(self.root / f"{key}.json", msgspec.json.encode(note))      # the second one makes it a page
        except OSError as error:
            raise StoreUnavailable(f"the upload cannot be kept: {error.strerror}") from error
        return f"{key}/{note.name}"

    def remove(self, path: str) -> None:
        """Forgets a file; one that is not there is forgotten already. Blocking. Raises `StoreUnavailable`."""
        key = path.partition("/")[0]
        if not _ID.fullmatch(key):
            return
        try:
            (self.root / f"{key}.json").unlink(missing_ok=True)
            (self.root / key).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"the upload cannot be removed: {error.strerror}") from error

    def cursor(self) -> str:
        """Uploads are listed as a whole."""
        return ""

    def changes(self, cursor: str) -> Changes | None:
        """Uploads are listed as a whole."""
        del cursor
        return None

    def listing(self) -> Iterator[Entry | Unreadable]:
        """Every file that was kept whole."""
        if not self.root.exists():
            return
        try:
            keys = sorted(name.removesuffix(".json") for name in os.listdir(self.root) if name.endswith(".json"))
        except OSError as error:
            yield Unreadable("", error.strerror or "unreadable")
            return
        for key in keys:
            note = self._note(key)
            yield note if isinstance(note, Unreadable) else Entry(
                f"{key}/{note.name}", "kept", note.url, frozenset(note.acl))

    def read(self, path: str) -> Page | Unreadable:
        """One file; its bytes never change."""
        key = path.partition("/")[0]
        note = self._note(key)
        if isinstance(note, Unreadable):
            return Unreadable(path, note.why)
        try:
            raw = (self.root / key).read_bytes()
        except OSError as error:
            return Unreadable(path, error.strerror or "unreadable")
        read = page(self.parser, path, raw, url=note.url, date=note.at)
        if isinstance(read, Unreadable):
            return read
        return Page(path, read.text, read.name, note.url, note.at, read.note, read.form, frozenset(note.acl),
                    read.anchors)

    def close(self) -> None:
        """Ends the parser's process."""
        self.parser.close()

    def _note(self, key: str) -> _Note | Unreadable:
        if not _ID.fullmatch(key):
            return Unreadable(key, "is no upload")
        try:
            return msgspec.json.decode((self.root / f"{key}.json").read_bytes(), type=_Note)
        except OSError as error:
            return Unreadable(key, error.strerror or "unreadable")
        except msgspec.MsgspecError as error:
            return Unreadable(key, f"its note is damaged: {type(error).__name__}")


def _written(path: Path, raw: bytes) -> None:
    """Whole, or not at all."""
    draft = path.with_name(f".{path.name}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
