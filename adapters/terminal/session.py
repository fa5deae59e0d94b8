"""Who is chatting in which terminal: a numbered file for each, locked while its chat is open.

The file names the queue's route that is this terminal's alone, so that two chats over one database never answer
each other's questions, and the conversation that the next start goes on with. The kernel lets go of the lock when
the process dies, so a crash leaves nothing to clean up.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from engine.errors import StoreUnavailable
from engine.messages import ConversationId, EventKey, File, Message, MessageId, PersonId, Place, Said

LOCAL: Final = PersonId("local")
"""The one person at every terminal."""
_ROUTE: Final = re.compile(r"terminal-[0-9a-f]{12}")
_CONVERSATION: Final = re.compile(r"terminal:[0-9a-f]{12}")


@dataclass(slots=True)
class Session:
    """One terminal. ``route`` stays the same for as long as the file lives; the conversation changes by `begin`."""

    descriptor: int
    route: str
    conversation: ConversationId
    takes_over: bool                    # what an earlier process left unanswered is answered here
    resumed: bool = False               # the conversation was begun by an earlier process

    def begin(self) -> None:
        """A new conversation, remembered from now on. Raises `StoreUnavailable`, and then nothing has changed."""
        fresh = ConversationId(f"terminal:{_fresh()}")
        data = json.dumps({"route": self.route, "conversation": fresh}).encode()
        try:
            os.pwrite(self.descriptor, data, 0)
            os.ftruncate(self.descriptor, len(data))
        except OSError as error:
            raise StoreUnavailable(f"the terminal's file cannot be written: {error.strerror}") from error
        self.conversation, self.resumed = fresh, False

    @property
    def place(self) -> Place:
        """Where the answers stand: a direct conversation."""
        return Place(self.route, "local", "terminal", LOCAL, direct=True)

    def said(self, text: str, files: tuple[File, ...] = ()) -> Said:
        """What was typed just now, under ids that no other process and no later start will use."""
        id = MessageId(f"{self.conversation}/{_fresh()}")
        message = Message(id, self.conversation, LOCAL, text, self.place, datetime.now(UTC), files=files)
        return Said(EventKey(id), message)


@contextmanager
def open_session(folder: Path, *, resume: bool) -> Generator[Session]:
    """The first terminal of its kind that nobody uses. ``resume``: it goes on with its last conversation.

    Those that resume and those that do not are numbered apart: a question asked on the side does not take up what
    an interrupted chat has left. Raises `StoreUnavailable` when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = _first_free(folder, "chat" if resume else "ask")
    except OSError as error:
        raise StoreUnavailable(f"{folder} cannot be used: {error.strerror}") from error
    try:
        route, conversation = _remembered(descriptor)
        session = Session(descriptor, route or f"terminal-{_fresh()}", conversation, resume, resumed=True)
        if not (resume and conversation):
            session.begin()
        yield session
    finally:
        os.close(descriptor)            # and with it goes the lock


def _first_free(folder: Path, kind: str) -> int:
    for number in count(1):
        descriptor = os.open(folder / f"{kind}-{number}.json", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
    raise AssertionError("there is always a next number")


def _remembered(descriptor: int) -> tuple[str, ConversationId]:
    """Route and conversation, each of them empty when the file does not hold one that we wrote."""
    try:
        held = json.loads(os.pread(descriptor, 4096, 0))
        route, conversation = str(held["route"]), str(held["conversation"])
    except (ValueError, KeyError, TypeError):
        return "", ConversationId("")
    return (
        route if _ROUTE.fullmatch(route) else "",
        ConversationId(conversation if _CONVERSATION.fullmatch(conversation) else ""),
    )


def _fresh() -> str:
    return uuid.uuid4().hex[:12]
