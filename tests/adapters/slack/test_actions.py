"""Buttons, dialogs, the Home tab and reactions: who may press what, and what comes of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.slack.actions import NO_SOURCES, NOT_YOURS, NOTED, OVER, THANKS, TOO_OLD
from adapters.slack.commands import TROUBLE
from adapters.slack.share import ALREADY, SHARED
from adapters.sql.decisions import Decisions
from adapters.sql.inbox import SqlInbox
from adapters.sql.sealed import Keyring
from engine.afterwards import NOT_FOR_ALL
from engine.errors import StoreUnavailable
from tests.adapters.slack.company import Company, a_company
from tests.builders import a_passage
from tests.fake_slack import Ephemeral, FakeSlack, Post, Stream, Tears, fake_slack
from tests.fakes import ScriptedModel

LEAVE = a_passage("Give ten working days' notice.", title="Annual leave")
TEN = ScriptedModel([["Ten working ", "days [1]."]])


async def answered(slack: FakeSlack, question: str = "@bartizan how much notice?", user: str = "ann") -> Post:
    """The finished answer to a question in #general."""
    asked = slack.says(user, "general", question)
    await slack.until(lambda: any("Try again" in post.seen for post in slack.answers("general", asked)))
    [answer] = slack.answers("general", asked)
    return answer


async def in_private(slack: FakeSlack) -> Ephemeral:
    """The answer to a command of ann's in #general."""
    await slack.command("ann", "general", "/bartizan ask how much notice?")
    await slack.until(lambda: any("Share with channel" in each.seen for each in slack.hidden("ann")))
    return next(each for each in slack.hidden("ann") if "Share with channel" in each.seen)


async def whispered(slack: FakeSlack, user: str, words: str) -> None:
    await slack.until(lambda: any(words in each.seen for each in slack.hidden(user)))


async def count(company: Company, what: str) -> int:
    return await company.database.read(lambda c: int(c.execute(text(f"SELECT count(*) FROM {what}")).scalar_one()))


async def test_feedback_is_noted_and_the_later_word_counts(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]) as company:
        answer = await answered(slack)
        await slack.presses("bob", answer, "Good answer")
        await whispered(slack, "bob", THANKS)
        await slack.presses("bob", answer, "Bad answer")
        await slack.until(lambda: sum(THANKS in each.seen for each in slack.hidden("bob")) == 2)
        slack.reacts("ann", answer, "+1")
        await slack.settled()
        assert await count(company, "feedback WHERE good AND person = 'slack:T1/UANN'") == 1
        assert await count(company, "feedback WHERE NOT good AND person = 'slack:T1/UBOB'") == 1


async def test_sources_are_shown_to_who_may_read_them_now(tmp_path: Path) -> None:
    """Rights of the moment of the press, not of the answer."""
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]) as company:
        answer = await answered(slack)
        await slack.presses("bob", answer, "Show sources")
        await whispered(slack, "bob", "Give ten working days' notice.")
        assert slack.hidden("ann") == []
        company.shelf.passages = ()
        await slack.presses("cyd", answer, "Show sources")
        await whispered(slack, "cyd", NO_SOURCES)
        assert not any("ten working" in each.seen for each in slack.hidden("cyd"))


async def test_only_who_asked_tries_again_and_once(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]):
        answer = await answered(slack)
        await slack.presses("bob", answer, "Try again")
        await whispered(slack, "bob", NOT_YOURS)
        await slack.presses("ann", answer, "Try again")
        await slack.presses("ann", answer, "Try again")
        await slack.until(lambda: len(slack.answers("general", answer.thread_ts)) == 2)
        await slack.settled()
        first, second = slack.answers("general", answer.thread_ts)
        assert second.seen.startswith("Ten working days [1].")
        assert first.seen.startswith("Ten working days [1].")


SCRIPT = ScriptedModel([["Let's talk about something else."]])


