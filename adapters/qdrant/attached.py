"""Files that came with a question: parsed, embedded and found in its conversation, and nowhere else.

Their label is the conversation's, which only the engine hands out. Nothing is kept but the chunks in the index: the
bytes stay where the platform has them. They go with their message, with its author, or after a while.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

import msgspec

from adapters.files.folder import page
from adapters.parsing.parser import Parser, stem
from adapters.qdrant.index import MadeAnew, PassageIndex
from adapters.qdrant.parcel import Parcel, Shelved
from adapters.qdrant.points import Manifest, Record
from adapters.qdrant.sync import embedded, indexer
from engine.errors import FileUnavailable, PlatformUnavailable, RetrieverUnavailable
from engine.messages import ConversationId, File, Message, MessageId, Taken, within
from engine.ports import Attachments
from engine.rag.page import Entry, Listed, Page, Unreadable

SOURCE: Final = "uploads"
"""The name under which the index has them; no other source is called so."""
NAMES: Final = 80               # characters of a file's name that are kept
FORGOTTEN: Final = 1_000        # messages whose late files are turned away
EARLIER: Final = 3              # messages of the conversation that brought files before the one that asks
Put: TypeAlias = Callable[[Parcel], Awaitable[Shelved]]
"""Indexes what a message's files say, wherever the index is. Raises `RetrieverUnavailable`."""
Sent: TypeAlias = Callable[[ConversationId, int], Awaitable[Sequence[tuple[MessageId, tuple[File, ...]]]]]
"""Which files came with the latest messages of a conversation. Raises `StoreUnavailable`."""
AWAY: Final = "the index is not reachable"
_ODD: Final = re.compile(r"[^\w.\- ]")


@dataclass(frozen=True, slots=True)
class UploadCaps:
    """What one message may bring."""

    files: int = 5
    size: int = 20_000_000              # bytes of each
    characters: int = 200_000           # of each that are read: about a minute of embedding


