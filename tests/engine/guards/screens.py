"""One answer, cut into pieces, in front of a screen."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from engine.guards.citations import CitationGuard
from engine.guards.deflection import DeflectionGuard
from engine.guards.egress import Egress, Screen, Tripped
from engine.guards.secrets import SecretsGuard
from engine.messages import Found, TraceId, Trail
from engine.ports import OutboundGuard, Text
from tests.builders import a_passage

PASSAGES = tuple(a_passage(f"text {n}", id=f"p{n}") for n in range(1, 5))
GUARDS = (SecretsGuard(), DeflectionGuard(), CitationGuard())

CUTS = st.lists(st.integers(0, 10_000), max_size=30)
"""Where to cut a text, each modulo its length. One character at a time is `letters`."""


def fingerprint(text: str) -> str:
    return f"#{len(text)}"


def cut(text: str, cuts: list[int]) -> list[str]:
    """The text in pieces, some of them perhaps empty."""
    places = sorted(place % (len(text) + 1) for place in cuts)
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


def letters(text: str) -> list[str]:
    return list(text)


@dataclass
class Seen:
    """What a reader saw, step by step, and how it ended."""

    text: str = ""
    steps: list[str] = field(default_factory=list)      # everything visible after each piece
    tripped: str = ""                                   # the rule that ended it
    trail: Trail = field(default_factory=lambda: Trail(TraceId("t1")))
    screen: Screen | None = None


async def watch(
    pieces: list[str], *guards: OutboundGuard, found: Found | None = None, question: str = "how so?",
    flags: tuple[str, ...] = (),
) -> Seen:
    """Shows an answer to somebody who looks after every piece."""
    seen = Seen()
    egress = Egress(guards or GUARDS, fingerprint)
    screen = seen.screen = egress.open(question, found or Found(PASSAGES, answers=True), seen.trail, flags)
    try:
        for piece in pieces:
            seen.text += await screen.feed(Text(piece))
            seen.steps.append(seen.text)
        seen.text += await screen.close()
        seen.steps.append(seen.text)
    except Tripped as tripped:
        seen.tripped, shown = tripped.verdict.rule, tripped.shown
    else:
        shown = len(seen.text)
    assert screen.text == seen.text
    assert shown == len(seen.text)
    return seen
