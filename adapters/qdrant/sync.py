"""The index follows its sources: what is new is embedded, what is gone is forgotten, what stayed is left alone.

A sync has two halves. The survey finds out what there is, reading only what may have changed; then the index is
brought up to it: first whatever takes something away (documents, rights), then what is new. Every page is written
whole and then recorded, so a sync that is cut off is completed by the next one. A chunk is embedded only when no
chunk of the page, or of one that is going away, has the same words under the same headings.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol, TypeAlias

import msgspec
import structlog

from adapters.qdrant import frames
from adapters.qdrant.embed import EARLIER
from adapters.qdrant.indexer import VERSION, Broken, Job, Pieces, Ready, Told, version
from adapters.qdrant.points import Manifest, Piece, Record
from adapters.qdrant.turns import Turns
from adapters.sources.journal import KEPT, Journal, Progress, Seen, Tombstone
from engine.errors import RetrieverUnavailable
from engine.messages import Labels
from engine.rag.page import Access, Entry, Form, Marking, Page, Source, Unreadable

log = structlog.get_logger()

COMMAND: Final = (sys.executable, "-P", "-X", "utf8", "-m", "adapters.qdrant.indexer")
"""``-P``: a folder called "adapters" where the bot happens to be started is not imported."""
LARGEST: Final = 256_000_000    # bytes of one result
LOADING: Final = 60.0           # seconds until the model has to be there
PATIENCE: Final = 600.0         # seconds for one page; the largest that we read takes about two minutes
AHEAD: Final = 2                # pages sent before the first one's result is awaited
RECONCILED: Final = 86_400.0    # seconds after which a source is listed as a whole, whatever its cursor says
LENT: Final = 1_000             # pages going away whose vectors are kept for those that come

Tell: TypeAlias = Callable[[int, int], None]
Have: TypeAlias = Callable[[str], Awaitable[Mapping[str, bytes]]]

_decoder: Final = msgspec.msgpack.Decoder(Told)


def indexer(manifest: Manifest) -> tuple[tuple[str, ...], str]:
    """The indexer with the model of that record, and the version that its pages have."""
    other = manifest.folder or (EARLIER if manifest.model == EARLIER else "")
    return (*COMMAND, other) if other else COMMAND, version(manifest.model)


class Index(Protocol):
    """What a sync needs of an index. Everything raises `RetrieverUnavailable`."""

    @property
    def records(self) -> Mapping[str, Record]: ...
    async def put(self, pages: Iterable[tuple[Record, Sequence[Piece]]]) -> None: ...
    async def relabel(self, records: Iterable[Record]) -> None: ...
    async def remove(self, documents: Iterable[str]) -> None: ...
    async def vectors(self, documents: Iterable[str]) -> dict[str, bytes]: ...
    async def tidy(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Counts of pages. ``failed`` and ``notes`` are paths with a reason; what the index had of failed ones stays."""

    added: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()     # indexed, though something was not quite right with them
    chunks: int = field(default=0, compare=False)       # of the pages that were added or changed
    embedded: int = field(default=0, compare=False)     # of these, the ones that nobody had embedded before
    read: int = field(default=0, compare=False)         # pages that had to be looked into
    seconds: float = field(default=0.0, compare=False)

    def __add__(self, other: SyncReport) -> SyncReport:
        """Of several sources, one after the other."""
        return SyncReport(
            self.added + other.added, self.changed + other.changed, self.deleted + other.deleted,
            self.unchanged + other.unchanged, self.failed + other.failed, self.notes + other.notes,
            self.chunks + other.chunks, self.embedded + other.embedded, self.read + other.read,
            self.seconds + other.seconds,
        )


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


async def sync(
    index: Index, source: Source, acl: Labels | Access, *, tell: Tell = _silent, command: Sequence[str] = COMMAND,
) -> SyncReport:
    """`Syncer.sync` without a memory: every page is read, and hashes tell what changed."""
    with Journal.open(None) as journal:
        return await Syncer(index, journal, command).sync(source, acl, tell=tell)


