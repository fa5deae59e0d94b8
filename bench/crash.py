"""The crash proof: the whole program is killed over and over, and no answer may be lost, doubled or out of order.

    python bench/crash.py --db sqlite|postgres --events 2000 --redeliver 0.2 --kills 3 [--replicas 2]

This process is the chat server. It hands events to ``bartizan run``, repeats each until it is acknowledged, and
delivers a part of them again later. Meanwhile it kills the program: at random moments while answers stream, right
before and after each kind of commit, and between what the chat server has stored and the program's learning of it.
The last line counts what went wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parents[1]))

from adapters.sql.database import open_database
from bench.doomed import KINDS, MOMENTS
from tests.chat_server import ChatServer, Post, What, chat_server
from tests.fake_sglang import NAME, Says, answering
from tests.postgres import die_with_parent, free_port, postgres

CHUNKS: Final = 20              # of each answer
CHUNK_MS: Final = 15.0          # between two of them
OUTSTANDING: Final = 150        # events that are acknowledged and not yet answered, at most; less in a short run
STALL: Final = 90.0             # seconds without any progress: give up
SETTLE: Final = 1.0             # seconds for late posts, once everything is answered
START: Final = 60.0             # seconds in which a program must listen


@dataclass(frozen=True, slots=True)
class Options:
    """How hard it is."""

    db: str = "sqlite"
    events: int = 2000
    redeliver: float = 0.2
    kills: int = 3
    replicas: int = 1
    seed: int = 1
    conversations: int = 60
    boundaries: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """One event of the run."""

    conversation: str
    n: int                      # its place in the conversation

    @property
    def id(self) -> str:
        """The message's id, and the key of its event."""
        return f"{self.conversation}-{self.n}"

    @property
    def text(self) -> str:
        """A question that nobody else asks."""
        return f"please tell me about item {self.n} of list {self.conversation}, as shortly as you can"

    @property
    def expected(self) -> str:
        """What the model says to exactly this question."""
        said = answering(CHUNKS, 0.0)({"messages": [{"content": self.text}]})
        assert isinstance(said, Says)
        return "".join(piece.text for piece in said.pieces).strip()

    def event(self) -> dict[str, Any]:
        """As the chat server pushes it."""
        return {
            "type": "message", "key": f"event {self.id}", "id": self.id, "conversation": self.conversation,
            "channel": f"channel {self.conversation}", "workspace": "bench", "author": f"person {self.conversation}",
            "text": self.text, "at": "2026-03-02T12:00:00Z",
        }


