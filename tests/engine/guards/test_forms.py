"""The marks of one sentence, and what they weigh together."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine.guards import forms
from engine.guards.forms import Form
from tests.engine.guards.test_deflection import NAMED, TALK, UNSEEN, WHOLE

MARKS = sorted(set().union(*(forms.form(line).marks for line in (*UNSEEN, *TALK, *WHOLE, *NAMED))))
SCORES = """
from engine.guards.forms import form
for line in {lines!r}:
    print(form(line).deflects)
"""


@given(st.permutations(MARKS), st.integers(0, len(MARKS)), st.booleans(), st.integers(0, 400))
def test_a_score_is_in_hundredths_and_the_order_of_the_marks_is_nothing_to_it(
    marks: list[str], count: int, sorry: bool, size: int,
) -> None:
    form = Form(frozenset(marks[:count]), sorry, False, "helps" in marks[:count], size)
    assert form.deflects == replace(form, marks=frozenset(sorted(form.marks))).deflects
    assert form.deflects == round(form.deflects, 2)
    assert 0 <= form.deflects <= 1


def test_every_process_weighs_a_sentence_the_same() -> None:
    lines = [*UNSEEN, *TALK, *WHOLE]

    def scores(seed: str) -> str:
        asked = [sys.executable, "-c", SCORES.format(lines=lines)]
        return subprocess.run(
            asked, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout

    assert scores("0") == scores("1") == "".join(f"{forms.form(line).deflects}\n" for line in lines)


def test_the_sentence_that_closes_a_subject_is_told_from_the_one_that_goes_on_to_another() -> None:
    for line in WHOLE:
        assert forms.form(line).whole, line
    for line in (*NAMED, *TALK):
        assert not forms.form(line).whole, line
