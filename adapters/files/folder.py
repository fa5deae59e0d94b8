"""The Markdown pages of a folder, read with care: nothing outside of it, nothing too large, nothing that is no file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from engine.rag.chunk import front_matter
from engine.rag.page import Page, Unreadable

SUFFIXES: Final = (".md", ".markdown")
LARGEST: Final = 2_000_000      # bytes of one page
DATES: Final = ("updated", "last_updated", "date")


@dataclass(frozen=True, slots=True)
class Folder:
    """A source. Without ``base_url`` its pages open as local files."""

    name: str
    root: Path
    base_url: str = ""
    largest: int = LARGEST

    def paths(self) -> Iterator[str | Unreadable]:
        """Hidden files and folders are not pages. Links are followed to files only, and only inside the folder."""
        away: list[OSError] = []
        if not self.root.is_dir():
            yield Unreadable("", "there is no such folder")
            return
        for folder, inner, files in os.walk(self.root, onerror=away.append):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in sorted(files):
                if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                    yield self._named(os.path.relpath(os.path.join(folder, name), self.root))
            while away:
                error = away.pop()
                path = os.path.relpath(error.filename, self.root)
                yield Unreadable("" if path == "." else f"{_shown(path)}/", error.strerror or "unreadable")

    def read(self, path: str) -> Page | Unreadable:
        """One page. Bytes that are not UTF-8, and NUL, become replacement characters, and ``note`` says so."""
        file = self.root / path
        try:
            if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(self.root)):
                return Unreadable(path, "leads out of the folder")
            with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
                status = os.fstat(opened.fileno())
                if not stat.S_ISREG(status.st_mode):
                    return Unreadable(path, "is not a file")
                raw = opened.read(self.largest + 1)
        except (OSError, ValueError) as error:
            return Unreadable(path, getattr(error, "strerror", None) or type(error).__name__)
        if len(raw) > self.largest:
            return Unreadable(path, f"is larger than {self.largest:,} bytes")
        text, note = _decoded(raw)
        changed = datetime.fromtimestamp(int(status.st_mtime), UTC)
        return Page(path, text, file.stem, self._url(path), _dated(text) or changed, note)

    def _named(self, path: str) -> str | Unreadable:
        shown = _shown(path)
        return path if shown == path else Unreadable(shown, "its name is not UTF-8")

    def _url(self, path: str) -> str:
        if self.base_url:
            return f"{self.base_url.rstrip('/')}/{quote(path)}"
        return (self.root / path).resolve().as_uri()


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def _decoded(raw: bytes) -> tuple[str, str]:
    note = ""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        text, note = raw.decode(errors="replace"), f"is not UTF-8 at byte {error.start}"
    if "\0" in text:
        text, note = text.replace("\0", "\ufffd"), note or "holds NUL"      # no database keeps NUL in a text
    return text, note


def _dated(text: str) -> datetime | None:
    """What the page says of itself outranks the file's time, which every copy changes."""
    fields, _ = front_matter(text)
    for name in DATES:
        try:
            said = datetime.fromisoformat(fields[name])
        except (KeyError, ValueError):
            continue
        return said.astimezone(UTC) if said.tzinfo else said.replace(tzinfo=UTC)
    return None
