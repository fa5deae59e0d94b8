"""Two replicas on one PostgreSQL serve one workspace, and one of them dies in mid-answer."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from tests.fake_sglang import fake_sglang
from tests.fake_slack import Stream
from tests.postgres import Postgres
from tests.stories.slack_day import ASK, SLOWLY, Day, acme, begun, states, voice


@pytest.fixture
def database(server: Postgres) -> str:
    """Of both."""
    return server.create("replicas")


@pytest.mark.long
async def test_the_other_replica_finishes_what_a_dead_one_began(tmp_path: Path, database: str) -> None:
    """S6, and the queue's lease: one answer, in the message that the dead one left half said."""
    shared = {
        "BARTIZAN_DATABASE_URL": database, "BARTIZAN_QUEUE__LEASE": "2s",
        "BARTIZAN_MASTER_KEY": b64encode(bytes(range(32))).decode(), "BARTIZAN_SLACK__RATE_SHARE": "0.45",
    }
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    async with acme() as slack, fake_sglang(voice) as model, begun(first, slack, model.url, settings=shared) as one:
        slow = slack.says("ann", "general", SLOWLY)
        await slack.until(lambda: any("word1" in p.seen for p in slack.answers("general")))
        async with begun(second, slack, model.url, settings=shared) as two:
            await slack.delivery.connected(4)
            one.process.kill()
            await one.ends()
            day = Day(slack, model, two)
            answer = await day.answered(slow, channel="general", seconds=60)
            assert "word99" in answer.seen
            assert answer.seen.count("word42 ") == 1
            quick = await day.answered(slack.says("bob", "general", ASK), channel="general", user="bob")
            assert quick.seen.startswith("Give ten working days' notice [1].")
            await slack.settled()
    assert states(slack) == [Stream.DONE, Stream.DONE]
    assert not [call for call in slack.calls if call.error == "ratelimited"]
