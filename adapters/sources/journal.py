"""What a sync remembers between two runs: what it has read, how far it has come, and what must not come back.

A file of its own beside the index. But for the tombstones it only saves work: without it everything is read again,
and the hashes tell that nothing changed.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self, TypeVar

import msgspec

from engine.errors import RetrieverUnavailable
from engine.messages import Labels
from engine.rag.page import Form

T = TypeVar("T")
READING: Final = 3              # a new number: what was read before is read again
KEPT: Final = 30 * 86_400.0     # seconds that a tombstone stands
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS seen (source TEXT, path TEXT, row BLOB NOT NULL, PRIMARY KEY (source, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS progress (source TEXT PRIMARY KEY, cursor TEXT NOT NULL, listed REAL NOT NULL);
CREATE TABLE IF NOT EXISTS given (source TEXT PRIMARY KEY, origin TEXT NOT NULL, rights TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tombstone (
    source TEXT, path TEXT, at REAL NOT NULL, hash TEXT NOT NULL, placed REAL NOT NULL,
    PRIMARY KEY (source, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS withheld (
    source TEXT, path TEXT, at REAL NOT NULL, PRIMARY KEY (source, path)) WITHOUT ROWID;
"""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """What reading a document came to. ``hash`` "" is one that cannot be read, and ``said`` tells why."""

    stamp: str
    hash: str = ""
    said: str = ""
    url: str = ""
    date: datetime | None = None
    acl: tuple[str, ...] | None = None
    form: Form = Form.MARKDOWN
    mark: str = ""

    @property
    def labels(self) -> Labels | None:
        """What the source said of the page's readers, if it did."""
        return None if self.acl is None else frozenset(self.acl)


