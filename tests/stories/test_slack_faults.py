"""What goes wrong between the bot and Slack, and what people see of it: one finished state, and never a second one."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.fake_sglang import fake_sglang, says
from tests.fake_slack import Breaks, FakeSlack, Limited, Says, Stream, Tears, fake_slack
from tests.stories.slack_day import HTTP, NOTICE, SOCKET, a_day, begun, voice

ASK = "@bartizan how much notice before annual leave?"
SLOWLY = "@bartizan tell me slowly how much notice before annual leave"


def quickly(_request: object) -> object:
    return says(*NOTICE)


def states(slack: FakeSlack, channel: str = "general") -> list[Stream | None]:
    return [answer.stream for answer in slack.answers(channel)]


@pytest.mark.parametrize("mode", [SOCKET, HTTP])
@pytest.mark.parametrize("scale", [1.0, 0.1])
async def test_kill_9_in_the_middle_of_a_stream_leaves_one_finished_answer(
    tmp_path: Path, mode: str, scale: float,
) -> None:
    """And no broken pill, no second answer, and nothing twice when the question is delivered again."""
    share = {"BARTIZAN_SLACK__RATE_SHARE": f"{0.9 * scale:g}"}
    async with fake_slack(scale=scale) as slack:
        async with fake_sglang(voice) as slow, begun(tmp_path, slack, slow.url, mode, **share) as program:
            question = slack.says("ann", "general", SLOWLY)
            await slack.until(lambda: any("word1" in p.seen for p in slack.answers("general")))
            program.process.kill()
            await program.ends()
        assert states(slack) == [Stream.LIVE]
        async with fake_sglang(quickly) as quick, begun(tmp_path, slack, quick.url, mode, **share):
            await slack.until(lambda: any("[Try again]" in p.seen for p in slack.answers("general")), 60)
            for told in [d for d in slack.delivery.log if d.payload.get("event", {}).get("ts") == question.ts]:
                slack.delivery.deliver("events_api", told.payload)
            await slack.settled()
        (answer,) = slack.answers("general")
        assert answer.seen.startswith("Give ten working days' notice [1].")
        assert (answer.stream, answer.thread_ts) == (Stream.DONE, question.ts)
        assert not [call for call in slack.calls if call.error == "ratelimited"]


async def test_a_polite_stop_in_the_middle_of_a_stream_leaves_no_broken_pill(tmp_path: Path) -> None:
    async with fake_slack() as slack:
        async with fake_sglang(voice) as slow, \
                begun(tmp_path, slack, slow.url, BARTIZAN_QUEUE__GRACE="0s") as program:
            slack.says("ann", "general", SLOWLY)
            await slack.until(lambda: any("word1" in p.seen for p in slack.answers("general")))
            program.process.send_signal(signal.SIGTERM)
            assert await program.ends() == 0
        async with fake_sglang(quickly) as quick, begun(tmp_path, slack, quick.url):
            await slack.until(lambda: any("[Try again]" in p.seen for p in slack.answers("general")))
            await slack.settled()
        assert states(slack) == [Stream.DONE]


async def test_what_was_said_while_the_bot_was_down_is_found_and_answered(tmp_path: Path) -> None:
    """S6: no delivery ever reached it; the history did."""
    async with fake_slack(again=()) as slack, fake_sglang(voice) as model:
        async with begun(tmp_path, slack, model.url):
            slack.says("ann", "general", ASK)
            await slack.until(lambda: any("[Try again]" in p.seen for p in slack.answers("general")))
            await slack.settled()
        missed = slack.says("bob", "general", "@bartizan and how much notice for a half day?")
        await asyncio.sleep(0.2)
        async with begun(tmp_path, slack, model.url):
            await slack.until(lambda: any("[Try again]" in p.seen for p in slack.answers("general", missed)))
            await slack.settled()
        assert len(slack.answers("general")) == 2


async def test_a_socket_that_is_asked_to_go_is_replaced_and_nothing_is_missed(tmp_path: Path) -> None:
    """S6."""
    async with a_day(tmp_path) as day:
        slack = day.slack
        await slack.delivery.connected(2)
        hellos = slack.delivery.hellos
        for _ in range(2):
            await slack.delivery.disconnect()
            question = slack.says("ann", "general", ASK)
            await day.answered(question, channel="general")
        await slack.until(lambda: slack.delivery.hellos >= hellos + 2)
        await slack.delivery.disconnect("warning")
        question = slack.says("ann", "general", ASK)
        await day.answered(question, channel="general")
        await slack.settled()
        assert len(slack.answers("general")) == 3


async def test_a_post_whose_answer_was_lost_is_not_made_twice(tmp_path: Path) -> None:
    """S26: it was done, and Slack's answer to it never came."""
    async with a_day(tmp_path) as day:
        slack = day.slack
        slack.fails("chat.startStream", Tears(after=True))
        first = slack.says("ann", "general", ASK)
        await day.answered(first, channel="general", seconds=40)
        slack.no_streams = "channel_type_not_supported"
        slack.fails("chat.postMessage", Tears(after=True))
        second = slack.says("ann", "general", ASK)
        await day.answered(second, channel="general", seconds=40)
        await slack.settled()
        assert [len(slack.answers("general", q)) for q in (first, second)] == [1, 1]
        assert not {Stream.LIVE, Stream.BROKEN} & set(states(slack))


