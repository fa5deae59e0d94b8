"""Text without the characters that a screen obeys instead of showing them.

What a page or a model wrote may hold escape sequences, which move the cursor, rename the window or hide text, and
marks that turn the direction of reading around. They are taken out one by one, so that it does not matter how a
stream was cut.
"""

from __future__ import annotations

from typing import Final

_BIDI: Final = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE: Final = (*range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080))
_OBEYED: Final[dict[int, str | None]] = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *_BIDI, *_INVISIBLE)),
    **dict.fromkeys((0x0B, 0x0C, 0x85, 0x2028, 0x2029), "\n"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),       # half a character: no encoding takes it
    0x09: "\t",
    0x0A: "\n",
}


def harmless(text: str) -> str:
    """The text without control characters, except line ends and tabs, and without marks for the reading direction."""
    return text.translate(_OBEYED)


def line(text: str) -> str:
    """The same, on one line."""
    return " ".join(harmless(text).split())