@dataclass(frozen=True, slots=True)
class Progress:
    """``cursor`` is the source's own; ``listed`` is when all of it was last listed, in seconds since 1970."""

    cursor: str = ""
    listed: float = 0.0


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A document that was taken back, and what it said then."""

    at: datetime
    hash: str

    def holds(self, hash_: str, date: datetime | None) -> bool:
        """A late update of the same document: it is not newer than its end."""
        return date <= self.at if date is not None else hash_ == self.hash


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Seen).decode


@dataclass(frozen=True, slots=True)
class Journal:
    """Blocking, for worker threads. Raises `RetrieverUnavailable` when the file cannot be used."""

    _file: sqlite3.Connection
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @contextmanager
    def open(cls, path: Path | None) -> Generator[Self]:
        """``path`` None: one that is forgotten afterwards."""
        try:
            if path:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.touch(mode=0o600)
            file = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None, timeout=10)
        except (OSError, sqlite3.Error) as error:
            raise RetrieverUnavailable(f"the journal of syncs cannot be opened: {type(error).__name__}") from error
        journal = cls(file)
        try:
            journal._call(_prepared)
            yield journal
        finally:
            # A thread goes on when the task that waits for it is cancelled: closing under its feet would crash.
            with journal._turn:
                file.close()

    def seen(self, source: str) -> dict[str, Seen]:
        """Everything that the last sync knew of, by path."""
        rows = self._call(lambda file: file.execute(
            "SELECT path, row FROM seen WHERE source = ?", (source,)).fetchall())
        return {path: _decode(row) for path, row in rows}

    def keep(self, source: str, changed: Mapping[str, Seen], gone: Iterable[str]) -> None:
        """Remembers these, and no longer those."""
        fresh = [(source, path, _encode(each)) for path, each in changed.items()]
        old = [(source, path) for path in gone]

        def work(file: sqlite3.Connection) -> None:
            file.execute("BEGIN IMMEDIATE")
            file.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", fresh)
            file.executemany("DELETE FROM seen WHERE source = ? AND path = ?", old)
            file.execute("COMMIT")

        self._call(work)

    def progress(self, source: str) -> Progress:
        """How far the last sync has come."""
        row = self._call(lambda file: file.execute(
            "SELECT cursor, listed FROM progress WHERE source = ?", (source,)).fetchone())
        return Progress(*row) if row else Progress()

    def advance(self, source: str, progress: Progress) -> None:
        """After a sync that is complete."""
        self._call(lambda file: file.execute(
            "INSERT OR REPLACE INTO progress VALUES (?, ?, ?)", (source, progress.cursor, progress.listed)))

    def givens(self) -> dict[str, tuple[str, str]]:
        """Where each source comes from, and for whom the index has it; "": nobody knows."""
        rows = self._call(lambda file: file.execute("SELECT source, origin, rights FROM given").fetchall())
        return {source: (origin, rights) for source, origin, rights in rows}

    def give(self, source: str, origin: str, rights: str) -> None:
        """From now on it comes from there, and is for those."""
        self._call(lambda file: file.execute("INSERT OR REPLACE INTO given VALUES (?, ?, ?)", (source, origin, rights)))

    def bury(self, source: str, buried: Mapping[str, Tombstone]) -> None:
        """From now on nothing older than these comes back."""
        now = time.time()
        rows = [(source, path, stone.at.timestamp(), stone.hash, now) for path, stone in buried.items()]
        self._call(lambda file: file.executemany("INSERT OR REPLACE INTO tombstone VALUES (?, ?, ?, ?, ?)", rows))

    def tombstones(self, source: str) -> dict[str, Tombstone]:
        """Those that stand."""
        rows = self._call(lambda file: file.execute(
            "SELECT path, at, hash FROM tombstone WHERE source = ?", (source,)).fetchall())
        return {path: Tombstone(datetime.fromtimestamp(at, UTC), hash_) for path, at, hash_ in rows}

    def withhold(self, source: str, paths: Iterable[str], at: float) -> None:
        """Something in these documents was taken back: what was read of them before ``at`` must not be shown."""
        rows = [(source, path, at) for path in paths]
        self._call(lambda file: file.executemany("INSERT OR REPLACE INTO withheld VALUES (?, ?, ?)", rows))

    def elsewhere(self, source: str, paths: Iterable[str], at: float) -> None:
        """It comes from another place: what was read of it counts no more, and these pages must not be shown."""
        rows = [(source, path, at) for path in paths]

        def work(file: sqlite3.Connection) -> None:
            file.execute("BEGIN IMMEDIATE")
            for table in ("seen", "progress", "tombstone"):
                file.execute(f"DELETE FROM {table} WHERE source = ?", (source,))    # noqa: S608 - three names of ours
            file.executemany("INSERT OR REPLACE INTO withheld VALUES (?, ?, ?)", rows)
            file.execute("COMMIT")

        self._call(work)

    def withheld(self, source: str) -> dict[str, float]:
        """Documents that nobody may find, and since when, in seconds since 1970."""
        rows = self._call(lambda file: file.execute(
            "SELECT path, at FROM withheld WHERE source = ?", (source,)).fetchall())
        return dict(rows)

    def unreleased(self) -> list[str]:
        """All that nobody may find, as the index names documents: "source/path"."""
        rows = self._call(lambda file: file.execute("SELECT source, path FROM withheld").fetchall())
        return [f"{source}/{path}" for source, path in rows]

    def release(self, source: str, paths: Iterable[str], before: float) -> None:
        """These were read again at ``before``; what was taken back since then still counts."""
        rows = [(source, path, before) for path in paths]
        self._call(lambda file: file.executemany(
            "DELETE FROM withheld WHERE source = ? AND path = ? AND at < ?", rows))

    def weathered(self, before: float) -> None:
        """Removes the tombstones that were placed before this time, in seconds since 1970."""
        self._call(lambda file: file.execute("DELETE FROM tombstone WHERE placed < ?", (before,)))

    def forget(self, source: str) -> None:
        """Everything about a source that is no more."""
        for table in ("seen", "progress", "given", "tombstone", "withheld"):
            self._call(lambda file, table=table: file.execute(  # type: ignore[misc]
                f"DELETE FROM {table} WHERE source = ?", (source,)))    # noqa: S608 - five names of ours

    def sources(self) -> set[str]:
        """Every source that it knows anything of."""
        rows = self._call(lambda file: file.execute(
            "SELECT source FROM seen UNION SELECT source FROM progress").fetchall())
        return {source for source, in rows}

    def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._turn:
            try:
                return work(self._file)
            except sqlite3.Error as error:
                with suppress(sqlite3.ProgrammingError):        # it has been closed
                    if self._file.in_transaction:
                        self._file.execute("ROLLBACK")
                raise RetrieverUnavailable(f"the journal of syncs fails: {error}") from error


def unread(path: Path, sources: Iterable[str]) -> bool:
    """Whether one of these was never read to its end, by the journal there, which another process may write just now.

    What cannot be found out is no.
    """
    wanted = set(sources)
    if not path.exists():
        return bool(wanted)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as file:
            return not wanted <= {source for source, in file.execute("SELECT source FROM progress")}
    except sqlite3.Error:
        return False


def _prepared(file: sqlite3.Connection) -> None:
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = NORMAL")
    file.executescript(_TABLES)
    version, = file.execute("PRAGMA user_version").fetchone()
    if version != READING:
        file.execute("DELETE FROM seen")
        file.execute("UPDATE progress SET cursor = ''")      # each was read to its end all the same
        file.execute(f"PRAGMA user_version = {READING}")