@dataclass(frozen=True, slots=True)
class Given:
    """What is said of a source: who may read it, and by ``origin`` where it comes from, in whatever words.

    One of another origin under the same name is another source. ``own``: it is a store of ours, which says itself who
    may read each page, and means it when it has none.
    """

    access: Access
    origin: str = ""
    own: bool = False

    @property
    def rights(self) -> str:
        """The same for the same readers."""
        rules = [[pattern, sorted(acl)] for pattern, acl in self.access.rules]
        return msgspec.json.encode([sorted(self.access.acl), rules]).decode()


@dataclass(slots=True)
class Syncer:
    """Keeps one index up to its sources. One sync at a time; what takes something back does not wait for it."""

    index: Index
    journal: Journal
    command: Sequence[str] = COMMAND
    version: str = VERSION              # of chunker and model, as the indexer of ``command`` has them
    turns: Turns | None = None          # where others bring the same index up to their sources
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)    # nothing is put while something is forgotten
    _current: _Sync | None = None
    _moved: dict[str, set[str]] = field(default_factory=dict)       # pages whose readers changed since the last sync
    _gone: dict[str, int] = field(default_factory=dict)             # of sources that are none any more: their pages

    async def sync(
        self, source: Source, acl: Labels | Access, *, full: bool = False, empty: bool = False, tell: Tell = _silent,
    ) -> SyncReport:
        """Brings the index up to the source; ``tell`` gets (done, total) of the pages to embed.

        ``full``: everything is read again, whatever cursors and stamps say. ``empty``: where no page is left, that is
        meant; otherwise what was there is hidden, and kept. Raises `RetrieverUnavailable` when the index, the journal
        or the embedding model does not work.
        """
        given = Given(acl if isinstance(acl, Access) else Access(acl))
        return await self.follow(lambda: (source, given), full=full, empty=empty, tell=tell)

    async def follow(
        self, look: Callable[[], tuple[Source, Given]], *, full: bool = False, empty: bool = False,
        tell: Tell = _silent,
    ) -> SyncReport:
        """As `sync`, of what ``look`` says once its turn has come: meanwhile it may have become another.

        From then on `heed` tells it. Raises what ``look`` raises, too, and `Elsewhere` where others write.
        """
        async with self._turn, self.turns.taken() if self.turns else nullcontext():
            source, given = look()
            self._current = _Sync(self, source, given, full, empty, tell)
            try:
                return await self._current.run()
            finally:
                self._current = None
                await asyncio.to_thread(source.close)

    async def forget(self, source: str, paths: Iterable[str], at: datetime | None = None) -> None:
        """Documents that were taken back: the next question does not find them, and no late update revives them.

        A document of the same path that is newer than ``at`` (now), or has no date and says something else, is a
        new one.
        """
        records, when = self.index.records, at or datetime.now(UTC)
        async with self._writing:
            seen = await asyncio.to_thread(self.journal.seen, source)       # it may be on its way into the index
            known = {path: seen.get(path) or records.get(f"{source}/{path}") for path in paths}
            stones = {path: Tombstone(when, each.hash if each else "") for path, each in known.items()}
            await self.index.remove([f"{source}/{path}" for path in stones])
            await asyncio.to_thread(self.journal.bury, source, stones)

    async def withhold(self, source: str, paths: Iterable[str]) -> None:
        """Something in these documents was taken back: nobody finds them until a sync that begins later has read them.

        Their vectors stay, so that what did not change in them need not be embedded again.
        """
        async with self._writing:
            await self.hide(source, list(paths), time.time())

    async def hide(self, source: str, paths: Collection[str], at: float) -> None:
        """The same, for who keeps others from writing meanwhile."""
        await asyncio.to_thread(self.journal.withhold, source, paths, at)
        known = (self.index.records.get(f"{source}/{path}") for path in paths)
        await self.index.relabel([replace(record, acl=frozenset()) for record in known if record])

    @asynccontextmanager
    async def paused(self) -> AsyncGenerator[None]:
        """No sync runs while this is open."""
        async with self._turn:
            yield

    async def resume(self) -> None:
        """After a start: a process that died while it withheld something may have noted it and done no more."""
        async with self._writing:
            names = await asyncio.to_thread(self.journal.unreleased)
            known = (self.index.records.get(name) for name in names)
            await self.index.relabel([replace(record, acl=frozenset()) for record in known if record and record.acl])

    async def heed(self, look: Callable[[], Mapping[str, Given]], kept: Collection[str] = ()) -> Mapping[str, int]:
        """What there is said to be holds from now on, also for a sync that is under way.

        A source that is none any more is forgotten, but for those that are ``kept``; of one that comes from elsewhere
        nothing is found until it has been read there. Other readers are the readers at once: nothing is read for
        that, and pages of which something was taken back stay out of sight. Returns how many pages each source had
        that is none any more. Raises what ``look`` raises, too.
        """
        async with self._writing:
            there = look()
            if (current := self._current) is not None:
                current.heed(there.get(current.source.name))
            earlier = await asyncio.to_thread(self.journal.givens)
            held = {record.source for record in self.index.records.values()} | earlier.keys()
            held |= await asyncio.to_thread(self.journal.sources)
            for name in sorted(held - there.keys() - set(kept)):
                self._gone[name] = self._gone.get(name, 0) + await self._forgotten(name)
            for name, given in there.items():
                self._gone.pop(name, None)
                origin, rights = earlier.get(name, ("", ""))
                if origin not in {"", given.origin}:
                    await self._hidden(name)
                    await asyncio.to_thread(self.journal.give, name, given.origin, given.rights)
                elif name in held and not given.own and rights != given.rights:
                    await self._admit(name, given)
        return dict(self._gone)

    async def drop(self, source: str) -> int:
        """Forgets a whole source, and returns how many pages of it the index had; does not wait for a sync."""
        async with self._writing:
            if self._current is not None and self._current.source.name == source:
                self._current.heed(None)
            return await self._forgotten(source)

    async def _forgotten(self, source: str) -> int:
        gone = [record.document for record in self.index.records.values() if record.source == source]
        await self.index.remove(gone)
        if gone:
            await self.index.tidy()         # before the journal, which would bring it about again after a crash
        await asyncio.to_thread(self.journal.forget, source)
        self._moved.pop(source, None)
        return len(gone)

    async def _hidden(self, source: str) -> None:
        """Nobody finds what came from another place; its vectors serve what says the same in the new one."""
        held = [record for record in self.index.records.values() if record.source == source]
        paths = [record.document.removeprefix(f"{source}/") for record in held]
        await asyncio.to_thread(self.journal.elsewhere, source, paths, time.time())
        await self.index.relabel([replace(record, acl=frozenset()) for record in held if record.acl])
        self._moved.pop(source, None)

    async def _admit(self, source: str, given: Given) -> None:
        """Other readers for what is there. Where nobody knows what the source says of a page, at most fewer."""
        await asyncio.to_thread(self.journal.give, source, given.origin, "")       # until it is done
        seen = await asyncio.to_thread(self.journal.seen, source)
        moved = []
        for record in self.index.records.values():
            if record.source == source and record.acl:
                each = seen.get(path := record.document.removeprefix(f"{source}/"))
                acl = given.access.of(path, each.labels) if each else given.access.of(path) & record.acl
                if acl != record.acl:
                    moved.append(replace(record, acl=acl))
                    self._moved.setdefault(source, set()).add(path)
        await self.index.relabel(moved)
        await asyncio.to_thread(self.journal.give, source, given.origin, given.rights)


