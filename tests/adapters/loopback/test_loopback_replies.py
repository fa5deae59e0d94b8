"""Replies: one post for one turn, whatever the chat server does; every word in it, and nothing that was taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.loopback.platform import Loopback
from adapters.loopback.reply import LoopbackReply
from engine.errors import Fenced, PlatformUnavailable
from engine.messages import Answer, Visibility
from tests.adapters.loopback.talk import TRACE, a_claim, a_platform, again, cleared, held, shown
from tests.builders import NOON, a_passage, an_answer
from tests.chat_server import Babbles, ChatServer, Dawdles, Fails, Fault, Post, Tears, What

LONG = timedelta(seconds=30)


def the_post(chat: ChatServer) -> Post:
    """The only one."""
    (post,) = chat.posts.values()
    return post


async def a_reply(platform: Loopback, *, attempt: int = 1) -> LoopbackReply:
    return await platform.reply_to(a_claim(attempt=attempt), held)


async def begun(platform: Loopback) -> LoopbackReply:
    """A reply that says that it is at work."""
    reply = await a_reply(platform)
    await reply.status(await cleared("Looking that up …"))
    return reply


async def test_a_reply_is_one_post_that_grows_and_ends_with_its_sources() -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        assert reply.posted == "post 1"
        await reply.append(await cleared("Ten "))
        await chat.until(lambda: the_post(chat).text == "Ten ")
        await reply.append(await cleared("days [1]."))
        await chat.until(lambda: the_post(chat).text == "Ten days [1].")
        await reply.finish(await shown(an_answer("Ten days [1].", a_passage("Give ten days' notice.")), "Cut off."))
        post = the_post(chat)
    assert post.history == ["Looking that up …", "Ten ", "Ten days [1].", "Ten days [1]."]
    assert (post.conversation, post.reply_to, post.trace) == ("general", "m1", TRACE)
    assert (post.final, post.finals, post.note) == (True, 1, "Cut off.")
    assert post.sources == [{
        "marker": 1, "title": "Annual leave", "url": "https://wiki.acme.example/leave#notice",
        "quote": "Give ten days' notice.", "date": NOON.isoformat().replace("+00:00", "Z"),
    }]


async def test_many_words_at_once_are_few_edits() -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        for _ in range(200):
            await reply.append(await cleared("word "))
        await reply.finish(await shown(Answer("word " * 200)))
        assert the_post(chat).text == "word " * 200
        assert the_post(chat).edits <= 2


async def test_a_second_edit_waits_for_its_pace() -> None:
    async with a_platform(pace=LONG) as (chat, platform):
        reply = await a_reply(platform)
        for word in ("one ", "two ", "three"):
            await reply.append(await cleared(word))
            await asyncio.sleep(0.03)
        assert the_post(chat).history == ["one "]
        await reply.finish(await shown(Answer("one two three")))
        assert the_post(chat).history == ["one ", "one two three"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
                          st.sampled_from([0.0, 0.001, 0.02])), min_size=1, max_size=8), st.booleans())
def test_what_streams_is_always_the_beginning_of_the_whole(pieces: list[tuple[str, float]], status: bool) -> None:
    whole = "".join(text for text, _ in pieces)

    async def story() -> list[str]:
        async with a_platform(pace=timedelta(milliseconds=1)) as (chat, platform):
            reply = await begun(platform) if status else await a_reply(platform)
            for text, pause in pieces:
                await reply.append(await cleared(text))
                await asyncio.sleep(pause)
            await reply.finish(await shown(Answer(whole)))
            return the_post(chat).history[1 if status else 0 :]

    history = asyncio.run(story())
    assert history[-1] == whole
    assert all(whole.startswith(text) for text in history)
    assert [len(text) for text in history] == sorted(len(text) for text in history)


@pytest.mark.parametrize("fault", [Tears(after=True), Fails(500, after=True), Fails(503, after=True),
                                   Babbles(b"<html>"), Dawdles(0.5)])
async def test_a_post_whose_confirmation_is_lost_is_found_and_not_repeated(fault: Fault) -> None:
    async with a_platform() as (chat, platform):
        chat.faults[What.POST].append(fault)
        reply = await begun(platform)
        await reply.finish(await shown(Answer("Ten days.")))
        assert (the_post(chat).text, the_post(chat).final) == ("Ten days.", True)
        assert chat.calls.count(What.POST) == 1


@pytest.mark.parametrize("fault", [Tears(after=False), Fails(500)])
async def test_a_post_that_did_not_turn_up_is_left_to_the_next_attempt(fault: Fault) -> None:
    async with a_platform() as (chat, platform):
        chat.faults[What.POST].append(fault)
        with pytest.raises(PlatformUnavailable):
            await begun(platform)
        assert chat.calls.count(What.POST) == 1
        reply = await platform.reply_to(again(a_claim()), held)
        await reply.finish(await shown(Answer("Ten days.")))
        assert the_post(chat).text == "Ten days."


async def test_a_post_that_was_refused_may_be_tried_again() -> None:
    async with a_platform() as (chat, platform):
        chat.faults[What.POST].append(Fails(403))
        reply = await a_reply(platform)
        with pytest.raises(PlatformUnavailable, match="403"):
            await reply.status(await cleared("Looking that up …"))
        await reply.replace(await cleared("I may not speak here."))
        assert the_post(chat).text == "I may not speak here."
        assert What.FIND not in chat.calls


async def test_a_post_cut_short_by_the_person_is_looked_for() -> None:
    async with a_platform() as (chat, platform):
        chat.faults[What.POST].append(Dawdles(0.2))
        reply = await a_reply(platform)
        posting = asyncio.create_task(reply.status(await cleared("Looking that up …")))
        await chat_is_asked(chat, What.POST)
        posting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await posting
        await reply.stopped(await cleared("Stopped."))
        await asyncio.sleep(0.3)        # whatever was on its way has arrived
        assert the_post(chat).text == "Stopped."


async def chat_is_asked(chat: ChatServer, what: What) -> None:
    async with asyncio.timeout(5):
        while what not in chat.calls:
            await asyncio.sleep(0.005)


async def test_a_first_attempt_looks_for_nothing() -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        await reply.finish(await shown(Answer("Ten days.")))
        assert chat.calls == [What.POST, What.EDIT]


async def test_a_resumed_turn_replaces_what_is_half_there() -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        await reply.append(await cleared("Half an ans"))
        await chat.until(lambda: the_post(chat).text == "Half an ans")
        await dies(reply)
        second = await platform.reply_to(again(a_claim()), held)
        assert second.posted == "post 1"
        await second.status(await cleared("Looking that up …"))
        await second.append(await cleared("Ten days."))
        await second.finish(await shown(Answer("Ten days.")))
        assert the_post(chat).history == [
            "Looking that up …", "Half an ans", "Looking that up …", "Ten days."]


async def dies(reply: LoopbackReply) -> None:
    """Its process is gone; in this one the writer would live on."""
    writer = reply._writer
    assert writer is not None
    writer.cancel()
    await asyncio.wait([writer])


async def test_a_checkpointed_post_needs_no_looking() -> None:
    async with a_platform() as (chat, platform):
        await begun(platform)
        reply = await platform.reply_to(a_claim(attempt=2, posted="post 1"), held)
        await reply.finish(await shown(Answer("Ten days.")))
        assert the_post(chat).text == "Ten days."
        assert What.FIND not in chat.calls


async def test_a_resumed_turn_without_a_post_makes_one() -> None:
    async with a_platform() as (chat, platform):
        reply = await a_reply(platform, attempt=2)
        assert reply.posted is None
        await reply.finish(await shown(Answer("Ten days.")))
        assert the_post(chat).text == "Ten days."


async def test_a_resumed_turn_waits_when_it_cannot_look() -> None:
    async with a_platform() as (chat, platform):
        await begun(platform)
        chat.faults[What.FIND].extend([Fails(500)] * 20)
        with pytest.raises(PlatformUnavailable):
            await a_reply(platform, attempt=2)
        assert len(chat.posts) == 1


async def test_a_rate_limit_is_waited_out() -> None:
    async with a_platform(patience=LONG) as (chat, platform):
        chat.faults[What.POST].append(Fails(429, retry_after="1"))
        clock = asyncio.get_running_loop().time
        began = clock()
        reply = await begun(platform)
        assert clock() - began >= 1.0
        chat.faults[What.EDIT].append(Fails(429, retry_after="0"))
        await reply.finish(await shown(Answer("Ten days.")))
        assert (the_post(chat).text, chat.calls) == ("Ten days.", [What.POST, What.POST, What.EDIT, What.EDIT])


async def test_a_rate_limit_beyond_all_patience_sets_the_turn_aside() -> None:
    async with a_platform() as (chat, platform):
        chat.faults[What.POST].append(Fails(429, retry_after="3600"))
        with pytest.raises(PlatformUnavailable, match="3600 s"):
            await begun(platform)
        assert chat.posts == {}


@pytest.mark.parametrize("fault", [Tears(after=True), Tears(after=False), Fails(500), Fails(502, after=True)])
async def test_a_last_word_is_repeated_until_it_stands(fault: Fault) -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        chat.faults[What.EDIT].append(fault)
        await reply.finish(await shown(Answer("Ten days.")))
        assert (the_post(chat).text, the_post(chat).final) == ("Ten days.", True)


async def test_an_edit_that_fails_is_made_up_for_by_the_next() -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        chat.faults[What.EDIT].extend([Fails(500), Tears(after=False)])
        await reply.append(await cleared("Ten "))
        await chat.until(lambda: the_post(chat).text == "Ten ")
        await reply.finish(await shown(Answer("Ten days.")))
        assert the_post(chat).history == ["Looking that up …", "Ten ", "Ten days."]


async def test_a_server_that_is_away_sets_the_turn_aside() -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        chat.faults[What.EDIT].extend([Fails(503)] * 50)
        with pytest.raises(PlatformUnavailable, match="503"):
            await reply.finish(await shown(Answer("Ten days.")))
        chat.faults[What.EDIT].clear()
        await reply.replace(await cleared("The model is away."))        # the dispatcher's last word still gets through
        assert the_post(chat).text == "The model is away."


async def test_words_that_are_taken_back_do_not_come_back() -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        chat.faults[What.EDIT].append(Dawdles(0.1))
        await reply.append(await cleared("As a language "))
        await chat_is_asked(chat, What.EDIT)
        await reply.append(await cleared("model I cannot"))
        await reply.status(await cleared("One moment, I am asking again …"))
        await asyncio.sleep(0.05)
        assert the_post(chat).text == "One moment, I am asking again …"
        await reply.append(await cleared("Ten days."))
        await reply.finish(await shown(Answer("Ten days.")))
        assert "model I cannot" not in " ".join(the_post(chat).history)
        assert the_post(chat).text == "Ten days."


@pytest.mark.parametrize("last", ["finish", "replace", "stopped"])
async def test_an_edit_under_way_does_not_overtake_the_last_word(last: str) -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        chat.faults[What.EDIT].append(Dawdles(0.1))
        await reply.append(await cleared("Ten"))
        await chat_is_asked(chat, What.EDIT)
        ends: dict[str, Coroutine[Any, Any, None]] = {
            "finish": reply.finish(await shown(Answer("The whole."))), "replace": reply.replace(await cleared("No.")),
            "stopped": reply.stopped(await cleared("Stopped.")),
        }
        await ends.pop(last)
        for unused in ends.values():
            unused.close()
        await asyncio.sleep(0.15)
        assert the_post(chat).text == {"finish": "The whole.", "replace": "No.", "stopped": "Ten\n\nStopped."}[last]
        assert the_post(chat).final


async def test_a_reply_stopped_before_its_first_word_says_only_that() -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        await reply.stopped(await cleared("Stopped."))
        assert the_post(chat).text == "Stopped."


async def test_a_turn_that_ends_without_a_last_word_edits_nothing_more() -> None:
    async with a_platform(pace=timedelta(milliseconds=50)) as (chat, platform):
        async def turn() -> None:
            reply = await begun(platform)
            await reply.append(await cleared("never to be seen"))
            raise TimeoutError

        with pytest.raises(TimeoutError):
            await asyncio.create_task(turn())
        await asyncio.sleep(0.15)
        assert the_post(chat).history == ["Looking that up …"]


async def test_a_post_that_somebody_removed_is_said_once_more() -> None:
    async with a_platform() as (chat, platform):
        reply = await begun(platform)
        chat.posts.clear()
        await reply.finish(await shown(Answer("Ten days.")))
        assert (the_post(chat).text, the_post(chat).final) == ("Ten days.", True)


async def test_both_sides_show_the_token() -> None:
    async with a_platform(token="swordfish") as (chat, platform):
        reply = await begun(platform)
        await reply.finish(await shown(Answer("Ten days.")))
        assert the_post(chat).text == "Ten days."
        assert "swordfish" not in repr(platform.config)


async def test_a_direct_conversation_has_one_reader() -> None:
    async with a_platform() as (_, platform):
        assert (await platform.reply_to(a_claim(), held)).visibility is Visibility.SHARED
        assert (await platform.reply_to(a_claim(direct=True), held)).visibility is Visibility.PRIVATE


async def test_who_lost_the_turn_writes_nothing_more_not_even_words_already_appended() -> None:
    ours = True

    def hold() -> None:
        if not ours:
            raise Fenced("it is somebody else's")

    async with a_platform(pace=timedelta(seconds=0.05)) as (chat, platform):
        reply = await platform.reply_to(a_claim(), hold)
        await reply.status(await cleared("Looking that up …"))
        await reply.append(await cleared("Ten days"))
        ours = False
        await asyncio.sleep(0.2)                # the background writer comes round, and finds that it may not
        with pytest.raises(Fenced):
            await reply.finish(await shown(an_answer("Ten days [1].", a_passage())))
        with pytest.raises(Fenced):
            await (await platform.reply_to(again(a_claim()), hold)).replace(await cleared("Sorry."))
    assert the_post(chat).history == ["Looking that up …"]
