"""`bartizan search`."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

MISUSED = 2

Config = Annotated[Path | None, typer.Option("--config", help="The settings file, instead of ./bartizan.toml.")]


class Loaded(Protocol):
    """The settings."""

    def __call__(self, config: Path | None) -> Settings: ...


class Allowed(Protocol):
    """The settings, once it is on record who runs which command about what."""

    def __call__(self, config: Path | None, command: str, subject: str | None) -> Settings: ...


class Run(Protocol):
    """Runs to the end and returns the result; an error of ours becomes one sentence."""

    def __call__(self, work: Coroutine[Any, Any, int]) -> int: ...


def add_search(app: typer.Typer, *, loaded: Loaded, allowed: Allowed, run: Run) -> None:
    """Adds the command to the program's own. Looking through somebody else's eyes is the command ``search.as``."""

    @app.command("search", epilog="Examples: `bartizan search 'how much notice before leave?' --explain` · "
                 "`bartizan search 'salary bands' --as U07` · "
                 "`bartizan search --jsonl questions.jsonl -o run.jsonl --folder /srv/wiki`")
    def search(  # noqa: PLR0917 - each is an option
        question: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
        person: Annotated[str | None, typer.Option("--as", help="See what this person may read; on record.")] = None,
        channel: Annotated[str | None, typer.Option(
            help="See what all who are in it now may read: slack:T1/C01.")] = None,
        explain: Annotated[bool, typer.Option("--explain", help="Scores, places and allow-lists as well.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")] = False,
        jsonl: Annotated[Path | None, typer.Option(help="A file of questions, one JSON object a line.")] = None,
        out: Annotated[Path | None, typer.Option("-o", "--out", help="Where the run of that file is written.")] = None,
        folder: Annotated[Path | None, typer.Option(help="Search this folder's files, not the index.")] = None,
        config: Config = None,
    ) -> None:
        """Show what retrieval finds, without asking a model."""
        if (question is None) == (jsonl is None) or (jsonl is None) != (out is None) or (folder and not jsonl):
            typer.echo("bartizan: give a question, or --jsonl with -o (and --folder, if you like)", err=True)
            raise typer.Exit(MISUSED)
        if sum(map(bool, (person, channel, jsonl))) > 1:
            typer.echo("bartizan: --as, --channel and --jsonl exclude each other", err=True)
            raise typer.Exit(MISUSED)
        seen = person or channel
        settings = allowed(config, "search.as", seen) if seen else loaded(config)
        raise typer.Exit(run(_work(
            settings, question=question, person=person, channel=channel, explain=explain, as_json=as_json,
            jsonl=jsonl, out=out, folder=folder,
        )))


async def _work(
    settings: Settings, *, question: str | None, person: str | None, channel: str | None, explain: bool,
    as_json: bool, jsonl: Path | None, out: Path | None, folder: Path | None,
) -> int:
    from bot import search as look  # noqa: PLC0415

    if jsonl is not None and out is not None:
        return await look.run(settings, jsonl, out, folder)
    return await look.search(
        settings, question or "", person=person, channel=channel, explain=explain, as_json=as_json)
