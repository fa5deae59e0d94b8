"""Code fences in Markdown: where a block of code begins, and where it ends."""

from __future__ import annotations

import re
from typing import Final

FENCE: Final = re.compile(r"^ {0,3}(`{3,}(?=[^`\n]*$)|~{3,})[^\n]*$", re.MULTILINE)
"""A line that opens a block, its marks as group 1. One that closes a block looks like it, too."""


def closed(text: str, marks: str, at: int) -> int:
    """Where the line ends that closes a block which these marks opened before ``at``; -1: nowhere."""
    closing = re.compile(rf"^ {{0,3}}{marks}{marks[0]}*[ \t\r]*$", re.MULTILINE).search(text, at)
    return closing.end() if closing else -1


def still_open(text: str, inside: str = "") -> str:
    """The marks of the block that is open behind the text, where ``inside`` are those of the one before; "": none."""
    at = 0
    while "```" in text or "~~~" in text:       # most have neither
        if inside:
            at = closed(text, inside, at)
            if at < 0:
                return inside
        fence = FENCE.search(text, at)
        if fence is None:
            return ""
        inside, at = fence[1], fence.end()
    return inside
