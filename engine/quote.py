"""Quote mode: the best passages, word for word, each with its mark. For when no model is connected, or it is away."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.courtesy import asks_nothing
from engine.fences import FENCE, still_open
from engine.messages import Found, Passage
from engine.nothing import nothing
from engine.rag.words import content_words

QUOTED: Final = 3
"""Passages that are quoted, at most."""
LONGEST: Final = 420
"""Characters of one quotation."""
BOLD: Final = 4
"""Characters more that a heading takes in bold."""
NOT_CONNECTED: Final = "No language model is connected, so here is what the pages say, word for word:"
AWAY: Final = "The language model is not answering right now, so here is what the pages say, word for word:"
READY: Final = "Ask me whatever the pages may tell: I look it up and say where it stands."
UNSEARCHED: Final = "Neither the language model nor the pages can be reached right now. Please try again in a while."
_BETWEEN: Final = re.compile(       # two units: behind a sentence, before an item, a row or a heading, at an empty line
    r"(?<=[^\s\d][.!?…])\s+|(?<=[。！？])|\n\s*\n|\n(?=[ \t]*(?:[-*+] |[|>#]|\d{1,3}[.)] ))|(?<=\|)\n"
)
_HEADING: Final = re.compile(r"#{1,6} ")
_MARKED: Final = re.compile(r"[*_`\[\]\\]")
_ROW: Final = re.compile(r"[ \t]*\|")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, a line of a list or a row of a table, with the words of the heading that it stands under."""

    start: int
    end: int
    words: frozenset[str]
    heading: frozenset[str]
    sections: int               # headings that stand above it, or before them

    @property
    def about(self) -> frozenset[str]:
        """What it speaks of."""
        return self.words | self.heading


def quote(found: Found, question: str, *, connected: bool) -> str:
    """The answer in quote mode. ``connected``: there is a model, but it is away."""
    if not found.searched:
        return UNSEARCHED
    if asks_nothing(question) and not found.passages:
        return READY
    if not found.answers or not found.passages:
        return nothing(question, whole=found.whole, away=connected)
    quotes = [
        _quoted(_behind(excerpt(found.passages[n].text, question), f"[{n + 1}]"))
        for n in best(found.passages, question)
    ]
    return "\n\n".join((AWAY if connected else NOT_CONNECTED, *quotes))


def best(passages: Sequence[Passage], question: str) -> list[int]:
    """Which passages are quoted: a few, first those that speak of most of what was asked, and none of far less."""
    asked = content_words(question)
    speaks = [max((len(unit.about & asked) for unit in _units(p.text)), default=0) for p in passages]
    order = sorted(range(len(passages)), key=lambda n: (-speaks[n], n))
    return [n for n in order if speaks[n] > 0.7 * speaks[order[0]] or n == order[0]][:QUOTED]


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def excerpt(text: str, question: str) -> str:
    """At most `LONGEST` characters of the text, from where it speaks of what was asked; whole sentences and lines.

    The best unit is the one that holds, with its heading, most of the question's words; of several the one whose own
    words are rarer (1 / the number of units that hold the word). From there on is quoted as far as there is room, and
    backwards if some is left.
    """
    units = _units(text)
    if not units:
        return text.strip()[:LONGEST]
    asked = content_words(question)
    held = Counter(word for unit in units for word in unit.words & asked)

    def worth(n: int) -> tuple[int, float, int]:
        unit = units[n]
        return len(unit.about & asked), sum(1 / held[w] for w in unit.words & asked), -n

    first = last = max(range(len(units)), key=worth)
    while first > 0 and units[first - 1].heading == units[first].heading and _length(units, first - 1, last) <= LONGEST:
        first -= 1                  # the whole section, if there is room for it
    while last + 1 < len(units) and _length(units, first, last + 1) <= LONGEST:
        last += 1
    while first > 0 and _length(units, first - 1, last) <= LONGEST:
        first -= 1
    begin, end = units[first].start, units[last].end
    inside = still_open(text[:begin])
    body = _headed(text[begin:end], inside)
    if cut := len(body) > LONGEST:      # one unit that is too long by itself
        at = body.rfind(" ", LONGEST // 2, LONGEST)
        body = body[: at if at > 0 else LONGEST].rstrip()
    body = f"{inside}\n{body}" if inside else body
    body = f"{body}\n{still}" if (still := still_open(body)) else body
    return f"{_dots(body) if first > 0 else ''}{_behind(body, '…') if cut or last + 1 < len(units) else body}"


def _units(text: str) -> list[_Unit]:
    units, heading, sections, at, inside = [], frozenset[str](), 0, 0, ""
    for end, after in [*((gap.start(), gap.end()) for gap in _BETWEEN.finditer(text)), (len(text), len(text))]:
        piece = text[at:end]
        if not inside and _HEADING.match(piece.lstrip()):
            line = len(piece) - len(piece.lstrip()) + len(piece.lstrip().partition("\n")[0])
            heading, at, piece = content_words(piece[:line]), at + line, piece[line:]       # words may follow at once
            sections += 1
        if piece.strip():
            units.append(_Unit(at + len(piece) - len(piece.lstrip()), end, content_words(piece), heading, sections))
        at, inside = after, still_open(piece, inside)
    return units


def _length(units: Sequence[_Unit], first: int, last: int) -> int:
    return units[last].end - units[first].start + BOLD * (units[last].sections - units[first].sections)


def _headed(text: str, inside: str) -> str:
    """With its headings in bold: what one section says is not taken for the next one's.

    ``inside``: the fence that is open where it begins; in code "# " is a comment.
    """
    lines = []
    for line in text.splitlines():
        lines.append(line if inside or not _HEADING.match(line) else f"\n{_bold(line)}\n")
        inside = still_open(line, inside)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _bold(heading: str) -> str:
    """What is marked up already stays as it is."""
    said = heading.lstrip("#").strip().rstrip("#").rstrip()
    return f"**{said}**" if said and not _MARKED.search(said) else said


def _behind(text: str, mark: str) -> str:
    """A mark behind the last words. In a table's row it would be a cell too many, and a fence with it ends no code."""
    last = text[text.rfind("\n") + 1 :]
    return f"{text}\n\n{mark}" if _ROW.match(last) or FENCE.match(last) else f"{text} {mark}"


def _dots(text: str) -> str:
    """What stands for words that were left out before these."""
    return "…\n\n" if _ROW.match(text) or FENCE.match(text) else "… "
