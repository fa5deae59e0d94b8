"""How far the indexing of the pages is."""

from __future__ import annotations

import sys
import termios
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


@contextmanager
def indexing(out: TextIO, *, styled: bool) -> Generator[Callable[[int, int], None]]:
    """A bar while there is something to do, wiped out afterwards; one sentence where nothing can be wiped out."""
    if not out.isatty():
        yield _silent
    elif not styled:
        yield lambda done, total: _sentence(out, done, total)
    else:
        with _bar(out) as tell:
            yield tell


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


def _sentence(out: TextIO, done: int, total: int) -> None:
    if done == 0:
        print(f"Reading {total} pages ...", file=out, flush=True)


@contextmanager
def _bar(out: TextIO) -> Generator[Callable[[int, int], None]]:
    console = Console(file=out, highlight=False, emoji=False, markup=False)
    columns = (TextColumn("Reading the pages"), BarColumn(), MofNCompleteColumn())
    with _unechoed(), Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        task = progress.add_task("", visible=False)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=True, refresh=True)

        yield tell


@contextmanager
def _unechoed() -> Generator[None]:
    """What is typed meanwhile is read later; shown now, it would tear the bar apart."""
    if not sys.stdin or not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(descriptor, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
