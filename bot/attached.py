"""Files that people send, from the platform through the parser to passages. Their bytes are not kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

import structlog

from adapters.parsing.formats import Rejected
from adapters.parsing.parser import LARGEST_DOCUMENT, Parser
from adapters.sql.attached import SqlAttached
from engine.attached import PREFIX
from engine.errors import BotError
from engine.messages import File, Message, Passage, PassageId, PersonId, Place
from engine.prompt import Estimate
from engine.rag.chunk import chunk

log = structlog.get_logger()

FILES: Final = 5                # of a conversation, the latest
REMEMBERED: Final = 32          # files whose text is not fetched again
LONGEST: Final = 400_000        # characters that are read of one


@runtime_checkable
class Fetching(Protocol):
    """A platform that people can send files on."""

    async def fetch(self, file: File, limit: int) -> bytes:
        """Its bytes. Raises `BotError` when it cannot be had, or is larger than ``limit``."""
        ...


@dataclass(slots=True)
class Attached:
    """Implements the engine's `Attachments`."""

    sent: SqlAttached
    platforms: Mapping[str, object]
    parser: Parser = field(default_factory=Parser)
    _texts: OrderedDict[str, tuple[str, ...]] = field(default_factory=OrderedDict)      # by platform and file

    async def of(self, message: Message) -> Sequence[Passage]:
        """As the port says. Raises `StoreUnavailable`."""
        platform = self.platforms.get(message.place.platform)
        if not isinstance(platform, Fetching):
            return ()
        pieces: list[Passage] = []
        for sender, file in await self.sent.files(message.conversation, FILES):
            try:
                texts = await self._read(platform, message.place, file)
            except BotError as error:
                log.info("a file could not be read", cause=str(error))
                if file.id not in {mine.id for mine in message.files}:
                    continue            # whoever sent it was told by the answer to that message
                texts = (f"The file “{file.name}” that came with this question could not be read: {error.reply}",)
            pieces += [_passage(message.place, sender, file, n, text) for n, text in enumerate(texts)]
        return pieces

    async def _read(self, platform: Fetching, place: Place, file: File) -> tuple[str, ...]:
        key = f"{place.platform}:{place.workspace}/{file.id}"
        if key not in self._texts:
            raw = await platform.fetch(file, LARGEST_DOCUMENT)
            self._texts[key] = await asyncio.to_thread(self._pieces, raw, file.name)
            while len(self._texts) > REMEMBERED:
                self._texts.popitem(last=False)
        self._texts.move_to_end(key)
        return self._texts[key]

    def _pieces(self, raw: bytes, name: str) -> tuple[str, ...]:
        content = self.parser.content(raw, name)
        if isinstance(content, Rejected):
            raise Unread(content.why)
        text = content.text[:LONGEST]
        return tuple(piece.text for piece in chunk(text, name=name, tokens=Estimate(), kind=content.form.value))

    def close(self) -> None:
        """Ends the parser's process."""
        self.parser.close()


class Unread(BotError):
    """A file that holds nothing that we read."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a file {why}")
        self.reply = f"It {why}."


def _passage(place: Place, sender: PersonId, file: File, n: int, text: str) -> Passage:
    room = f"channel:{place.platform}:{place.workspace}/{place.channel}"
    return Passage(PassageId(f"{PREFIX}{file.id}/{n}"), text, file.name, file.url,
                   acl=frozenset({room, f"user:{sender}"}), document=file.id)
