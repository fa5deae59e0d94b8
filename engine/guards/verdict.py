"""What a guard can say. ``also``: what rules in shadow would have done about the same text, for the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Allow:
    """Nothing found."""

    action = "allow"
    rule: str = ""
    category: str = ""
    score: float | None = None
    also: tuple[Allow, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """Goes on, and the outbound side looks at it more closely."""

    action = "flag"
    rule: str
    category: str
    score: float | None = None
    also: tuple[Allow, ...] = ()


@dataclass(frozen=True, slots=True)
class Mask:
    """Goes on as ``text``: the same, with what must not travel taken out."""

    action = "mask"
    text: str
    rule: str
    category: str
    score: float | None = None
    also: tuple[Allow, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """Stops here; ``reply`` is for the person and never repeats what was matched."""

    action = "refuse"
    rule: str
    category: str
    reply: str
    score: float | None = None
    also: tuple[Allow, ...] = ()


@dataclass(frozen=True, slots=True)
class Reroute:
    """Not our refusal: ask another model family."""

    action = "reroute"
    rule: str
    category: str
    score: float | None = None
    also: tuple[Allow, ...] = ()


SHADOW: Final = "shadow:"
"""Before the rule of an `Allow` that would have been something else."""
Verdict: TypeAlias = Allow | Flag | Mask | Refuse | Reroute
