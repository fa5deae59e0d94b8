"""Slack's mrkdwn, as it arrives, to plain Markdown with names instead of ids. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

_ENTITY: Final = re.compile(r"<([^<>\n]*)>")
_USER: Final = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_CHANNEL: Final = re.compile(r"<#([CGD][A-Z0-9]+)\|?[^<>]*>")
_GROUP: Final = re.compile(r"<!(?:subteam\^|here\b|channel\b|everyone\b|group\b)")
_LEADING: Final = r"\A\s*<@{bot}(?:\|[^<>]*)?>[\s,:;.!–—-]*"
_ESCAPES: Final[Mapping[str, str]] = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ESCAPED: Final = re.compile("|".join(_ESCAPES))
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LABEL: Final = re.compile(r"([\[\]\\])")


class Names(Protocol):
    """What people, channels and user groups are called; "" where that is not known."""

    def user(self, id: str) -> str: ...
    def channel(self, id: str) -> str: ...
    def group(self, id: str) -> str: ...


def plain(text: str, names: Names, *, bot: str = "") -> str:
    """The words of a message. With ``bot`` its mention at the beginning goes: that is who is spoken to, not what about.

    A link keeps its address. What Slack escaped is unescaped, once.
    """
    if bot:
        text = re.sub(_LEADING.format(bot=re.escape(bot)), "", text)
    parts, at = [], 0
    for found in _ENTITY.finditer(text):
        parts += [_unescaped(text[at : found.start()]), _entity(found[1], names)]
        at = found.end()
    return "".join([*parts, _unescaped(text[at:])])


def mentioned(text: str) -> tuple[str, ...]:
    """The people whom a text names, by Slack's ids."""
    return tuple(dict.fromkeys(_USER.findall(text)))


def channels(text: str) -> tuple[str, ...]:
    """The same of channels."""
    return tuple(dict.fromkeys(_CHANNEL.findall(text)))


def calls_others(text: str, bot: str) -> bool:
    """Somebody else than the bot is named, or everybody: then it is not meant for the bot alone."""
    return any(user != bot for user in mentioned(text)) or bool(_GROUP.search(text))


def _entity(inside: str, names: Names) -> str:
    target, _, label = inside.partition("|")
    label = _unescaped(label).strip()
    kinds: Mapping[str, Callable[[], str]] = {
        "@": lambda: "@" + (names.user(target[1:]) or label.removeprefix("@") or target[1:]),
        "#": lambda: "#" + (names.channel(target[1:]) or label.removeprefix("#") or target[1:]),
        "!": lambda: _special(target[1:], label, names),
    }
    kind = kinds.get(target[:1])
    return kind() if kind else _link(_unescaped(target), label)


def _special(target: str, label: str, names: Names) -> str:
    if target.startswith("subteam^"):
        id = target.removeprefix("subteam^")
        return "@" + (names.group(id) or label.removeprefix("@") or id)
    if target.startswith("date^"):
        return label
    return "@" + (label.removeprefix("@") or target.partition("^")[0])


def _link(url: str, label: str) -> str:
    if not _SCHEME.match(url):          # not an entity of Slack's: somebody's own brackets
        return f"<{url}|{label}>" if label else f"<{url}>"
    shown = url.removeprefix("mailto:").removeprefix("tel:")
    if not label:
        return shown
    if label == shown or url in (f"http://{label}", f"https://{label}"):
        return label
    escaped = _LABEL.sub(r"\\\1", label)
    return f"[{escaped}]({url.replace(')', '%29')})"


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)
