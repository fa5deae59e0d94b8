"""How quickly the bot hears and shows in Slack, and whether it keeps within Slack's rates.

    .venv/bin/python bench/slack.py [--seconds 60] [--events 50] [--questions 1] [--mode socket|http]

`bartizan run` and a model are processes of their own; the fake Slack is here, with every documented tier in force. Of
the events of each second some are questions to the bot, and each answer takes 20 seconds, so that 20 stream at a time.
Past 20 starts of streams a minute the others are edited messages. The last column is the target; nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.fake_slack import FakeSlack, Post
from tests.postgres import die_with_parent
from tests.stories.slack_day import acme, begun

ROOT = Path(__file__).parent.parent
CHUNKS, CHUNK_MS = 100, 200     # of one answer: 20 seconds
CHANNELS = 12                   # a channel takes a message a second
FIRST = {"assistant.threads.setStatus", "chat.startStream", "chat.postMessage"}
PATIENCE = 300.0                # seconds until the last answer is finished


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for."""

    seconds: int = 60
    events: int = 50            # a second
    questions: int = 1          # of them for the bot
    mode: str = "socket"


@asynccontextmanager
async def a_model() -> AsyncGenerator[str]:
    """A streaming model in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fake_sglang", "--chunks", str(CHUNKS), "--delay-ms", str(CHUNK_MS), cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, preexec_fn=die_with_parent,
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().removeprefix("ready ").strip()
    finally:
        process.kill()
        await process.communicate()


async def talk(slack: FakeSlack, options: Options) -> list[Post]:
    """People talk; returns the questions to the bot."""
    questions: list[Post] = []
    loop = asyncio.get_running_loop()
    begin, every = loop.time(), options.events // max(1, options.questions)
    for number in range(options.seconds * options.events):
        await asyncio.sleep(max(0.0, begin + number / options.events - loop.time()))
        channel, user = f"room{number % CHANNELS}", ("ann", "bob", "cyd")[number % 3]
        if options.questions and number % every == 0:
            channel = f"room{len(questions) % CHANNELS}"
            words = f"@bartizan how much notice before annual leave number {number}?"
            questions.append(slack.says(user, channel, words))
        else:
            slack.says(user, channel, f"Nothing that concerns the bot, remark {number} of today.")
    return questions


def finished(slack: FakeSlack, question: Post) -> bool:
    """Whether its answer stands there with its buttons."""
    answers = [p for p in slack.workspace().channels[question.channel].thread(question.ts) if p.bot_id]
    return bool(answers) and "[Try again]" in answers[-1].seen


def first_signs(slack: FakeSlack, questions: Sequence[Post]) -> list[float]:
    """Seconds from each question's first delivery to the first thing that the person sees."""
    told: dict[str, float] = {}
    for delivery in slack.delivery.log:
        ts = delivery.payload["event"].get("ts")
        if ts and delivery.sent:
            told[ts] = min(told.get(ts, delivery.sent[0]), delivery.sent[0])
    shown: dict[str, float] = {}
    for call in slack.calls:
        if call.method in FIRST and not call.error and call.done is not None:
            shown.setdefault(str(call.args.get("thread_ts")), call.done)
    return [shown[q.ts] - told[q.ts] for q in questions if q.ts in shown]


def percentile(values: Sequence[float], part: int) -> float:
    """In milliseconds; nan: there are none."""
    if len(values) < 2:
        return 1000 * values[0] if values else float("nan")
    return 1000 * statistics.quantiles(values, n=100, method="inclusive")[part - 1]


def row(what: str, value: float, unit: str, target: str = "") -> None:
    """One line of the table."""
    print(f"{what:<58} {value:>9.1f} {unit:<4} {target}", flush=True)


async def measure(options: Options, folder: Path) -> None:
    """One run."""
    settings = {"BARTIZAN_QUEUE__CONCURRENCY": "64", "BARTIZAN_QUEUE__BACKLOG": "1000"}
    async with a_model() as model, acme() as slack:
        for number in range(CHANNELS):
            slack.opens_channel(f"room{number}", "ann", "bob", "cyd")
        async with begun(folder, slack, model, options.mode, settings):
            await asyncio.sleep(2.0)
            slack.delivery.log.clear()
            slack.calls.clear()
            began = asyncio.get_running_loop().time()
            questions = await talk(slack, options)
            await slack.until(lambda: all(finished(slack, q) for q in questions), PATIENCE)
            took = asyncio.get_running_loop().time() - began
    acks = [d.acked - d.sent[0] for d in slack.delivery.log if d.acked is not None]
    signs = first_signs(slack, questions)
    answers = [p for q in questions for p in slack.workspace().channels[q.channel].thread(q.ts) if p.bot_id]
    row("events told", len(slack.delivery.log), "")
    row("events never acknowledged", sum(d.acked is None for d in slack.delivery.log), "", "0")
    row("event to acknowledgement, median", percentile(acks, 50), "ms")
    row("event to acknowledgement, p99", percentile(acks, 99), "ms", "<= 250 ms")
    row("question to first sign, median", percentile(signs, 50), "ms")
    row("question to first sign, p95", percentile(signs, 95), "ms", "<= 500 ms")
    row("429s provoked", sum(call.error == "ratelimited" for call in slack.calls), "", "0")
    row("questions", len(questions), "")
    row("messages of the bot (one each is best)", len(answers), "")
    row("of them streamed natively", sum(p.stream is not None for p in answers), "")
    row("calls to start a stream", sum(c.method == "chat.startStream" for c in slack.calls), "", "<= 20 a minute")
    row("calls that went wrong otherwise",
        sum(bool(c.error) and c.error != "ratelimited" for c in slack.calls), "", "0")
    row("seconds from the first question to the last answer's end", took, "s")


def main() -> None:
    """From the command line."""
    given = Options()
    parser = argparse.ArgumentParser(description="How quickly the bot hears and shows in Slack.")
    parser.add_argument("--seconds", type=int, default=given.seconds)
    parser.add_argument("--events", type=int, default=given.events, help="a second")
    parser.add_argument("--questions", type=int, default=given.questions, help="of them for the bot")
    parser.add_argument("--mode", choices=["socket", "http"], default=given.mode)
    options = Options(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="slack-") as folder:
        asyncio.run(measure(options, Path(folder)))


if __name__ == "__main__":
    main()
