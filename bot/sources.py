"""The sources of knowledge: which there are, and how the index is brought up to them.

They stand in `sources.toml` in the data folder, not among the settings: commands add and remove them while a bot
runs, and a settings file belongs to whoever wrote it; often it cannot even be written to. A source without an
allow-list is refused: who may read it is never a guess.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import time
import tomllib
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from adapters.files.folder import Folder
from adapters.parsing.media import CODE, DOCUMENTS
from adapters.qdrant.attached import SOURCE as ATTACHED
from adapters.qdrant.errand import Tell
from adapters.qdrant.index import PassageIndex, QueryEmbedder, making
from adapters.qdrant.indexer import VERSION
from adapters.qdrant.sync import COMMAND, Given, Syncer, SyncReport
from adapters.qdrant.turns import Elsewhere, Turns
from adapters.qdrant.writers import Writer, apart, marked
from adapters.sources.conversations import Conversations, page_of
from adapters.sources.exports import Export
from adapters.sources.git import Git
from adapters.sources.journal import Journal, unread
from adapters.sources.site import Site
from adapters.sql.database import Database
from adapters.sql.sealed import Keyring
from bot.settings import Settings
from engine.errors import BotError, RetrieverUnavailable, StoreUnavailable, Unavailable
from engine.messages import Audience, Conversation, Found, MessageId, Passage
from engine.ports import Retriever
from engine.rag.access import is_label
from engine.rag.page import Access, Source

FILE: Final = "sources.toml"
JOURNAL: Final = "sync.db"
WANTED: Final = "sync.wanted"       # touched by a command, for the process that owns the index
LOOK: Final = 1.0                   # seconds between two looks at these files
QUIET: Final = 0.2                  # seconds without a change after which the file is taken to be whole
QUIETED: Final = 50                 # looks after which it is taken as it is
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_RESERVED: Final = ("folder", "handbook", ATTACHED)
_HEADER: Final = "# Written by `bartizan source`; a running Bartizan reads it again when it changes.\n"

Store: TypeAlias = tuple[Database, Keyring]


class SourcesError(BotError):
    """A source cannot be what it is said to be; the sentence is for the operator."""


class _Removed(SourcesError):
    """It was a source a moment ago."""


Said: TypeAlias = Callable[[Mapping[str, SyncReport] | Unavailable | SourcesError], None]


class SourceKind(StrEnum):
    """What stands behind a source."""

    FOLDER = "folder"
    GIT = "git"
    SITE = "site"
    CONFLUENCE = "confluence"
    NOTION = "notion"
    CONVERSATIONS = "conversations"


OWN_ACL: Final = (SourceKind.CONVERSATIONS,)
"""They say themselves who may read each page."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One source, as it stands in the file. ``place``: a folder, a repository, a zip, or a sitemap's address."""

    name: str
    kind: SourceKind
    place: str = ""
    acl: tuple[str, ...] = ()
    rules: tuple[tuple[str, tuple[str, ...]], ...] = ()     # path pattern, and who may read what it meets
    url: str = ""                       # where its pages open
    branch: str = ""
    under: str = ""
    hosts: tuple[str, ...] = ()         # the only ones that a site is fetched from
    token_file: str = ""
    code: bool = False                  # source code is read, too; of a repository it always is

    @property
    def access(self) -> Access:
        """Who may read its pages, where they do not say so themselves."""
        return Access(frozenset(self.acl), tuple((pattern, frozenset(acl)) for pattern, acl in self.rules))

    @property
    def on_disk(self) -> bool:
        """``place`` is a path here, and no address."""
        kinds = (SourceKind.FOLDER, SourceKind.GIT, SourceKind.CONFLUENCE, SourceKind.NOTION)
        return self.kind in kinds and not _is_remote(self.place)

    @property
    def given(self) -> Given:
        """What the index has to know of it. From another place it is another source, whatever it is called."""
        origin = " ".join(map(_toml, (self.kind, self.place, self.branch, self.under)))
        return Given(self.access, origin, self.kind in OWN_ACL)


