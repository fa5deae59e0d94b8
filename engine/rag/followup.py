"""A question that leans on the one before it is searched together with it."""

from __future__ import annotations

import re
from typing import Final

from engine.messages import Conversation

SHORT: Final = 3                # words; "and at night?" says too little to be found by itself
_LEANS: Final = re.compile(
    r"\s*(?:(?:and|but|or|so|then|also)\b|(?:what|how) about\b"
    r"|(?:(?:is|are|was|were|does|do|did|can|could|may|will|would|has|have|if|when|why|who|where|how|what)\s+)?"
    r"(?:it|its|they|them|their|that|this|these|those|he|she)\b)",
    re.IGNORECASE,
)


def standalone(question: str, past: Conversation) -> str:
    """What to search for: with the last question in front, when this one is very short or starts with a pronoun."""
    if not past.turns or not (len(question.split()) <= SHORT or _LEANS.match(question)):
        return question
    return f"{past.turns[-1].question.text}\n{question}"
