"""One reply: a status, words as they come, one finished answer, whatever happens on the way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import update

from adapters.slack.budget import Budget, Key
from adapters.slack.calls import Closed, Unclear
from adapters.slack.ephemeral import PERHAPS
from adapters.sql.outbox import SqlOutbox
from adapters.sql.tables import outbox
from engine.errors import Fenced, PlatformUnavailable
from engine.messages import Claim, Visibility
from engine.spoken import Sent
from tests.adapters.slack.speaking import Speaker, a_speaker, cleared, shown
from tests.fake_slack import Breaks, Dawdles, FakeSlack, Limited, Says, Stream, Tears, fake_slack

ANSWER = "Ten working days [1]."


def nothing_was_pinged(slack: FakeSlack) -> bool:
    return not any(post.pings for post in slack.answers("general"))


async def test_a_status_then_a_stream_then_the_whole_with_its_sources(tmp_path: Path) -> None:
    """S17, S19: status, then a stream for its reader; one message, in the thread."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan how much notice?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.status(await cleared("Looking that up …"))
        assert [str(line) for line in slack.transcript("general")][-1] == "  bartizan: Looking that up … (status)"
        assert reply.visibility is Visibility.SHARED
        await reply.append(await cleared("Ten working "))
        await slack.until(lambda: slack.answers("general", asked))
        await reply.append(await cleared("days [1]."))
        await reply.finish(await shown(ANSWER))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith(ANSWER)
        assert "Annual leave" in answer.seen
        assert answer.stream is Stream.DONE
        assert answer.metadata is not None
        [start] = slack.called("chat.startStream")
        assert (start["recipient_team_id"], start["recipient_user_id"]) == ("T1", "UANN")
        assert slack.refused() == []
        assert nothing_was_pinged(slack)


async def test_words_with_something_to_part_end_as_blocks(tmp_path: Path) -> None:
    """S13: what could be a mention is none while it streams, and reads as it was written at the end."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan who?")
        reply = await speaker.reply(speaker.claim(asked))
        for piece in ("Ask <", "!chan", "nel> or <@UBOB", "> now."):
            await reply.append(await cleared(piece))
        await slack.until(lambda: slack.answers("general", asked))
        assert nothing_was_pinged(slack)
        await reply.finish(await shown("Ask <!channel> or <@UBOB> now.", sources=False))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith("Ask <!channel> or <@UBOB> now.")
        assert not answer.edited
        assert nothing_was_pinged(slack)


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_late_verdict_replaces_what_stands(tmp_path: Path, streaming: bool) -> None:
    """S16: the stream is stopped, and an update with text and blocks takes its place."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        slack.no_streams = "" if streaming else "channel_type_not_supported"
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.append(await cleared("Something that "))
        await slack.until(lambda: slack.answers("general", asked))
        await reply.replace(await cleared("I may not show the answer to this."))
        [answer] = slack.answers("general", asked)
        assert answer.seen == "I may not show the answer to this."
        assert not answer.edited


