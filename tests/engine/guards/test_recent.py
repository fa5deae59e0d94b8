"""The last few results are kept, and no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.guards.recent import Recent


def test_the_one_that_nobody_asked_for_goes_first() -> None:
    known: Recent[str, int] = Recent(2)
    assert (known.get("one"), known.put("one", 1), known.put("two", 2), known.get("one")) == (None, 1, 2, 1)
    known.put("three", 3)
    assert [known.get(key) for key in ("one", "two", "three")] == [1, None, 3]


@given(st.lists(st.integers(0, 20)))
def test_what_was_put_last_is_always_there(keys: list[int]) -> None:
    known: Recent[int, str] = Recent(5)
    for key in keys:
        known.put(key, str(key))
    last = list(dict.fromkeys(reversed(keys)))
    assert [known.get(key) for key in last[:5]] == [str(key) for key in last[:5]]
    assert [known.get(key) for key in last[5:]] == [None] * len(last[5:])
