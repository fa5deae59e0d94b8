"""YAML with the line of every key, and without what a policy has no use for: aliases, tags, doubled keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

import yaml

Path: TypeAlias = tuple[str | int, ...]
"""``("scopes", 0, "channel")``."""
MAX_SIZE: Final = 1 << 20
"""Characters of a document."""
MAX_DEPTH: Final = 24
_PLAIN: Final = "tag:yaml.org,2002:"
_READ: Final = frozenset(_PLAIN + kind for kind in ("str", "int", "float", "bool", "null", "map", "seq"))
_AS_TEXT: Final = frozenset(_PLAIN + kind for kind in ("timestamp", "value"))


@dataclass(slots=True)
class Document:
    """What a text says: values, the line on which each begins (from 1), and what cannot be read of it."""

    value: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[int, Path, str]] = field(default_factory=list)


def read(text: str) -> Document:
    """Everything that is wrong is told at once, as far as the rest can still be made out."""
    document = Document()
    if len(text) > MAX_SIZE:
        document.problems.append((1, (), f"longer than {MAX_SIZE:,} characters"))
        return document
    try:
        if _fit(text, document):
            node = yaml.compose(text, Loader=yaml.CSafeLoader)
            if node is not None:
                document.value = _value(node, (), document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        document.problems.append((mark.line + 1 if mark else 1, (), f"not YAML: {error.problem or error.context}"))
    except yaml.YAMLError as error:         # a character that no YAML holds
        document.problems.append((_line_of(text, error), (), "not YAML: a character that is not allowed"))
    return document


def _line_of(text: str, error: yaml.YAMLError) -> int:
    position = getattr(error, "position", 0)
    return text[: position if isinstance(position, int) else 0].count("\n") + 1


def _fit(text: str, document: Document) -> bool:
    """Whether it may be composed: the parser's own recursion has no bottom."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            document.problems.append((line, (), "aliases (*name) are not read here: write it out"))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                document.problems.append((line, (), f"nested more than {MAX_DEPTH} deep"))
                return False
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
    return not document.problems


def _value(node: yaml.Node, at: Path, document: Document) -> object:
    document.lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, at, document)
    if isinstance(node, yaml.SequenceNode):
        return [_value(inner, (*at, place), document) for place, inner in enumerate(node.value)]
    if node.tag in _AS_TEXT:
        return node.value
    if node.tag not in _READ:
        document.problems.append((node.start_mark.line + 1, at, "tags (!name) are not read here"))
        return None
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (ValueError, OverflowError, yaml.YAMLError):
        document.problems.append((node.start_mark.line + 1, at, "not a number"))
        return None


def _mapping(node: yaml.MappingNode, at: Path, document: Document) -> dict[str, object]:
    mapping: dict[str, object] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            document.problems.append((line, at, "a key is a word"))
            continue
        name = str(key.value)                # "no" and "on" are languages and words here, not truth values
        if name in mapping:
            first = document.lines[*at, name]
            document.problems.append((line, (*at, name), f"stands here twice; first on line {first}"))
            continue
        document.lines[*at, name] = line
        mapping[name] = _value(value, (*at, name), document)
    return mapping
