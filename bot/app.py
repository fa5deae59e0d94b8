"""Where everything is put together: settings in, a running bot out. Every resource is opened and closed here."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import structlog

from adapters.people.membership import WithGroups
from adapters.qdrant.attached import Attached
from adapters.qdrant.errand import Tell
from adapters.qdrant.socket import NOBODY, SharedIndex
from adapters.qdrant.sync import SyncReport
from adapters.sglang.config import SglangConfig
from adapters.sglang.model import SglangModel
from adapters.sglang.tokens import FileTokens
from adapters.sources.conversations import standing
from adapters.sql.alive import signed_in, strike_off, the_dead
from adapters.sql.attached import SqlAttached
from adapters.sql.database import Database, migrate, open_database
from adapters.sql.desk import Desk
from adapters.sql.inbox import QueueOptions, SqlInbox
from adapters.sql.privacy import check_master
from adapters.sql.queue import Caps
from adapters.sql.sealed import Keyring, master_from_file
from adapters.sql.store import SqlStore
from adapters.sql.transcripts import SqlTranscripts
from bot.dispatch import Dispatcher, DispatchOptions
from bot.guards import load_classifier, open_guards, other_model_configs
from bot.indexes import open_knowledge, open_retriever, open_settled, people
from bot.recall import RecallingInbox
from bot.settings import Settings, SettingsError
from bot.sources import Candid, Knowledge, SourcesError, Store
from bot.telemetry import MeasuredInbox, MeasuredModel, MeasuredRetriever, Metrics
from engine.errors import BotError, MembershipUnavailable, StillReading, StoreUnavailable, Unavailable
from engine.guards.chain import Inbound
from engine.guards.citations import CitationGuard
from engine.guards.deflection import DeflectionGuard
from engine.guards.egress import Egress
from engine.guards.secrets import SecretsGuard
from engine.messages import Audience, Conversation, Found, MessageId, Passage, Place, Visibility
from engine.ports import Attachments, Links, Membership, Platform, Tokens
from engine.prompt import Budget, Estimate
from engine.turn import Engine, Limits

log = structlog.get_logger()

TURN: Final = 5.0                       # seconds at most until somebody sees that the owner of the index has ended
HOUSEKEEPING: Final = timedelta(minutes=10)
LOOK: Final = timedelta(seconds=5)      # how often the queue's depth is read for the metrics


class ChatPlatform(Platform, Membership, Protocol):
    """What a platform adapter offers: somewhere to hear and speak, and who is in the room."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Asks the platform that a place belongs to."""

    platforms: Mapping[str, Membership]

    async def audience(self, place: Place, visibility: Visibility) -> Audience:
        """Nobody, on a platform that we do not serve."""
        platform = self.platforms.get(place.platform)
        return await platform.audience(place, visibility) if platform else Audience()


@dataclass(frozen=True, slots=True)
class Addresses:
    """The same of where a message is opened; a terminal has no such place."""

    platforms: Mapping[str, object]

    async def link(self, place: Place, message: MessageId) -> str:
        """As the engine's `Links`."""
        platform = self.platforms.get(place.platform)
        return await platform.link(place, message) if isinstance(platform, Links) else ""


@dataclass(frozen=True, slots=True)
class Patient:
    """An index that is being built for the first time is waited for: "nothing found" would not be true."""

    index: SharedIndex
    indexed: asyncio.Event
    patience: timedelta = timedelta(seconds=20)

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """As the engine's `Retriever`."""
        if not self.indexed.is_set() and self.index.own is not None and not self.index.own.records:
            try:
                async with asyncio.timeout(self.patience.total_seconds()):
                    await self.indexed.wait()
            except TimeoutError as error:
                raise StillReading("the pages are being indexed for the first time") from error
        return await self.index.find(question, past=past, audience=audience, limit=limit)

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """As the engine's `Retriever`."""
        return await self.index.still_readable(passages, audience)


Chore: TypeAlias = "Callable[[Bot], Coroutine[None, None, None]]"


