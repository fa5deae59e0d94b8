"""What the log says and what it never says; what is counted."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from pydantic import SecretStr
from sqlalchemy import create_engine
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.settings import LogSettings, Settings
from bot.telemetry import (
    LONGEST,
    WITHHELD,
    MeasuredInbox,
    MeasuredModel,
    MeasuredRetriever,
    Metrics,
    Withhold,
    configure_logging,
    explain,
    traced,
)
from engine.errors import ModelBroken, RetrieverUnavailable, StoreUnavailable
from engine.messages import (
    Audience,
    Claim,
    Conversation,
    ConversationId,
    Decision,
    Event,
    Found,
    Outcome,
    TraceId,
    Trail,
    Usage,
)
from engine.ports import Finished, Piece, Reasoning, Text
from engine.prompt import ChatMessage, Prompt
from tests.builders import a_message, a_passage, deleted, found, said

SAID = "my salary is 98,765 a year"
SECRET = "hush-4711-hush"
TRACE = TraceId("0123456789abcdef0123456789abcdef")


@dataclass(slots=True)
class Log:
    """What has been written to the log."""

    out: io.StringIO = field(default_factory=io.StringIO)

    @property
    def text(self) -> str:
        return self.out.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1]


@pytest.fixture(autouse=True)
def quiet() -> Generator[None]:
    """The process's logging is put back afterwards."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def log() -> Log:
    written = Log()
    configure_logging(LogSettings(level="debug", format="json"), secrets=[SECRET], stream=written.out)
    return written


def shout() -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger("bot.dispatch")
    return logger


# Lines.


def test_a_line_says_when_who_and_what(log: Log) -> None:
    shout().info("turn ended", outcome=Outcome.ANSWERED, seconds=1.5, took=timedelta(minutes=1), at=Path("/var/x"))
    assert log.last.pop("timestamp").endswith("Z")
    assert {**log.last, "timestamp": None} == {
        "event": "turn ended", "level": "info", "logger": "bot.dispatch", "outcome": "answered", "seconds": 1.5,
        "took": 60.0, "at": "/var/x", "timestamp": None,
    }


async def test_every_line_of_a_turn_carries_its_trace_whoever_logs_it(log: Log) -> None:
    async def search() -> None:
        logging.getLogger("sqlalchemy.pool").warning("connection is %s", "gone")

    with traced(TRACE, attempt=2):
        shout().info("claimed")
        await asyncio.create_task(search())
    shout().info("idle")
    assert [(line["event"], line.get("trace"), line.get("attempt")) for line in log.lines] == [
        ("claimed", TRACE, 2), ("connection is gone", TRACE, 2), ("idle", None, None),
    ]


async def test_turns_side_by_side_do_not_borrow_each_others_trace(log: Log) -> None:
    async def turn(trace: str) -> None:
        with traced(TraceId(trace)):
            await asyncio.sleep(0)
            shout().info(trace)

    await asyncio.gather(*(turn(f"{n:032x}") for n in range(5)))
    assert [line["trace"] for line in log.lines] == [line["event"] for line in log.lines]
    assert len(log.lines) == 5


def test_levels_are_kept_and_libraries_speak_up_from_a_warning_on() -> None:
    log = Log()
    configure_logging(LogSettings(level="info", format="json"), stream=log.out)
    shout().debug("too fine")
    shout().info("heard")
    logging.getLogger("bot.app").info("heard, too")
    logging.getLogger("bottle").info("not ours")
    logging.getLogger("aiosqlite").debug("executing %s", SAID)
    logging.getLogger("slack_sdk.web").info("sending %s", SAID)
    logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "\x1b[1mStarted"})
    logging.getLogger("aiohttp.client").warning("slow")
    assert [line["event"] for line in log.lines] == ["heard", "heard, too", "slow"]
    assert "color_message" not in log.text


def test_configuring_twice_does_not_say_everything_twice(log: Log) -> None:
    again = Log()
    configure_logging(LogSettings(format="json"), stream=again.out)
    shout().info("once")
    assert (len(log.lines), len(again.lines)) == (0, 1)


def test_people_get_a_console_and_machines_get_json() -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    for out, is_json in ((io.StringIO(), True), (Screen(), False)):
        configure_logging(LogSettings(), stream=out)
        shout().info("hello", number=1)
        assert out.getvalue().startswith("{") is is_json
        assert "hello" in out.getvalue()


# What people wrote.


@pytest.mark.parametrize("name", ["text", "question", "answer", "prompt", "Text", "message", "user_text", "payload"])
def test_what_people_wrote_is_withheld(log: Log, name: str) -> None:
    shout().info("heard", **{name: SAID})
    logging.getLogger("bot.dispatch").warning("heard", extra={f"x_{name}_text": SAID})
    assert log.lines[0][name] == WITHHELD
    assert SAID not in log.text


