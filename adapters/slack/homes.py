"""The workspaces that we are installed in: who we are there, and with which token we speak."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from adapters.slack.ids import Workspace
from adapters.slack.normalise import Self
from adapters.slack.ports import Installations, Installed
from engine.errors import PlatformUnavailable

log = structlog.get_logger()

LOOK: Final = 5.0               # seconds between two looks for installations that another process has added


class Ask(Protocol):
    """A call of the Web API: method, workspace, arguments."""

    async def call(self, method: str, workspace: str, arguments: Mapping[str, Any], /) -> dict[str, Any]: ...


class NotInstalled(PlatformUnavailable):
    """The app is not (any more) in that workspace."""


@dataclass(frozen=True, slots=True)
class Home:
    """One workspace, or a whole Grid organisation, when its ``team`` is empty."""

    me: Self
    token: str = field(repr=False)


@dataclass(slots=True)
class Homes:
    """Implements `Tokens`. ``own``: the token from the settings, which counts for the workspace that it belongs to."""

    own: str
    installations: Installations
    patience: float = 20.0          # seconds that a turn waits until we know who we are
    look: float = LOOK              # seconds
    _homes: dict[str, Home] = field(default_factory=dict)      # by `Place.workspace`
    _known_to_slack: asyncio.Event = field(default_factory=asyncio.Event)
    _looked: float = float("-inf")
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def identify(self, calls: Ask) -> None:
        """Finds out whom the token belongs to, and reads what is installed. Raises `PlatformUnavailable`."""
        if self.own:
            said = await calls.call("auth.test", "", {})
            org = bool(said.get("is_enterprise_install"))
            team = "" if org else str(said.get("team_id") or "")
            workspace = Workspace(team, str(said.get("enterprise_id") or ""))
            me = Self(workspace, str(said.get("user_id") or ""), str(said.get("bot_id") or ""))
            self._homes[str(workspace)] = Home(me, self.own)
            log.info("known to Slack", workspace=str(workspace), bot=me.user)
        await self._look()
        self._known_to_slack.set()

    @property
    def all(self) -> Sequence[Self]:
        """Who we are, everywhere."""
        return [home.me for home in self._homes.values()]

    async def me(self, workspace: Workspace) -> Self | None:
        """Who we are there; None where we are not installed."""
        home = await self._find(workspace)
        if home is None:
            return None
        if home.me.workspace.team:
            return home.me
        return Self(workspace, home.me.user, home.me.bot)       # of the whole organisation

    async def token(self, workspace: str) -> str:
        """With what we speak there. Raises `NotInstalled`."""
        if not workspace:
            return self.own
        home = await self._find(Workspace.of(workspace))
        if home is None:
            raise NotInstalled("slack: the app is not installed in that workspace")
        return home.token

    async def team(self, workspace: Workspace) -> str | None:
        """What an organisation's token has to name besides; None elsewhere (S28)."""
        home = await self._find(workspace)
        return workspace.team if home is not None and not home.me.workspace.team else None

    def add(self, home: Home) -> None:
        """Installed a moment ago."""
        self._homes[str(home.me.workspace)] = home

    async def gone(self, workspace: Workspace) -> None:
        """The app was taken out of there."""
        self._homes.pop(str(workspace), None)
        await self.installations.remove(str(workspace))

    @property
    def identified(self) -> bool:
        """Whether we know who we are."""
        return self._known_to_slack.is_set()

    async def _find(self, workspace: Workspace) -> Home | None:
        try:
            async with asyncio.timeout(self.patience):      # a turn from before a restart may be here first
                await self._known_to_slack.wait()
        except TimeoutError as error:
            raise NotInstalled("slack: it has not told yet who we are") from error
        return self._known(workspace) or (self._known(workspace) if await self._look() else None)

    def _known(self, workspace: Workspace) -> Home | None:
        names = (str(workspace), str(Workspace("", workspace.enterprise)) if workspace.enterprise else "")
        if found := next((self._homes[name] for name in names if name in self._homes), None):
            return found
        # Some events, and some answers, leave the organisation out.
        same = (
            home for home in self._homes.values()
            if workspace.team and home.me.workspace.team == workspace.team
            and not (workspace.enterprise and home.me.workspace.enterprise)
        )
        return next(same, None)

    async def _look(self) -> bool:
        """Another process may have added one. Raises `StoreUnavailable`."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if now - self._looked < self.look:
                return False
            self._looked = now
            for each in await self.installations.all():
                self._homes[each.workspace] = _home(each)
            return True


def _home(found: Installed) -> Home:
    return Home(Self(Workspace.of(found.workspace), found.bot_user, found.bot_id), found.token)
