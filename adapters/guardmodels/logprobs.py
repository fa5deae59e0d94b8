"""How sure a guard model was: the probabilities at the token that carries its label."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from adapters.guardmodels.judgement import Token


def label_score(tokens: Sequence[Token], labels: Mapping[str, float], after: str = "") -> float | None:
    """The expected weight of the label, 0 to 1; None without probabilities.

    ``labels`` (lower case) give each label's weight; ``after`` is a pattern for what stands before it, and the last
    place in the answer that fits is read. A token may be the beginning of a label (" Un" of "Unsafe") as long as
    only one label begins so.
    """
    anchor = re.compile(rf"(?:{after})\s*\Z") if after else re.compile(r"\A\s*\Z")
    said, at = "", -1
    for number, token in enumerate(tokens):
        if token.text.strip() and anchor.search(said[-200:] if after else said):
            at = number
            if not after:
                break
        said += token.text
    if at < 0:
        return None
    mass = 0.0
    weighed = 0.0
    here = tokens[at]
    for text, logprob in here.top or ((here.text, here.logprob),):
        label = _label(text, labels)
        if label is not None:
            probability = math.exp(min(logprob, 0.0))
            mass += probability
            weighed += probability * labels[label]
    return weighed / mass if mass > 0.0 else None


def _label(text: str, labels: Mapping[str, float]) -> str | None:
    start = text.strip().lower()
    begun = [label for label in labels if start and (label.startswith(start) or start == label)]
    return start if start in labels else begun[0] if len(begun) == 1 else None