def test_a_count_of_them_may_be_told(log: Log) -> None:
    shout().info("prompt built", passages=6, messages=3, prompt=None)
    assert (log.last["passages"], log.last["messages"], log.last["prompt"]) == (6, 3, None)


def test_it_is_withheld_however_deep_it_lies_and_objects_are_not_printed(log: Log) -> None:
    message = a_message(SAID)
    cycle: dict[str, object] = {"id": "x"}
    cycle["self"] = cycle
    shout().info(
        "heard", of=message, found=found(a_passage(SAID)), cycle=cycle, context=structlog.get_context,
        deep={"id": message.id, "event": {"text": SAID, "more": [{"body": SAID}, message]}}, kind=Text,
        bytes=SAID.encode(),
    )
    assert SAID not in log.text
    assert log.last["of"] == "<Message>"
    assert log.last["deep"]["id"] == message.id
    assert log.last["kind"] == "Text"


@given(st.recursive(
    st.one_of(st.just(SAID), st.integers(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["text", "body", "Answer"]), inner, max_size=3)
    ),
))
def test_under_a_private_name_nothing_but_numbers_passes(value: object) -> None:
    line = Withhold()(None, "info", {"event": "x", "text": value, "payload": {"text": value}})
    assert SAID not in json.dumps(line)


def test_a_long_value_is_cut_and_cannot_forge_a_line(log: Log) -> None:
    shout().info("x", url="a" * (LONGEST + 1), name="ann\n{\"event\": \"forged\"}\x1b[2J\u2028")
    assert len(log.lines) == 1
    assert log.last["url"].endswith(f"({LONGEST + 1} characters)")
    assert log.last["name"] == 'ann\\x0a{"event": "forged"}\\x1b[2J\\x2028'


# Secrets.


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_secret_is_recognised_wherever_it_turns_up(style: str) -> None:
    settings = Settings(database_url=SecretStr(f"postgresql://bot:{SECRET}@db/bartizan"))
    log = Log()
    configure_logging(LogSettings.model_validate({"format": style}), secrets=settings.secrets(), stream=log.out)
    shout().info(f"connecting with {SECRET}", **{SECRET: 1}, list=[SECRET], map={SECRET: SECRET}, at=Path(SECRET))
    shout().info("settings", settings=settings, key=settings.database_url, url=settings.database, bot_token=SECRET)
    logging.getLogger("aiohttp").warning("%s failed", f"x-key={SECRET}")
    error = RuntimeError(SECRET)
    shout().error("broke", exc_info=error, error=error, much="x" * (LONGEST - 5) + SECRET)
    assert log.text.count("\n") >= 4
    assert SECRET not in log.text
    assert SECRET[:5] not in log.text


@pytest.mark.parametrize("header", ["Bearer abcdefgh12345678", "Basic dXNlcjpwYXNz", "Bot MTE.Gx.abc-123456"])
def test_unknown_credentials_are_recognised_by_their_look(log: Log, header: str) -> None:
    shout().warning("refused", sent=f"authorization: {header}", url="redis://me:pw1234@cache:1/0")
    assert header.split()[1] not in log.text
    assert log.last["url"] == "redis://me:***@cache:1/0"


# Exceptions.


def test_an_exception_is_told_by_type_and_place_without_its_variables(log: Log) -> None:
    def deep(text: str) -> None:
        assert text
        raise StoreUnavailable("the database is locked") from OSError(28, "No space left on device")

    try:
        deep(SAID)
    except StoreUnavailable:
        shout().exception("cannot store")
    story = log.last["exception"]
    assert story.startswith("StoreUnavailable: the database is locked\n")
    assert "in test_an_exception_is_told_by_type_and_place_without_its_variables.<locals>.deep" in story
    assert "caused by\nOSError: [Errno 28] No space left on device" in story
    assert SAID not in log.text
    assert "Traceback" not in log.text


@pytest.mark.parametrize("error", [ValueError(SAID), KeyError(SAID), UnicodeEncodeError("ascii", SAID, 0, 1, SAID)])
def test_errors_that_quote_their_data_are_told_by_type_alone(error: Exception) -> None:
    assert explain(error) == f"{type(error).__name__}: {WITHHELD}"


def test_a_database_error_says_what_is_wrong_and_not_with_which_values(log: Log) -> None:
    engine = create_engine("sqlite://", hide_parameters=False)      # even if somebody forgets to hide them
    insert = sql("INSERT INTO note VALUES (:body)")
    with engine.connect() as connection:
        connection.execute(sql("CREATE TABLE note (body TEXT UNIQUE)"))
        connection.execute(insert, {"body": SAID})
        with pytest.raises(IntegrityError) as caught:
            connection.execute(insert, {"body": SAID})
    engine.dispose()
    shout().error("cannot store", exc_info=caught.value)
    assert SAID in str(caught.value)
    assert log.last["exception"].startswith(
        "IntegrityError: (sqlite3.IntegrityError) UNIQUE constraint failed: note.body\n"
    )
    assert SAID not in log.text


