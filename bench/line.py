"""What the line costs: processor time per message and per chunk, time added to each character, start-up, memory.

    .venv/bin/python bench/line.py [--quick] [--only PART]

Processor times and ratios decide; wall times are informative, since machines are noisy. Each part runs in a process
of its own, so that none inherits another's memory or caches, and settles once it is warm, as the program does. The
last column is the target; nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psutil
import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent))

from adapters.qdrant.embed import Embedder
from adapters.qdrant.index import Bm25, PassageIndex
from adapters.qdrant.points import Piece as Chunk
from adapters.qdrant.points import Record
from adapters.sglang.config import SglangConfig
from adapters.sglang.model import SglangModel
from adapters.sql.database import migrate, open_database
from adapters.sql.inbox import QueueOptions, SqlInbox
from adapters.sql.queue import Caps
from adapters.sql.sealed import Keyring
from bench.processes import memory, processor
from bot.app import staying
from bot.dispatch import DispatchOptions
from engine.guards.egress import Egress
from engine.messages import Answer, Audience, Claim, Conversation, Found, Outcome, Passage, TraceId, Trail
from engine.ports import Hold, Text
from engine.prompt import ChatMessage, Prompt
from engine.streaming import release
from tests.builders import ORG, said
from tests.chat_server import chat_server
from tests.fakes import Room, ScriptedModel, TestBot, a_bot, house
from tests.postgres import die_with_parent, free_port, postgres

ROOT = Path(__file__).parent.parent
WORDS = [
    "leave", "notice", "manager", "calendar", "deploy", "incident", "rota", "review", "branch", "token", "budget",
    "invoice", "travel", "hotel", "laptop", "policy", "retention", "backup", "cluster", "namespace", "rollout",
    "canary", "pager", "severity", "escalation", "handover", "sprint",
]
WIDE = QueueOptions(("test",), caps=Caps(10**9, 10**9))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    value: float
    unit: str
    target: float | None
    note: str = ""

    def __str__(self) -> str:
        target = f"<= {self.target:g} {self.unit}" if self.target is not None else ""
        return f"{self.what:<64} {self.value:>9.3f} {self.unit:<4} {target:<12} {self.note}"


# -- the durable queue alone -----------------------------------------------------------------------------------


async def queue_run(url: str, events: int, rate: float | None) -> tuple[float, float, list[float]]:
    """CPU seconds, wall seconds, and how long each event waited to be claimed."""
    async with open_database(url) as database:
        await migrate(database)
        inbox = SqlInbox(database, Keyring(b"k" * 32), WIDE)
        waits: list[float] = []
        left, slots, freed, done = events, 100, asyncio.Event(), asyncio.Event()

        async def work(claim: Claim) -> None:
            nonlocal left, slots
            trail = Trail(claim.trace)
            await inbox.checkpoint(claim, Answer("ok " * 20, (), grounded=False), trail, "post")
            await inbox.finish(claim, Outcome.ANSWERED, trail)
            left, slots = left - 1, slots + 1
            freed.set()
            if not left:
                done.set()

        async def dispatch(group: asyncio.TaskGroup) -> None:
            nonlocal slots
            while True:
                while not slots:
                    freed.clear()
                    await freed.wait()
                for claim in await inbox.claim(slots):
                    slots -= 1
                    waits.append(claim.waited)
                    group.create_task(work(claim))

        stream = [said(f"hello {n}", conversation=f"c{n % 1000}", by=f"p{n % 200}") for n in range(events)]
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(inbox.run()), group.create_task(dispatch(group))]
            await asyncio.sleep(0.3)
            cpu, began = time.process_time(), time.monotonic()
            if rate is None:
                feed = iter(stream)

                async def feeder() -> None:
                    for event in feed:
                        await inbox.receive(event)

                await asyncio.gather(*(feeder() for _ in range(50)))
            else:
                for n, event in enumerate(stream):
                    await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
                    group.create_task(inbox.receive(event))
            await done.wait()
            spent = time.process_time() - cpu, time.monotonic() - began
            for task in background:
                task.cancel()
    return *spent, waits


def queue(quick: bool) -> list[Row]:
    """receive, claim, checkpoint, finish: receive to finish of events that do nothing."""
    rows = []
    many, few = (1000, 90) if quick else (5000, 300)
    with tempfile.TemporaryDirectory() as folder, postgres(fsync=True) as server:
        urls = {"SQLite": lambda n: f"sqlite:///{folder}/{n}.db", "PostgreSQL": lambda n: server.create(f"b{n}")}
        for name, url in urls.items():
            cpu, wall, _ = uvloop.run(queue_run(url(1), many, None))
            rows.append(Row(f"queue alone, saturated, {name}: CPU per event", 1e3 * cpu / many, "ms", 0.8,
                            f"{many / wall:.0f} events/s"))
            cpu, wall, waits = uvloop.run(queue_run(url(2), few, 30.0))
            rows.append(Row(f"queue alone, 30 events/s, {name}: CPU per event", 1e3 * cpu / few, "ms", 10,
                            f"claimed after p50 {1e3 * statistics.median(waits):.1f} ms"))
    return rows


# -- the whole line --------------------------------------------------------------------------------------------


async def talk(bot: TestBot, messages: int) -> float:
    """CPU seconds for so many messages, 100 conversations at once."""
    events = [said(question(n), conversation=f"c{n % 100}", by="ann") for n in range(messages)]
    cpu = processor()
    await asyncio.gather(*(bot.inbox.receive(event) for event in events))
    while sum(post.closed for post in bot.room.posts.values()) < messages:
        await asyncio.sleep(0.01)
    return processor() - cpu


def question(n: int) -> str:
    """No two alike, so that no cache helps."""
    chance = random.Random(n)
    return f"what about {' '.join(chance.choices(WORDS, k=8))} number {n}?"


def answers(count: int, mark: str = "") -> list[list[str]]:
    """Nor two of these."""
    return [[f"{n} working days{mark}."] for n in range(count)]


def room() -> Room:
    """One person who may read everything."""
    return Room({"ann": ORG})


def line(quick: bool) -> list[Row]:
    """An instant model and no retrieval: what everything of ours costs."""
    messages = 300 if quick else 2000

    async def run() -> float:
        with tempfile.TemporaryDirectory() as folder:
            model = ScriptedModel(answers(messages + 50))
            async with a_bot(Path(folder), model=model, room=room(), queue=WIDE) as bot:
                await talk(bot, 50)
                bot.room.posts.clear()
                staying()
                return await talk(bot, messages)

    cpu = 1e3 * uvloop.run(run()) / messages
    return [Row("whole line, instant model, no retrieval: CPU per message", cpu, "ms", 3)]


@asynccontextmanager
async def an_index(folder: Path, chunks: int) -> AsyncGenerator[PassageIndex]:
    """Synthetic chunks with synthetic vectors, behind the real embedder for the questions."""
    chance, words = random.Random(1), Bm25()
    embedder = Embedder()
    async with embedder.running(), PassageIndex.open(folder, embedder) as index:
        await index.ready()
        for page in range(chunks // 100):
            pieces = []
            for n in range(100):
                text = " ".join(chance.choices(WORDS, k=100)) + f" number {page}"
                sparse = words.embed_document(text)
                vector = array("f", (chance.gauss(0, 1) for _ in range(embedder.size)))
                pieces.append(Chunk(text, 0, len(text), "Page", "page", f"{page}/{n}", vector.tobytes(),
                                    list(sparse.indices), list(sparse.values)))
            record = Record(f"bench/{page}.md", "bench", f"{page}", "1", ORG, f"https://wiki.example/{page}")
            await index.put([(record, pieces)])
        yield index


@dataclass(slots=True)
class Sure:
    """The real index, whose passages always count as an answer, so that every prompt holds some."""

    index: PassageIndex

    async def find(self, asked: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        found = await self.index.find(asked, past=past, audience=audience, limit=limit)
        return Found(found.passages, answers=True)

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        return await self.index.still_readable(passages, audience)


def retrieval(quick: bool) -> list[Row]:
    """The same over 10,000 chunks, the question's embedding included."""
    messages, chunks = (100, 2000) if quick else (500, 10_000)

    async def run() -> float:
        with tempfile.TemporaryDirectory() as folder:
            async with (
                an_index(Path(folder, "index"), chunks) as index,
                a_bot(Path(folder), model=ScriptedModel(answers(messages + 20, " [1]")), room=room(), queue=WIDE,
                      shelf=Sure(index)) as bot,
            ):
                await talk(bot, 20)
                bot.room.posts.clear()
                staying()
                return await talk(bot, messages)

    return [Row(f"whole line, retrieval over {chunks:,} chunks: CPU per message", 1e3 * uvloop.run(run()) / messages,
                "ms", 15)]


