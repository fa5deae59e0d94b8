"""Where a streaming message is cut, and that nothing is lost by it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.stream import cut


@given(st.text(st.sampled_from("ab \n"), max_size=60), st.integers(0, 40))
def test_a_cut_fits_and_moves_on(words: str, room: int) -> None:
    at = cut(words, room)
    assert at <= max(room, 0)
    assert (at > 0) or not words or room == 0


def test_a_line_ends_a_message_where_one_does() -> None:
    assert "a line\nanother"[: cut("a line\nanother", 10)] == "a line\n"
    assert cut("one long line", 5) == 5
    assert cut("short", 10) == 5
