"""The Home tab: what somebody asked lately, what the bot may read, and what they may ask about their own data. Pure.

Texts that come from elsewhere were cleared before; here they are escaped and shortened to what Slack takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from adapters.slack import blocks
from adapters.slack.blocks import Block
from adapters.slack.mrkdwn import address, clip_escaped
from engine.harmless import line

EXPORT: Final = "bartizan_export"
FORGET: Final = "bartizan_forget"
QUESTIONS: Final = 10
LINES: Final = 20
BLOCKS: Final = 100
"""Of a view."""
_INTRODUCTION: Final = (
    "I answer from your company's own pages and name my sources. Write to me under *Messages*, mention me in a "
    "channel, or type `/bartizan ask` where you are."
)


@dataclass(frozen=True, slots=True)
class Question:
    """One of the person's own."""

    text: str
    at: datetime
    link: str = ""              # to where it was asked


@dataclass(frozen=True, slots=True)
class Home:
    """What one person finds there."""

    questions: Sequence[Question] = ()
    settings: Sequence[tuple[str, str]] = ()    # what holds for the person, as name and value
    readable: Sequence[str] = ()                # what pages may be used to answer this person
    export: str = ""                            # opaque ids of the two buttons; empty: no such button
    forget: str = ""


def home_view(home: Home) -> dict[str, Any]:
    """For ``views.publish``."""
    made: list[Block] = [blocks.section(_INTRODUCTION), blocks.divider(), blocks.header("Your recent questions")]
    made += [blocks.section(_question(question)) for question in home.questions[:QUESTIONS]] or [
        blocks.section("You have not asked me anything yet.")]
    if home.settings:
        made += [blocks.header("How I am set up"), *_lines([f"*{_word(n)}*: {_word(v)}" for n, v in home.settings])]
    made += [blocks.header("What I may read to answer you"),
             *_lines([f"• {_word(each)}" for each in home.readable] or ["Nothing yet: no pages are open to you."]),
             blocks.context(["In a channel I use only what everybody there may read."])]
    if home.export or home.forget:
        made += [blocks.header("Your data"), blocks.section(
            "What you write to me is stored encrypted, with a key that is yours alone. You can have a copy, or have me "
            "delete the key: then nobody can read it any more."), blocks.actions(_privacy(home))]
    return {"type": "home", "blocks": made[:BLOCKS]}


def privacy_buttons(export: str, forget: str) -> Block:
    """The two buttons about somebody's own data, for where else they stand."""
    return blocks.actions(_privacy(Home(export=export, forget=forget)))


def _question(question: Question) -> str:
    said = clip_escaped(line(question.text), 300) or "…"
    there = address(question.link)
    link = f" · <{there}|open>" if there and len(there) <= 1_000 else ""
    return f"{said}\n{question.at.date().isoformat()}{link}"


def _word(text: str) -> str:
    return blocks.name(text, 100) or "–"


def _lines(lines: Sequence[str]) -> list[Block]:
    more = [f"and {len(lines) - LINES} more"] if len(lines) > LINES else []
    return [blocks.section("\n".join([*lines[:LINES], *more]))]


def _privacy(home: Home) -> list[blocks.Element]:
    made = []
    if home.export:
        made.append(blocks.button("Export my data", EXPORT, home.export))
    if home.forget:
        made.append(blocks.button("Forget my data", FORGET, home.forget, style="danger"))
    return made