# -- the stream ------------------------------------------------------------------------------------------------


@contextmanager
def a_model_server(chunks: int, delay_ms: float) -> Generator[str]:
    """The fake in a process of its own, so that its work is not counted as ours."""
    port = free_port()
    command = [sys.executable, "-m", "tests.fake_sglang", "--port", str(port), "--chunks", str(chunks),
               "--delay-ms", str(delay_ms)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
    try:
        assert process.stdout
        process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def ask(asked: str, trace: str) -> Prompt:
    """A question by itself."""
    return Prompt((ChatMessage("user", asked),), TraceId(trace))


async def drain(model: SglangModel, n: int) -> int:
    """The client alone."""
    chars = 0
    async with aclosing(model.stream(ask(question(n), f"{n:032x}"))) as pieces:
        async for piece in pieces:
            chars += len(piece.text) if isinstance(piece, Text) else 0
    return chars


async def screened(model: SglangModel, egress: Egress, n: int) -> int:
    """Client, guards and a reply that only counts."""
    chars = 0
    trail = Trail(TraceId(f"{n:032x}"))
    screen = egress.open(question(n), Found(), trail)
    async with aclosing(release(model.stream(ask(question(n), f"{n + 10**6:032x}")), screen)) as cleared:
        async for text in cleared:
            chars += len(text)
    return chars


def chunk(quick: bool) -> list[Row]:
    """200 streams at once, 20 ms between chunks."""
    streams, chunks = (50, 60) if quick else (200, 120)

    async def run(url: str) -> tuple[float, float]:
        egress = house(alone=True).for_turn(Claim(TraceId("0" * 32), said("how long?").message)).egress
        async with SglangModel.open(SglangConfig(url, "chat")) as model:
            await asyncio.gather(*(drain(model, n) for n in range(20)))
            staying()
            spent = []
            for work in (lambda n: drain(model, n), lambda n: screened(model, egress, n)):
                cpu = time.process_time()
                await asyncio.gather(*(work(n) for n in range(streams)))
                spent.append(time.process_time() - cpu)
            return spent[0], spent[1]

    with a_model_server(chunks, 20) as url:
        bare, whole = uvloop.run(run(url))
    per = 1e6 / (streams * chunks)
    return [
        Row("streamed chunk, client alone: CPU", bare * per, "us", None),
        Row("streamed chunk, client, guards and fan-out: CPU", whole * per, "us", 80, f"{whole / bare:.1f} x client"),
    ]


@dataclass(slots=True)
class Clocked(Room):
    """A room that notes when each character appeared."""

    times: dict[str, list[tuple[float, int]]] = field(default_factory=dict)

    async def reply_to(self, claim: Claim, hold: Hold) -> object:       # type: ignore[override]
        reply = await Room.reply_to(self, claim, hold)
        seen = self.times.setdefault(claim.message.text, [])
        plain = reply.append

        class Noting:
            """The reply, with a clock beside it."""

            visibility, posted = reply.visibility, reply.posted
            status, replace, stopped, finish = reply.status, reply.replace, reply.stopped, reply.finish

            async def append(self, text: str) -> None:
                seen.append((time.monotonic(), (seen[-1][1] if seen else 0) + len(text)))
                await plain(text)       # type: ignore[arg-type]

        return Noting()


def added(quick: bool) -> list[Row]:
    """Each message goes to the bot and, the same words at the same moment, straight to the model server."""
    messages, chunks = (40, 2000) if quick else (300, 10_000)
    lags: list[float] = []

    async def direct(model: SglangModel, asked: str, n: int, times: list[tuple[float, int]]) -> None:
        prompt = ask(f"{asked}\n\n<passages>\n</passages>", f"{n:032x}")
        async with aclosing(model.stream(prompt)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Text):
                    times.append((time.monotonic(), (times[-1][1] if times else 0) + len(piece.text)))

    async def run(url: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            clocked = Clocked({"ann": ORG})
            async with (
                SglangModel.open(SglangConfig(url, "chat")) as ours,
                SglangModel.open(SglangConfig(url, "chat")) as theirs,
                an_index(Path(folder, "index"), chunks) as index,
                a_bot(Path(folder), model=ours, room=clocked, queue=WIDE, shelf=Sure(index),    # type: ignore[arg-type]
                      options=DispatchOptions(concurrency=200)) as bot,
            ):
                staying()
                began, straight = time.monotonic(), []
                async with asyncio.TaskGroup() as group:
                    for n in range(messages):
                        await asyncio.sleep(max(0.0, began + n / 20 - time.monotonic()))
                        event, times = said(question(n), conversation=f"c{n}"), []
                        straight.append((event.message.text, times))
                        group.create_task(direct(theirs, event.message.text, n, times))
                        group.create_task(bot.inbox.receive(event))
                while sum(post.closed for post in bot.room.posts.values()) < messages:
                    await asyncio.sleep(0.01)
                for asked, times in straight:
                    lags.extend(delays(times, clocked.times[asked]))

    with a_model_server(60, 20) as url:
        uvloop.run(run(url))
    lags.sort()
    note = f"{messages} messages, 20 a second, {len(lags):,} characters"
    return [
        Row("added to each shown character, p50 (wall)", 1e3 * lags[len(lags) // 2], "ms", 40, note),
        Row("added to each shown character, p95 (wall)", 1e3 * lags[int(len(lags) * 0.95)], "ms", 120),
    ]


def delays(straight: Sequence[tuple[float, int]], shown: Sequence[tuple[float, int]]) -> list[float]:
    """For every character that both have: when it was shown, less when the direct client had it."""
    most = min(straight[-1][1], shown[-1][1])
    return [a - b for a, b in zip(arrivals(shown, most), arrivals(straight, most), strict=True)]


def arrivals(times: Sequence[tuple[float, int]], most: int) -> list[float]:
    """The moment of each of the first ``most`` characters."""
    moments: list[float] = []
    for moment, reached in times:
        moments.extend([moment] * (min(reached, most) - len(moments)))
    return moments


# -- the program -----------------------------------------------------------------------------------------------


def program(quick: bool) -> list[Row]:
    """`bartizan run` as it is: how soon it listens, when it is ready, and how large it is with 200 streams open."""
    streams = 50 if quick else 200
    with tempfile.TemporaryDirectory() as folder, a_model_server(400, 50) as model:
        return uvloop.run(_program(Path(folder), model, streams))


async def _program(folder: Path, model: str, streams: int) -> list[Row]:
    http, door = free_port(), free_port()
    async with chat_server(bot=f"http://127.0.0.1:{door}", keep=False) as chat, aiohttp.ClientSession() as web:
        environment = {
            **os.environ, "BARTIZAN_DATA_DIR": str(folder / "data"), "BARTIZAN_HTTP__PORT": str(http),
            "BARTIZAN_LOOPBACK__URL": chat.url, "BARTIZAN_LOOPBACK__LISTEN": f"127.0.0.1:{door}",
            "BARTIZAN_MODEL__URL": model, "BARTIZAN_QUEUE__CONCURRENCY": "256", "BARTIZAN_QUEUE__QUOTA": "100000",
        }
        command = [sys.executable, "-m", "bot", "run"]
        with (folder / "log").open("wb") as log:
            # The first start makes the database and indexes the handbook; the second is the warm one.
            for warm in (False, True):
                began = time.monotonic()
                process = await asyncio.create_subprocess_exec(
                    *command, cwd=ROOT, env=environment, stderr=log, stdout=log, preexec_fn=die_with_parent,
                )
                listening = await reached(web, f"http://127.0.0.1:{http}/healthz", began)
                ready = await reached(web, f"http://127.0.0.1:{http}/readyz", began)
                if not warm:
                    process.terminate()
                    await process.wait()
            us = psutil.Process(process.pid)
            idle = memory(us)
            for n in range(streams):
                await chat.push({
                    "type": "message", "key": f"k{n}", "id": f"m{n}", "conversation": f"c{n}", "channel": "bench",
                    "workspace": "bench", "author": "ann", "text": question(n),
                    "at": datetime.now(UTC).isoformat(),
                })
            peak, until = idle, time.monotonic() + 15
            while time.monotonic() < until:
                peak = max(peak, memory(us))
                await asyncio.sleep(0.2)
            open_streams = await metric(web, f"http://127.0.0.1:{http}/metrics", "bartizan_open_turns")
            process.kill()
            await process.wait()
    return [
        Row("listening after a warm start (wall)", listening, "s", 3.5),
        Row("embedder and index ready after a warm start (wall)", ready, "s", 5),
        Row("memory, idle with the default index", idle / 2**20, "MB", None),
        Row(f"memory with {open_streams:.0f} streams open", peak / 2**20, "MB", 450),
    ]


async def reached(web: aiohttp.ClientSession, url: str, began: float) -> float:
    """Seconds until the page says 200."""
    while time.monotonic() - began < 60:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with web.get(url) as answer:
                if answer.status == 200:
                    return time.monotonic() - began
        await asyncio.sleep(0.02)
    raise RuntimeError(f"{url} did not answer")


async def metric(web: aiohttp.ClientSession, url: str, name: str) -> float:
    """One number off the metrics page."""
    async with web.get(url) as answer:
        page = await answer.text()
    return float(next(row.split()[-1] for row in page.splitlines() if row.startswith(f"{name} ")))


PARTS: dict[str, Callable[[bool], list[Row]]] = {
    "queue": queue, "line": line, "retrieval": retrieval, "chunk": chunk, "added": added, "program": program,
}
Work = Callable[[], Awaitable[None]]


def main() -> None:
    """Each part in a process of its own."""
    parser = argparse.ArgumentParser(description="What the line costs.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, for a look")
    parser.add_argument("--only", choices=PARTS, help="one part, in this process")
    given = parser.parse_args()
    if given.only:
        for row in PARTS[given.only](given.quick):
            print(row, flush=True)
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}", flush=True)
    for name in PARTS:
        command = [sys.executable, __file__, "--only", name, *(["--quick"] if given.quick else [])]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
