"""The `bartizan` command. Each command reads the settings, does its job and explains itself in sentences.

What a command needs is imported by that command: `--help` answers at once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.command import FAILED, MISUSED, AsJson, Config, allowed, loaded, stop
from bot.command import run as finished
from bot.guard_cli import guard_app, policy_app
from bot.search_cli import add_search
from bot.slack_cli import add_slack
from bot.sources_cli import add_sources

if TYPE_CHECKING:
    from adapters.sql.desk import Desk
    from adapters.sql.privacy import Privacy

T = TypeVar("T")

STDERR = 2

app = typer.Typer(
    name="bartizan", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="A self-hosted chat-ops assistant: guarded, grounded answers from models on your own hardware.",
    epilog="Settings come from `bartizan.toml` and from `BARTIZAN_*` variables; `bartizan check` shows them.",
)
inbox = typer.Typer(no_args_is_help=True, help="Look after the turns that wait, run or failed.")
privacy = typer.Typer(no_args_is_help=True, help="Export or forget what is stored about a person.")
pages = typer.Typer(help="Index the pages, or move the index.")
app.add_typer(inbox, name="inbox")
app.add_typer(pages, name="index")
app.add_typer(privacy, name="privacy")
app.add_typer(guard_app, name="guard")
app.add_typer(policy_app, name="policy")


@app.command(epilog="Examples: `bartizan chat` · `bartizan chat --ask 'how much notice before annual leave?' --json` · "
                    "`cat questions.txt | bartizan chat --plain` · `bartizan chat --as U07`")
def chat(  # noqa: PLR0917 - each is an option
    ask: Annotated[str | None, typer.Option(help="Ask one question and leave; - reads it from the input.")] = None,
    person: Annotated[str | None, typer.Option("--as", help="With this person's rights only; on record.")] = None,
    as_json: AsJson = False,
    plain: Annotated[bool, typer.Option("--plain", help="No colours and no cursor movement, for pipes.")] = False,
    files: Annotated[bool, typer.Option("--files", help="In a pipe, too, /attach may read files.")] = False,
    config: Config = None,
) -> None:
    """Talk to the bot in this terminal. With nothing configured it answers from the handbook that it ships with."""
    settings = loaded(config)
    from bot.chat import chat as talk  # noqa: PLC0415

    raise typer.Exit(finished(talk(settings, ask=ask, as_json=as_json, plain=plain, person=person, files=files)))


@app.command(epilog="Stops cleanly on SIGTERM and SIGINT: turns under way are finished or handed back.")
def run(config: Config = None) -> None:
    """Serve every configured chat platform until stopped."""
    settings = loaded(config)
    from bot.run import run as serve  # noqa: PLC0415
    from bot.telemetry import configure_logging  # noqa: PLC0415

    configure_logging(settings.log, secrets=settings.secrets())
    finished(serve(settings))


@app.command()
def migrate(config: Config = None) -> None:
    """Bring the database to this version's schema. `run` and `chat` do so by themselves."""
    settings = loaded(config)
    from adapters.sql.database import migrate as upgrade  # noqa: PLC0415
    from adapters.sql.database import open_database  # noqa: PLC0415

    async def work() -> str:
        async with open_database(settings.database) as database:
            return await upgrade(database)

    typer.echo(f"The database is at revision {finished(work())}.")


@pages.callback(invoke_without_command=True)
def index(context: typer.Context, config: Config = None) -> None:
    """Index the configured pages and all sources now, and say what changed."""
    if context.invoked_subcommand is not None:
        return
    settings = loaded(config)
    from bot.syncing import sync_sources  # noqa: PLC0415

    raise typer.Exit(finished(sync_sources(settings, None, full=False, every=None)))


@pages.command("move", epilog="Example: `bartizan index move --to http://qdrant.example:6333`; the key is best given "
                              "as `BARTIZAN_KNOWLEDGE__QDRANT_API_KEY`.")
def index_move(
    to: Annotated[str, typer.Option("--to", help="The address of a Qdrant server.")], config: Config = None,
) -> None:
    """Carry the index of this folder to a Qdrant server, without embedding anything again."""
    settings = allowed(config, "index.move", None)
    from adapters.qdrant.server import ServerOptions  # noqa: PLC0415
    from bot.indexes import api_key  # noqa: PLC0415
    from bot.move import move_index  # noqa: PLC0415

    chosen = settings.knowledge
    options = ServerOptions(to, api_key(chosen), chosen.qdrant_index, chosen.qdrant_tenant)
    raise typer.Exit(finished(move_index(settings, options)))


