"""`bartizan slack`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

MISUSED = 2

slack = typer.Typer(no_args_is_help=True, help="Set up the Slack app.")


@slack.callback()
def _group() -> None:
    """Keeps the name of the only command."""


@slack.command(epilog="Examples: `bartizan slack manifest > manifest.json` (Socket Mode) · "
                      "`bartizan slack manifest --url https://bot.example.com` · `bartizan slack manifest --reasons`")
def manifest(
    url: Annotated[str, typer.Option(help="Where Slack reaches this bot, for events over HTTP.")] = "",
    name: Annotated[str, typer.Option(help="What the app is called.")] = "Bartizan",
    legacy: Annotated[bool, typer.Option("--legacy", help="The older assistant view, for an app that has it.")] = False,
    org: Annotated[bool, typer.Option("--org", help="For a whole Enterprise Grid organisation.")] = False,
    reasons: Annotated[bool, typer.Option("--reasons", help="Say what each scope and event is for, instead.")] = False,
) -> None:
    """Print the manifest to create your own Slack app from, at api.slack.com/apps, "From a manifest"."""
    from adapters.slack import manifest as made  # noqa: PLC0415

    if reasons:
        typer.echo(made.reasons(legacy=legacy))
        return
    try:
        whole = made.manifest(made.Shape(name, url, legacy, org))
    except ValueError as error:
        typer.echo(f"bartizan: {error}", err=True)
        raise typer.Exit(MISUSED) from error
    typer.echo(json.dumps(whole, indent=2, ensure_ascii=False))


def add_slack(app: typer.Typer) -> None:
    """Adds the commands to the program's own."""
    app.add_typer(slack, name="slack")