@pytest.mark.parametrize("fault", [Breaks(503), Breaks(500, after=True), Tears(after=False), Limited(1)])
@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update",
                                    "assistant.threads.setStatus", "conversations.members"])
@pytest.mark.long
async def test_whatever_call_fails_once_there_is_one_answer_in_the_end(
    tmp_path: Path, method: str, fault: Breaks | Tears | Limited,
) -> None:
    """S22."""
    async with a_day(tmp_path) as day:
        day.slack.fails(method, fault)
        question = day.slack.says("ann", "general", ASK)
        answer = await day.answered(question, channel="general", seconds=60)
        await day.slack.settled()
        assert answer.seen.startswith("Give ten working days' notice [1].")
        assert (answer.stream in (None, Stream.DONE), len(day.slack.answers("general"))) == (True, 1)


async def test_a_rate_limit_is_waited_out(tmp_path: Path) -> None:
    """S22."""
    async with a_day(tmp_path) as day:
        slack = day.slack
        for method in ("chat.startStream", "chat.stopStream", "conversations.members"):
            slack.fails(method, Limited(1))
        question = slack.says("ann", "general", ASK)
        answer = await day.answered(question, channel="general")
        assert answer.seen.startswith("Give ten working days' notice [1].")
        assert len(slack.answers("general")) == 1


async def test_a_stream_that_dies_of_age_is_finished_by_an_edit(tmp_path: Path) -> None:
    """S17."""
    async with a_day(tmp_path) as day:
        slack = day.slack
        slack.life = 1.0
        question = slack.says("ann", "general", SLOWLY)
        await day.answered(question, channel="general", seconds=60)
        await slack.settled()
        (answer,) = slack.answers("general")
        assert answer.stream is Stream.DONE
        assert "word399" in answer.seen


@pytest.mark.parametrize("mode", [SOCKET, HTTP])
async def test_a_day_with_every_rate_tier_at_a_tenth(tmp_path: Path, mode: str) -> None:
    async with a_day(tmp_path, mode, scale=0.1, BARTIZAN_SLACK__RATE_SHARE="0.09") as day:
        slack = day.slack
        first = slack.says("ann", "general", ASK)
        direct = slack.says("bob", "dm", "how much notice before annual leave?")
        third = slack.says("cyd", "general", ASK)
        await day.answered(first, channel="general", seconds=60)
        await day.answered(direct, channel="dm", user="bob", seconds=60)
        await day.answered(third, channel="general", seconds=60)
        before = len(slack.hidden("ann"))
        await slack.command("ann", "general", "/bartizan ask how much notice before annual leave?")
        await slack.until(lambda: any("Give ten" in e.seen for e in slack.hidden("ann")[before:]), 60)
        assert [error for _, error in slack.refused()] == []


