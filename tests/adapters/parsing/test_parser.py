"""Files of every kind become text, or a reason why not; and the program lives on."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.parsing.formats import Rejected
from adapters.parsing.media import Media, decoded, media
from adapters.parsing.parser import Content, Parser
from engine.rag.chunk import chunk
from engine.rag.page import Form
from tests.adapters.parsing.documents import a_bomb, a_docx, a_pdf, a_titled_pdf, a_zip, an_encrypted_pdf
from tests.adapters.qdrant.bags import Words

PAGE = b"""<!doctype html><html><head><title>Leave - Acme wiki</title></head><body>
<nav><ul><li><a href="/">Home</a></li><li>Sign out</li></ul></nav>
<main><h1 id="top">Annual leave</h1><p>Everyone has thirty days of leave in a year, and may carry over five.</p>
<h2 id="how-much">Notice</h2><p>Give ten working days of notice before the first day, to your lead and the desk.</p>
<table><tr><th>Days</th><th>Notice</th></tr><tr><td>1</td><td>two days</td></tr></table>
<h2>Without an anchor</h2><p>Ask the people team about anything that is not written on this page, please.</p></main>
<footer>Cookies and imprint</footer></body></html>"""


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    opened = Parser()
    yield opened
    opened.close()


def content(parser: Parser, raw: bytes, name: str) -> Content:
    told = parser.content(raw, name)
    assert isinstance(told, Content), told
    return told


def test_a_pdf_of_300_pages_opens_at_each_of_them(parser: Parser) -> None:
    told = content(parser, a_pdf(*(f"This is what stands on page {n}." for n in range(1, 301))), "report.pdf")
    assert told.text.count("\n\nThis is what stands on page ") == 300
    assert "## Page 300\n\nThis is what stands on page 300." in told.text
    assert told.anchors is not None
    assert (told.anchors["page-7"], len(told.anchors)) == ("page=7", 300)
    assert told.form is Form.PAGES


@pytest.mark.parametrize(("said", "title"), [
    ("Annual  leave", "Annual leave"), ("", ""), ("Microsoft Word - leave.doc", ""), ("leave.indd", ""),
    ("Untitled", ""), ("a\x07b", ""), ("long " * 50, ""),
])
def test_a_pdf_is_not_called_by_its_first_page(parser: Parser, said: str, title: str) -> None:
    told = content(parser, a_titled_pdf(said), "hr rules.pdf")
    assert (told.title, told.form) == (title, Form.PAGES)
    parts = chunk(told.text, name="hr rules", tokens=Words(), size=8, kind=told.form.value)
    assert {part.heading for part in parts} == {"hr rules › Page 1", "hr rules › Page 2"}


def test_an_encrypted_pdf_is_named(parser: Parser) -> None:
    assert parser.content(an_encrypted_pdf("open sesame"), "pay.pdf") == Rejected("is encrypted")
    assert "The secret." in content(parser, an_encrypted_pdf(""), "open.pdf").text


def test_a_docx_keeps_headings_lists_and_tables(parser: Parser) -> None:
    assert content(parser, a_docx(), "travel.docx").text == (
        "# Travel\n\nBook the train two weeks ahead.\n\n## Hotels\n\n- Ask the desk\n\n"
        "| City | Limit |\n| --- | --- |\n| Bern | 140 |"
    )


W = "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'"


@pytest.mark.parametrize(("body", "text"), [
    ("<w:sdt><w:sdtPr/><w:sdtContent><w:p><w:r><w:t>Ten days.</w:t></w:r></w:p></w:sdtContent></w:sdt>", "Ten days."),
    ("<w:p><w:r><w:t xml:space='preserve'>Ask </w:t></w:r><w:ins w:id='1'><w:r><w:t>Ann</w:t></w:r></w:ins>"
     "<w:del w:id='2'><w:r><w:delText>Bob</w:delText></w:r></w:del>"
     "<w:moveFrom w:id='3'><w:r><w:t>Cem</w:t></w:r></w:moveFrom><w:r><w:tab/><w:t>first.</w:t></w:r></w:p>",
     "Ask Ann first."),
    ("<w:p><w:hyperlink><w:r><w:t>The form</w:t></w:r></w:hyperlink>"
     "<w:fldSimple w:instr='PAGE'><w:r><w:t> 7</w:t></w:r></w:fldSimple>"
     "<w:r><w:instrText>REF x</w:instrText></w:r></w:p>", "The form 7"),
    ("<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='4'/></w:numPr></w:pPr><w:r><w:t>One</w:t></w:r></w:p>"
     "<w:p><w:pPr><w:numPr><w:ilvl w:val='1'/><w:numId w:val='4'/></w:numPr></w:pPr><w:r><w:t>Two</w:t></w:r></w:p>"
     "<w:p><w:pPr><w:pStyle w:val='ListBullet2'/></w:pPr><w:r><w:t>Three</w:t></w:r></w:p>",
     "- One\n\n  - Two\n\n  - Three"),
    ("<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr><w:p><w:r><w:t>Day</w:t></w:r></w:p></w:tc></w:tr>"
     "<w:tr><w:tc><w:tcPr><w:vMerge w:val='restart'/></w:tcPr><w:p><w:r><w:t>Mon</w:t></w:r></w:p></w:tc>"
     "<w:tc><w:sdt><w:sdtContent><w:p><w:r><w:t>Ann</w:t></w:r></w:p></w:sdtContent></w:sdt></w:tc></w:tr>"
     "<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc><w:tc><w:p><w:r><w:t>Cem</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
     "| Day |  |\n| --- | --- |\n| Mon | Ann |\n| Mon | Cem |"),
])
def test_the_words_of_a_docx_are_read_wherever_they_stand(parser: Parser, body: str, text: str) -> None:
    document = f"<w:document {W}><w:body>{body}</w:body></w:document>"
    assert content(parser, a_docx_with(document), "file.docx").text == text


def test_a_docx_has_the_title_that_it_says_and_no_other(parser: Parser) -> None:
    """Some programs write none of the properties that the library then makes up."""
    document = docx.Document()
    document.add_paragraph("Ten days.")
    document.core_properties.title = "Leave"
    out = io.BytesIO()
    document.save(out)
    assert content(parser, out.getvalue(), "file.docx").title == "Leave"
    with zipfile.ZipFile(out) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != "docProps/core.xml"}
    for name in ("_rels/.rels", "[Content_Types].xml"):
        members[name] = re.sub(rb"<(?:Relationship|Override) [^>]*core[^>]*/>", b"", members[name])
    assert b"core" not in members["_rels/.rels"]
    assert content(parser, a_zip(members), "file.docx").title == ""


def test_html_loses_its_navigation_and_keeps_its_anchors(parser: Parser) -> None:
    told = content(parser, PAGE, "leave.html")
    assert told.text.startswith("# ")
    for words in ("Annual leave", "ten working days", "two days", "Ask the people team"):
        assert words in told.text
    for noise in ("Sign out", "Cookies", "<p>"):
        assert noise not in told.text
    assert told.anchors == {"annual-leave": "top", "notice": "how-much"}


def test_content_decides_and_a_false_name_is_noted(parser: Parser) -> None:
    for raw, name, words in ((PAGE, "leave.md", "ten working days"), (a_pdf("Ten days."), "leave.txt", "Ten days."),
                             (b"# Leave\n", "leave.pdf", "# Leave")):
        told = content(parser, raw, name)
        assert words in told.text
        assert told.note.startswith(f"is called .{name.partition('.')[2]} and is ")
    assert parser.content(b"\x89PNG\r\n\x1a\n" + bytes(99), "leave.md") == Rejected("is called .md and is an image")
    assert parser.content(bytes(range(32)) * 9, "x.md") == Rejected("is called .md and is no text")
    assert parser.content(b"\x7fELF" + bytes(99), "run.pdf") == Rejected("is called .pdf and is a program")


@pytest.mark.parametrize(("raw", "why"), [
    (a_bomb(), "unpacks to more than it may"),
    (a_zip({"hello.txt": "hello"}), "is a ZIP archive and no document"),
    (a_docx()[:200], "is a damaged ZIP archive"),
    (b"PK\x03\x04" + bytes(50), "is a damaged ZIP archive"),
    (a_zip({"word/document.xml": "<broken"}), "is damaged"),
    (b"%PDF-1.7\n" + b"garbage" * 99, "is damaged"),
    (a_pdf(""), "holds no text; it may be scanned"),
    (b"<html><body></body></html>", "holds no text"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "is called .docx and is an old or encrypted Office file"),
    (b"x" * 5_000_000, "is larger than 2,000,000 bytes"),
])
def test_what_cannot_be_read_says_why(parser: Parser, raw: bytes, why: str) -> None:
    told = parser.content(raw, "file.docx")
    assert isinstance(told, Rejected)
    assert told.why.startswith(why)
    assert "Annual" in content(parser, PAGE, "after.html").text        # the next one is read


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def a_docx_with(document: str | bytes, **more: str | bytes) -> bytes:
    """``more``: further members, with a slash written ``__``."""
    with zipfile.ZipFile(io.BytesIO(a_docx())) as archive:
        members: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    extra = {name.replace("__", "/"): content for name, content in more.items()}
    return a_zip({**members, "word/document.xml": document, **extra})


def test_what_a_docx_would_unfold_to_is_not_unfolded(parser: Parser) -> None:
    body = f'<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>{{}}</w:t></w:r></w:p></w:body></w:document>'
    laughing = f'<!DOCTYPE w [<!ENTITY a0 "ha">{LAUGHS}]>{body.format("&a11;")}'
    reading = f'<!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/passwd">]>{body.format("&a;")}'
    for document in (laughing, reading):
        told = parser.content(a_docx_with(document), "file.docx")
        assert isinstance(told, Rejected) or len(told.text) < 1_000
        assert "root:" not in str(told)
    inner = a_bomb("inner.bin", 30_000_000)
    told = content(parser, a_docx_with(body.format("Ten days."), word__embeddings__inner_zip=inner), "file.docx")
    assert told.text == "Ten days."             # what lies packed in it stays packed
    assert "Annual" in content(parser, PAGE, "after.html").text


def test_a_deeply_nested_page_does_no_harm(parser: Parser) -> None:
    nested = b"<html><body>" + b"<div>" * 100_000 + b"deep" + b"</div>" * 100_000
    assert isinstance(parser.content(nested, "deep.html"), Content | Rejected)
    assert "Annual" in content(parser, PAGE, "after.html").text


@pytest.mark.parametrize(("program", "why"), [
    ("import time; time.sleep(60)", "takes longer than 0.3 s"),
    ("import os; os.abort()", "breaks its parser"),
    ("import sys; sys.stdin.buffer.read(4); sys.exit()", "breaks its parser"),
    (r"import sys; sys.stdout.buffer.write(b'\xff\xff\xff\xff'); sys.stdout.flush()", "breaks its parser"),
    (r"import sys; sys.stdout.buffer.write(b'\0\0\0\1\xc1'); sys.stdout.flush()", "took over its parser"),
])
def test_a_parser_that_fails_is_ended(program: str, why: str) -> None:
    parser = Parser(patience=0.3 if "longer" in why else 10, command=(sys.executable, "-c", program))
    assert parser.content(PAGE, "leave.html") == Rejected(why)
    parser.close()


def test_the_kernel_holds_the_parser_to_its_limits(tmp_path: Path) -> None:
    greedy = ("import resource, sys; from adapters.parsing import child; child.PARSERS = dict.fromkeys("
              "child.PARSERS, lambda raw: bytearray(1 << 31)); child.main()")
    parser = Parser(command=(sys.executable, "-c", greedy))
    assert parser.content(PAGE, "leave.html") == Rejected("needs more memory than it may have")
    parser.close()
    writing = ("from adapters.parsing import child; child.PARSERS = dict.fromkeys("
               f"child.PARSERS, lambda raw: open({str(tmp_path / 'stolen')!r}, 'wb', 0).write(raw)); child.main()")
    parser = Parser(command=(sys.executable, "-c", writing))
    assert parser.content(PAGE, "leave.html") == Rejected("is damaged: OSError")
    assert (tmp_path / "stolen").read_bytes() == b""
    parser.close()


def test_the_same_file_is_parsed_once() -> None:
    parser = Parser()
    first = content(parser, PAGE, "leave.html")
    parser.command = ("/bin/false",)
    parser.close()
    assert content(parser, PAGE, "copy.html") == first


@pytest.mark.parametrize(("name", "form"), [
    ("a.md", Form.MARKDOWN), ("a.py", Form.PYTHON), ("a.rs", Form.CODE), ("a.txt", Form.TEXT), ("LICENSE", Form.TEXT)])
def test_names_tell_kinds_of_text_apart(name: str, form: Form) -> None:
    told = Parser().content(b"words\n", name)
    assert isinstance(told, Content)
    assert (told.form, told.note) == (form, "")


@given(st.text())
def test_text_comes_back_as_it_is(text: str) -> None:
    expected = text.replace("\0", "\ufffd")
    assert decoded(text.encode("utf-8", "replace"))[0] == expected.encode("utf-8", "replace").decode()


@given(st.binary())
def test_any_bytes_are_something(raw: bytes) -> None:
    assert media(raw, "x.md") in Media
    text, _ = decoded(raw)
    assert "\0" not in text
    assert text.encode("utf-8").decode() == text        # no lone surrogate
