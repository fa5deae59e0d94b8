"""One piece of Markdown as blocks. Pure.

Everything that Markdown can say has a place: paragraphs, lists and quotes in rich text, code in its own font, a table
as one where the message has none yet, else in columns of letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from adapters.slack import blocks
from adapters.slack.blocks import Block, Element
from adapters.slack.mrkdwn import address, units
from adapters.slack.split import Piece
from engine.harmless import harmless

_WHOLE: Final = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_PART: Final = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("code")
_STYLES: Final = {"strong": "bold", "em": "italic", "s": "strike"}
_SITE: Final = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[^\W\d_]{2,})", re.IGNORECASE)
_NOT_IN_HEADER: Final = "<>&\n"
"""What a plain text object might obey, and what it cannot show."""
_MANY: Final = 20           # blocks of one piece
GAP: Final = "\n\n"
"""Between two paragraphs of one block."""


def converted(
    piece: Piece, references: dict[str, Any], *, limit: int = blocks.TEXT, tables: bool = True
) -> list[Block]:
    """The piece's blocks, whose strings come to at most ``limit`` units where its source does.

    An address that is linked again and again, by references, costs its length each time: links then give way to their
    labels. Of very many headings none gets a block of its own.
    """
    made = _Writer(tables).written(piece, references)
    heavy, many = blocks.weight(made) > limit, len(made) > _MANY
    if heavy or many:
        made = _Writer(tables, links=not heavy, apart=not many).written(piece, references)
    return made or ([blocks.rich([blocks.paragraph(blocks.words(piece.source.strip()))])] if piece.source.strip()
                    else [])


@dataclass(slots=True)
class _Writer:
    """Writes one piece, block by block."""

    tables: bool
    links: bool = True
    apart: bool = True          # headings and lines across have blocks of their own
    _blocks: list[Block] = field(default_factory=list)

    def written(self, piece: Piece, references: dict[str, Any]) -> list[Block]:
        """All of it."""
        parser = _WHOLE if piece.whole else _PART
        tree = SyntaxTreeNode(parser.parse(piece.markdown, {"references": dict(references)}))
        for node in tree.children:
            self._block(node)
        return self._blocks

    def _block(self, node: SyntaxTreeNode) -> None:
        match node.type:
            case "heading":
                self._heading(node)
            case "hr" if self.apart:
                self._blocks.append(blocks.divider())
            case "table":
                self._table(node)
            case _:
                self._say(self._rich(node))

    def _say(self, elements: Sequence[Element]) -> None:
        if not elements:
            return
        if self._blocks and self._blocks[-1]["type"] == "rich_text":
            join(self._blocks[-1], elements)
        else:
            self._blocks.append(blocks.rich(elements))

    def _heading(self, node: SyntaxTreeNode) -> None:
        spoken = text_of(elements := self._inline(node, bold=True))
        simple = all(e["type"] == "text" and "code" not in e.get("style", ()) for e in elements)
        fits = 0 < units(spoken) <= blocks.HEADER and not any(c in spoken for c in _NOT_IN_HEADER)
        if self.apart and simple and fits:
            self._blocks.append(blocks.header(spoken))
        elif elements:
            self._say([blocks.paragraph(elements)])

    def _rich(self, node: SyntaxTreeNode, indent: int = 0, *, border: bool = False) -> list[Element]:
        match node.type:
            case "bullet_list" | "ordered_list":
                return list(self._list(node, indent, border=border))
            case "fence" | "code_block":
                return [blocks.code(harmless(node.content).removesuffix("\n"), border=border)]
            case "blockquote":
                return list(self._quote(node, indent))
            case "table":
                return [blocks.code(aligned(self._rows(node)), border=border)]
            case "hr":
                return [blocks.paragraph(blocks.words("―" * 8))]
            case _:
                inline = self._inline(node, **({"bold": True} if node.type == "heading" else {}))
                return [blocks.paragraph(inline)] if inline else []

    def _list(self, node: SyntaxTreeNode, indent: int, *, border: bool) -> Iterator[Element]:
        """Items of one line each where they are; what stands deeper in an item follows it."""
        ordered = node.type == "ordered_list"
        held: list[Element] = []
        before = int(node.attrs.get("start", 1)) - 1 if ordered else 0
        for item in node.children:
            entry: list[Element] = []
            deeper: list[Element] = []
            for child in item.children:
                if child.type in ("paragraph", "heading") and not deeper:
                    entry += blocks.words("\n") * bool(entry) + self._inline(child)
                else:
                    deeper += self._rich(child, indent + 1, border=border)
            held.append(blocks.paragraph(entry))
            if deeper:
                yield blocks.items(held, ordered=ordered, indent=indent, offset=before, border=border)
                yield from deeper
                before, held = before + len(held), []
        if held:
            yield blocks.items(held, ordered=ordered, indent=indent, offset=before, border=border)

    def _quote(self, node: SyntaxTreeNode, indent: int) -> Iterator[Element]:
        """Paragraphs with a bar beside them; lists and code in the quote have the same bar."""
        held: list[Element] = []
        for child in node.children:
            for element in self._rich(child, indent, border=True):
                if element["type"] in ("rich_text_section", "rich_text_quote"):
                    held += blocks.words(GAP) * bool(held) + element["elements"]
                    continue
                if held:
                    yield blocks.quoted(held)
                    held = []
                yield element
        if held:
            yield blocks.quoted(held)

    def _table(self, node: SyntaxTreeNode) -> None:
        rows = self._rows(node)
        fits = len(rows) <= blocks.ROWS and max(map(len, rows)) <= blocks.COLUMNS
        if not (fits and self.tables):
            self._say([blocks.code(aligned(rows))])
            return
        first = next(n for n in node.walk() if n.type == "tr")
        align = [str(cell.attrs.get("style", "")).removeprefix("text-align:") or "left" for cell in first.children]
        self._blocks.append(blocks.table(rows, align))
        self.tables = False

    def _rows(self, node: SyntaxTreeNode) -> list[list[list[Element]]]:
        return [
            [self._inline(cell, **({"bold": True} if cell.type == "th" else {})) for cell in row.children]
            for row in node.walk() if row.type == "tr"
        ]

    def _inline(self, node: SyntaxTreeNode, **style: bool) -> list[Element]:
        """The words of a paragraph, a heading or a cell."""
        return [element for child in node.children for element in self._spans(child, style)]

    def _spans(self, node: SyntaxTreeNode, style: dict[str, bool]) -> list[Element]:
        match node.type:
            case "softbreak" | "hardbreak":
                return blocks.words("\n")
            case "code_inline":
                return blocks.words(harmless(node.content), **style, code=True)
            case "link" | "image":
                return self._link(node, style)
            case "text" | "html_inline" | "html_block":
                return blocks.words(harmless(node.content), **style)
            case _:
                inner = {**style, _STYLES[node.type]: True} if node.type in _STYLES else style
                return [element for child in node.children for element in self._spans(child, inner)]

    def _link(self, node: SyntaxTreeNode, style: dict[str, bool]) -> list[Element]:
        """A link says where it leads when its label would have one think of another site. An image is not fetched."""
        there = address(str(node.attrs.get("href" if node.type == "link" else "src", "")))
        inner = [element for child in node.children for element in self._spans(child, style)]
        if not there or not self.links:
            return inner
        label = text_of(inner)
        host = urlsplit(there).hostname or ""
        named = [site.lower() for site in _SITE.findall(label)]
        if any(site != host and not host.endswith(f".{site}") for site in named):
            label = f"{label} ({host})"
        return blocks.linked(there, label, **style)


def join(block: Block, elements: Sequence[Element]) -> None:
    """Puts more into a block of rich text, with an empty line between paragraphs."""
    there = block["elements"]
    for element in elements:
        if element["type"] == there[-1]["type"] == "rich_text_section":
            there[-1]["elements"] += [*blocks.words(GAP), *element["elements"]]
        else:
            there.append(element)


def text_of(elements: Sequence[Element]) -> str:
    """The words alone."""
    return "".join(element["text"] for element in elements)


def aligned(rows: Sequence[Sequence[Sequence[Element]]]) -> str:
    """A table in letters of one width: in columns where that is not too long, else with bars between the cells."""
    texts = [[text_of(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(map(_columns, column)) for column in zip(*texts, strict=True)]
    lines = ["  ".join(t + " " * (w - _columns(t)) for t, w in zip(row, widths, strict=True)).rstrip() for row in texts]
    if sum(map(units, lines)) <= blocks.TEXT // 2:
        return "\n".join([lines[0], "  ".join("-" * max(1, w) for w in widths), *lines[1:]])
    return "\n".join("|".join(row) for row in texts)


def _columns(text: str) -> int:
    """Columns that it takes up in letters of one width."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