@app.command()
def check(config: Config = None) -> None:
    """Show the settings as they are understood, and try everything they name."""
    settings = loaded(config)
    from bot.check import check as examine  # noqa: PLC0415

    raise typer.Exit(finished(examine(settings)))


@inbox.command("list", epilog="Examples: `bartizan inbox list` · `bartizan inbox list --state dead`")
def inbox_list(
    state: Annotated[str | None, typer.Option(help="ready, running, done or dead; all but done by default.")] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Events that could not be read, instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List turns, newest first. What people wrote is not shown."""
    if state not in (None, "ready", "running", "done", "dead"):
        stop(f"there is no state {state!r}: use ready, running, done or dead", MISUSED)
    rows = _at_desk(config, "inbox.list", None,
                    lambda desk: desk.rejected(limit) if rejected else desk.turns(state=state, limit=limit))
    if as_json:
        typer.echo(json.dumps(rows))
    elif not rows:
        typer.echo("Nothing there.")
    for row in () if as_json else rows:
        typer.echo(_rejected_line(row) if rejected else _turn_line(row))


@inbox.command("show", epilog="A trace may be shortened: `bartizan inbox show 3fa9`")
def inbox_show(trace: str, config: Config = None) -> None:
    """Show one turn with every verdict of every guard, and with the pages that its answer names."""
    settings = allowed(config, "inbox.show", trace)
    from bot.inbox_show import show  # noqa: PLC0415

    typer.echo(json.dumps(finished(show(settings, trace)), indent=2))


@inbox.command("retry")
def inbox_retry(trace: str, config: Config = None) -> None:
    """Give a dead turn a fresh start."""
    whole = _at_desk(config, "inbox.retry", trace, lambda desk: desk.retry(trace))
    typer.echo(f"Turn {whole} will be tried again.")


@inbox.command("drop")
def inbox_drop(trace: str, config: Config = None) -> None:
    """End a dead or waiting turn without an answer."""
    whole = _at_desk(config, "inbox.drop", trace, lambda desk: desk.drop(trace))
    typer.echo(f"Turn {whole} is dropped.")


@privacy.command("export", epilog="Example: `bartizan privacy export local > local.json`")
def privacy_export(person: str, config: Config = None) -> None:
    """Print everything that is stored about a person, as JSON."""
    who = person.removeprefix("user:")
    typer.echo(json.dumps(_in_private(config, "privacy.export", who, lambda p: p.export(who)), indent=2,
                          ensure_ascii=False))


@privacy.command("forget")
def privacy_forget(
    person: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
) -> None:
    """Make everything that a person wrote unreadable, for good, by deleting their key."""
    who = person.removeprefix("user:")
    if not yes and not typer.confirm(f"Forget {who}? This cannot be undone."):
        stop("nothing was changed", FAILED)
    done = _in_private(config, "privacy.forget", who, lambda p: p.forget(who))
    typer.echo(f"Forgotten: {done.messages} messages and {done.answers} answers can no longer be read.")


def main() -> None:
    """Entry point."""
    _hold_standard_streams()
    app()


def _hold_standard_streams() -> None:
    """A closed descriptor 0, 1 or 2 would be given to the next file or socket that is opened: hold its place."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _at_desk(
    config: Path | None, command: str, subject: str | None, work: Callable[[Desk], Coroutine[Any, Any, T]]
) -> T:
    from adapters.sql.desk import Desk  # noqa: PLC0415
    from bot.app import open_store  # noqa: PLC0415

    settings = allowed(config, command, subject)

    async def opened() -> T:
        async with open_store(settings) as (database, _):
            return await work(Desk(database))

    return finished(opened())


def _in_private(config: Path | None, command: str, who: str, work: Callable[[Privacy], Coroutine[Any, Any, T]]) -> T:
    from adapters.sql.privacy import Privacy  # noqa: PLC0415
    from bot.app import open_store  # noqa: PLC0415

    settings = allowed(config, command, who)

    async def opened() -> T:
        async with open_store(settings) as (database, keyring):
            return await work(Privacy(database, keyring))

    return finished(opened())


def _turn_line(row: dict[str, Any]) -> str:
    tries = f"attempt {row['attempt']}, {row['failures']} failed, {row['crashes']} crashed"
    cause = f"  {row['cause']}" if row["cause"] else ""
    how = f" ({row['outcome']})" if row["outcome"] else ""
    return f"{row['trace']}  {row['state']}{how}  {row['received_at']}  {row['conversation']}  {tries}{cause}"


def _rejected_line(row: dict[str, Any]) -> str:
    return f"{row['id']}  {row['received_at']}  {row['platform']}  {row['reason']}"


add_sources(app, allowed=allowed, run=finished)
add_search(app, loaded=loaded, allowed=allowed, run=finished)
add_slack(app)