@dataclass(slots=True)
class Bot:
    """Everything that runs, opened and wired."""

    settings: Settings
    store: Store
    inbox: SqlInbox
    index: SharedIndex
    models: Sequence[SglangModel]
    engine: Engine
    dispatcher: Dispatcher
    platforms: Mapping[str, ChatPlatform]
    metrics: Metrics
    uploads: Attached
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    knowledge: Knowledge | None = None          # once the index is ours, and something had to be done with it
    indexed: asyncio.Event = field(default_factory=asyncio.Event)
    page_problem: str | None = None
    not_indexed: tuple[tuple[str, str, str], ...] = ()      # source, path and why, as they were logged last
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _opened: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def database(self) -> Database:
        """Where messages, turns and answers are."""
        return self.store[0]

    async def serve(self, *chores: Chore) -> None:
        """Runs until `stopping` is set, then finishes or hands back what is under way.

        The writer goes last: turns that end still have something to say to the store.
        """
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self.inbox.run())
            await self._work(chores)
            writing.cancel()

    async def _work(self, chores: Iterable[Chore]) -> None:
        heard = RecallingInbox(MeasuredInbox(self.inbox, self.metrics), self.index.recall)
        async with asyncio.TaskGroup() as group:
            listening = [group.create_task(platform.listen(heard)) for platform in self.platforms.values()]
            listening += [group.create_task(chore(self)) for chore in chores]
            listening.append(group.create_task(heard.run()))
            group.create_task(self._hush(listening))
            await self.dispatcher.run(self.stopping)

    async def _hush(self, listening: Sequence[asyncio.Task[None]]) -> None:
        """Nothing new is heard while the last turns get their grace."""
        await self.stopping.wait()
        for task in listening:
            task.cancel()

    async def readers(self, place: Place) -> Audience:
        """Who is there, for whoever asks on a command line. Raises `Unavailable`: nobody is not "I cannot know"."""
        if place.platform not in self.platforms:
            raise MembershipUnavailable(NOBODY)
        return await self.engine.membership.audience(place, Visibility.SHARED)

    async def known(self) -> Knowledge:
        """What our index is made from, opened once: two of them would not know of each other's syncs.

        Raises `RetrieverUnavailable`, also when another process owns the index.
        """
        async with self._opening:
            if self.knowledge is None:
                opening = open_knowledge(self.index, self.settings, self.store)
                self.knowledge = await self._opened.enter_async_context(opening)
            return self.knowledge

    async def close(self) -> None:
        """Lets go of that again."""
        await self._opened.aclose()

    async def recalled(self, message: MessageId, deleted: bool) -> None:
        """Out of the index that is ours. Raises `RetrieverUnavailable` and `StoreUnavailable`."""
        try:
            if deleted:
                await self.uploads.forget(message)
        finally:        # what was said goes, though what came with it could not
            await self._unsaid(message)

    async def _unsaid(self, message: MessageId) -> None:
        await (await self.known()).recall(message)

    async def sync(self, tell: Tell = lambda _name, _done, _total: None) -> Mapping[str, SyncReport]:
        """Brings the index up to all sources. Nothing is reported when another process owns it and does so."""
        if self.index.own is None:
            self.indexed.set()
            return {}
        reports = await (await self.known()).sync(tell=tell)
        self.indexed.set()
        return reports

    async def sync_for(self, only: str | None, full: bool, tell: Tell) -> Mapping[str, SyncReport]:
        """The same for another process that asks. Raises `RetrieverUnavailable` and `SourcesError`."""
        reports = await (await self.known()).sync_for(only, full, tell)
        self.log_sync(reports)
        return reports

    async def mind(self) -> Mapping[str, int]:
        """Sources that are none any more are forgotten: how many pages of each. Raises `BotError`."""
        return await (await self.known()).mind()

    def log_sync(self, came: Mapping[str, SyncReport] | Unavailable | SourcesError) -> None:
        """What came of one round; a failure is logged once until it changes."""
        if isinstance(came, Unavailable | SourcesError):
            log.warning("pages could not be indexed", cause=str(came))
            return
        self.indexed.set()
        for source, report in came.items():
            if report.added or report.changed or report.deleted:
                log.info("pages indexed", source=source, added=report.added, changed=report.changed,
                         deleted=report.deleted, unchanged=report.unchanged, failed=len(report.failed))
        latest = self.knowledge.reports if self.knowledge else came         # a round may be of one source only
        failed = tuple((source, *bad) for source, report in latest.items() for bad in report.failed)
        if failed != self.not_indexed:
            for source, path, why in failed:
                log.warning("page not indexed", source=source, path=path or "the folder", cause=why)
        self.not_indexed = failed
        self.page_problem = next((f"{source}: {why}" for source, path, why in failed if not path), None)


