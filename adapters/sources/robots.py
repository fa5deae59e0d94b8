"""What a host's robots.txt closes, as RFC 9309 reads it; pure.

The longest rule that fits a path decides, and of two as long the one that opens it; ``*`` stands for anything, and
``$`` at the end for the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

MOST_RULES: Final = 5_000
EVERYBODY: Final = "*"
_PRODUCT: Final = re.compile(r"[A-Za-z_-]+|\*")
_KEPT: Final = "!$&'()*+,;=:@/?%~"      # what stands in a path as it is; all else is compared as its percent signs
_ESCAPED: Final = re.compile(r"%[0-9a-fA-F]{2}")


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules for one robot, the longest first: a pattern, and whether it opens what it fits."""

    rules: tuple[tuple[str, bool], ...] = ()

    def allows(self, address: str) -> bool:
        """Whether that may be asked for."""
        parts = urlsplit(address)
        path = _same(f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}")
        return next((opens for pattern, opens in self.rules if _fits(pattern, path)), True)


def read(text: str, robot: str) -> Robots:
    """The groups for this robot together; where there is none, those for everybody."""
    groups: dict[str, list[tuple[str, bool]]] = {}      # of no more than these two
    wanted = {robot.lower(), EVERYBODY}
    named: set[str] = set()
    begun = False               # a rule after a name ends the names of a group
    for line in text.removeprefix("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            named, begun = (set() if begun else named), False
            if (found := _PRODUCT.match(value)) and found[0].lower() in wanted:
                named.add(found[0].lower())
                groups.setdefault(found[0].lower(), [])
        elif key in {"allow", "disallow"}:
            begun = True
            if value:
                for name in named:
                    if len(groups[name]) < MOST_RULES:
                        groups[name].append((_same(value), key == "allow"))
    rules = groups.get(robot.lower(), groups.get(EVERYBODY, []))
    return Robots(tuple(sorted(rules, key=lambda rule: (-len(rule[0]), not rule[1]))))


def _fits(pattern: str, path: str) -> bool:
    """Each part between stars is looked for once, from the left: no pattern takes longer than a look at the path."""
    whole = pattern.endswith("$")
    first, *parts = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    last = parts.pop() if parts and whole else None
    at = len(first)
    for part in parts:
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    if last is not None:
        return path.endswith(last) and len(path) - len(last) >= at
    return not whole or at == len(path)


def _same(said: str) -> str:
    """However its signs are escaped."""
    return _ESCAPED.sub(lambda found: _unescaped(found[0]), quote(said, safe=_KEPT))


def _unescaped(found: str) -> str:
    sign = chr(int(found[1:], 16))
    return sign if sign.isascii() and (sign.isalnum() or sign in "-._~") else found.upper()

