"""Rows that were written for training: nothing can be learned from them but what makes the difference."""

from __future__ import annotations

from collections import Counter

from adapters.evaluation.answers import decent_answers, harmful_answers
from adapters.evaluation.contrasts import contrasts
from adapters.evaluation.written import OFFICE, asked
from tests.engine.guards.unsafe_answers import FINE, UNSAFE

ROWS = (*asked(), *contrasts())


def test_no_text_stands_on_both_sides() -> None:
    sides = {label: {text for text, side, _ in ROWS if side == label} for label in ("allow", "block")}
    assert not sides["allow"] & sides["block"]
    assert not set(decent_answers()) & set(harmful_answers())
    assert {category for _, label, category in ROWS if label == "allow"} >= {OFFICE, "xstest_written"}


def test_a_frame_tells_nothing() -> None:
    """Questions begin alike on both sides, so often as to outweigh those that have only one."""
    begins = {
        label: Counter(
            text.split()[0] for text, side, category in contrasts()
            if side == label and text.isascii() and category in ("unsafe_written", "xstest_written")
        )
        for label in ("allow", "block")
    }
    shared = sum((begins["allow"] & begins["block"]).values())
    assert shared > 0.75 * sum(begins["block"].values())


def test_what_is_measured_by_is_not_learned_from() -> None:
    learned = {*harmful_answers(), *decent_answers(), *(text for text, _, _ in ROWS)}
    assert not learned & {answer for _, answer in (*UNSAFE, *FINE)}
