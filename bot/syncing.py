"""What the sync commands do and show: a bar while it lasts, an honest line at the end, and each failure by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, NoReturn

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from adapters.qdrant.attached import Attached
from adapters.qdrant.errand import Tell
from adapters.qdrant.socket import SharedIndex
from adapters.qdrant.sync import SyncReport
from bot.app import make_private, open_store
from bot.indexes import open_knowledge, open_settled
from bot.settings import Settings
from bot.sources import Knowledge, SourceKind, SourcesError, ask_for_sync, read_definitions, summary
from engine.errors import RetrieverUnavailable, Unavailable
from engine.harmless import line
from engine.messages import MessageId


class Pace(ProgressColumn):
    """Pages a second."""

    def render(self, task: Task) -> Text:
        """Nothing before the first one."""
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")


OWNED: Final = "A running Bartizan has this index; it syncs now, and goes on should you leave."


async def sync_sources(settings: Settings, name: str | None, *, full: bool, every: float | None) -> int:
    """Exit code: 0, or 1 when a page could not be read. ``every``: go on with a pause of so many seconds.

    A running bot does the work where there is one. Raises `Unavailable` and `SourcesError`.
    """
    console = Console(stderr=True)
    if every is not None:
        await _watched(settings, console, full, every)
    async with opened(settings) as (shared, knowledge):
        if knowledge is None:
            console.print(OWNED)
        with bar(console) as progress:
            tell = _teller(progress)
            if knowledge is None:
                reports = await shared.sync(name, full, tell)
            else:
                if knowledge.successor is not None:
                    await knowledge.rebuild(tell)
                reports = await knowledge.sync(name, full=full, tell=tell)
    say(console, reports)
    return 1 if any(report.failed for report in reports.values()) else 0


async def forget_removed(settings: Settings, name: str, echo: Callable[[str], None]) -> int:
    """After a source was taken out of the file. Exit code: 0, or 1 when its pages may still be found."""
    async with opened(settings) as (shared, knowledge):
        try:
            pages = await (shared.mind() if knowledge is None else knowledge.mind())
        except RetrieverUnavailable as error:
            ask_for_sync(settings.data_dir)
            echo(f"Removed {name}, but its pages are still in the index until the next sync: {error}.")
            return 1
    if settings.knowledge.qdrant_url is not None and name not in pages:
        echo(f"Removed {name}. None of its pages was forgotten: there is none, or another Bartizan has it as a source.")
        return 0
    count = pages.get(name, 0)
    echo(f"Removed {name}, and forgot {count} {'page' if count == 1 else 'pages'}.")
    return 0


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[tuple[SharedIndex, Knowledge | None]]:
    """The index, and what it is made from; None: another process sees to that. Raises `BotError`."""
    make_private(settings.data_dir)
    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(open_settled(settings))
        if shared.own is None:
            yield shared, None
            return
        store = None
        if any(each.kind is SourceKind.CONVERSATIONS for each in read_definitions(settings.data_dir)):
            store = await stack.enter_async_context(open_store(settings))
        knowledge = await stack.enter_async_context(open_knowledge(shared, settings, store))
        uploads = Attached(lambda: shared.own, {})

        async def recalled(message: MessageId, deleted: bool) -> None:
            if deleted:
                await uploads.forget(message)
            await knowledge.recall(message)

        shared.works, shared.minds, shared.heed = knowledge.sync_for, knowledge.mind, recalled
        yield shared, knowledge


async def _watched(settings: Settings, console: Console, full: bool, every: float) -> NoReturn:
    """Round after round, by whoever has the index then; only the first one is ``full``."""
    owned, rounds = False, Rounds(console)
    while True:
        try:
            async with opened(settings) as (shared, knowledge):
                with bar(console) as progress:
                    tell = _teller(progress)
                    if knowledge is not None:
                        if full and knowledge.successor is None:        # which reads everything anew by itself
                            rounds.say(await knowledge.sync(full=True, tell=tell))
                        await knowledge.watch(every, tell, rounds.say)
                    if not owned:
                        console.print(OWNED)
                    owned = True
                    rounds.say(await shared.sync(None, full, tell))
                    full = False
        except Unavailable as error:
            if not owned:               # the first round: it never worked
                raise
            rounds.say(error)
        await asyncio.sleep(every)


def _teller(progress: Progress) -> Tell:
    tasks: dict[str, TaskID] = {}

    def tell(source: str, done: int, total: int) -> None:
        if source not in tasks:
            tasks[source] = progress.add_task(source, total=total)
        progress.update(tasks[source], completed=done, total=total)

    return tell


def bar(console: Console) -> Progress:
    """How long work shows that it goes on, and how fast; nothing where nobody watches."""
    return Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), Pace(), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )


def say(console: Console, reports: Mapping[str, SyncReport]) -> None:
    """A line for each source, then what failed or was odd, and why. A path is whatever somebody called a file."""
    for name, report in reports.items():
        console.print(summary(name, report), markup=False, highlight=False, soft_wrap=True)
        for path, why in (*report.failed, *report.notes):
            console.print(f"  {line(path) or 'the source'}: {line(why)}", markup=False, highlight=False, soft_wrap=True)


@dataclass(slots=True)
class Rounds:
    """Says what changed in each round, and a failure once until it changes."""

    console: Console
    known: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def say(self, came: Mapping[str, SyncReport] | Unavailable | SourcesError) -> None:
        """One round."""
        if isinstance(came, Unavailable | SourcesError):
            self.console.print(f"{came}", markup=False, highlight=False, soft_wrap=True)
            return
        say(self.console, {
            name: report for name, report in came.items()
            if report.added or report.changed or report.deleted or report.failed != self.known.get(name, ())
        })
        self.known |= {name: report.failed for name, report in came.items()}
