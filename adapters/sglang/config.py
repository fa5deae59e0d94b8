"""What the client must be told; `bot/settings.py` fills it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from yarl import URL

Effort: TypeAlias = Literal["none", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class SglangConfig:
    """One model behind one address.

    ``url`` is the server's root; a trailing ``/v1``, as other clients want it, is accepted. Raises `ValueError`
    for an address that is not one, and for one that holds credentials (they would end up in logs).
    """

    url: str
    name: str                                               # as the server was told to call its model
    api_key: str = field(default="", repr=False)
    connect: timedelta = timedelta(seconds=3)               # each attempt: name lookup, TCP and TLS together
    first_token: timedelta = timedelta(seconds=60)          # from the question to the first word, attempts included
    idle: timedelta = timedelta(seconds=30)                 # between two network reads, once words flow
    whole: timedelta = timedelta(minutes=5)                 # from the question to the last word
    probe: timedelta = timedelta(seconds=2)                 # for `ready`
    retries: int = 2                                        # further attempts, before the first piece only
    retry_wait: timedelta = timedelta(milliseconds=200)     # before the first retry; doubled each time, with jitter
    breaker_threshold: int = 5                              # failed answers in a row until none is tried
    breaker_cooldown: timedelta = timedelta(seconds=15)     # until one is tried again
    temperature: float = 0.2                                # where a prompt does not say
    reasoning_effort: Effort | None = None                  # None: as the server's default has it; "none": no thinking

    def __post_init__(self) -> None:
        try:
            url = URL(self.url)
        except ValueError as error:
            raise ValueError("model url: not an address") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("model url: expected http://host:port or https://host:port")
        if url.user is not None or url.password is not None:
            raise ValueError("model url: credentials belong in the api key, not in the address")
        if url.query_string or url.fragment:
            raise ValueError("model url: expected no query and no fragment")
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ValueError("model api key: expected printable ASCII")     # it travels in a header

    @property
    def root(self) -> URL:
        """The address that paths are appended to."""
        return URL(self.url.rstrip("/").removesuffix("/v1") + "/")

