"""Quote mode: the best passages, word for word, each with its mark. For when no model is connected, or it is away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from engine.messages import Found, Passage

QUOTED: Final = 3
"""Passages that are quoted, at most."""
LONGEST: Final = 420
"""Characters of one quotation, cut at the end of a sentence or line."""
NOT_CONNECTED: Final = "No language model is connected, so here is what the pages say, word for word:"
AWAY: Final = "The language model is not answering right now, so here is what the pages say, word for word:"
NOTHING: Final = "I found nothing in the pages that everyone here may read that answers this."
AWAY_AND_NOTHING: Final = f"The language model is not answering right now. {NOTHING}"
_STOP: Final = re.compile(r"[.!?…](?=\s|$)|[。！？]|\n")
_HEADING: Final = re.compile(r"^#{1,6} .*$", re.MULTILINE)


def quote(found: Found, *, connected: bool) -> str:
    """The answer in quote mode. ``connected``: there is a model, but it is away."""
    if not found.answers or not found.passages:
        return AWAY_AND_NOTHING if connected else NOTHING
    quotes = [f"{_block(p)} [{number}]" for number, p in enumerate(best(found.passages), 1)]
    return "\n\n".join((AWAY if connected else NOT_CONNECTED, *quotes))


def best(passages: Sequence[Passage]) -> Sequence[Passage]:
    """Those that are quoted: the first few, and none that is far weaker than the first."""
    return [p for p in passages[:QUOTED] if p.score >= passages[0].score / 2] if passages else []


def _block(passage: Passage) -> str:
    return "\n".join(f"> {line}".rstrip() for line in shortened(passage.text).splitlines())


def shortened(text: str) -> str:
    """The text without headings, cut after the last sentence or line that fits in `LONGEST` characters."""
    text = re.sub(r"\n{3,}", "\n\n", _HEADING.sub("", text)).strip()
    if len(text) <= LONGEST:
        return text
    ends = [stop.end() for stop in _STOP.finditer(text[:LONGEST])]
    cut = ends[-1] if ends and ends[-1] > LONGEST // 3 else text.rfind(" ", 0, LONGEST)
    return text[: cut if cut > 0 else LONGEST].rstrip() + " …"
