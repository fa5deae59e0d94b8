"""Zips that Confluence and Notion made, and zips that they did not."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from adapters.sources.exports import Export
from engine.rag.page import Entry, Page, Unreadable
from tests.adapters.parsing.documents import a_bomb, a_zip

NOTION = "On call 0123456789abcdef0123456789abcdef.md"
WIKI = "<html><head><title>HR : Leave</title></head><body><div id='main-content'><p>{}</p></div></body></html>"


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    return tmp_path / "export.zip"


def the_page(export: Export, path: str) -> Page:
    page = export.read(path)
    export.close()
    assert isinstance(page, Page), page
    return page


def test_notion_pages_open_by_their_id(zipped: Path) -> None:
    zipped.write_bytes(a_zip({NOTION: "Call the desk.", "tasks.csv": "a,b", "logo.png": "x"}))
    export = Export("notes", zipped, "https://notion.acme.example")
    assert [e.path for e in export.listing()] == [NOTION]
    page = the_page(export, NOTION)
    assert (page.name, page.text, page.url) == (
        "On call", "Call the desk.", "https://notion.acme.example/0123456789abcdef0123456789abcdef")
    assert page.date is None            # an archive knows when it was packed


def test_a_heading_of_notion_opens_as_notion_names_it(zipped: Path) -> None:
    block = "01234567-89ab-cdef-0123-456789abcdef"
    html = f"<article><h1>On call</h1><h2 id='{block}'>Night</h2><p>Call.</p><h2 id='own-id'>Day</h2><p>Ask.</p>"
    path = NOTION.replace(".md", ".html")
    zipped.write_bytes(a_zip({path: html}))
    for base, anchor in (("https://notion.acme.example", block.replace("-", "")), ("", block)):
        export = Export("notes", zipped, base)
        assert the_page(export, path).anchors == {"night": anchor, "day": "own-id"}
        export.close()


def test_an_export_for_machines_says_what_to_do(zipped: Path) -> None:
    zipped.write_bytes(a_zip({"entities.xml": "<x/>", "attachments/1/1/1": "x"}))
    assert list(Export("wiki", zipped).listing()) == [
        Unreadable("", "the export is one of XML: export the space as HTML")]


def test_confluence_pages_open_by_theirs(zipped: Path) -> None:
    words = "Give ten working days of notice before the first day of your leave. " * 3
    zipped.write_bytes(a_zip({"HR/Leave_98765.html": WIKI.format(words), "HR/attachments/98765/1.pdf": "x"}))
    export = Export("wiki", zipped, "https://wiki.acme.example")
    assert [e.path for e in export.listing()] == ["HR/Leave_98765.html"]
    page = the_page(export, "HR/Leave_98765.html")
    assert "ten working days" in page.text
    assert page.url == "https://wiki.acme.example/pages/viewpage.action?pageId=98765"


def test_a_stamp_tells_what_a_new_export_changed(zipped: Path) -> None:
    stamps = []
    for leave in ("ten days", "ten days", "two days"):
        zipped.write_bytes(a_zip({"leave.md": leave, "pay.md": "monthly"}))
        stamps.append({e.path: e.stamp for e in Export("notes", zipped).listing() if isinstance(e, Entry)})
    assert stamps[0] == stamps[1]
    assert stamps[1]["leave.md"] != stamps[2]["leave.md"]
    assert stamps[1]["pay.md"] == stamps[2]["pay.md"]


def test_names_that_lead_out_links_and_bombs_are_named_and_the_rest_goes_on(zipped: Path) -> None:
    link = zipfile.ZipInfo("link.md")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("../up.md", "/etc/motd.md", "a/../../b.md", "a\\..\\..\\b.md", "C:\\x.md"):
            archive.writestr(name, "out")
        archive.writestr(link, "/etc/passwd")
        archive.writestr("bomb.md", b"\0" * 20_000_000)
        archive.writestr("fine.md", "Fine.")
    export = Export("notes", zipped)
    said = {e.path: e.why if isinstance(e, Unreadable) else "" for e in export.listing()}
    assert said.pop("fine.md") == ""
    assert said.pop("bomb.md") == "unpacks to more than it may"
    assert said.pop("link.md") == "is a link"
    assert set(said.values()) == {"leads out of the export"}
    assert len(said) == 5
    assert export.read("../up.md") == Unreadable("../up.md", "leads out of the export")
    assert export.read("bomb.md") == Unreadable("bomb.md", "unpacks to more than it may")
    assert the_page(export, "fine.md").text == "Fine."


def test_a_member_longer_than_it_says_ends_where_it_says(zipped: Path) -> None:
    raw = a_bomb("notes.md", 3_000_000)
    lying = raw.replace((3_000_000).to_bytes(4, "little"), (900_000).to_bytes(4, "little"))
    assert lying != raw
    zipped.write_bytes(lying)
    assert isinstance(Export("notes", zipped).read("notes.md"), Unreadable)


@pytest.mark.parametrize(("raw", "why"), [
    (b"no zip at all", "the export is no ZIP archive, or a damaged one"),
    (a_zip({"a.md": "x"})[:-9], "the export is no ZIP archive, or a damaged one"),
    (None, "No such file or directory"),
])
def test_an_export_that_is_none(zipped: Path, raw: bytes | None, why: str) -> None:
    if raw is not None:
        zipped.write_bytes(raw)
    assert list(Export("notes", zipped).listing()) == [Unreadable("", why)]


def test_notion_packs_a_large_export_into_parts(zipped: Path) -> None:
    parts = {"ExportBlock-1-Part-1.zip": a_zip({NOTION: "Call the desk."}),
             "ExportBlock-1-Part-2.zip": a_zip({"Private/pay.md": "Monthly.", NOTION: "Twice.", "inner.zip": "x"})}
    zipped.write_bytes(a_zip(parts))
    export = Export("notes", zipped, "https://notion.acme.example")
    for _ in range(2):
        assert [e.path for e in export.listing()] == [NOTION, "Private/pay.md"]
        assert [page.text for path in (NOTION, "Private/pay.md") if isinstance(page := export.read(path), Page)] == [
            "Call the desk.", "Monthly."]
        assert export.read("no.md") == Unreadable("no.md", "is not in the export any more")
        files = [archive.fp for archive in export._parts]
        export.close()
        assert all(file is not None and file.closed for file in files)
    assert Export("notes", zipped).read("Private/pay.md") != Unreadable("Private/pay.md", "")


@pytest.mark.parametrize(("members", "why"), [
    ({"logo.png": "x"}, "the export has no page in it"),
    ({"part.zip": a_zip({"logo.png": "x"})}, "the export has no page in it"),
    ({"part.zip": "no zip"}, "the export is no ZIP archive, or a damaged one"),
    ({"part.zip": bytes(20_000_000)}, "the export unpacks to more than it may"),
    ({f"{n}.zip": a_zip({"a.md": "x"}) for n in range(101)}, "the export unpacks to more than it may"),
])
def test_an_export_without_pages_is_away_or_empty(zipped: Path, members: dict[str, str | bytes], why: str) -> None:
    """Whoever put the wrong file there does not lose what the right one had."""
    zipped.write_bytes(a_zip(members))
    export = Export("notes", zipped)
    said, = export.listing()
    assert said == Unreadable("", why)
    assert isinstance(said, Unreadable)
    assert said.gone == ("no page" in why)
    export.close()


def test_a_damaged_member_is_named(zipped: Path) -> None:
    raw = bytearray(a_zip({"a.md": "a word that is long enough " * 9}))
    raw[45] ^= 0xFF
    zipped.write_bytes(bytes(raw))
    page = Export("notes", zipped).read("a.md")
    assert isinstance(page, Unreadable)
    assert page.why.startswith("is damaged")
    assert Export("notes", zipped).read("b.md") == Unreadable("b.md", "is not in the export any more")
