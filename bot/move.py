"""`bartizan index move --to URL`: the index of this folder goes to a Qdrant server, counted there before it answers."""

from __future__ import annotations

from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.qdrant.edge import GONE, EdgeFolder, IndexBusy
from adapters.qdrant.embed import SIZE
from adapters.qdrant.move import Moved, move
from adapters.qdrant.move import Progress as Tell
from adapters.qdrant.server import ServerOptions, open_generations
from bot.settings import Settings


async def move_index(settings: Settings, options: ServerOptions) -> int:
    """Exit code: 0, or 1 when it is no address or another process owns the index.

    Raises `RetrieverUnavailable` when the server fails or not everything arrived; then nothing is changed there.
    """
    console = Console(stderr=True)
    address = urlsplit(options.url)
    if address.scheme not in ("http", "https") or not address.hostname:
        console.print("The server's address has to begin with http:// or https://.")
        return 1
    try:
        with bar(console) as progress:
            task = progress.add_task("Moving the index", total=None)
            moved = await _moved(settings, options, lambda done, total: progress.update(
                task, completed=done, total=total))
    except IndexBusy:
        console.print("A running Bartizan owns this index; stop it first, so that nothing changes meanwhile.")
        return 1
    console.print(f"{moved.pages} pages with {moved.passages} passages moved and counted; "
                  f"generation {moved.generation} answers at {address.hostname} now.")
    console.print("The index in this folder is still there. Point the settings at the server, and it is used.")
    return 0


async def _moved(settings: Settings, options: ServerOptions, tell: Tell) -> Moved:
    async with (
        EdgeFolder.locked(settings.data_dir / "index", patience=GONE) as folder,
        folder.active(SIZE) as source, open_generations(options) as target,
    ):
        return await move(source, target, tell=tell)


def bar(console: Console) -> Progress:
    """How long work shows that it goes on."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, transient=True,
    )
