"""What a file is, by its content. Its name only tells apart what looks alike: Markdown, prose and code are all text."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from engine.rag.page import Form

HEAD: Final = 4096              # bytes that decide
MARKDOWN: Final = (".md", ".markdown", ".mdx")
HTML: Final = (".html", ".htm", ".xhtml")
PROSE: Final = (".txt", ".text", ".rst", ".adoc", ".org")
PYTHON: Final = (".py", ".pyi")
CODE: Final = (
    *PYTHON, ".js", ".mjs", ".jsx", ".ts", ".tsx", ".go", ".rs", ".java", ".kt", ".scala", ".rb", ".php", ".c", ".h",
    ".cc", ".cpp", ".hpp", ".cs", ".swift", ".sh", ".bash", ".sql", ".toml", ".yaml", ".yml", ".json", ".css", ".scss",
    ".tf", ".ini", ".cfg",
)
DOCUMENTS: Final = (*MARKDOWN, *HTML, *PROSE, ".pdf", ".docx")


class Media(StrEnum):
    """What `media` can recognise; the value is how a report calls it."""

    TEXT = "text"
    HTML = "HTML"
    PDF = "PDF"
    ZIP = "ZIP"                 # a DOCX is one
    OLE = "an old or encrypted Office file"
    IMAGE = "an image"
    ARCHIVE = "an archive"
    PROGRAM = "a program"
    BINARY = "no text"


_MAGIC: Final = (
    (b"PK\x03\x04", Media.ZIP), (b"PK\x05\x06", Media.ZIP), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Media.OLE),
    (b"\x89PNG", Media.IMAGE), (b"\xff\xd8\xff", Media.IMAGE), (b"GIF8", Media.IMAGE), (b"II*\0", Media.IMAGE),
    (b"MM\0*", Media.IMAGE), (b"\x1f\x8b", Media.ARCHIVE), (b"BZh", Media.ARCHIVE), (b"\xfd7zXZ\0", Media.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Media.ARCHIVE), (b"Rar!", Media.ARCHIVE), (b"\x7fELF", Media.PROGRAM),
    (b"SQLite format 3\0", Media.BINARY),
)
_WIDE: Final = (
    (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_HTML: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b",
                          re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(rb"<(?:p|div|h[1-6]|body|head|table|ul|ol|a|br|span|section|article)\b[^<>]*>", re.IGNORECASE)
_CONTROL: Final = bytes(n for n in range(32) if n not in b"\t\n\r\f\x1b") + b"\x7f"
_SUFFIXED: Final = {".pdf": Media.PDF, ".docx": Media.ZIP, **dict.fromkeys(HTML, Media.HTML)}


def media(raw: bytes, name: str) -> Media:
    """``raw`` is the file, or its first `HEAD` bytes."""
    head = raw[:HEAD]
    if b"%PDF-" in head[:1024]:
        return Media.PDF
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if _HTML.search(head) or (_suffix(name) in HTML and _TAG.search(head)):
        return Media.HTML
    if head.startswith(tuple(mark for mark, _ in _WIDE)):
        return Media.TEXT
    controls = len(head) - len(head.translate(None, _CONTROL))
    return Media.BINARY if len(head) >= 64 and controls > len(head) // 10 else Media.TEXT


def claim(found: Media, name: str) -> str:
    """What the report says of a file whose name says something else; "": nothing."""
    suffix = _suffix(name)
    said = _SUFFIXED.get(suffix, Media.TEXT)
    return "" if said is found else f"is called {suffix or 'no type'} and is {found}"


def form(name: str) -> Form:
    """How text of this name is cut."""
    suffix = _suffix(name)
    if suffix in MARKDOWN:
        return Form.MARKDOWN
    if suffix in PYTHON:
        return Form.PYTHON
    return Form.CODE if suffix in CODE else Form.TEXT


def decoded(raw: bytes) -> tuple[str, str]:
    """Text, and a note about bytes that are none: these, and NUL, become replacement characters."""
    if encoding := next((name for mark, name in _WIDE if raw.startswith(mark)), ""):
        return raw.decode(encoding, "replace").replace("\0", "\ufffd"), ""
    note = ""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        text, note = raw.decode(errors="replace"), f"is not UTF-8 at byte {error.start}"
    if "\0" in text:
        text, note = text.replace("\0", "\ufffd"), note or "holds NUL"      # no database keeps NUL in a text
    return text, note


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
