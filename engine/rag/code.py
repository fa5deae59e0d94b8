"""Where source code may be cut: before functions and classes, then methods, then statements, then at blank lines."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Final

from engine.rag.outline import Cuts, Section

LARGEST: Final = 400_000        # characters that are parsed; what is larger is no source that a person wrote
SIGNATURE: Final = 160          # characters that are kept of one
STATEMENT: Final = 5            # rank of a cut inside a function, plus its depth; ranks from 9 on are too fine

_BLANK: Final = re.compile(r"\n(?:[ \t]*\r?\n)+(?=\S)")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+")
_NAMED: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def python(text: str) -> tuple[list[Section], Cuts]:
    """The functions and classes of a Python file as its sections; blocks for what does not parse."""
    if len(text) > LARGEST:
        return blocks(text)
    try:
        with warnings.catch_warnings(action="ignore"):      # an odd escape in their file is not our business
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return blocks(text)
    starts = _starts(text)
    sections = [Section(0, (), "", filled=True)]
    cuts: dict[int, int] = {}
    try:
        for node, path, depth in _walk(tree, (), 0):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            offset = starts[first - 1]
            named = isinstance(node, _NAMED)
            cuts.setdefault(offset, min(depth + 1, 4) if named else STATEMENT + depth if depth else 2)
            if named:
                sections.append(Section(offset, path, f"L{first}", filled=True))
    except RecursionError:
        return blocks(text)
    return sections, sorted(cuts.items())


def blocks(text: str) -> tuple[list[Section], Cuts]:
    """Any other language: what stands between blank lines, where the next line is not indented."""
    sections = [Section(0, (), "", filled=True)]
    cuts = [(gap.end(), 1) for gap in _BLANK.finditer(text)]
    line, at = 1, 0
    for offset, _ in cuts:
        line, at = line + text.count("\n", at, offset), offset
        sections.append(Section(offset, (), f"L{line}", filled=True))
    return sections, cuts


def words(text: str) -> str:
    """Identifiers as the words that they are made of: people ask for "late timecards", not ``is_late``."""
    return _CAMEL.sub(" ", text)


def _walk(node: ast.AST, path: tuple[str, ...], depth: int) -> Iterator[tuple[ast.stmt, tuple[str, ...], int]]:
    for child in getattr(node, "body", ()):
        inner = (*path, _signature(child)) if isinstance(child, _NAMED) else path
        if isinstance(child, ast.stmt):
            yield child, inner, depth
            yield from _walk(child, inner, depth + 1)


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    return f"def {node.name}({ast.unparse(node.args)})"[:SIGNATURE]


def _starts(text: str) -> list[int]:
    """Offsets of the lines as `ast` counts them."""
    return [0, *(line.end() for line in re.finditer(r"\r\n?|\n", text))]