@pytest.mark.parametrize("private", [True, False])
async def test_who_was_refused_can_say_that_it_was_a_mistake(tmp_path: Path, private: bool) -> None:
    """And nobody else can; once it was looked at, that is what they read."""
    async with fake_slack() as slack, a_company(slack, tmp_path, model=SCRIPT, passages=[LEAVE]) as company:
        refusal: Post | Ephemeral
        if private:
            await slack.command("ann", "general", "/bartizan ask how much notice?")
            await whispered(slack, "ann", "[Blocked by mistake?]")
            refusal = next(each for each in slack.hidden("ann") if "[Blocked" in each.seen)
        else:
            asked = slack.says("ann", "general", "@bartizan how much notice?")
            await slack.until(lambda: any("[Blocked by mistake?]" in each.seen for each in slack.answers("general")))
            [refusal] = slack.answers("general", asked)
            await slack.settled()
            await slack.presses("bob", refusal, "Blocked by mistake?")
            await whispered(slack, "bob", NOT_YOURS)
        await slack.settled()
        record = Decisions(company.database, Keyring(b"k" * 32))
        assert await record.appeals() == []
        await slack.presses("ann", refusal, "Blocked by mistake?")
        await whispered(slack, "ann", NOTED)
        [appeal] = await record.appeals()
        assert (appeal["by"], appeal["state"]) == ("slack:T1/UANN", "open")
        await record.overturn(appeal["trace"])
        await slack.presses("ann", refusal, "Blocked by mistake?")
        await whispered(slack, "ann", "Somebody has looked at that already.")


async def test_under_an_apology_there_is_nothing_to_call_a_mistake(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]):
        asked = slack.says("ann", "general", f"@bartizan {'x' * 20_000}")
        await slack.until(lambda: any("Reference" in each.seen for each in slack.answers("general", asked)))
        assert "mistake" not in slack.answers("general", asked)[0].seen


async def test_a_private_answer_is_shared_with_the_channel_once(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]):
        answer = await in_private(slack)
        await slack.presses("ann", answer, "Share with channel")
        await whispered(slack, "ann", SHARED)
        await slack.presses("ann", answer, "Share with channel")
        await whispered(slack, "ann", ALREADY)
        [shared] = slack.answers("general")
        assert shared.seen.startswith("Ten working days [1].")
        assert shared.thread_ts is None


async def test_what_somebody_there_may_not_read_is_not_shared(tmp_path: Path) -> None:
    """The wider audience is checked anew."""
    hers = a_passage("The merger is on.", title="Merger", acl=frozenset({"user:slack:T1/UANN"}))
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[hers]):
        answer = await in_private(slack)
        await slack.presses("ann", answer, "Share with channel")
        await whispered(slack, "ann", NOT_FOR_ALL)
        assert slack.answers("general") == []


async def summarised(slack: FakeSlack) -> Ephemeral:
    """A summary of a thread in #general, for ann alone."""
    root = slack.says("ann", "general", "The lift is stuck.")
    reply = slack.says("bob", "general", "Bo repairs it by noon.", root)
    await slack.settled()
    await slack.shortcut("ann", "summarise_thread", reply)
    await slack.until(lambda: any("Share with channel" in each.seen for each in slack.hidden("ann")))
    return next(each for each in slack.hidden("ann") if "Share with channel" in each.seen)


async def test_a_summary_comes_from_what_was_said_and_its_buttons_know_it(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path):
        summary = await summarised(slack)
        await slack.presses("ann", summary, "Show sources")
        await whispered(slack, "ann", "Bo repairs it by noon.")
        await slack.settled()
        assert not any(NO_SOURCES in each.seen for each in slack.hidden("ann"))
        await slack.presses("ann", summary, "Share with channel")
        await whispered(slack, "ann", SHARED)
        [shared] = slack.answers("general")
        assert "Bo repairs it by noon." in shared.seen


async def test_a_summary_is_tried_again_as_a_summary(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path) as company:
        summary = await summarised(slack)
        await slack.presses("ann", summary, "Try again")
        said = "here is what was said"
        await slack.until(lambda: sum(said in str(call) for call in slack.called("response_url")) == 2)
        assert await count(company, "turn WHERE kind = 'summary'") == 2
        assert company.shelf.asked == []


async def test_a_summary_of_what_was_taken_back_is_not_shared(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path):
        root = slack.says("ann", "general", "The merger is on.")
        await slack.settled()
        await slack.shortcut("ann", "summarise_thread", root)
        await slack.until(lambda: any("Share with channel" in each.seen for each in slack.hidden("ann")))
        summary = next(each for each in slack.hidden("ann") if "Share with channel" in each.seen)
        slack.deletes(root)
        await slack.settled()
        await slack.presses("ann", summary, "Share with channel")
        await whispered(slack, "ann", NOT_FOR_ALL)
        assert slack.answers("general") == []


async def test_an_id_of_somebodys_own_making_opens_nothing(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]):
        answer = await answered(slack)
        for block in answer.blocks:
            for element in block.get("elements", []):
                if "value" in element:
                    element["value"] = "x" * 32
        await slack.presses("ann", answer, "Try again")
        await whispered(slack, "ann", TOO_OLD)