def make_private(folder: Path) -> None:
    """The data folder; made so that nobody else may look into it. Raises `StoreUnavailable`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat().st_mode & 0o007:
            log.warning("others can look into the data folder", folder=str(folder))
    except OSError as error:
        raise StoreUnavailable(f"{folder} cannot be used: {error.strerror}") from error


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncGenerator[tuple[Database, Keyring]]:
    """The database, migrated, and the keys to it. Raises `StoreUnavailable`."""
    make_private(settings.data_dir)
    async with open_database(settings.database) as database:
        master = settings.key
        if master is None:
            master = await asyncio.to_thread(master_from_file, settings.master_key_file, create=True)
        await migrate(database)
        keyring = Keyring(master)
        await database.read(partial(check_master, keyring))
        yield database, keyring


@asynccontextmanager
async def open_bot(
    settings: Settings, platforms: Sequence[ChatPlatform], *,
    store: Store | None = None, metrics: Metrics | None = None, patient: bool = False,
) -> AsyncGenerator[Bot]:
    """The whole program, ready to `Bot.serve`.

    ``store``: one that is open already, since a platform uses it, too. ``patient``: an index that is away now may
    come back later.
    """
    metrics = metrics or Metrics.fresh()
    by_name = {platform.name: platform for platform in platforms}
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_store(settings)) if store is None else store
        database, keyring = opened
        inbox = SqlInbox(database, keyring, queue_options(settings, tuple(by_name)))
        workers = settings.data_dir / "workers"
        stack.enter_context(signed_in(workers, inbox.me))
        await database.write(partial(strike_off, the_dead(workers)))
        index = await stack.enter_async_context(open_settled(settings, patient=patient))
        indexed = asyncio.Event()
        uploads = Attached(
            lambda: index.own, {name: each for name, each in by_name.items() if isinstance(each, Attachments)},
            sent=SqlAttached(database, keyring), put=index.shelve,
        )
        stack.push_async_callback(asyncio.to_thread, uploads.close)
        rooms, groups = Rooms(by_name), people(settings)
        models = [await stack.enter_async_context(SglangModel.open(c)) for c in model_configs(settings)]
        classifier = await asyncio.to_thread(load_classifier)
        guards = await stack.enter_async_context(open_guards(
            settings, keyring.fingerprint, classifier, lambda: index.own.embedder if index.own else None,
        ))
        retriever = await stack.enter_async_context(open_retriever(Patient(index, indexed), settings))
        engine = Engine(
            store=SqlStore(database, keyring, inbox, settings.limits.history_turns),
            membership=WithGroups(rooms, groups) if groups else rooms,
            retriever=MeasuredRetriever(Candid(retriever, settings), metrics),
            models=tuple(MeasuredModel(model, metrics) for model in models),
            inbound=Inbound((SecretsGuard(),), keyring.fingerprint),
            egress=Egress((SecretsGuard(), DeflectionGuard(), CitationGuard()), keyring.fingerprint),
            tokens=tokens(settings),
            budget=Budget(settings.model.context, settings.model.max_tokens),
            limits=Limits(settings.limits.message_chars, settings.knowledge.passages),
            guards=guards,
            uploads=uploads,
            transcripts=SqlTranscripts(database, keyring),
            links=Addresses(by_name),
        )
        dispatcher = Dispatcher(inbox, engine, by_name, dispatch_options(settings), metrics)
        inbox.lost = dispatcher.lost
        bot = Bot(
            settings, opened, inbox, index, models, engine, dispatcher, by_name, metrics, uploads, indexed=indexed,
        )
        stack.push_async_callback(bot.close)
        index.heed = bot.recalled
        index.shelf, index.works, index.minds = uploads.shelve, bot.sync_for, bot.mind
        index.room = bot.readers
        if index.own is not None:
            with suppress(BotError):        # the first look at the sources says what is wrong with them
                await bot.mind()            # before the first question: the file may have changed while nothing ran
        yield bot


def queue_options(settings: Settings, routes: tuple[str, ...]) -> QueueOptions:
    """The queue's part of the settings."""
    q = settings.queue
    caps = Caps(backlog=q.backlog, quota=q.quota, window=q.quota_window.total_seconds())
    return QueueOptions(
        routes=routes, caps=caps, lease=q.lease, poll=q.poll, retry_base=q.retry_base, retry_max=q.retry_max,
    )


