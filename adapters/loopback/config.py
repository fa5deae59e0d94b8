"""What the platform must be told; `bot/settings.py` fills it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class LoopbackConfig:
    """Where the chat server is, and where it reaches us."""

    url: str                                                # the chat server's root
    host: str                                               # where we listen for events
    port: int                                               # 0: a free one
    token: str = field(default="", repr=False)              # both sides show it; empty: nobody does
    event_bytes: int = 1 << 20                              # of one event; more is turned away
    pace: timedelta = timedelta(milliseconds=60)            # between two edits of one streaming post
    timeout: timedelta = timedelta(seconds=10)              # of one request
    patience: timedelta = timedelta(seconds=20)             # with a server that is away, before a turn is set aside
    fresh: timedelta = timedelta(seconds=60)                # for so long the members of a channel are remembered
