"""`bartizan index`: brings the index up to the configured pages, with a progress bar and an honest end."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.qdrant.socket import open_index
from adapters.qdrant.sync import SyncReport
from bot.app import make_private, sync_pages
from bot.settings import Settings


async def index_pages(settings: Settings) -> int:
    """Exit code: 0, or 1 when a page could not be read or another process owns the index."""
    console = Console(stderr=True)
    make_private(settings.data_dir)
    async with open_index(settings.data_dir / "index") as shared:
        if (index := shared.own) is None:
            console.print("A running Bartizan owns this index, and looks at the pages by itself (knowledge.refresh).")
            return 1
        with bar(console) as progress:
            task = progress.add_task("Indexing pages", total=None)
            report = await sync_pages(index, settings.knowledge, lambda done, total: progress.update(
                task, completed=done, total=total))
    say(console, report)
    return 1 if report.failed else 0


def bar(console: Console) -> Progress:
    """How long work shows that it goes on."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, transient=True,
    )


def say(console: Console, report: SyncReport) -> None:
    """What was done, and what was not and why."""
    console.print(f"{report.added} pages added, {report.changed} changed, {report.deleted} deleted, "
                  f"{report.unchanged} unchanged, {len(report.failed)} failed.")
    for path, why in (*report.failed, *report.notes):
        console.print(f"  {path or 'the folder'}: {why}", markup=False, highlight=False)
