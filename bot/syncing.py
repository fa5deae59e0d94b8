"""What the sync commands do and show: a bar while it lasts, an honest line at the end, and each failure by name."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from adapters.qdrant.sync import SyncReport
from bot.app import make_private, open_store
from bot.indexes import open_knowledge, open_settled
from bot.settings import Settings
from bot.sources import Knowledge, SourceKind, SourcesError, ask_for_sync, read_definitions, summary
from engine.errors import Unavailable


class Pace(ProgressColumn):
    """Pages a second."""

    def render(self, task: Task) -> Text:
        """Nothing before the first one."""
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")


async def sync_sources(settings: Settings, name: str | None, *, full: bool, every: float | None) -> int:
    """Exit code: 0, or 1 when a page could not be read. ``every``: go on with a pause of so many seconds."""
    console = Console(stderr=True)
    async with opened(settings) as knowledge:
        if knowledge is None:
            ask_for_sync(settings.data_dir)
            console.print("A running Bartizan owns this index; it syncs now, and its log tells what changed.")
            return 0
        with bar(console) as progress:
            tasks = {}

            def tell(source: str, done: int, total: int) -> None:
                if source not in tasks:
                    tasks[source] = progress.add_task(source, total=total)
                progress.update(tasks[source], completed=done, total=total)

            if every is not None:
                await knowledge.watch(every, tell, lambda came: _say_round(console, came))
            if knowledge.successor is not None:
                await knowledge.rebuild(tell)
            reports = await knowledge.sync(name, full=full, tell=tell)
    say(console, reports)
    return 1 if any(report.failed for report in reports.values()) else 0


async def forget_removed(settings: Settings, name: str, echo: Callable[[str], None]) -> int:
    """After a source was taken out of the file. Exit code 0."""
    async with opened(settings) as knowledge:
        if knowledge is None:
            ask_for_sync(settings.data_dir)
            echo(f"Removed {name}. A running Bartizan owns the index, and forgets its pages within a second.")
            return 0
        pages = await knowledge.forget_removed(knowledge.definitions())
    echo(f"Removed {name}, and forgot {pages} pages.")
    return 0


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Knowledge | None]:
    """None: another process owns the index. Raises `BotError`."""
    make_private(settings.data_dir)
    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(open_settled(settings))
        if shared.own is None:
            yield None
            return
        store = None
        if any(each.kind is SourceKind.CONVERSATIONS for each in read_definitions(settings.data_dir)):
            store = await stack.enter_async_context(open_store(settings))
        yield await stack.enter_async_context(open_knowledge(shared, settings, store))


def bar(console: Console) -> Progress:
    """How long work shows that it goes on, and how fast."""
    return Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), Pace(), TimeElapsedColumn(),
        console=console, transient=True,
    )


def say(console: Console, reports: Mapping[str, SyncReport]) -> None:
    """A line for each source, then what failed or was odd, and why."""
    for name, report in reports.items():
        console.print(summary(name, report), markup=False, highlight=False, soft_wrap=True)
        for path, why in (*report.failed, *report.notes):
            console.print(f"  {path or 'the source'}: {why}", markup=False, highlight=False, soft_wrap=True)


def _say_round(console: Console, came: Mapping[str, SyncReport] | Unavailable | SourcesError) -> None:
    if isinstance(came, Unavailable | SourcesError):
        console.print(f"{came}", markup=False, highlight=False, soft_wrap=True)
    else:
        say(console, {name: report for name, report in came.items()
                      if report.added or report.changed or report.deleted or report.failed})
