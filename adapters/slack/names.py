"""What people, channels and user groups are called, and who is a guest: asked for once, and kept fresh by events."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from adapters.slack import wire
from adapters.slack.calls import Calls, Closed, SlackError
from adapters.slack.homes import Homes
from adapters.slack.ids import Workspace
from adapters.slack.normalise import SLACKBOT
from adapters.slack.pages import pages, told
from engine.errors import BotError

log = structlog.get_logger()

FRESH: Final = 600.0            # seconds; ``user_change`` tells of a change at once
SINGLY: Final = 20              # so many profiles are asked for one by one; more come as a list
PAGE: Final = 999               # people of one call
PATIENCE: Final = 0.2           # seconds for the names in a question, before an id has to do
BEFOREHAND: Final = 3.0         # seconds at the start for the names of everybody
KEPT: Final = 50_000            # profiles
UNKNOWN: Final = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


@dataclass(frozen=True, slots=True)
class Profile:
    """What counts of a person. ``home``: the team or the organisation that the person belongs to."""

    name: str
    home: str = ""
    guest: bool = True
    bot: bool = False
    gone: bool = False


NOBODY: Final = Profile("")
"""Somebody of whom Slack tells us nothing."""


@dataclass(slots=True)
class People:
    """Profiles and names of all workspaces."""

    calls: Calls
    homes: Homes
    _profiles: dict[tuple[str, str], tuple[float, Profile]] = field(default_factory=dict)   # by workspace and id
    _channels: dict[tuple[str, str], str] = field(default_factory=dict)
    _groups: dict[tuple[str, str], str] = field(default_factory=dict)
    _asking: dict[str, asyncio.Lock] = field(default_factory=dict)
    _learning: set[asyncio.Task[None]] = field(default_factory=set)

    def within(self, workspace: Workspace) -> Known:
        """What is known of one workspace, without asking."""
        return Known(self, str(workspace))

    async def introduce(self, workspace: Workspace) -> None:
        """Learns everybody's name at the start, so that no event has to wait for one."""
        if workspace.team:
            await self._within(BEFOREHAND, self._list(workspace))

    async def learn(
        self, workspace: Workspace, users: Iterable[str] = (), channels: Iterable[str] = (), *, wait: bool = True,
    ) -> None:
        """Sees to it that these have names. What is not told soon enough is learned beside, for the next time."""
        if names := self._unknown(workspace, users, channels):
            await self._within(PATIENCE if wait else 0.0, names)

    async def close(self) -> None:
        """Ends what is still being learned."""
        for task in self._learning:
            task.cancel()
        if self._learning:
            await asyncio.wait(self._learning)

    def _unknown(
        self, workspace: Workspace, users: Iterable[str], channels: Iterable[str],
    ) -> Coroutine[Any, Any, None] | None:
        space = str(workspace)
        people = [user for user in users if (space, user) not in self._profiles]
        rooms = [channel for channel in channels if (space, channel) not in self._channels]
        return self._learn(workspace, people, rooms) if people or rooms else None

    async def _learn(self, workspace: Workspace, users: Sequence[str], channels: Sequence[str]) -> None:
        if users:
            await self.profiles(workspace, users)
        for channel in channels:
            said = await self.calls.call("conversations.info", str(workspace), {"channel": channel})
            self.renamed(workspace, told(wire.Described, said).channel)

    async def _within(self, seconds: float, names: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._quietly(names))
        self._learning.add(task)
        task.add_done_callback(self._learning.discard)
        await asyncio.wait([task], timeout=seconds)

    @staticmethod
    async def _quietly(names: Coroutine[Any, Any, None]) -> None:
        try:
            await names
        except BotError as error:
            log.info("names not known yet", cause=type(error).__name__)

    async def profiles(self, workspace: Workspace, users: Iterable[str]) -> Mapping[str, Profile]:
        """Fresh ones of all these; `NOBODY` where Slack does not tell. Raises `PlatformUnavailable`."""
        space, wanted = str(workspace), list(dict.fromkeys(users))
        async with self._asking.setdefault(space, asyncio.Lock()):
            stale = [user for user in wanted if not self._is_fresh(space, user)]
            if len(stale) > SINGLY:
                await self._list(workspace)
                stale = [user for user in stale if not self._is_fresh(space, user)]
            try:
                async with asyncio.TaskGroup() as group:
                    for user in stale:
                        group.create_task(self._ask(workspace, user))
            except ExceptionGroup as failed:    # as itself, so that the caller knows what to do
                raise failed.exceptions[0] from None
        return {user: self._profiles.get((space, user), (0.0, NOBODY))[1] for user in wanted}

    def changed(self, workspace: Workspace, user: wire.User) -> None:
        """Slack has just described somebody."""
        self._keep(workspace, user)

    def renamed(self, workspace: Workspace, channel: wire.Channel) -> None:
        """The same of a channel."""
        if channel.name:
            self._channels[str(workspace), channel.id] = channel.name

    def group(self, workspace: Workspace, group: wire.UserGroup) -> None:
        """The same of a user group."""
        if group.handle:
            self._groups[str(workspace), group.id] = group.handle

    def doubt(self, workspace: Workspace) -> None:
        """Events were missed: names stay, but who is a guest is asked anew."""
        for key, (_, profile) in self._profiles.items():
            if key[0] == str(workspace):
                self._profiles[key] = float("-inf"), profile

    def _is_fresh(self, space: str, user: str) -> bool:
        asked_at, _ = self._profiles.get((space, user), (float("-inf"), NOBODY))
        return asyncio.get_running_loop().time() - asked_at < FRESH

    async def _ask(self, workspace: Workspace, user: str) -> None:
        try:
            said = await self.calls.call("users.info", str(workspace), {"user": user})
        except (SlackError, Closed) as error:
            if error.code not in UNKNOWN:
                raise
            self._profiles[str(workspace), user] = asyncio.get_running_loop().time(), NOBODY
            return
        self._keep(workspace, told(wire.WithUser, said).user)

    async def _list(self, workspace: Workspace) -> None:
        arguments = {"limit": PAGE, "team_id": await self.homes.team(workspace)}
        async with aclosing(pages(self.calls, "users.list", str(workspace), arguments)) as found:
            async for said in found:
                for each in said.get("members") or []:
                    self._keep(workspace, told(wire.User, each))

    def _keep(self, workspace: Workspace, user: wire.User) -> None:
        space = str(workspace)
        self._profiles.pop((space, user.id), None)      # so that the first one is the one asked for longest ago
        self._profiles[space, user.id] = asyncio.get_running_loop().time(), profile_of(user, workspace)
        if len(self._profiles) > KEPT:
            del self._profiles[next(iter(self._profiles))]


@dataclass(frozen=True, slots=True)
class Known:
    """Implements `Names` for one workspace."""

    people: People
    space: str

    def user(self, id: str) -> str:
        """A person's name."""
        return self.people._profiles.get((self.space, id), (0.0, NOBODY))[1].name

    def channel(self, id: str) -> str:
        """A channel's."""
        return self.people._channels.get((self.space, id), "")

    def group(self, id: str) -> str:
        """A user group's handle."""
        return self.people._groups.get((self.space, id), "")


def profile_of(user: wire.User, workspace: Workspace) -> Profile:
    """What counts of somebody whom we meet in a workspace. Whoever is not certainly of the house is a guest (S29)."""
    profile = user.profile or wire.Profile()
    name = profile.display_name or profile.real_name or user.real_name or user.name or ""
    organisation = user.enterprise_user.enterprise_id if user.enterprise_user else None
    home = (organisation or user.team_id) if workspace.enterprise else user.team_id
    ours = home in {workspace.team, workspace.enterprise} if home else False
    guest = user.is_restricted or user.is_ultra_restricted or user.is_stranger or not ours
    return Profile(name, home or "", guest, user.is_bot or user.id == SLACKBOT, user.deleted)