async def test_a_bot_that_does_not_know_of_the_tenth_honours_what_slack_says(tmp_path: Path) -> None:
    """S22: its budget is too big; every 429 is waited out and nothing is lost."""
    async with a_day(tmp_path, scale=0.1) as day:
        questions = [day.slack.says(user, "general", ASK) for user in ("ann", "bob", "cyd")]
        for question in questions:
            await day.answered(question, channel="general", seconds=90)


# The place takes nothing.


async def test_an_archived_channel_is_told_to_the_person_directly(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        slack = day.slack
        slack.says("ann", "general", SLOWLY)
        await slack.until(lambda: any("word1" in p.seen for p in slack.answers("general")))
        slack.archives("general")
        await slack.until(lambda: any("archived" in p.seen for p in slack.answers("dm", user="ann")), 60)
        await slack.settled()
        assert len(slack.answers("dm", user="ann")) == 1


async def test_a_bot_put_out_of_the_channel_says_so_to_the_person(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        slack = day.slack
        slack.says("ann", "general", SLOWLY)
        slack.fails("chat.startStream", Says("not_in_channel"))
        slack.fails("chat.postMessage", Says("not_in_channel"))
        await slack.until(lambda: slack.answers("dm", user="ann"), 60)
        await slack.settled()
        assert "invite" in slack.answers("dm", user="ann")[0].seen


async def test_a_thread_whose_parent_is_gone_is_told_directly(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        slack = day.slack
        root = slack.says("bob", "general", "lunch?")
        slack.says("ann", "general", ASK, root)
        slack.deletes(root)
        await slack.until(lambda: slack.answers("dm", user="ann"), 60)
        await slack.settled()
        assert len(slack.answers("dm", user="ann")) == 1
        assert slack.answers("general") == []


@pytest.mark.parametrize("error", ["msg_too_long", "msg_blocks_too_long", "invalid_blocks"])
async def test_a_message_that_slack_finds_too_long_ends_in_one_sentence(tmp_path: Path, error: str) -> None:
    async with a_day(tmp_path) as day:
        slack = day.slack
        slack.no_streams = "channel_type_not_supported"
        for method in ("chat.postMessage", "chat.update"):
            slack.fails(method, Says(error))
        question = slack.says("ann", "general", ASK)
        await slack.until(lambda: slack.answers("general", question), 60)
        await slack.settled()
        assert len(slack.answers("general", question)) == 1


async def test_a_revoked_token_is_a_clear_line_for_the_operator(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        slack = day.slack
        slack.workspace().revoked = True
        slack.says("ann", "general", ASK)
        await slack.until(lambda: "token_revoked" in (tmp_path / "log").read_text())
        assert (await day.program.page("/healthz"))[0] == 200
        status, said = await day.program.page("/readyz")
        assert (status, "token_revoked" in said) == (503, True)


async def test_a_missing_scope_is_named(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        slack = day.slack
        slack.workspace().scopes -= {"chat:write"}
        slack.says("ann", "general", ASK)
        await slack.until(lambda: "missing_scope: the app needs chat:write" in (tmp_path / "log").read_text())


async def test_a_token_that_slack_does_not_know_ends_the_start_with_a_reason(tmp_path: Path) -> None:
    async with fake_slack() as slack:
        slack.workspace().token = "xoxb-another"
        async with fake_sglang(voice) as model:
            slack_token = {"SLACK_BOT_TOKEN": "xoxb-wrong"}
            async with begun(tmp_path, slack, model.url, ready=False, **slack_token) as program:
                assert await program.ends() != 0
        log = (tmp_path / "log").read_text()
        assert "invalid_auth" in log
        assert "xoxb-wrong" not in log


async def test_an_uninstalled_app_falls_silent_and_lives_on(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        day.slack.uninstalls()
        await day.slack.until(lambda: "taken out of a workspace" in (tmp_path / "log").read_text())
        assert (await day.program.page("/healthz"))[0] == 200
