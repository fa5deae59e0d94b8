"""What an operator sees: log lines that never hold what people wrote, metrics, and the wrappers that measure a port.

The log is closed by default. A value is written only if it is of a kind that cannot hold a chat message: under a
harmless name, and a plain one. Exceptions are told by type and place; their own words are kept only where these are
known to be about the world and not about the data.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from pathlib import PurePath
from traceback import walk_tb
from typing import Any, Final, TextIO
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.settings import LogSettings
from bot.values import redact
from engine.errors import BotError, StoreUnavailable
from engine.messages import (
    Audience,
    Claim,
    Conversation,
    Decision,
    Event,
    Found,
    Outcome,
    Passage,
    Said,
    TraceId,
    Trail,
)
from engine.ports import ChatModel, Finished, Inbox, Piece, Reasoning, Retriever, Text
from engine.prompt import Prompt

WITHHELD: Final = "[withheld]"
LONGEST: Final = 2_000
"""Characters of one value in a log line."""

_PRIVATE: Final = frozenset((
    "text", "texts", "question", "questions", "answer", "answers", "prompt", "message", "messages", "content",
    "contents", "body", "payload", "raw", "quote", "quotes", "passage", "passages", "reply", "reasoning", "said",
    "chat", "words", "history", "piece", "pieces", "query", "sql", "parameters", "params", "args", "token",
    "secret", "password", "passwd", "api_key", "apikey", "master_key", "private_key", "access_key",
    "authorization", "cookie", "cookies", "headers", "credentials", "signature",
))
_PRIVATE_ENDINGS: Final = ("_text", "_token", "_secret", "_password", "_api_key", "_authorization", "_cookie")
_PLAIN: Final = ("bool", "int", "float", "NoneType")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic|bot)\s+[\w.~+/=-]{8,}")
_SQL_TAIL: Final = re.compile(r"\s*(\[SQL:|\[parameters:|\n|DETAIL:).*", re.DOTALL)
# Databases quote the value that they cannot take; names of tables and columns are quoted, too, and stay.
_BAD_VALUE: Final = re.compile(r"(invalid input (?:syntax for type [\w ]+|for query argument \$\d+)).*", re.DOTALL)
_QUOTED: Final = re.compile(r"""((["'])[\w.$:/-]{1,80}\2)|(?<!\w)["'].*""", re.DOTALL)

_TELLING: Final = (
    OSError, ImportError, MemoryError, RecursionError, NameError, AttributeError, TypeError, RuntimeError,
)
"""Errors of Python itself whose words are about code or the system. `ValueError` and `KeyError` quote data."""
_TELLING_LIBRARIES: Final = ("sqlalchemy", "asyncpg", "sqlite3", "aiohttp", "alembic", "starlette", "uvicorn", "ssl")

_OURS: Final = frozenset(("bot", "adapters", "engine", "migrations", "bartizan", "__main__"))
"""Loggers that are heard below a warning. Below that, other libraries print SQL parameters and whole events."""


# Exceptions, told safely.


def explain(error: BaseException) -> str:
    """One line: type and, where it holds no data, the error's own words. Fit for a log and for an operator."""
    name = type(error).__name__
    words = _words(error)
    return f"{name}: {words}" if words else name


def _words(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return f"{len(error.exceptions)} errors"
    library = type(error).__module__.partition(".")[0]
    if isinstance(error, BotError):
        return _clean(str(error))
    if library in _TELLING_LIBRARIES or (library == "builtins" and isinstance(error, _TELLING)):
        said = _SQL_TAIL.sub("", str(error))
        said = _BAD_VALUE.sub(rf"\1 {WITHHELD}", said)
        return _clean(_QUOTED.sub(lambda found: found[1] or WITHHELD, said))
    return WITHHELD if str(error) else ""


def _story(error: BaseException, seen: set[int], depth: str = "") -> Iterator[str]:
    """An exception, where it passed, and what was behind it. No source, no local variables."""
    seen.add(id(error))
    yield f"{depth}{explain(error)}"
    for frame, line in list(walk_tb(error.__traceback__))[-30:]:
        yield f"{depth}  {frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}"
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _story(inner, seen, f"{depth}  ")
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if behind is not None and id(behind) not in seen and len(seen) < 20:
        yield f"{depth}caused by"
        yield from _story(behind, seen, depth)


# Log lines.


def configure_logging(log: LogSettings, *, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Sends everything, ours and the libraries', through one door to ``stream`` (standard error).

    ``secrets`` are masked wherever they turn up. May be called again; the last call holds.
    """
    out = sys.stderr if stream is None else stream
    console = log.format == "console" or (log.format == "auto" and out.isatty())
    level = logging.getLevelNamesMapping()[log.level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if console else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(out)
    handler.addFilter(_audible)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), _first_line],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            Withhold(frozenset(secret for secret in secrets if len(secret) >= 4)),
            renderer,
        ],
    ))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)


def _audible(record: logging.LogRecord) -> bool:
    """A library speaks up from a warning on."""
    return (
        record.levelno >= logging.WARNING or isinstance(record.msg, dict) or record.name.partition(".")[0] in _OURS
    )


def _first_line(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Of what a library says. Further lines are objects as they print themselves, exceptions and their data, too."""
    del logger, method
    event["event"] = str(event["event"]).partition("\n")[0]
    return event


def traced(trace: TraceId, **more: str | int) -> AbstractContextManager[Any]:
    """Every line that is logged inside, by whichever task that began inside, carries the trace."""
    return structlog.contextvars.bound_contextvars(trace=trace, **more)


@dataclass(frozen=True, slots=True)
class Withhold:
    """The log's last processor but one: what people wrote, secrets and control characters do not pass."""

    secrets: frozenset[str] = frozenset()

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """The line as it may be written."""
        del logger, method
        event.pop("color_message", None)        # uvicorn says everything twice
        raised = event.pop("exc_info", None)
        safe: EventDict = {self._said(str(key)): self._named(str(key), value, 3) for key, value in event.items()}
        if error := _exception(raised):
            safe["exception"] = self._mask("\n".join(_story(error, set())))
        return safe

    def _named(self, name: str, value: object, depth: int) -> object:
        plain = name.lower().replace("-", "_")
        if plain in _PRIVATE or plain.endswith(_PRIVATE_ENDINGS):
            return value if type(value).__name__ in _PLAIN else WITHHELD
        return self._plain(value, depth)

    def _plain(self, value: object, depth: int) -> object:    # noqa: PLR0911  (a table: one line for each kind)
        """Plain values pass. An object could print anything, so only its type is named."""
        match value:
            case Enum():
                return self._plain(value.value, depth)
            case None | bool() | int() | float():
                return value
            case str():
                return self._said(value)
            case timedelta():
                return value.total_seconds()
            case date() | UUID() | PurePath():
                return self._said(str(value))
            case BaseException():
                return self._mask(explain(value))
            case type():
                return value.__qualname__
            case Mapping() if depth:
                return {
                    self._said(str(key)): self._named(str(key), each, depth - 1)
                    for key, each in list(value.items())[:50]
                }
            case (list() | tuple() | set() | frozenset()) if depth and not hasattr(value, "_fields"):
                return [self._plain(each, depth - 1) for each in list(value)[:50]]
            case _:
                return f"<{type(value).__qualname__}>"

    def _said(self, text: str) -> str:
        return _clean(self._mask(text))         # in this order: a secret that is cut in two is not recognised

    def _mask(self, text: str) -> str:
        for secret in self.secrets:
            if secret in text:
                text = text.replace(secret, WITHHELD)
        return text


def _clean(text: str) -> str:
    """One line, of bearable length, without credentials and without characters that could forge another line."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}... ({len(text)} characters)"
    text = _BEARER.sub(rf"\1 {WITHHELD}", redact(text))
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _exception(raised: object) -> BaseException | None:
    match raised:
        case BaseException():
            return raised
        case (_, BaseException() as error, _):
            return error
        case True:
            return sys.exc_info()[1]
        case _:
            return None


# Metrics.

_SHORT: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LONG: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
_REASONS: Final = frozenset(("stop", "length", "content_filter", "tool_calls", "abort"))


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """Everything that is counted, in a registry of its own, so that two bots in one process do not mix.

    Always on: counting costs less than asking whether to. `Metrics.fresh` makes one, for a test as for the program.
    Seconds are seconds; no label ever holds a person, a conversation or a text.
    """

    registry: CollectorRegistry
    events: Counter             # platform; state: new | duplicate
    rejected: Counter           # platform
    heard: Counter              # platform, kind; came: stored | known | ignored | noted | rejected | failed
    store_errors: Counter       # operation
    waiting: Gauge
    open_turns: Gauge           # `with metrics.open_turns.track_inprogress():`
    waited: Histogram
    turns: Counter              # outcome
    turn_seconds: Histogram
    retries: Counter            # cause: the error's class
    dead_letters: Counter
    decisions: Counter          # direction, guard, action
    dropped_marks: Counter
    first_text: Histogram       # model
    pieces: Counter             # model; kind: text | reasoning
    streams: Counter            # model; end: a finish reason, an error's class, or left
    tokens: Counter             # model; kind: prompt | cached | completion
    retrieval_seconds: Histogram
    retrievals: Counter         # result: answers | nothing | an error's class

    @classmethod
    def fresh(cls) -> Metrics:
        """All at zero."""
        # They would be a second series for each one, about when it began, that nobody reads.
        disable_created_metrics()       # type: ignore[no-untyped-call]
        registry = CollectorRegistry(auto_describe=True)

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"bartizan_{name}", what, labels, registry=registry)

        def gauge(name: str, what: str) -> Gauge:
            return Gauge(f"bartizan_{name}", what, registry=registry)

        def histogram(name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"bartizan_{name}", what, labels, registry=registry, buckets=buckets)

        return cls(
            registry=registry,
            events=counter("events_total", "Events received from a chat platform.", "platform", "state"),
            rejected=counter("rejected_events_total", "Events that could not be read.", "platform"),
            heard=counter(
                "platform_events_total", "What a chat platform told us, and what came of it.",
                "platform", "kind", "came",
            ),
            store_errors=counter("store_errors_total", "Times that the database failed.", "operation"),
            waiting=gauge("queue_waiting", "Turns that wait to be taken."),
            open_turns=gauge("open_turns", "Turns under way in this process."),
            waited=histogram("queue_wait_seconds", "From an event's reception to its claim.", _LONG),
            turns=counter("turns_total", "Turns that ended.", "outcome"),
            turn_seconds=histogram("turn_seconds", "From a turn's claim to its end.", _LONG),
            retries=counter("turn_retries_total", "Turns put back for another attempt.", "cause"),
            dead_letters=counter("dead_letters_total", "Turns given up for good. Alert on any increase."),
            decisions=counter("guard_decisions_total", "Verdicts of guards.", "direction", "guard", "action"),
            dropped_marks=counter("dropped_marks_total", "Citation marks that pointed at no passage."),
            first_text=histogram("model_first_text_seconds", "From the request to the first word.", _SHORT, "model"),
            pieces=counter("model_pieces_total", "Pieces of streams.", "model", "kind"),
            streams=counter("model_streams_total", "Streams that ended.", "model", "end"),
            tokens=counter("model_tokens_total", "Tokens, as the server counts them.", "model", "kind"),
            retrieval_seconds=histogram("retrieval_seconds", "One search for passages.", _SHORT),
            retrievals=counter("retrievals_total", "Searches for passages.", "result"),
        )

    def received(self, platform: str, *, new: bool) -> None:
        """An event arrived and is on disk, now or already before."""
        self.events.labels(platform, "new" if new else "duplicate").inc()

    def claimed(self, claim: Claim) -> None:
        """A turn was taken from the queue."""
        self.waited.observe(max(0.0, claim.waited))

    def ended(self, outcome: Outcome, seconds: float, trail: Trail) -> None:
        """A turn ended for good, ``seconds`` after its claim; with it, every verdict on its trail."""
        self.turns.labels(outcome.value).inc()
        self.turn_seconds.observe(seconds)
        for decision in trail.decisions:
            self.decided(decision)
        if trail.dropped_marks:
            self.dropped_marks.inc(trail.dropped_marks)

    def decided(self, decision: Decision) -> None:
        """One verdict that is on no trail; `ended` counts those that are."""
        self.decisions.labels(decision.direction, decision.guard, decision.action).inc()

    def retried(self, cause: BaseException) -> None:
        """A turn goes back to the queue, with a pause."""
        self.retries.labels(type(cause).__name__).inc()

    def buried(self) -> None:
        """A turn was given up: somebody should look at it."""
        self.dead_letters.inc()

    def store_failed(self, operation: str) -> None:
        """``operation`` is a name of ours: receive, claim, answered, ..."""
        self.store_errors.labels(operation).inc()


# Ports that are measured.


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """A `ChatModel` around a `ChatModel`. Counts in local variables and reports once, when the stream ends."""

    inner: ChatModel
    metrics: Metrics
    clock: Callable[[], float] = time.perf_counter

    @property
    def name(self) -> str:
        """The model's."""
        return self.inner.name

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The inner stream, piece by piece."""
        texts = thoughts = 0
        end, began = "left", self.clock()
        try:
            async with aclosing(self.inner.stream(prompt)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Text):
                        if not texts:
                            self.metrics.first_text.labels(self.name).observe(self.clock() - began)
                        texts += 1
                    elif isinstance(piece, Reasoning):
                        thoughts += 1
                    else:
                        end = self._finished(piece)
                    yield piece
        except Exception as error:
            end = type(error).__name__
            raise
        finally:
            self.metrics.pieces.labels(self.name, "text").inc(texts)
            self.metrics.pieces.labels(self.name, "reasoning").inc(thoughts)
            self.metrics.streams.labels(self.name, end).inc()

    def _finished(self, piece: Finished) -> str:
        tokens, usage = self.metrics.tokens, piece.usage
        for kind, count in (("prompt", usage.prompt), ("cached", usage.cached), ("completion", usage.completion)):
            tokens.labels(self.name, kind).inc(max(0, count))
        return piece.reason if piece.reason in _REASONS else "other"    # a server may say anything


@dataclass(frozen=True, slots=True)
class MeasuredRetriever:
    """A `Retriever` around a `Retriever`."""

    inner: Retriever
    metrics: Metrics
    clock: Callable[[], float] = time.perf_counter

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """What the inner one finds."""
        began, result = self.clock(), "left"
        try:
            found = await self.inner.find(question, past=past, audience=audience, limit=limit)
            result = "answers" if found.answers else "nothing"
        except Exception as error:
            result = type(error).__name__
            raise
        else:
            return found
        finally:
            self.metrics.retrieval_seconds.observe(self.clock() - began)
            self.metrics.retrievals.labels(result).inc()

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """As the inner one says; a look at records, which nobody needs to time."""
        return await self.inner.still_readable(passages, audience)


@dataclass(frozen=True, slots=True)
class MeasuredInbox:
    """An `Inbox` around an `Inbox`: what came in, what was known, what could not be read or stored."""

    inner: Inbox
    metrics: Metrics

    async def receive(self, event: Event) -> bool:
        """Whether the event is new."""
        try:
            new = await self.inner.receive(event)
        except StoreUnavailable:
            self.metrics.store_failed("receive")
            raise
        message = event.message.id if isinstance(event, Said) else event.message
        self.metrics.received(message.partition(":")[0], new=new)
        return new

    async def reject(self, platform: str, raw: bytes, reason: str) -> None:
        """Keeps what cannot be read."""
        self.metrics.rejected.labels(platform).inc()
        try:
            await self.inner.reject(platform, raw, reason)
        except StoreUnavailable:
            self.metrics.store_failed("reject")
            raise


@dataclass(frozen=True, slots=True)
class PlatformCounts:
    """What one chat platform tells us, counted."""

    metrics: Metrics
    platform: str

    def heard(self, kind: str, came: str) -> None:
        """An event of a kind, and what came of it. Kinds are the platform's own names, a known few."""
        self.metrics.heard.labels(self.platform, kind, came).inc()
