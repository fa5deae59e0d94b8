"""What the forms of sentences say about a whole answer, as columns beside the classifier's; trees join both.

The guards act on a form where it stands: in an opening, at a seam, alone. That an answer ends with half a form, or
opens with a refusal that turns out to be a fact, means something beside what the sequences look like, and what that is
is learned.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from engine.guards import forms
from engine.guards.features import Vector

COLUMNS: Final = 11
_HEAD: Final = 320
_TAIL: Final = 260
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？\n])|(?<=[a-z\d\u4e00-\u9fff])(?=[A-Z][a-z' ])"
                              r"|(?<=[A-Za-z])(?=[\u4e00-\u9fff])")
"""Also where a line may have been pasted: a capital or an ideograph right behind a small letter."""
_MOST: Final = 2
_LONG: Final = 160


def stance(text: str) -> Vector:
    """`COLUMNS` numbers about an answer that is not wrapped up: how much it refuses, and how much its ends deflect."""
    text = text.strip()
    head = text[:_HEAD]
    first = _parts(head)[:_MOST]
    last = _parts(text[-_TAIL:])[-_MOST:] if len(text) > _HEAD else _parts(head)[-_MOST:]
    begins, ends = [forms.form(part) for part in first], [forms.form(part) for part in last]
    said = [form.deflects for form in begins] or [0.0]
    closing = [form.deflects for form in ends] or [0.0]
    return np.array([
        forms.refuses(head), forms.refuses(first[0]) if first else 0.0, forms.refuses(text[_HEAD : 2 * _HEAD]),
        *(float(each) for each in forms.reasons(head)),
        said[0], max(said), closing[-1], max(closing), float(any(form.whole for form in (*begins, *ends))),
    ])


def _parts(text: str) -> list[str]:
    return [part[:_LONG] for part in _SENTENCE.split(text) if part and len(part) > 2]