@dataclass(slots=True)
class Attached:
    """Implements the engine's `Uploads`. ``index`` is asked each time: None when another process owns it.

    Files are fetched and parsed where their platform is served, and indexed where the index is: ``put`` knows the way.
    """

    index: Callable[[], PassageIndex | None]
    platforms: Mapping[str, Attachments]
    caps: UploadCaps = field(default_factory=UploadCaps)
    indexer: Callable[[Manifest], tuple[Sequence[str], str]] = indexer
    parser: Parser = field(default_factory=Parser)
    sent: Sent | None = None            # without it, only what comes with the question itself is read
    put: Put | None = None              # None: into ``index``
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)    # nothing is put while something is forgotten
    _forgotten: deque[MessageId] = field(default_factory=lambda: deque(maxlen=FORGOTTEN))

    async def take(self, message: Message) -> Taken:
        """One after the other; what fails is told with its name and why, and the rest goes on.

        What was sent to the conversation a little earlier, perhaps without a word to us, is read first, and whatever
        of it cannot be read is left out. Raises `StoreUnavailable`.
        """
        if self.sent is not None and message.place.platform in self.platforms:
            for id, files in await self.sent(message.conversation, EARLIER + 1):
                if id != message.id and files:
                    await self._taken(replace(message, id=id, files=files))
        return await self._taken(message)

    async def _taken(self, message: Message) -> Taken:
        if not message.files:
            return Taken()
        platform, put = self.platforms.get(message.place.platform), self.put or self.shelve
        given = [(_path(message.id, number, file), file) for number, file in enumerate(message.files)]
        unread = []
        given, beyond = given[: self.caps.files], len(given[self.caps.files :])
        parcel = Parcel(message.id, message.conversation, tuple(path for path, _ in given))
        try:
            there = (await put(parcel)).there if platform else frozenset()
        except RetrieverUnavailable:
            platform = None
        if platform is None:
            return Taken(unread=tuple(f"{name(file)}, since I cannot read files here" for _, file in given))
        pages: dict[str, Page] = {}
        for path, file in given:
            if path not in there:
                read = await self._read(platform, path, file, message)
                if isinstance(read, Unreadable):
                    unread.append(f"{name(file)}, which {read.why}")
                else:
                    pages[path] = read
        try:
            shelved = await put(msgspec.structs.replace(parcel, pages=pages)) if pages else Shelved(there)
        except RetrieverUnavailable:
            shelved = Shelved(there, tuple((path, AWAY) for path in pages))
        names = {path: name(file) for path, file in given}
        unread += [f"{names[path]}: {why}" for path, why in shelved.failed]
        if beyond:
            unread.append(f"more than {self.caps.files} files at once, so {beyond} of them not at all")
        return Taken(tuple(f"{SOURCE}/{path}" for path, _ in given if path in shelved.there), tuple(unread))

    async def shelve(self, parcel: Parcel) -> Shelved:
        """Puts what is new of a parcel into the index that is ours. Raises `RetrieverUnavailable`."""
        if (index := self.index()) is None:
            raise RetrieverUnavailable("another process owns the index")
        there = {path for path in parcel.paths if (known := index.records.get(f"{SOURCE}/{path}")) and known.hash}
        new = {path: page for path, page in parcel.pages.items() if path in parcel.paths and path not in there}
        done, failed = await self._indexed(index, parcel, new)
        return Shelved(frozenset(there | done), tuple((bad.path, bad.why) for bad in failed))

    async def forget(self, message: MessageId) -> None:
        """Those that are under way come to nothing, too."""
        self._forgotten.append(message)
        async with self._writing:
            if index := self.index():
                mine = f"{SOURCE}/{quote(message, safe='')}/"
                await index.remove([document for document in index.records if document.startswith(mine)])

    async def tidy(
        self, before: datetime, standing: Callable[[Collection[MessageId]], Awaitable[Collection[MessageId]]],
    ) -> int:
        """Removes what is older, and what came with messages that do not stand any more; how many files.

        Raises `RetrieverUnavailable`, and what ``standing`` raises.
        """
        if (index := self.index()) is None:
            return 0
        dates = {name: record.date for name, record in index.records.items() if record.source == SOURCE}
        messages = {document: message_of(document) for document in dates}
        stand = await standing(set(messages.values()))
        gone = [document for document, date in dates.items()
                if messages[document] not in stand or (date is not None and date < before)]
        async with self._writing:
            await index.remove(gone)
        return len(gone)

    def close(self) -> None:
        """Ends the parser's process. Blocking."""
        self.parser.close()

    async def _read(self, platform: Attachments, path: str, file: File, message: Message) -> Page | Unreadable:
        limit = self.caps.size
        if file.size > limit:
            return Unreadable(path, f"is larger than {limit:,} bytes")
        try:
            raw = await platform.fetch(file, limit)
        except FileUnavailable as error:
            return Unreadable(path, str(error))
        except PlatformUnavailable:     # for this one file: the rest of the answer does not wait for it
            return Unreadable(path, "cannot be fetched right now")
        if not raw or len(raw) > limit:
            return Unreadable(path, f"is larger than {limit:,} bytes" if raw else "is empty")
        read = await asyncio.to_thread(
            lambda: page(self.parser, path, raw, url=file.url, date=message.sent_at, largest=limit))
        if isinstance(read, Unreadable):
            return read
        title = name(file) if read.name == stem(path) else read.name
        return replace(read, text=read.text[: self.caps.characters], name=title, date=message.sent_at)

    async def _indexed(
        self, index: PassageIndex, parcel: Parcel, pages: Mapping[str, Page],
    ) -> tuple[set[str], list[Unreadable]]:
        done: set[str] = set()
        failed: list[Unreadable] = []
        if not pages:
            return done, failed
        acl, made_with = frozenset({within(ConversationId(parcel.conversation))}), index.manifest
        command, version = self.indexer(made_with)
        try:
            async with aclosing(embedded(_Given(pages), list(pages), command)) as results:
                async for result in results:
                    if isinstance(result, Unreadable):
                        failed.append(result)
                        continue
                    path, read = result.page.path, result.page
                    record = Record(f"{SOURCE}/{path}", SOURCE, read.hash, version, acl, read.url, read.date)
                    async with self._writing:
                        if parcel.message in self._forgotten:
                            continue
                        try:
                            await index.put([(record, result.pieces)], made_with=made_with)
                        except MadeAnew as error:
                            failed.append(Unreadable(path, str(error)))
                        else:
                            done.add(path)
        except RetrieverUnavailable:
            failed += [Unreadable(path, AWAY) for path in pages if path not in done]
        return done, failed


@dataclass(frozen=True, slots=True)
class _Given(Listed):
    """A source of pages that are at hand."""

    pages: Mapping[str, Page]
    name: str = SOURCE

    def listing(self) -> Iterator[Entry | Unreadable]:
        yield from (Entry(path) for path in self.pages)

    def read(self, path: str) -> Page | Unreadable:
        return self.pages[path]

    def close(self) -> None: ...


def name(file: File) -> str:
    """What a file is called, without anything that is markup, a path or a mention somewhere."""
    return _ODD.sub("_", file.name)[-NAMES:].strip() or "a file without a name"


def message_of(document: str) -> MessageId:
    """With which message a document of ours came."""
    return MessageId(unquote(document.split("/")[1]))


def _path(message: MessageId, number: int, file: File) -> str:
    """The same for the same file of the same message, however often its turn is tried."""
    return f"{quote(message, safe='')}/{number}-{name(file)}"