@dataclass(slots=True)
class Verdict:
    """What went wrong, one line for each."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"lost {len(self.lost)} duplicated {len(self.duplicated)} out-of-order {len(self.out_of_order)}"

    @property
    def clean(self) -> bool:
        """Nothing did."""
        return not (self.lost or self.duplicated or self.out_of_order)


def judge(acknowledged: Sequence[Asked], posts: Sequence[Post]) -> Verdict:
    """Compares what was acknowledged, in order of sending, with what stands in the channels, in order of posting."""
    verdict = Verdict()
    by_event: dict[str, list[Post]] = {}
    for post in posts:
        by_event.setdefault(post.reply_to, []).append(post)
    latest: dict[str, tuple[int, int]] = {}     # conversation -> how far its posts and their last words have got
    numbers = {post.id: number for number, post in enumerate(posts)}
    for asked in sorted(acknowledged, key=lambda a: (a.conversation, a.n)):
        mine = by_event.pop(asked.id, [])
        final = [post for post in mine if post.final]
        if not final:
            verdict.lost.append(f"{asked.id}: {len(mine)} posts, none of them final")
            continue
        verdict.duplicated += [f"{asked.id}: {len(mine)} posts" for _ in mine[1:]]
        verdict.duplicated += [f"{asked.id}: not its answer: {p.text!r}" for p in final if p.text != asked.expected]
        here = numbers[mine[0].id], final[0].place
        before = latest.get(asked.conversation, (-1, -1))
        if here[0] < before[0] or here[1] < before[1]:
            verdict.out_of_order.append(f"{asked.id}: posted and answered as {here}, after {before}")
        latest[asked.conversation] = max(here[0], before[0]), max(here[1], before[1])
    verdict.duplicated += [f"{id}: nobody asked that" for id, stray in by_event.items() for _ in stray]
    return verdict


# The ways to die. Each is a plan for one life of the program.


@dataclass(frozen=True, slots=True)
class AtRandom:
    """Some time after so many answers."""

    answers: int
    delay: float

    def __str__(self) -> str:
        return f"at random, {self.answers} answers and {self.delay:.2f} s into its life"


@dataclass(frozen=True, slots=True)
class AtCommit:
    """Before or after a commit, by `bench/doomed.py`."""

    kind: str
    moment: str
    number: int

    def __str__(self) -> str:
        return f"{self.moment} commit {self.number} that holds a {self.kind}"


@dataclass(frozen=True, slots=True)
class AtCall:
    """The chat server has stored its so many-th post, or last edit of one, and has not said so yet."""

    what: What
    final: bool
    number: int

    def __str__(self) -> str:
        name = "final edit" if self.final else self.what.value
        return f"after {name} {self.number} was stored, before it was told"


Death = AtRandom | AtCommit | AtCall


def plan(options: Options, chance: random.Random) -> list[Death]:
    """Every death of the first replica, in a random order."""
    lives = options.kills + (len(KINDS) * len(MOMENTS) + 3 if options.boundaries else 0) + 1
    share = max(1, options.events // (2 * lives))           # so that all of them come to pass
    commits = max(1, share // 4)                            # one commit holds several of a kind
    deaths: list[Death] = [
        AtRandom(chance.randint(1, share), chance.uniform(0.0, 0.3)) for _ in range(options.kills)
    ]
    if options.boundaries:
        deaths += [AtCommit(kind, moment, chance.randint(1, commits)) for kind in KINDS for moment in MOMENTS]
        calls = ((What.POST, False), (What.EDIT, False), (What.EDIT, True))
        deaths += [AtCall(what, final, chance.randint(1, share)) for what, final in calls]
    chance.shuffle(deaths)
    return deaths


@dataclass(slots=True)
class Replica:
    """One place where the program runs, life after life."""

    name: str
    port: int
    environment: Mapping[str, str]
    folder: Path
    deaths: deque[Death]
    returns: bool               # after the last planned death it lives on; else it is gone for good
    process: asyncio.subprocess.Process | None = None
    death: Death | None = None
    lives: int = 0
    seen: int = 0               # answers, or calls of the kind that kills, in this life
    struck: bool = False        # killed in this life
    died: list[Death] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """There is something to talk to, or soon will be."""
        return bool(self.deaths) or self.returns or (self.process is not None and self.process.returncode is None)

    async def start(self, death: Death | None) -> None:
        """A new life."""
        self.lives, self.death, self.seen, self.struck = self.lives + 1, death, 0, False
        here = Path(__file__).parent
        command = [sys.executable, "-m", "bot", "run"]
        if isinstance(death, AtCommit):
            doom = f"{death.kind}:{death.moment}:{death.number}"
            command = [sys.executable, str(here / "doomed.py"), doom]
        with Path(self.folder, "log").open("ab") as log:    # noqa: ASYNC230  (a bench may)
            self.process = await asyncio.create_subprocess_exec(
                *command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, preexec_fn=die_with_parent,
            )

    def kill(self) -> None:
        """As the kernel does it when memory is short, once a life.

        Not by the process object, which looks whether the process has ended and so may take its exit code away from
        whoever waits for it.
        """
        if self.process is not None and self.process.returncode is None and not self.struck:
            self.struck = True
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)

    def log_tail(self) -> str:
        """What the program said last."""
        return Path(self.folder, "log").read_text(errors="replace")[-3000:]


class Unplanned(Exception):
    """The program ended by itself, or could not be made to end as planned."""


@dataclass(slots=True)
class Run:
    """One run of the proof."""

    options: Options
    chat: ChatServer
    replicas: Sequence[Replica]
    session: aiohttp.ClientSession
    chance: random.Random
    began: float = field(default_factory=time.monotonic)
    acknowledged: dict[str, Asked] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    taken_twice: list[str] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)      # why an event was sent once more
    moved_at: float = field(default_factory=time.monotonic)
    room: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        # Events must not run out while there are deaths to come that need one.
        self.room = asyncio.Semaphore(min(OUTSTANDING, max(10, self.options.events // 10)))

    def tell(self, line: str) -> None:
        """A line with the time."""
        print(f"{time.monotonic() - self.began:6.1f} s  {line}", flush=True)

    async def drive(self) -> None:
        """Until every event is answered, or nothing moves any more."""
        self.chat.stored = self.stored
        async with asyncio.TaskGroup() as group:
            keeping = [group.create_task(self.keep(replica)) for replica in self.replicas]
            keeping.append(group.create_task(self.report()))
            feeding = [group.create_task(self.feed(events)) for events in conversations(self.options)]
            while len(self.answered) < self.options.events or not all(task.done() for task in feeding):
                await asyncio.sleep(0.05)
                if time.monotonic() - self.moved_at > STALL:
                    self.tell("nothing moves any more")
                    break
            for task in (*keeping, *feeding):
                task.cancel()

    async def feed(self, events: Iterable[Asked]) -> None:
        """The events of one conversation: the next one once the one before is acknowledged."""
        async with asyncio.TaskGroup() as redeliveries:
            for asked in events:
                await self.room.acquire()
                await self.deliver(asked)
                self.acknowledged[asked.id] = asked
                self.moved_at = time.monotonic()
                if self.chance.random() < self.options.redeliver:
                    redeliveries.create_task(self.redeliver(asked))

    async def redeliver(self, asked: Asked) -> None:
        """The same event, later, as platforms do when they have not heard us."""
        await asyncio.sleep(self.chance.uniform(0.0, 3.0))
        if await self.deliver(asked):
            self.taken_twice.append(asked.id)

    async def deliver(self, asked: Asked) -> bool:
        """Repeats it, to whichever replica, until it is acknowledged; True when it was new to the program."""
        while True:
            replica = self.chance.choice([r for r in self.replicas if r.alive])
            try:
                async with self.session.post(f"http://127.0.0.1:{replica.port}/events", json=asked.event()) as answer:
                    if answer.status == 200:
                        return bool((await answer.json())["new"])
                    self.repeats[str(answer.status)] += 1
            except (aiohttp.ClientError, TimeoutError) as error:
                self.repeats[type(error).__name__] += 1
            await asyncio.sleep(self.chance.uniform(0.05, 0.2))

    def stored(self, what: What, post: Post) -> None:
        """The chat server has taken something from the program, which does not know yet."""
        self.moved_at = time.monotonic()
        last = what is What.EDIT and post.final
        if last and post.reply_to not in self.answered:
            self.answered.add(post.reply_to)
            self.room.release()
        for replica in self.replicas:
            match replica.death:
                case AtRandom():
                    replica.seen += last
                case AtCall(what=kind, final=final, number=number):
                    replica.seen += kind is what and final is last
                    if replica.seen >= number:
                        replica.kill()

    async def keep(self, replica: Replica) -> None:
        """Life after life, each with its planned death."""
        while replica.deaths:
            death = replica.deaths.popleft()
            await replica.start(death)
            assert replica.process is not None
            if isinstance(death, AtRandom):
                await self.strike(replica, death)
            code = await replica.process.wait()
            if code != -signal.SIGKILL:
                raise Unplanned(f"{replica.name} ended with {code}, planned was {death}:\n{replica.log_tail()}")
            replica.died.append(death)
            streaming = sum(1 for post in self.chat.posts.values() if not post.final and post.edits)
            begun = sum(1 for post in self.chat.posts.values() if not post.final and not post.edits)
            self.tell(f"{replica.name} killed {death}; {streaming} answers in mid-stream, {begun} begun")
        if not replica.returns:
            self.tell(f"{replica.name} stays dead")
            replica.process, replica.death = None, None
            return
        await replica.start(None)
        assert replica.process is not None
        code = await replica.process.wait()
        raise Unplanned(f"{replica.name} ended by itself with {code}:\n{replica.log_tail()}")

    async def strike(self, replica: Replica, death: AtRandom) -> None:
        """Waits for its time, and kills."""
        process = replica.process
        assert process is not None
        while replica.seen < death.answers and process.returncode is None:
            await asyncio.sleep(0.01)
        await asyncio.sleep(death.delay)
        replica.kill()

    async def report(self) -> None:
        """How far it has got."""
        while True:
            await asyncio.sleep(5.0)
            died = sum(len(replica.died) for replica in self.replicas)
            self.tell(f"acknowledged {len(self.acknowledged)} answered {len(self.answered)} deaths {died}")

    async def end(self) -> list[str]:
        """Stops what still runs, politely, and returns complaints about how that went."""
        await asyncio.sleep(SETTLE)
        complaints = []
        for replica in self.replicas:
            if replica.process is None or replica.process.returncode is not None:
                continue
            replica.process.terminate()
            code = await replica.process.wait()
            if code != 0:
                complaints.append(f"{replica.name} ended with {code} when asked to stop")
        for replica in self.replicas:
            complaints += [f"{replica.name} never died {death}" for death in (*replica.deaths, *planned(replica))]
        return complaints


def planned(replica: Replica) -> list[Death]:
    """A death that was due and did not come."""
    return [replica.death] if replica.death is not None and replica.death not in replica.died else []


def conversations(options: Options) -> list[list[Asked]]:
    """The events of each conversation."""
    most = options.conversations
    return [[Asked(f"c{c}", n) for n in range(len(range(c, options.events, most)))] for c in range(most)]


def replicas(options: Options, chance: random.Random, folder: Path, environment: Mapping[str, str]) -> list[Replica]:
    """The first is restarted after each of its deaths; the second, if there is one, dies once and for all."""
    made = []
    for number in range(options.replicas):
        deaths = plan(options, chance) if number == 0 else []
        if number == 1:
            deaths = [AtRandom(options.events // 3, chance.uniform(0.0, 0.3))]
        here = folder / f"replica-{number + 1}"
        here.mkdir()
        port = free_port()
        own = {**environment, "BARTIZAN_DATA_DIR": str(here / "data"), "BARTIZAN_LOOPBACK__LISTEN": f"127.0.0.1:{port}"}
        made.append(Replica(f"replica {number + 1}", port, own, here, deque(deaths), returns=number != 1))
    return made


def environment(folder: Path, chat: str, model: str, database: str | None, key: bytes) -> dict[str, str]:
    """What `bartizan run` is told; caps are off, for a person asks as much as a bench wants."""
    ours = ("BARTIZAN_", "SLACK_", "DISCORD_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    pages = folder / "pages"
    pages.mkdir()
    told = {
        "MASTER_KEY": base64.b64encode(key).decode(), "KNOWLEDGE__FOLDER": str(pages), "HTTP__PORT": "off",
        "LOOPBACK__URL": chat, "MODEL__URL": model, "MODEL__NAME": NAME, "QUEUE__QUOTA": "1000000",
        "QUEUE__BACKLOG": "1000000", "QUEUE__MAX_CRASHES": "1000", "LOG__FORMAT": "json",
    }
    if database:
        told["DATABASE_URL"] = database
    return {**kept, **{f"BARTIZAN_{name}": value for name, value in told.items()}}


async def a_model(stack: AsyncExitStack) -> str:
    """A streaming model in a process of its own; returns its address. Its complaints about dead clients go nowhere."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fake_sglang", "--chunks", str(CHUNKS), "--delay-ms", str(CHUNK_MS),
        cwd=Path(__file__).parents[1], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    stack.push_async_callback(_end, process)
    assert process.stdout is not None
    async with asyncio.timeout(START):
        line = (await process.stdout.readline()).decode()
    return line.removeprefix("ready ").strip()


