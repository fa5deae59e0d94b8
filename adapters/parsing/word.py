"""A Word document as Markdown: headings, paragraphs, lists and tables, in order.

Its words stand where the library's own walk does not go, too: in the fields of a template (`sdt`), in what somebody
inserted and nobody has accepted yet, in text boxes. What was deleted or moved away is not said. Runs in
`adapters.parsing.child` only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from adapters.parsing.markup import table

DEEPEST: Final = 8              # levels of a list
_WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_AROUND: Final = frozenset(f"{_WORD}{name}" for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo"))
_ELSEWHERE: Final = frozenset({
    f"{_WORD}del", f"{_WORD}moveFrom", f"{_WORD}instrText",
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",    # what stands in its Choice, again
})
_SIGNS: Final = {f"{_WORD}tab": " ", f"{_WORD}br": "\n", f"{_WORD}cr": "\n", f"{_WORD}noBreakHyphen": "-"}
_BLANKS: Final = re.compile(r"[ \t\xa0]+")


def markdown(document: Any) -> str:
    """All of it. ``document``: of python-docx."""
    blocks: list[str] = []
    styles = {each.style_id: each.name or "" for each in document.styles}
    for node in _inside(document.element.body):
        if node.tag == f"{_WORD}p":
            blocks += _paragraph(node, styles.get(node.style, ""))
        elif node.tag == f"{_WORD}tbl":
            blocks.append(_table(node))
    return "\n\n".join(block for block in blocks if block)


def _inside(node: Any) -> Iterator[Any]:
    """The paragraphs, tables, rows or cells in it, without what only stands around them."""
    waiting = list(reversed(node))
    while waiting:
        child = waiting.pop()
        if child.tag in _AROUND:
            waiting += reversed(child)
        else:
            yield child


def _words(node: Any) -> str:
    """Of a paragraph or a cell, with what stands in it."""
    said: list[str] = []
    waiting = list(reversed(node))
    while waiting:
        child = waiting.pop()
        if child.tag == f"{_WORD}t":
            said.append(child.text or "")
        elif child.tag in _SIGNS:
            said.append(_SIGNS[child.tag])
        elif child.tag not in _ELSEWHERE and child.tag != f"{_WORD}pPr":
            said += ["\n"] if child.tag == f"{_WORD}p" else []      # of a text box, or of a cell
            waiting += reversed(child)
    return _BLANKS.sub(" ", "".join(said)).strip()


def _paragraph(node: Any, style: str) -> list[str]:
    words = _words(node)
    if not words:
        return []
    if style == "Title":
        return [f"# {words}"]
    if level := re.fullmatch(r"Heading ([1-6])", style):
        return [f"{'#' * int(level[1])} {words}"]
    depth = _depth(node, style)
    return [words if depth is None else f"{'  ' * depth}- {words}"]


def _depth(node: Any, style: str) -> int | None:
    """How deep in a list it stands, by itself or by its style ("List Bullet 2"); None: in none."""
    numbered = node.find(f"{_WORD}pPr/{_WORD}numPr")
    if numbered is None:
        listed = re.match(r"List\b(?:.* ([2-9])$)?", style)
        return int(listed[1] or 1) - 1 if listed else None
    level, kind = numbered.find(f"{_WORD}ilvl"), numbered.find(f"{_WORD}numId")
    if kind is not None and kind.get(f"{_WORD}val") == "0":         # taken out of the list of its style
        return None
    said = level.get(f"{_WORD}val", "") if level is not None else ""
    return min(DEEPEST, int(said)) if said.isdecimal() else 0


def _table(node: Any) -> str:
    rows: list[list[str]] = []
    for row in _inside(node):
        if row.tag != f"{_WORD}tr":
            continue
        cells: list[str] = []
        for cell in _inside(row):
            if cell.tag != f"{_WORD}tc":
                continue
            cells += [_above(rows, len(cells)) if _goes_on(cell) else _cell(cell), *[""] * (_span(cell) - 1)]
        rows.append(cells)
    return table(rows)


def _cell(node: Any) -> str:
    """On one line, with the tables in it."""
    return " ".join(_words(node).split())


def _above(rows: list[list[str]], column: int) -> str:
    """A cell that reaches over several rows is said in each, so that each can be read alone."""
    return rows[-1][column] if rows and column < len(rows[-1]) else ""


def _goes_on(cell: Any) -> bool:
    merged = cell.find(f"{_WORD}tcPr/{_WORD}vMerge")
    return merged is not None and merged.get(f"{_WORD}val", "continue") == "continue"


def _span(cell: Any) -> int:
    said = cell.find(f"{_WORD}tcPr/{_WORD}gridSpan")
    width = said.get(f"{_WORD}val", "") if said is not None else ""
    return min(40, int(width)) if width.isdecimal() and int(width) > 0 else 1
