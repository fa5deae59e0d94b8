"""A working day with the bot in Slack: one `bartizan run` for all of it over sockets, and one over HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from tests.fake_slack import SIGNING_SECRET, Post, Stream
from tests.fake_slack.delivery import signed
from tests.stories.slack_day import HTTP, SOCKET, Day, a_channel, a_day, in_every_mode

pytestmark = pytest.mark.asyncio(loop_scope="module")
TENTH = "tenth"


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=[
    pytest.param((SOCKET, HTTP), id="both"), pytest.param((TENTH,), id=TENTH, marks=pytest.mark.exhaustive),
])
async def days(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[list[Day]]:
    """A bot of each mode for all stories of this file, each in a channel of its own; or one with tiers at a tenth."""
    folder = tmp_path_factory.mktemp
    async with AsyncExitStack() as stack:
        yield await asyncio.gather(*(
            stack.enter_async_context(
                a_day(folder(mode), SOCKET, {"BARTIZAN_SLACK__RATE_SHARE": "0.09"}, scale=0.1) if mode == TENTH
                else a_day(folder(mode), mode)
            ) for mode in request.param
        ))


@in_every_mode
async def test_a_mention_gets_a_status_then_a_streamed_answer_with_its_source(day: Day) -> None:
    """S3, S12, S17, S19, S32."""
    slack, here = day.slack, a_channel(day, "leave")
    question = slack.says("ann", here, "@bartizan how much notice before annual leave?")
    answer = await day.answered(question, channel=here)
    assert answer.seen.startswith("Give ten working days' notice [1].")
    assert "Annual leave" in answer.seen
    assert (answer.stream, answer.thread_ts, answer.pings) == (Stream.DONE, question.ts, [])
    assert slack.statuses_seen[0][:2] == (question.channel, question.ts)
    await slack.settled()
    assert [str(line.state) for line in slack.transcript(here)] == ["", ""]
    assert slack.unfurls == []
    assert slack.refused() == []


@in_every_mode
async def test_a_direct_message_is_answered_in_its_thread_and_needs_no_mention(day: Day) -> None:
    slack = day.slack
    question = slack.says("bob", "dm", "how much notice before annual leave, please?")
    answer = await day.answered(question, channel="dm", user="bob")
    assert answer.seen.startswith("Give ten working days' notice [1].")
    assert answer.thread_ts == question.ts
    assert answer.pings == []


@in_every_mode
async def test_a_follow_up_needs_no_second_mention_and_words_for_others_are_left_alone(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "follow")
    question = slack.says("ann", here, "@bartizan how much notice before annual leave?")
    await day.answered(question, channel=here)
    more = slack.says("bob", here, "and for half a day follow-up?", question)
    await day.answered(more, channel=here)
    slack.says("bob", here, "@cyd what do you think of the notice?", question)
    slack.says("cyd", here, "nothing to do with the bot, outside of any thread")
    await slack.settled()
    assert len(slack.answers(here)) == 2
    assert "how much notice" in str(day.heard("half a day follow-up")[0]["messages"])


@in_every_mode
async def test_the_bot_leaves_a_thread_when_it_is_told_to_and_a_mention_brings_it_back(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "leaving")
    question = slack.says("ann", here, "@bartizan how much notice before annual leave?")
    await day.answered(question, channel=here)
    await slack.command("ann", here, "/bartizan leave")
    slack.says("ann", here, "now we talk among ourselves", question)
    await slack.settled()
    assert len(slack.answers(here)) == 1
    back = slack.says("ann", here, "@bartizan are you there for the notice?", question)
    await day.answered(back, channel=here)


@in_every_mode
async def test_an_edit_and_a_preview_start_nothing_and_nothing_is_said_twice(day: Day) -> None:
    """S3, S10."""
    slack, here = day.slack, a_channel(day, "edits")
    question = slack.says("ann", here, "@bartizan how much notice? see https://example.com/leave")
    answer = await day.answered(question, channel=here)
    slack.previews(question)
    slack.edits(question, "@bartizan how much notice do I give? see https://example.com/leave")
    slack.edits(question, "@bartizan how much notice do I give, then?")
    await slack.settled()
    assert slack.answers(here) == [answer]
    assert len(day.heard("see https://example.com/leave")) == 1


@in_every_mode
async def test_an_event_that_comes_again_is_answered_once(day: Day) -> None:
    """S2, S3: the same delivery, four times over and out of order."""
    slack, here = day.slack, a_channel(day, "again")
    question = slack.says("ann", here, "@bartizan how much notice, once?")
    told = [d for d in slack.delivery.log if d.payload.get("event", {}).get("ts") == question.ts]
    assert {d.name for d in told} == {"message", "app_mention"}
    for delivery in (*reversed(told), *told):
        slack.delivery.deliver("events_api", delivery.payload)
    await day.answered(question, channel=here)
    await slack.settled()
    assert len(slack.answers(here)) == 1


@in_every_mode
async def test_taking_a_question_back_ends_its_answer(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "regret")
    question = slack.says("ann", here, "@bartizan tell me slowly about the notice")
    await slack.until(lambda: any("word3" in p.seen for p in slack.answers(here)))
    slack.deletes(question)
    await slack.until(lambda: any("taken back" in p.seen for p in slack.answers(here)))
    await day.model.until_aborted()
    await slack.settled()
    (left,) = slack.answers(here)
    assert (left.stream in (None, Stream.DONE), "word3" in left.seen) == (True, False)


@in_every_mode
async def test_a_slash_command_is_answered_for_the_one_who_asked(day: Day) -> None:
    """S4, S23, S24."""
    slack, here = day.slack, a_channel(day, "command")
    before = len(slack.hidden("cyd"))
    told = await slack.command("cyd", here, "/bartizan ask how much notice before annual leave?")
    assert told.acked is not None
    await slack.until(lambda: any("Give ten" in e.seen for e in slack.hidden("cyd")[before:]))
    await slack.settled()
    assert slack.answers(here) == []
    assert slack.hidden("bob") == []
    assert "Annual leave" in "".join(e.seen for e in slack.hidden("cyd")[before:])


@in_every_mode
async def test_a_private_answer_can_be_shared_with_the_channel(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "sharing")
    before = len(slack.hidden("ann"))
    await slack.command("ann", here, "/bartizan ask how much notice before annual leave?")
    await slack.until(lambda: any("[Share with channel]" in e.seen for e in slack.hidden("ann")[before:]))
    hidden = next(e for e in slack.hidden("ann")[before:] if "[Share with channel]" in e.seen)
    await slack.presses("ann", hidden, "Share with channel")
    await slack.until(lambda: slack.answers(here))
    await slack.presses("ann", hidden, "Share with channel")
    await slack.settled()
    (shared,) = slack.answers(here)
    assert shared.seen.startswith("Give ten working days' notice [1].")


@in_every_mode
async def test_help_is_a_sentence_at_once(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "help")
    told = await slack.command("ann", here, "/bartizan help")
    assert "/bartizan ask" in str(told.answer)


@in_every_mode
async def test_ask_about_this_opens_a_dialog_and_the_answer_is_about_the_message(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "about")
    said = slack.says("bob", here, "I will be away next Friday, is my notice fine?")
    before = len(slack.hidden("ann"))
    await slack.shortcut("ann", "ask_about_message", said)
    await slack.until(lambda: slack.modal("ann"))
    modal = slack.modal("ann")
    assert modal is not None
    assert "away next Friday" in modal.seen
    await slack.submits("ann", modal, {"question": "how much notice does this person need?"})
    await slack.until(lambda: any("Give ten" in e.seen for e in slack.hidden("ann")[before:]))
    assert "away next Friday" in str(day.heard("how much notice does this person need?")[0]["messages"])


@in_every_mode
async def test_the_global_shortcut_asks_from_anywhere(day: Day) -> None:
    slack = day.slack
    await slack.shortcut("cyd", "ask")
    await slack.until(lambda: slack.modal("cyd"))
    modal = slack.modal("cyd")
    assert modal is not None
    count = len(slack.answers("dm", user="cyd"))
    await slack.submits("cyd", modal, {"question": "how much notice before annual leave?"})
    await slack.until(lambda: any("Give ten" in p.seen for p in slack.answers("dm", user="cyd")[count:]))


@in_every_mode
async def test_a_thread_is_summarised_with_links_to_its_messages(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "summary")
    root = slack.says("ann", here, "The deployment failed at nine.")
    reply = slack.says("bob", here, "Rolled back; we try again on Monday.", root)
    before = len(slack.hidden("cyd"))
    await slack.shortcut("cyd", "summarise_thread", reply)
    await slack.until(lambda: any("/archives/" in f"{e.text} {e.blocks}" for e in slack.hidden("cyd")[before:]))
    await slack.settled()
    assert slack.answers(here) == []


@in_every_mode
async def test_feedback_sources_and_another_try_and_only_who_asked_may_ask_again(day: Day) -> None:
    """S33."""
    slack, here = day.slack, a_channel(day, "buttons")
    question = slack.says("ann", here, "@bartizan how much notice before annual leave?")
    answer = await day.answered(question, channel=here)
    bobs, anns = len(slack.hidden("bob")), len(slack.hidden("ann"))
    await slack.presses("bob", answer, "positive")
    await slack.until(lambda: len(slack.hidden("bob")) == bobs + 1)
    await slack.presses("bob", answer, "Try again")
    await slack.until(lambda: len(slack.hidden("bob")) == bobs + 2)
    await slack.presses("ann", answer, "Show sources")
    await slack.until(lambda: any("ten working days" in e.seen for e in slack.hidden("ann")[anns:]))
    assert len(slack.answers(here)) == 1
    await slack.presses("ann", answer, "Try again")
    await slack.until(lambda: len(slack.answers(here)) == 2)
    await slack.settled()
    assert len(slack.answers(here)) == 2


@in_every_mode
async def test_a_reader_who_stops_the_stream_ends_the_generation(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "stop")
    slack.says("ann", here, "@bartizan tell me slowly about the stop")
    await slack.until(lambda: any("word3" in p.seen for p in slack.answers(here)))
    (live,) = slack.answers(here)
    if streamed := live.stream is Stream.LIVE:
        slack.stops(live)
    else:                       # an edited message has a button for it
        await slack.presses("ann", live, "bartizan_stop")
    await slack.until(lambda: "Stopped" in live.seen)
    await day.model.until_aborted()
    await slack.settled()
    (left,) = slack.answers(here)
    assert "word3" in left.seen
    assert left.stream in ((Stream.STOPPED, Stream.DONE) if streamed else (None,))


@in_every_mode
async def test_nobody_is_pinged_whatever_the_model_says(day: Day) -> None:
    """S13."""
    slack, here = day.slack, a_channel(day, "pings")
    question = slack.says("ann", here, "@bartizan ping us all about the notice")
    answer = await day.answered(question, channel=here)
    assert answer.pings == []
    assert "Hello @ channel" in answer.seen     # told so that nothing of it can ping


@in_every_mode
async def test_a_long_answer_goes_on_in_further_messages_and_nothing_is_lost(day: Day) -> None:
    """S15, S16."""
    slack, here = day.slack, a_channel(day, "long")
    question = slack.says("ann", here, "@bartizan a long one: how much notice before annual leave?")
    await slack.until(lambda: any("[Try again]" in p.seen for p in slack.answers(here)), 40)
    await slack.settled(seconds=40)
    answers = slack.answers(here, question)
    whole = "\n".join(p.seen for p in answers)
    assert len(answers) > 1
    assert "The end [1]." in answers[-1].seen
    assert [n for n in range(600) if whole.count(f"Line {n} says") != 1] == []


@in_every_mode
async def test_a_file_is_read_for_its_own_thread_only(day: Day) -> None:
    """S27."""
    slack, here = day.slack, a_channel(day, "files")
    page = b"The canteen opens at eleven and serves pelmeni on Thursdays."
    question = slack.uploads("ann", here, "canteen.txt", page, "@bartizan when does the canteen open?")
    await day.answered(question, channel=here)
    assert "pelmeni" in str(day.heard("when does the canteen open?")[0]["messages"])
    other = slack.says("ann", here, "@bartizan when does the canteen serve pelmeni on which day?")
    await day.answered(other, channel=here)
    assert "opens at eleven" not in str(day.heard("on which day?")[0]["messages"])


@in_every_mode
async def test_the_home_tab_and_the_messages_tab_greet(day: Day) -> None:
    slack = day.slack
    slack.opens("ann", "home")
    await slack.until(lambda: slack.home("ann"))
    home = slack.home("ann")
    assert home is not None
    assert "how much notice" in home.seen
    slack.opens("cyd", "messages")
    await slack.until(lambda: slack.channel("dm", user="cyd").prompts)


@in_every_mode
async def test_the_older_assistant_view_is_served(day: Day) -> None:
    slack = day.slack
    thread = slack.starts_assistant("bob")
    await slack.until(lambda: (slack.channel("dm", user="bob").prompts or {}).get("thread_ts") == thread)
    question = slack.says("bob", "dm", "how much notice in the older view?", thread)
    answer = await day.answered(question, channel="dm", user="bob")
    assert answer.thread_ts == thread


@in_every_mode
async def test_other_bots_and_our_own_words_start_nothing(day: Day) -> None:
    """S9, S11."""
    slack, here = day.slack, a_channel(day, "bots")
    me, other = slack.workspace().bot, slack.joins_team("other", bot=True)
    channel = slack.channel(here)
    for more in ({"bot_id": "BOTHER", "subtype": "bot_message"}, {"user": other.id, "bot_id": "BOTHER"},
                 {"user": me.id, "bot_id": slack.workspace().bot_id}):
        slack.sends({"type": "message", "channel": channel.id, "channel_type": "channel", "ts": slack.stamps.next(),
                     "text": f"<@{me.id}> how much notice?", "event_ts": "1.1", **more})
    await slack.settled()
    assert slack.answers(here) == []


@pytest.mark.parametrize(("name", "how"), [
    ("gus", {"guest": True}), ("eve", {"home": "TELSEWHERE"}),
], ids=["guest", "connect"])
@in_every_mode
async def test_what_is_for_the_organisation_is_not_said_where_a_visitor_reads_along(
    day: Day, name: str, how: dict[str, Any],
) -> None:
    """S29."""
    slack, here = day.slack, f"with-{name}"
    slack.joins_team(name, **how)
    slack.opens_channel(here, "ann", name, connect="home" in how)
    question = slack.says("ann", here, "@bartizan how much notice before annual leave?")
    answer = await day.answered(question, channel=here)
    assert "No page that everyone here may read stands behind this answer." in answer.seen
    assert "ten working days' notice before annual leave." not in str(day.model.requests[-1])


@in_every_mode
async def test_the_visitor_gone_the_page_is_said_again(day: Day) -> None:
    """Membership is refreshed by the event, and not by the minute."""
    slack, here = day.slack, a_channel(day, "visitors")
    slack.joins_team("vic", guest=True)
    slack.joins("vic", here)
    first = slack.says("ann", here, "@bartizan how much notice before annual leave?")
    assert "No page that everyone here may read" in (await day.answered(first, channel=here)).seen
    slack.leaves("vic", here)
    await slack.settled()
    second = slack.says("ann", here, "@bartizan how much notice before annual leave?")
    assert "Annual leave" in (await day.answered(second, channel=here)).seen


@in_every_mode
async def test_a_group_conversation_that_the_bot_is_in_is_served(day: Day) -> None:
    """S30."""
    slack = day.slack
    slack.opens_channel("mpdm-ann--bob-1", "ann", "bob", kind="mpim")
    question = slack.says("ann", "mpdm-ann--bob-1", "@bartizan how much notice before annual leave?")
    answer = await day.answered(question, channel="mpdm-ann--bob-1")
    assert "Annual leave" in answer.seen


@in_every_mode
async def test_questions_of_one_thread_are_answered_in_their_order(day: Day) -> None:
    """S7."""
    slack, here = day.slack, a_channel(day, "order")
    root = slack.says("ann", here, "@bartizan how much notice before annual leave?")
    for n in range(3):
        slack.says("ann", here, f"@bartizan how much notice, question {n}?", root)
        await asyncio.sleep(0.1)        # two sockets: what is said at the same moment may arrive in any order
    await slack.until(lambda: len(slack.answers(here)) == 4)
    await slack.settled()
    asked = [str(request["messages"][-1]) for request in day.heard("question ")]
    assert [n for text in asked for n in range(3) if f"question {n}?" in text] == [0, 1, 2]


@in_every_mode
async def test_events_that_slack_holds_back_are_fetched(day: Day) -> None:
    """S5: said in the minute that Slack dropped; it tells no more than the minute."""
    slack, here = day.slack, a_channel(day, "flood")
    await slack.settled()
    subscribed, slack.subscriptions = slack.subscriptions, frozenset()
    question = slack.says("ann", here, "@bartizan how much notice before annual leave?")
    slack.subscriptions = subscribed
    minute = int(float(question.ts)) // 60 * 60
    told = slack.delivery.deliver("events_api", {
        "token": "deprecated", "type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": minute,
        "api_app_id": slack.app_id})
    await told.over.wait()
    assert told.failures == []
    await day.answered(question, channel=here)


@pytest.mark.parametrize("event", [
    {"type": "something_new", "what": 1}, {"type": "message"}, {"type": "message", "channel": 7, "ts": "1.0"},
    {"type": "message", "channel": "C1", "ts": "yesterday", "user": "UANN", "text": "<@UT1BOT> hi"},
    {"type": "message", "subtype": "message_changed", "channel": "C1"}, {"type": "app_mention", "text": "\x00"}, {},
])
@in_every_mode
async def test_what_cannot_be_read_is_acknowledged_and_the_bot_lives_on(day: Day, event: dict[str, object]) -> None:
    told = day.slack.sends(event)
    await told.over.wait()
    assert told.failures == []
    assert (await day.program.page("/healthz"))[0] == 200


@in_every_mode
async def test_nobody_but_slack_is_heard(day: Day) -> None:
    slack, here = day.slack, a_channel(day, "forged")
    if not slack.delivery.request_url:
        return                  # Socket Mode has no door
    question = {"type": "message", "channel": slack.channel(here).id, "channel_type": "channel", "user": "UANN",
                "ts": slack.stamps.next(), "text": f"<@{slack.workspace().bot.id}> how much notice?"}
    body = json.dumps(slack.envelope(slack.workspace(), question)).encode()
    kind = {"Content-Type": "application/json"}
    for headers in ({}, signed("another secret", body), signed(SIGNING_SECRET, body, int(time.time()) - 600)):
        assert (await slack.delivery.post(body, headers | kind))[0] == 401
    for odd in (b"", b"{", b"[]", b"\xff", b'{"type": 1}', b'{"type": "event_callback"}'):
        assert (await slack.delivery.post(odd, signed(SIGNING_SECRET, odd) | kind))[0] < 500
    await slack.settled()
    assert slack.answers(here) == []


@in_every_mode
async def test_no_call_was_refused_all_day(day: Day) -> None:
    """Neither 429 nor an argument that the documentation does not know (last: it looks at all that came before)."""
    odd = {"stopped_by_user", "message_not_in_streaming_state"}
    assert [refusal for refusal in day.slack.refused() if refusal[1] not in odd] == []
    posts: list[Post] = [p for c in day.slack.workspace().channels.values() for p in c.posts.values() if p.bot_id]
    assert [p for p in posts if p.pings or p.stream in (Stream.LIVE, Stream.BROKEN)] == []
    assert [p for p in posts if not p.text.strip()] == []                                   # S14
    assert {tuple(p.metadata["event_payload"]) for p in posts if p.metadata} == {("id",)}   # S25
