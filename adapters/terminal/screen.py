"""Where a chat is shown and typed: what the platform asks of a screen, and the screens that need no cursor movement."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TextIO

from rich.console import RenderableType
from rich.text import Text

from adapters.terminal import render
from adapters.terminal.typed import Typed
from engine.guards.egress import Shown
from engine.harmless import harmless, line

TAKEN_BACK: Final = "- taken back -"
GOING_ON: Final = "Going on with: "


class Screen(Protocol):
    """Shows what it is told at once and never waits. It makes every text harmless itself."""

    @property
    def streams(self) -> bool:
        """Words may be shown before the answer is whole."""
        ...

    def question(self, text: str, *, again: bool) -> None:
        """An answer to this begins; ``again``: it was asked before this start."""
        ...

    def waiting(self, texts: Sequence[str]) -> None:
        """Questions whose answers have not begun."""
        ...

    def status(self, text: str) -> None:
        """One line that is shown until something else is."""
        ...

    def words(self, text: str) -> None:
        """More of the answer that is under way."""
        ...

    def ended(self) -> None:
        """The words are complete."""
        ...

    def taken_back(self) -> None:
        """The words are void."""
        ...

    def answer(self, shown: Shown) -> None:
        """The words of an answer, at once."""
        ...

    def sources(self, shown: Shown) -> None:
        """What stands under an answer, and then it is over."""
        ...

    def passages(self, shown: Shown) -> None:
        """The sources with their passages."""
        ...

    def notice(self, text: str) -> None:
        """What the bot says instead of an answer."""
        ...

    def aside(self, text: str) -> None:
        """What the program says by the way."""
        ...


class Desk(Screen, Protocol):
    """A screen with somebody in front of it."""

    @property
    def live(self) -> bool:
        """The next line can be typed while an answer runs."""
        ...

    async def read(self) -> str | None:
        """The next line, or None when the person leaves."""
        ...


@dataclass(slots=True)
class Silent:
    """Nobody looks."""

    streams: bool = False

    def question(self, text: str, *, again: bool) -> None:
        """Nothing is shown, here and below."""

    def waiting(self, texts: Sequence[str]) -> None: ...
    def status(self, text: str) -> None: ...
    def words(self, text: str) -> None: ...
    def ended(self) -> None: ...
    def taken_back(self) -> None: ...
    def answer(self, shown: Shown) -> None: ...
    def sources(self, shown: Shown) -> None: ...
    def passages(self, shown: Shown) -> None: ...
    def notice(self, text: str) -> None: ...
    def aside(self, text: str) -> None: ...


@dataclass(slots=True)
class Page:
    """Text from top to bottom: for pipes, for a single question, and for terminals without cursor movement.

    Only a terminal streams: words that went into a pipe could not be told from the answer if they were taken back.
    """

    out: TextIO
    typed: Typed
    styled: bool = False            # with colours and links
    streams: bool = False
    prompts: bool = False
    gone: Callable[[], None] = lambda: None
    """Called once when nobody reads any more."""
    live: bool = False
    _used: bool = False
    _open: bool = False             # in the middle of a line

    async def read(self) -> str | None:
        """The next line that was typed or piped in."""
        if self.prompts:
            self._write("\n> " if self._used else "> ")
            self._open = False      # whoever types ends the line
        return await self.typed.line()

    def question(self, text: str, *, again: bool) -> None:
        """A blank line, and what is gone on with; a question that was just typed stands there already."""
        if self._used:
            self._write("\n")
        if again:
            self.aside(GOING_ON + line(text))

    def waiting(self, texts: Sequence[str]) -> None:
        """Whoever typed them can see them."""

    def status(self, text: str) -> None:
        """Could not be wiped out again, so it is left out."""

    def words(self, text: str) -> None:
        """As they come; the terminal wraps them."""
        self._write(harmless(text))
        self._open = True

    def ended(self) -> None:
        """Ends the line."""
        if self._open:
            self._write("\n")

    def taken_back(self) -> None:
        """Says so under the words."""
        self.ended()
        self.aside(TAKEN_BACK)

    def answer(self, shown: Shown) -> None:
        """Markdown, or its source."""
        self._show(render.styled_answer(shown) if self.styled else render.plain_answer(shown))

    def sources(self, shown: Shown) -> None:
        """After a blank line."""
        if below := render.plain_sources(shown):
            self._write("\n")
            self._show(render.styled_sources(shown) if self.styled else below)

    def passages(self, shown: Shown) -> None:
        """One under the other."""
        self._show(render.styled_passages(shown) if self.styled else render.plain_passages(shown))

    def notice(self, text: str) -> None:
        """As plain as an answer. Without somebody to talk to it is left to whoever runs this: it is none."""
        if self.prompts:
            self._show(harmless(text))

    def aside(self, text: str) -> None:
        """Dim, where there are colours."""
        self._show(Text(harmless(text), "dim") if self.styled else harmless(text))

    def _show(self, what: RenderableType) -> None:
        if isinstance(what, str):
            self._write(f"{what}\n")
        else:
            self._write(render.styled(what, width=shutil.get_terminal_size().columns))

    def _write(self, text: str) -> None:
        encoding = self.out.encoding or "utf-8"
        try:
            self.out.write(text.encode(encoding, "replace").decode(encoding))
            self.out.flush()
        except OSError:                 # the reader has hung up, which is for it to decide
            hang_up(self.out)
            self.gone()
        self._used, self._open = True, False


def hang_up(out: TextIO) -> None:
    """Whatever is still written goes nowhere, even what Python flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, out.fileno())
    os.close(nowhere)
