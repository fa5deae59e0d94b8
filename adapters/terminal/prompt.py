"""The pleasant screen: a line to type on at the bottom, and the conversation flowing past above it.

What is final is printed above the prompt and scrolls away. The paragraph that an answer is writing is part of the
prompt, word by word as it comes; when it is complete it is printed above, now with its Markdown.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.application import in_terminal
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from rich.cells import set_cell_size
from rich.console import RenderableType
from rich.text import Text

from adapters.terminal import render
from adapters.terminal.screen import GOING_ON, TAKEN_BACK, hang_up
from engine.guards.egress import Shown
from engine.harmless import harmless, line

MARK: Final = "› "
SHOWN_WAITING: Final = 3
"""Waiting questions that are shown; of more only the number is."""
SHOWN_LINES: Final = 12
"""Of the paragraph that is being written: its end."""
LONGEST: Final = 8_000
"""Characters of one paragraph; a longer one is printed in parts."""


@dataclass(slots=True)
class Prompt:
    """A terminal with a person in front of it. Shows nothing before `open` and takes its lines from `read`."""

    interrupt: Callable[[], bool] = lambda: False
    """Ctrl-C; False: there was nothing to stop."""
    colours: bool = True                # of the line to type on; the rest asks the environment itself
    live: bool = True
    streams: bool = True
    _session: PromptSession[str] = field(init=False)
    _output: Vt100_Output = field(init=False)
    _ready: list[str] = field(default_factory=list)     # not yet printed
    _dirty: asyncio.Event = field(default_factory=asyncio.Event)
    _block: str = ""                    # of the answer: the paragraph under way
    _status: str = ""
    _waiting: tuple[str, ...] = ()
    _blank: bool = True                 # the last line above is

    def __post_init__(self) -> None:
        self._output = Vt100_Output.from_pty(sys.stdout)
        self._output.enable_cpr = False     # where the cursor stands matters to menus, of which there are none
        # In memory: what people wrote is on disk in one place only, and encrypted there.
        self._session = PromptSession(
            self._message, history=InMemoryHistory(), key_bindings=self._keys(), erase_when_done=True,
            reserve_space_for_menu=0, output=self._output,
            color_depth=None if self.colours else ColorDepth.DEPTH_1_BIT,
        )

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Prints what is shown until the block ends."""
        async with asyncio.TaskGroup() as tasks:
            printing = tasks.create_task(self._print())
            try:
                yield
            finally:
                printing.cancel()
        self.ended()
        self._write()

    async def read(self) -> str | None:
        """The next line. Ctrl-D and, where there is nothing to stop or to wipe out, Ctrl-C leave."""
        try:
            return await self._session.prompt_async(handle_sigint=False, set_exception_handler=False)
        except EOFError:
            return None

    # -- what is shown -----------------------------------------------------------------------------------------

    def question(self, text: str, *, again: bool) -> None:
        """The question stands above its answer, whenever that begins."""
        text = harmless(text).strip()
        if not self._blank:
            self._up([""])
        if again:
            self._put(Text(f"{GOING_ON}{text}", "dim"))
        else:
            self._put(Text(MARK, "bold cyan").append(text.replace("\n", "\n  "), "bold"))
        self._up([""])

    def waiting(self, texts: Sequence[str]) -> None:
        """Above the prompt, until each one's turn comes."""
        self._waiting = tuple(texts)
        self._refresh()

    def status(self, text: str) -> None:
        """Above the prompt, until something else is shown."""
        self._status = line(text)
        self._refresh()

    def words(self, text: str) -> None:
        """Into the paragraph that is being written; full ones go up."""
        self._status = ""
        full, self._block = render.blocks(self._block + harmless(text))
        if len(self._block) > LONGEST:
            full, self._block = [*full, self._block], ""
        for each in full:
            self._paragraph(each)
        self._refresh()

    def ended(self) -> None:
        """The last paragraph goes up, too."""
        self._status = ""
        block, self._block = self._block, ""
        if block.strip():
            self._paragraph(block)
        self._refresh()

    def taken_back(self) -> None:
        """The paragraph that is being written vanishes; what has been printed is marked."""
        self._block = ""
        self._put(Text(TAKEN_BACK, "dim"))

    def answer(self, shown: Shown) -> None:
        """As Markdown."""
        self._put(render.styled_answer(shown))

    def sources(self, shown: Shown) -> None:
        """Between blank lines."""
        self._status = ""
        if render.plain_sources(shown):
            self._up([""])
            self._put(render.styled_sources(shown))
        self._up([""])
        self._refresh()

    def passages(self, shown: Shown) -> None:
        """Each under its source."""
        self._put(render.styled_passages(shown))

    def notice(self, text: str) -> None:
        """Where the answer would stand."""
        self._status = ""
        self._put(Text(harmless(text)))
        self._up([""])

    def aside(self, text: str) -> None:
        """Dim."""
        self._put(Text(harmless(text), "dim"))

    # -- how ---------------------------------------------------------------------------------------------------

    @property
    def _columns(self) -> int:
        return max(self._output.get_size().columns, 10)

    @property
    def _room(self) -> int:
        return max(1, min(SHOWN_LINES, self._output.get_size().rows - 8))

    def _put(self, what: RenderableType) -> None:
        self._ready.append(render.styled(what, width=self._columns - 1).strip("\n") + "\n")
        self._blank = False
        self._dirty.set()

    def _paragraph(self, text: str) -> None:
        if not self._blank:
            self._up([""])
        self._put(render.styled_block(text))

    def _up(self, lines: Sequence[str]) -> None:
        if lines:
            self._ready += [f"{each}\n" for each in lines]
            self._blank = not lines[-1]
            self._dirty.set()

    def _refresh(self) -> None:
        if self._session.app.is_running:
            self._session.app.invalidate()

    async def _print(self) -> None:
        """One at a time, in a task that no turn owns: a turn that is stopped must not leave the prompt suspended."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if self._ready:
                async with in_terminal():
                    self._write()

    def _write(self) -> None:
        text, self._ready = "".join(self._ready), []
        try:
            self._output.write_raw(text.replace("\n", "\r\n"))
            self._output.flush()
        except OSError:                 # the window was closed; the prompt finds out by itself
            hang_up(sys.stdout)

    def _message(self) -> StyleAndTextTuples:
        """Everything that is not final yet, and the mark to type behind."""
        width = self._columns - 1
        above: StyleAndTextTuples = []
        if self._block.strip():
            tail = render.folded(self._block[-width * SHOWN_LINES :], width)[-self._room :]
            above += [("", f"{each}\n") for each in tail]
        if self._status:
            above.append(("dim", f"{_short(self._status, width)}\n"))
        above += [("dim", f"{_short(f'  {MARK}{each}', width)}\n") for each in self._waiting[:SHOWN_WAITING]]
        if more := len(self._waiting[SHOWN_WAITING:]):
            above.append(("dim", f"  and {more} more\n"))
        return [*above, ("bold ansicyan", MARK)]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            if self.interrupt():
                return
            if event.current_buffer.text:
                event.current_buffer.reset()
            else:
                event.app.exit(exception=EOFError())

        return keys


def _short(text: str, width: int) -> str:
    text = line(text) if "\n" in text else harmless(text)
    short = set_cell_size(text, width)
    return text if short.startswith(text) else f"{set_cell_size(text, width - 1)}…"