@pytest.mark.parametrize(
    ("said_by_the_driver", "told"),
    [
        (f'invalid input syntax for type integer: "{SAID}"', f"invalid input syntax for type integer {WITHHELD}"),
        (f"invalid input for query argument $1: '{SAID}' (no)", f"invalid input for query argument $1 {WITHHELD}"),
        (f'duplicate key violates "turn_pkey"\nDETAIL:  Key (x)=({SAID})', 'duplicate key violates "turn_pkey"'),
        (f"cannot take '{SAID}' here", f"cannot take {WITHHELD}"),
        ("no such table: turn", "no such table: turn"),
    ],
)
def test_a_driver_that_quotes_a_value_is_interrupted(said_by_the_driver: str, told: str) -> None:
    error = OperationalError("SELECT 1", {}, Exception(said_by_the_driver))
    assert explain(error) == f"OperationalError: (builtins.Exception) {told}"


async def test_errors_in_a_group_are_all_told(log: Log) -> None:
    async def fail(error: Exception) -> None:
        raise error

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail(ModelBroken("half an answer")))
            tasks.create_task(fail(ValueError(SAID)))
    except ExceptionGroup:
        shout().exception("two broke")
    assert "2 errors" in log.last["exception"]
    assert "  ModelBroken: half an answer" in log.last["exception"]
    assert "  ValueError" in log.last["exception"]
    assert SAID not in log.text


def test_errors_that_point_at_each_other_end(log: Log) -> None:
    one, two = StoreUnavailable("one"), StoreUnavailable("two")
    one.__cause__, two.__cause__ = two, one
    shout().error("broke", exc_info=one)
    assert log.last["exception"] == "StoreUnavailable: one\ncaused by\nStoreUnavailable: two"


async def test_a_lost_task_does_not_print_the_error_that_it_died_of(log: Log) -> None:
    async def die() -> None:
        raise ValueError(SAID)

    task = asyncio.create_task(die())
    await asyncio.wait([task])
    del task        # asyncio's own handler logs the exception as it prints itself
    assert log.last["event"] == "Task exception was never retrieved"
    assert "ValueError" in log.last["exception"]
    assert SAID not in log.text


# Metrics.


@pytest.fixture
def metrics() -> Metrics:
    return Metrics.fresh()


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(f"bartizan_{name}", labels) or 0.0


@dataclass(frozen=True, slots=True)
class OneModel:
    """Says its pieces; an exception among them is raised."""

    pieces: Sequence[Piece | Exception]
    closed: list[bool] = field(default_factory=list)
    name: str = "chat"

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        del prompt
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed.append(True)


def a_prompt() -> Prompt:
    return Prompt((ChatMessage("user", SAID),), TRACE)


async def heard(model: MeasuredModel, at_most: int = 99) -> list[Piece]:
    pieces: list[Piece] = []
    async with aclosing(model.stream(a_prompt())) as stream:
        async for piece in stream:
            pieces.append(piece)
            if len(pieces) == at_most:
                break
    return pieces


async def test_a_measured_model_says_the_same_and_is_counted(metrics: Metrics) -> None:
    pieces: list[Piece] = [Reasoning("hm"), Text("Ten "), Text("days."), Finished("stop", Usage(100, 20, 64))]
    ticks = iter((10.0, 10.4))
    model = MeasuredModel(OneModel(pieces), metrics, clock=lambda: next(ticks))
    assert (model.name, await heard(model)) == ("chat", pieces)
    assert value(metrics, "model_pieces_total", model="chat", kind="text") == 2
    assert value(metrics, "model_pieces_total", model="chat", kind="reasoning") == 1
    assert value(metrics, "model_streams_total", model="chat", end="stop") == 1
    assert [value(metrics, "model_tokens_total", model="chat", kind=k) for k in ("prompt", "completion", "cached")] == [
        100, 20, 64,
    ]
    assert value(metrics, "model_first_text_seconds_sum", model="chat") == pytest.approx(0.4)


async def test_a_stream_that_is_left_is_closed_and_counted_so(metrics: Metrics) -> None:
    inner = OneModel([Text("a"), Text("b"), Finished("stop")])
    assert await heard(MeasuredModel(inner, metrics), at_most=1) == [Text("a")]
    assert inner.closed == [True]
    assert value(metrics, "model_streams_total", model="chat", end="left") == 1
    assert value(metrics, "model_pieces_total", model="chat", kind="text") == 1