async def _end(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.communicate()


async def left_over(database: str) -> list[str]:
    """Turns that the program itself does not think are over."""
    async with open_database(database) as opened:
        counted = text("SELECT state, outcome, count(*) FROM turn GROUP BY state, outcome ORDER BY state, outcome")
        rows = await opened.read(lambda connection: list(connection.execute(counted)))
    return [f"{number} turns are {state} ({outcome})" for state, outcome, number in rows if outcome != "answered"]


async def prove(options: Options, folder: Path, database: str | None) -> tuple[Verdict, list[str]]:
    """One whole run: what went wrong for people, and what else did."""
    chance = random.Random(options.seed)
    async with AsyncExitStack() as stack:
        chat = await stack.enter_async_context(chat_server(keep=False))
        model = await a_model(stack)
        told = environment(folder, chat.url, model, database, chance.randbytes(32))
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)))
        run = Run(options, chat, replicas(options, chance, folder, told), session, chance)
        try:
            await run.drive()
            complaints = await run.end()
        finally:
            for replica in run.replicas:
                replica.kill()
        posts = list(chat.posts.values())
        acknowledged = list(run.acknowledged.values())
        verdict = judge(acknowledged, posts)
        verdict.duplicated += [f"{id}: taken as new twice" for id in run.taken_twice]
        if len(acknowledged) < options.events:
            complaints.append(f"{options.events - len(acknowledged)} events were never acknowledged")
        where = database or f"sqlite:///{run.replicas[0].folder / 'data' / 'bartizan.db'}"
        complaints += await left_over(where)
        edits = sum(post.edits for post in posts) / max(1, len(posts))
        again = sum(post.finals - 1 for post in posts if post.finals > 1)
        run.tell(f"{len(acknowledged)} events, {sum(run.repeats.values())} sendings repeated {dict(run.repeats)}, "
                 f"{len(posts)} posts, {edits:.1f} edits each, {again} last edits repeated, "
                 f"{sum(len(r.died) for r in run.replicas)} deaths")
    return verdict, complaints


