"""Whose words a text is made of: what is asked, and what was quoted, forwarded, attached or returned by a tool."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.guards.gates import Gate
from engine.guards.normalise import normalise

MAX_READ: Final = 65_536
"""Characters that are looked at for a stray sentence, and of a JSON document."""
_MAX_SEGMENTS: Final = 64


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a text. ``data``: somebody else's words."""

    text: str
    data: bool


_HEADING: Final = re.compile(
    r"(?im)^[ \t>#*]{0,4}(?:(?:retrieved |attached |following |the )?(?:e-?mail|mail|message|document|context|text"
    r"|article|page"
    r"|passages?|content|file|transcript|search results?|tool (?:output|result))s?[ ]?:|邮件[:：]|文档[:：]|正文[:：]"
    r"|-{2,} ?(?:forwarded|original|weitergeleitete|ursprüngliche) (?:message|nachricht).{0,40}"
    r"|begin forwarded message:?"
    r"|\"\"\"|'''|```\w{0,12}|<(?:document|context|passages?|email|data)>)"
)
_HEADED: Final = Gate(_HEADING.pattern)
_ODD: Final = "\u0130\u0131"
"""What Python takes for an i whose case does not count, and RE2 does not."""
_QUOTED: Final = re.compile(r"(?m)^(?:[ \t]{0,3}>.*\n?)+")
_DATA_KEYS: Final = frozenset(
    ("content", "contents", "text", "body", "document", "context", "result", "results", "output", "page", "data",
     "message", "snippet", "description", "html", "passage", "passages", "email")
)
_ABOUT: Final = re.compile(r"(?i)\b(?:below|following|this (?:page|text|document|e-?mail|article)|the (?:page|text"
    r"|document|e-?mail"
                           r"|mail|article)|以下|下面)\b|[:：]\s*$")
_LONG_REST: Final = 200


def segments(text: str) -> tuple[Segment, ...]:
    """The question, and what it brought along. What cannot be told apart is all asked."""
    if (fields := _fields(text)) is not None:
        return fields
    found: list[Segment] = []
    for quote in _QUOTED.finditer(text) if ">" in text else ():
        found.append(Segment(quote.group(), True))
        if len(found) == _MAX_SEGMENTS:
            break
    rest = _QUOTED.sub("\n", text) if found else text
    headed = _HEADED.open(rest) or (not rest.isascii() and any(odd in rest for odd in _ODD))
    if headed and (heading := _HEADING.search(rest)):
        found += Segment(rest[: heading.start()], False), Segment(rest[heading.end() :], True)
    else:
        question, blank, body = rest.partition("\n\n")
        if blank and len(body) > _LONG_REST and len(question) < 300 and _ABOUT.search(question):
            found += Segment(question, False), Segment(body, True)
        else:
            found.append(Segment(rest, False))
    return tuple(segment for segment in found if segment.text.strip())


def _fields(text: str) -> tuple[Segment, ...] | None:
    """The strings of a JSON document, as a tool returns one."""
    if text[:1] not in "{[" or len(text) > MAX_READ:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return tuple(Segment(leaf, key in _DATA_KEYS) for key, leaf in _leaves(value, "", 0))[:_MAX_SEGMENTS]


def _leaves(value: object, key: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > 8:
        return
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, str(name).lower(), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, key, depth + 1)


_SENTENCE: Final = re.compile(r"[^\n]{12,240}")
_ORDER: Final = re.compile(
    r"(?:please )?(?:what|who|where|when|why|how|which|write|describe|explain|compose|draft|create|translate|define"
    r"|list|name"
    r"|give|tell|recommend|suggest|convert|calculate|solve|generate|summari[sz]e|outline|discuss|compare|provide|design"
    r"|introduce|use|replace|add|help|find|identify|plan|develop|share|imagine|rewrite|rephrase|craft|can you"
    r"|could you)\b"
)
_LONG_WORD: Final = re.compile(r"[^\W\d_]{4,}")


def stray(text: str) -> bool:
    """Whether a document holds a line that orders or asks, and shares no word with all the rest of it."""
    plain = normalise(text[:MAX_READ])
    lines = _SENTENCE.findall(plain)[:400]
    if len(lines) < 2:
        return False
    orders = [
        line for line in lines if line.rstrip()[-1:] in ("?", ".") and _ORDER.match(line.lstrip(" *->\"'#"))
    ]
    if not orders:                      # nearly always
        return False
    return any(
        len(own) >= 2 and all(_alone(word[:5], plain, lines) for word in own)
        for own in (set(_LONG_WORD.findall(line)) for line in orders)
    )


def _alone(beginning: str, plain: str, lines: list[str]) -> bool:
    """Whether a word that stands in one of the lines is the only one that begins like this."""
    if plain.count(beginning) == 1:         # nearly always, of a stray line
        return True
    like = [
        word for line in lines if beginning in line for word in set(_LONG_WORD.findall(line)) if word[:5] == beginning
    ]
    return len(like) == 1
