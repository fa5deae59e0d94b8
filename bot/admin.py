"""Who may do what beyond asking questions: one table, asked in one place, and every answer is on record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import structlog

from bot.settings import Settings
from engine.errors import BotError
from engine.messages import PersonId

_log = structlog.get_logger(__name__)


class Role(IntEnum):
    """A higher one may do whatever a lower one may."""

    PERSON = 0      # anybody who can talk to the bot
    ADMIN = 1       # listed under `admins` in the settings
    OPERATOR = 2    # runs the command line on the bot's own host, and so holds its keys anyway


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. Made by `actor` or `operator`, so that nobody brings a role along."""

    person: PersonId
    role: Role


@dataclass(frozen=True, slots=True)
class Command:
    """What a command takes. ``own``: everybody may do it to what is theirs."""

    role: Role
    does: str
    own: bool = False


COMMANDS: Final[Mapping[str, Command]] = MappingProxyType({
    "inbox.list": Command(Role.ADMIN, "list the turns that wait, run or failed"),
    "inbox.show": Command(Role.OPERATOR, "read a stored turn, with what was said"),
    "inbox.retry": Command(Role.ADMIN, "try a failed turn again"),
    "inbox.drop": Command(Role.ADMIN, "drop a turn unanswered"),
    "privacy.export": Command(Role.OPERATOR, "export what is stored about a person", own=True),
    "privacy.forget": Command(Role.OPERATOR, "forget a person for good", own=True),
    "source.add": Command(Role.OPERATOR, "add a source"),
    "source.list": Command(Role.ADMIN, "list the sources"),
    "source.remove": Command(Role.OPERATOR, "remove a source"),
    "source.sync": Command(Role.ADMIN, "bring the index up to a source"),
    "sync": Command(Role.ADMIN, "bring the index up to all sources"),
    "index.move": Command(Role.OPERATOR, "move the index to a server"),
    "search.as": Command(Role.ADMIN, "search through somebody else's eyes"),
    "guard.why": Command(Role.ADMIN, "see every verdict on a turn"),
    "guard.appeals.file": Command(Role.ADMIN, "note that somebody calls a block wrong"),
    "guard.appeals.list": Command(Role.OPERATOR, "read what people say about blocks"),
    "guard.appeals.uphold": Command(Role.ADMIN, "let a block stand"),
    "guard.appeals.overturn": Command(Role.ADMIN, "call a block a mistake"),
    "guard.appeals.export": Command(Role.OPERATOR, "export settled appeals"),
    "chat.as": Command(Role.ADMIN, "chat through somebody else's eyes"),
})

_ID: Final = re.compile(r"[\w:/.@+-]{1,128}")
_WHO: Final = MappingProxyType({
    Role.PERSON: "Anybody",
    Role.ADMIN: "Admins (the setting `admins` lists them)",
    Role.OPERATOR: "Operators (with the `bartizan` command, on the bot's own host)",
})


class NotAllowed(BotError):
    """The command needs a higher role, or there is none by that name; ``reply`` says which role, or which name."""

    def __init__(self, cause: str, reply: str) -> None:
        super().__init__(cause)
        self.reply = reply


def role_of(person: PersonId, settings: Settings) -> Role:
    """What somebody may do who speaks through a chat platform; never more than ADMIN."""
    return Role.ADMIN if person in settings.admins else Role.PERSON


def actor(person: PersonId, settings: Settings) -> Actor:
    """Somebody who speaks through a chat platform, which vouches for the id."""
    return Actor(person, role_of(person, settings))


def operator(user: str = "") -> Actor:
    """Whoever runs the command line; ``user`` is the operating system's name for them, for the record."""
    return Actor(PersonId(f"operator:{user}" if user else "operator"), Role.OPERATOR)


def authorise(actor: Actor, command: str, subject: str | None = None) -> None:
    """Returns if ``actor`` may do ``command`` to ``subject`` (a person or a turn's trace); else raises `NotAllowed`.

    Either way the audit line `admin` is logged.
    """
    known = COMMANDS.get(command)
    theirs = known is not None and known.own and subject is not None and subject == actor.person
    allowed = known is not None and (actor.role >= known.role or theirs)
    (_log.info if allowed else _log.warning)(
        "admin", actor=actor.person, role=actor.role.name.lower(), command=command if known else "(unknown)",
        subject=_recorded(subject), allowed=allowed,
    )
    if known is None:
        near = get_close_matches(command, COMMANDS, 1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise NotAllowed("unknown admin command", f"There is no command of that name.{hint}")
    if not allowed:
        yours = " You may do so for yourself." if known.own else ""
        raise NotAllowed(
            f"{command} needs the role {known.role.name.lower()}",
            f"{_WHO[known.role]} may {known.does}; you may not.{yours}",
        )


def _recorded(subject: str | None) -> str | None:
    """An id as it is. Anything else is something that a person typed, and that does not go into a log."""
    return subject if subject is None or _ID.fullmatch(subject) else "(not an id)"
