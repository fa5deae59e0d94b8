"""A model that knows words and nothing else, and loads at once."""

from __future__ import annotations

import re
import zlib
from array import array
from dataclasses import dataclass

SIZE = 64


@dataclass(frozen=True)
class Words:
    def count(self, text: str) -> int:
        return len(text.split())


def vector(text: str) -> array[float]:
    numbers = array("f", [0.001] * SIZE)
    for word in re.findall(r"\w+", text.lower()):
        numbers[zlib.crc32(word.encode()) % SIZE] += 1
    return numbers
