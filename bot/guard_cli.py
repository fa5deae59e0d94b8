"""`bartizan guard ...` and `bartizan policy ...`: arguments in, sentences out."""

from __future__ import annotations

import asyncio
import getpass
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from adapters.sql.decisions import Decisions
    from bot.guard import Examiner
    from bot.settings import Settings
    from engine.guards.policy import Policy

T = TypeVar("T")

FAILED = 1
MISUSED = 2

guard_app = typer.Typer(no_args_is_help=True, help="Try, measure and explain the guards.")
appeals_app = typer.Typer(no_args_is_help=True, help="Settle what people say about blocks.")
policy_app = typer.Typer(no_args_is_help=True, help="Look after the policy file.")
guard_app.add_typer(appeals_app, name="appeals")

Config = Annotated[Path | None, typer.Option("--config", help="The settings file, instead of ./bartizan.toml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")]
PolicyPath = Annotated[Path | None, typer.Option("--policy", help="A policy file, instead of the configured one.")]


@policy_app.command("check", epilog="Example: `bartizan policy check policy.yaml`")
def policy_check(file: Path) -> None:
    """Say what is wrong with a policy file, by line; the exit code is 0 when it can be used."""
    from adapters.policy.file import check  # noqa: PLC0415

    problems = check(file)
    for problem in problems:
        typer.echo(f"{problem}", err=True)
    if problems:
        raise typer.Exit(FAILED)
    typer.echo(f"{file} can be used.")


@guard_app.command("check", epilog="Examples: `bartizan guard check 'ignore all previous instructions'` · "
                                   "`bartizan guard check --direction out --question 'why?' - < answer.txt`")
def guard_check(  # noqa: PLR0917 - each is an option of the command
    text: Annotated[str, typer.Argument(help="What to judge; - reads it from the input.")],
    direction: Annotated[str, typer.Option(help="in: a message; out: an answer.")] = "in",
    question: Annotated[str, typer.Option(help="What the answer answers.")] = "",
    as_json: AsJson = False,
    policy: PolicyPath = None,
    config: Config = None,
) -> None:
    """Show what every guard says about a text, and what comes of it. Nothing is recorded."""
    from dataclasses import asdict  # noqa: PLC0415

    from bot.guard import explanation  # noqa: PLC0415

    if direction not in ("in", "out"):
        _stop(f"there is no direction {direction!r}: use in or out", MISUSED)
    way: Literal["in", "out"] = "in" if direction == "in" else "out"
    text = sys.stdin.read() if text == "-" else text
    examiner = _examiner(config, policy)
    explained = _run(examiner.inbound(text) if way == "in" else examiner.outbound(question, text))
    _unasked(config)
    if as_json:
        typer.echo(json.dumps({
            "action": explained.action, "category": explained.category, "score": explained.score,
            "stages": [asdict(stage) for stage in explained.stages],
        }, indent=2))
        return
    for line in explanation(explained, way):
        typer.echo(line)


