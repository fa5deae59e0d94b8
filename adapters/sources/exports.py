"""A zip that Confluence or Notion exported, read in place: no name leads anywhere.

A member is read as far as it may be long, whatever the archive says of it. Only the zips that Notion packs into a zip
are unpacked, into files without a name.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
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
PARTS: Final = 100                      # archives in an archive
RATIO: Final = 200                      # unpacked to packed
PLAIN: Final = 1_000_000                # bytes up to which a member may be packed however well
XML: Final = "entities.xml"             # what a Confluence space is when it is not exported for readers
_NOTION: Final = re.compile(r"[ _-]([0-9a-f]{32})(?=$|\.)")
_CONFLUENCE: Final = re.compile(r"(?:^|_)(\d{4,})$")
_BLOCK: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")     # of a Notion page, which opens without -
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
    _parts: list[zipfile.ZipFile] = field(default_factory=list, compare=False)      # as they were first unpacked

    def listing(self) -> Iterator[Entry | Unreadable]:
        """Every member that is a page and whose name stays inside."""
        try:
            with self._archives() as archives:
                members = [member for archive in archives for member in archive.infolist()]
        except _Refused as error:
            yield Unreadable("", f"the export {error}")
            return
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or "is no ZIP archive, or a damaged one"
            yield Unreadable("", why if isinstance(error, OSError) else f"the export {why}")
            return
        if _too_much(members):
            yield Unreadable("", "the export unpacks to more than it may")
            return
        pages = {member.filename: member for member in reversed(members) if self._is_page(member)}
        if not pages:
            other = any(PurePosixPath(member.filename).name == XML for member in members)
            why = "is one of XML: export the space as HTML" if other else "has no page in it"
            yield Unreadable("", f"the export {why}", gone=not other)
        for _, member in sorted(pages.items()):
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
        return replace(read, name=name, anchors=self._anchors(path, read))

    def _anchors(self, path: str, read: Page) -> Mapping[str, str] | None:
        if not (self.base_url and read.anchors and _NOTION.search(PurePosixPath(path).name)):
            return read.anchors
        return {slug: anchor.replace("-", "") if _BLOCK.fullmatch(anchor) else anchor
                for slug, anchor in read.anchors.items()}

    def close(self) -> None:
        """Ends the parser's process, and lets go of what was unpacked."""
        self.parser.close()
        while self._parts:
            self._parts.pop().close()

    def _raw(self, path: str) -> bytes:
        with self._archives() as archives:
            archive = next((each for each in archives if path in each.NameToInfo), archives[0])
            member = archive.getinfo(path)
            if why := _refused(member):
                raise _Refused(why)
            with archive.open(member) as opened:
                return opened.read(LARGEST_DOCUMENT + 1)

    @contextmanager
    def _archives(self) -> Generator[list[zipfile.ZipFile]]:
        """The export itself, or the parts that it is packed in. Raises `_Refused`, and what `zipfile` raises."""
        if not self._parts:
            with zipfile.ZipFile(self.file) as archive:
                members = archive.infolist()
                parts = [each for each in members if each.filename.lower().endswith(".zip") and not each.is_dir()]
                if not parts or any(self._is_page(each) for each in members):
                    yield [archive]
                    return
                if _too_much(members) or len(parts) > PARTS:
                    raise _Refused("unpacks to more than it may")
                with ExitStack() as opened:         # all of them, or none
                    unpacked = [opened.enter_context(_unpacked(archive, part)) for part in parts]
                    opened.pop_all()
                self._parts.extend(unpacked)
        yield self._parts

    def _entry(self, member: zipfile.ZipInfo) -> Entry | Unreadable:
        path = member.filename
        if why := _refused(member):
            return Unreadable(path.replace("\0", "\ufffd").strip("/") or "?", why, lasting=True)
        return Entry(path, f"{member.CRC:08x}-{member.file_size}", self._url(path))

    def _is_page(self, member: zipfile.ZipInfo) -> bool:
        path = member.filename
        return (path.lower().endswith(self.suffixes) and not PurePosixPath(path).name.startswith(".")
                and not member.is_dir() and not _INSIDE.search(path))

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
    """Why this page is not read; "": it is."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in member.filename or ":" in path.parts[0]:
        return "leads out of the export"
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        return "is a link"
    if member.flag_bits & 1:
        return "is encrypted"
    if member.file_size > LARGEST_DOCUMENT:
        return f"is larger than {LARGEST_DOCUMENT:,} bytes"
    return "unpacks to more than it may" if _is_bomb(member) else ""


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    return member.file_size > PLAIN and member.file_size > RATIO * max(1, member.compress_size)


def _too_much(members: Sequence[zipfile.ZipInfo]) -> bool:
    return len(members) > MEMBERS or sum(member.file_size for member in members) > UNPACKED


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> zipfile.ZipFile:
    """An archive in an archive. Raises `_Refused`, and what `zipfile` raises."""
    if _is_bomb(part):
        raise _Refused("unpacks to more than it may")
    file = tempfile.TemporaryFile()     # noqa: SIM115 - it goes when the archive over it is closed
    try:
        with archive.open(part) as opened:
            shutil.copyfileobj(opened, file, 1_000_000)
        return _Part(file)
    except BaseException:
        file.close()
        raise


class _Part(zipfile.ZipFile):
    """Over a file that nobody else has."""

    def close(self) -> None:
        """Of that file, too."""
        file = self.fp
        super().close()
        if file is not None:
            file.close()


def _title(path: str) -> str:
    """The file's name without the id in it."""
    stem = PurePosixPath(_NOTION.sub("", PurePosixPath(path).name)).stem
    return _CONFLUENCE.sub("", stem).replace("-", " ").strip() or stem
