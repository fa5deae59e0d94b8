"""A long Markdown text in pieces, each of which can be rendered by itself. Pure, and nothing is lost.

Pieces end between blocks where they can, else between lines, sentences, words and characters, in this order. Code that
goes on in the next piece is closed at the end of one and opened again in the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.slack.mrkdwn import boundary, reach, units

_BLOCKS: Final = MarkdownIt("commonmark", {"html": False}).enable("table").disable("inline")
_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+$")
_OPENER: Final = re.compile(r"(?P<margin>[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<fence>`{3,}|~{3,})[^\n]*")
_ITEM: Final = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_MARKER: Final = re.compile(r"(?:[-*+]|\d{1,9}[.)])")
_TICKS: Final = re.compile(r"`{3,}")
_SENTENCE: Final = re.compile(r"(?<=[.!?…])[ \t]+|(?<=[。！？])")
LONGEST_OPENER: Final = 80
"""Characters before and in a fence that is opened again; it stands in every piece that its code fills."""
_BLANK: Final = re.compile(r"[ \t]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text. ``markdown`` shows the same and stands alone; ``whole``: it is complete blocks."""

    source: str
    markdown: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Pieces:
    """All of a text: the sources of the pieces together are the text. ``references``: what its links may refer to."""

    pieces: tuple[Piece, ...]
    references: dict[str, Any]


def split(text: str, limit: int) -> Pieces:
    """Pieces of whole blocks where these fit, of at most ``limit`` UTF-16 units. The text has no ``\\r`` in it."""
    environment: dict[str, Any] = {}
    lines = _LINES.findall(text)
    tokens = [t for t in _BLOCKS.parse(text, environment) if t.level == 0 and t.map and t.nesting >= 0]
    starts = [0, *(token.map[0] for token in tokens[1:] if token.map), len(lines)] if tokens else [0, len(lines)]
    pieces: list[Piece] = []
    held: list[str] = []        # blocks that may still be joined by the next one
    size = 0
    for n in range(len(starts) - 1):
        token = tokens[n] if tokens else None
        begin = token.map[0] if token and token.map else starts[n]
        block = lines[starts[n] : starts[n + 1]]
        more = sum(map(units, block))
        if held and size + more > limit:
            pieces.append(_whole(held))
            held, size = [], 0
        if more <= limit:
            held += block
            size += more
        else:
            pieces += _pieces(token, block, begin - starts[n], limit)
    if held:
        pieces.append(_whole(held))
    return Pieces(tuple(pieces), environment.get("references", {}))


def _whole(lines: Sequence[str]) -> Piece:
    source = "".join(lines)
    return Piece(source, source)


def _pieces(token: Token | None, lines: Sequence[str], lead: int, limit: int) -> Iterator[Piece]:
    """Those of a block that is too long for one. ``lead``: how many of its lines stand before it begins."""
    if token is not None and token.type == "fence":
        yield from _code(token, lines, lead + 1, limit)
    elif token is not None and token.type == "code_block":
        yield from _code(token, lines, lead, limit)
    else:
        head = "".join(lines[lead : lead + 2]) if token is not None and token.type == "table_open" else ""
        yield from _cut(lines, limit, head if units(head) < limit // 2 else "")


def _code(token: Token, lines: Sequence[str], first: int, limit: int) -> Iterator[Piece]:
    """Code, some lines at a time, each time within a fence of its own."""
    content = _LINES.findall(token.content)
    opening, body, closing = lines[:first], lines[first : first + len(content)], lines[first + len(content) :]
    if units("".join(opening)) > limit // 2:
        yield from _cut(lines, limit, "")
        return
    info = token.info.strip().split(" ")[0][:40]
    source, code = "".join(opening), ""
    for written, shown in zip(body, content, strict=False):
        margin = written[: len(written) - len(shown)] if written.endswith(shown) else ""
        for n, part in enumerate(_stretches(shown if margin or written == shown else written, limit)):
            if code and units(code) + units(part) > limit:
                yield Piece(source, _fenced(code, info))
                source, code = "", ""
            source += (margin if n == 0 else "") + part
            code += part
    rest = "".join(closing)
    if units(rest) > limit:     # blank lines without end
        yield Piece(source, _fenced(code, info))
        yield from _cut(closing, limit, "")
    else:
        yield Piece(source + rest, _fenced(code, info))


def _fenced(code: str, info: str) -> str:
    ticks = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(code)), default=0))
    return f"{ticks}{info}\n{code.removesuffix(chr(10))}\n{ticks}\n"


def _stretches(text: str, limit: int) -> Iterator[str]:
    """A line in stretches within the limit, cut after a sentence, a word, or at least a character."""
    while units(text) > limit:
        end = reach(text, limit)
        at = max((gap.end() for gap in _SENTENCE.finditer(text, end // 2, end)), default=0)
        at = at or max((gap.end() for gap in _BLANK.finditer(text, end // 2, end)), default=0)
        at = at or boundary(text, end) or end
        yield text[:at]
        text = text[at:]
    if text:
        yield text


def _cut(lines: Sequence[str], limit: int, head: str) -> Iterator[Piece]:
    """Anything else, some lines at a time. ``head`` is shown on top of each piece but the first: a table's."""
    held: list[str] = []
    size, fence, first = 0, "", True
    room = limit - units(head)
    for written in lines:
        for part in _stretches(written, room):
            if held and size + units(part) > room:
                at = _pause(held)
                piece, fence = _shown(held[:at], fence, head if not first else "")
                yield piece
                held, first = held[at:], False
                size = sum(map(units, held))
                if held and size + units(part) > room:
                    piece, fence = _shown(held, fence, head)
                    yield piece
                    held, size = [], 0
            held.append(part)
            size += units(part)
    if held:
        yield _shown(held, fence, head if not first else "")[0]


def _pause(held: Sequence[str]) -> int:
    """Before which line it is best to stop: an item or what follows a blank line, if one is in the second half."""
    for at in range(len(held) - 1, len(held) // 2, -1):
        if _ITEM.match(held[at]) or not held[at - 1].strip():
            return at
    return len(held)


def _shown(lines: Sequence[str], fence: str, head: str) -> tuple[Piece, str]:
    """A piece, and the line that opened a fence which is still open at its end."""
    source = "".join(lines)
    opened = fence
    for each in lines:
        opened = _after(each, opened)
    markdown = head + fence + source
    if opened and (found := _OPENER.match(opened)):
        ended = markdown if markdown.endswith("\n") else markdown + "\n"
        markdown = f"{ended}{found['margin']}{found['fence']}\n"
    return Piece(source, markdown, whole=False), opened


def _after(each: str, opened: str) -> str:
    """The opening line of the fence that we are in after this line; empty: in none."""
    found = _OPENER.match(each)
    if found is None or found.end("fence") > LONGEST_OPENER:
        return opened
    before = _OPENER.match(opened)
    if before is None:
        margin = _MARKER.sub(lambda marker: " " * len(marker[0]), found["margin"])
        return f"{margin}{found['fence']}\n"
    closes = found["fence"].startswith(before["fence"]) and not each[found.end("fence") :].strip()
    return "" if closes else opened
