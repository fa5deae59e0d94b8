"""Nobody is called by a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.mentions import MentionGuard
from tests.engine.guards.screens import CUTS, cut, letters, watch


@pytest.mark.parametrize(("text", "shown"), [
    ("Hi @everyone!", "Hi @ everyone!"),
    ("@here", "@ here"),
    ("<!channel> and <!here|here>", "@ channel and @ here"),
    ("<!subteam^S12|@ops>", "@ ops"),
    ("<@U123> <@!99> <@U1|ann>", "[a member] [a member] ann"),
    ("<@&12> <#C12|general> <#77>", "[a role] general [a channel]"),
    (f"<!here|{'a' * 81}>", f"@ {'a' * 81}"),
    (f"<!here|{'a' * 600}> x", f"‹!here|{'a' * 600}> x"),
    ("<!here|a|b> <@U1|a<b> <#C1|a\nb>", "‹!here|a|b> ‹@U1|a<b> ‹#C1|a\nb>"),
    ('{"text": "\\u0040everyone"}', '{"text": "@ everyone"}'),
    ("mail a@here.com, @heretic, <b> and 3 < 4 <@ x", "mail a@here.com, @heretic, <b> and 3 < 4 <@ x"),
])
async def test_mentions_become_words(text: str, shown: str) -> None:
    for pieces in ([text], letters(text)):
        assert (await watch(pieces, MentionGuard())).text == shown


PARTS = st.sampled_from(["@everyone", "@here ", "<!channel>", "<@U1>", "<@", "<", "@", "!", "every", "one", "a", ""
    " ", "|x>", ">", "|", "\n", "y" * 40, "z" * 300])


@given(st.lists(PARTS, max_size=12).map("".join), CUTS)
async def test_no_cut_lets_one_ring(text: str, cuts: list[int]) -> None:
    slow, seen = await watch(letters(text), MentionGuard()), await watch(cut(text, cuts), MentionGuard())
    assert slow.text == seen.text
    for step in slow.steps:
        assert "<!channel>" not in step
        assert "<@U1>" not in step
    assert (await watch([slow.text], MentionGuard())).text == slow.text
