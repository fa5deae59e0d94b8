"""The blocks of Block Kit that we use, each within Slack's limits. Pure.

Words stand in `rich_text` blocks: nothing in their strings is obeyed, so a mention or a link is there only as an
element that this package made. Where a string would still look like the beginning of a mention it is told in two
elements, so that it does not even do that, and is read and copied as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from adapters.slack.mrkdwn import address, clip, clip_escaped, title, units

Block: TypeAlias = dict[str, Any]
Element: TypeAlias = dict[str, Any]

MESSAGE: Final = 12_000
"""UTF-16 units of all strings in one message; above some 13,200 Slack says ``msg_blocks_too_long``."""
BLOCKS: Final = 50
TEXT: Final = 3_000
FALLBACK: Final = 4_000
"""Bytes of a message's ``text``: ``chat.update`` takes no more."""
HEADER: Final = 150
LABEL: Final = 75
VALUE: Final = 2_000
IDENTIFIER: Final = 255
ELEMENTS: Final = 10
ROWS: Final = 100
COLUMNS: Final = 20
INDENT: Final = 8

_OBEYED: Final = re.compile(r"(?<=<)(?=[!@#])")


def words(text: str, **style: bool) -> list[Element]:
    """A string of a rich text. ``style``: bold, italic, strike, code."""
    shape = {"style": dict(style)} if style else {}
    return [{"type": "text", "text": part, **shape} for part in _OBEYED.split(text) if part]


def linked(url: str, label: str, **style: bool) -> list[Element]:
    """A link of a rich text; the label alone when the address is none to link to."""
    there = address(url)
    if not there:
        return words(label, **style)
    shape = {"style": dict(style)} if style else {}
    return [{"type": "link", "url": there, "text": part, **shape} for part in _OBEYED.split(label or there)]


def paragraph(elements: Sequence[Element]) -> Element:
    """A line or several of a rich text."""
    return {"type": "rich_text_section", "elements": list(elements) or words(" ")}


def quoted(elements: Sequence[Element]) -> Element:
    """The same, with a bar beside it."""
    return {"type": "rich_text_quote", "elements": list(elements) or words(" ")}


def code(text: str, *, border: bool = False) -> Element:
    """Letters of one width, as they are."""
    edge = {"border": 1} if border else {}
    return {"type": "rich_text_preformatted", "elements": words(text or " "), **edge}


def items(
    entries: Sequence[Element], *, ordered: bool, indent: int = 0, offset: int = 0, border: bool = False,
) -> Element:
    """A list of paragraphs. ``offset``: how many items came before."""
    numbers = {"offset": offset} if ordered and offset > 0 else {}
    edge = {"border": 1} if border else {}
    return {"type": "rich_text_list", "style": "ordered" if ordered else "bullet", "indent": min(indent, INDENT),
            **numbers, **edge, "elements": list(entries)}


def rich(elements: Sequence[Element]) -> Block:
    """A block of what the above make."""
    return {"type": "rich_text", "elements": list(elements)}


def table(rows: Sequence[Sequence[Sequence[Element]]], align: Sequence[str]) -> Block:
    """At most `ROWS` of at most `COLUMNS` cells; a message takes one table."""
    cells = [[rich([paragraph(cell)]) for cell in row] for row in rows]
    return {"type": "table", "rows": cells, "column_settings": [{"align": each, "is_wrapped": True} for each in align]}


def header(text: str) -> Block:
    """A title in large letters."""
    return {"type": "header", "text": plain(clip(text, HEADER))}


def divider() -> Block:
    """A line across."""
    return {"type": "divider"}


def plain(text: str) -> Element:
    """A text object that holds nothing but text; no emoji are made of it."""
    return {"type": "plain_text", "text": text or " ", "emoji": False}


def mrkdwn(text: str) -> Element:
    """A text object in Slack's notation, whose words are escaped; a bare address in it is not linked."""
    return {"type": "mrkdwn", "text": text or " ", "verbatim": True}


def section(text: str) -> Block:
    """Text in Slack's notation, of at most `TEXT` units."""
    return {"type": "section", "text": mrkdwn(text)}


def context(texts: Sequence[str]) -> Block:
    """Small print: at most `ELEMENTS` texts in Slack's notation."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts[:ELEMENTS]]}


def button(label: str, action: str, value: str, *, style: str | None = None) -> Element:
    """``value`` is an opaque id of ours. ``style``: primary or danger."""
    look = {"style": style} if style else {}
    return {"type": "button", "text": plain(clip(label, LABEL)), "action_id": _short(action, IDENTIFIER),
            "value": _short(value, VALUE), **look}


def actions(buttons: Sequence[Element]) -> Block:
    """Buttons in a row, 25 at most."""
    return {"type": "actions", "elements": list(buttons[:25])}


def feedback(action: str, good: str, bad: str) -> Block:
    """Thumb up and thumb down; the values are opaque ids of ours."""
    return {"type": "context_actions", "elements": [{
        "type": "feedback_buttons", "action_id": _short(action, IDENTIFIER),
        "positive_button": {"text": plain("Good answer"), "accessibility_label": "This answer helped",
                            "value": _short(good, VALUE)},
        "negative_button": {"text": plain("Bad answer"), "accessibility_label": "This answer did not help",
                            "value": _short(bad, VALUE)},
    }]}


def name(text: str, limit: int = HEADER) -> str:
    """Somebody else's words as a label in Slack's notation: on one line, short, and escaped."""
    return clip_escaped(title(text), limit)


def weight(part: object) -> int:
    """UTF-16 units of all strings that Slack may count in a block or several."""
    if isinstance(part, Mapping):
        return sum(
            units(value) if isinstance(value, str) and key in ("text", "url", "value", "accessibility_label")
            else weight(value) for key, value in part.items()
        )
    return sum(map(weight, part)) if isinstance(part, Sequence) and not isinstance(part, str) else 0


def strings(part: object) -> Iterator[str]:
    """All strings in a block or several, as they are sent."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from strings(value)
    elif isinstance(part, Sequence):
        for value in part:
            yield from strings(value)


def _short(identifier: str, limit: int) -> str:
    """Ids are ours: one that is too long is a mistake here, not something to cut."""
    if not 0 < len(identifier) <= limit:
        raise ValueError(f"an id of {len(identifier)} characters, limit {limit}")
    return identifier
