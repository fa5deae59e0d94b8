"""Who reads a channel: asked when we answer; when nobody says, nothing is open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import PlatformUnavailable
from engine.messages import Audience, Member, PersonId, Place, Visibility
from tests.adapters.loopback.talk import a_platform
from tests.chat_server import Babbles, ChatServer, Dawdles, Fails, Fault, Tears, What

SHARED, PRIVATE = Visibility.SHARED, Visibility.PRIVATE
ORG = frozenset({"org"})
HR = frozenset({"group:hr"})


def a_place(person: str = "ann", *, direct: bool = False) -> Place:
    return Place("loopback", "acme", "general", PersonId(f"loopback:{person}"), direct=direct)


def a_member(who: str, *labels: str) -> Member:
    person = PersonId(f"loopback:{who}")
    return Member(person, frozenset({*labels, f"user:{person}"}))


ANN, BOB = a_member("ann", "org", "group:hr"), a_member("bob", "org")


def fill(chat: ChatServer) -> None:
    chat.members["general"] = [{"id": "ann", "labels": ["org", "group:hr"]}, {"id": "bob", "labels": ["org"]}]


async def test_everybody_in_the_channel_reads_a_shared_reply() -> None:
    async with a_platform() as (chat, platform):
        fill(chat)
        audience = await platform.audience(a_place(), SHARED)
    assert audience == Audience((ANN, BOB))
    assert (audience.may_read(ORG), audience.may_read(HR)) == (True, False)


@pytest.mark.parametrize(("direct", "visibility"), [(True, SHARED), (False, PRIVATE), (True, PRIVATE)])
async def test_only_who_asked_reads_a_private_one(direct: bool, visibility: Visibility) -> None:
    async with a_platform() as (chat, platform):
        fill(chat)
        audience = await platform.audience(a_place(direct=direct), visibility)
        nobody = await platform.audience(a_place("eve", direct=direct), visibility)
    assert audience == Audience((ANN,))
    assert audience.may_read(HR)
    assert nobody == Audience()


async def test_a_channel_that_the_server_does_not_know_is_closed() -> None:
    async with a_platform() as (_, platform):
        assert await platform.audience(a_place(), SHARED) == Audience()


@pytest.mark.parametrize("fault", [Fails(500), Fails(404), Dawdles(0.5), Tears(), Babbles(b"<html>"),
                                   Babbles(b'[{"id": "ann"}]'), Babbles(b'[{"id": "ann", "labels": "org"}]')])
async def test_a_server_that_does_not_say_leaves_the_channel_closed(fault: Fault) -> None:
    async with a_platform() as (chat, platform):
        fill(chat)
        chat.faults[What.MEMBERS].extend([fault, fault])    # a torn connection is tried once more
        with pytest.raises(PlatformUnavailable):            # and not "nobody", which reads like "nothing found"
            await platform.audience(a_place(), SHARED)
        chat.faults[What.MEMBERS].clear()
        assert await platform.audience(a_place(), SHARED) == Audience((ANN, BOB))    # a failure is not remembered


async def test_members_are_remembered_for_a_while_and_not_for_longer() -> None:
    async with a_platform(fresh=timedelta(minutes=1)) as (chat, platform):
        fill(chat)
        for _ in range(3):
            await platform.audience(a_place(), SHARED)
        assert chat.calls == [What.MEMBERS]
    async with a_platform(fresh=timedelta(0)) as (chat, platform):
        fill(chat)
        await platform.audience(a_place(), SHARED)
        chat.members["general"].pop()
        assert await platform.audience(a_place(), SHARED) == Audience((ANN,))
