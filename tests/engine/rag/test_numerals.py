"""A number is a word that pages can be found by, however it is written; what is a word already stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.qdrant.index import Bm25
from engine.rag.numerals import leant_on, spelled, told


@pytest.mark.parametrize(("asked", "written"), [
    ("4112", "Fault 4112: the burner is cold."),
    ("what does fault E-4112 mean?", "4112"),
    ("room 7", "On floor (7)"),
    ("65000", "up to 65,000 a year"),
    ("1.250.000", "1,250,000"),
    ("v2.3", "since 2.3"),
    ("at 10:00", "from 10:00-12:00"),
    ("417", "三号楼417室"),
    ("417", "４１７"),
    ("2026", "2026-03-04"),
])
def test_a_number_is_found_by_its_digits(asked: str, written: str) -> None:
    assert set(Bm25().embed_query(asked).indices) & set(Bm25().embed_document(written).indices)


@pytest.mark.parametrize(("asked", "written"), [("411", "4112"), ("2.3", "2.4"), ("5", "0.5"), ("10:00", "10:30")])
def test_another_number_is_another_word(asked: str, written: str) -> None:
    assert not set(Bm25().embed_query(asked).indices) & set(Bm25().embed_document(written).indices)


@pytest.mark.parametrize("text", ["M24, 12b and 24h", "sha 3fa9c1d27", "no number", "三号楼", ""])
def test_what_is_a_word_stays_as_it_is(text: str) -> None:
    assert spelled(text) == text


@given(st.text(alphabet="0123456789.,: vM中"))
def test_nothing_is_spelled_twice(text: str) -> None:
    assert spelled(spelled(text)) == spelled(text)


def test_what_a_question_tells_in_numbers() -> None:
    assert told("I am 15, and M24 costs 2.50 on floor 3") == "15 2.50 3"
    assert told("no number") == ""


def test_a_single_digit_is_nothing_to_lean_on() -> None:
    assert leant_on("4 months under code 61, v2.3").split() == ["months", "under", "code", "61,", "v2.3"]


def test_a_number_that_never_ends_is_looked_at_once() -> None:
    """From each of its digits again it would be a billion steps."""
    endless = "1." * 40_000 + "1a"
    assert spelled(endless) == endless
    assert told(endless) == ""
