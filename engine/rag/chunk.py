"""A Markdown page becomes chunks: neighbouring sections packed together, each chunk inside the embedding window.

The page is cut at its highest boundaries first: headings by level, then blocks, then list items and table rows
by depth. A part that fits stays whole, and whole neighbours share a chunk as long as that fits, too; so sections
meet under a common heading, and fences, rows and items are cut only when one alone is longer than the window.
Chunks are slices of the file: nothing is rewritten, and a citation can point at characters.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise, zip_longest
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from engine.ports import Tokens

VERSION: Final = "chunk-1"
"""Part of an index's record: pages that another version cut are cut again."""
WINDOW: Final = 256
SEPARATOR: Final = " › "
BLOCK: Final = 7                # headings are ranks 1 to 6; items and rows come after the blocks, by depth
WIDEST: Final = 8               # characters a token; past that it is no prose, and a tokenizer may take it for one word
LONGEST_HEADING: Final = 200    # characters that are kept of one

_FRONT: Final = re.compile(r"\A\ufeff?(---|\+\+\+)[ \t]*\r?\n(.*?)(?:^|\n)\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FIELD: Final = re.compile(r"^(\w[\w-]*)[ \t]*[:=][ \t]*(.*?)[ \t\r]*$", re.MULTILINE)
_LINE: Final = re.compile(r"\r\n?|\n")
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP: Final = re.compile(r"[`*]|~~")

Span = tuple[int, int]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """``text`` is ``page[start:end]``; ``anchor`` is the GitHub slug of the heading that it begins under."""

    text: str
    start: int
    end: int
    heading: str                # "Annual leave › Notice": the page's title and what its sections have in common
    anchor: str = ""

    @property
    def indexed(self) -> str:
        """What is embedded and searched: the heading path stands in front of the text."""
        return f"{self.heading}\n{self.text}"

    @property
    def hash(self) -> str:
        """SHA-256 of what is indexed, in hex."""
        return hashlib.sha256(self.indexed.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class _Section:
    start: int
    path: Path
    anchor: str
    filled: bool                # something stands between this heading and the next


def front_matter(text: str) -> tuple[Mapping[str, str], int]:
    """The plain ``name: value`` fields above a page, and the offset where the page begins."""
    found = _FRONT.match(text)
    if not found:
        return {}, 0
    fields = {m[1].lower(): m[2].strip("\"'") for m in _FIELD.finditer(found[2])}
    return fields, found.end()


def chunk(text: str, *, name: str, tokens: Tokens, window: int = WINDOW) -> tuple[Chunk, ...]:
    """All of a page, in order, in chunks of at most ``window`` tokens, heading path included.

    ``name`` is the title of a page that has none of its own.
    """
    return tuple(_Page(text, name, tokens, window).chunks())


def title(text: str, *, name: str) -> str:
    """From the front matter, else the first heading, else ``name``."""
    fields, begin = front_matter(text)
    return _title(fields, _outline(text, begin)[0], name)


@dataclass(slots=True)
class _Page:
    text: str
    name: str
    tokens: Tokens
    window: int
    begin: int = 0
    title: str = ""
    sections: Sequence[_Section] = ()
    starts: Sequence[int] = ()                                      # of the sections
    cuts: Sequence[tuple[int, int]] = ()                            # offset and rank, in order
    _headings: dict[Path, str] = field(default_factory=dict)

    def chunks(self) -> Iterator[Chunk]:
        fields, self.begin = front_matter(self.text)
        self.sections, self.cuts = _outline(self.text, self.begin)
        self.starts = [section.start for section in self.sections]
        self.title = _title(fields, self.sections, self.name)
        for span in self._pack(self.begin, len(self.text)):
            start, end = self._trimmed(*span)
            if start < end:
                yield Chunk(self.text[start:end], start, end, self._heading(start, end), self._anchor(start, end))

    def _pack(self, start: int, end: int) -> list[Span]:
        if self._fits(start, end):
            return [(start, end)]
        inside = self.cuts[bisect_right(self.cuts, (start, 99)) : bisect_left(self.cuts, (end, 0))]
        if not inside:
            return list(self._torn(start, end))
        highest = min(rank for _, rank in inside)
        edges = (start, *(offset for offset, rank in inside if rank == highest), end)
        return self._merged([self._pack(a, b) for a, b in pairwise(edges)])

    def _merged(self, parts: list[list[Span]]) -> list[Span]:
        """Neighbours that stayed whole share a chunk as long as it fits."""
        spans: list[Span] = []
        at = whole = 0
        while at < len(parts):
            whole = max(whole, at)
            while whole < len(parts) and len(parts[whole]) == 1:
                whole += 1
            if whole == at:
                spans.extend(parts[at])
                at += 1
                continue
            run = parts[at:whole]
            count = max(1, self._most(run[0][0][0], [part[0][1] for part in run]))
            spans.append((run[0][0][0], run[count - 1][0][1]))
            at += count
        return spans

    def _torn(self, start: int, end: int) -> Iterator[Span]:
        """A single block that is longer than the window: cut after lines, else sentences, else words."""
        while start < end:
            room = min(end, start + self.window * WIDEST)
            size = max(1, self._most(start, range(start + 1, room + 1)))
            stop = start + size
            if stop < end:
                tries = (self.text.rfind(mark, start + size // 4, stop) + len(mark) for mark in ("\n", ". ", " "))
                stop = next((at for at in tries if at > start + size // 4 and self._fits(start, at)), stop)
            yield start, stop
            start = stop

    def _most(self, start: int, ends: Sequence[int]) -> int:
        """How many of these ever later ends still fit."""
        return bisect_left(ends, True, key=lambda end: not self._fits(start, end))

    def _fits(self, start: int, end: int) -> bool:
        start, end = self._trimmed(start, end)
        if end - start > self.window * WIDEST:
            return False
        return self.tokens.count(f"{self._heading(start, end)}\n{self.text[start:end]}") <= self.window

    def _trimmed(self, start: int, end: int) -> Span:
        piece = self.text[start:min(end, start + 1)] + self.text[max(start, end - 1):end]
        if not piece or not (piece[0].isspace() or piece[-1].isspace()):
            return start, end
        whole = self.text[start:end]
        return start + len(whole) - len(whole.lstrip()), max(start, end - len(whole) + len(whole.rstrip()))

    def _under(self, start: int, end: int) -> list[_Section]:
        """The sections that this span has a part of; those that are a mere heading only when there are no others."""
        first = max(0, bisect_right(self.starts, start) - 1)
        touched = self.sections[first : max(first + 1, bisect_left(self.starts, end))]
        return [section for section in touched if section.filled] or list(touched)

    def _anchor(self, start: int, end: int) -> str:
        return self._under(start, end)[0].anchor

    def _heading(self, start: int, end: int) -> str:
        under = self._under(start, end)
        path = reduce(_common, (section.path for section in under))
        if path not in self._headings:
            self._headings[path] = self._short((self.title, *path) if path[:1] != (self.title,) else path)
        return self._headings[path]

    def _short(self, path: Path) -> str:
        """At most a third of the window: the nearest headings stay, and of the last one its beginning."""
        most = self.window // 3
        while len(path) > 1 and self.tokens.count(SEPARATOR.join(path)) > most:
            path = path[1:]
        heading = SEPARATOR.join(path)
        if self.tokens.count(heading) <= most:
            return heading
        sizes = range(1, len(heading) + 1)
        return heading[: bisect_left(sizes, True, key=lambda size: self.tokens.count(heading[:size]) > most)]


def _outline(text: str, begin: int) -> tuple[list[_Section], list[tuple[int, int]]]:
    """The sections of a page, and everywhere that it may be cut."""
    tokens = MarkdownIt("commonmark").enable("table").disable("inline").parse(text[begin:])
    lines = [begin, *(line.end() for line in _LINE.finditer(text, begin))]
    sections = [_Section(begin, (), "", filled=False)]
    stack: list[tuple[int, str]] = []
    slugs: dict[str, int] = {}
    cuts: dict[int, int] = {}
    glued = -1                  # what stands directly below a heading stays with it
    for token, following in zip_longest(tokens, tokens[1:]):
        if token.map is None:
            continue
        offset = lines[token.map[0]] if token.map[0] < len(lines) else len(text)
        if token.type == "heading_open" and token.level == 0:
            level = int(token.tag[1])
            heading = _plain(following.content if following else "")
            stack = [*(entry for entry in stack if entry[0] < level), (level, heading)]
            if sections[-1].filled:
                cuts[offset] = level
            sections.append(_Section(offset, tuple(words for _, words in stack), _slug(heading, slugs), filled=False))
            glued = -2
        elif token.type != "inline" and _rank(token) is not None:
            if glued == -2:
                glued = offset
            if not sections[-1].filled:
                last = sections[-1]
                sections[-1] = _Section(last.start, last.path, last.anchor, filled=True)
            if offset != glued:
                cuts.setdefault(offset, _rank(token) or BLOCK)
    return sections, sorted(cuts.items())


def _rank(token: Token) -> int | None:
    """Where this token may be cut off from what stands above it; None: nowhere."""
    if token.nesting < 0:
        return None
    if token.level == 0:
        return BLOCK
    if token.type in {"list_item_open", "tr_open"}:
        return BLOCK + token.level
    return None


def _title(fields: Mapping[str, str], sections: Sequence[_Section], name: str) -> str:
    first = next((section.path[-1] for section in sections if section.path and section.path[-1]), "")
    return (fields.get("title") or first or name)[:LONGEST_HEADING]


def _plain(heading: str) -> str:
    return _MARKUP.sub("", _LINK.sub(r"\1", heading[:LONGEST_HEADING])).strip()


def _slug(heading: str, seen: dict[str, int]) -> str:
    """As GitHub makes them: a repeated heading gets a number."""
    slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    times = seen[slug] = seen.get(slug, -1) + 1
    return f"{slug}-{times}" if times else slug


def _common(one: Path, other: Path) -> Path:
    size = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:size]
