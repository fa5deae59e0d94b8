"""Files of one message, on their way from the process that read them to the one that has the index."""

from __future__ import annotations

import msgspec

from engine.rag.page import Page


class Parcel(msgspec.Struct, frozen=True, tag=True):
    """What the files of one message say. ``paths`` are all of them, ``pages`` those that are to be indexed now."""

    message: str
    conversation: str
    paths: tuple[str, ...]
    pages: dict[str, Page] = {}


class Shelved(msgspec.Struct, frozen=True):
    """Which of a parcel's paths can be found now, and which of its pages could not be indexed, each with why."""

    there: frozenset[str] = frozenset()
    failed: tuple[tuple[str, str], ...] = ()
