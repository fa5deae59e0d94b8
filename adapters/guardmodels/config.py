"""What the client of a guard model must be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from adapters.guardmodels.judgement import Brief
from adapters.sglang.config import SglangConfig


@dataclass(frozen=True, slots=True)
class GuardModelConfig:
    """One guard model. Of ``server`` its address, name, key, connect budget and breaker count."""

    server: SglangConfig
    family: str                                         # a key of `families.FAMILIES`
    brief: Brief = field(default_factory=Brief)
    timeout: timedelta = timedelta(seconds=2)           # for one judgement, its second attempt included
    longest: int = 12_000                               # characters judged at once; longer texts go in pieces
    pieces: int = 8                                     # at most; a text that needs more cannot be judged
    cached: int = 4096                                  # judgements that are remembered
    cached_for: timedelta = timedelta(minutes=10)

    def __post_init__(self) -> None:
        if self.longest < 400 or self.pieces < 1 or self.cached < 0:
            raise ValueError("guard model: expected longest >= 400, pieces >= 1 and cached >= 0")
