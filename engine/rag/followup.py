"""A question is searched together with those before it, each of which counts for less.

Gluing the last question in front finds what "and after 15?" means, and loses whoever changes the subject. So the
earlier questions only lean the search their way: half of the one before, a quarter of the one before that. A
question that says much by itself is found by what it says; one that says little, by what was said before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from engine.messages import Conversation

FADING: Final = 0.5             # the weight of a question, compared with the one after it
REMEMBERED: Final = 2           # earlier questions that count
_TURNS: Final = re.compile(
    r"\s*(?:(?:ok|okay|thanks|thank you|great|cool|got it|alright)\W+)*(?:(?:and\s+)?(?:now\s+)?(?:for\s+)?(?:an?\s+)?"
    r"(?:(?:completely|totally|entirely)\s+)?(?:different|other|another|new|unrelated)"
    r"(?:\s+(?:question|topic|thing|subject|matter)\b|(?=\s*[:;,.–—]|\s+-))|unrelated\b|by the way\b|btw\b"
    r"|on another note\b)\W*",
    re.IGNORECASE,
)


def asked(question: str, past: Conversation) -> tuple[str, ...]:
    """What is searched for, the question first, then the earlier ones that it may lean on, the latest first.

    None of these if the question says that it is about something else; those words are left out of it.
    """
    turning = _TURNS.match(question)
    if turning and (rest := question[turning.end():]).strip():
        return (rest,)
    before = [turn.question.text for turn in past.turns[-REMEMBERED:]]
    return tuple(dict.fromkeys((question, *reversed(before))))


def direction(vectors: Sequence[Sequence[float]]) -> list[float]:
    """The unit vectors of what is asked, faded and added up; of no particular length."""
    total = list(vectors[0])
    for n, vector in enumerate(vectors[1:], 1):
        weight = FADING**n
        total = [sum_ + weight * number for sum_, number in zip(total, vector, strict=True)]
    return total


def weighted(questions: Iterable[Iterable[int]]) -> Mapping[int, float]:
    """The words of what is asked, as the ids of an index's vocabulary: faded and added up."""
    words: dict[int, float] = {}
    for n, question in enumerate(questions):
        for word in question:
            words[word] = words.get(word, 0.0) + FADING**n
    return words
