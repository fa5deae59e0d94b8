"""What somebody uploaded is for those who saw it."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.sources.uploads import Uploads
from engine.rag.page import Entry, Page
from tests.builders import NOON

ROOM = frozenset({"channel:test:acme/general"})


def test_an_upload_is_a_page_of_its_channel(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    assert list(uploads.listing()) == []
    path = uploads.add(b"# Plan\n", name="../../plan\n.md", url="https://chat.acme.example/f/1", acl=ROOM, at=NOON)
    entry, = uploads.listing()
    assert entry == Entry(path, "kept", "https://chat.acme.example/f/1", ROOM)
    page = uploads.read(path)
    assert isinstance(page, Page)
    assert (page.text, page.acl, page.date, page.url) == ("# Plan\n", ROOM, NOON, "https://chat.acme.example/f/1")
    assert path.endswith("/.._.._plan_.md")
    assert sorted(p.parent for p in (tmp_path / "uploads").rglob("*")) == [tmp_path / "uploads"] * 2
    uploads.remove(path)
    uploads.remove(path)
    assert list(uploads.listing()) == []
    assert list((tmp_path / "uploads").iterdir()) == []


def test_what_is_for_nobody_or_too_large_is_not_kept(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    with pytest.raises(ValueError, match="nobody"):
        uploads.add(b"x", name="x.md", url="", acl=frozenset(), at=NOON)
    with pytest.raises(ValueError, match="larger"):
        uploads.add(bytes(50_000_001), name="x.md", url="", acl=ROOM, at=NOON)
    uploads.remove("../../etc/passwd")
    assert list(tmp_path.iterdir()) == []
