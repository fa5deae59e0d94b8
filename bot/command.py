"""What every command of the program does: read the settings, go on record, run, and say in a sentence what broke."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

T = TypeVar("T")

FAILED: Final = 1
MISUSED: Final = 2

Config = Annotated[Path | None, typer.Option("--config", help="The settings file, instead of ./bartizan.toml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")]


def loaded(config: Path | None) -> Settings:
    """The settings, or the end of the program."""
    from bot.settings import SettingsError, load_settings  # noqa: PLC0415

    try:
        return load_settings(config=config)
    except SettingsError as error:
        stop(str(error), MISUSED)


def allowed(config: Path | None, command: str, subject: str | None) -> Settings:
    """The settings, once the audit line is written."""
    from bot.admin import authorise, operator  # noqa: PLC0415
    from bot.telemetry import configure_logging  # noqa: PLC0415

    settings = loaded(config)
    configure_logging(settings.log, secrets=settings.secrets())
    authorise(operator(getpass.getuser()), command, subject)
    return settings


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs to the end; our own errors become one sentence, with the cause beside it."""
    from engine.errors import BotError  # noqa: PLC0415

    try:
        return _loop()(work)
    except BotError as error:
        stop(str(error) or error.reply, FAILED)
    except BaseExceptionGroup as group:
        known, rest = group.split(BotError)
        if known is None or rest is not None:
            raise
        stop("; ".join(str(e) for e in _leaves(known)), FAILED)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def stop(sentence: str, code: int) -> NoReturn:
    """Ends the program with a sentence."""
    print(f"bartizan: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


def _loop() -> Callable[[Coroutine[Any, Any, T]], T]:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:         # not made for every system
        return asyncio.run
    return uvloop.run


def _leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    return [leaf for e in group.exceptions for leaf in (_leaves(e) if isinstance(e, BaseExceptionGroup) else [e])]
