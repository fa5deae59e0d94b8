"""Who we are, and with which token we speak: by workspace, and in a Grid by organisation (S28)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from adapters.slack.homes import Homes, NotInstalled
from adapters.slack.ids import Workspace
from adapters.sql.installations import Installation


@dataclass(slots=True)
class Shelf:
    """Installations, as another process may add them."""

    kept: list[Installation] = field(default_factory=list)

    async def all(self) -> Sequence[Installation]:
        return list(self.kept)

    async def save(self, workspace: str, *, bot_user: str, bot_id: str, token: str, scopes: Sequence[str]) -> None:
        self.kept.append(Installation(workspace, bot_user, bot_id, token, tuple(scopes)))

    async def remove(self, workspace: str) -> None:
        self.kept = [each for each in self.kept if each.workspace != workspace]

    async def issue(self, state: str, lasts: timedelta) -> None:
        raise NotImplementedError

    async def consume(self, state: str) -> bool:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Says:
    """What ``auth.test`` says."""

    answer: Mapping[str, Any]

    async def call(self, method: str, workspace: str, arguments: Mapping[str, Any], /) -> dict[str, Any]:
        assert (method, workspace, arguments) == ("auth.test", "", {})
        return dict(self.answer)


async def known(answer: Mapping[str, Any], *installed: Installation, own: str = "xoxb-own") -> Homes:
    homes = Homes(own, Shelf(list(installed)), patience=0.1)
    await homes.identify(Says(answer))
    return homes


async def test_our_own_token_counts_where_it_belongs() -> None:
    homes = await known({"team_id": "T1", "user_id": "UBOT", "bot_id": "BBOT"})
    me = await homes.me(Workspace("T1"))
    assert me is not None
    assert (me.user, me.bot, await homes.token("T1"), await homes.token("")) == ("UBOT", "BBOT", "xoxb-own", "xoxb-own")
    with pytest.raises(NotInstalled):
        await homes.token("T2")
    assert await homes.me(Workspace("T2")) is None


async def test_the_same_workspace_is_known_with_its_organisation_and_without() -> None:
    grid = await known({"team_id": "T1", "enterprise_id": "E1", "user_id": "UBOT"})
    for workspace in (Workspace("T1", "E1"), Workspace("T1")):
        me = await grid.me(workspace)
        assert me is not None
        assert me.workspace == Workspace("T1", "E1")
    assert await grid.me(Workspace("T1", "E2")) is None     # the same id in another organisation is another workspace
    silent = await known({"team_id": "T1", "user_id": "UBOT"})
    assert await silent.me(Workspace("T1", "E1")) is not None


async def test_a_token_of_a_whole_organisation_counts_in_all_of_its_workspaces() -> None:
    homes = await known({"enterprise_id": "E1", "user_id": "UBOT", "is_enterprise_install": True, "team_id": "E1"})
    me = await homes.me(Workspace("T7", "E1"))
    assert me is not None
    assert me.workspace == Workspace("T7", "E1")
    assert await homes.token("E1.T7") == "xoxb-own"
    assert await homes.team(Workspace("T7", "E1")) == "T7"
    with pytest.raises(NotInstalled):
        await homes.token("E2.T7")


async def test_what_another_process_installs_is_found() -> None:
    shelf = Shelf()
    homes = Homes("", shelf, patience=0.1, look=0.0)
    await homes.identify(Says({}))
    await shelf.save("T2", bot_user="U2", bot_id="B2", token="xoxb-two", scopes=())
    assert await homes.token("T2") == "xoxb-two"
    assert await homes.team(Workspace("T2")) is None


async def test_nobody_is_answered_for_before_we_know_who_we_are() -> None:
    homes = Homes("xoxb-own", Shelf(), patience=0.01)
    with pytest.raises(NotInstalled, match="not told yet"):
        await homes.token("T1")
