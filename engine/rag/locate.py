"""Where in a passage the question is spoken of, so that its citation opens at the right heading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from engine.rag.words import content_words


def best_anchor(text: str, anchors: Sequence[tuple[int, str]], questions: Sequence[str], title: str = "") -> str:
    """The anchor of the section that holds most of the question's words, a rare word counting for more.

    ``questions``: what is asked, then what it leans on, which decides between sections that are equal.
    ``anchors``: offset and anchor of each section, in order. Words of the ``title`` that all of them share tell
    nothing. Of equals the first; "" if there are none.
    """
    if not anchors:
        return ""
    if len(anchors) == 1:
        return anchors[0][1]
    edges = [*(at for at, _ in anchors), len(text)]
    held = [content_words(text[start:end]) - content_words(title) for start, end in pairwise(edges)]
    spread = Counter(word for section in held for word in section)
    asked = [content_words(question) for question in questions]
    worth = [[sum(1 / spread[word] for word in section & words) for words in asked] for section in held]
    return anchors[max(range(len(anchors)), key=lambda n: (worth[n], -n))][1]
