"""`/attach PATH`: a file from this machine goes along with the next question."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.terminal.platform import Terminal
from adapters.terminal.screen import Page
from adapters.terminal.session import open_session
from adapters.terminal.talk import converse
from adapters.terminal.typed import Typed
from engine.errors import FileUnavailable
from engine.messages import Event, File, Said
from engine.ports import Attachments


@dataclass
class Desk(Page):
    """Somebody who types these lines."""

    lines: list[str] = field(default_factory=list)

    async def read(self) -> str | None:
        return self.lines.pop(0) if self.lines else None

    @property
    def seen(self) -> str:
        assert isinstance(self.out, io.StringIO)
        return self.out.getvalue()


@dataclass
class Heard:
    """An inbox that remembers and answers nothing."""

    events: list[Said] = field(default_factory=list)

    async def receive(self, event: Event) -> bool:
        assert isinstance(event, Said)
        self.events.append(event)
        return True

    async def reject(self, platform: str, raw: bytes, reason: str) -> None: ...


async def typed(folder: Path, *lines: str) -> tuple[Desk, list[Said]]:
    heard = Heard()
    desk = Desk(io.StringIO(), Typed(-1), live=True, lines=list(lines))
    with open_session(folder / "terminal", resume=True) as session:
        terminal = Terminal(session, desk)
        terminal._inbox.set_result(heard)
        await converse(terminal, desk)
    return desk, heard.events


async def test_it_goes_along_with_the_next_question_and_only_with_that(tmp_path: Path) -> None:
    plan = tmp_path / "my plan.md"
    plan.write_text("heron")
    desk, heard = await typed(tmp_path, f"/attach {plan}", "what is it called?", "and else?")
    assert [each.message.files for each in heard] == [(File(str(plan), "my plan.md", plan.as_uri(), 5),), ()]
    assert "my plan.md goes along with your next question" in desk.seen


async def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    desk, heard = await typed(tmp_path, f"/attach {tmp_path}", f"/attach {tmp_path}/nothing", "/attach", "so?")
    assert f"{tmp_path}: is no file." in desk.seen
    assert f"{tmp_path}/nothing: No such file or directory." in desk.seen
    assert "Say which file: /attach PATH" in desk.seen
    assert [each.message.files for each in heard] == [()]


async def test_its_bytes_are_fetched_when_they_are_needed(tmp_path: Path) -> None:
    plan = tmp_path / "plan.md"
    plan.write_text("heron")
    with open_session(tmp_path / "terminal", resume=True) as session:
        terminal = Terminal(session, Page(io.StringIO(), Typed(-1)))
        assert isinstance(terminal, Attachments)
        file = await terminal.attach(str(plan))
        assert await terminal.fetch(file, 100) == b"heron"
        assert await terminal.fetch(file, 2) == b"her"      # one more than the limit shows that it is over
        plan.unlink()
        with pytest.raises(FileUnavailable, match="cannot be read: No such file"):
            await terminal.fetch(file, 100)
        os.mkfifo(plan)
        with pytest.raises(FileUnavailable, match="is no file"):
            await terminal.fetch(file, 100)
