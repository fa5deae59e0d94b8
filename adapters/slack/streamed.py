"""What is fed to a stream while an answer is written. Pure.

A stream takes Markdown, which Slack reads by itself, and it does not say what a mention or a bare address in it
becomes. So nothing in it can be either: between the characters that begin one stands a word joiner, which nobody sees.
Where that was needed, the finished answer is to replace it with the blocks of `render`, in which every character is as
it was.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from engine.guards.egress import Cleared
from engine.harmless import harmless

LONG: Final = 5_000
"""Characters; what is longer is worked on beside the event loop, not on it."""
JOINER: Final = "\u2060"
_PARTED: Final = re.compile(
    r"(?<=<)(?=[^\s<=\-\d])"            # <@U1>, <!channel>, <#C1>, <https://…|label>, <mailto:…>
    r"|(?<=;)(?=[@!#&\\])"              # the same with &lt; for <, should entities be read first
    r"|(?<=\])(?=[(:])"                 # [label](address), [reference]: address
    r"|(?<=:/)(?=/)|(?<=[wW]{3})(?=\.)" # https://, www.
    r"|(?<=@)(?=\S)"                    # ann@example.com, @channel
)


def stream_markdown(text: Cleared) -> str:
    """The text as it is sent. Of what is sent of its beginning nothing changes when more of it comes."""
    return _PARTED.sub(JOINER, harmless(text))


async def flowing(text: Cleared) -> str:
    """As `stream_markdown`, which is asked for the whole each time that there is more of it."""
    return await asyncio.to_thread(stream_markdown, text) if len(text) > LONG else stream_markdown(text)


def exact(sent: str) -> bool:
    """Whether nothing had to be parted: then what was streamed may stay as it is."""
    return JOINER not in sent