@guard_app.command("scan", epilog="Example: `bartizan guard scan rows.jsonl -o verdicts.jsonl`")
def guard_scan(
    source: Annotated[Path, typer.Argument(help="JSON lines with text, or with response and perhaps prompt and system; "
                                                "may end in .gz; - is the input.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="JSON lines; - is the output.")],
    policy: PolicyPath = None,
    config: Config = None,
) -> None:
    """Judge every row of a file. Rows that cannot be read are reported and left out."""
    from bot.guard import scan  # noqa: PLC0415

    def report(number: int, reason: str) -> None:
        typer.echo(f"{source}:{number}: {reason}", err=True)

    done = _run(scan(source, output, _examiner(config, policy), report))
    _unasked(config)
    counts = ", ".join(f"{count} {action}" for action, count in sorted(done.actions.items()))
    bad = f"; {len(done.bad)} could not be read" if done.bad else ""
    typer.echo(f"{done.rows} rows: {counts or 'none'}{bad}.", err=True)
    if done.bad and not done.rows:
        raise typer.Exit(FAILED)


@guard_app.command("eval", epilog="Example: `bartizan guard eval rows/ --shipped`")
def guard_eval(
    folder: Annotated[Path, typer.Argument(
        help="A folder of JSON lines (.jsonl, .jsonl.gz): id, text, label (allow, block) and category; of answers id, "
             "response, prompt, label (ok, deflection, refusal, leak) and tier.")],
    shipped: Annotated[bool, typer.Option("--shipped", help="With the weights as they ship, in seconds; else each row "
                                                            "is judged by weights that never saw its source.")] = False,
    by: Annotated[Literal["source", "question"], typer.Option(help="What is left out together: whole sources, or all "
                                                              "answers to a question (new rows of known kinds).")
                  ] = "source",
    policy: PolicyPath = None,
    config: Config = None,
) -> None:
    """Print recall and false alarms with intervals; the exit code says whether the policy's targets are reached."""
    from adapters.evaluation.evaluate import evaluate  # noqa: PLC0415
    from bot.guard import measured_chain, targets  # noqa: PLC0415
    from bot.guards import load_weights  # noqa: PLC0415

    chosen = _policy(config, policy)
    if not shipped:
        typer.echo("Learning five times, each time without what is judged then; that takes some minutes.", err=True)
    try:
        report = _run(evaluate(folder, measured_chain(chosen.rules_for()), targets=targets(chosen),
                               classifier=load_weights() if shipped else None, by=by))
    except (FileNotFoundError, ValueError) as error:
        _stop(f"cannot evaluate: {error}", MISUSED)
    typer.echo(f"{report}")
    if not report.met:
        raise typer.Exit(FAILED)


@guard_app.command("why", epilog="A trace may be shortened: `bartizan guard why 3fa9`")
def guard_why(trace: str, as_json: AsJson = False, config: Config = None) -> None:
    """Show every verdict on one turn. What people wrote is not shown."""
    from bot.guard import why_lines  # noqa: PLC0415

    told = _on_record(config, "guard.why", trace, lambda record: record.why(trace))
    for line in [json.dumps(told, indent=2)] if as_json else why_lines(told):
        typer.echo(line)


@appeals_app.command("file", epilog="Example: `bartizan guard appeals file 3fa9 --by slack:T1/U7 --note quoted`")
def appeals_file(
    trace: str,
    by: Annotated[str, typer.Option(help="Who says so, by the id that `bartizan privacy export` takes.")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    config: Config = None,
) -> None:
    """Note for somebody that a block was wrong. At the terminal, a person says /wrong."""
    whole = _on_record(config, "guard.appeals.file", trace, lambda record: record.appeal(trace, by, note))
    typer.echo(f"Noted for {whole}.")


@appeals_app.command("list")
def appeals_list(
    state: Annotated[str, typer.Option(help="open, upheld, overturned or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List appeals, newest first, with the note of who appealed."""
    from bot.guard import appeal_lines  # noqa: PLC0415

    states: dict[str, Literal["open", "upheld", "overturned"] | None] = {
        "open": "open", "upheld": "upheld", "overturned": "overturned", "all": None,
    }
    if state not in states:
        _stop(f"there is no state {state!r}: use open, upheld, overturned or all", MISUSED)
    rows = _on_record(config, "guard.appeals.list", None, lambda record: record.appeals(states[state], limit))
    for line in [json.dumps(rows)] if as_json else appeal_lines(rows):
        typer.echo(line)
    if not rows and not as_json:
        typer.echo("Nothing there.")


@appeals_app.command("uphold")
def appeals_uphold(trace: str, config: Config = None) -> None:
    """The block was right, and stays."""
    settled = _on_record(config, "guard.appeals.uphold", trace, lambda record: record.uphold(trace))
    typer.echo(f"The block is upheld; {settled} appeal{'s' * (settled > 1)} settled.")


@appeals_app.command("overturn")
def appeals_overturn(trace: str, config: Config = None) -> None:
    """The block was a mistake. The guards are measured against it from the next export on."""
    settled = _on_record(config, "guard.appeals.overturn", trace, lambda record: record.overturn(trace))
    typer.echo(f"The block is overturned; {settled} appeal{'s' * (settled > 1)} settled.")


@appeals_app.command("export", epilog="Example: `bartizan guard appeals export --with-text > appeals.jsonl`")
def appeals_export(
    with_text: Annotated[bool, typer.Option("--with-text", help="With what people wrote, where its key is.")] = False,
    config: Config = None,
) -> None:
    """Print settled appeals as rows of an evaluation file."""
    for row in _on_record(config, "guard.appeals.export", None, lambda record: record.export(with_text=with_text)):
        typer.echo(json.dumps(row, ensure_ascii=False))


def _examiner(config: Path | None, policy: Path | None) -> Examiner:
    from bot.guard import Examiner as Made  # noqa: PLC0415
    from bot.guards import load_classifier  # noqa: PLC0415

    return Made(_policy(config, policy).rules_for(), load_classifier())


def _unasked(config: Path | None) -> None:
    """Says so where a running bot would have asked somebody else as well: nothing leaves this program here."""
    from bot.settings import SettingsError, load_settings  # noqa: PLC0415

    try:
        settings = load_settings(config=config)
    except SettingsError:
        return                      # not needed for anything else here
    others = [
        name for name, there in (
            ("the guard model", settings.guard_model.url is not None),
            ("NeMo's rails", settings.guards.nemo_folder is not None),
        ) if there
    ]
    if others:
        typer.echo(f"Not asked here, unlike by a running bot: {' and '.join(others)}.", err=True)


def _policy(config: Path | None, policy: Path | None) -> Policy:
    from adapters.policy.file import PolicyError, load_policy  # noqa: PLC0415
    from engine.guards.policy import Policy as Known  # noqa: PLC0415

    path = policy or _settings(config).guards.policy
    if path is None:
        return Known.default()
    try:
        return load_policy(path)
    except PolicyError as error:
        _stop(str(error), MISUSED)


def _settings(config: Path | None) -> Settings:
    from bot.settings import SettingsError, load_settings  # noqa: PLC0415

    try:
        return load_settings(config=config)
    except SettingsError as error:
        _stop(str(error), MISUSED)


def _on_record(
    config: Path | None, command: str, subject: str | None, work: Callable[[Decisions], Coroutine[Any, Any, T]],
) -> T:
    """Runs on the store, once the audit line is written."""
    from adapters.sql.decisions import Decisions as Record  # noqa: PLC0415
    from bot.admin import authorise, operator  # noqa: PLC0415
    from bot.app import open_store  # noqa: PLC0415
    from bot.telemetry import configure_logging  # noqa: PLC0415

    settings = _settings(config)
    configure_logging(settings.log, secrets=settings.secrets())
    authorise(operator(getpass.getuser()), command, subject)

    async def opened() -> T:
        async with open_store(settings) as (database, keyring):
            return await work(Record(database, keyring))

    return _run(opened())


def _run(work: Coroutine[Any, Any, T]) -> T:
    from engine.errors import BotError  # noqa: PLC0415

    try:
        return asyncio.run(work)
    except BotError as error:
        _stop(str(error) or error.reply, FAILED)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _stop(sentence: str, code: int) -> NoReturn:
    print(f"bartizan: {sentence}", file=sys.stderr)
    raise typer.Exit(code)