def dispatch_options(settings: Settings) -> DispatchOptions:
    """The dispatcher's part."""
    q = settings.queue
    return DispatchOptions(
        concurrency=q.concurrency, deadline=q.deadline, grace=q.grace,
        max_failures=q.max_failures, max_unreachable=q.max_unreachable, max_crashes=q.max_crashes,
    )


def model_configs(settings: Settings) -> list[SglangConfig]:
    """The models that may be asked, first choice first; none in quote mode."""
    m = settings.model
    if m.url is None:
        return []
    first = SglangConfig(
        m.url, m.name, m.api_key.get_secret_value() if m.api_key else "",
        connect=m.connect_timeout, first_token=m.first_token_timeout, idle=m.idle_timeout, whole=m.answer_timeout,
        retries=m.retries, breaker_threshold=m.breaker_failures, breaker_cooldown=m.breaker_cooldown,
        temperature=m.temperature, reasoning_effort=m.reasoning_effort,
    )
    return [first, *other_model_configs(settings, first)]


def tokens(settings: Settings) -> Tokens:
    """The model's own tokenizer where it is at hand, else an estimate."""
    if settings.model.tokenizer is None:
        return Estimate()
    try:
        return FileTokens(settings.model.tokenizer)
    except ValueError as error:
        raise SettingsError([f"model.tokenizer: {error}"]) from error


# Chores: what runs beside the turns, each until it is cancelled.


async def keep_indexed(bot: Bot) -> None:
    """Looks at the sources in the background, so that a start listens at once, and then again every so often.

    A look at unchanged pages embeds nothing and costs milliseconds. It also serves a process that takes an index over.
    """
    every, pause = bot.settings.knowledge.refresh.total_seconds(), 1.0
    while bot.index.own is None:
        if await bot.index.settled() and bot.index.own is None:
            bot.indexed.set()           # by whoever owns it; ours only once the sources were looked at
        pause = min(2 * pause, every, TURN)
        if bot.index.own is None:
            await asyncio.sleep(pause)
    await (await bot.known()).watch(every, said=bot.log_sync)


async def housekeep(bot: Bot) -> None:
    """Old delivery keys go, in batches; and uploads that are old, or whose message is gone."""
    desk = Desk(bot.database)
    while True:
        try:
            if gone := await desk.prune(bot.settings.queue.keep.total_seconds()):
                log.info("old rows pruned", rows=gone)
            kept_since = datetime.now(UTC) - bot.settings.knowledge.keep_uploads
            if gone := await bot.uploads.tidy(kept_since, partial(standing, bot.database)):
                log.info("uploads forgotten", files=gone)
        except Unavailable as error:
            log.warning("old rows could not be pruned", cause=str(error))
        await asyncio.sleep(HOUSEKEEPING.total_seconds())


async def watch_queue(bot: Bot) -> None:
    """The queue's depth, for the metrics."""
    desk = Desk(bot.database)
    while True:
        try:
            bot.metrics.waiting.set((await desk.depth()).ready)
        except StoreUnavailable:
            bot.metrics.store_failed("depth")
        await asyncio.sleep(LOOK.total_seconds())


async def settle(bot: Bot) -> None:
    """Once everything is loaded, it is known to stay."""
    await bot.indexed.wait()
    with suppress(Unavailable):         # the health page says so
        await bot.index.ready()
    staying()


def staying() -> None:
    """What is there by now stays as long as the program, so nobody looks any more whether it is garbage.

    Else each turn pays a seventh of its time for such looks at everything that was ever loaded, the longest of which
    halt all streams for 0.1 s.
    """
    gc.collect()
    gc.freeze()


async def model_ready(models: Sequence[SglangModel]) -> str | None:
    """None, or why no model answers; the bot works without one, in quote mode."""
    if not models or any([await model.ready() for model in models]):
        return None
    return "no model server answers; quoting pages instead"


async def store_ready(database: Database) -> str | None:
    """None, or why the database cannot be read."""
    try:
        await Desk(database).depth()
    except Unavailable as error:
        return str(error)
    return None


async def index_ready(bot: Bot) -> str | None:
    """None, or why passages cannot be found yet."""
    if bot.index.away:
        return bot.index.away
    if not bot.indexed.is_set():
        return "pages are being indexed"
    if bot.page_problem:
        return f"pages of the source {bot.page_problem}"
    try:
        await bot.index.ready()
    except Unavailable as error:
        return str(error)
    return None