async def test_a_stream_that_breaks_is_counted_by_its_error(metrics: Metrics) -> None:
    with pytest.raises(ModelBroken):
        await heard(MeasuredModel(OneModel([Text("a"), ModelBroken("gone")]), metrics))
    assert value(metrics, "model_streams_total", model="chat", end="ModelBroken") == 1


async def test_a_server_cannot_invent_series(metrics: Metrics) -> None:
    for reason in ("because", "x" * 1000, "length"):
        await heard(MeasuredModel(OneModel([Finished(reason)]), metrics))
    assert value(metrics, "model_streams_total", model="chat", end="other") == 2
    assert value(metrics, "model_streams_total", model="chat", end="length") == 1


@dataclass(frozen=True, slots=True)
class OneRetriever:
    """Finds one thing, or fails."""

    result: Found | Exception

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        del question, past, audience, limit
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def test_searches_are_counted_by_what_came_of_them(metrics: Metrics) -> None:
    async def search(result: Found | Exception) -> Found:
        retriever = MeasuredRetriever(OneRetriever(result), metrics)
        return await retriever.find(SAID, past=Conversation(ConversationId("c")), audience=Audience(), limit=6)

    for result in (found(a_passage()), found(), found()):
        assert await search(result) is result
    with pytest.raises(RetrieverUnavailable, match="no index"):
        await search(RetrieverUnavailable("no index"))
    assert [value(metrics, "retrievals_total", result=r) for r in ("answers", "nothing", "RetrieverUnavailable")] == [
        1, 2, 1,
    ]
    assert value(metrics, "retrieval_seconds_count") == 4


@dataclass(frozen=True, slots=True)
class OneInbox:
    """Remembers keys; a full disk fails."""

    seen: set[str] = field(default_factory=set)
    full: bool = False

    async def receive(self, event: Event) -> bool:
        if self.full:
            raise StoreUnavailable("full")
        new = event.key not in self.seen
        self.seen.add(event.key)
        return new

    async def reject(self, platform: str, raw: bytes, reason: str) -> None:
        del platform, raw, reason
        if self.full:
            raise StoreUnavailable("full")


async def test_events_are_counted_as_new_known_unreadable_or_not_stored(metrics: Metrics) -> None:
    inbox, event = MeasuredInbox(OneInbox(), metrics), said(SAID)
    assert [await inbox.receive(each) for each in (event, event, deleted(event))] == [True, False, True]
    await inbox.reject("test", b"\xff", "not JSON")
    full = MeasuredInbox(OneInbox(full=True), metrics)
    with pytest.raises(StoreUnavailable):
        await full.receive(event)
    with pytest.raises(StoreUnavailable):
        await full.reject("test", b"", "")
    assert value(metrics, "events_total", platform="test", state="new") == 2
    assert value(metrics, "events_total", platform="test", state="duplicate") == 1
    assert value(metrics, "rejected_events_total", platform="test") == 2
    assert value(metrics, "store_errors_total", operation="receive") == 1
    assert value(metrics, "store_errors_total", operation="reject") == 1


def test_the_end_of_a_turn_counts_what_its_trail_holds(metrics: Metrics) -> None:
    verdicts = [Decision("in", "secrets", "1", "mask"), Decision("out", "secrets", "1", "allow")]
    trail = Trail(TRACE, verdicts, dropped_marks=2)
    metrics.claimed(Claim(TRACE, a_message(), waited=0.3))
    with metrics.open_turns.track_inprogress():
        assert value(metrics, "open_turns") == 1
    metrics.ended(Outcome.ANSWERED, 4.0, trail)
    metrics.retried(ModelBroken("x"))
    metrics.buried()
    assert value(metrics, "open_turns") == 0
    assert value(metrics, "turns_total", outcome="answered") == 1
    assert value(metrics, "turn_seconds_sum") == 4.0
    assert value(metrics, "queue_wait_seconds_sum") == 0.3
    assert value(metrics, "guard_decisions_total", direction="in", guard="secrets", action="mask") == 1
    assert value(metrics, "guard_decisions_total", direction="out", guard="secrets", action="allow") == 1
    assert value(metrics, "dropped_marks_total") == 2
    assert value(metrics, "turn_retries_total", cause="ModelBroken") == 1
    assert value(metrics, "dead_letters_total") == 1


def test_two_bots_in_one_process_count_apart(metrics: Metrics) -> None:
    other = Metrics.fresh()
    metrics.buried()
    assert (value(metrics, "dead_letters_total"), value(other, "dead_letters_total")) == (1, 0)


def test_the_alert_metric_is_there_before_anything_went_wrong(metrics: Metrics) -> None:
    assert b"\nbartizan_dead_letters_total 0.0\n" in generate_latest(metrics.registry)
