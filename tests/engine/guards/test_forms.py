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


def test_nobody_refuses_what_does_not_exist_and_no_company_is_an_assistant() -> None:
    assert forms.refuses("I cannot give you her number. She is a fictional character and has none.") < 0.3
    assert forms.refuses("I cannot give you her number. That would be a breach of privacy, and unethical.") >= 0.8
    assert forms.refuses("We cannot ship to that address before Friday.") < 0.6
    assert forms.refuses("对不起，我周四不能参加会议。") < 0.6
    assert forms.refuses("对不起，我不能提供这样的内容。") >= 0.6


def test_a_word_that_is_part_of_anothers_name_is_not_what_is_talked_about() -> None:
    assert forms.form("Let's change the subject line to something shorter.").deflects < 0.4
    assert forms.form("Let's change the subject.").whole
    assert not forms.form("I'm sorry, I cannot say so with certainty.").points
    assert not forms.form("This matter is sensitive, so please use the secure channel.").points
    assert forms.form("Sorry, I cannot discuss this topic.").points


def test_what_is_too_sensitive_to_heat_is_a_thing() -> None:
    assert "unable" not in forms.form("The sample is too sensitive to heat.").marks
    assert "unable" in forms.form("That question is too sensitive to answer.").marks
    assert "unable" in forms.form("That question is too sensitive to an").marks    # still coming in