@dataclass(frozen=True, slots=True)
class _Survey:
    """What there is. ``seen`` is every document that is there; ``failed`` are whole folders, too."""

    seen: dict[str, Seen]
    failed: tuple[Unreadable, ...]
    gone: tuple[Unreadable, ...]        # listed, and not there; "": the source has nothing
    barred: frozenset[str]              # paths of what asks who we are; "": all of it
    read: int
    cursor: str
    whole: bool                 # everything was listed
    fresh: Mapping[str, Seen]           # of ``seen``, what the journal has otherwise
    lost: tuple[str, ...]               # what only the journal has

    def bars(self, path: str) -> bool:
        """Whether we are asked who we are where that page is: others may read it now than who could."""
        return path in self.barred or "" in self.barred

    @property
    def shut(self) -> bool:
        """Whether every page asks who we are: that is no matter of single pages."""
        return len(self.seen) > 1 and self.seen.keys() <= self.barred


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a survey means for what the index has. All are paths, or stand by them."""

    known: Mapping[str, Record]         # what the index has
    wanted: Mapping[str, Record]        # what it is to have
    failed: Sequence[Unreadable]
    held: Mapping[str, Tombstone]       # there again, and not newer than what was taken back
    withheld: Mapping[str, float]       # nobody finds these before they were read again
    emptied: AbstractSet[str]       # all that there was, where nothing is left
    hidden: AbstractSet[str]            # that, or what asks who we are
    gone: Sequence[str]
    kept: Collection[str]               # could not be read now, and stay as they were
    same: AbstractSet[str]              # is to have the text that it has
    todo: Sequence[str]                 # has to be embedded, in the order of the listing


class _Over(Exception):
    """It is no source any more."""


@dataclass(slots=True)
class _Sync:
    """One run over one source."""

    syncer: Syncer
    source: Source
    given: Given
    full: bool
    empty: bool                 # one that has nothing is meant to
    tell: Tell
    began: float = field(default_factory=time.time)     # before anything was read
    ended: asyncio.Event = field(default_factory=asyncio.Event)     # the source is none any more
    chunks: int = 0
    embedded: int = 0

    def heed(self, given: Given | None) -> None:
        """From now on it is this; None, or what comes from elsewhere: it is none any more, and nothing is put in."""
        if given is None or given.origin != self.given.origin:
            self.ended.set()
        else:
            self.given = given

    async def run(self) -> SyncReport:
        """What there is, what that means, what goes, what comes, how far it came."""
        clock = time.monotonic()
        await self._arrived()
        survey = await asyncio.to_thread(self._surveyed, self.began)
        try:
            plan = await self._planned(survey)
            lent = await self._lent(plan)
            moved = await self._taken_away(survey, plan)
            done, problems = await self._embed(survey, plan, lent)
            await self._finished(survey, plan, done)
        except _Over:
            return SyncReport(notes=(("", "is no source any more, or another one"),), read=survey.read)
        changed = len(moved | {path for path in done if path in plan.known})
        failed = [*self._nothing(survey, len(plan.emptied)), *plan.failed, *problems]
        return SyncReport(
            sum(path not in plan.known for path in done), changed, len(plan.gone),
            len(plan.known) - len(plan.gone) - len(plan.hidden) - changed,
            tuple((bad.path, f"{bad.why}{_hides(bad.path, survey, plan.hidden)}") for bad in failed),
            tuple(_odd(survey, plan)), self.chunks, self.embedded, survey.read, time.monotonic() - clock,
        )

    @asynccontextmanager
    async def _writing(self) -> AsyncGenerator[None]:
        """Nobody else writes while this is open. Raises `_Over` when nothing of this source is to be written."""
        async with self.syncer._writing:
            if self.ended.is_set():
                raise _Over
            yield

    async def _planned(self, survey: _Survey) -> _Plan:
        """What is to be done. From here on the journal knows what was read."""
        journal, name = self.syncer.journal, self.source.name
        async with self._writing():
            known = {self._path(each): each for each in self.syncer.index.records.values() if each.source == name}
            emptied = self._emptied(survey, known)
            if not emptied:         # else it goes on from where it was, should they come back
                await asyncio.to_thread(journal.keep, name, survey.fresh, survey.lost)
        withheld = await asyncio.to_thread(journal.withheld, name)
        buried = await asyncio.to_thread(journal.tombstones, name)
        held = {path: stone for path, stone in buried.items()
                if (each := survey.seen.get(path)) and each.hash and stone.holds(each.hash, each.date)}
        failed = [*survey.failed, *(Unreadable(path, each.said) for path, each in survey.seen.items() if not each.hash)]
        hidden = emptied or {path for path in known if survey.bars(path)}
        wanted = {path: self._record(path, each) for path, each in survey.seen.items()
                  if each.hash and path not in held}
        missed, rest = _Missed(failed), [path for path in known if path not in wanted and path not in hidden]
        gone = [path for path in rest if path in held or path not in missed]
        kept = [path for path in rest if path in missed and path not in held and path not in withheld]
        same = {path for path, record in wanted.items() if path in known and _text(record) == _text(known[path])}
        todo = [path for path in wanted if path not in same]
        return _Plan(known, wanted, failed, held, withheld, emptied, hidden, gone, kept, same, todo)

    async def _taken_away(self, survey: _Survey, plan: _Plan) -> set[str]:
        """Whatever goes, and new readers; they do not wait for vectors. Which pages that changed."""
        index, name = self.syncer.index, self.source.name
        moved = self._moved(survey, plan)
        moved_on = [replace(plan.known[path], acl=plan.wanted[path].acl) for path in plan.todo
                    if path in plan.known and plan.known[path].acl not in {frozenset(), plan.wanted[path].acl}]
        async with self._writing():
            await index.remove([plan.known[path].document for path in plan.gone])
            await self.syncer.hide(name, plan.hidden - plan.withheld.keys(), self.began)
            shut = await self._shut()
            await index.relabel([
                self._admitted(record, survey) for record in (*moved, *moved_on) if record.document not in shut
            ])
            await asyncio.to_thread(self.syncer.journal.give, name, self.given.origin, self.given.rights)
            others = self.syncer._moved.pop(name, set()) & plan.known.keys() - plan.hidden
        return (others | set(map(self._path, moved))) - set(plan.gone)

    def _moved(self, survey: _Survey, plan: _Plan) -> list[Record]:
        """Pages of the same text that others may read now, or that open elsewhere."""
        kept = {path: replace(plan.known[path], acl=self._acl(path, survey.seen.get(path))) for path in plan.kept}
        now = {**kept, **{path: plan.wanted[path] for path in plan.same}}
        return [
            record for path, record in now.items()
            if (record.acl, record.url) != (plan.known[path].acl, plan.known[path].url)
            or (self.full and record.date != plan.known[path].date)     # else a host that says "now" would change all
        ]

    async def _finished(self, survey: _Survey, plan: _Plan, done: Collection[str]) -> None:
        """What was read again may be found again, and the journal knows how far this came."""
        async with self._writing():
            if plan.gone or plan.todo:
                await self.syncer.index.tidy()
            read_again = plan.withheld.keys() & {*plan.same, *done, *plan.gone}
            await asyncio.to_thread(self.syncer.journal.release, self.source.name, read_again, self.began)
            if not plan.emptied:
                await asyncio.to_thread(self._remember, survey, self.began)

    def _emptied(self, survey: _Survey, known: Collection[str]) -> set[str]:
        """What there was, where nothing is left: a disk that is not mounted looks as if all had been deleted.

        A single page is more likely to have been, and is soon embedded again.
        """
        if survey.seen or self.empty or self.given.own:
            return set()
        missed = _Missed(survey.failed)
        left = {path for path in known if path not in missed}
        return left if len(left) > 1 else set()

    def _nothing(self, survey: _Survey, hidden: int) -> Iterator[Unreadable]:
        """What is to be said of a source that has no page, and of the pages that it had."""
        why = next((bad.why for bad in survey.gone if not bad.path), "")
        if hidden:
            yield Unreadable("", f"{why or 'lists nothing'} where it had {hidden:,} pages: hidden, not deleted, until "
                                 f"it lists some; if it is empty: `bartizan source sync {self.source.name} --full`")
        elif why:
            yield Unreadable("", why)
        if survey.shut:
            yield Unreadable("", f"asks who we are for each of its {len(survey.seen):,} pages: it needs a token that "
                                 "may read them, as token_file in sources.toml, or a new one there")

    async def _arrived(self) -> None:
        """What the index has of another source by this name is hidden first: it would get this one's readers."""
        name, origin = self.source.name, self.given.origin
        async with self.syncer._writing:
            before, rights = (await asyncio.to_thread(self.syncer.journal.givens)).get(name, ("", ""))
            if self.ended.is_set() or before == origin:
                return
            if before and origin:
                await self.syncer._hidden(name)
                self.began = time.time()        # it is to read them again
            await asyncio.to_thread(self.syncer.journal.give, name, origin, rights)

    def _surveyed(self, now: float) -> _Survey:
        """Blocking. Reads what is new to the journal, or may have changed since."""
        source, journal = self.source, self.syncer.journal
        before = journal.seen(source.name)
        progress = journal.progress(source.name)
        cursor = source.cursor()
        due = self.full or now - progress.listed > RECONCILED
        changes = None if due or not progress.cursor or not cursor else source.changes(progress.cursor)
        entries: Iterable[Entry | Unreadable] = _listed(source) if changes is None else changes.touched
        seen = {} if changes is None else {path: each for path, each in before.items() if path not in changes.gone}
        failed: list[Unreadable] = []
        missing: list[Unreadable] = []
        fresh: dict[str, Seen] = {}
        barred: set[str] = set()
        read = 0
        for entry in (*_again(seen), *entries):
            if self.ended.is_set():
                break
            if isinstance(entry, Entry):
                old = before.get(entry.path)
                page: Page | Unreadable | None = None
                if self.full or not old or not entry.stamp or old.stamp != entry.stamp:
                    page = _read_since(source, entry.path, old.mark if old and not self.full else "")
                    read += page is not None
                if isinstance(page, Unreadable) and page.gone:
                    missing.append(page)
                    seen.pop(entry.path, None)
                    continue
                if isinstance(page, Unreadable) and page.barred:
                    barred.add(entry.path)
                if page is not None:
                    each = _looked_into(entry, page)
                elif old is not None:
                    each = _as_listed(msgspec.structs.replace(old, stamp=entry.stamp), entry)
            elif entry.path and not entry.path.endswith("/"):
                last = before.get(entry.path)
                each = Seen("", "", entry.why, acl=last.acl if last else None)      # nobody else may read it now
            else:
                (missing if entry.gone else failed).append(entry)
                barred |= {entry.path} if entry.barred else set()
                continue
            seen[entry.path] = each
            if each != before.get(entry.path):
                fresh[entry.path] = each
        missed = _Missed(failed)
        gone = tuple(path for path in before if path not in seen and path not in missed)
        return _Survey(
            seen, tuple(failed), tuple(missing), frozenset(barred), read, cursor, changes is None, fresh, gone)

    async def _lent(self, plan: _Plan) -> Mapping[str, bytes]:
        """The vectors of what goes away, where something new comes: it may only have been renamed."""
        if not plan.gone or all(path in plan.known for path in plan.todo):
            return {}
        gone = [record for path in plan.gone[:LENT] if self._reusable(record := plan.known[path])]
        return await self.syncer.index.vectors([record.document for record in gone])

    async def _embed(
        self, survey: _Survey, plan: _Plan, lent: Mapping[str, bytes],
    ) -> tuple[list[str], list[Unreadable]]:
        done: list[str] = []
        problems: list[Unreadable] = []
        if not plan.todo:
            return done, problems
        have = partial(self._known, plan.known, lent)
        count = 0
        async with aclosing(embedded(self.source, plan.todo, self.syncer.command, have)) as results:
            self.tell(0, len(plan.todo))
            async for result in results:
                if isinstance(result, Unreadable):
                    problems.append(result)
                elif await self._put(result, survey.seen[result.page.path]):
                    done.append(result.page.path)
                    self.chunks += len(result.pieces)
                    self.embedded += result.made
                count += 1
                self.tell(count, len(plan.todo))
                if self.ended.is_set():
                    break
        return done, problems

    async def _put(self, result: Embedded, seen: Seen) -> bool:
        """False: it was taken back while it was being embedded."""
        page = result.page
        async with self.syncer._writing:
            if self.ended.is_set():
                return False
            stones = await asyncio.to_thread(self.syncer.journal.tombstones, self.source.name)
            if (stone := stones.get(page.path)) and stone.holds(page.hash, page.date):
                return False
            if f"{self.source.name}/{page.path}" in await self._shut():
                return False
            now = msgspec.structs.replace(seen, hash=page.hash, date=page.date, form=page.form)
            if self.syncer.turns is not None:
                self.syncer.turns.hold()
            await self.syncer.index.put([(self._record(page.path, now), result.pieces)])
        return True

    async def _shut(self) -> set[str]:
        """Documents of which something was taken back since this sync began to read: the next one reads them again."""
        withheld = await asyncio.to_thread(self.syncer.journal.withheld, self.source.name)
        return {f"{self.source.name}/{path}" for path, at in withheld.items() if at >= self.began}

    async def _known(self, known: Mapping[str, Record], lent: Mapping[str, bytes], path: str) -> Mapping[str, bytes]:
        record = known.get(path)
        if record is None or not self._reusable(record):
            return lent
        return {**lent, **await self.syncer.index.vectors([record.document])}

    def _remember(self, survey: _Survey, began: float) -> None:
        """How far this sync came; not of a source that was away, and of one cut off in the middle never."""
        journal, name = self.syncer.journal, self.source.name
        journal.weathered(began - KEPT)
        if any(bad.path == "" for bad in survey.failed):
            return
        journal.advance(name, Progress(survey.cursor, began if survey.whole else journal.progress(name).listed))

    def _record(self, path: str, seen: Seen) -> Record:
        acl = self._acl(path, seen)
        name, version = self.source.name, self.syncer.version
        return Record(f"{name}/{path}", name, seen.hash, version, acl, seen.url, seen.date, _channel(seen.form, acl))

    def _admitted(self, record: Record, survey: _Survey) -> Record:
        """With the allow-list as it is now: another one may have come since this sync began."""
        path = self._path(record)
        return replace(record, acl=self._acl(path, survey.seen.get(path)))

    def _path(self, record: Record) -> str:
        return record.document.removeprefix(f"{self.source.name}/")

    def _reusable(self, record: Record) -> bool:
        """Its vectors are of the model that we embed with; of an unfinished page nobody knows."""
        return bool(record.hash) and record.version == self.syncer.version

    def _acl(self, path: str, seen: Seen | None) -> Labels:
        return self.given.access.of(path, seen.labels if seen else None)


