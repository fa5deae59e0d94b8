"""A zip that Confluence or Notion exported, read in place: nothing is unpacked to disk, and no name leads anywhere.

A member is read as far as it may be long, whatever the archive says of it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote

from adapters.files.folder import page
from adapters.parsing.media import DOCUMENTS
from adapters.parsing.parser import LARGEST_DOCUMENT, Parser
from engine.rag.page import Entry, Listed, Page, Unreadable

MEMBERS: Final = 100_000
UNPACKED: Final = 4_000_000_000         # bytes of all members together
RATIO: Final = 200                      # unpacked to packed
PLAIN: Final = 1_000_000                # bytes up to which a member may be packed however well
_NOTION: Final = re.compile(r"[ _-]([0-9a-f]{32})(?=$|\.)")
_CONFLUENCE: Final = re.compile(r"(?:^|_)(\d{4,})$")
_INSIDE: Final = re.compile(r"(?:^|/)(?:attachments|images|styles|__MACOSX)/")


class _Refused(Exception):
    """Why a member is not read."""


@dataclass(frozen=True, slots=True)
class Export(Listed):
    """A source. ``base_url``: the wiki that it comes from; its pages then open there.

    A new export is another file: the numbers in it tell what changed.
    """

    name: str
    file: Path
    base_url: str = ""
    suffixes: tuple[str, ...] = DOCUMENTS
    parser: Parser = field(default_factory=Parser, compare=False)

    def listing(self) -> Iterator[Entry | Unreadable]:
        """Every member that is a page and whose name stays inside."""
        try:
            with zipfile.ZipFile(self.file) as archive:
                members = archive.infolist()
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            why = getattr(error, "strerror", None) or "is no ZIP archive, or a damaged one"
            yield Unreadable("", f"the export {why}" if isinstance(error, zipfile.BadZipFile) else why)
            return
        if len(members) > MEMBERS or sum(member.file_size for member in members) > UNPACKED:
            yield Unreadable("", "the export unpacks to more than it may")
            return
        for member in sorted(members, key=lambda each: each.filename):
            if not member.is_dir() and not _INSIDE.search(member.filename) and self._is_page(member.filename):
                yield self._entry(member)

    def read(self, path: str) -> Page | Unreadable:
        """One page."""
        try:
            raw = self._raw(path)
        except KeyError:
            return Unreadable(path, "is not in the export any more")
        except _Refused as error:
            return Unreadable(path, str(error), lasting=True)
        except OSError as error:
            return Unreadable(path, error.strerror or "unreadable")
        except Exception as error:      # a damaged archive: zlib and its kin have errors of their own
            return Unreadable(path, f"is damaged: {type(error).__name__}", lasting=True)
        read = page(self.parser, path, raw, url=self._url(path))
        if isinstance(read, Unreadable):
            return read
        name = read.name if read.name != PurePosixPath(path).stem else _title(path)
        return replace(read, name=name)

    def close(self) -> None:
        """Ends the parser's process."""
        self.parser.close()

    def _raw(self, path: str) -> bytes:
        with zipfile.ZipFile(self.file) as archive:
            member = archive.getinfo(path)
            if why := _refused(member):
                raise _Refused(why)
            with archive.open(member) as opened:
                return opened.read(LARGEST_DOCUMENT + 1)

    def _entry(self, member: zipfile.ZipInfo) -> Entry | Unreadable:
        path = member.filename
        if why := _refused(member):
            return Unreadable(path.replace("\0", "\ufffd").strip("/") or "?", why, lasting=True)
        return Entry(path, f"{member.CRC:08x}-{member.file_size}", self._url(path))

    def _is_page(self, path: str) -> bool:
        return path.lower().endswith(self.suffixes) and not PurePosixPath(path).name.startswith(".")

    def _url(self, path: str) -> str:
        """Notion and Confluence name a page's id in its file's name."""
        stem = PurePosixPath(path).stem
        base = self.base_url.rstrip("/")
        if base and (found := _NOTION.search(PurePosixPath(path).name)):
            return f"{base}/{found[1]}"
        if base and (found := _CONFLUENCE.search(stem)):
            return f"{base}/pages/viewpage.action?pageId={found[1]}"
        return f"{base}/{quote(path)}" if base else self.file.resolve().as_uri()


def _refused(member: zipfile.ZipInfo) -> str:
    """Why this member is not read; "": it is."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in member.filename or ":" in path.parts[0]:
        return "leads out of the export"
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        return "is a link"
    if member.flag_bits & 1:
        return "is encrypted"
    if member.file_size > LARGEST_DOCUMENT:
        return f"is larger than {LARGEST_DOCUMENT:,} bytes"
    if member.file_size > PLAIN and member.file_size > RATIO * max(1, member.compress_size):
        return "unpacks to more than it may"
    return ""


def _title(path: str) -> str:
    """The file's name without the id in it."""
    stem = PurePosixPath(_NOTION.sub("", PurePosixPath(path).name)).stem
    return _CONFLUENCE.sub("", stem).replace("-", " ").strip() or stem
