"""Mentions that would ring somebody's bell, written so that they ring none.

Ours to neutralise are the mass mentions (``@everyone``, ``@here``, ``@channel``, ``@all``) and the platforms' own
marks for people, groups, roles and channels (``<!here>``, ``<@U12>``, ``<@&34>``, ``<#C56>``): a model has no say
in who is called. The words stay readable, with a blank behind the sign.
"""

from __future__ import annotations

import re
from typing import Final

from engine.guards.leaves import LeafReadingGuard
from engine.guards.page import Detector, Page
from engine.messages import Found
from engine.ports import Edit

_MASS: Final = ("everyone", "here", "channel", "all", "group", "online")
_MENTION: Final = re.compile(
    rf"@(?P<mass>{'|'.join(_MASS)})(?![A-Za-z0-9_])"
    r"|<!(?P<special>[A-Za-z]+)(?:\^[A-Za-z0-9]+)?(?:\|(?P<label>[^<>|\n]*))?>"
    r"|<@(?P<role>&)?!?[A-Za-z0-9]{1,32}(?:\|(?P<who>[^<>|\n]*))?>"
    r"|<#[A-Za-z0-9]{1,32}(?:\|(?P<where>[^<>|\n]*))?>",
    re.IGNORECASE,
)
_BEGUN: Final = re.compile(
    r"(?:@[A-Za-z]{0,8}|<(?:!(?:[A-Za-z]+(?:\^[A-Za-z0-9]*)?(?:\|[^<>|\n]*)?)?"
    r"|@&?!?(?:[A-Za-z0-9]{1,32}(?:\|[^<>|\n]*)?)?|#(?:[A-Za-z0-9]{1,32}(?:\|[^<>|\n]*)?)?)?)\Z"
)
_LABELLED: Final = re.compile(r"<(?:![A-Za-z]+(?:\^[A-Za-z0-9]+)?|(?:@&?!?|#)[A-Za-z0-9]{1,32})\|")
"""How a mention begins that a platform may take for one even if we cannot see its end."""
_MAX_HELD: Final = 512
_SIGN: Final = re.compile("[@<]")


class MentionGuard(LeafReadingGuard):
    """Outbound: edits mentions into plain words."""

    name = "mentions"
    version = "1"

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector:  # noqa: ARG002
        """For one answer."""
        return Detector(MentionReader)


class MentionReader:
    """A `Reader` of one text; held is only what may become a mention."""

    __slots__ = ("_at", "_before", "_held")

    def __init__(self) -> None:
        self._held = ""
        self._at = 0
        self._before = ""           # the character before what is held

    def read(self, page: Page) -> int:
        """The next piece."""
        text, final = page.text, page.final
        if not self._held and "@" not in text and "<" not in text:
            self._before, self._at = text[-1:] or self._before, page.end
            return page.end
        text = self._held + text
        at, keep = 0, len(text)
        while (sign := _SIGN.search(text, at)) is not None:
            start = sign.start()
            limit = start + _MAX_HELD
            mention = _MENTION.match(text, start, limit)
            if not final and len(text) < limit and (
                mention.end() == len(text) if mention else _BEGUN.match(text, start)
            ):
                keep = start
                break
            before = text[start - 1] if start else self._before
            if mention and not (mention["mass"] and (before.isalnum() or before in (".", "_", "-"))):
                page.edit(Edit(self._at + start, self._at + mention.end(), _plain(mention), "mention"))
            elif not mention and _LABELLED.match(text, start, limit):
                page.edit(Edit(self._at + start, self._at + start + 1, "‹", "mention"))
            at = mention.end() if mention else start + 1
        self._before = text[keep - 1 : keep] or self._before
        self._held, self._at = text[keep:], self._at + keep
        return self._at


def _plain(mention: re.Match[str]) -> str:
    """What is shown instead."""
    if mention["mass"] or mention["special"]:
        label = (mention["label"] or "").lstrip("@")
        return f"@ {mention['mass'] or label or mention['special']}"
    label = mention["who"] or mention["where"]
    if label:
        return label.lstrip("@#")
    if mention["role"]:
        return "[a role]"
    return "[a channel]" if mention.group().startswith("<#") else "[a member]"
