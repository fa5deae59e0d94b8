"""The worker process and its lines: started, asked, and started again when it dies."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec
import structlog

log = structlog.get_logger()

Direction: TypeAlias = Literal["in", "out"]
WORKER: Final = Path(__file__).with_name("worker.py")
LINE: Final = 64 * 1024 * 1024
"""Bytes of one line."""
GRACE: Final = timedelta(seconds=2)
STUCK: Final = 3
"""Replies in a row that did not come in time: then the worker is ended, and the next one starts."""


@dataclass(frozen=True, slots=True)
class NemoConfig:
    """``folder`` holds the NeMo configuration; ``python`` is the interpreter of an environment that has NeMo."""

    folder: Path
    python: Path
    timeout: timedelta = timedelta(seconds=5)       # for one text
    restart: timedelta = timedelta(seconds=5)       # between the death of a worker and the next one
    worker: Path = WORKER


class Reply(msgspec.Struct, frozen=True):
    """What the rails say of one text. ``rail``: which one blocked it."""

    status: Literal["passed", "modified", "blocked", "error"]
    text: str = ""
    rail: str = ""
    id: int = 0


class _Ready(msgspec.Struct, frozen=True, rename={"inbound": "in", "outbound": "out"}):
    ready: bool
    inbound: bool = False
    outbound: bool = False
    cause: str = ""


_reply: Final = msgspec.json.Decoder(Reply)
_ready: Final = msgspec.json.Decoder(_Ready)
ABSENT: Final = Reply("passed", rail="absent")
"""For a direction for which the configuration has no rails."""


class NemoProcess:
    """Create it with `open`. Asking never raises for what the worker does: a missing reply is an ``error``."""

    def __init__(self, config: NemoConfig) -> None:
        self.config = config
        self._process: Process | None = None
        self._ready: _Ready | None = None
        self._news = asyncio.Condition()
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._numbers = count(1)
        self._late = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, config: NemoConfig) -> AsyncGenerator[NemoProcess, None]:
        """A worker that lives as long as the context. Starting takes seconds, and nobody waits for it here."""
        process = cls(config)
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(process._keep())
            try:
                yield process
            finally:
                keeper.cancel()

    async def ask(self, direction: Direction, question: str, text: str) -> Reply:
        """What the rails say; ``question`` is for outbound texts."""
        try:
            async with asyncio.timeout(self.config.timeout.total_seconds()):
                async with self._news:
                    await self._news.wait_for(lambda: self._ready is not None)
                return await self._asked(direction, question, text)
        except TimeoutError:
            return Reply("error", rail="timeout")

    async def _asked(self, direction: Direction, question: str, text: str) -> Reply:
        ready, process = self._ready, self._process
        if ready is None or process is None or process.stdin is None:
            return Reply("error", rail="gone")
        if not (ready.inbound if direction == "in" else ready.outbound):
            return ABSENT
        number = next(self._numbers)
        line = msgspec.json.encode({
            "id": number, "direction": direction, "question": _encodable(question), "text": _encodable(text),
        })
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        self._late += 1
        try:
            process.stdin.write(line + b"\n")
            await process.stdin.drain()
            reply = await waiting
        except ConnectionError:
            return Reply("error", rail="gone")
        finally:
            del self._waiting[number]
            if self._late >= STUCK and process.returncode is None and not waiting.done():
                process.kill()
        self._late = 0
        return reply

    async def _keep(self) -> None:
        """One worker after the other, until cancelled."""
        while True:
            try:
                await self._run()
            except OSError as error:
                log.warning("nemo worker could not be started", cause=type(error).__name__)
            await asyncio.sleep(self.config.restart.total_seconds())

    async def _run(self) -> None:
        starting = asyncio.ensure_future(_started(self.config))
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:      # a start that is broken off in the middle would leave its process behind
            with suppress(OSError):
                await _end(await starting)
            raise
        try:
            await self._read(process)
        finally:
            self._process = self._ready = None
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_result(Reply("error", rail="gone"))
            ending = asyncio.ensure_future(_end(process))
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError:
                await ending
                raise

    async def _read(self, process: Process) -> None:
        """Its lines, until there are no more or one is none of ours."""
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            ready = _ready.decode(await process.stdout.readline())
            if not ready.ready:
                log.warning("nemo worker could not load its configuration", cause=ready.cause)
                return
            async with self._news:
                self._process, self._ready = process, ready
                self._news.notify_all()
            while line := await process.stdout.readline():
                reply = _reply.decode(line)
                waiting = self._waiting.get(reply.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
        except (msgspec.DecodeError, ValueError) as error:      # the latter: a line over the limit
            log.warning("nemo worker spoke out of turn", cause=type(error).__name__)


async def _started(config: NemoConfig) -> Process:
    # NeMo reports its usage to its makers unless it is told not to. -I: nothing of our environment gets into its.
    return await asyncio.create_subprocess_exec(
        "env", "DO_NOT_TRACK=1", "NEMO_GUARDRAILS_NO_USAGE_STATS=1",
        str(config.python), "-I", str(config.worker), str(config.folder),
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=LINE, cwd=config.folder,
    )


async def _end(process: Process) -> None:
    """Its input ends, and soon after so does it."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(GRACE.total_seconds()):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
