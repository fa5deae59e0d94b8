"""Chats at a terminal: the real line from the store to the screen, with a scripted model."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from adapters.terminal.platform import Terminal
from adapters.terminal.screen import Page
from adapters.terminal.session import open_session
from adapters.terminal.talk import converse
from adapters.terminal.typed import Typed
from bot.dispatch import DispatchOptions
from engine.errors import ModelBroken, StoreUnavailable
from engine.messages import Event
from tests.builders import a_passage
from tests.fakes import Room, Script, ScriptedModel, TestBot, a_bot, quick_queue

LEAVE = a_passage("Give ten working days' notice.")
SECRET = a_passage("The board meets in May.", title="Board", acl=frozenset({"group:board"}))
OPENING = "Ten working days of notice are asked for, and they are counted from the next morning on. "
FOREVER: Script = (OPENING, 60.0)      # longer than what the guards hold back
SOURCES = "[1] Annual leave (2026-03-02) https://wiki.acme.example/leave#notice"


@dataclass(slots=True)
class Chat:
    """A running terminal and what stands on it."""

    terminal: Terminal
    bot: TestBot
    out: io.StringIO

    @property
    def seen(self) -> str:
        return self.out.getvalue()

    async def until(self, text: str) -> None:
        async with asyncio.timeout(10):
            while text not in self.seen:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def a_chat(
    folder: Path, *scripts: Script, streams: bool = True, resume: bool = True, labels: Sequence[str] = ("org",),
) -> AsyncGenerator[Chat]:
    out = io.StringIO()
    with open_session(folder / "terminal", resume=resume) as session:
        terminal = Terminal(session, Page(out, Typed(-1), streams=streams, prompts=True), frozenset(labels))
        queue = replace(quick_queue(), routes=(terminal.name,))
        async with a_bot(folder, model=ScriptedModel(scripts) if scripts else None, passages=(LEAVE, SECRET),
                         room=cast(Room, terminal), queue=queue, options=DispatchOptions()) as bot:
            terminal.stop = bot.dispatcher.stop
            listening = asyncio.create_task(terminal.listen(bot.inbox))
            yield Chat(terminal, bot, out)
            listening.cancel()


async def test_words_stream_and_the_sources_follow(tmp_path: Path) -> None:
    async with a_chat(tmp_path, ("\n\nTen ", "working ", "days [1].")) as chat:
        ended = await (await chat.terminal.say("how much notice?"))
        assert chat.seen == f"Ten working days [1].\n\n{SOURCES}\n"
        assert ended.shown is chat.terminal.last
        assert ended.shown is not None


async def test_where_nothing_can_be_taken_back_the_answer_comes_whole(tmp_path: Path) -> None:
    async with a_chat(tmp_path, ("Eleven ", ModelBroken("gone")), ("Ten [1].",), streams=False) as chat:
        await (await chat.terminal.say("how much notice?"))
        assert chat.seen == f"Ten [1].\n\n{SOURCES}\n"


async def test_words_that_do_not_count_are_marked(tmp_path: Path) -> None:
    async with a_chat(tmp_path, (OPENING, ModelBroken("gone")), ("Eleven [1].",)) as chat:
        await (await chat.terminal.say("how much notice?"))
        shown, rest = chat.seen.split("\n- taken back -\n")
        assert shown.startswith("Ten working days")
        assert OPENING.startswith(shown)
        assert rest == f"Eleven [1].\n\n{SOURCES}\n"


async def test_a_stopped_answer_stays_and_its_generation_ends(tmp_path: Path) -> None:
    async with a_chat(tmp_path, FOREVER, ("Next.",)) as chat:
        stopped = await chat.terminal.say("how much notice?")
        following = await chat.terminal.say("and then?")
        await chat.until("Ten working days")
        assert chat.terminal.interrupt()
        assert (await stopped).words == "Stopped."
        assert (await following).shown is not None
        shown, rest = chat.seen.split("\nStopped.\n\n")
        assert shown.startswith("Ten working days")
        assert OPENING.startswith(shown)
        assert rest.startswith("Next.\n")
        assert not chat.terminal.busy
        assert not chat.terminal.interrupt()


async def test_a_question_whose_turn_has_not_come_is_taken_back(tmp_path: Path) -> None:
    async with a_chat(tmp_path, (ModelBroken("gone"),), ("Never.",)) as chat:
        chat.bot.inbox.options = replace(chat.bot.inbox.options, retry_base=quick_queue().lease * 100)
        asked = await chat.terminal.say("how much notice?")
        async with asyncio.timeout(10):
            while chat.bot.dispatcher.open_turns or not chat.terminal._asked or not (
                next(iter(chat.terminal._asked.values())).reply
            ):
                await asyncio.sleep(0.005)
        assert chat.terminal.interrupt()
        assert (await asked).shown is None
        assert chat.seen == "I left that question out.\n"


async def test_after_a_restart_the_question_is_shown_again_and_then_its_answer(tmp_path: Path) -> None:
    async with a_chat(tmp_path, FOREVER) as chat:
        await chat.terminal.say("how much\nnotice?")
        await chat.until("Ten working days")
        chat.bot.dispatcher.hurry()
        conversation = chat.terminal.session.conversation
    async with a_chat(tmp_path, ("Ten [1].",)) as chat:
        await chat.until(SOURCES)
        assert chat.seen == f"Going on with: how much notice?\nTen [1].\n\n{SOURCES}\n"
        assert chat.terminal.session.conversation == conversation
        assert chat.terminal.last is not None


async def test_what_a_single_question_left_behind_is_not_answered_in_the_next_one(tmp_path: Path) -> None:
    async with a_chat(tmp_path, FOREVER, resume=False) as chat:
        await chat.terminal.say("the old one")
        await chat.until("Ten working days")
        chat.bot.dispatcher.hurry()
    async with a_chat(tmp_path, ("Ten [1].",), resume=False) as chat:
        ended = await (await chat.terminal.say("the new one"))
        assert ended.shown is not None
        assert chat.seen == f"Ten [1].\n\n{SOURCES}\n"
        async with asyncio.timeout(10):
            while chat.bot.dispatcher.open_turns:
                await asyncio.sleep(0.005)


async def test_two_chats_over_one_store_each_get_their_own_answers(tmp_path: Path) -> None:
    async with a_chat(tmp_path, ("One.",)) as one, a_chat(tmp_path, ("Two.",)) as two:
        for _ in range(3):
            first, second = await one.terminal.say("first?"), await two.terminal.say("second?")
            await asyncio.gather(first, second)
        assert (one.seen.count("One."), one.seen.count("Two.")) == (3, 0)
        assert (two.seen.count("One."), two.seen.count("Two.")) == (0, 3)


@pytest.mark.parametrize(("labels", "readable"), [(("org",), "Annual leave"), (("group:board",), "Board")])
async def test_the_person_reads_what_the_settings_allow(tmp_path: Path, labels: tuple[str], readable: str) -> None:
    async with a_chat(tmp_path, labels=labels) as chat:
        ended = await (await chat.terminal.say("what do the pages say?"))
        assert ended.shown is not None
        assert [source.title for source in ended.shown.sources] == [readable]


async def test_an_apology_is_one_sentence(tmp_path: Path) -> None:
    async with a_chat(tmp_path, ("Fine.",)) as chat:
        ended = await (await chat.terminal.say(" "))
        assert ended.shown is None
        assert chat.seen == f"{ended.words}\n"
        assert "arrived empty" in ended.words


class Away:
    """A store that takes nothing."""

    async def receive(self, event: Event) -> bool:
        del event
        raise StoreUnavailable("the disk is full")

    async def reject(self, platform: str, raw: bytes, reason: str) -> None: ...


@dataclass(slots=True)
class Scripted(Page):
    """A desk with somebody who types these lines."""

    says: list[str] = field(default_factory=list)

    async def read(self) -> str | None:
        return self.says.pop(0) if self.says else None


@asynccontextmanager
async def at_desk(folder: Path, *says: str) -> AsyncGenerator[tuple[Terminal, Scripted, io.StringIO]]:
    out = io.StringIO()
    with open_session(folder, resume=True) as session:
        desk = Scripted(out, Typed(-1), prompts=True, says=list(says))
        yield Terminal(session, desk), desk, out


async def test_a_store_that_is_away_is_one_sentence_and_the_chat_goes_on(tmp_path: Path) -> None:
    async with at_desk(tmp_path, "hello?", "/quit", "never read") as (terminal, desk, out):
        listening = asyncio.create_task(terminal.listen(Away()))
        await converse(terminal, desk)
        listening.cancel()
        assert out.getvalue().splitlines()[1:] == [StoreUnavailable.reply]
        assert desk.says == ["never read"]
        assert not terminal.busy


async def test_commands_are_obeyed_and_unknown_ones_explained(tmp_path: Path) -> None:
    async with at_desk(tmp_path, "/sources", "/wat", "  ", "/HELP ", "/new") as (terminal, desk, out):
        before = terminal.session.conversation
        await converse(terminal, desk)
        said = out.getvalue()
        assert "There is no answer yet." in said
        assert "I do not know /wat. /help lists what I know." in said
        assert said.count("Ctrl-C    stop the answer") == 1
        assert terminal.session.conversation != before
        assert "Going on" not in said


async def test_sources_shows_the_passages_of_the_last_answer(tmp_path: Path) -> None:
    async with a_chat(tmp_path, ("Ten [1].",)) as chat:
        await (await chat.terminal.say("how much notice?"))
        desk = Scripted(io.StringIO(), Typed(-1), prompts=True, says=["/sources"])
        await converse(chat.terminal, desk)
        assert f"{SOURCES}\n    Give ten working days' notice.\n" in cast(io.StringIO, desk.out).getvalue()


async def test_a_new_conversation_waits_for_the_answer_under_way(tmp_path: Path) -> None:
    async with a_chat(tmp_path, FOREVER) as chat:
        await chat.terminal.say("how much notice?")
        await chat.until("Ten working days")
        before = chat.terminal.session.conversation
        desk = Scripted(io.StringIO(), Typed(-1), says=["/new"])
        await converse(chat.terminal, desk)
        assert chat.terminal.session.conversation == before
        assert "stop it with Ctrl-C" in cast(io.StringIO, desk.out).getvalue()
        chat.terminal.interrupt()
