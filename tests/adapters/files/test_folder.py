"""A folder of Markdown, some of it not what it seems."""

from __future__ import annotations

import os
import socket
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.files.folder import Folder
from engine.rag.chunk import chunk
from engine.rag.page import Entry, Page, Unreadable
from tests.adapters.qdrant.bags import Words


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


def test_only_a_page_itself_knows_its_date(root: Path) -> None:
    """A file's time is that of its last copy: a policy of old would look like one of today."""
    folder = Folder("wiki", root)
    assert the_page(folder, "about us.md").date is None
    (root / "about us.md").write_text("---\nupdated: 2026-01-12\n---\n# About\n")
    assert the_page(folder, "about us.md").date == datetime(2026, 1, 12, tzinfo=UTC)
    (root / "about us.md").write_text("---\nupdated: yesterday\ndate: 2026-01-12T10:00:00+02:00\n---\n")
    assert the_page(folder, "about us.md").date == datetime(2026, 1, 12, 8, tzinfo=UTC)
    (root / "rota.html").write_text("<meta name='dcterms.modified' content='2026-01-12'><p>Shifts change at noon.</p>")
    assert the_page(folder, "rota.html").date == datetime(2026, 1, 12, tzinfo=UTC)
    folder.close()


def test_a_link_leads_no_further_than_the_folder(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("the secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "more.md").write_text("more secrets")
    (root / "out.md").symlink_to(tmp_path / "secret.md")
    (root / "linked").symlink_to(tmp_path / "outside")
    (root / "again").symlink_to(root)
    (root / "loop.md").symlink_to(root / "loop.md")
    (root / "copy.md").symlink_to(root / "about us.md")
    folder = Folder("wiki", root)
    read = {path: folder.read(path) for path in paths(folder)}
    assert read["out.md"] == Unreadable("out.md", "leads out of the folder")
    assert isinstance(read["loop.md"], Unreadable)
    assert the_page(folder, "copy.md").text == "# About\n"
    assert "linked/more.md" not in read
    assert [each for each in folder.listing() if isinstance(each, Unreadable)] == [
        Unreadable("linked", "leads out of the folder")]       # and not what leads to where it is read anyway
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


@contextmanager
def levels_below(folder: Path, levels: int) -> Iterator[None]:
    """So many folders named "a", one in the other; taken away again, since who clears up a run walks no such tree."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("a", dir_fd=here)
        here = _moved(here, "a")
    try:
        yield
    finally:
        for _ in range(levels):
            here = _moved(here, "..")
            os.rmdir("a", dir_fd=here)
        os.close(here)


def _moved(here: int, there: str) -> int:
    opened = os.open(there, os.O_RDONLY, dir_fd=here)
    os.close(here)
    return opened


def test_a_tree_of_any_depth_is_walked_and_what_is_too_deep_is_named(root: Path) -> None:
    deep = root.joinpath(*["level"] * 200)
    deep.mkdir(parents=True)
    (deep / "deep.md").write_text("# Deep\n")
    (root / f"{'n' * 250}.md").write_text("# Long\n")
    assert {"n" * 250 + ".md", "level/" * 200 + "deep.md", "about us.md"} <= set(paths(Folder("wiki", root)))
    assert the_page(Folder("wiki", root), "level/" * 200 + "deep.md").text == "# Deep\n"
    with levels_below(deep, 3_000):
        failed = [entry for entry in Folder("wiki", root).listing() if isinstance(entry, Unreadable)]
    assert [(each.path[-4:], each.why) for each in failed] == [("a/a/", "File name too long")]


def test_links_that_lead_to_each_other_and_to_the_folder_itself_end(root: Path) -> None:
    (root / "one.md").symlink_to(root / "other.md")
    (root / "other.md").symlink_to(root / "one.md")
    (root / "self").symlink_to(root)
    folder = Folder("wiki", root)
    assert paths(folder) == ["about us.md", "one.md", "other.md", "policies/leave.md"]
    assert folder.read("one.md") == Unreadable("one.md", "Too many levels of symbolic links")


def test_a_socket_is_no_page(root: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound, chdir(root):
        bound.bind("socket.md")
    assert Folder("wiki", root).read("socket.md") == Unreadable("socket.md", "is not a file")


def test_names_that_look_the_same_are_two_pages(root: Path) -> None:
    names = [unicodedata.normalize(form, "\u00fcber.md") for form in ("NFC", "NFD")]
    for name in names:
        (root / name).write_text(f"# {len(name)}\n")
    folder = Folder("wiki", root, "https://wiki.acme.example")
    assert set(names) < set(paths(folder))
    assert [the_page(folder, name).url for name in names] == [
        "https://wiki.acme.example/%C3%BCber.md", "https://wiki.acme.example/u%CC%88ber.md"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(root: Path) -> None:
    (root / "about us.md").chmod(0)
    (root / "policies").chmod(0)
    folder = Folder("wiki", root)
    try:
        assert folder.read("about us.md") == Unreadable("about us.md", "Permission denied")
        assert Unreadable("policies/", "Permission denied") in list(folder.listing())
    finally:
        (root / "policies").chmod(0o700)


def test_a_file_that_changes_while_it_is_read_is_read_the_next_time(root: Path) -> None:
    page = root / "about us.md"
    page.write_bytes(b"# About\n" + b"x" * 1_000_000)
    reading = Folder("wiki", root)
    answers: list[Page | Unreadable | None] = []
    writer = threading.Thread(target=_written_on, args=(page, lambda: len(answers) < 500))
    writer.start()
    while len(answers) < 500 and not any(isinstance(each, Unreadable) for each in answers):
        answers.append(reading.read("about us.md"))
    answers += [None] * 500
    writer.join()
    assert Unreadable("about us.md", "changes while it is read") in answers
    assert isinstance(reading.read("about us.md"), Page)


def _written_on(page: Path, goes_on: Callable[[], bool]) -> None:
    with page.open("ab") as file:
        while goes_on():
            file.write(b"x")
            file.flush()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_at_the_beginning_hides_no_heading(root: Path, encoding: str) -> None:
    (root / "about us.md").write_bytes("# Caf\u00e9\r\n\r\nOpen at nine.\r\n".encode(encoding))
    page = the_page(Folder("wiki", root), "about us.md")
    cut, = chunk(page.text, name="page", tokens=Words())
    assert (page.note, cut.heading, cut.anchor) == ("", "Caf\u00e9", "caf\u00e9")
    assert page.text[cut.start : cut.end] == "# Caf\u00e9\r\n\r\nOpen at nine."