def crash(options: Options, folder: Path) -> tuple[Verdict, list[str]]:
    """The same with its database; ``folder`` takes logs and data."""
    if options.db == "sqlite":
        return asyncio.run(prove(options, folder, None))
    with postgres(fsync=True) as server:
        return asyncio.run(prove(options, folder, server.create("bartizan")))


def read_options() -> tuple[Options, Path | None]:
    """From the command line."""
    parser = argparse.ArgumentParser(description="Kills the whole program over and over, and counts what that did.")
    given = Options()
    parser.add_argument("--db", choices=["sqlite", "postgres"], default=given.db)
    parser.add_argument("--events", type=int, default=given.events)
    parser.add_argument("--redeliver", type=float, default=given.redeliver, help="the part that is delivered twice")
    parser.add_argument("--kills", type=int, default=given.kills, help="at random moments")
    parser.add_argument("--replicas", type=int, choices=[1, 2], default=given.replicas,
                        help="2: the second dies and is never restarted")
    parser.add_argument("--seed", type=int, default=given.seed)
    parser.add_argument("--conversations", type=int, default=given.conversations)
    parser.add_argument("--boundaries", action=argparse.BooleanOptionalAction, default=given.boundaries,
                        help="also kill around every kind of commit, and between a post and our learning of it")
    parser.add_argument("--folder", type=Path, help="keep data and logs here")
    chosen = vars(parser.parse_args())
    folder = chosen.pop("folder")
    options = Options(**chosen)
    if options.replicas > 1 and options.db == "sqlite":
        parser.error("several replicas need --db postgres")
    return options, folder


def main() -> int:
    """Prints what went wrong, and the count of it last."""
    options, folder = read_options()
    with tempfile.TemporaryDirectory(prefix="crash-", ignore_cleanup_errors=True) as temporary:
        if folder is not None:
            folder.mkdir(parents=True)
        result = None
        try:
            result = crash(options, folder or Path(temporary))
        except* Unplanned as failed:
            print(*failed.exceptions, sep="\n")
    if result is None:
        return 2
    verdict, complaints = result
    for line in (*complaints, *verdict.lost[:20], *verdict.duplicated[:20], *verdict.out_of_order[:20]):
        print(line)
    print(verdict)
    return 0 if verdict.clean and not complaints else 1


if __name__ == "__main__":
    sys.exit(main())
