"""Prose and code, told apart while the text is still coming in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.markup import Markup, Where
from tests.engine.guards.screens import CUTS, cut, letters


def places(pieces: list[str]) -> tuple[str, list[Where]]:
    """The text put together again, and for each character what it is part of."""
    markup, text, kinds = Markup(), "", []
    for piece, final in [*((piece, False) for piece in pieces), ("", True)]:
        for where, at, stretch in markup.read(piece, final=final):
            assert at == len(text)
            text += stretch
            kinds += [where] * len(stretch)
    assert markup.placed == len(text)
    return text, kinds


@pytest.mark.parametrize(("text", "drawn"), [
    ("ab `c` d", "ppp" + "ss" + "c" + "pp"),
    ("``a ` b`` c", "sssssss" + "cc" + "pp"),
    ("a ` b\nc", "ppsss" + "b" + "p"),
    ("```\nx\n```\ny", "ffff" + "ff" + "ccc" + "b" + "p"),
    ("~~~ a\n```\n~~~", "ffffff" + "ffff" + "ccc"),
    ("```x``` y", "ffff" + "ccc" + "pp"),
    (" > a", "mmmp"),
    ("```\nopen", "ffffffff"),
])
def test_every_character_has_its_place(text: str, drawn: str) -> None:
    assert "".join(where.name[0].lower() for where in places([text])[1]) == drawn


@given(st.text(alphabet="`~\n >ab ", max_size=40), CUTS)
def test_no_cut_moves_a_character(text: str, cuts: list[int]) -> None:
    whole = places([text])
    assert whole[0] == text
    assert whole == places(cut(text, cuts)) == places(letters(text))
