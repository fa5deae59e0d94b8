"""What is fed to a stream while an answer is written. Pure; it does not matter how the stream was cut.

A stream takes Markdown, which Slack reads by itself, and it does not say what a mention or a bare address in it
becomes. So nothing in it can be either: between the characters that begin one stands a word joiner, which nobody sees.
Where that was needed, the finished answer is to replace it with the blocks of `render`, in which every character is as
it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from engine.guards.egress import Cleared
from engine.harmless import harmless

JOINER: Final = "\u2060"
LONGEST: Final = 12_000
"""Characters of one ``markdown_text``; of cleared text, `room` says how many make up so much at the most."""
_MEMORY: Final = 3          # characters before a place that decide about it
_PARTED: Final = re.compile(
    r"(?<=<)(?=[^\s<=\-\d])"            # <@U1>, <!channel>, <#C1>, <https://…|label>, <mailto:…>
    r"|(?<=;)(?=[@!#&\\])"              # the same with &lt; for <, should entities be read first
    r"|(?<=\])(?=[(:])"                 # [label](address), [reference]: address
    r"|(?<=:/)(?=/)|(?<=[wW]{3})(?=\.)" # https://, www.
    r"|(?<=@)(?=\S)"                    # ann@example.com, @channel
)


@dataclass(slots=True)
class StreamMarkdown:
    """One answer's stream."""

    _before: str = ""

    def feed(self, text: Cleared) -> str:
        """The next piece, as it is sent."""
        more = harmless(text)
        told = self._before + more
        start = len(self._before)
        cuts = [found.start() for found in _PARTED.finditer(told) if start <= found.start() < len(told)]
        edges = [start, *cuts, len(told)]
        self._before = told[-_MEMORY:]
        return JOINER.join(told[a:b] for a, b in pairwise(edges))


def stream_markdown(text: Cleared) -> str:
    """A whole text, as it is sent."""
    return StreamMarkdown().feed(text)


def exact(sent: str) -> bool:
    """Whether nothing had to be parted: then what was streamed may stay as it is."""
    return JOINER not in sent


def room(length: int = LONGEST) -> int:
    """So many characters of cleared text never make more than ``length`` sent."""
    return length // 2