@dataclass(frozen=True, slots=True)
class Embedded:
    """A page, its pieces, and how many of them were embedded for it."""

    page: Page
    pieces: list[Piece]
    made: int


async def _nothing(path: str) -> Mapping[str, bytes]:
    """Every chunk is new."""
    del path
    return {}


async def embedded(
    source: Source, paths: Sequence[str], command: Sequence[str] = COMMAND,
    have: Have = _nothing,
) -> AsyncGenerator[Embedded | Unreadable, None]:
    """One result for each path, in order, from a process of its own. A page that kills it is skipped.

    ``have``: the vectors that are there for a page's chunks, by hash. Raises `RetrieverUnavailable` when the
    process does not get as far as its first page.
    """
    rest = deque(paths)
    while rest:
        async with _indexer(command) as process:
            sent: deque[tuple[Page, Mapping[str, bytes]]] = deque()
            while rest or sent:
                while rest and len(sent) < AHEAD:
                    page = await asyncio.to_thread(_read, source, rest[0])
                    if isinstance(page, Unreadable):
                        if sent:
                            break       # its turn comes after theirs
                        rest.popleft()
                        yield page
                        continue
                    vectors = await have(page.path)
                    rest.popleft()
                    sent.append((page, vectors))
                    anchors = None if page.anchors is None else dict(page.anchors)
                    await process.send(Job(page.text, page.name, page.form, frozenset(vectors), anchors))
                if not sent:
                    break
                told = await process.hear(PATIENCE)
                page, vectors = sent.popleft()
                if isinstance(told, Pieces):
                    yield _filled(page, told.pieces, vectors)
                    continue
                if isinstance(told, Broken):
                    yield Unreadable(page.path, told.why)
                    continue
                yield Unreadable(page.path, "indexing it failed or took too long")
                rest.extendleft(waiting.path for waiting, _ in reversed(sent))
                break                       # the next ones get a new process


