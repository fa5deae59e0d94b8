"""A private answer for the whole channel: all of it, and once."""

from __future__ import annotations

from pathlib import Path

from adapters.slack.share import ALREADY, SHARED
from tests.adapters.slack.company import a_company
from tests.adapters.slack.test_actions import LEAVE, in_private, whispered
from tests.fake_slack import Dawdles, Says, fake_slack
from tests.fakes import ScriptedModel

RULES = "".join(f"Rule {number}: " + "give ten working days' notice. " * 8 + "\n\n" for number in range(60))


async def test_an_answer_of_several_messages_that_was_half_shared_is_shared_to_its_end(tmp_path: Path) -> None:
    model = ScriptedModel([[RULES, "That is all [1]."]])
    async with fake_slack() as slack, a_company(slack, tmp_path, model=model, passages=[LEAVE]):
        answer = await in_private(slack)
        slack.fails("chat.postMessage", Dawdles(0.0), Says("is_archived"))      # the second message is refused
        await slack.presses("ann", answer, "Share with channel")
        await whispered(slack, "ann", "that channel is archived")
        assert len(slack.answers("general")) == 1
        await slack.presses("ann", answer, "Share with channel")
        await whispered(slack, "ann", SHARED)
        first, second = [post.seen for post in slack.answers("general")]
        assert ("Rule 0:" in first, "Rule 59:" in second, "That is all" in second) == (True, True, True)
        await slack.presses("ann", answer, "Share with channel")
        await whispered(slack, "ann", ALREADY)
        assert len(slack.answers("general")) == 2
