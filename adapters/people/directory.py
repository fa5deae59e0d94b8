"""People and their groups, read from bytes; pure.

Two forms. Ours, in TOML or JSON::

    guests = ["eve@partner.example"]
    [groups]
    hr = ["slack:T1/U7", "bob@acme.example", "group:hr-leads"]
    [people]                                        # whose accounts these are
    "bob@acme.example" = ["slack:T1/U9", "discord:123"]

And SCIM 2.0 resources (RFC 7643), as directories export them: one ``ListResponse``, or several in a list, with users
and groups. A user is known there by id, userName, externalId and addresses; ``people`` in a file beside it says which
chat accounts those are. Whom a group names and nobody knows gets nothing.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from engine.errors import MembershipUnavailable
from engine.messages import Labels, Member
from engine.rag.access import labels

NESTED: Final = "group:"
OUTSIDE: Final = frozenset({"guest", "external"})
"""Values of SCIM's userType that make a guest."""


@dataclass(frozen=True, slots=True)
class Directory:
    """``groups`` of each name; ``names`` of each account. Names are whatever the company calls a person by."""

    groups: Mapping[str, Labels] = field(default_factory=dict)          # name → "group:..." labels
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)   # account → other names of the same person
    guests: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()                                  # names of people who were deactivated

    def completed(self, member: Member) -> Member:
        """The member with the groups that this directory knows of. Who was deactivated holds nothing any more."""
        names = {member.person, *self.names.get(member.person, ())}
        if names & self.gone:
            return replace(member, labels=frozenset(), guest=True)
        held = frozenset().union(*(self.groups.get(name, frozenset()) for name in names))
        return replace(member, labels=member.labels | held, guest=member.guest or bool(names & self.guests))


class _Ours(msgspec.Struct, forbid_unknown_fields=True):
    groups: dict[str, list[str]] = {}
    people: dict[str, list[str]] = {}
    guests: list[str] = []


class _Reference(msgspec.Struct):
    value: str = ""
    type: str = ""


class _Resource(msgspec.Struct, rename="camel"):
    id: str = ""
    user_name: str = ""
    external_id: str = ""
    display_name: str = ""
    user_type: str = ""
    active: bool = True
    emails: list[_Reference] = []
    groups: list[_Reference] = []
    members: list[_Reference] | None = None

    @property
    def is_group(self) -> bool:
        return not self.user_name and (self.members is not None or bool(self.display_name))

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.id, self.user_name, self.external_id, *(mail.value for mail in self.emails)} - {""})


def read(raw: bytes, *, toml: bool = False) -> Directory:
    """A directory in either form. Raises `MembershipUnavailable`, which says what is wrong and names nobody."""
    try:
        whole = tomllib.loads(raw.decode()) if toml else msgspec.json.decode(raw)
        if isinstance(whole, list) or (isinstance(whole, dict) and "Resources" in whole):
            return _scim(whole if isinstance(whole, list) else [whole])
        return _ours(msgspec.convert(whole, _Ours))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.MsgspecError) as error:
        raise MembershipUnavailable(f"the directory of people cannot be read: {type(error).__name__}") from error


def joined(parts: Iterable[Directory]) -> Directory:
    """Several as one: a person holds what any of them says, and is a guest or gone if any of them says so."""
    groups: dict[str, Labels] = {}
    names: dict[str, frozenset[str]] = {}
    guests: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    for part in parts:
        for name, held in part.groups.items():
            groups[name] = groups.get(name, frozenset()) | held
        for account, others in part.names.items():
            names[account] = names.get(account, frozenset()) | others
        guests, gone = guests | part.guests, gone | part.gone
    return Directory(groups, names, guests, gone)


def _ours(file: _Ours) -> Directory:
    names: dict[str, set[str]] = {}
    for name, accounts in file.people.items():
        for account in accounts:
            names.setdefault(account, set()).add(name)
    return Directory(
        _groups(file.groups), {account: frozenset(others) for account, others in names.items()},
        frozenset(file.guests),
    )


def _scim(responses: Sequence[Any]) -> Directory:
    listed = [
        resource for response in responses if isinstance(response, dict)
        for resource in msgspec.convert(_assigned(response.get("Resources") or []), list[_Resource])
    ]
    users = [resource for resource in listed if not resource.is_group]
    groups = [resource for resource in listed if resource.is_group]
    times = Counter(group.display_name for group in groups)
    groups = [group for group in groups if times[group.display_name] == 1]      # which of two is meant nobody knows
    titles = {group.id: group.display_name for group in groups}
    members: dict[str, list[str]] = {group.display_name: [] for group in groups}
    for group in groups:
        for one in group.members or []:
            nested = one.value in titles
            members[group.display_name].append(f"{NESTED}{titles[one.value]}" if nested else one.value)
    for user in users:
        for reference in user.groups:
            if reference.value in titles:
                members[titles[reference.value]].append(user.id)
    held = _groups(members)
    return Directory(
        {name: frozenset().union(*(held.get(other, frozenset()) for other in user.names))
         for user in users for name in user.names},
        {},
        frozenset(name for user in users if user.user_type.lower() in OUTSIDE for name in user.names),
        frozenset(name for user in users if not user.active for name in user.names),
    )


def _assigned(said: Any) -> Any:
    """Without what is null: RFC 7643 means by it that there is none, and many directories write it."""
    if isinstance(said, dict):
        return {key: _assigned(value) for key, value in said.items() if value is not None}
    return [_assigned(each) for each in said] if isinstance(said, list) else said


def _groups(members: Mapping[str, Sequence[str]]) -> dict[str, Labels]:
    """The labels of each name, groups within groups included, circles of them too."""
    held: dict[str, set[str]] = {}
    for group in members:
        seen, waiting = {group}, [group]
        while waiting:
            for name in members.get(waiting.pop(), ()):
                inner = name.removeprefix(NESTED)
                if not name.startswith(NESTED):
                    held.setdefault(name, set()).add(f"group:{group}")
                elif inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)
    return {name: labels(groups) for name, groups in held.items()}