async def test_where_nothing_streams_one_message_is_edited(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        slack.no_streams = "method_not_supported"
        slack.fails("assistant.threads.setStatus", Says("method_not_supported_for_channel_type"))
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.status(await cleared("Looking that up …"))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith("Looking that up …")
        await reply.append(await cleared("Ten working"))
        await slack.until(lambda: answer.seen.startswith("Ten working"))
        await reply.finish(await shown(ANSWER))
        assert slack.answers("general", asked) == [answer]
        assert answer.seen.startswith(ANSWER)
        assert not answer.edited
        posts = slack.called("chat.postMessage")
        assert [(post["unfurl_links"], post["unfurl_media"]) for post in posts] == [(False, False)]     # S32
        assert all(call["text"] and call["blocks"] for call in slack.called("chat.update"))             # S14, S16


async def test_past_the_starts_of_a_minute_edits_take_over(tmp_path: Path) -> None:
    """23 questions within a minute: none is refused, no 429 is provoked, and the first twenty stream (S17)."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        questions = [slack.says("ann", "general", f"@bartizan question {n}?") for n in range(23)]
        replies = [await speaker.reply(speaker.claim(asked)) for asked in questions]
        for reply in replies[:20]:
            await reply.append(await cleared("Ten"))
        await slack.until(lambda: len(slack.called("chat.startStream")) == 20)
        for reply in replies[20:]:
            await reply.append(await cleared("Ten"))
        await slack.until(lambda: len(slack.answers("general")) == 23)
        assert len(slack.called("chat.startStream")) == 20
        assert slack.refused() == []


async def test_a_stream_goes_on_in_a_second_message_before_it_dies(tmp_path: Path) -> None:
    """0.2, S17: Slack ends a stream after five minutes; ours end after four."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path, stream_life=0.3) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.append(await cleared("First line.\n"))
        await slack.until(lambda: slack.answers("general", asked))
        await asyncio.sleep(0.4)
        await reply.append(await cleared("Second line.\n"))
        await slack.until(lambda: len(slack.answers("general", asked)) == 2)
        first, second = slack.answers("general", asked)
        assert (first.stream, second.stream) == (Stream.DONE, Stream.LIVE)
        await reply.finish(await shown("First line.\nSecond line."))
        [answer] = slack.answers("general", asked)
        assert "First line.\nSecond line." in answer.seen
        assert answer.stream is Stream.DONE


async def test_a_stream_that_died_is_recovered(tmp_path: Path) -> None:
    """0.2: append and stop are refused then, and a pill hangs under the message until it is updated."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        slack.life = 0.2
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.append(await cleared("Ten "))
        await slack.until(lambda: slack.answers("general", asked))
        await asyncio.sleep(0.3)
        await reply.append(await cleared("working "))
        await slack.until(lambda: slack.called("chat.update"))
        await reply.finish(await shown(ANSWER))
        [answer] = slack.answers("general", asked)
        assert answer.stream is Stream.DONE
        assert answer.seen.startswith(ANSWER)


async def test_a_person_who_stops_the_stream_stops_the_turn(tmp_path: Path) -> None:
    """0.3: ``stopped_by_user`` ends the generation."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        claim = speaker.claim(asked)
        reply = await speaker.reply(claim)
        await reply.append(await cleared("Ten working "))
        await slack.until(lambda: slack.answers("general", asked))
        [answer] = slack.answers("general", asked)
        slack.stops(answer)
        await reply.append(await cleared("days, and so on"))
        await slack.until(lambda: speaker.stopped)
        assert speaker.stopped == [claim.trace]
        await reply.stopped(await cleared("Stopped."))
        assert slack.answers("general", asked) == [answer]
        assert "Stopped." in answer.seen
        assert answer.stream is Stream.DONE


@pytest.mark.parametrize("fault", [Tears(), Breaks(after=True), Tears(after=False), Breaks()])
@pytest.mark.parametrize("streaming", [True, False])
async def test_a_lost_answer_to_a_post_never_makes_a_second_one(tmp_path: Path, fault: object, streaming: bool) -> None:
    """S26: a post of unclear fate is looked for; should it not be there, the next attempt posts it."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        slack.no_streams = "" if streaming else "channel_type_not_supported"
        slack.fails("chat.startStream" if streaming else "chat.postMessage", fault)   # type: ignore[arg-type]
        asked = slack.says("ann", "general", "@bartizan?")
        claim = speaker.claim(asked)
        reply = await speaker.reply(claim)
        await reply.append(await cleared("Ten working "))
        await asyncio.sleep(0.3)
        try:
            await reply.finish(await shown(ANSWER))
        except Unclear:
            again = await speaker.resumed(claim)
            await again.finish(await shown(ANSWER))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith(ANSWER)
        assert answer.stream in (None, Stream.DONE)


async def test_a_lost_answer_to_an_append_is_set_right_at_the_end(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.append(await cleared("Ten "))
        await slack.until(lambda: slack.answers("general", asked))
        slack.fails("chat.appendStream", Tears())
        await reply.append(await cleared("working days [1]."))
        await slack.until(lambda: any(call.method == "chat.appendStream" for call in slack.calls))
        await reply.finish(await shown(ANSWER))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith(ANSWER)
        assert answer.seen.count("working") == 1


@pytest.mark.parametrize("fault", [Tears(), Breaks(after=True), Breaks(), Limited(1)])
async def test_a_lost_answer_to_the_end_of_a_stream_is_set_right(tmp_path: Path, fault: object) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.append(await cleared("Ten "))
        await slack.until(lambda: slack.answers("general", asked))
        slack.fails("chat.stopStream", fault)   # type: ignore[arg-type]
        await reply.finish(await shown(ANSWER))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith(ANSWER)
        assert answer.seen.count("working") == 1
        assert answer.stream is Stream.DONE


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("finished", [True, False])
async def test_after_a_crash_there_is_one_finished_answer(tmp_path: Path, streaming: bool, finished: bool) -> None:
    """Whenever it happened: the next attempt goes on in the same message, and the pill of the old stream is gone."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        slack.no_streams = "" if streaming else "channel_type_not_supported"
        asked = slack.says("ann", "general", "@bartizan?")
        claim = speaker.claim(asked)
        first = await speaker.reply(claim)
        await first.append(await cleared("Ten "))
        await slack.until(lambda: slack.answers("general", asked))
        if finished:
            await first.finish(await shown(ANSWER))
        second = await speaker.resumed(claim)
        assert second.posted
        await second.status(await cleared("Looking that up …"))
        await second.append(await cleared("Ten working"))
        await second.finish(await shown(ANSWER))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith(ANSWER)
        assert answer.stream in (None, Stream.DONE)


async def test_a_long_answer_goes_on_in_order(tmp_path: Path) -> None:
    """S15: no message is too long, and none of the words are lost."""
    async with fake_slack(scale=0) as slack, a_speaker(slack, tmp_path) as speaker:
        lines = [f"Line {n} of a long answer, with words in it." for n in range(700)]
        text = "\n\n".join(lines)
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        for line in lines:
            await reply.append(await cleared(line + "\n\n"))
        await slack.until(lambda: slack.answers("general", asked))
        await reply.finish(await shown(text, sources=False))
        answers = slack.answers("general", asked)
        assert len(answers) > 2
        told = "\n".join(answer.seen for answer in answers)
        assert [line for line in told.splitlines() if line.startswith("Line ")] == lines
        assert all(answer.stream in (None, Stream.DONE) for answer in answers)
        assert slack.refused() == []


async def test_an_answer_that_somebody_deleted_meanwhile_is_said_once_more(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.append(await cleared("Ten "))
        await slack.until(lambda: slack.answers("general", asked))
        slack.deletes(slack.answers("general", asked)[0])
        await reply.finish(await shown(ANSWER))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith(ANSWER)


@pytest.mark.parametrize("error", ["edit_window_closed", "cant_update_message", "message_not_found"])
async def test_an_answer_that_takes_no_edit_is_said_anew_and_the_old_words_go(tmp_path: Path, error: str) -> None:
    """S16: a workspace may forbid edits, at once or after a while; the placeholder must not be the last word."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        slack.no_streams = "channel_type_not_supported"
        slack.fails("assistant.threads.setStatus", Says("method_not_supported_for_channel_type"))
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.status(await cleared("Looking that up …"))
        slack.fails("chat.update", *[Says(error)] * 5)
        await reply.finish(await shown(ANSWER))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith(ANSWER)


async def test_words_that_take_neither_edit_nor_removal_stay_and_the_answer_comes_below(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.replace(await cleared("Ten."))
        slack.fails("chat.update", Says("edit_window_closed"))
        slack.fails("chat.delete", Says("cant_delete_message"))
        await reply.finish(await shown(ANSWER))
        assert [answer.seen.splitlines()[0] for answer in slack.answers("general", asked)] == ["Ten.", ANSWER]


@pytest.mark.parametrize(("how", "why"), [("archived", "is archived"), ("kicked", "not a member")])
async def test_a_place_that_is_closed_to_us_is_told_to_the_person(tmp_path: Path, how: str, why: str) -> None:
    """One visible end: a sentence in the person's own conversation."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        claim = speaker.claim(asked)
        reply = await speaker.reply(claim)
        if how == "archived":
            slack.archives("general")
        else:
            slack.leaves("bot", "general")
        with pytest.raises(Closed) as closed:
            await reply.finish(await shown(ANSWER))
        assert why in closed.value.reply
        for attempt in (reply, await speaker.resumed(claim)):
            await attempt.replace(await cleared(closed.value.reply))
        [told] = slack.answers("dm", user="ann")
        assert told.seen == closed.value.reply
        assert slack.answers("general") == []


@pytest.mark.parametrize("how", ["archived", "kicked"])
async def test_a_place_that_closed_while_nobody_was_at_work_is_told_to_the_person(tmp_path: Path, how: str) -> None:
    """The next attempt finds a stream there that it cannot end, or may not even look."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        slack.opens_channel("secret", "ann", kind="group")
        asked = slack.says("ann", "secret", "@bartizan?")
        claim = speaker.claim(asked)
        first = asyncio.create_task(begins(speaker, claim))
        await slack.until(lambda: slack.answers("secret", asked))
        first.cancel()
        await asyncio.wait([first])
        if how == "archived":
            slack.archives("secret")
        else:
            slack.leaves("bot", "secret")
            await speaker.database.write(lambda connection: connection.execute(update(outbox).values(ts=None)))
        second = await speaker.resumed(claim)
        with pytest.raises(Closed) as closed:
            await second.status(await cleared("Looking that up …"))
        with pytest.raises(Closed):
            await second.finish(await shown(ANSWER))
        await second.replace(await cleared(closed.value.reply))
        [told] = slack.answers("dm", user="ann")
        assert told.seen == closed.value.reply


async def begins(speaker: Speaker, claim: Claim) -> None:
    """An attempt that does not come to its end."""
    reply = await speaker.reply(claim)
    await reply.append(await cleared("Ten "))
    await asyncio.Event().wait()


async def test_a_question_that_is_gone_is_answered_directly(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        slack.deletes(asked)
        with pytest.raises(Closed):
            await reply.finish(await shown(ANSWER))
        await reply.replace(await cleared("This question was taken back, so I stopped."))
        [told] = slack.answers("dm", user="ann")
        assert told.seen == "This question was taken back, so I stopped."


async def test_a_revoked_token_is_the_operators_affair(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        slack.uninstalls()
        with pytest.raises(PlatformUnavailable):
            await reply.finish(await shown(ANSWER))
        assert speaker.calls.problem is not None
        assert "T1" in speaker.calls.problem
        assert slack.workspace().token not in speaker.calls.problem


async def test_a_status_is_said_again_before_slack_takes_it_away(tmp_path: Path) -> None:
    """S19: two minutes."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path, status_every=0.05) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        await reply.status(await cleared("Looking that up …"))
        await slack.until(lambda: len(slack.statuses_seen) >= 3)
        await reply.finish(await shown(ANSWER))
        count = len(slack.statuses_seen)
        await asyncio.sleep(0.2)
        assert len(slack.statuses_seen) == count
        assert slack.status(slack.workspace(), asked.channel, asked.ts) == ""


async def test_an_attempt_that_was_taken_over_falls_silent(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        speaker.held = False
        with pytest.raises(Fenced):
            await reply.status(await cleared("Looking that up …"))
        with pytest.raises(Fenced):
            await reply.finish(await shown(ANSWER))
        assert slack.answers("general") == []
        assert slack.calls == []


@pytest.mark.parametrize(("refusals", "left"), [
    (1, ["rich_text", "context", "actions"]),       # without the feedback buttons, which are new
    (2, []),
])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_blocks_that_slack_does_not_take_are_told_more_plainly(
    tmp_path: Path, method: str, refusals: int, left: list[str],
) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        reply = await speaker.reply(speaker.claim(asked))
        if method == "chat.update":
            await reply.replace(await cleared("Ten."))
        slack.fails(method, *[Says("invalid_blocks")] * refusals)
        await reply.finish(await shown(ANSWER))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith(ANSWER)
        assert [block["type"] for block in answer.blocks] == left


async def test_a_direct_conversation_has_one_reader_and_a_thread_of_its_own(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "dm", "how much notice?")
        reply = await speaker.reply(speaker.claim(asked))
        assert reply.visibility is Visibility.PRIVATE
        await reply.append(await cleared("Ten "))
        await reply.finish(await shown(ANSWER))
        [answer] = slack.answers("dm", asked, user="ann")
        assert answer.seen.startswith(ANSWER)


async def test_a_private_reply_is_said_to_who_asked_alone(tmp_path: Path) -> None:
    """S23: at the response address; a command itself is shown to nobody, so what we say first repeats it."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "(a command)")
        url = slack.response_url(slack.workspace(), asked.channel, "UANN", None)
        claim = speaker.claim(asked, private=True, url=url)
        reply = await speaker.private(claim)
        await reply.status(await cleared("Looking that up …"))
        await reply.append(await cleared("Ten "))
        await reply.finish(await shown(ANSWER))
        before, told = slack.hidden("ann")
        assert before.seen == "You asked: (a command)\n\nLooking that up …"
        assert told.seen.startswith(ANSWER)
        assert "Share with channel" in told.seen
        assert slack.answers("general") == []
        assert slack.hidden("bob") == []


async def test_when_the_address_is_over_an_ephemeral_message_stands_in(tmp_path: Path) -> None:
    """S23, S24."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "(a command)")
        claim = speaker.claim(asked, private=True, url=slack.url + "/respond/unknown")
        reply = await speaker.private(claim)
        await reply.finish(await shown(ANSWER))
        [told] = slack.hidden("ann")
        assert told.seen.startswith(ANSWER)


async def test_a_response_address_elsewhere_gets_nothing(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "(a command)")
        claim = speaker.claim(asked, private=True, url="https://hooks.slack.com.evil.example/respond/1")
        reply = await speaker.private(claim)
        await reply.finish(await shown(ANSWER))
        [told] = slack.hidden("ann")
        assert told.seen.startswith(ANSWER)


async def test_a_private_answer_where_the_bot_may_not_write_is_told_directly(tmp_path: Path) -> None:
    """S24: "Ask about this" works in any channel; what its reader cannot see there stands in their own conversation."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        slack.opens_channel("secret", "ann", kind="group", bot=False)
        asked = slack.says("ann", "secret", "(a shortcut)")
        claim = speaker.claim(asked, private=True, url=slack.url + "/respond/unknown")
        for attempt in (claim, replace(claim, attempt=2)):
            reply = await speaker.private(attempt)
            await reply.status(await cleared("Looking that up …"))
            await reply.finish(await shown(ANSWER))
        [told] = slack.answers("dm", user="ann")
        assert told.seen.startswith(ANSWER)
        assert slack.hidden("ann") == []


async def test_a_private_answer_that_a_stop_caught_before_it_left_is_said_by_the_next_attempt(tmp_path: Path) -> None:
    """It waits for Slack's rate limit when the process ends: nothing of it has been shown."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path, patience=60.0) as speaker:
        asked = slack.says("ann", "general", "(a command)")
        slack.fails("chat.postEphemeral", Limited(30))
        claim = speaker.claim(asked, private=True)
        first = await speaker.private(claim)
        ending = asyncio.create_task(first.finish(await shown(ANSWER)))
        await slack.until(lambda: not slack.faults["chat.postEphemeral"])
        await asyncio.sleep(0.1)
        ending.cancel()
        await asyncio.wait([ending])
        assert ending.cancelled()
        assert slack.hidden("ann") == []
        speaker.calls.budget = Budget()
        second = await speaker.private(replace(claim, attempt=2))
        await second.finish(await shown(ANSWER))
        [told] = slack.hidden("ann")
        assert told.seen.startswith(ANSWER)


@pytest.mark.parametrize("waits_for", ["Slack", "the budget", "a network"])
async def test_a_private_answer_that_died_waiting_is_said_by_the_next_attempt(tmp_path: Path, waits_for: str) -> None:
    """SIGKILL leaves nobody who could take a note back: while a message has not left there is none."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path, patience=60.0) as speaker:
        asked = slack.says("ann", "general", "(a command)")
        url = slack.response_url(slack.workspace(), asked.channel, "UANN", None)
        claim = speaker.claim(asked, private=True, url=url if waits_for == "Slack" else "")
        first = await speaker.private(claim)
        if waits_for == "Slack":
            slack.fails("response_url", Limited(30))
        elif waits_for == "a network":
            speaker.calls.client.base_url = "http://127.0.0.1:9/api/"
        else:
            speaker.calls.budget.close(Key("chat.postEphemeral", "T1"), 60.0)
        dead = asyncio.create_task(first.finish(await shown(ANSWER)))
        await asyncio.sleep(0.3)
        assert await speaker.voice.outbox.of(claim.trace) == []
        assert not dead.done()
        speaker.calls.budget, speaker.calls.client.base_url = Budget(), slack.url + "/api/"
        second = await replace(speaker.voice, calls=replace(speaker.calls)).reply_to(
            replace(claim, attempt=2), lambda: None)
        speaker.held = False        # the dead one says nothing any more
        await second.finish(await shown(ANSWER))
        [told] = slack.hidden("ann")
        assert told.seen.startswith(ANSWER)
        dead.cancel()
        await asyncio.wait([dead])


async def test_a_private_answer_that_may_have_left_is_not_said_twice_but_asked_about(tmp_path: Path) -> None:
    """S24: nobody can look for it. One sentence offers another try, once, whatever happens to the turn after that."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "(a command)")
        slack.fails("chat.postEphemeral", Dawdles(30.0))
        claim = speaker.claim(asked, private=True)
        first = await speaker.private(claim)
        ending = asyncio.create_task(first.finish(await shown(ANSWER)))
        await slack.until(lambda: slack.hidden("ann"))
        ending.cancel()
        await asyncio.wait([ending])
        for attempt in (2, 3):
            again = await speaker.private(replace(claim, attempt=attempt))
            await again.finish(await shown(ANSWER))
        answer, sentence = slack.hidden("ann")
        assert answer.seen.startswith(ANSWER)
        assert sentence.seen == f"{PERHAPS}\n[Try again]"


@pytest.mark.parametrize("private", [True, False])
async def test_who_wakes_after_their_turn_was_taken_leaves_the_successors_word_on_record(
    tmp_path: Path, private: bool,
) -> None:
    """Whoever comes third goes on with what stands there, and says none of it again."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        asked = slack.says("ann", "general", "@bartizan?")
        claim = speaker.claim(asked, private=private)
        asleep = Asleep(speaker.database)
        late = await replace(speaker.voice, outbox=asleep).reply_to(claim, speaker.hold)
        ending = asyncio.create_task(late.finish(await shown(ANSWER)))
        await asleep.reached.wait()
        successor = await speaker.voice.reply_to(replace(claim, attempt=2), lambda: None)
        await successor.finish(await shown(ANSWER))
        said = await speaker.voice.outbox.of(claim.trace)
        speaker.held = False
        asleep.wake.set()
        with pytest.raises(Fenced):
            await ending
        assert await speaker.voice.outbox.of(claim.trace) == said
        third = await speaker.voice.reply_to(replace(claim, attempt=3), lambda: None)
        await third.finish(await shown(ANSWER))
        assert len(slack.hidden("ann") if private else slack.answers("general", asked)) == 1


@dataclass(frozen=True)
class Asleep(SqlOutbox):
    """The outbox of a worker that stalls when it is about to note something."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def sending(self, sent: Sent) -> None:
        self.reached.set()
        await self.wake.wait()
        await super().sending(sent)


async def test_many_answers_stream_side_by_side_within_the_tiers(tmp_path: Path) -> None:
    """Speed: all of them move, all of them end, and Slack has to turn nothing away (its minute passes quicker here)."""
    async with fake_slack(scale=20.0) as slack, a_speaker(slack, tmp_path, budget=Budget(20 * 0.9)) as speaker:
        pieces = [f"word{n} " for n in range(30)]
        text = "".join(pieces).strip()

        async def turn(number: int) -> None:
            slack.opens_channel(f"room{number}", "ann")
            reply = await speaker.reply(speaker.claim(slack.says("ann", f"room{number}", "@bartizan?")))
            await reply.status(await cleared("Looking that up …"))
            for piece in pieces:
                await reply.append(await cleared(piece))
                await asyncio.sleep(0.02)
            await reply.finish(await shown(text, sources=False))

        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(turn(number))
        assert slack.refused() == []
        for number in range(20):
            [answer] = slack.answers(f"room{number}")
            assert answer.seen.startswith(text)
            assert answer.stream is Stream.DONE
        assert len(slack.called("chat.startStream")) == 20
        assert len(slack.called("chat.appendStream")) > 40


@pytest.mark.long
async def test_every_tier_at_a_tenth_ends_the_same(tmp_path: Path) -> None:
    """Slack may turn away what we think it takes: each answer still ends once, and whole."""
    async with fake_slack(scale=0.1) as slack, a_speaker(slack, tmp_path, budget=Budget(0.1), patience=30.0) as speaker:
        asked = [slack.says("ann", "general", "@bartizan?") for _ in range(3)]

        async def turn(number: int) -> None:
            reply = await speaker.reply(speaker.claim(asked[number]))
            await reply.status(await cleared("Looking that up …"))
            for piece in ("Ten ", "working ", "days [1]."):
                await reply.append(await cleared(piece))
                await asyncio.sleep(0.5)
            await reply.finish(await shown(ANSWER))

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(turn(number))
        for question in asked:
            [answer] = slack.answers("general", question)
            assert answer.seen.startswith(ANSWER)
            assert answer.stream in (None, Stream.DONE)
        assert slack.refused() == []


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize(("streaming", "method"), [
    (True, "assistant.threads.setStatus"), (True, "chat.startStream"), (True, "chat.appendStream"),
    (True, "chat.stopStream"), (False, "chat.postMessage"), (False, "chat.update"),
])
async def test_a_crash_in_the_middle_of_any_call_leaves_one_finished_answer(
    tmp_path: Path, streaming: bool, method: str, done: bool,
) -> None:
    """Whether Slack has done it or not when the process died."""
    async with fake_slack() as slack, a_speaker(slack, tmp_path) as speaker:
        slack.no_streams = "" if streaming else "method_not_supported"
        asked = slack.says("ann", "general", "@bartizan?")
        claim = speaker.claim(asked)
        slack.fails(method, Dawdles(30.0) if done else Limited(1))

        async def turn() -> None:
            reply = await speaker.reply(claim)
            await reply.status(await cleared("Looking that up …"))
            for piece in ("Ten ", "working "):
                await reply.append(await cleared(piece))
                await asyncio.sleep(0.1)
            await reply.append(await cleared("days [1]."))
            await reply.finish(await shown(ANSWER))

        first = asyncio.create_task(turn())
        await slack.until(lambda: any(call.method == method for call in slack.calls))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.wait([first])
        assert first.cancelled()
        second = await speaker.resumed(claim)
        await second.status(await cleared("Looking that up …"))
        await second.append(await cleared("Ten working"))
        await second.finish(await shown(ANSWER))
        [answer] = slack.answers("general", asked)
        assert answer.seen.startswith(ANSWER)
        assert answer.stream in (None, Stream.DONE)
