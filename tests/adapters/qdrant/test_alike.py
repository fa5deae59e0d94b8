"""The table of words that ships with the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.qdrant.alike import TABLE, meanings, read
from engine.errors import RetrieverUnavailable
from engine.rag.alike import said, shares


def unsaid(question: str, text: str) -> float:
    return meanings().unsaid(shares([said(question)], 0.5), text)


def test_it_knows_what_colleagues_call_things() -> None:
    page = "Annual leave: everybody earns 27 days of paid holiday a year, booked with a supervisor"
    assert unsaid("vacation?", page) < 0.5 < unsaid("parking?", page)
    assert unsaid("my boss", page) < 0.7 < unsaid("the gym", page)


def test_every_word_has_a_place_of_its_own() -> None:
    table = meanings()
    assert len(table.places) == len(table.vectors) > 20_000
    assert table is meanings()


def test_another_table_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "words.npz"
    with pytest.raises(RetrieverUnavailable, match=r"words\.npz cannot be read"):
        read(other)
    other.write_bytes(TABLE.read_bytes()[:-1])
    with pytest.raises(RetrieverUnavailable, match=r"words\.npz is not the file it should be"):
        read(other)
