"""PDF, DOCX and HTML to Markdown. Runs in `adapters.parsing.child` only: each of these libraries has met its match."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from adapters.parsing import word
from adapters.parsing.dates import changed
from adapters.parsing.markup import Markup

MOST_CHARACTERS: Final = 2_000_000
UNPACKED: Final = 200_000_000       # bytes of a DOCX's parts together
RATIO: Final = 200                  # unpacked to packed, of parts that matter
PARTS: Final = 5_000

LONGEST_TITLE: Final = 200          # characters

_NO_TITLE: Final = re.compile(r"^(?:microsoft \w+ - |untitled|unbenannt|document\d*$)|\.\w{2,5}$", re.IGNORECASE)
_BLANKS: Final = re.compile(r"[ \t\xa0]+")
_LINES: Final = re.compile(r"\n{3,}")


class Parsed(msgspec.Struct, frozen=True, tag=True):
    """A document as Markdown. ``anchors``: a heading's slug to the anchor that the document itself has for it.

    ``changed``: when it says that it was last changed.
    """

    text: str
    title: str = ""
    note: str = ""
    anchors: dict[str, str] | None = None
    changed: datetime | None = None


class Rejected(msgspec.Struct, frozen=True, tag=True):
    """Why there is no text; a sentence without its subject, which never quotes the file."""

    why: str


def pdf(raw: bytes) -> Parsed | Rejected:
    """One section a page, so that a citation opens at the page."""
    from pypdf import PdfReader  # noqa: PLC0415
    from pypdf.errors import DependencyError  # noqa: PLC0415

    reader = PdfReader(io.BytesIO(raw), strict=False)
    try:
        if reader.is_encrypted and not reader.decrypt(""):
            return Rejected("is encrypted")
    except (DependencyError, NotImplementedError):
        return Rejected("is encrypted in a way that cannot be read")
    parts: list[str] = []
    anchors: dict[str, str] = {}
    size, bad, note = 0, 0, ""
    total = len(reader.pages)
    for number in range(1, total + 1):
        try:
            text = _tidied(reader.pages[number - 1].extract_text())
        except Exception:   # one bad page; the library raises whatever it meets, and it is counted
            bad += 1
            continue
        if not text:
            continue
        parts.append(f"## Page {number}\n\n{_plain(text)}\n")
        anchors[f"page-{number}"] = f"page={number}"
        size += len(parts[-1])
        if size > MOST_CHARACTERS:
            note = f"only its first {number} of {total} pages are read"
            break
    if not parts:
        return Rejected("holds no text; it may be scanned")
    if bad and not note:
        note = f"{bad} of its {total} pages cannot be read"
    return Parsed("\n".join(parts), _pdf_title(reader), note, anchors)


def _pdf_title(reader: Any) -> str:
    """What it says that it is called; "": nothing, or what a program called it."""
    try:
        said = " ".join(str(reader.metadata.title or "").split()) if reader.metadata else ""
    except Exception:       # as of a page
        return ""
    return said if said.isprintable() and len(said) <= LONGEST_TITLE and not _NO_TITLE.search(said) else ""


def docx(raw: bytes) -> Parsed | Rejected:
    """Headings, paragraphs, lists and tables, in order."""
    if why := _bomb(raw):
        return Rejected(why)
    import docx as library  # noqa: PLC0415

    document = library.Document(io.BytesIO(raw))
    text = word.markdown(document)
    if not text.strip():
        return Rejected("holds no text")
    if len(text) > MOST_CHARACTERS:
        return Rejected(f"holds more than {MOST_CHARACTERS:,} characters")
    return Parsed(text, _said_title(document), "", {})


def html(raw: bytes) -> Parsed | Rejected:
    """The page without its navigation."""
    from lxml import etree  # type: ignore[import-untyped]  # ty: ignore[missing-module-member]  # noqa: PLC0415
    from lxml import html as parser  # noqa: PLC0415

    text, note = _decoded_html(raw)
    reader = parser.HTMLParser(encoding="utf-8")
    try:
        tree = parser.document_fromstring(text.encode("utf-8", "replace"), parser=reader)
    except (etree.ParserError, etree.XMLSyntaxError):
        return Rejected("holds no text")
    when, page = changed(tree), Markup(tree)
    found, title = page.markdown()
    cut = any(error.type_name == "ERR_RESOURCE_LIMIT" for error in reader.error_log)    # the parser only stops there
    if not found.strip():
        return Rejected("is nested too deeply" if cut else "holds no text")
    if cut:
        note = "is nested too deeply; what comes before that is read"
    if len(found) > MOST_CHARACTERS:
        return Rejected(f"holds more than {MOST_CHARACTERS:,} characters")
    return Parsed(found, title, note, page.anchors, when)


def _said_title(document: Any) -> str:
    """A file without properties, as some programs write it, gets some of the library's own, title and all."""
    from docx.opc.constants import RELATIONSHIP_TYPE  # noqa: PLC0415

    said = any(each.reltype == RELATIONSHIP_TYPE.CORE_PROPERTIES for each in document.part.package.rels.values())
    return (document.core_properties.title or "").strip() if said else ""


def _bomb(raw: bytes) -> str:
    """Why this is no DOCX that one would unpack; "": it is one."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return "is a damaged ZIP archive"
    if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED:
        return "unpacks to more than it may"
    if any(part.file_size > 1_000_000 and part.file_size > RATIO * max(1, part.compress_size) for part in parts):
        return "unpacks to more than it may"
    if any(part.flag_bits & 1 for part in parts):
        return "is encrypted"
    return "" if any(part.filename == "word/document.xml" for part in parts) else "is a ZIP archive and no document"


def _decoded_html(raw: bytes) -> tuple[str, str]:
    said = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{2,20})", raw[:4096], re.IGNORECASE)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace"), ""
    for encoding in ("utf-8", said[1].decode("ascii") if said else ""):
        try:
            return raw.decode(encoding or "utf-8"), ""
        except (UnicodeDecodeError, LookupError):
            continue
    at = next(_invalid(raw))
    return raw.decode("utf-8", "replace"), f"is not UTF-8 at byte {at}"


def _invalid(raw: bytes) -> Iterator[int]:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        yield error.start
    yield 0


def _tidied(text: str) -> str:
    lines = (_BLANKS.sub(" ", line).strip() for line in text.replace("\0", "").splitlines())
    return _LINES.sub("\n\n", "\n".join(lines)).strip()


def _plain(text: str) -> str:
    """Words of a PDF that would be markup in Markdown are not."""
    return re.sub(r"^(#{1,6} |```|~~~|---+$|===+$)", r"\\\1", text, flags=re.MULTILINE)
