"""What forms say about a whole answer, as columns."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.stance import COLUMNS, stance

REFUSED = "I'm sorry, but I cannot help with that request. It would be harmful and illegal."
UNREAL = "I cannot give you the captain's phone number. He is a fictional character and has none."
PASTED = "The reform of 1978 let farmers sell whatThis answer was withdrawn under content rules."


def test_an_opening_that_refuses_and_an_end_that_deflects_are_told_apart() -> None:
    refused, unreal, pasted = stance(REFUSED), stance(UNREAL), stance(PASTED)
    plain = stance("Give ten working days' notice. The form is on the intranet.")
    assert refused[0] > 0.6 > unreal[0]
    assert list(unreal[3:6]) == [0.0, 1.0, 0.0]         # not harm, but that there is no such person
    assert pasted[-2] > 0.5 > pasted[6]                 # at its end, where it was pasted, and not where it begins
    assert not plain.any()


@given(st.text(max_size=900))
def test_any_text_has_a_stance(text: str) -> None:
    columns = stance(text)
    assert columns.shape == (COLUMNS,)
    assert np.all((columns >= 0) & (columns <= 1))
