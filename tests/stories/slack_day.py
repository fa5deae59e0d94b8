"""What the stories in Slack share: a whole bot, as an operator starts it, between a fake Slack and a scripted model."""

from __future__ import annotations

import asyncio
import inspect
import os
import random
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from adapters.slack.manifest import events, scope_names
from tests.fake_sglang import Behaviour, FakeSglang, Request, fake_sglang, says
from tests.fake_slack import APP_TOKEN, SIGNING_SECRET, FakeSlack, Post, Stream, fake_slack
from tests.postgres import die_with_parent
from tests.stories.test_program import ROOT, Program

HTTP, SOCKET = "http", "socket"
LEAVE = "# Annual leave\n\nGive ten working days' notice before annual leave.\n"
NOTICE = ("Give ", "ten ", "working ", "days' ", "notice ", "[1].")
LONG = 100                      # words of an answer that takes its time
ASK = "@bartizan how much notice before annual leave?"
SLOWLY = "@bartizan tell me slowly how much notice before annual leave"
NOTHING: Mapping[str, str] = MappingProxyType({})
OURS = ("BARTIZAN_", "SLACK_", "DISCORD_")


def voice(request: Request, delay: float = 0.05) -> Behaviour:
    """What the model says, by what it is asked for. ``delay``: seconds before each word of what takes its time."""
    asked = str(request["messages"][-1]["content"])
    if "slowly" in asked:
        return says(*(f"word{n} " for n in range(LONG)), delay=delay)
    if "ping" in asked:
        return says("Hello ", "<!channel> ", "<@UBOB> ", "@here ", "[1].")
    if "long" in asked:
        return says(*(f"Line {n} says something of no consequence.\n\n" for n in range(600)), "The end [1].")
    return says(*NOTICE)


@dataclass(slots=True)
class Day:
    """One bot at work."""

    slack: FakeSlack
    model: FakeSglang
    program: Program

    def heard(self, words: str) -> list[Mapping[str, Any]]:
        """The prompts in which these words stand."""
        return [request for request in self.model.requests if words in str(request["messages"])]

    async def answered(self, question: Post, *, channel: str, user: str = "", seconds: float = 20.0) -> Post:
        """The one answer to a question, once it is finished: its buttons are the last thing that comes."""
        thread = question.thread_ts or question.ts

        def done() -> bool:
            answers = [p for p in self.slack.answers(channel, thread, user=user) if p.ts > question.ts]
            return bool(answers) and "[Try again]" in answers[-1].seen and answers[-1].stream in (None, "done")

        await self.slack.until(done, seconds)
        (answer,) = [p for p in self.slack.answers(channel, thread, user=user) if p.ts > question.ts]
        return answer


Story: TypeAlias = Callable[..., Coroutine[Any, Any, None]]


def in_every_mode(story: Story) -> Story:
    """A story of one ``day``, told to all of ``days`` at the same moment: they wait side by side."""
    @wraps(story)
    async def told(days: Sequence[Day], **given: Any) -> None:
        async with asyncio.TaskGroup() as group:
            for day in days:
                group.create_task(story(day, **given))

    _, *others = inspect.signature(story).parameters.values()
    days = inspect.Parameter("days", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    vars(told)["__signature__"] = inspect.Signature([days, *others])
    return told


def quiet_port() -> int:
    """A free one below those that a system hands out to connections: one of these may take it before the bot does."""
    chance = random.Random()    # noqa: S311
    while True:
        port = chance.randrange(20_000, 32_000)
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port


def acme(**options: Any) -> AbstractAsyncContextManager[FakeSlack]:
    """A fake Slack in which the app is installed as its own manifest says: these scopes, these events, no others."""
    return fake_slack(scopes=scope_names(), subscriptions=[event.name for event in events(legacy=True)], **options)


@asynccontextmanager
async def begun(
    folder: Path, slack: FakeSlack, model: str, mode: str = SOCKET, settings: Mapping[str, str] = NOTHING, *,
    ready: bool = True,
) -> AsyncGenerator[Program]:
    """`bartizan run`; started on the same folder again, it goes on where the last one was."""
    port = quiet_port()
    (folder / "pages").mkdir(exist_ok=True)
    (folder / "pages" / "leave.md").write_text(LEAVE)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment = {
        **kept, "BARTIZAN_DATA_DIR": str(folder / "data"), "BARTIZAN_HTTP__PORT": str(port),
        "BARTIZAN_KNOWLEDGE__FOLDER": str(folder / "pages"), "BARTIZAN_MODEL__URL": model,
        "BARTIZAN_QUEUE__QUOTA": "10000", "SLACK_BOT_TOKEN": slack.workspace().token,
        "SLACK_API_BASE_URL": f"{slack.url}/api/", **settings,
    }
    if mode == SOCKET:
        environment |= {"SLACK_APP_TOKEN": APP_TOKEN}
        slack.delivery.request_url = ""
    else:
        environment |= {"SLACK_SIGNING_SECRET": SIGNING_SECRET}
        slack.delivery.request_url = f"http://127.0.0.1:{port}/slack/events"
    log = folder / "log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=ROOT, env=environment, stdout=output, stderr=output,
            stdin=asyncio.subprocess.DEVNULL, preexec_fn=die_with_parent,
        )
    running = Program(process, f"http://127.0.0.1:{port}", log)
    try:
        if ready:
            await running.ready()
            if mode == SOCKET:
                await slack.delivery.connected()        # the second one comes some seconds later
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def a_day(
    folder: Path, mode: str = SOCKET, settings: Mapping[str, str] = NOTHING, *, scale: float = 1.0,
) -> AsyncGenerator[Day]:
    """Slack, a model and the bot between them."""
    async with (
        acme(scale=scale, patience=1.0 / scale) as slack,
        fake_sglang(partial(voice, delay=0.05 / scale)) as model,
        begun(folder, slack, model.url, mode, settings) as program,
    ):
        yield Day(slack, model, program)


def a_channel(day: Day, name: str) -> str:
    """A new one, with everybody in it."""
    day.slack.opens_channel(name, "ann", "bob", "cyd")
    return name


def states(slack: FakeSlack, channel: str = "general") -> list[Stream | None]:
    """What has become of the bot's messages there."""
    return [answer.stream for answer in slack.answers(channel)]
