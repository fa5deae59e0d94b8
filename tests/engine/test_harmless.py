"""Nothing that a screen would obey, and all that people write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.harmless import harmless, line
from tests.hostile import HOSTILE


@given(st.lists(HOSTILE))
def test_it_does_not_matter_how_a_stream_was_cut(pieces: list[str]) -> None:
    assert "".join(map(harmless, pieces)) == harmless("".join(pieces))


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")) | st.sampled_from("\n\t\u200d")))
def test_honest_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_one_line() -> None:
    assert line(" two\n\u202elines\t ") == "two lines"