def _filled(page: Page, pieces: Sequence[Piece], vectors: Mapping[str, bytes]) -> Embedded:
    made = len({piece.hash for piece in pieces if piece.dense})
    whole = [piece if piece.dense else msgspec.structs.replace(piece, dense=vectors[piece.hash]) for piece in pieces]
    return Embedded(page, whole, made)


@dataclass(frozen=True, slots=True)
class _Indexer:
    """The other end of `adapters.qdrant.indexer`, which always reads, so that sending never waits for long."""

    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader

    async def send(self, job: Job) -> None:
        with suppress(ConnectionError):     # it died; its silence says so to `hear`
            self.stdin.write(frames.packed(job))
            await self.stdin.drain()

    async def hear(self, patience: float) -> Told | None:
        """None: it is dead, or might as well be."""
        try:
            async with asyncio.timeout(patience):
                return await frames.read(self.stdout, _decoder, limit=LARGEST)
        except (TimeoutError, frames.BadFrame):
            return None


@asynccontextmanager
async def _indexer(command: Sequence[str]) -> AsyncGenerator[_Indexer]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL,
        env={"PATH": os.defpath},       # none of our secrets: it reads files that anybody may have written
    )
    try:
        if process.stdin is None or process.stdout is None:
            raise RetrieverUnavailable("the indexer has no pipes")
        indexer = _Indexer(process.stdin, process.stdout)
        told = await indexer.hear(LOADING)
        if not isinstance(told, Ready):
            raise RetrieverUnavailable(told.why if isinstance(told, Broken) else "the indexer does not start")
        yield indexer
    finally:
        with suppress(ProcessLookupError):
            process.kill()                  # it holds nothing that is not written elsewhere
        await process.wait()