def whole(each: Definition) -> Definition:
    """The same with whole paths: a bot is started in another folder than the command."""
    place = os.path.abspath(Path(each.place).expanduser()) if each.place and each.on_disk else each.place
    token = os.path.abspath(Path(each.token_file).expanduser()) if each.token_file else ""
    return replace(each, place=place, token_file=token)


def missing(each: Definition) -> bool:
    """Nothing is there now; it may come, so this is no mistake."""
    return each.on_disk and not Path(each.place).exists()


def read_definitions(data_dir: Path) -> tuple[Definition, ...]:
    """All sources of the file, in its order; none where there is no file. Raises `SourcesError`."""
    path = data_dir / FILE
    try:
        tree = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise SourcesError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SourcesError(f"{path} is not TOML: {type(error).__name__}") from error
    rows = tree.pop("source", [])
    if tree or not isinstance(rows, list):
        raise SourcesError(f"{path}: only [[source]] stands there")
    found = tuple(_definition(row, f"{path}: source {number}") for number, row in enumerate(rows, 1))
    names = [each.name for each in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SourcesError(f"{path}: {', '.join(sorted(twice))} stands there twice")
    return found


def defined(settings: Settings, handbook: Path) -> tuple[Definition, ...]:
    """What the settings and the file name, else the pages for when nothing is configured. Raises `SourcesError`."""
    chosen, own = settings.knowledge, read_definitions(settings.data_dir)
    acl, url = tuple(chosen.acl), chosen.base_url or ""
    if chosen.folder:
        return (Definition("folder", SourceKind.FOLDER, str(chosen.folder), acl, url=url), *own)
    return own or (Definition("handbook", SourceKind.FOLDER, str(handbook), acl, url=url),)


def write_definitions(data_dir: Path, definitions: Iterable[Definition]) -> None:
    """The whole file, or nothing of it. Raises `StoreUnavailable`."""
    draft = data_dir / f".{FILE}.{os.getpid()}"
    text = _HEADER + "".join(_written(each) for each in definitions)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(data_dir / FILE)
    except OSError as error:
        raise StoreUnavailable(f"{data_dir / FILE} cannot be written: {error.strerror}") from error


def add(data_dir: Path, new: Definition) -> None:
    """Raises `SourcesError` for one that is there, or that cannot work, and `StoreUnavailable`."""
    checked(new)
    there = read_definitions(data_dir)
    if any(each.name == new.name for each in there):
        raise SourcesError(f"there is a source {new.name} already")
    write_definitions(data_dir, (*there, new))


def remove(data_dir: Path, name: str) -> None:
    """Raises `SourcesError` for one that is not there, and `StoreUnavailable`."""
    there = read_definitions(data_dir)
    if all(each.name != name for each in there):
        raise SourcesError(f"there is no source {name}")
    write_definitions(data_dir, (each for each in there if each.name != name))


def checked(each: Definition) -> Definition:
    """The same. Raises `SourcesError` with what is wrong with it."""
    if each.name in _RESERVED:
        raise SourcesError(f"a source cannot be called {each.name}: the program calls pages of its own so")
    if not _NAME.fullmatch(each.name):
        raise SourcesError("a source's name is made of a-z, 0-9 and -, in at most 40 characters")
    if not each.acl and each.kind not in OWN_ACL:
        raise SourcesError(f"{each.name}: say who may read it: --acl org, --acl group:hr, ...")
    odd = [label for acl in (each.acl, *(acl for _, acl in each.rules)) for label in acl if not is_label(label)]
    if odd:
        raise SourcesError(f"{each.name}: labels are org, group:NAME, channel:ID and user:ID")
    if any("\0" in text or not text.isprintable() for text in (each.place, each.url, each.branch, each.under)):
        raise SourcesError(f"{each.name}: there are characters in it that nobody can see")
    if not each.place and each.kind not in OWN_ACL:
        raise SourcesError(f"{each.name}: say where it is")
    if each.kind is SourceKind.SITE:
        _checked_site(each)
    if each.kind is SourceKind.GIT and _is_remote(each.place) and urlsplit(each.place).password:
        raise SourcesError(f"{each.name}: a password does not belong in an address: use --token-file")
    if each.branch.startswith("-"):
        raise SourcesError(f"{each.name}: that is no branch")
    return each


def _checked_site(each: Definition) -> None:
    if urlsplit(each.place).scheme not in {"http", "https"} or "@" in urlsplit(each.place).netloc:
        raise SourcesError(f"{each.name}: a site is named by its sitemap: https://wiki.example/sitemap.xml")
    if urlsplit(each.place).netloc.lower() not in {host.lower() for host in each.hosts}:
        raise SourcesError(f"{each.name}: its sitemap's host is not one of --host")


def opened(each: Definition, data_dir: Path, store: Store | None) -> Source:
    """The adapter of a source. Raises `SourcesError` when it cannot work here."""
    place = Path(each.place).expanduser()
    suffixes = (*DOCUMENTS, *CODE) if each.code else DOCUMENTS
    match each.kind:
        case SourceKind.FOLDER:
            return Folder(each.name, place, each.url, suffixes=suffixes)
        case SourceKind.GIT:
            remote = each.place if _is_remote(each.place) else ""
            here = data_dir / "repositories" / each.name if remote else place
            return Git(each.name, here, each.branch or "HEAD", remote, each.url, each.under, _token(each))
        case SourceKind.SITE:
            return Site(each.name, each.place, frozenset(host.lower() for host in each.hosts), _token(each))
        case SourceKind.CONFLUENCE | SourceKind.NOTION:
            return Export(each.name, place, each.url)
        case SourceKind.CONVERSATIONS:
            if store is None:
                raise SourcesError(f"{each.name}: the conversations are in a database that is not open here")
            return Conversations(*store, asyncio.get_running_loop(), name=each.name)


_KEYS: Final = {each.name for each in fields(Definition)}


@dataclass(frozen=True, slots=True)
class Successor:
    """The model that an index is to be built anew with, its indexer, and the version that pages get of it."""

    embedder: QueryEmbedder
    command: Sequence[str]
    version: str


@dataclass(slots=True)
class Knowledge:
    """One index and everything that it is made from."""

    index: PassageIndex
    settings: Settings
    syncer: Syncer
    handbook: Path
    store: Store | None = None
    successor: Successor | None = None
    reports: dict[str, SyncReport] = field(default_factory=dict)
    _fetching: dict[str, asyncio.Lock] = field(default_factory=dict)    # one copy of a repository, one fetch at a time
    _due: set[str] = field(default_factory=set)                         # of these something was taken back
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _listening: list[Tell] = field(default_factory=list)                # who hears of every sync, whoever began it
    _others: tuple[Writer, ...] = ()        # that write to an index on a server, too
    _chats: frozenset[str] = frozenset()                                # sources that the file last made of them

    @classmethod
    @asynccontextmanager
    async def open(
        cls, index: PassageIndex, settings: Settings, handbook: Path, store: Store | None = None, *,
        command: Sequence[str] = COMMAND, version: str = VERSION, successor: Successor | None = None,
    ) -> AsyncGenerator[Knowledge]:
        """``handbook``: the pages for when nothing is configured. Raises `RetrieverUnavailable`."""
        with Journal.open(settings.data_dir / JOURNAL) as journal:
            syncer = Syncer(index, journal, command, version, Turns(lambda: index.store, folder_name(settings)))
            await syncer.resume()
            yield cls(index, settings, syncer, handbook, store, successor)

    def definitions(self) -> tuple[Definition, ...]:
        """The configured folder, then the file's; with neither the handbook. Raises `SourcesError`."""
        there = defined(self.settings, self.handbook)
        self._chats = frozenset(each.name for each in there if each.kind is SourceKind.CONVERSATIONS)
        return there

    async def sync(
        self, only: str | None = None, *, full: bool = False, tell: Tell = lambda _name, _done, _total: None,
    ) -> Mapping[str, SyncReport]:
        """Brings the index up to one source, or all of them; what is no source any more is forgotten first.

        Each is what the file says when its turn comes. One that cannot be opened is a failure in its report, and the
        others go on. ``full``: all of it is read again; of ``only`` one source it is then also believed that it is
        empty: one that is named has been looked at. Raises `SourcesError` and `RetrieverUnavailable`.
        """
        names = [each.name for each in self.definitions()]
        if only is not None and only not in names:
            raise SourcesError(f"there is no source {only}")
        await self.mind()
        note = apart(self._writer, self._others)
        reports: dict[str, SyncReport] = {}
        left = set(names)
        for name in names:
            if only in {None, name}:
                if (report := await self._synced(name, full, full and only is not None, tell)) is not None:
                    reports[name] = replace(report, notes=(*report.notes, ("", note))) if note else report
                else:
                    left.remove(name)
        self.reports = {name: report for name, report in (self.reports | reports).items() if name in left}
        return reports

    async def sync_for(self, only: str | None, full: bool, tell: Tell) -> Mapping[str, SyncReport]:
        """As `sync`, for somebody who also wants to hear of one that is under way, and has to be waited for."""
        self._listening.append(tell)
        try:
            return await self.sync(only, full=full)
        finally:
            self._listening.remove(tell)

    async def rebuild(self, tell: Tell = lambda _name, _done, _total: None) -> Mapping[str, SyncReport]:
        """Builds the index anew with its successor's model, beside the one that answers, and lets it take over.

        What it learns of rights and deletions meanwhile holds in the new one; files that came with questions stay
        behind. When a source is away, or anything breaks, all stays as it was. Raises `RetrieverUnavailable` and
        `SourcesError`.
        """
        if (new := self.successor) is None:
            return {}
        async with AsyncExitStack() as stack:
            if self.syncer.turns is not None:       # another folder would clear away what is half built
                await stack.enter_async_context(self.syncer.turns.taken())
            making_of = making(new.embedder)
            fresh = await stack.enter_async_context(self.index.next_generation(new.embedder, making_of))
            journal = stack.enter_context(Journal.open(None))
            beside = replace(self, index=fresh, syncer=Syncer(fresh, journal, new.command, new.version))
            reports = await beside.sync(tell=tell)
            for name, report in reports.items():
                if why := next((why for path, why in report.failed if not path or path.endswith("/")), ""):
                    raise RetrieverUnavailable(f"the index is not built anew while a source is away: {name}: {why}")
            if self.syncer.turns is not None:
                self.syncer.turns.hold()
            async with self.syncer.paused():    # no vectors of the old model get into the new generation
                with suppress(SourcesError):
                    await beside.mind()
                await stack.aclose()
                self.syncer.command, self.syncer.version, self.successor = new.command, new.version, None
        self._due |= reports.keys()     # what changed meanwhile is not found before it is read again
        self._woken.set()
        return reports

    async def mind(self) -> Mapping[str, int]:
        """What the file takes back is true for the next question, also in the middle of a sync.

        Sources that are none any more go, and who may read the others is as it stands there now. What it adds is for
        the next sync. What another folder that writes to this index has as a source is not ours to forget. Returns how
        many pages each had that went. Raises `SourcesError` and `RetrieverUnavailable`.
        """
        if self.index.store.shared:
            self._others = await marked(self.index.store, self._writer)
        kept = {ATTACHED}.union(*(other.sources for other in self._others))
        return await self.syncer.heed(lambda: {each.name: each.given for each in self.definitions()}, kept)

    @property
    def _writer(self) -> Writer:
        origins = {each.name: _digest(each.given.origin) for each in self.definitions()}
        return Writer(folder_name(self.settings), origins)

    async def recall(self, message: MessageId) -> None:
        """A message was deleted or edited: what it said is not found any more, and its page is read again by `watch`.

        Raises `RetrieverUnavailable` and `StoreUnavailable`.
        """
        path = await page_of(self.store[0], message) if self.store else None
        if path is None:
            return
        with suppress(SourcesError):    # `watch` tells of it; what is taken back does not wait until it is repaired
            self.definitions()
        records = self.index.records
        sources = {each.source for each in records.values()}
        names = self._chats | {name for name in sources if f"{name}/{path}" in records}
        for name in sorted(names):
            await self.syncer.withhold(name, [path])
        if names:
            self._due |= names
            self._woken.set()

    async def watch(
        self, every: float, tell: Tell = lambda _name, _done, _total: None, said: Said = lambda _: None,
    ) -> None:
        """Syncs now, then every so many seconds, and at once when the file changes or a command asks for it.

        ``said`` gets what came of each round. A round that failed as a whole is tried again sooner, with growing
        pauses. Where there is a successor, it is built meanwhile. Runs until cancelled.
        """
        async with asyncio.TaskGroup() as group:
            if self.successor is not None:
                group.create_task(self._succeeded(every, tell, said))
            group.create_task(self._minded(every))
            await self._follow(every, tell, said)

    async def _minded(self, every: float) -> None:
        """A sync may take long, and what the file takes back does not wait for it. What is wrong, the sync says."""
        heeded: int | None = None
        while True:
            if await asyncio.to_thread(_changed, self.settings.data_dir / FILE) != heeded:
                mark = await self._quiet()
                with suppress(RetrieverUnavailable):        # once more, then
                    with suppress(SourcesError):            # until it is another file
                        await self.mind()
                    heeded = mark
            await asyncio.sleep(min(LOOK, every))

    async def _quiet(self) -> int:
        """When the file changed last, once nobody seems to write it any more: half of it would take sources away."""
        mark = await asyncio.to_thread(_changed, self.settings.data_dir / FILE)
        for _ in range(QUIETED):
            if mark and abs(time.time() - mark / 1e9) > QUIET:
                break
            before = mark
            await asyncio.sleep(QUIET)
            mark = await asyncio.to_thread(_changed, self.settings.data_dir / FILE)
            if mark == before:
                break
        return mark

    async def _succeeded(self, every: float, tell: Tell, said: Said) -> None:
        """Until the index is built anew."""
        pause = 1.0
        while self.successor is not None:
            try:
                said(await self.rebuild(tell))
            except (Unavailable, SourcesError) as error:
                said(error)
                pause = min(2 * pause, every)
                await asyncio.sleep(pause)

    async def _follow(self, every: float, tell: Tell, said: Said) -> None:
        pause = 1.0
        while True:
            await self._quiet()
            marks = await asyncio.to_thread(self._marks)
            try:
                said(await self.sync(tell=tell))
                pause, wait = 1.0, every
            except (Unavailable, SourcesError) as error:
                said(error)
                pause, wait = 2 * pause, min(every, pause)
            until = time.monotonic() + wait
            while time.monotonic() < until and await asyncio.to_thread(self._marks) == marks:
                with suppress(TimeoutError):                # other processes set no event of ours
                    async with asyncio.timeout(min(LOOK, every)):
                        await self._woken.wait()
                    await self._read_again(said)

    async def _read_again(self, said: Said) -> None:
        """What `recall` took away without the rest; what fails now is done by the next round."""
        due, self._due = self._due, set()
        self._woken.clear()
        try:
            for name in sorted(due & {each.name for each in self.definitions()}):
                said(await self.sync(name))
        except (Unavailable, SourcesError) as error:
            said(error)

    async def _synced(self, name: str, full: bool, empty: bool, tell: Tell) -> SyncReport | None:
        """None: it is no source any more."""
        def told(done: int, total: int) -> None:
            for listener in (tell, *self._listening):
                listener(name, done, total)

        def look() -> tuple[Source, Given]:
            each = next((each for each in self.definitions() if each.name == name), None)
            if each is None:
                raise _Removed
            return opened(each, self.settings.data_dir, self.store), each.given

        async with self._fetching.setdefault(name, asyncio.Lock()):
            try:
                return await self.syncer.follow(look, full=full, empty=empty, tell=told)
            except _Removed:
                return None
            except (SourcesError, Elsewhere) as error:
                return SyncReport(failed=(("", str(error)),))

    def _marks(self) -> tuple[int, ...]:
        folder = self.settings.data_dir
        return tuple(_changed(folder / name) for name in (FILE, WANTED))


@dataclass(frozen=True, slots=True)
class Candid:
    """A `Retriever` around a `Retriever`: where nothing answers, it tells whether all pages were ever read.

    That stands in the data folder, whichever process reads them.
    """

    inner: Retriever
    settings: Settings

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        """As the inner one. Raises `RetrieverUnavailable`."""
        found = await self.inner.find(question, past=past, audience=audience, limit=limit)
        return found if found.answers else replace(found, whole=await asyncio.to_thread(self._whole))

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        """As the inner one says."""
        return await self.inner.still_readable(passages, audience)

    def _whole(self) -> bool:
        try:
            names = [each.name for each in defined(self.settings, Path())]
        except SourcesError:            # nobody knows
            return True
        return not unread(self.settings.data_dir / JOURNAL, names)


def folder_name(settings: Settings) -> str:
    """Ours, among all that write to an index on a server."""
    return f"{socket.gethostname()}:{settings.data_dir.absolute()}"


def ask_for_sync(data_dir: Path) -> None:
    """The process that owns the index looks for this about once a second. Raises `StoreUnavailable`."""
    try:
        (data_dir / WANTED).touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(f"{data_dir / WANTED} cannot be written: {error.strerror}") from error


def summary(name: str, report: SyncReport) -> str:
    """One honest line."""
    noun = "page" if report.added == 1 else "pages"
    pages = (f"{report.added} {noun} added, {report.changed} changed, {report.deleted} deleted, "
             f"{report.unchanged} unchanged, {len(report.failed)} failed")
    work = f"; {report.embedded} of {report.chunks} chunks embedded" if report.chunks else ""
    rate = report.embedded / report.seconds if report.embedded and report.seconds else 0.0
    pace = f", {rate:.1f} a second" if rate else ""
    return f"{name}: {pages}{work}{pace}; {report.seconds:.1f} s."


def _definition(row: object, where: str) -> Definition:
    if not isinstance(row, dict):
        raise SourcesError(f"{where} is no table")
    if unknown := set(row) - _KEYS:
        raise SourcesError(f"{where}: {', '.join(sorted(unknown))} is unknown")
    try:
        return checked(Definition(
            _text(row["name"]), SourceKind(row["kind"]), _text(row.get("place", "")), _texts(row.get("acl", [])),
            tuple((_text(rule["match"]), _texts(rule["acl"])) for rule in row.get("rules", [])),
            _text(row.get("url", "")), _text(row.get("branch", "")), _text(row.get("under", "")),
            _texts(row.get("hosts", [])), _text(row.get("token_file", "")), row.get("code", False) is True,
        ))
    except (KeyError, ValueError, TypeError) as error:
        raise SourcesError(f"{where} cannot be understood: {error}") from error


def _digest(origin: str) -> str:
    """The same for the same place, which others need not know."""
    return sha256(origin.encode()).hexdigest()[:16]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a text")     # noqa: TRY004 - one kind of error for all that is wrong in the file
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("expected a list")     # noqa: TRY004
    return tuple(_text(each) for each in value)


def _written(each: Definition) -> str:
    lines = ["", "[[source]]"]
    for key, value in asdict(each).items():
        if value and key != "rules":
            lines.append(f"{key} = {_toml(value)}")
    for pattern, acl in each.rules:
        lines += ["[[source.rules]]", f"match = {_toml(pattern)}", f"acl = {_toml(acl)}"]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """JSON writes texts, lists of them, true and false as TOML does; but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_remote(place: str) -> bool:
    return "://" in place


def _token(each: Definition) -> str:
    if not each.token_file:
        return ""
    try:
        return Path(each.token_file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SourcesError(f"{each.name}: its token cannot be read: {type(error).__name__}") from error


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