async def test_stop_ends_the_turn_with_one_word(tmp_path: Path) -> None:
    """The button stands where a message is edited; a stream has one of Slack's own."""
    model = ScriptedModel([["Ten working ", "days. ", 30.0, "And so on."]])
    async with fake_slack() as slack, a_company(slack, tmp_path, model=model, passages=[LEAVE]):
        slack.no_streams = "method_not_supported"
        asked = slack.says("ann", "general", "@bartizan how much notice?")
        await slack.until(lambda: any("Ten working" in post.seen for post in slack.answers("general", asked)))
        [answer] = slack.answers("general", asked)
        await slack.presses("bob", answer, "Stop")
        await whispered(slack, "bob", NOT_YOURS)
        stop = [block for block in answer.blocks if "Stop" in str(block)]
        await slack.presses("ann", answer, "Stop")
        await slack.until(lambda: "Stopped." in answer.seen)
        assert answer.seen.startswith("Ten working days.")
        assert model.closed == 1
        answer.blocks += stop
        await slack.presses("ann", answer, "Stop")
        await whispered(slack, "ann", OVER)
        assert slack.answers("general", asked) == [answer]


async def test_stopping_a_stream_in_slack_ends_the_turn(tmp_path: Path) -> None:
    """0.3, S17: what Slack says to the next append is a person's word."""
    model = ScriptedModel([["Ten working ", 0.5, "days ", 0.5, "and ", 30.0, "so on."]])
    async with fake_slack() as slack, a_company(slack, tmp_path, model=model, passages=[LEAVE]):
        asked = slack.says("ann", "general", "@bartizan how much notice?")
        await slack.until(lambda: slack.answers("general", asked))
        [answer] = slack.answers("general", asked)
        slack.stops(answer)
        await slack.until(lambda: "Stopped." in answer.seen)
        assert slack.answers("general", asked) == [answer]
        assert model.closed == 1
        assert answer.stream is Stream.DONE


async def test_the_home_tab_is_somebodys_own(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]):
        await answered(slack)
        slack.opens("ann")
        await slack.until(lambda: slack.home("ann"))
        home = slack.home("ann")
        assert home is not None
        assert "how much notice?" in home.seen
        assert "Handbook" in home.seen
        assert "Board papers" not in home.seen
        slack.opens("bob")
        await slack.until(lambda: slack.home("bob"))
        theirs = slack.home("bob")
        assert theirs is not None
        assert "how much notice?" not in theirs.seen


async def test_somebody_exports_and_forgets(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]) as company:
        await answered(slack)
        slack.opens("ann")
        await slack.until(lambda: slack.home("ann"))
        home = slack.home("ann")
        assert home is not None
        await slack.presses("ann", home, "Export my data")
        await slack.until(lambda: slack.modal("ann"))
        export = slack.modal("ann")
        assert export is not None
        assert "how much notice?" in export.seen
        await slack.presses("ann", home, "Forget my data")
        await slack.until(lambda: "cannot be undone" in getattr(slack.modal("ann"), "seen", ""))
        sure = slack.modal("ann")
        assert sure is not None
        await slack.submits("ann", sure)
        await slack.until(lambda: any("nobody can read" in post.seen for post in slack.answers("dm", user="ann")))
        assert await count(company, "person WHERE id = 'slack:T1/UANN'") == 0
        assert await count(company, "answer") == 0


async def test_privacy_is_a_command_too(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path):
        await slack.command("ann", "general", "/bartizan privacy")
        await whispered(slack, "ann", "Export my data")


async def test_some_questions_are_suggested(tmp_path: Path) -> None:
    """0.1, S20: under Messages without a thread, and in the older view's thread."""
    async with fake_slack() as slack, a_company(slack, tmp_path):
        slack.opens("ann", "messages")
        await slack.until(lambda: slack.called("assistant.threads.setSuggestedPrompts"))
        thread = slack.starts_assistant("bob")
        await slack.until(lambda: len(slack.called("assistant.threads.setSuggestedPrompts")) == 2)
        threads = [call.get("thread_ts") for call in slack.called("assistant.threads.setSuggestedPrompts")]
        assert threads == [None, thread]


async def test_a_thread_of_ones_own_gets_a_title(tmp_path: Path) -> None:
    """S20."""
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]):
        slack.says("ann", "dm", "How much notice before annual leave?")
        await slack.until(lambda: slack.called("assistant.threads.setTitle"))
        [titled] = slack.called("assistant.threads.setTitle")
        assert titled["title"] == "How much notice before annual leave?"


