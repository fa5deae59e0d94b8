"""What is streamed pings nobody and links to nothing, however it was cut (S13)."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.streamed import JOINER, exact, flowing, stream_markdown
from engine.guards.egress import Cleared, Egress
from engine.harmless import harmless
from tests.hostile import HOSTILE

WRITTEN = st.lists(HOSTILE | st.sampled_from([
    "<", "!channel>", "@U1>", "#C1>", "<!here|here>", "<mailto:a@b.c|x>", "&lt;", "&#60;", "&excl;", "[x]", "(http://a)",
    "[x]: http://a\n", "https://", "www.", "a@b.c", "@channel", "```\n", "word ", "[1][2]",
])).map("".join)
OBEYED = re.compile(
    r"<[!@#]|(?:&lt;|&#60;)(?:[!@#]|&|\\)|<(?:https?|mailto|tel):|\]\(|\]:|https?://|www\.|\w@\w|@(?:channel|here)|<[a-z]",
    re.IGNORECASE,
)


async def clear(text: str) -> Cleared:
    return await Egress((), str).notice(text)


@given(WRITTEN)
async def test_s13_nothing_in_it_begins_a_mention_or_a_link_and_every_character_is_there(text: str) -> None:
    sent = stream_markdown(await clear(text))
    assert not OBEYED.search(sent)
    assert sent.replace(JOINER, "") == harmless(text).replace(JOINER, "")
    assert len(sent) <= max(1, 2 * len(text))


@given(WRITTEN, st.integers(0, 200))
async def test_it_does_not_matter_how_it_was_cut_what_was_sent_stays_as_more_comes(text: str, at: int) -> None:
    assert stream_markdown(await clear(text)).startswith(stream_markdown(await clear(text[:at])))


@pytest.mark.parametrize("text", [
    "Ten working days [1][2], see **Leave**.", "a < b && c >= d", "```py\nx = [1, 2]\n```", "| a | b |\n|---|---|",
    "AT&T; R&D", "1 <2",
])
async def test_honest_text_is_streamed_as_it_is(text: str) -> None:
    assert stream_markdown(await clear(text)) == text
    assert exact(text)


async def test_a_very_long_text_flows_while_others_go_on() -> None:
    said = await clear("Ask <!channel> or [somebody](https://evil.example) else. " * 4_000)
    flow = asyncio.create_task(flowing(said))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not flow.done()
    assert await flow == stream_markdown(said)