def _channel(form: Form, acl: Labels) -> str:
    """Where it was said, if it is chat."""
    if form is not Form.CHAT:
        return ""
    return next((label.removeprefix("channel:") for label in sorted(acl) if label.startswith("channel:")), "")


def _as_listed(seen: Seen, entry: Entry) -> Seen:
    """What the listing says of a document outranks what the document says."""
    acl = seen.acl if entry.acl is None else tuple(sorted(entry.acl))
    return msgspec.structs.replace(seen, url=entry.url or seen.url, acl=acl)


def _listed(source: Source) -> Iterator[Entry | Unreadable]:
    """A source that breaks is one that is away: the others go on, and the next sync tries again."""
    try:
        yield from source.listing()
    except Exception as error:      # an adapter's own mistake, over files and answers that anybody may have made
        log.exception("a source breaks", source=source.name)
        yield Unreadable("", f"the source breaks: {type(error).__name__}")


def _read(source: Source, path: str) -> Page | Unreadable:
    """The same of one page."""
    try:
        return source.read(path)
    except Exception as error:      # as above
        return _broken(source, path, error)


def _read_since(source: Source, path: str, mark: str) -> Page | Unreadable | None:
    """None: it is what had this mark."""
    if not mark or not isinstance(source, Marking):
        return _read(source, path)
    try:
        return source.read_since(path, mark)
    except Exception as error:      # as above
        return _broken(source, path, error)


