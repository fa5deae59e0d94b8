"""What Slack sends, taken in once and acknowledged when it is on disk: over a socket and over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from adapters.slack import sockets
from adapters.slack.calls import Revoked
from adapters.slack.commands import HELP, LEFT_THREAD, NOT_DONE
from adapters.slack.ids import Workspace
from adapters.slack.listen import Ears
from adapters.slack.manifest import events
from adapters.sql.database import Database
from engine.errors import StoreUnavailable
from engine.messages import Deleted, Edited, Kind
from tests.adapters.slack.hearing import Listener, listening
from tests.fake_slack import Breaks, FakeSlack, Says, Tears, View
from tests.fake_slack.delivery import signed


@pytest.fixture(params=["socket", "http"])
async def bot(request: pytest.FixtureRequest, fake: FakeSlack, database: Database) -> AsyncGenerator[Listener]:
    """Listens either way."""
    async with listening(fake, database, http=request.param == "http") as listener:
        yield listener


async def test_a_mention_is_one_question_although_it_is_two_events(bot: Listener) -> None:
    """S3"""
    bot.fake.says("ann", "general", "@bartizan how much notice?")
    await bot.hears()
    assert bot.asked == ["how much notice?"]
    assert [new for _, new in bot.ledger.events].count(False) == 1
    claim = await bot.claims()
    assert claim.message.author == "slack:T1/UANN"
    assert claim.message.author_name == "ann"
    assert json.loads(claim.raw)["event"]["channel"] == "CGENERAL"


async def test_an_event_is_acknowledged_once_it_is_on_disk_and_comes_again_until_then(bot: Listener) -> None:
    """S1, S2"""
    bot.ledger.away, bot.fake.delivery.within = 2, 0.5
    bot.fake.says("ann", "dm", "how much notice?")
    await bot.hears()
    (delivery,) = bot.fake.delivery.log
    assert (len(delivery.sent), len(delivery.failures), delivery.acked is not None) == (3, 2, True)
    assert bot.asked == ["how much notice?"]


async def test_a_redelivery_is_known(bot: Listener) -> None:
    """S2, S3"""
    event = {"type": "message", "channel": "DANN", "channel_type": "im", "user": "UANN", "text": "again?",
             "ts": "1718000000.000100", "event_ts": "1718000000.000100"}
    for _ in range(4):
        bot.fake.sends(event, event_id="Ev1")
    await bot.hears()
    assert bot.asked == ["again?"]
    assert bot.tally.counted["message", "known"] == 3


async def test_a_direct_message_is_for_us_and_has_one_conversation(bot: Listener) -> None:
    first = bot.fake.says("ann", "dm", "how much notice?")
    await bot.hears()
    bot.fake.says("ann", "dm", "and for two weeks?", first)     # under our answer
    bot.fake.says("ann", "dm", "who decides?")
    await bot.hears()
    assert bot.asked == ["how much notice?", "and for two weeks?", "who decides?"]
    assert {said.message.conversation for said in bot.said} == {"slack:T1/DANN"}
    assert [said.message.place.thread for said in bot.said] == [None, first.ts, None]
    assert all(said.message.place.direct for said in bot.said)


async def test_each_thread_of_the_older_assistant_view_is_a_conversation_of_its_own(bot: Listener) -> None:
    thread = bot.fake.starts_assistant("ann")
    await bot.hears()
    bot.fake.says("ann", "dm", "how much notice?", thread)
    await bot.hears()
    assert bot.noted.seen == [("T1", "assistant", "UANN", "DANN", thread)]
    assert [said.message.conversation for said in bot.said] == [f"slack:T1/DANN/{thread}"]


async def test_a_thread_goes_on_without_another_mention(bot: Listener) -> None:
    root = bot.fake.says("ann", "general", "@bartizan how much notice?")
    await bot.hears()
    bot.fake.says("ann", "general", "and for two weeks?", root)
    bot.fake.says("bob", "general", "by the way: lunch?")
    await bot.hears()
    assert sorted(bot.asked) == ["and for two weeks?", "how much notice?"]
    assert len(bot.said) == 3           # what is not for us is stored all the same


async def test_nobody_is_interrupted_who_speaks_to_somebody_else(bot: Listener) -> None:
    root = bot.fake.says("ann", "general", "@bartizan how much notice?")
    await bot.hears()
    bot.fake.says("ann", "general", "@bob do you agree?", root)
    bot.fake.says("ann", "general", "@here who knows?", root)
    bot.fake.says("ann", "general", "@bob and @bartizan what do you think?", root)
    await bot.hears()
    assert sorted(bot.asked) == ["@bob and @bartizan what do you think?", "how much notice?"]


async def test_we_leave_a_thread_when_we_are_sent_away_and_come_back_when_called(bot: Listener) -> None:
    """S31: a command cannot be given in a thread."""
    root = bot.fake.says("ann", "general", "@bartizan how much notice?")
    await bot.hears()
    bot.fake.says("bob", "general", "@bartizan leave", root)
    await bot.hears()
    bot.fake.says("ann", "general", "and now?", root)
    await bot.hears()
    assert bot.asked == ["how much notice?"]
    await bot.fake.until(lambda: [each.seen for each in bot.fake.hidden("bob")])
    bot.fake.says("ann", "general", "@bartizan are you there?", root)
    await bot.hears()
    bot.fake.says("ann", "general", "good", root)
    await bot.hears()
    assert bot.asked == ["how much notice?", "are you there?", "good"]


@pytest.mark.parametrize(("channel", "words"), [("general", "@bartizan help"), ("dm", "Help!"), ("dm", "/help")])
async def test_whoever_asks_for_help_reads_what_there_is_to_ask_for(bot: Listener, channel: str, words: str) -> None:
    """Once, though a mention is two events (S3), and without a turn: no page would answer it."""
    bot.fake.says("ann", channel, words)
    await bot.fake.until(lambda: bot.fake.hidden("ann"))
    await bot.hears()
    await bot.fake.settled()
    (told,) = bot.fake.hidden("ann")
    assert (told.seen, told.thread_ts) == (HELP, None)
    assert bot.asked == []


async def test_who_sends_us_away_from_a_thread_by_a_mention_is_told_so_once(bot: Listener) -> None:
    root = bot.fake.says("ann", "general", "@bartizan how much notice?")
    await bot.hears()
    bot.fake.says("bob", "general", "@bartizan leave", root)
    await bot.hears()
    await bot.fake.settled()
    (told,) = bot.fake.hidden("bob")
    assert (told.seen, told.thread_ts) == (LEFT_THREAD, root.ts)


async def test_leave_by_command_empties_a_whole_channel(bot: Listener) -> None:
    root = bot.fake.says("ann", "general", "@bartizan how much notice?")
    await bot.hears()
    await bot.fake.command("bob", "general", "/bartizan leave")
    bot.fake.says("ann", "general", "and now?", root)
    await bot.hears()
    assert bot.asked == ["how much notice?"]
    assert "I have left the threads of this channel" in bot.fake.hidden("bob")[0].seen


async def test_an_edit_is_stored_and_starts_nothing_and_a_preview_is_no_edit(bot: Listener) -> None:
    """S10"""
    asked = bot.fake.says("ann", "general", "@bartizan see https://example.com/ please")
    await bot.hears()
    bot.fake.previews(asked)
    bot.fake.edits(asked, "@bartizan see https://example.com/ now")
    await bot.hears()
    assert bot.asked == ["see https://example.com/ please"]
    (edit,) = bot.changes
    assert isinstance(edit, Edited)
    assert (edit.message, edit.text) == (bot.said[0].message.id, "see https://example.com/ now")


async def test_a_deleted_question_is_taken_back_even_if_answers_stand_under_it(bot: Listener) -> None:
    """S10"""
    plain, answered = (bot.fake.says("ann", "general", f"@bartizan {word}?") for word in ("one", "two"))
    bot.fake.says("bob", "general", "well", answered)
    await bot.hears()
    bot.fake.deletes(plain)
    bot.fake.deletes(answered)
    await bot.hears()
    assert [type(change) for change in bot.changes] == [Deleted, Deleted]
    assert {change.message.rpartition("/")[2] for change in bot.changes} == {plain.ts, answered.ts}


async def test_what_we_say_ourselves_is_no_question_but_its_deletion_is_noticed(bot: Listener) -> None:
    """S9"""
    calls, fake = bot.slack.calls, bot.fake
    asked = fake.says("ann", "general", "@bartizan how much notice?")
    await calls.call("chat.postMessage", "T1", {"channel": "CGENERAL", "text": "ten days", "thread_ts": asked.ts})
    await bot.hears()
    assert bot.asked == ["how much notice?"]
    assert len(bot.said) == 1
    (answer,) = fake.answers("general")
    fake.deletes(answer)
    await bot.hears()
    await fake.until(lambda: bot.noted.seen)
    assert bot.noted.seen == [("T1", "removed", "CGENERAL", answer.ts)]


async def test_other_bots_are_not_answered(bot: Listener) -> None:
    """S11"""
    bot.fake.sends({"type": "message", "subtype": "bot_message", "channel": "CGENERAL", "channel_type": "channel",
                    "bot_id": "BOTHER", "text": "<@UT1BOT> ping", "ts": "1718000000.000100"})
    bot.fake.sends({"type": "message", "channel": "CGENERAL", "channel_type": "channel", "bot_id": "BOTHER",
                    "user": "UOTHER", "text": "<@UT1BOT> ping", "ts": "1718000000.000200"})
    await bot.hears()
    assert bot.ledger.events == []


async def test_a_file_comes_with_its_message_and_is_fetched_from_slack_alone(bot: Listener) -> None:
    """S27"""
    bot.fake.uploads("ann", "dm", "notes.txt", b"Ten days.", "what does it say?")
    await bot.hears()
    claim = await bot.claims()
    (file,) = claim.message.files
    assert (file.name, file.kind, file.size) == ("notes.txt", "text/plain", 9)
    assert await bot.slack.fetch(file, 100) == b"Ten days."


async def test_a_slash_command_asks_in_private(bot: Listener) -> None:
    """S4, S23"""
    delivery = await bot.fake.command("ann", "general", "/bartizan ask how much notice?")
    assert delivery.acked is not None
    claim = await bot.claims()
    assert claim.message.text == "how much notice?"
    assert (claim.message.place.private, claim.message.place.channel) == (True, "CGENERAL")
    assert claim.message.conversation == "slack:T1/CGENERAL/UANN"
    assert json.loads(claim.raw)["response_url"].startswith("http")
    await bot.fake.command("ann", "general", "/bartizan how much for two weeks?")
    assert bot.asked == ["how much notice?", "how much for two weeks?"]


async def test_a_command_says_at_once_what_went_wrong(bot: Listener) -> None:
    bot.ledger.away = 1
    await bot.fake.command("ann", "general", "/bartizan ask how much notice?")
    await bot.fake.command("ann", "general", "/bartizan ask")
    await bot.fake.command("ann", "general", "/bartizan help")
    stored, question, help_ = [each.seen for each in bot.fake.hidden("ann")]
    assert "could not store your question" in stored
    assert "What would you like to know?" in question
    assert "/bartizan summarise" in help_
    assert bot.asked == []


async def test_a_summary_is_asked_for_by_command_by_link_and_by_shortcut(bot: Listener) -> None:
    root = bot.fake.says("ann", "general", "who takes the pager?")
    reply = bot.fake.says("bob", "general", "me", root)
    await bot.hears()
    link = "https://acme.slack.com/archives/CGENERAL/p" + reply.ts.replace(".", "") + f"?thread_ts={root.ts}"
    await bot.fake.command("ann", "general", "/bartizan summarise")
    await bot.fake.command("ann", "general", f"/bartizan summarise {link}")
    await bot.fake.shortcut("ann", "summarise_thread", reply)
    asked = [said for said in bot.said if said.addressed]
    assert [said.kind for said in asked] == [Kind.SUMMARY] * 3
    assert [said.message.place.thread for said in asked] == [None, root.ts, root.ts]
    assert (await bot.claims()).kind is Kind.SUMMARY


async def test_what_slack_never_sends_again_does_not_come_to_nothing_in_silence(
    bot: Listener, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """S4"""
    root = bot.fake.says("ann", "general", "who takes the pager?")
    await bot.hears()
    bot.ledger.away = 1
    await bot.fake.shortcut("ann", "summarise_thread", root)
    await bot.fake.until(lambda: [each.seen for each in bot.fake.hidden("ann")] == [NOT_DONE])
    assert bot.asked == []

    async def away(_: object, __: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(Ears, "_me_of", away)
    await bot.fake.shortcut("bob", "summarise_thread", root)
    await bot.fake.until(lambda: [each.seen for each in bot.fake.hidden("bob")] == [NOT_DONE])
    view = View("V1", "UCYD", {"type": "modal", "callback_id": "bartizan_ask", "blocks": []}, "h1")
    await bot.fake.submits("cyd", view)
    await bot.fake.until(lambda: [each.seen for each in bot.fake.hidden("cyd")] == [NOT_DONE])
    assert bot.tally.counted["shortcut", "failed"] == 2


async def test_what_is_pressed_opened_and_felt_is_handed_on(bot: Listener) -> None:
    asked = bot.fake.says("ann", "general", "@bartizan how much notice?")
    await bot.slack.calls.call("chat.postMessage", "T1", {
        "channel": "CGENERAL", "text": "ten days", "thread_ts": asked.ts, "blocks": [{"type": "actions", "elements": [
            {"type": "button", "action_id": "stop", "value": "x", "text": {"type": "plain_text", "text": "Stop"}}]}],
    })
    (answer,) = bot.fake.answers("general")
    await bot.fake.presses("ann", answer, "Stop")
    await bot.fake.shortcut("ann", "ask_about_message", asked)
    await bot.fake.shortcut("ann", "ask")
    await bot.fake.command("ann", "general", "/bartizan privacy")
    bot.fake.opens("ann")
    bot.fake.opens("ann", "messages")
    bot.fake.reacts("ann", answer, "thumbsup")
    bot.fake.reacts("ann", asked, "thumbsup")
    await bot.hears()
    await bot.fake.until(lambda: len(bot.noted.seen) == 7)
    assert sorted(bot.noted.seen) == [
        ("T1", "home", "UANN", "home", "DANN"), ("T1", "home", "UANN", "messages", "DANN"),
        ("T1", "opened", "ask"), ("T1", "opened", "ask_about_message"), ("T1", "pressed", "stop"),
        ("T1", "privacy", "UANN"), ("T1", "reacted", "UANN", "CGENERAL", answer.ts, "thumbsup", "on"),
    ]


async def test_whatever_cannot_be_read_is_kept_counted_and_not_sent_again(bot: Listener) -> None:
    odd = [
        {"type": "message", "channel": 7, "ts": "1.2"},
        {"type": "message", "channel": "CGENERAL", "user": "UANN", "text": "x", "ts": "soon"},
        {"type": "message", "channel": "CGENERAL", "user": "UANN", "text": "x", "ts": "1.2", "subtype": "hologram"},
        {"type": "message", "channel": "CGENERAL", "text": "who?", "ts": "1.2"},
        {"type": "pigeon_landed"},
        {"type": ["message"]},
        {},
    ]
    for event in odd:
        bot.fake.sends(event)
    bot.fake.sends({"type": "message"}, team_id="TSOMEWHERE", authorizations=[])
    bot.fake.sends({"type": "message"}, authorizations="none")
    bot.fake.delivery.deliver("events_api", {"type": "event_callback", "team_id": "T1", "event": "a string"})
    bot.fake.sends({"type": "message"}, type="weather")
    await bot.hears()
    assert [len(each.sent) for each in bot.fake.delivery.log] == [1] * 11
    assert all(each.acked for each in bot.fake.delivery.log)
    assert len(bot.ledger.rejected) == 11
    assert sum(number for (_, came), number in bot.tally.counted.items() if came == "rejected") == 11
    assert bot.ledger.events == []


async def test_messages_of_one_channel_are_stored_in_the_order_they_came(bot: Listener) -> None:
    """S7: the library runs a task for each."""
    for number in range(30):
        bot.fake.says(("ann", "bob", "cyd")[number % 3], "general", f"number {number}")
    await bot.hears()
    assert len(bot.said) == 30
    if not bot.fake.delivery.request_url:
        assert [said.message.text for said in bot.said] == [f"number {number}" for number in range(30)]


async def test_two_sockets_hear_while_one_is_renewed(fake: FakeSlack, database: Database) -> None:
    """S6"""
    async with listening(fake, database, sockets=2, apart=timedelta(seconds=0.1)) as bot:
        await fake.delivery.connected(2)
        for reason in ("warning", "refresh_requested", "link_disabled"):
            for number in range(4):
                fake.says("ann", "dm", f"{reason} {number}?")
            await fake.delivery.disconnect(reason)
        await bot.hears()
        await fake.delivery.connected(2)
        assert len(bot.asked) == 12
        assert bot.slack.problem is None


async def test_only_what_slack_has_signed_comes_through_the_door(fake: FakeSlack, database: Database) -> None:
    async with listening(fake, database, http=True, event_bytes=5_000) as bot:
        body = json.dumps({"type": "event_callback", "event": {"type": "message"}}).encode()
        kind = {"Content-Type": "application/json"}
        for headers in (
            {}, {"X-Slack-Signature": "v0=1", "X-Slack-Request-Timestamp": "soon"},
            signed("another secret", body), signed("shh-signing", body, at=1_700_000_000), signed("shh-signing", b"{}"),
        ):
            status, _, _ = await fake.delivery.post(body, {**headers, **kind})
            assert status == 401
        large = b"{" + b" " * 5_000
        assert (await fake.delivery.post(large, {**signed("shh-signing", large), **kind}))[0] == 413
        broken = b"{not json"
        assert (await fake.delivery.post(broken, {**signed("shh-signing", broken), **kind}))[0] == 200
        hello = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode()
        status, _, said = await fake.delivery.post(hello, {**signed("shh-signing", hello), **kind})
        assert (status, "abc" in said) == (200, True)
        assert len(bot.ledger.rejected) == 1


async def test_before_it_listens_slack_is_asked_to_come_again(fake: FakeSlack, database: Database) -> None:
    fake.fails("auth.test", *[Breaks()] * 40)
    async with listening(fake, database, http=True, ready=False) as bot:
        assert bot.slack.problem == "Slack has not told yet who we are"
        fake.says("ann", "dm", "hello?")
        await asyncio.sleep(0.3)
        assert fake.delivery.log[0].failures[0] == "http_error"


async def test_two_replicas_answer_a_question_once(fake: FakeSlack, database: Database) -> None:
    """S6: each event goes to one connection of any of them."""
    async with listening(fake, database) as one, listening(fake, database) as two:
        for number in range(6):
            fake.says("ann", "general", f"@bartizan {number}?")
        await one.hears()
        assert sorted(one.asked + two.asked) == [f"{number}?" for number in range(6)]


async def test_every_event_that_the_app_subscribes_to_is_understood(bot: Listener) -> None:
    known = {
        "channel": "CGENERAL", "user": "UANN", "text": "hello", "ts": "1718000000.000100", "item_user": "UANN",
        "item": {"type": "message", "channel": "CGENERAL", "ts": "1718000000.000100"}, "reaction": "heart",
        "tab": "home", "old_channel_id": "C1", "new_channel_id": "C2", "tokens": {"oauth": ["UANN"]},
        "assistant_thread": {"user_id": "UANN", "channel_id": "DANN", "thread_ts": "1718000000.000100", "context": {}},
    }
    described = {"channel_rename": {"channel": {"id": "CGENERAL", "name": "new"}}}
    described |= {"group_rename": described["channel_rename"]}
    described |= {name: {"user": {"id": "UANN", "team_id": "T1"}} for name in ("user_change", "team_join")}
    for event in events(legacy=True):
        name = event.name.partition(".")[0]
        if name != "app_uninstalled":
            bot.fake.sends({**known, **described.get(name, {}), "type": name})
    await bot.hears()
    assert bot.ledger.rejected == []
    assert bot.slack.people.within(Workspace("T1")).channel("CGENERAL") == "new"


async def test_an_app_token_that_is_none_ends_the_start_and_a_bad_moment_does_not(
    fake: FakeSlack, database: Database, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sockets, "PING", 0.2)       # the pause after each, too
    fake.fails("apps.connections.open", Breaks(), Tears(after=False), Says("internal_error"))
    async with listening(fake, database) as bot:
        assert bot.slack.problem is None
    fake.fails("apps.connections.open", Says("invalid_auth"))
    with pytest.raises(ExceptionGroup) as caught:
        async with listening(fake, database):
            pass
    assert caught.group_contains(Revoked)


async def test_interactions_that_lack_what_they_are_about_are_kept(bot: Listener) -> None:
    """Nothing that Slack, or somebody in its place, sends makes us answer that we are broken."""
    around = {"team": {"id": "T1"}, "user": {"id": "UANN"}, "trigger_id": "1"}
    odd: list[dict[str, object]] = [
        {"type": "block_actions", **around}, {"type": "block_actions", "actions": [{}], **around},
        {"type": "view_submission", "view": {}, **around}, {"type": "shortcut", **around},
        {"type": "shortcut", "callback_id": "unknown", **around},
        {"type": "message_action", "callback_id": 3, **around},
        {"type": "message_action", "callback_id": "summarise_thread", **around},
        {"type": "dialog_submission", **around},
        {"type": "block_actions", "actions": [{"action_id": "a"}], "team": {"id": "T9"}, "user": {"id": "UANN"}},
    ]
    for body in odd:
        delivery = bot.fake.delivery.deliver("interactive", body)
        await delivery.over.wait()
        assert delivery.acked is not None, body
    for form in ({"command": "/bartizan"}, {"command": "/bartizan", "team_id": "T1", "text": "ask me"}):
        await bot.fake.delivery.deliver("slash_commands", form).over.wait()
    assert len(bot.ledger.rejected) == len(odd) + 2
    assert bot.said == []
