"""Answers and sentences of ours as Slack shows them: blocks, and the plain text beside them. Pure.

Only this renderer makes a mention or a link. A long answer goes on in further messages, and `Part.source` says which
stretch of the text each of them shows: together they are the whole text. What is sent with them: ``blocks`` and
``text`` always together (an update with one of them alone would take the other away), ``parse="none"``, and neither
``link_names`` nor unfurling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from adapters.slack import blocks
from adapters.slack.blocks import Block
from adapters.slack.markdown import GAP, converted, join, text_of
from adapters.slack.mrkdwn import address, clip_escaped, octets, unescaped, units
from adapters.slack.split import split
from engine.guards.egress import Cleared, Shown, Source
from engine.harmless import harmless

FEEDBACK: Final = "bartizan_feedback"
SHOW_SOURCES: Final = "bartizan_show_sources"
SHARE: Final = "bartizan_share"
AGAIN: Final = "bartizan_again"
STOP: Final = "bartizan_stop"
WRONG: Final = "bartizan_wrong"
NOTHING: Final = "…"
"""Stands where there is nothing to say: Slack takes no message without a text."""
LONG: Final = 500           # characters; what is longer is rendered beside the event loop, not on it
_SOURCES: Final = 3_000     # units of the small print
_LINK: Final = 2_500        # of an address there: with its title it fits any text object
_BODY_BLOCKS: Final = 46    # leaves room for what stands below


@dataclass(frozen=True, slots=True)
class Part:
    """One message. ``source``: the stretch of the text that it shows, as it was given (but for control characters)."""

    source: str
    blocks: list[Block]
    text: str


@dataclass(frozen=True, slots=True)
class Buttons:
    """Which buttons stand under an answer: the opaque id that each carries; None: no such button."""

    good: str | None = None     # feedback, both or neither
    bad: str | None = None
    sources: str | None = None
    share: str | None = None
    again: str | None = None
    wrong: str | None = None    # under a refusal


NO_BUTTONS: Final = Buttons()


def render(
    what: Shown | Cleared, buttons: Buttons = NO_BUTTONS, *, tables: bool = True, below: Cleared | None = None,
) -> tuple[Part, ...]:
    """At least one message; the sources, the note and the buttons stand in the last one.

    ``tables``: whether Slack's own tables are used, for a server that calls them ``invalid_blocks``. ``below``: a
    sentence of ours under it, "Stopped." for one.
    """
    text = what.text if isinstance(what, Shown) else what
    parts = list(_packed(harmless(text), tables=tables))
    foot = [*footer(what, buttons)] if isinstance(what, Shown) else [*_buttons(buttons)]
    if below:
        foot.insert(0, blocks.context([clip_escaped(harmless(below), blocks.TEXT)]))
    last = parts[-1]
    if foot and not _fit([*last.blocks, *foot]):
        parts.append(Part("", foot, _fallback(foot)))
    elif foot:
        parts[-1] = replace(last, blocks=[*last.blocks, *foot])
    return tuple(parts)


async def rendered(
    what: Shown | Cleared, buttons: Buttons = NO_BUTTONS, *, below: Cleared | None = None,
) -> tuple[Part, ...]:
    """As `render`. A page of text takes it milliseconds, in which acknowledgements would have to wait."""
    text = what.text if isinstance(what, Shown) else what
    if len(text) <= LONG:
        return render(what, buttons, below=below)
    return await asyncio.to_thread(render, what, buttons, below=below)


def footer(shown: Shown, buttons: Buttons = NO_BUTTONS) -> list[Block]:
    """What stands under an answer: its sources, the sentence about it, and buttons. For ``chat.stopStream`` as well."""
    foot = [blocks.context(list(_sources(shown.sources)))] if shown.sources else []
    if shown.note:
        foot.append(blocks.context([clip_escaped(harmless(shown.note), blocks.TEXT)]))
    return [*foot, *_buttons(buttons)]


def stop_button(value: str) -> Block:
    """Stands under an answer that is being written."""
    return blocks.actions([blocks.button("Stop", STOP, value)])


def passages(shown: Shown) -> tuple[Part, ...]:
    """The sources with the passages that the answer was made from, for "Show sources"."""
    made: list[Part] = []
    for source in shown.sources:
        heading = blocks.section(f"*[{source.marker}]* {_source(source)}")
        said = harmless(source.quote).strip()
        pieces = [*split(said, blocks.TEXT).pieces]
        shows = [[blocks.rich([blocks.quoted(blocks.words(piece.source))])] for piece in pieces]
        shows = [[heading, *shows[0]], *shows[1:]] if shows else [[heading]]
        for show in shows:
            if made and _fit([*made[-1].blocks, *show]):
                made[-1] = _part("", [*made[-1].blocks, *show])
            else:
                made.append(_part("", show))
    return tuple(made) or (_part("", [blocks.context(["This answer names no sources."])]),)


@dataclass(slots=True)
class _Message:
    """A message that is being filled, and what it weighs."""

    source: str = ""
    blocks: list[Block] = field(default_factory=list)
    weight: int = 0
    _last: int = 0              # what the last block weighs

    @property
    def has_table(self) -> bool:
        """Slack takes one in a message."""
        return any(block["type"] == "table" for block in self.blocks)

    def takes(self, more: Sequence[Block], weight: int) -> bool:
        """Whether there is room, with what may have to stand below."""
        return len(self.blocks) + len(more) <= _BODY_BLOCKS and self.weight + weight <= blocks.MESSAGE

    def add(self, source: str, more: Sequence[Block], weight: int) -> None:
        """Paragraphs that follow each other stand in one block as long as it is not too long."""
        self.source += source
        self.weight += weight
        for block in more:
            last, own = (self.blocks[-1] if self.blocks else None), blocks.weight(block)
            both = last is not None and last["type"] == block["type"] == "rich_text"
            if last is not None and both and self._last + own < blocks.TEXT:
                join(last, block["elements"])
                self._last += own + len(GAP)
                self.weight += len(GAP)
            else:
                self.blocks.append(block)
                self._last = own


def _packed(text: str, *, tables: bool) -> Iterator[Part]:
    """The text in messages, each as full as may be."""
    cut = split(text, blocks.TEXT)
    message = _Message()
    for piece in cut.pieces:
        more = converted(piece, cut.references, tables=tables and not message.has_table)
        weight = blocks.weight(more) + len(GAP)
        if message.blocks and not message.takes(more, weight):
            yield _part(message.source, message.blocks)
            message = _Message()
            more = converted(piece, cut.references, tables=tables)
            weight = blocks.weight(more)
        message.add(piece.source, more, weight)
    yield _part(message.source, message.blocks)


def _fit(made: Sequence[Block]) -> bool:
    return len(made) <= blocks.BLOCKS and blocks.weight(made) <= blocks.MESSAGE


def _part(source: str, made: list[Block]) -> Part:
    made = made or [blocks.rich([blocks.paragraph(blocks.words(NOTHING))])]
    return Part(source, made, _fallback(made))


def _fallback(made: Sequence[Block]) -> str:
    """What notifications show and screen readers read: the same words, from the beginning."""
    return clip_escaped("\n".join(filter(None, map(_plain, made))), blocks.FALLBACK, octets) or NOTHING


def _plain(block: Block) -> str:
    match block["type"]:
        case "rich_text":
            return "\n".join(map(_plain_element, block["elements"]))
        case "table":
            return "\n".join(" | ".join(map(_plain, row)) for row in block["rows"])
        case "header":
            return str(block["text"]["text"])
        case "section":
            return unescaped(block["text"]["text"])
        case "context":
            return "\n".join(unescaped(element["text"]) for element in block["elements"])
        case _:
            return ""


def _plain_element(element: blocks.Element) -> str:
    if element["type"] == "rich_text_list":
        first = element.get("offset", 0) + 1
        marks = (f"{n}. " if element["style"] == "ordered" else "• " for n in range(first, first + 1_000_000))
        margin = "  " * element["indent"]
        return "\n".join(
            f"{margin}{mark}{_plain_element(entry)}" for mark, entry in zip(marks, element["elements"], strict=False)
        )
    return text_of(element["elements"])


def _sources(sources: Sequence[Source]) -> Iterator[str]:
    """One text for each, within Slack's ten; how many more there are, if so."""
    room = _SOURCES
    for n, source in enumerate(sources):
        text = f"[{source.marker}] {_source(source)}"
        room -= units(text)
        if room < 0 or (n == blocks.ELEMENTS - 1 and len(sources) > blocks.ELEMENTS):
            yield f"and {len(sources) - n} more"
            return
        yield text


def _source(source: Source) -> str:
    """A title that opens its page, and the date of that."""
    there = address(source.url)
    named = blocks.name(source.title) or blocks.name(there.split("://")[-1]) or "Untitled"
    date = f" · {source.date.date().isoformat()}" if source.date else ""
    return f"<{there}|{named}>{date}" if 0 < units(there) <= _LINK else f"{named}{date}"


def _buttons(buttons: Buttons) -> Iterator[Block]:
    row = [
        blocks.button(label, action, value)
        for label, action, value in (
            ("Show sources", SHOW_SOURCES, buttons.sources),
            ("Share with channel", SHARE, buttons.share),
            ("Try again", AGAIN, buttons.again),
            ("Blocked by mistake?", WRONG, buttons.wrong),
        ) if value
    ]
    if row:
        yield blocks.actions(row)
    if buttons.good and buttons.bad:
        yield blocks.feedback(FEEDBACK, buttons.good, buttons.bad)