async def test_an_answer_that_somebody_removes_is_not_remembered(tmp_path: Path) -> None:
    """S9: deletes of our own messages are heard."""
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]) as company:
        answer = await answered(slack)
        assert await count(company, "answer") == 1
        slack.deletes(answer)
        await slack.settled()
        assert await count(company, "answer") == 0
        assert await count(company, "turn WHERE outcome = 'withdrawn'") == 1


@pytest.mark.parametrize("about", [True, False])
async def test_a_shortcut_asks_for_a_question(tmp_path: Path, about: bool) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]):
        said = slack.says("bob", "general", "Is ten days enough?")
        await slack.shortcut("ann", "ask_about_message" if about else "ask", said if about else None)
        await slack.until(lambda: slack.modal("ann"))
        modal = slack.modal("ann")
        assert modal is not None
        assert ("Is ten days enough?" in modal.seen) is about
        await slack.submits("ann", modal, {"question": "how much notice?"})
        if about:
            await whispered(slack, "ann", "Ten working days [1].")
            assert slack.answers("general") == []
        else:
            await slack.until(lambda: any("Ten working" in post.seen for post in slack.answers("dm", user="ann")))


@pytest.mark.parametrize("late", [True, False])
async def test_what_is_asked_about_a_message_where_the_bot_is_not_is_answered_there_or_directly(
    tmp_path: Path, late: bool,
) -> None:
    """S23: the shortcut's address reaches its reader there, for half an hour; after that nothing of ours does."""
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]):
        slack.opens_channel("secret", "ann", "bob", kind="group", bot=False)
        said = slack.says("bob", "secret", "Is ten days enough?")
        await slack.shortcut("ann", "ask_about_message", said)
        await slack.until(lambda: slack.modal("ann"))
        modal = slack.modal("ann")
        assert modal is not None
        if late:
            slack.responds.clear()
        await slack.submits("ann", modal, {"question": "how much notice?"})
        if late:
            await slack.until(lambda: any("Ten working days [1]." in post.seen
                                          for post in slack.answers("dm", user="ann")))
        else:
            await whispered(slack, "ann", "Ten working days [1].")
            assert slack.answers("dm", user="ann") == []
        assert slack.answers("secret") == []


async def test_a_question_from_a_dialog_that_cannot_be_stored_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """S4: the dialog has closed by then, and is never sent again."""
    async def away(_: object, __: object) -> bool:
        raise StoreUnavailable("the disk is full")

    async with fake_slack() as slack, a_company(slack, tmp_path):
        said = slack.says("bob", "general", "Is ten days enough?")
        await slack.settled()
        await slack.shortcut("ann", "ask_about_message", said)
        await slack.until(lambda: slack.modal("ann"))
        modal = slack.modal("ann")
        assert modal is not None
        monkeypatch.setattr(SqlInbox, "receive", away)
        await slack.submits("ann", modal, {"question": "how much notice?"})
        await whispered(slack, "ann", TROUBLE)
        await whispered(slack, "ann", "how much notice?")


async def test_a_long_message_in_any_script_can_be_asked_about(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]):
        said = slack.says("bob", "general", '漢字 "👩‍👩‍👧"\n' * 400)
        await slack.shortcut("ann", "ask_about_message", said)
        await slack.until(lambda: slack.modal("ann"))
        modal = slack.modal("ann")
        assert modal is not None
        await slack.submits("ann", modal, {"question": "how much notice?"})
        await whispered(slack, "ann", "Ten working days [1].")


async def test_two_presses_at_once_share_once(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]):
        answer = await in_private(slack)
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(slack.presses("ann", answer, "Share with channel"))
        await whispered(slack, "ann", SHARED)
        await slack.until(lambda: sum(ALREADY in each.seen for each in slack.hidden("ann")) == 3)
        assert len(slack.answers("general")) == 1


async def test_a_sharing_whose_fate_is_unclear_is_not_done_twice(tmp_path: Path) -> None:
    async with fake_slack() as slack, a_company(slack, tmp_path, model=TEN, passages=[LEAVE]) as company:
        answer = await in_private(slack)
        slack.fails("chat.postMessage", Tears())
        await slack.presses("ann", answer, "Share with channel")
        await whispered(slack, "ann", SHARED)
        await company.database.write(lambda c: c.execute(text("UPDATE outbox SET at = at - 100, ts = NULL")))
        await slack.presses("ann", answer, "Share with channel")
        await slack.until(lambda: sum(SHARED in each.seen for each in slack.hidden("ann")) == 2)
        assert len(slack.answers("general")) == 1
