"""How a message of ours is found again among everything else that stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.slack.calls import Unclear
from adapters.slack.outbox import EVENT, Posts
from adapters.slack.render import render
from engine.spoken import How, Sent
from tests.adapters.slack.speaking import Speaker, a_speaker, cleared
from tests.fake_slack import Breaks, FakeSlack, Post, Tears, fake_slack

NAME = "a" * 32


def posts(speaker: Speaker, root: Post, name: str = NAME) -> Posts:
    return Posts(speaker.calls, speaker.voice.outbox, speaker.voice.ourselves, speaker.hold, name, "T1", root.channel,
                 root.ts, root.ts, looks=(0.0,))


async def unsure(speaker: Speaker, root: Post, how: How, name: str = NAME) -> None:
    """A process died in the middle of a call."""
    await speaker.voice.outbox.sending(Sent(name, 0, how, "T1", root.channel, root.ts))


def streams(slack: FakeSlack, root: Post) -> str:
    """The id of a stream that the bot has begun there."""
    from tests.fake_slack import Stream

    post = Post(slack.stamps.next(), root.channel, slack.workspace().bot.id, "Ten", root.ts,
                bot_id=slack.workspace().bot_id, stream=Stream.LIVE, born=slack.clock())
    slack.posted(slack.workspace(), slack.channel(root.channel), post)
    return post.ts


async def test_a_mark_tells_nothing_but_an_opaque_id(tmp_path: Path) -> None:
    """S25: anybody in the workspace can read it."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        root = slack.says("ann", "general", "@bartizan?")
        ts = await posts(speaker, root).post(0, render(await cleared("Ten days."))[0])
        metadata = slack.channel("general").posts[ts].metadata
        assert metadata is not None
        assert metadata["event_type"] == EVENT
        assert re.fullmatch(r"[0-9a-f]{32}/0", metadata["event_payload"]["id"])


async def test_a_message_is_found_by_its_mark_however_many_others_there_are(tmp_path: Path) -> None:
    async with fake_slack(scale=0) as slack, a_speaker(slack, tmp_path) as speaker:
        slack.page = 3
        root = slack.says("ann", "general", "@bartizan?")
        content = render(await cleared("Ten days."))[0]
        other = await posts(speaker, root, "b" * 32).post(0, content)
        for _ in range(8):
            slack.says("bob", "general", "chatter", root)
        mine = await posts(speaker, root).post(0, content)
        await unsure(speaker, root, How.POST)
        assert [sent.ts for sent in await posts(speaker, root).earlier()] == [mine]
        assert mine != other


async def test_a_stream_that_bears_no_mark_yet_is_the_one_that_nobody_accounts_for(tmp_path: Path) -> None:
    async with fake_slack(scale=0) as slack, a_speaker(slack, tmp_path) as speaker:
        root = slack.says("ann", "general", "@bartizan?")
        theirs = streams(slack, root)
        await unsure(speaker, root, How.STREAM, "b" * 32)
        await speaker.voice.outbox.sent("b" * 32, 0, theirs)
        slack.says("bob", "general", "Ten", root)
        await posts(speaker, root, "c" * 32).post(0, render(await cleared("Ten"))[0])
        await unsure(speaker, root, How.STREAM)
        assert await posts(speaker, root).earlier() == []
        mine = streams(slack, root)
        await unsure(speaker, root, How.STREAM)
        assert [sent.ts for sent in await posts(speaker, root).earlier()] == [mine]


async def test_where_a_history_tells_no_marks_a_post_is_the_one_that_nobody_accounts_for(tmp_path: Path) -> None:
    """S26: rather that than the same words twice."""
    async with fake_slack(scale=0) as slack, a_speaker(slack, tmp_path) as speaker:
        slack.tells_metadata = False
        root = slack.says("ann", "general", "@bartizan?")
        content = render(await cleared("Ten days."))[0]
        await posts(speaker, root, "b" * 32).post(0, content)
        slack.fails("chat.postMessage", Tears(after=True))
        mine = await posts(speaker, root).post(0, content)
        assert [post.ts for post in slack.answers("general", root)][1:] == [mine]


async def test_what_did_not_turn_up_was_not_sent(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        root = slack.says("ann", "general", "@bartizan?")
        await unsure(speaker, root, How.POST)
        assert await posts(speaker, root).earlier() == []
        assert await speaker.voice.outbox.of(NAME) == []


async def test_who_has_waited_for_a_message_does_not_wait_again_in_the_same_attempt(tmp_path: Path) -> None:
    """S26: it is looked for patiently once; asked for again, one more look tells as much."""
    async with fake_slack(scale=0) as slack, a_speaker(slack, tmp_path) as speaker:
        root = slack.says("ann", "general", "@bartizan?")
        content, mine = render(await cleared("Ten days."))[0], posts(speaker, root)
        mine.looks = (0.0, 0.01, 0.01)
        slack.fails("chat.postMessage", Breaks())
        for looks in (3, 4):
            with pytest.raises(Unclear):
                await mine.post(0, content)
            assert len(slack.called("conversations.replies")) == looks
        assert slack.answers("general") == []


async def test_what_was_said_in_private_is_taken_for_said(tmp_path: Path) -> None:
    """S24: nobody can look for it, so it is not said twice."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        root = slack.says("ann", "general", "(a command)")
        await unsure(speaker, root, How.PRIVATE)
        assert [sent.ts for sent in await posts(speaker, root).earlier()] == [None]
        assert slack.calls == []
