"""PDF, DOCX and HTML to Markdown. Runs in `adapters.parsing.child` only: each of these libraries has met its match."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any, Final

import msgspec

MOST_CHARACTERS: Final = 2_000_000
UNPACKED: Final = 200_000_000       # bytes of a DOCX's parts together
RATIO: Final = 200                  # unpacked to packed, of parts that matter
PARTS: Final = 5_000

_BLANKS: Final = re.compile(r"[ \t\xa0]+")
_LINES: Final = re.compile(r"\n{3,}")
_DROPPED: Final = re.compile(r"[^\w\- ]")


class Parsed(msgspec.Struct, frozen=True, tag=True):
    """A document as Markdown. ``anchors``: a heading's slug to the anchor that the document itself has for it."""

    text: str
    title: str = ""
    note: str = ""
    anchors: dict[str, str] | None = None


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
    return Parsed("\n".join(parts), "", note, anchors)


def docx(raw: bytes) -> Parsed | Rejected:
    """Headings, paragraphs, lists and tables, in order."""
    if why := _bomb(raw):
        return Rejected(why)
    import docx as library  # noqa: PLC0415
    from docx.table import Table  # noqa: PLC0415

    document = library.Document(io.BytesIO(raw))
    blocks: list[str] = []
    for item in document.iter_inner_content():
        blocks += [_table([[cell.text for cell in row.cells] for row in item.rows])] if isinstance(item, Table) else (
            _paragraph(item))
    text = "\n\n".join(block for block in blocks if block)
    if not text.strip():
        return Rejected("holds no text")
    if len(text) > MOST_CHARACTERS:
        return Rejected(f"holds more than {MOST_CHARACTERS:,} characters")
    return Parsed(text, (document.core_properties.title or "").strip(), "", {})


def html(raw: bytes) -> Parsed | Rejected:
    """The page without its navigation."""
    import trafilatura  # noqa: PLC0415
    from lxml import etree  # type: ignore[import-untyped]  # ty: ignore[missing-module-member]  # noqa: PLC0415
    from lxml import html as parser  # noqa: PLC0415

    text, note = _decoded_html(raw)
    try:
        tree = parser.document_fromstring(text.encode("utf-8", "replace"), parser=parser.HTMLParser(encoding="utf-8"))
    except (etree.ParserError, etree.XMLSyntaxError):
        return Rejected("holds no text")
    title = _text(next(iter(tree.xpath("//title")), None))
    anchors = _anchors(tree)
    main = next(iter(tree.xpath("//*[@id='main-content']|//main|//*[@role='main']")), None)
    whole = parser.document_fromstring("<html><body></body></html>")
    if main is not None:
        whole.body.append(main)
    found = trafilatura.extract(
        whole if main is not None else tree, output_format="markdown", include_comments=False, include_tables=True,
        include_formatting=True, favor_recall=True,
    ) or ""
    body = _sections(main if main is not None else tree)
    if len(found.split()) < len(body.split()) // 2:     # it takes short pages and lists for navigation
        found = body
    if not found.strip():
        return Rejected("holds no text")
    if len(found) > MOST_CHARACTERS:
        return Rejected(f"holds more than {MOST_CHARACTERS:,} characters")
    if title and not found.lstrip().startswith("# "):
        found = f"# {title}\n\n{found}"
    return Parsed(found, title, note, anchors)


def _sections(root: Any) -> str:
    """Headings, paragraphs, items and code as they stand, navigation aside."""
    blocks: list[str] = []
    skipped: set[Any] = set()
    for node in root.iter():
        if not isinstance(node.tag, str) or node.getparent() in skipped:
            skipped.add(node)
            continue
        if node.tag in {"nav", "header", "footer", "script", "style", "aside", "form", "noscript", "template", "svg"}:
            skipped.add(node)
        elif re.fullmatch(r"h[1-6]", node.tag):
            blocks.append(f"{'#' * int(node.tag[1])} {_text(node)}")
        elif node.tag == "pre":
            blocks.append(f"```\n{node.text_content().strip()}\n```")
            skipped.add(node)
        elif node.tag == "table":
            blocks.append(_table([[_text(cell) for cell in row.xpath("./td|./th")] for row in node.xpath(".//tr")]))
            skipped.add(node)
        elif node.tag in {"p", "li", "dt", "dd", "blockquote"}:
            words = _text(node)
            if words:
                blocks.append(f"- {words}" if node.tag == "li" else words)
            skipped.add(node)
    return "\n\n".join(block for block in blocks if block)


def _anchors(tree: Any) -> dict[str, str]:
    """Where the headings of the page can be opened; those without an id cannot."""
    found: dict[str, str] = {}
    seen: dict[str, int] = {}
    for node in tree.xpath("//h1|//h2|//h3|//h4|//h5|//h6"):
        slug = _slug(_text(node), seen)
        ids = [node.get("id"), *node.xpath("./a/@id"), *node.xpath("./a/@name"), *node.xpath("parent::section/@id")]
        anchor = next((each for each in ids if each), "")
        if anchor and not re.search(r"\s", anchor):
            found[slug] = anchor
    return found


def _slug(heading: str, seen: dict[str, int]) -> str:
    slug = _DROPPED.sub("", heading.lower()).replace(" ", "-")
    times = seen[slug] = seen.get(slug, -1) + 1
    return f"{slug}-{times}" if times else slug


def _text(node: Any) -> str:
    """The words of an element on one line, without the pilcrows that sites put beside headings."""
    if node is None:
        return ""
    return re.sub(r"\s+", " ", node.text_content()).strip().rstrip("¶#").strip()


def _paragraph(item: Any) -> list[str]:
    words = _BLANKS.sub(" ", item.text).strip()
    style = (item.style.name if item.style is not None else "") or ""
    if not words:
        return []
    if style == "Title":
        return [f"# {words}"]
    if level := re.fullmatch(r"Heading ([1-6])", style):
        return [f"{'#' * int(level[1])} {words}"]
    return [f"- {words}" if style.startswith("List") else words]


def _table(rows: list[list[str]]) -> str:
    cells = [[re.sub(r"\s+", " ", cell).strip().replace("|", "\\|") for cell in row] for row in rows if row]
    if not cells:
        return ""
    width = max(len(row) for row in cells)
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in cells]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])


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
