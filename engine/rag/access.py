"""Who may read what: the allow-lists of all documents, held against everyone who will read a reply.

Deny by default: a list without labels is for nobody, a label that nobody holds opens nothing, an audience without
members may read nothing, and what is not a label at all is worth nothing. The audience is judged member by member:
that each holds *one* of a list's labels does not mean that they share any.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from engine.messages import ORG, Audience, Labels, Member

K = TypeVar("K")
KINDS: Final = ("user:", "group:", "channel:")
LONGEST: Final = 512            # characters of a label
KEPT: Final = 64                # rooms whose lists are remembered until there is another list


def is_label(text: str) -> bool:
    """``user:<person>``, ``group:<name>``, ``channel:<id>`` or ``org``, printable and without blanks around it."""
    if text == ORG:
        return True
    kind = next((kind for kind in KINDS if text.startswith(kind)), None)
    name = text[len(kind):] if kind else ""
    return bool(name) and len(text) <= LONGEST and name == name.strip() and name.isprintable()


def labels(texts: Iterable[str]) -> Labels:
    """Those of these that are labels. Anything else matches nobody, so it is left out."""
    return frozenset(text for text in texts if is_label(text))


def passing(lists: Mapping[K, Labels], audience: Audience) -> frozenset[K]:
    """The keys of the lists that every single member passes; the same as asking `Audience.may_read` of each.

    One bit a member: a list passes when the holders of its labels are everyone. Takes a step for each label that
    somebody holds or a list names, where asking one by one takes a step for each member *and* list.
    """
    if len(audience.members) == 1:      # a direct message: no need to count heads
        held = audience.members[0].held | audience.here
        return frozenset(key for key, acl in lists.items() if not held.isdisjoint(acl))
    everyone = (1 << len(audience.members)) - 1
    if not everyone:
        return frozenset()
    holders = _holders(audience.members, frozenset().union(*lists.values()))
    here = audience.here
    return frozenset(
        key for key, acl in lists.items() if not here.isdisjoint(acl) or _together(acl, holders) == everyone)


@dataclass(slots=True)
class Lists(Generic[K]):
    """The distinct allow-lists of an index, held against one audience after the other."""

    _all: dict[K, Labels] = field(default_factory=dict)
    _naming: dict[str, list[K]] = field(default_factory=dict)       # the lists that name a label
    _passed: dict[tuple[Member, ...], frozenset[K]] = field(default_factory=dict)

    def add(self, key: K, acl: Labels) -> None:
        """One that may be there already."""
        if key in self._all:
            return
        self._all[key] = acl
        self._passed.clear()
        for label in acl:
            self._naming.setdefault(label, []).append(key)

    def keep(self, lists: Collection[Labels]) -> None:
        """All others are gone."""
        if gone := [key for key, acl in self._all.items() if acl not in lists]:
            for key in gone:
                for label in self._all.pop(key):
                    self._naming[label].remove(key)
            self._passed.clear()

    def passing(self, audience: Audience) -> frozenset[K]:
        """As the function of that name. Of a room with many members it is worked out once."""
        if not audience.members:
            return frozenset()
        if len(audience.members) == 1:
            return self._named(audience.members[0].held | audience.here)
        if audience.members not in self._passed:
            if len(self._passed) >= KEPT:
                self._passed.pop(next(iter(self._passed)))
            self._passed[audience.members] = passing(self._all, Audience(audience.members))
        return self._passed[audience.members] | self._named(audience.here)

    def _named(self, labels: Labels) -> frozenset[K]:
        return frozenset(key for label in labels for key in self._naming.get(label, ()))


def _holders(members: Sequence[Member], named: Labels) -> dict[str, int]:
    """Who holds each label that some list names; nobody else's bits are worth their memory."""
    rows: dict[str, bytearray] = {}
    for number, member in enumerate(members):
        for label in member.held & named:
            row = rows.setdefault(label, bytearray(len(members) // 8 + 1))
            row[number // 8] |= 1 << number % 8
    return {label: int.from_bytes(row, "little") for label, row in rows.items()}


def _together(acl: Labels, holders: Mapping[str, int]) -> int:
    bits = 0
    for label in acl:
        bits |= holders.get(label, 0)
    return bits
