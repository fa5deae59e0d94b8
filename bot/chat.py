"""`bartizan chat`: a conversation at the prompt, one question, or a pipe of them."""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Final

from adapters.sql.decisions import Decisions
from adapters.terminal.platform import Ended, Terminal
from adapters.terminal.progress import indexing
from adapters.terminal.prompt import Prompt
from adapters.terminal.render import answer_json, notice_json
from adapters.terminal.screen import Page, Silent, hang_up
from adapters.terminal.session import LOCAL, open_session
from adapters.terminal.talk import converse, leaves, obeyed
from adapters.terminal.typed import Typed
from bot.admin import authorise, operator
from bot.app import Bot, housekeep, keep_indexed, open_bot
from bot.settings import Settings
from bot.telemetry import configure_logging
from engine.errors import BotError, StoreUnavailable
from engine.harmless import line
from engine.messages import ORG, Labels, PersonId, TraceId

LOG: Final = "bartizan.log"
BOUNDLESS: Final = 10**9
"""Questions in one window: a quota protects people from each other, and here is one."""


async def chat(
    settings: Settings, *, ask: str | None, as_json: bool, plain: bool, person: str | None = None, files: bool = False,
) -> int:
    """Chats until it is over, and returns the exit code: 0, or 1 when a question got no answer.

    ``ask``: one question in a conversation of its own; ``-`` reads it from standard input. ``as_json``: one line of
    JSON for each question instead of text. ``plain``: no escape sequences. ``person``: through whose eyes, in a
    conversation of its own; that is an admin's right, and on record. ``files``: in a pipe, too, a line may say which
    file of this machine to read; somebody else may have written it. Raises `BotError`, or a group of them, when the bot
    cannot start or go on.
    """
    typed = Typed(sys.stdin.fileno() if sys.stdin else -1)
    by_hand = ask is None and not as_json and _is_terminal(sys.stdin) and _is_terminal(sys.stdout)
    plain = plain or os.environ.get("TERM", "dumb") == "dumb"
    if ask == "-":
        ask = await typed.whole()
    folder, resume = settings.data_dir / "terminal", by_hand and person is None
    with own_folder(settings), open_session(folder, resume=resume) as session:
        terminal = Terminal(session, Silent(), *reader(settings, person))
        async with open_bot(for_one(settings), [terminal]) as bot:
            terminal.stop = bot.dispatcher.stop
            record = Decisions(*bot.store)
            terminal.appeal = lambda trace, note: record.appeal(trace, LOCAL, note)
            await _index(bot, styled=not plain)
            talk = _Talk(bot, terminal)
            work = talk.person(typed, plain=plain) if by_hand else talk.program(
                typed, ask, as_json=as_json, plain=plain, files=files or _is_terminal(sys.stdin))
            await talk.run(work, person=by_hand)
    return talk.code


def reader(settings: Settings, person: str | None) -> tuple[Labels, PersonId]:
    """Whose rights decide, and what they hold besides their own groups. Raises `NotAllowed`."""
    if person is None:
        return frozenset(settings.terminal.labels), LOCAL
    who = PersonId(person.removeprefix("user:"))
    authorise(operator(getpass.getuser()), "chat.as", who)
    return frozenset({ORG}), who


