"""Numbers as words. The tokenizer that splits Chinese takes what is all digits for punctuation, and drops it.

But a number is often the very thing that is looked for: a fault code, an extension, a hull, a paragraph.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_LETTERS: Final = "A-Za-z\u00aa-\u02af\u0370-\u052f"        # of scripts that write words apart: "M24" is a word already
_NUMBER: Final = re.compile(        # from its first digit on, so that a long one is looked at once
    rf"(?<![{_LETTERS}\d])(?:(?<!\d[.,:])|(?=[vV]))([vV]?)(\d++(?:[.,:]\d++)*+)(?![{_LETTERS}])")
_THOUSANDS: Final = re.compile(r"[.,](?=\d{3}(?!\d))")
_PARTED: Final = re.compile(r"[.,:]")


def spelled(text: str) -> str:
    """The text with a word of letters and digits in the place of each number: "65,000" is the same as "65000"."""
    return _NUMBER.sub(lambda found: f" {found[1]} {_word(found[2])} ", text)


def told(text: str) -> str:
    """Its numbers alone. As a question's, they say nothing against a page: who is 15 asks about "under 18"."""
    return " ".join(found[2] for found in _NUMBER.finditer(text))


def leant_on(text: str) -> str:
    """An earlier question without single digits: of what went before, these are amounts, and hardly ever a name."""
    return _NUMBER.sub(lambda found: " " if found[0].isdecimal() and len(found[0]) == 1 else found[0], text)


def _word(number: str) -> str:
    plain = unicodedata.normalize("NFKC", number)
    return f"n{_PARTED.sub('x', _THOUSANDS.sub('', plain))}"
