"""Who will read a reply: asked of Slack when we answer, remembered for a minute, and refreshed by events.

What Slack does not tell us opens nothing: somebody without a profile is a guest without labels, and a channel whose
members cannot be listed has no answer. Bots are not readers: an app was let in by whoever runs the workspace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakValueDictionary

import structlog

from adapters.slack import wire
from adapters.slack.calls import Calls, Closed, SlackError
from adapters.slack.homes import Homes
from adapters.slack.ids import NAME, Workspace, user_of
from adapters.slack.names import People, Profile
from adapters.slack.normalise import person_in
from adapters.slack.pages import pages, told
from engine.errors import MembershipUnavailable, PlatformUnavailable
from engine.messages import ORG, Audience, Labels, Member, Place, Visibility

log = structlog.get_logger()

PAGE: Final = 999               # of one call; Slack wants less than a thousand
REMEMBERED: Final = 5_000       # channels and people


@dataclass(slots=True)
class Rooms:
    """Implements the engine's `Membership` for Slack."""

    calls: Calls
    homes: Homes
    people: People
    fresh: float                # seconds
    handles: bool = False       # "group:<handle>" counts, too
    _members: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = field(default_factory=dict)
    _groups: dict[str, tuple[float, Mapping[str, Labels]]] = field(default_factory=dict)
    _joined: dict[tuple[str, str], tuple[float, Labels]] = field(default_factory=dict)
    _asking: WeakValueDictionary[tuple[str, ...], asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _warned: set[tuple[str, str]] = field(default_factory=set)

    async def audience(self, place: Place, visibility: Visibility) -> Audience:
        """Everyone in the channel, or only who asked. Raises `MembershipUnavailable`."""
        workspace = Workspace.of(place.workspace)
        alone = place.direct or place.private or visibility is Visibility.PRIVATE
        try:
            if alone:
                users: tuple[str, ...] = (user_of(place.person),)
                channels = await self._channels_of(workspace, users[0])
            else:
                users = await self._members_of(workspace, place.channel)
                channels = frozenset({_channel(workspace, place.channel)})
            profiles = await self.people.profiles(workspace, users)
            groups = await self._groups_of(workspace)
        except PlatformUnavailable as error:
            raise MembershipUnavailable(str(error)) from error
        return Audience(tuple(
            _member(workspace, user, profile, channels | groups.get(user, frozenset()))
            for user, profile in profiles.items() if alone or not (profile.bot or profile.gone)
        ))

    def drop(self, workspace: Workspace, channel: str) -> None:
        """Somebody came or went, or the channel changed."""
        self._members.pop((str(workspace), channel), None)

    def drop_person(self, workspace: Workspace, user: str) -> None:
        """Somebody came into a channel, or left it."""
        self._joined.pop((str(workspace), user), None)

    def drop_groups(self, workspace: Workspace) -> None:
        """A user group changed."""
        self._groups.pop(str(workspace), None)

    def drop_all(self, workspace: Workspace) -> None:
        """Events were missed: nothing that we remember counts."""
        self.drop_groups(workspace)
        for cache in (self._members, self._joined):
            for key in [key for key in cache if key[0] == str(workspace)]:
                del cache[key]
        self.people.doubt(workspace)

    async def _members_of(self, workspace: Workspace, channel: str) -> tuple[str, ...]:
        key = (str(workspace), channel)
        async with self._one_at_a_time("members", *key):
            if (known := self._members.get(key)) and self._is_fresh(known[0]):
                return known[1]
            asked_at, members = _now(), list[str]()
            self._members[key] = asked_at, ()       # an event that comes meanwhile takes it away
            arguments = {"channel": channel, "limit": PAGE}
            try:
                async with aclosing(pages(self.calls, "conversations.members", str(workspace), arguments)) as found:
                    async for said in found:
                        members += [user for user in said.get("members") or [] if isinstance(user, str)]
            finally:
                undisturbed = self._members.pop(key, None) is not None
            everyone = tuple(dict.fromkeys(members))
            if undisturbed:
                _remember(self._members, key, (asked_at, everyone))
            return everyone

    async def _channels_of(self, workspace: Workspace, user: str) -> Labels:
        """The channels that somebody is in, as far as we are in them, too."""
        key = (str(workspace), user)
        async with self._one_at_a_time("joined", *key):
            if (known := self._joined.get(key)) and self._is_fresh(known[0]):
                return known[1]
            asked_at, found = _now(), set[str]()
            arguments = {
                "user": user, "types": "public_channel,private_channel,mpim,im", "exclude_archived": True,
                "limit": PAGE, "team_id": await self.homes.team(workspace),
            }
            try:
                async with aclosing(pages(self.calls, "users.conversations", str(workspace), arguments)) as listed:
                    async for said in listed:
                        channels = [told(wire.Channel, each) for each in said.get("channels") or []]
                        found |= {_channel(workspace, channel.id) for channel in channels}
            except (SlackError, Closed) as error:
                self._go_without("channels that somebody is in", key[0], error)
            _remember(self._joined, key, (asked_at, frozenset(found)))
            return frozenset(found)

    async def _groups_of(self, workspace: Workspace) -> Mapping[str, Labels]:
        """By Slack's id of a person, the labels of the user groups that this person is in."""
        space = str(workspace)
        async with self._one_at_a_time("groups", space):
            if (known := self._groups.get(space)) and self._is_fresh(known[0]):
                return known[1]
            asked_at = _now()
            try:
                said = await self.calls.call("usergroups.list", space, {
                    "include_users": True, "include_disabled": False, "team_id": await self.homes.team(workspace),
                })
            except SlackError as error:
                self._go_without("user groups", space, error)
                said = {}
            held: dict[str, set[str]] = {}
            for each in said.get("usergroups") or []:
                group = told(wire.UserGroup, each)
                self.people.group(workspace, group)
                for user in (group.users or ()) if not group.date_delete else ():
                    held.setdefault(user, set()).update(self._labels(workspace, group))
            labels = {user: frozenset(groups) for user, groups in held.items()}
            self._groups[space] = asked_at, labels
            return labels

    def _go_without(self, what: str, space: str, error: SlackError | Closed) -> None:
        """A scope that we lack, a plan without it: fewer labels open less, which is safe. Raises what may yet be told.
        """
        if isinstance(error, SlackError) and not error.refused:
            raise error
        if (space, what) not in self._warned:
            log.warning("not told, so it opens nothing", what=what, workspace=space, cause=str(error))
            self._warned.add((space, what))

    def _one_at_a_time(self, *what: str) -> asyncio.Lock:
        """Who asks the same thing at the same time waits for the one answer."""
        return self._asking.setdefault(what, asyncio.Lock())

    def _labels(self, workspace: Workspace, group: wire.UserGroup) -> Iterable[str]:
        yield f"group:{NAME}:{workspace}/{group.id}"
        if self.handles and group.handle:
            yield f"group:{group.handle}"

    def _is_fresh(self, asked_at: float) -> bool:
        return _now() - asked_at < self.fresh


def _member(workspace: Workspace, user: str, profile: Profile, labels: Labels) -> Member:
    person = person_in(workspace, user, profile.home)
    if profile.gone or not profile.home:        # deactivated, or nobody whom Slack knows: this opens nothing
        return Member(person, frozenset(), guest=True)
    return Member(person, labels | {f"user:{person}", ORG}, profile.guest)


def _channel(workspace: Workspace, channel: str) -> str:
    return f"channel:{NAME}:{workspace}/{channel}"


def _remember(cache: dict[Any, Any], key: Any, value: Any) -> None:
    cache.pop(key, None)            # so that the first one is the one asked for longest ago
    cache[key] = value
    if len(cache) > REMEMBERED:
        del cache[next(iter(cache))]


def _now() -> float:
    return asyncio.get_running_loop().time()
