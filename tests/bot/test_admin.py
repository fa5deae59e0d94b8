"""Who may do what, and that it is on record."""

from __future__ import annotations

from collections.abc import Generator, MutableMapping
from typing import Any, TypeAlias

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.admin import COMMANDS, Actor, NotAllowed, Role, actor, authorise, operator, role_of
from bot.settings import Settings
from engine.messages import PersonId

Record: TypeAlias = list[MutableMapping[str, Any]]
ANN, BEA = PersonId("slack:T1/UANN"), PersonId("slack:T1/UBEA")
SETTINGS = Settings(admins=(BEA,))
SAID = "my salary is 98,765 a year"


@pytest.fixture
def record() -> Generator[Record]:
    """What is on record."""
    with structlog.testing.capture_logs() as lines:
        yield lines


def may(who: Actor, command: str, subject: str | None = None) -> bool:
    try:
        authorise(who, command, subject)
    except NotAllowed:
        return False
    return True


def test_admins_are_those_whom_the_settings_list() -> None:
    assert (role_of(ANN, SETTINGS), role_of(BEA, SETTINGS)) == (Role.PERSON, Role.ADMIN)
    assert role_of(PersonId("discord:UBEA"), SETTINGS) is Role.PERSON
    assert role_of(PersonId(""), SETTINGS) is Role.PERSON


@pytest.mark.parametrize(
    ("command", "subject", "ann", "bea", "operators"),
    [
        ("inbox.list", None, False, True, True),
        ("inbox.retry", "0123abcd", False, True, True),
        ("inbox.drop", "0123abcd", False, True, True),
        ("inbox.show", "0123abcd", False, False, True),
        ("privacy.export", BEA, False, True, True),     # Bea's own
        ("privacy.forget", BEA, False, True, True),
        ("privacy.export", ANN, True, False, True),     # Ann's own
        ("privacy.forget", ANN, True, False, True),
        ("privacy.forget", None, False, False, True),
    ],
)
def test_who_may_do_what(command: str, subject: str | None, ann: bool, bea: bool, operators: bool) -> None:
    actors = (actor(ANN, SETTINGS), actor(BEA, SETTINGS), operator("root"))
    assert [may(who, command, subject) for who in actors] == [ann, bea, operators]


def test_a_refusal_says_who_could_and_what_one_may_do_oneself() -> None:
    with pytest.raises(NotAllowed, match=r"privacy\.export needs the role operator") as caught:
        authorise(actor(ANN, SETTINGS), "privacy.export", BEA)
    assert caught.value.reply == (
        "Operators (with the `bartizan` command, on the bot's own host) may export what is stored about a person; "
        "you may not. You may do so for yourself."
    )
    with pytest.raises(NotAllowed) as caught:
        authorise(actor(ANN, SETTINGS), "inbox.list")
    assert caught.value.reply == (
        "Admins (the setting `admins` lists them) may list the turns that wait, run or failed; you may not."
    )


def test_a_command_that_does_not_exist_is_for_nobody() -> None:
    with pytest.raises(NotAllowed) as caught:
        authorise(operator(), "inbox.lst")
    assert caught.value.reply == "There is no command of that name. Did you mean `inbox.list`?"


def test_what_is_allowed_and_what_is_denied_is_on_record(record: Record) -> None:
    authorise(operator("ann"), "privacy.forget", BEA)
    assert not may(actor(ANN, SETTINGS), "inbox.retry", "0123abcd")
    assert record == [
        {"event": "admin", "log_level": "info", "actor": "operator:ann", "role": "operator",
         "command": "privacy.forget", "subject": BEA, "allowed": True},
        {"event": "admin", "log_level": "warning", "actor": ANN, "role": "person",
         "command": "inbox.retry", "subject": "0123abcd", "allowed": False},
    ]


def test_what_somebody_typed_is_not_on_record(record: Record) -> None:
    assert not may(actor(ANN, SETTINGS), SAID, SAID)
    assert not may(actor(ANN, SETTINGS), "privacy.export", SAID)
    assert [(line["command"], line["subject"]) for line in record] == [
        ("(unknown)", "(not an id)"), ("privacy.export", "(not an id)"),
    ]


@given(st.sampled_from(sorted(COMMANDS)), st.sampled_from(Role), st.sampled_from(Role), st.one_of(st.none(), st.text()))
def test_a_higher_role_may_do_whatever_a_lower_one_may(command: str, one: Role, two: Role, subject: str | None) -> None:
    lower, higher = sorted((one, two))
    assert may(Actor(ANN, higher), command, subject) >= may(Actor(ANN, lower), command, subject)
