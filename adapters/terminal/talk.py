"""What a person can do at the prompt: ask, and a few commands."""

from __future__ import annotations

import re
from typing import Final

from adapters.terminal.platform import Terminal
from adapters.terminal.screen import Desk
from engine.errors import BotError, FileUnavailable

WELCOME: Final = "Ask me anything that the pages may know. /help lists what else you can type."
WELCOME_BACK: Final = "We go on where we were; /new begins a new conversation."
HELP: Final = """\
/attach   a file for the next question: /attach ~/plan.pdf
/sources  the passages behind the last answer
/new      begin a new conversation
/wrong    the last block was a mistake; say why behind it, if you like
/quit     leave; so does Ctrl-D
Ctrl-C    stop the answer, or leave when there is none"""
LATER: Final = "What is not answered yet will be when you come back."
ATTACHED: Final = "{name} goes along with your next question, and can be asked about in this conversation."
_ATTACH: Final = re.compile(r"/attach\s+(\S.*)", re.IGNORECASE)
SPARED: Final = "Nothing was read: in a pipe, /attach reads files of this machine only where --files says so."
NOTED: Final = "Noted. Whoever looks after the guards will look at it."
_COMMAND: Final = re.compile(r"/([A-Za-z]+|\?)\s*")
_WRONG: Final = re.compile(r"/wrong(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)


async def converse(terminal: Terminal, desk: Desk) -> None:
    """Until the person leaves."""
    desk.aside(WELCOME_BACK if terminal.session.resumed else WELCOME)
    while (text := await desk.read()) is not None and not leaves(text):
        if not await obeyed(text, terminal, desk) and text.strip():
            await _ask(text, terminal, desk)
    if terminal.busy:
        desk.ended()
        desk.aside(LATER)


def leaves(text: str) -> bool:
    """Whether this ends the conversation."""
    command = _COMMAND.fullmatch(text.strip())
    return command is not None and command[1].lower() in {"quit", "exit", "q"}


async def obeyed(text: str, terminal: Terminal, desk: Desk, *, files: bool = True) -> bool:
    """Whether it was a command, which is done then, and no question. Without ``files`` none of them is read."""
    if attach := _ATTACH.fullmatch(text.strip()):
        await (_take(attach[1], terminal, desk) if files else _spare(desk))
    elif wrong := _WRONG.fullmatch(text.strip()):
        await _appeal(wrong[1] or "", terminal, desk)
    elif command := _COMMAND.fullmatch(text.strip()):
        _obey(command[1].lower(), terminal, desk)
    else:
        return False
    return True


async def _take(path: str, terminal: Terminal, desk: Desk) -> None:
    try:
        file = await terminal.attach(path)
    except FileUnavailable as error:
        desk.aside(f"{path}: {error}.")
    else:
        desk.aside(ATTACHED.format(name=file.name))


async def _spare(desk: Desk) -> None:
    desk.aside(SPARED)


async def _ask(text: str, terminal: Terminal, desk: Desk) -> None:
    try:
        ended = await terminal.say(text)
    except BotError as error:
        desk.notice(error.reply)
        return
    if not desk.live:
        await ended


async def _appeal(note: str, terminal: Terminal, desk: Desk) -> None:
    """Against the last turn that ended."""
    try:
        if terminal.ended is None or terminal.appeal is None:
            desk.aside("Nothing was blocked yet.")
            return
        await terminal.appeal(terminal.ended, note)
    except BotError as error:
        desk.aside(error.reply)
        return
    desk.aside(NOTED)


def _obey(command: str, terminal: Terminal, desk: Desk) -> None:
    match command:
        case "sources" if terminal.last and terminal.last.sources:
            desk.passages(terminal.last)
        case "sources":
            desk.aside("The last answer names no sources." if terminal.last else "There is no answer yet.")
        case "new" if terminal.busy:
            desk.aside("There is still an answer under way. Wait for it, or stop it with Ctrl-C.")
        case "new":
            _begin(terminal, desk)
        case "attach":
            desk.aside("Say which file: /attach PATH")
        case "help" | "?":
            desk.aside(HELP)
        case _:
            desk.aside(f"I do not know /{command}. /help lists what I know.")


def _begin(terminal: Terminal, desk: Desk) -> None:
    try:
        terminal.session.begin()
    except BotError:
        desk.aside("A new conversation could not be noted on the disk, so we go on with this one.")
        return
    terminal.last = None
    desk.aside("A new conversation. I will not think of what we said before.")
