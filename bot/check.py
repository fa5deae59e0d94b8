"""`bartizan check`: the settings as they are understood, and whether what they name answers."""

from __future__ import annotations

from contextlib import AsyncExitStack

from adapters.policy.file import load_policy
from adapters.sglang.model import SglangModel
from bot.app import model_configs, open_store, store_ready, tokens
from bot.guards import check_makers, model_names
from bot.settings import Settings
from engine.errors import BotError


async def check(settings: Settings) -> int:
    """Prints both; exit code 1 when something does not answer."""
    print(settings.describe(), end="\n\n")
    problems = [problem for problem in (
        await _store(settings), await _model(settings), _tokenizer(settings), _pages(settings),
        _guards(settings), *await _slack(settings),
    ) if problem]
    for problem in problems:
        print(problem)
    print("Something needs your attention." if problems else "Everything answers.")
    return 1 if problems else 0


async def _store(settings: Settings) -> str | None:
    try:
        async with open_store(settings) as (database, _):
            why = await store_ready(database)
    except BotError as error:
        why = str(error)
    print(f"store   {why or 'ready'}")
    return f"The store: {why}" if why else None


def _tokenizer(settings: Settings) -> str | None:
    try:
        tokens(settings)
    except BotError as error:
        return str(error)
    return None


def _pages(settings: Settings) -> str | None:
    folder = settings.knowledge.folder
    away = folder is not None and not folder.is_dir()
    print(f"pages   {'not there' if away else 'ready'}")
    return f"The folder of pages is not there: {folder}" if away else None


def _guards(settings: Settings) -> str | None:
    try:
        check_makers(settings)
        if settings.guards.policy is not None:
            load_policy(settings.guards.policy, frozenset(model_names(settings)))
    except BotError as error:
        print("guards  not ready")
        return str(error)
    print("guards  ready")
    return None


async def _model(settings: Settings) -> str | None:
    configs = model_configs(settings)
    if not configs:
        print("model   none configured: answers quote the pages")
        return None
    async with AsyncExitStack() as stack:
        models = [await stack.enter_async_context(SglangModel.open(config)) for config in configs]
        away = [model.name for model in models if not await model.ready()]
    print(f"model   {'not ready: ' + ', '.join(away) if away else 'ready'}")
    return f"The model server does not answer: {', '.join(away)}" if away else None


async def _slack(settings: Settings) -> list[str]:
    if not settings.slack.on:
        return []
    from adapters.slack.check import problems  # noqa: PLC0415  (its library costs a start that does without it)
    from adapters.slack.manifest import scope_names  # noqa: PLC0415
    from bot.slack import slack_config  # noqa: PLC0415

    try:
        found = await problems(slack_config(settings), scope_names())
    except BotError as error:
        found = [str(error)]
    print(f"slack   {'not ready' if found else 'ready'}")
    return found
