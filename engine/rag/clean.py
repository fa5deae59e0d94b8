"""What a page says, without what its site generator and its markup need.

`masked` keeps every character in its place, so that an offset into the cleaned page is one into the file; `plain`
is for the index, where markup is noise that takes the room of words.
"""

from __future__ import annotations

import html
import re
from typing import Final

MASK: Final = "\ufdd0"          # a code point that no text may hold: it stands where something was taken out

_CODE: Final = re.compile(
    r"^(?P<mark> {0,3}(?P<fence>`{3,}|~{3,}))[^\n]*\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)|(?P<ticks>`+)(?!`)[^\n]*?"
    r"(?<!`)(?P=ticks)(?!`)", re.DOTALL | re.MULTILINE,
)
_SILENT: Final = re.compile(r"\{%-?\s*comment\b.*?\{%-?\s*endcomment\s*-?%\}|<!--.*?-->|\{#.{0,2000}?#\}", re.DOTALL)
_TAG: Final = re.compile(r"\{%[^\n]{0,2000}?%\}|\{\{[^\n]{0,2000}?\}\}")
_ATTRIBUTES: Final = re.compile(r"(?<=[^\s#])[ \t]+\{(?=:? ?[#.])[^{}\n]{1,200}\}(?=[ \t]*(?:#+[ \t]*)?\r?$)")
"""Behind a heading, as site generators have it: ``## Paying {#pay .wide}``."""
_TITLED: Final = re.compile(r"^ {0,3}#{1,6}[ \t].*\}[ \t#]*\r?$", re.MULTILINE)
_TARGET: Final = re.compile(r"\]\([ \t]*\Z")
_NAME: Final = re.compile(r"""(?<=["'])[^"'/\\{}]*[^\W\d_][^"'/\\{}]*(?=["'])""")
_FILE: Final = re.compile(r"\.\w{1,5}\Z")

_IMAGE: Final = re.compile(r"!\[([^\]\n]*)\]\([^()\n]*\)")
_LINK: Final = re.compile(r"\[((?:[^\[\]\n]|\n(?!\n))*)\]\((?:[^()\n]|\([^()\n]*\))*\)")
_REFERENCE: Final = re.compile(r"^ {0,3}\[[^\]\n]+\]:[ \t]*\S+.*$", re.MULTILINE)
_ADDRESS: Final = re.compile(r"https?://\S+")
_HTML: Final = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_RULE: Final = re.compile(r"^[ \t|:=_*-]{3,}$", re.MULTILINE)
_EMPHASIS: Final = re.compile(r"\*{1,3}|~~|(?<!\w)_{1,3}|_{1,3}(?!\w)")
_HEADING: Final = re.compile(r"^#{1,6}[ \t]+", re.MULTILINE)
_SPACE: Final = re.compile(r"[ \t]+")
_LINES: Final = re.compile(r"\s*\n\s*")


def masked(text: str) -> str:
    """The page with `MASK` in the place of template tags and comments, character by character; code is left alone.

    Of a tag in prose, a quoted name stays: ``{% channel "ops-help" %}`` says which channel.
    """
    if "{" not in text and "<!--" not in text:
        return text
    parts, at = [], 0
    for code in _CODE.finditer(text):
        if code.start() >= at:
            parts += [_blank(text[at : code.start()]), code[0]]
            at = code.end()
    parts.append(_blank(text[at:]))
    return "".join(parts)


def shown(text: str) -> str:
    """A masked slice as a reader gets to see it."""
    return text.replace(MASK, "")


def plain(text: str) -> str:
    """The words of a piece of Markdown: links by their texts, no addresses, no tags, no table rules."""
    text = _IMAGE.sub(r"\1", shown(text))
    text = _LINK.sub(r"\1", text)
    text = _REFERENCE.sub("", text)
    text = _ADDRESS.sub("", _HTML.sub(" ", text))
    text = _EMPHASIS.sub("", _HEADING.sub("", _RULE.sub("", text))).replace("|", " ").replace("`", "")
    return _LINES.sub("\n", _SPACE.sub(" ", html.unescape(text))).strip()


def _blank(text: str) -> str:
    text = _TITLED.sub(lambda line: _ATTRIBUTES.sub(lambda found: _hidden(found[0]), line[0]), text)
    text = _SILENT.sub(lambda found: _hidden(found[0]), text)
    return _TAG.sub(lambda found: _named(found, text), text)


def _named(found: re.Match[str], text: str) -> str:
    """The tag without all but its first quoted name; without everything where a link's target is meant."""
    name = _NAME.search(found[0])
    before = text[max(0, found.start() - 40) : found.start()]
    if not name or _FILE.search(name[0]) or found[0].startswith("{{") or _TARGET.search(before) or '="' in before[-8:]:
        return _hidden(found[0])
    return MASK * name.start() + name[0] + MASK * (len(found[0]) - name.end())


def _hidden(text: str) -> str:
    """Lines stay lines, so that what follows is parsed as before."""
    return "".join(sign if sign in "\r\n" else MASK for sign in text)
