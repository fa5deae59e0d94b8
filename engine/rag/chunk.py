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
from typing import Final, Literal, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

from engine.ports import Tokens
from engine.rag import code
from engine.rag.clean import MASK, masked, plain, shown
from engine.rag.outline import Cuts, Path, Section

VERSION: Final = "chunk-7"
"""Part of an index's record: pages that another version cut are cut again."""
WINDOW: Final = 128             # tokens of a part, which has a vector of its own
"""Chosen on one company's pages. On the manuals and rules of four free software projects (265 questions) parts of 256
tokens are as good: nDCG@10 0.5 higher, [-2.0, 2.9], hit@5 2.6 higher, [-0.4, 5.7], the right file as often.
"""
SIZE: Final = 512               # tokens of a chunk: with parts, the best of 256, 384 and 512
TALK: Final = 16                # messages of a window; half as many, or twice, find less
WORDS: Final = 390              # of a chunk, counted by its blanks: what a reader, or a model, gets at most
SEPARATOR: Final = " › "
BLOCK: Final = 7                # headings are ranks 1 to 6; items and rows come after the blocks, by depth
WIDEST: Final = 8               # characters a token; past that it is no prose, and a tokenizer may take it for one word
LONGEST_HEADING: Final = 200    # characters that are kept of one

