"""The room, completed from the company's directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.people.membership import FRESH, People, WithGroups
from engine.errors import MembershipUnavailable
from engine.messages import Visibility
from tests.builders import a_place
from tests.fakes import Room

ROOM = Room({"ann": frozenset({"org"}), "bob": frozenset({"org"})})
HR = frozenset({"group:hr"})


class Clock:
    """Stands still until somebody moves it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def edit(file: Path, text: str) -> None:
    file.write_text(text)


def gone(file: Path) -> None:
    file.unlink()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.toml"
    path.write_text('[groups]\nhr = ["ann", "bob"]')
    return path


async def test_a_page_of_a_group_is_for_a_room_full_of_its_members(file: Path) -> None:
    membership = WithGroups(ROOM, People([file]))
    assert (await membership.audience(a_place(), Visibility.SHARED)).may_read(HR)
    edit(file, '[groups]\nhr = ["ann"]')
    membership = WithGroups(ROOM, People([file]))
    assert not (await membership.audience(a_place(), Visibility.SHARED)).may_read(HR)
    assert (await membership.audience(a_place(), Visibility.PRIVATE)).may_read(HR)


async def test_what_changed_is_known_within_a_minute(file: Path) -> None:
    clock = Clock()
    membership = WithGroups(ROOM, People([file], clock))
    assert (await membership.audience(a_place(), Visibility.SHARED)).may_read(HR)
    edit(file, "")
    assert (await membership.audience(a_place(), Visibility.SHARED)).may_read(HR)
    clock.now = FRESH
    assert not (await membership.audience(a_place(), Visibility.SHARED)).may_read(HR)


async def test_a_directory_that_cannot_be_read_opens_nothing(file: Path) -> None:
    clock = Clock()
    membership = WithGroups(ROOM, People([file], clock))
    await membership.audience(a_place(), Visibility.SHARED)
    edit(file, "[groups")
    clock.now = FRESH
    for _ in range(2):
        with pytest.raises(MembershipUnavailable):
            await membership.audience(a_place(), Visibility.SHARED)
    gone(file)
    with pytest.raises(MembershipUnavailable):
        await membership.audience(a_place(), Visibility.SHARED)
