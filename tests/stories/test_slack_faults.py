"""What goes wrong between the bot and Slack, and what people see of it: one finished state, and never a second one."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.fake_slack import Breaks, Limited, Says, Stream, Tears
from tests.stories.slack_day import ASK, SLOWLY, Day, a_channel, a_day, states

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def day(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Day]:
    """One bot for all stories of this file; each has a channel of its own."""
    async with a_day(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture(autouse=True)
def as_ever(day: Day) -> None:
    """No story inherits another's trouble."""
    day.slack.no_streams, day.slack.life = "", 300.0
    day.slack.faults.clear()


async def test_a_socket_that_is_asked_to_go_is_replaced_and_nothing_is_missed(day: Day) -> None:
    """S6."""
    slack, here = day.slack, a_channel(day, "sockets")
    await slack.delivery.connected(2)
    hellos = slack.delivery.hellos
    for _ in range(2):
        await slack.delivery.disconnect()
        question = slack.says("ann", here, ASK)
        await day.answered(question, channel=here)
    await slack.until(lambda: slack.delivery.hellos >= hellos + 2)
    await slack.delivery.disconnect("warning")
    question = slack.says("ann", here, ASK)
    await day.answered(question, channel=here)
    await slack.settled()
    assert len(slack.answers(here)) == 3


async def test_a_post_whose_answer_was_lost_is_not_made_twice(day: Day) -> None:
    """S26: it was done, and Slack's answer to it never came."""
    slack, here = day.slack, a_channel(day, "lost")
    slack.fails("chat.startStream", Tears(after=True))
    first = slack.says("ann", here, ASK)
    await day.answered(first, channel=here, seconds=40)
    slack.no_streams = "channel_type_not_supported"
    slack.fails("chat.postMessage", Tears(after=True))
    second = slack.says("ann", here, ASK)
    await day.answered(second, channel=here, seconds=40)
    await slack.settled()
    assert [len(slack.answers(here, q)) for q in (first, second)] == [1, 1]
    assert not {Stream.LIVE, Stream.BROKEN} & set(states(slack, here))


@pytest.mark.parametrize("fault", [Breaks(503), Breaks(500, after=True), Tears(after=False), Limited(1)])
@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update",
                                    "assistant.threads.setStatus", "conversations.members"])
@pytest.mark.long
async def test_whatever_call_fails_once_there_is_one_answer_in_the_end(
    day: Day, method: str, fault: Breaks | Tears | Limited,
) -> None:
    """S22."""
    slack, here = day.slack, a_channel(day, f"once{day.slack.number()}")
    slack.fails(method, fault)
    question = slack.says("ann", here, ASK)
    answer = await day.answered(question, channel=here, seconds=60)
    await slack.settled()
    assert answer.seen.startswith("Give ten working days' notice [1].")
    assert (answer.stream in (None, Stream.DONE), len(slack.answers(here))) == (True, 1)


async def test_a_rate_limit_is_waited_out(day: Day) -> None:
    """S22."""
    slack, here = day.slack, a_channel(day, "limit")
    for method in ("chat.startStream", "chat.stopStream", "conversations.members"):
        slack.fails(method, Limited(1))
    question = slack.says("ann", here, ASK)
    answer = await day.answered(question, channel=here)
    assert answer.seen.startswith("Give ten working days' notice [1].")
    assert len(slack.answers(here)) == 1


async def test_a_stream_that_dies_of_age_is_finished_by_an_edit(day: Day) -> None:
    """S17."""
    slack, here = day.slack, a_channel(day, "age")
    slack.life = 1.0
    question = slack.says("ann", here, SLOWLY)
    await day.answered(question, channel=here, seconds=60)
    await slack.settled()
    (answer,) = slack.answers(here)
    assert answer.stream in (None, Stream.DONE)
    assert "word99" in answer.seen


async def test_an_archived_channel_is_told_to_the_person_directly(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "closed")
    slack.says("ann", here, SLOWLY)
    await slack.until(lambda: any("word1" in p.seen for p in slack.answers(here)))
    slack.archives(here)
    await slack.until(lambda: slack.answers("dm", user="ann"), 60)
    await slack.settled()
    (told,) = slack.answers("dm", user="ann")
    assert "archived" in told.seen


async def test_a_bot_put_out_of_the_channel_says_so_to_the_person(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "kicked")
    slack.says("bob", here, SLOWLY)
    await slack.until(lambda: day.heard("slowly"))
    slack.leaves("bot", here)
    await slack.until(lambda: slack.answers("dm", user="bob"), 60)
    await slack.settled()
    (told,) = slack.answers("dm", user="bob")
    assert "invite" in told.seen


async def test_a_thread_whose_parent_is_gone_is_told_directly(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "parent")
    root = slack.says("bob", here, "lunch?")
    slack.says("cyd", here, ASK, root)
    slack.deletes(root)
    await slack.until(lambda: slack.answers("dm", user="cyd"), 60)
    await slack.settled()
    (told,) = slack.answers("dm", user="cyd")
    assert "takes no replies" in told.seen
    assert slack.answers(here) == []


@pytest.mark.parametrize("error", ["msg_too_long", "msg_blocks_too_long", "invalid_blocks"])
async def test_a_message_that_slack_finds_too_long_ends_in_one_sentence(day: Day, error: str) -> None:
    slack, here = day.slack, a_channel(day, error)
    slack.no_streams = "channel_type_not_supported"
    for method in ("chat.postMessage", "chat.update"):
        slack.fails(method, Says(error))
    question = slack.says("ann", here, ASK)
    await slack.until(lambda: slack.answers(here, question), 60)
    await slack.settled()
    assert len(slack.answers(here, question)) == 1
