"""What every kind of document is cut by: its sections, and the places where it may be cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str, ...]
Cuts: TypeAlias = list[tuple[int, int]]
"""Offset and rank, in order: the lower the rank, the sooner a document is cut there."""


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading, or is one function."""

    start: int
    path: Path
    anchor: str
    filled: bool                # something stands between this heading and the next
