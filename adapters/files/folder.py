"""The pages of a folder, read with care: nothing outside of it, nothing too large, nothing that is no file."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from adapters.parsing.formats import Rejected
from adapters.parsing.media import DOCUMENTS
from adapters.parsing.parser import LARGEST_DOCUMENT, LARGEST_TEXT, Parser, stem
from engine.rag.chunk import front_matter
from engine.rag.page import Entry, Listed, Page, Unreadable

DATES: Final = (
    "updated", "last_updated", "last-updated", "lastmod", "last_modified", "last_modified_at", "modified", "date",
)
"""As generators of sites call them; what says when it changed comes before what may be when it was written."""
_OUT: Final = "leads out of the folder"
FRESH: Final = 2.0              # seconds in which a file may change twice and keep its time, on some file systems


@dataclass(frozen=True, slots=True)
class Folder(Listed):
    """A source. Without ``base_url`` its pages open as local files. ``suffixes``: which files are pages.

    A file that changed less than ``fresh`` seconds ago is read whatever its times say.
    """

    name: str
    root: Path
    base_url: str = ""
    largest: int = LARGEST_TEXT         # bytes of a page that is text
    suffixes: tuple[str, ...] = DOCUMENTS
    fresh: float = FRESH
    parser: Parser = field(default_factory=Parser, compare=False)

    def listing(self) -> Iterator[Entry | Unreadable]:
        """Hidden files and folders are not pages. Links are followed to files only, and only inside the folder."""
        if not self.root.is_dir():
            yield Unreadable("", "there is no such folder")
            return
        waiting = [str(self.root)]          # not `os.walk`, which a tree of a thousand levels breaks
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(folder) as scanned:
                    inside = sorted((each for each in scanned if not each.name.startswith(".")), key=lambda e: e.name)
                inner = [each.path for each in inside if each.is_dir(follow_symlinks=False)]
                linked = [each.path for each in inside if each.is_symlink() and Path(each.path).is_dir()]
                files = [each.path for each in inside
                         if each.name.lower().endswith(self.suffixes) and not Path(each.path).is_dir()]
            except OSError as error:
                path = os.path.relpath(folder, self.root)
                yield Unreadable("" if path == "." else f"{_shown(path)}/", error.strerror or "unreadable")
                continue
            waiting += reversed(inner)
            for link in linked:         # what one inside of the folder leads to is read there
                if not self._holds(link):
                    yield Unreadable(_shown(os.path.relpath(link, self.root)), _OUT)
            for file in files:
                yield self._entry(file)

    def read(self, path: str) -> Page | Unreadable:
        """One page. Bytes that are not UTF-8, and NUL, become replacement characters, and ``note`` says so."""
        file = self.root / path
        try:
            if not self._holds(file):
                return Unreadable(path, _OUT)
            if not stat.S_ISREG(file.stat().st_mode):       # opening a device may do something
                return Unreadable(path, "is not a file")
            with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
                status = os.fstat(opened.fileno())
                if not stat.S_ISREG(status.st_mode):
                    return Unreadable(path, "is not a file")
                raw = opened.read(LARGEST_DOCUMENT + 1)
                after = os.fstat(opened.fileno())
            if (after.st_size, after.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
                return Unreadable(path, "changes while it is read")     # half of it is no page
        except (OSError, ValueError) as error:
            return Unreadable(path, getattr(error, "strerror", None) or type(error).__name__)
        return page(self.parser, path, raw, url=self._url(path), largest=self.largest)

    def close(self) -> None:
        """Ends the parser's process."""
        self.parser.close()

    def _holds(self, place: str | Path) -> bool:
        return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(self.root))

    def _entry(self, file: str) -> Entry | Unreadable:
        path = os.path.relpath(file, self.root)
        if (shown := _shown(path)) != path:
            return Unreadable(shown, "its name is not UTF-8")
        return Entry(path, _stamp(file, self.fresh), self._url(path))

    def _url(self, path: str) -> str:
        if self.base_url:
            return f"{self.base_url.rstrip('/')}/{quote(path)}"
        return Path(os.path.realpath(self.root), path).as_uri()


def page(
    parser: Parser, path: str, raw: bytes, *, url: str, date: datetime | None = None, largest: int = LARGEST_TEXT
) -> Page | Unreadable:
    """What a file's bytes say. A date that stands in the page itself outranks ``date``, which its source says.

    A file's own time is none: whoever copies, unpacks or checks it out changes that, and not the page.
    """
    content = parser.content(raw, path, largest=largest)
    if isinstance(content, Rejected):
        return Unreadable(path, content.why, lasting=True)
    changed = dated(content.text) or content.changed or date
    return Page(path, content.text, content.title or stem(path), url, changed, content.note, content.form,
                anchors=content.anchors)


def dated(text: str) -> datetime | None:
    """What the page's front matter says of its date."""
    fields, _ = front_matter(text)
    for name in DATES:
        try:
            said = datetime.fromisoformat(fields[name])
        except (KeyError, ValueError):
            continue
        return said.astimezone(UTC) if said.tzinfo else said.replace(tzinfo=UTC)
    return None


def _stamp(file: str, fresh: float) -> str:
    """Inode, size and times; nothing for what is no plain file, or has changed a moment ago and may do so again."""
    try:
        status = os.lstat(file)
    except OSError:
        return ""               # whoever reads it will say why
    newest = max(status.st_mtime, status.st_ctime)
    if not stat.S_ISREG(status.st_mode) or newest > time.time() - fresh:
        return ""
    return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")
