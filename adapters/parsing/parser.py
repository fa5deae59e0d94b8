"""Bytes to a page's text, whatever they are. What needs a parser is parsed in a child process with limits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from typing import IO, Final

import msgspec

from adapters.parsing.child import Job, Told
from adapters.parsing.formats import Parsed, Rejected
from adapters.parsing.media import Media, claim, decoded, form, media
from adapters.qdrant import frames
from engine.rag.page import Form

COMMAND: Final = (sys.executable, "-P", "-X", "utf8", "-m", "adapters.parsing.child")
PATIENCE: Final = 60.0          # seconds for one document
LARGEST_TEXT: Final = 2_000_000         # bytes
LARGEST_DOCUMENT: Final = 50_000_000
LARGEST_RESULT: Final = 64_000_000
WORN: Final = 200               # documents that one process parses: what one did to it does not last
KEPT: Final = 16_000_000        # characters of results that are kept: a page is surveyed, then read again


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says."""

    text: str
    form: Form
    title: str = ""
    note: str = ""
    anchors: dict[str, str] | None = None
    changed: datetime | None = None


_decoder: Final[msgspec.msgpack.Decoder[Told]] = msgspec.msgpack.Decoder(Parsed | Rejected)


@dataclass(slots=True)
class Parser:
    """Starts its process when the first document needs it. Blocking; one thread at a time gets its turn."""

    patience: float = PATIENCE
    command: Sequence[str] = COMMAND
    _process: subprocess.Popen[bytes] | None = None
    _parsed: int = 0
    _results: OrderedDict[bytes, Told] = field(default_factory=OrderedDict)
    _size: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def content(self, raw: bytes, name: str, *, largest: int = LARGEST_TEXT) -> Content | Rejected:
        """The text of a file. ``name`` decides only between kinds of text; ``largest`` is in bytes, of text."""
        found = media(raw, name)
        if found in {Media.PDF, Media.ZIP}:
            if len(raw) > LARGEST_DOCUMENT:
                return Rejected(f"is larger than {LARGEST_DOCUMENT:,} bytes")
        elif len(raw) > largest:
            return Rejected(f"is larger than {largest:,} bytes")
        said = claim(found, name)
        if found is Media.TEXT:
            text, note = decoded(raw)
            return Content(text, form(name), "", note or said)
        if found not in {Media.PDF, Media.ZIP, Media.HTML}:
            return Rejected(said)
        with self._turn:
            told = self._told(Job(found, raw))
        if isinstance(told, Rejected):
            return told
        kind = Form.PAGES if found is Media.PDF else Form.MARKDOWN
        return Content(told.text, kind, told.title, told.note or said, told.anchors, told.changed)

    def close(self) -> None:
        """Ends the process; the next document starts another."""
        with self._turn:
            self._end()

    def _told(self, job: Job) -> Told:
        key = sha256(job.raw).digest()
        if (known := self._results.get(key)) is not None:
            return known
        told = self._asked(job)
        self._results[key] = told
        self._size += len(told.text) if isinstance(told, Parsed) else 0
        while self._size > KEPT:
            _, old = self._results.popitem(last=False)
            self._size -= len(old.text) if isinstance(old, Parsed) else 0
        return told

    def _asked(self, job: Job) -> Told:
        if self._parsed >= WORN:
            self._end()
        process = self._started()
        self._parsed += 1
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.patience, stop)
        timer.start()
        told: Told | None = None
        try:
            if process.stdin and process.stdout:
                with suppress(BrokenPipeError):     # it died; that it tells nothing says so
                    process.stdin.write(frames.packed(job))
                    process.stdin.flush()
                told = _heard(process.stdout)
        except msgspec.MsgspecError:
            return Rejected("took over its parser")
        finally:
            timer.cancel()
            if told is None:
                self._end()
        if told is None:
            return Rejected(f"takes longer than {self.patience:g} s" if late.is_set() else "breaks its parser")
        return told

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(   # noqa: S603 - our own interpreter
                list(self.command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env={"PATH": os.defpath},       # none of our secrets
            )
            self._parsed = 0
        return self._process

    def _end(self) -> None:
        process, self._process, self._parsed = self._process, None, 0
        if process is None:
            return
        process.kill()
        with suppress(BrokenPipeError):         # what it never took
            if process.stdin:
                process.stdin.close()
        if process.stdout:
            process.stdout.close()
        process.wait()


def _heard(stream: IO[bytes]) -> Told | None:
    """None: it is dead, or talks too much."""
    size = int.from_bytes(stream.read(frames.HEAD), "big")
    body = stream.read(size) if 0 < size <= LARGEST_RESULT else b""
    return _decoder.decode(body) if body and len(body) == size else None


def stem(path: str) -> str:
    """What a page is called that has no title."""
    return PurePosixPath(path).stem