_FRONT: Final = re.compile(r"\A\ufeff?(---|\+\+\+)[ \t]*\r?\n(.*?)(?:^|\n)\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FIELD: Final = re.compile(r"^(\w[\w-]*)[ \t]*[:=][ \t]*(.*?)[ \t\r]*$", re.MULTILINE)
_NAMED: Final = re.compile(r"\{[^{}\n]{0,200}?#([\w.:-]{1,100})[^{}\n]{0,200}\}[ \t#]*\r?$")
_EMPTY: Final = re.compile(r"\n[ \t]*\n\s*(?=\S)")
_LINE: Final = re.compile(r"\r\n?|\n")
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP: Final = re.compile(r"[`*]|~~")

Span: TypeAlias = tuple[int, int]
Kind: TypeAlias = Literal["markdown", "pages", "python", "code", "chat", "text"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """``text`` is ``page[start:end]``; ``anchor`` is the GitHub slug of the heading that it begins under."""

    text: str
    start: int
    end: int
    heading: str                # "Annual leave › Notice": the page's title and what its sections have in common
    anchor: str = ""
    anchors: tuple[tuple[int, str], ...] = ()       # where in ``text`` its sections begin, and their slugs
    parts: tuple[str, ...] = ()                     # what is embedded: each fits the window, heading path included
    indexed: str = ""                               # what is searched by words, heading path included

    @property
    def hash(self) -> str:
        """SHA-256 of what is indexed, in hex."""
        return hashlib.sha256("\0".join((self.indexed, *self.parts)).encode("utf-8", "surrogatepass")).hexdigest()


def front_matter(text: str) -> tuple[Mapping[str, str], int]:
    """The plain ``name: value`` fields above a page, and the offset where the page begins."""
    found = _FRONT.match(text)
    if not found:
        return {}, int(text.startswith("\ufeff"))       # or it would hide the first heading
    fields = {m[1].lower(): m[2].strip("\"'") for m in _FIELD.finditer(found[2])}
    return fields, found.end()


def chunk(
    text: str, *, name: str, tokens: Tokens, window: int = WINDOW, size: int = SIZE, kind: Kind = "markdown"
) -> tuple[Chunk, ...]:
    """All of a page, in order, in chunks of at most ``size`` tokens, heading path included.

    ``window`` is what the embedding model sees; a longer chunk has several ``parts``. ``name`` is the title of a
    page that has none of its own.
    """
    return tuple(_Page(text, name, tokens, window, size, kind).chunks())


@dataclass(slots=True)
class _Page:
    text: str
    name: str
    tokens: Tokens
    window: int
    size: int
    kind: Kind
    raw: str = ""               # the text before masking, of the same length
    begin: int = 0
    title: str = ""
    sections: Sequence[Section] = ()
    starts: Sequence[int] = ()                                      # of the sections
    cuts: Cuts = field(default_factory=list)
    _headings: dict[Path, str] = field(default_factory=dict)
    _counts: dict[Span, int] = field(default_factory=dict)

    def chunks(self) -> Iterator[Chunk]:
        if self.kind == "chat":
            self.sections, self.cuts = [Section(0, (), "", filled=True)], messages(self.text)
            self.title = self.name
        elif self.kind in {"python", "code"}:
            self.sections, self.cuts = (code.python if self.kind == "python" else code.blocks)(self.text)
            self.title = self.name
        else:
            fields, self.begin = front_matter(self.text)
            self.raw, self.text = self.text, masked(self.text)
            self.sections, self.cuts = _outline(self.text, self.begin, self.raw)
            self.title = self.name if self.kind == "pages" else _title(fields, self.sections, self.name)
        self.starts = [section.start for section in self.sections]
        for span in self._windows() if self.kind == "chat" else self._pack(self.begin, len(self.text), self.size):
            start, end = self._trimmed(*span)
            text = shown(self.text[start:end])
            if text.strip():
                yield Chunk(text, start, end, self._heading(start, end), self._anchor(start, end),
                            tuple(self._anchors(start, end)), tuple(self._parts(start, end)), self._indexed(start, end))

    def _windows(self) -> Iterator[Span]:
        """`TALK` messages at a time, or as many as there is room for; each window shares half with the one before."""
        edges = [0, *(at for at, _ in self.cuts), len(self.text)]
        first = 0
        while first < len(edges) - 1:
            last = min(first + TALK, len(edges) - 1)
            while last > first + 1 and not self._fits(edges[first], edges[last], self.size):
                last -= 1
            yield from self._pack(edges[first], edges[last], self.size)
            if last == len(edges) - 1:
                return
            first += max(1, (last - first) // 2)

    def _parts(self, start: int, end: int) -> Iterator[str]:
        """A part has the heading path of its own sections, which may go deeper than the chunk's."""
        for one, other in self._pack(start, end, self.window):
            yield self._indexed(*self._trimmed(one, other))

    def _indexed(self, start: int, end: int) -> str:
        return f"{self._heading(start, end)}\n{self._words(self.text[start:end])}"

    def _words(self, text: str) -> str:
        return code.words(text) if self.kind in {"python", "code"} else plain(text)

    def _pack(self, start: int, end: int, window: int) -> list[Span]:
        if self._fits(start, end, window):
            return [(start, end)]
        inside = self.cuts[bisect_right(self.cuts, (start, 99)) : bisect_left(self.cuts, (end, 0))]
        if not inside:
            return list(self._torn(start, end, window))
        highest = min(rank for _, rank in inside)
        edges = (start, *(offset for offset, rank in inside if rank == highest), end)
        return self._merged([self._pack(a, b, window) for a, b in pairwise(edges)], window)

    def _merged(self, parts: list[list[Span]], window: int) -> list[Span]:
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
            count = max(1, self._most(run[0][0][0], [part[0][1] for part in run], window))
            spans.append((run[0][0][0], run[count - 1][0][1]))
            at += count
        return spans

    def _torn(self, start: int, end: int, window: int) -> Iterator[Span]:
        """A single block that is longer than the window: cut after lines, else sentences, else words."""
        while start < end:
            room = min(end, start + window * WIDEST)
            size = max(1, self._most(start, range(start + 1, room + 1), window))
            stop = start + size
            if stop < end:
                tries = (self.text.rfind(mark, start + size // 4, stop) + len(mark) for mark in ("\n", ". ", " "))
                stop = next((at for at in tries if at > start + size // 4 and self._fits(start, at, window)), stop)
            yield start, stop
            start = stop

    def _most(self, start: int, ends: Sequence[int], window: int) -> int:
        """How many of these ever later ends still fit."""
        return bisect_left(ends, True, key=lambda end: not self._fits(start, end, window))

    def _fits(self, start: int, end: int, window: int) -> bool:
        start, end = self._trimmed(start, end)
        if end - start > window * WIDEST or len((self.raw or self.text)[start:end].split()) > WORDS:
            return False
        if (start, end) not in self._counts:    # a quarter of all spans is tried twice, and counting is the cost
            self._counts[start, end] = self.tokens.count(self._indexed(start, end))
        return self._counts[start, end] <= window

    def _trimmed(self, start: int, end: int) -> Span:
        piece = self.text[start:min(end, start + 1)] + self.text[max(start, end - 1):end]
        if not piece or not (piece[0].isspace() or piece[-1].isspace()):
            return start, end
        whole = self.text[start:end]
        return start + len(whole) - len(whole.lstrip()), max(start, end - len(whole) + len(whole.rstrip()))

    def _under(self, start: int, end: int) -> list[Section]:
        """The sections that this span has a part of; those that are a mere heading only when there are no others."""
        first = max(0, bisect_right(self.starts, start) - 1)
        touched = self.sections[first : max(first + 1, bisect_left(self.starts, end))]
        return [section for section in touched if section.filled] or list(touched)

    def _anchor(self, start: int, end: int) -> str:
        return self._under(start, end)[0].anchor

    def _anchors(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        for section in self._under(start, end):
            at = max(section.start, start)
            yield len(shown(self.text[start:at])), section.anchor

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


def messages(text: str) -> Cuts:
    """Where the messages of a conversation begin, after the first: an empty line stands between them."""
    return [(gap.end(), BLOCK) for gap in _EMPTY.finditer(text)]


def _outline(text: str, begin: int, raw: str) -> tuple[list[Section], Cuts]:
    """The sections of a page, and everywhere that it may be cut. ``raw``: with what names its headings' anchors."""
    tokens = MarkdownIt("commonmark").enable("table").disable("inline").parse(text[begin:])
    lines = [begin, *(line.end() for line in _LINE.finditer(text, begin))]
    sections = [Section(begin, (), "", filled=False)]
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
            end = raw.find("\n", offset)
            named = _NAMED.search(raw, offset, end if end >= 0 else len(raw))
            anchor = named[1] if named and MASK in text[slice(*named.span())] else _slug(heading, slugs)
            sections.append(Section(offset, tuple(words for _, words in stack), anchor, filled=False))
            glued = -2
        elif token.type != "inline" and _rank(token) is not None:
            if glued == -2:
                glued = offset
            if not sections[-1].filled:
                last = sections[-1]
                sections[-1] = Section(last.start, last.path, last.anchor, filled=True)
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


def _title(fields: Mapping[str, str], sections: Sequence[Section], name: str) -> str:
    """From the front matter, else the first heading, else ``name``."""
    first = next((section.path[-1] for section in sections if section.path and section.path[-1]), "")
    return (fields.get("title") or first or name)[:LONGEST_HEADING]


def _plain(heading: str) -> str:
    return " ".join(_MARKUP.sub("", _LINK.sub(r"\1", shown(heading[:LONGEST_HEADING]))).split())


def _slug(heading: str, seen: dict[str, int]) -> str:
    """As GitHub makes them: a repeated heading gets a number."""
    slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    times = seen[slug] = seen.get(slug, -1) + 1
    return f"{slug}-{times}" if times else slug


def _common(one: Path, other: Path) -> Path:
    size = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:size]
