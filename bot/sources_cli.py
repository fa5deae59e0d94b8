"""`bartizan source add|list|sync|remove` and `bartizan sync`."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from bot.command import Config

if TYPE_CHECKING:
    from bot.settings import Settings

Full = Annotated[bool, typer.Option("--full", help="Read everything again, whatever seems unchanged.")]
FullOne = Annotated[bool, typer.Option(
    "--full", help="Read everything again, whatever seems unchanged; if it lists nothing, believe that it is empty.")]
Kinds = "folder, git, site, confluence, notion or conversations"


class Allowed(Protocol):
    """The settings, once it is on record who runs which command about what."""

    def __call__(self, config: Path | None, command: str, subject: str | None) -> Settings: ...


class Run(Protocol):
    """Runs to the end and returns the result; an error of ours becomes one sentence."""

    def __call__(self, work: Coroutine[Any, Any, int]) -> int: ...


def add_sources(app: typer.Typer, *, allowed: Allowed, run: Run) -> None:
    """Adds the commands to the program's own."""
    commands = _Commands(allowed, run)
    source = typer.Typer(no_args_is_help=True, help="Say where answers come from.")
    source.command("add", epilog="Examples: `bartizan source add wiki folder /srv/wiki --acl org` · "
                   "`bartizan source add code git https://git.example/app.git --acl group:dev` · "
                   "`bartizan source add docs site https://docs.example/sitemap.xml --host docs.example --acl org`",
                   )(commands.add)
    source.command("list")(commands.show)
    source.command("remove")(commands.remove)
    source.command("sync")(commands.sync_one)
    app.command("sync", epilog="Examples: `bartizan sync` · `bartizan sync --watch --every 300`")(commands.sync)
    app.add_typer(source, name="source")


@dataclass(frozen=True, slots=True)
class _Commands:
    """What each of them does; their docstrings are what ``--help`` says."""

    allowed: Allowed
    run: Run

    def add(    # noqa: PLR0917 - each is an option
        self,
        name: str,
        kind: Annotated[str, typer.Argument(help=f"{Kinds}.")],
        place: Annotated[str, typer.Argument(help="A folder, a repository, a zip, or a sitemap's address.")] = "",
        acl: Annotated[list[str] | None, typer.Option(help="Who may read it: org, group:NAME, ...")] = None,
        rule: Annotated[list[str] | None, typer.Option(
            help="Who may read some of it: 'hr/*=group:hr,user:ann'. The first that fits counts.")] = None,
        host: Annotated[list[str] | None, typer.Option(help="The only hosts that a site is fetched from.")] = None,
        url: Annotated[str, typer.Option(
            help="Where its pages open; of a repository with {path} and {commit}.")] = "",
        branch: str = "",
        under: Annotated[str, typer.Option(help="Only this folder of a repository.")] = "",
        token_file: Annotated[str, typer.Option(help="A file with the token for a remote.")] = "",
        code: Annotated[bool, typer.Option("--code", help="Read source code in a folder, too.")] = False,
        config: Config = None,
    ) -> None:
        """Add a source. A running Bartizan begins with it at once; otherwise `bartizan sync` does."""
        settings = self.allowed(config, "source.add", name)
        rules = tuple(_rule(text) for text in rule or ())
        raise typer.Exit(self.run(_added(
            settings, kind, name=name, place=place, acl=tuple(acl or ()), rules=rules, url=url, branch=branch,
            under=under, hosts=tuple(host or ()), token_file=token_file, code=code,
        )))

    def show(self, config: Config = None) -> None:
        """List the sources, and who may read them."""
        raise typer.Exit(self.run(_shown(self.allowed(config, "source.list", None))))

    def remove(self, name: str, config: Config = None) -> None:
        """Remove a source, and forget its pages."""
        raise typer.Exit(self.run(_removed(self.allowed(config, "source.remove", name), name)))

    def sync_one(self, name: str, full: FullOne = False, config: Config = None) -> None:
        """Bring the index up to one source."""
        raise typer.Exit(self.run(_sync(self.allowed(config, "source.sync", name), name, full=full)))

    def sync(
        self,
        watch: Annotated[bool, typer.Option("--watch", help="Go on until interrupted.")] = False,
        every: Annotated[float, typer.Option(min=1, help="Seconds between two rounds of --watch.")] = 60.0,
        full: Full = False,
        config: Config = None,
    ) -> None:
        """Bring the index up to all sources, and say what changed."""
        settings = self.allowed(config, "sync", None)
        raise typer.Exit(self.run(_sync(settings, None, full=full, every=every if watch else None)))


async def _added(settings: Settings, kind: str, **said: Any) -> int:
    from bot import sources  # noqa: PLC0415

    if kind not in set(sources.SourceKind):
        raise sources.SourcesError(f"there is no such kind of source: use {Kinds}")
    new = sources.whole(sources.Definition(kind=sources.SourceKind(kind), **said))
    sources.add(settings.data_dir, new)
    typer.echo(f"Added {new.name}." + (f" Nothing is at {new.place} yet." if sources.missing(new) else ""))
    return 0


async def _shown(settings: Settings) -> int:
    from bot import sources  # noqa: PLC0415

    there = sources.read_definitions(settings.data_dir)
    for each in there:
        rules = "".join(f"; {pattern} for {', '.join(who)}" for pattern, who in each.rules)
        readers = ", ".join(each.acl) or "whoever could read it there"
        typer.echo(f"{each.name}  {each.kind}  {each.place}  for {readers}{rules}")
    if not there:
        typer.echo("No sources; answers come from the configured folder, or from the handbook.")
    return 0


async def _removed(settings: Settings, name: str) -> int:
    from bot import sources  # noqa: PLC0415
    from bot.syncing import forget_removed  # noqa: PLC0415

    sources.remove(settings.data_dir, name)
    return await forget_removed(settings, name, typer.echo)


async def _sync(settings: Settings, name: str | None, *, full: bool, every: float | None = None) -> int:
    from bot.syncing import sync_sources  # noqa: PLC0415

    return await sync_sources(settings, name, full=full, every=every)


def _rule(text: str) -> tuple[str, tuple[str, ...]]:
    pattern, _, labels = text.rpartition("=")
    if not pattern or not labels:
        raise typer.BadParameter("a rule is written PATTERN=LABEL,LABEL")
    return pattern, tuple(label.strip() for label in labels.split(","))


