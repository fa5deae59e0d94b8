"""Who reads a reply in Slack: asked when we answer, remembered for a minute, refreshed by events; closed in doubt."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from adapters.slack.config import SlackConfig
from adapters.slack.ids import Workspace
from adapters.slack.names import profile_of
from adapters.slack.wire import EnterpriseUser, Profile, User
from adapters.sql.database import Database
from engine.errors import MembershipUnavailable
from engine.messages import Audience, PersonId, Place, Visibility
from tests.adapters.slack.hearing import Listener, listening
from tests.fake_slack import Breaks, FakeSlack, Says

GENERAL = Place("slack", "T1", "CGENERAL", PersonId("slack:T1/UANN"), "1.2")
SHARED = Visibility.SHARED


@pytest.fixture
async def bot(fake: FakeSlack, database: Database) -> AsyncGenerator[Listener]:
    async with listening(fake, database) as listener:
        yield listener


def people(audience: Audience) -> dict[str, tuple[str, ...]]:
    return {
        member.person.removeprefix("slack:"): (*sorted(member.held), *(["guest"] if member.guest else []))
        for member in audience.members
    }


async def test_everyone_in_a_channel_reads_a_reply_and_the_bot_does_not_count(bot: Listener) -> None:
    audience = await bot.slack.audience(GENERAL, SHARED)
    assert people(audience) == {
        f"T1/{who}": ("channel:slack:T1/CGENERAL", "org", f"user:slack:T1/{who}") for who in ("UANN", "UBOB", "UCYD")
    }


async def test_who_asks_in_private_is_alone_and_holds_every_channel_that_we_share(bot: Listener) -> None:
    bot.fake.opens_channel("secret", "ann", kind="group")
    bot.fake.opens_channel("others", "bob")
    direct = Place("slack", "T1", "DANN", PersonId("slack:T1/UANN"), direct=True)
    private = Place("slack", "T1", "CGENERAL", PersonId("slack:T1/UANN"), private=True)
    expected = {"T1/UANN": ("channel:slack:T1/CGENERAL", "channel:slack:T1/CSECRET", "org", "user:slack:T1/UANN")}
    assert people(await bot.slack.audience(direct, SHARED)) == expected
    assert people(await bot.slack.audience(private, SHARED)) == expected
    assert people(await bot.slack.audience(GENERAL, Visibility.PRIVATE)) == expected


async def test_guests_and_strangers_are_guests(bot: Listener) -> None:
    """S29"""
    bot.fake.joins_team("gus", guest=True)
    bot.fake.joins_team("eve", home="T9")
    bot.fake.opens_channel("with-others", "ann", "gus", "eve", connect=True)
    audience = await bot.slack.audience(Place("slack", "T1", "CWITHOTHERS", GENERAL.person), SHARED)
    channel = "channel:slack:T1/CWITHOTHERS"
    assert people(audience) == {
        "T1/UANN": (channel, "org", "user:slack:T1/UANN"),
        "T1/UGUS": (channel, "user:slack:T1/UGUS", "guest"),
        "T9/UEVE": (channel, "user:slack:T9/UEVE", "guest"),
    }
    assert not audience.may_read(frozenset({"org"}))


async def test_who_comes_into_the_channel_counts_at_once(bot: Listener) -> None:
    bot.fake.joins_team("gus", guest=True)
    assert (await bot.slack.audience(GENERAL, SHARED)).may_read(frozenset({"org"}))
    bot.fake.joins("gus", "general")
    await bot.hears()
    assert not (await bot.slack.audience(GENERAL, SHARED)).may_read(frozenset({"org"}))
    bot.fake.leaves("gus", "general")
    await bot.hears()
    assert (await bot.slack.audience(GENERAL, SHARED)).may_read(frozenset({"org"}))


async def test_what_was_told_a_moment_ago_is_not_asked_again(bot: Listener) -> None:
    """S21"""
    for _ in range(3):
        await bot.slack.audience(GENERAL, SHARED)
    for method in ("conversations.members", "usergroups.list"):
        assert len(bot.fake.called(method)) == 1


async def test_nothing_is_remembered_for_longer_than_it_may_be(fake: FakeSlack, database: Database) -> None:
    async with listening(fake, database, fresh=timedelta(0)) as bot:
        assert len((await bot.slack.audience(GENERAL, SHARED)).members) == 3
        fake.channel("general").members.remove("UCYD")      # and no event tells us
        assert len((await bot.slack.audience(GENERAL, SHARED)).members) == 2


@pytest.mark.parametrize("method", ["conversations.members", "users.info", "usergroups.list"])
async def test_what_slack_does_not_tell_closes_the_door(bot: Listener, method: str) -> None:
    bot.slack.calls.patience = 0.1
    bot.fake.joins_team("new")
    bot.fake.channel("general").members.append("UNEW")
    bot.fake.fails(method, *[Breaks()] * 20)
    with pytest.raises(MembershipUnavailable):
        await bot.slack.audience(GENERAL, SHARED)


async def test_whom_slack_does_not_know_opens_nothing(bot: Listener) -> None:
    bot.fake.channel("general").members.append("UGHOST")
    audience = await bot.slack.audience(GENERAL, SHARED)
    assert people(audience)["T1/UGHOST"] == ("guest",)
    assert not audience.may_read(frozenset({"org", "channel:slack:T1/CGENERAL"}))


@pytest.mark.parametrize("error", ["missing_scope", "unknown_method", "plan_upgrade_required"])
async def test_what_slack_refuses_to_tell_of_groups_and_channels_opens_nothing_and_all_else_goes_on(
    bot: Listener, error: str,
) -> None:
    bot.fake.fails("usergroups.list", Says(error))
    bot.fake.fails("users.conversations", Says(error))
    assert (await bot.slack.audience(GENERAL, SHARED)).may_read(frozenset({"org"}))
    alone = await bot.slack.audience(Place("slack", "T1", "DANN", GENERAL.person, direct=True), SHARED)
    assert people(alone) == {"T1/UANN": ("org", "user:slack:T1/UANN")}
    assert bot.slack.problem is None


async def test_a_large_channel_is_told_in_lists_and_not_one_by_one(bot: Listener) -> None:
    """S21"""
    names = [f"p{number}" for number in range(60)]
    for name in names:
        bot.fake.joins_team(name)
    bot.fake.opens_channel("crowd", *names)
    bot.fake.page = 25
    audience = await bot.slack.audience(Place("slack", "T1", "CCROWD", GENERAL.person), SHARED)
    assert len(audience.members) == 60
    assert len(bot.fake.called("users.info")) == 0
    assert len(bot.fake.called("conversations.members")) == 3


def test_a_person_of_a_grid_belongs_to_the_organisation_whatever_the_workspace() -> None:
    """S28"""
    here = Workspace("T1", "E1")
    ours = User("W7", team_id="T2", enterprise_user=EnterpriseUser("E1"), profile=Profile(display_name="Ann"))
    other = User("W7", team_id="T2", enterprise_user=EnterpriseUser("E2"))
    assert (profile_of(ours, here).guest, profile_of(ours, here).home) == (False, "E1")
    assert profile_of(other, here).guest
    assert profile_of(User("U1"), Workspace("T1")).guest       # nobody says where this person belongs


def test_secrets_are_not_printed() -> None:
    assert "xoxb" not in repr(SlackConfig(bot_token="xoxb-1", app_token="xoxb-2", signing_secret="xoxb-3"))


async def test_a_user_group_counts_by_its_id_and_by_its_handle_only_where_that_is_wanted(
    fake: FakeSlack, database: Database
) -> None:
    """Whoever may rename user groups could otherwise give themselves what an access list says about a name."""
    fake.workspace().groups["S1"] = ("hr", ["UANN"])
    by_id = frozenset({"group:slack:T1/S1"})
    direct = Place("slack", "T1", "DANN", PersonId("slack:T1/UANN"), direct=True)
    async with listening(fake, database) as bot:
        audience = await bot.slack.audience(direct, SHARED)
        assert (audience.may_read(by_id), audience.may_read(frozenset({"group:hr"}))) == (True, False)
        assert not (await bot.slack.audience(GENERAL, SHARED)).may_read(by_id)
    async with listening(fake, database, group_handles=True) as bot:
        assert (await bot.slack.audience(direct, SHARED)).may_read(frozenset({"group:hr"}))


async def test_who_leaves_a_user_group_loses_what_it_opens_at_once(bot: Listener) -> None:
    bot.fake.workspace().groups["S1"] = ("hr", ["UANN"])
    direct = Place("slack", "T1", "DANN", PersonId("slack:T1/UANN"), direct=True)
    acl = frozenset({"group:slack:T1/S1"})
    assert (await bot.slack.audience(direct, SHARED)).may_read(acl)
    bot.fake.workspace().groups["S1"] = ("hr", [])
    bot.fake.sends({"type": "subteam_members_changed", "subteam_id": "S1", "removed_users": ["UANN"]})
    await bot.hears()
    assert not (await bot.slack.audience(direct, SHARED)).may_read(acl)


async def test_who_becomes_a_guest_is_one_at_once(bot: Listener) -> None:
    assert (await bot.slack.audience(GENERAL, SHARED)).may_read(frozenset({"org"}))
    bot.fake.sends({"type": "user_change", "user": {"id": "UBOB", "team_id": "T1", "is_restricted": True}})
    await bot.hears()
    assert not (await bot.slack.audience(GENERAL, SHARED)).may_read(frozenset({"org"}))


async def test_who_was_deactivated_reads_nothing_and_keeps_nobody_from_reading(bot: Listener) -> None:
    bot.fake.sends({"type": "user_change", "user": {"id": "UBOB", "team_id": "T1", "deleted": True}})
    await bot.hears()
    assert "T1/UBOB" not in people(await bot.slack.audience(GENERAL, SHARED))
    alone = Place("slack", "T1", "DBOB", PersonId("slack:T1/UBOB"), direct=True)
    assert people(await bot.slack.audience(alone, SHARED)) == {"T1/UBOB": ("guest",)}