@dataclass(slots=True)
class _Talk:
    """One call of the command, once the bot is open."""

    bot: Bot
    terminal: Terminal
    code: int = 0

    async def run(self, work: Coroutine[None, None, None], *, person: bool) -> None:
        """Serves until the work is done or a signal ends it."""
        async def chore(bot: Bot) -> None:
            try:
                await work
            finally:
                bot.stopping.set()

        with heeding({
            signal.SIGINT: self.interrupted if person else self.given_up,
            signal.SIGTERM: lambda: self.leave(143), signal.SIGHUP: lambda: self.leave(129),
        }):
            await self.bot.serve(chore, housekeep, *([keep_indexed] if person else []))     # a page may go meanwhile

    async def person(self, typed: Typed, *, plain: bool) -> None:
        """A conversation with whoever sits there."""
        if plain:
            page = self._page(typed, plain=True)
            page.prompts = True
            self.terminal.screen = page
            await converse(self.terminal, page)
            return
        prompt = Prompt(self.terminal.interrupt, colours=not os.environ.get("NO_COLOR"))
        self.terminal.screen = prompt
        async with prompt.open():
            await converse(self.terminal, prompt)

    async def program(self, typed: Typed, ask: str | None, *, as_json: bool, plain: bool, files: bool) -> None:
        """Every question, one after the other; in a pipe a person's commands, too, unless it is one for programs."""
        page = self._page(typed, plain=plain)
        if not as_json:
            self.terminal.screen = page
        commands = ask is None and not as_json
        async with aclosing(_questions(typed, ask)) as questions:
            async for text in questions:
                if commands and leaves(text):
                    return
                if commands and await obeyed(text, self.terminal, page, files=files):
                    continue
                ended = await self._asked(text)
                if ended.shown is None:
                    self.code = self.code or 1
                if as_json:
                    self._print(answer_json(ended.shown) if ended.shown else notice_json(ended.words, ended.trace))
                elif ended.shown is None:
                    print(line(ended.words), file=sys.stderr, flush=True)

    async def _asked(self, text: str) -> Ended:
        try:
            return await (await self.terminal.say(text))
        except BotError as error:
            return Ended(TraceId(""), words=error.reply)

    def _page(self, typed: Typed, *, plain: bool) -> Page:
        terminal = _is_terminal(sys.stdout)
        return Page(sys.stdout, typed, styled=terminal and not plain, streams=terminal, gone=lambda: self.leave(1))

    def _print(self, json: str) -> None:
        try:
            sys.stdout.buffer.write(f"{json}\n".encode())       # JSON is UTF-8, whatever the terminal is
            sys.stdout.buffer.flush()
        except OSError:
            hang_up(sys.stdout)
            self.leave(1)

    # -- signals -----------------------------------------------------------------------------------------------

    def leave(self, code: int) -> None:
        """At once: what runs is handed back, and a person's chat goes on with it the next time."""
        self.code = self.code or code
        self.bot.stopping.set()

    def interrupted(self) -> None:
        """Ctrl-C in a conversation stops the answer, if there is one."""
        if not self.terminal.interrupt():
            self.leave(0)

    def given_up(self) -> None:
        """Ctrl-C elsewhere stops everything."""
        self.terminal.stop(self.terminal.session.conversation)
        self.leave(130)


async def _questions(typed: Typed, ask: str | None) -> AsyncGenerator[str]:
    if ask is not None:
        yield ask
        return
    while (text := await typed.line()) is not None:
        if text.strip():
            yield text


async def _index(bot: Bot, *, styled: bool) -> None:
    with indexing(sys.stderr, styled=styled) as tell:
        reports = await bot.sync(lambda _source, done, total: tell(done, total))
    watched = _is_terminal(sys.stderr)
    for source, report in reports.items():
        for path, why in report.failed if watched else (each for each in report.failed if not each[0]):
            print(f"{line(path) or source}: {line(why)}", file=sys.stderr)


def for_one(settings: Settings) -> Settings:
    """The settings for a chat with one person, who does not want to wait for an answer after leaving."""
    queue = settings.queue.model_copy(update={"quota": BOUNDLESS, "grace": timedelta(0)})
    return settings.model_copy(update={"queue": queue})


@contextmanager
def own_folder(settings: Settings) -> Generator[None]:
    """The data folder, with the log in it: the screen is for the conversation. Raises `StoreUnavailable`."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(settings.data_dir / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"{settings.data_dir} cannot be used: {error.strerror}") from error
    root = logging.getLogger()
    before = root.handlers[:]
    with open(descriptor, "a", encoding="utf-8", errors="replace") as file:
        configure_logging(settings.log, secrets=settings.secrets(), stream=file)
        try:
            yield
        finally:
            root.handlers[:] = before


@contextmanager
def heeding(signals: dict[signal.Signals, Callable[[], None]]) -> Generator[None]:
    """While this is open, a signal calls its function."""
    loop = asyncio.get_running_loop()
    for number, heed in signals.items():
        loop.add_signal_handler(number, heed)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _is_terminal(stream: IO[str] | None) -> bool:
    return stream is not None and os.isatty(stream.fileno())
