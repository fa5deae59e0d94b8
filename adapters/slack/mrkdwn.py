"""Slack's own notation, for where it takes nothing else, and the lengths that Slack counts. Pure.

In it ``<``, ``>`` and ``&`` begin what Slack obeys: mentions, links, dates. Whatever is not ours is escaped, so that
a mention or a link is there only when this package wrote it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from engine.harmless import line

URL: Final = 3_000
"""Characters of an address, at most."""
_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_URL_ESCAPED: Final = str.maketrans({"<": "%3C", ">": "%3E", "|": "%7C", '"': "%22", "`": "%60", " ": "%20"})
_LINKED: Final = re.compile(r"<[^<>|]+\|([^<>]*)>")
_UNSEEN: Final = dict.fromkeys((0xAD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, *range(0x2060, 0x2070),
                                0x3164, 0xFEFF, 0xFFA0))
"""Characters that are not shown. A joiner (U+200C, U+200D) is not among them: writing and emoji need it."""
_JOINER: Final = "\u200d"
_JOINED: Final = (_JOINER, "\u200c")
_REGIONAL: Final = ("\U0001f1e6", "\U0001f1ff")
_SKIN: Final = ("\U0001f3fb", "\U0001f3ff")
MORE: Final = "…"


def escape(text: str) -> str:
    """Text that Slack shows as it is."""
    return text.translate(_ESCAPED)


def unescaped(ours: str) -> str:
    """What a reader sees of a text in this notation that this package wrote; of a link its label."""
    words = _LINKED.sub(r"\1", ours)
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def address(url: str) -> str:
    """The address as it may stand in a link; empty when it is none that Slack opens, or too long."""
    fit = url.translate(_URL_ESCAPED)
    if len(fit) > URL or any(c.isspace() or not c.isprintable() for c in fit):
        return ""
    try:
        parts = urlsplit(fit)
    except ValueError:
        return ""
    return fit if parts.scheme in ("http", "https") and parts.hostname else ""


def title(text: str) -> str:
    """A document's or a person's own words on one line, with nothing in them that cannot be seen. May be empty."""
    seen = line(text.translate(_UNSEEN))
    return seen if any(c not in _JOINED and not c.isspace() for c in seen) else ""


def units(text: str) -> int:
    """Length as Slack counts it, at most: UTF-16 code units."""
    return len(text) + (0 if text.isascii() else sum(c > "\uffff" for c in text))


def octets(text: str) -> int:
    """Length in bytes of UTF-8."""
    return len(text.encode())


def clip(text: str, limit: int, length: Callable[[str], int] = units) -> str:
    """The text if it is within the limit, else its beginning with an ellipsis, cut between characters as people see
    them."""
    if length(text) <= limit:
        return text
    end = reach(text, limit - length(MORE), length)
    at = boundary(text, end)
    return (text[: at if at > 0 else end] + MORE) if end > 0 else ""


def clip_escaped(text: str, limit: int, length: Callable[[str], int] = units) -> str:
    """The same of `escape`'s result: no entity is cut in two."""
    whole = escape(text)
    if length(whole) <= limit:
        return whole
    low, high = 0, len(text)
    room = limit - length(MORE)
    while low < high:
        middle = (low + high + 1) // 2
        if length(escape(text[:middle])) <= room:
            low = middle
        else:
            high = middle - 1
    at = boundary(text, low)
    return escape(text[: at if at > 0 else low]) + MORE


def reach(text: str, limit: int, length: Callable[[str], int] = units) -> int:
    """How many characters of it are within the limit."""
    if limit <= 0:
        return 0
    if length(text[:limit]) <= limit:       # every character counts at least one
        return min(len(text), limit)
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if length(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def boundary(text: str, at: int) -> int:
    """The last place at or before ``at`` where one character, as people see it, ends and another begins; 0: none."""
    while 0 < at < len(text) and _together(text, at):
        at -= 1
    return at


def _together(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after.isascii() and before.isascii():
        return before == "\r" and after == "\n"
    if unicodedata.category(after) in ("Mn", "Mc", "Me") or after in _JOINED or _SKIN[0] <= after <= _SKIN[1]:
        return before not in "\n\r"
    if before == _JOINER:
        return True
    if _regional(before) and _regional(after):
        run = at
        while run > 0 and _regional(text[run - 1]):
            run -= 1
        return (at - run) % 2 == 1          # flags are pairs
    return _hangul(before) and "\u1160" <= after <= "\u11ff"


def _regional(c: str) -> bool:
    return _REGIONAL[0] <= c <= _REGIONAL[1]


def _hangul(c: str) -> bool:
    return "\u1100" <= c <= "\u11ff" or "\uac00" <= c <= "\ud7a3"
