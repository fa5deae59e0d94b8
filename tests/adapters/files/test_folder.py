"""A folder of Markdown, some of it not what it seems."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.files.folder import Folder
from engine.rag.page import Entry, Page, Unreadable


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    (folder / "policies").mkdir(parents=True)
    (folder / "policies" / "leave.md").write_text("# Leave\n\nAsk early.\n")
    (folder / "about us.md").write_text("# About\n")
    return folder


def the_page(folder: Folder, path: str) -> Page:
    page = folder.read(path)
    assert isinstance(page, Page), page
    return page


def paths(folder: Folder) -> list[str]:
    return [entry.path for entry in folder.listing() if isinstance(entry, Entry)]


def test_pages_come_in_order_and_hidden_ones_not_at_all(root: Path) -> None:
    (root / ".git").mkdir()
    (root / ".git" / "notes.md").write_text("x")
    (root / ".draft.md").write_text("x")
    (root / "picture.png").write_bytes(b"x")
    (root / "Z.MD").write_text("x")
    assert paths(Folder("wiki", root)) == ["Z.MD", "about us.md", "policies/leave.md"]


def test_a_page_opens_as_a_file_or_on_the_site_it_comes_from(root: Path) -> None:
    assert the_page(Folder("wiki", root), "about us.md").url == (root / "about us.md").resolve().as_uri()
    there = Folder("wiki", root, base_url="https://wiki.acme.example/docs/")
    assert the_page(there, "about us.md").url == "https://wiki.acme.example/docs/about%20us.md"


def test_the_page_knows_its_date_better_than_the_file(root: Path) -> None:
    os.utime(root / "about us.md", (86_400, 86_400))
    folder = Folder("wiki", root)
    assert the_page(folder, "about us.md").date == datetime(1970, 1, 2, tzinfo=UTC)
    (root / "about us.md").write_text("---\nupdated: 2026-01-12\n---\n# About\n")
    assert the_page(folder, "about us.md").date == datetime(2026, 1, 12, tzinfo=UTC)
    (root / "about us.md").write_text("---\nupdated: yesterday\ndate: 2026-01-12T10:00:00+02:00\n---\n")
    assert the_page(folder, "about us.md").date == datetime(2026, 1, 12, 8, tzinfo=UTC)


def test_a_link_leads_no_further_than_the_folder(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("the secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "more.md").write_text("more secrets")
    (root / "out.md").symlink_to(tmp_path / "secret.md")
    (root / "linked").symlink_to(tmp_path / "outside")
    (root / "loop.md").symlink_to(root / "loop.md")
    (root / "copy.md").symlink_to(root / "about us.md")
    folder = Folder("wiki", root)
    read = {path: folder.read(path) for path in paths(folder)}
    assert read["out.md"] == Unreadable("out.md", "leads out of the folder")
    assert isinstance(read["loop.md"], Unreadable)
    assert the_page(folder, "copy.md").text == "# About\n"
    assert "linked/more.md" not in read
    assert folder.read("../secret.md") == Unreadable("../secret.md", "leads out of the folder")


def test_what_cannot_be_a_page_is_named(root: Path) -> None:
    (root / "large.md").write_bytes(b"x" * 101)
    os.mkfifo(root / "pipe.md")
    (root / "folder.md").mkdir()
    folder = Folder("wiki", root, largest=100)
    assert folder.read("large.md") == Unreadable("large.md", "is larger than 100 bytes")
    assert folder.read("pipe.md") == Unreadable("pipe.md", "is not a file")
    assert isinstance(folder.read("folder.md"), Unreadable)
    assert folder.read("gone.md") == Unreadable("gone.md", "No such file or directory")
    assert isinstance(folder.read("a\0b.md"), Unreadable)


def test_bytes_that_are_no_text_are_replaced_and_noted(root: Path) -> None:
    (root / "latin.md").write_bytes("caf\xe9 \0".encode("latin-1"))
    page = the_page(Folder("wiki", root), "latin.md")
    assert (page.text, page.note) == ("caf\ufffd \ufffd", "is not UTF-8 at byte 3")
    (root / "nul.md").write_bytes(b"a\0b")
    assert the_page(Folder("wiki", root), "nul.md").note == "holds NUL"


def test_a_name_that_is_no_text_is_named_as_well_as_can_be(root: Path) -> None:
    with open(os.fsencode(root) + b"/\xff.md", "wb"):
        pass
    assert Unreadable("\ufffd.md", "its name is not UTF-8") in list(Folder("wiki", root).listing())


def test_a_folder_that_is_away_says_so(tmp_path: Path) -> None:
    assert list(Folder("wiki", tmp_path / "nowhere").listing()) == [Unreadable("", "there is no such folder")]