def _broken(source: Source, path: str, error: Exception) -> Unreadable:
    log.exception("a page breaks its source", source=source.name, path=path)
    return Unreadable(path, f"reading it breaks: {type(error).__name__}")


def _looked_into(entry: Entry, page: Page | Unreadable) -> Seen:
    if isinstance(page, Unreadable):
        return _as_listed(Seen(entry.stamp if page.lasting else "", "", page.why), entry)
    said = None if page.acl is None else tuple(sorted(page.acl))
    return _as_listed(Seen(entry.stamp, page.hash, page.note, page.url, page.date, said, page.form, page.mark), entry)


def _again(seen: Mapping[str, Seen]) -> list[Entry]:
    """Documents that could not be read last time, and might be now."""
    return [Entry(path, "", each.url, each.labels) for path, each in seen.items() if not each.hash and not each.stamp]


def _hides(path: str, survey: _Survey, hidden: Collection[str]) -> str:
    """What came of it that a page, or "" the source, asks who we are."""
    if path not in survey.barred or (path or next(iter(hidden), "")) not in hidden:
        return ""
    return f"; {'it is' if path else f'its {_pages(len(hidden))} are'} hidden, not deleted, until that can be read"


def _odd(survey: _Survey, plan: _Plan) -> Iterator[tuple[str, str]]:
    """What is to be said of pages, though they did not fail."""
    yield from ((path, each.said) for path, each in survey.seen.items() if each.hash and each.said)
    yield from ((bad.path, bad.why) for bad in survey.gone if bad.path)
    for path in sorted(plan.held):
        yield path, f"was taken back on {plan.held[path].at:%Y-%m-%d %H:%M} UTC; this is not newer"


def _pages(count: int) -> str:
    return f"{count:,} {'page' if count == 1 else 'pages'}"


def _text(record: Record) -> tuple[str, str]:
    return record.hash, record.version


class _Missed:
    """Paths that could not be read, or are in a folder that could not."""

    def __init__(self, failed: Iterable[Unreadable]) -> None:
        self._paths = {bad.path for bad in failed}
        self._folders = tuple(path for path in self._paths if path.endswith("/"))

    def __contains__(self, path: str) -> bool:
        return "" in self._paths or path in self._paths or path.startswith(self._folders)
