"""The values that every family of guard models shares: what is asked, what comes back, what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeAlias

from engine.prompt import ChatMessage

Severity: TypeAlias = Literal["safe", "controversial", "unsafe", "error"]
RANKS: Final[Mapping[Severity, int]] = {"safe": 0, "controversial": 1, "unsafe": 2, "error": 3}
NO_MESSAGE: Final = "(no message)"


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer with its natural-log probability, and the most likely ones at its place."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a guard model said. ``finish``: stop, length, ..."""

    text: str
    finish: str = "stop"
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer means. ``error``: it means nothing, and the configured fail mode decides; never "safe".

    ``categories`` are the model's own names. ``refusal``: the judged answer declines; None: not asked. ``score``: how
    likely the text is unsafe, 0 to 1; None: the server gave no probabilities. ``raw`` may repeat the judged text and
    is not for logs.
    """

    severity: Severity
    categories: tuple[str, ...] = ()
    refusal: bool | None = None
    score: float | None = None
    raw: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Brief:
    """What a guard model is told to look for, as far as its family can be told.

    ``text``: a whole policy in words (gpt-oss-safeguard; empty: ours). ``categories`` and ``excluded``: Llama Guard's
    own (empty: as it was trained). ``definition``: the risk in your own words (Granite Guardian; empty: by its name).
    ``think``: let a model that can do so reason first.
    """

    text: str = ""
    categories: Mapping[str, str] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    definition: str = ""
    think: bool = False


class Family(Protocol):
    """One kind of guard model: a pair of pure functions."""

    @property
    def name(self) -> str: ...

    def build(self, messages: Sequence[ChatMessage], brief: Brief) -> dict[str, Any]:
        """The fields of a chat request that judges the last of ``messages`` (user and assistant in turn)."""
        ...

    def parse(self, choice: Choice) -> Judgement:
        """What the answer means; whatever it is, this does not raise."""
        ...

    def ours(self, category: str) -> str:
        """Our category for one of the model's own."""
        ...


def broken(choice: Choice) -> Judgement:
    """The answer cannot be read."""
    return Judgement("error", raw=choice.text)


def worst(judgements: Sequence[Judgement]) -> Judgement:
    """Of several pieces of one text. A piece that is unsafe decides; one that could not be judged comes next."""
    unsafe = [each for each in judgements if each.severity == "unsafe"]
    return max(unsafe or judgements, key=lambda each: (RANKS[each.severity], each.score or 0.0))
