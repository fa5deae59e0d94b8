"""Chat in, transcript out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.sql.database import open_database
from adapters.sql.desk import Desk
from adapters.sql.inbox import QueueOptions
from adapters.sql.privacy import Privacy
from adapters.sql.queue import Caps
from bot.dispatch import DispatchOptions
from engine.errors import ModelBroken, ModelUnavailable
from engine.messages import TraceId
from engine.nothing import SO_FAR
from engine.ports import Finished, Reasoning
from engine.quote import READY
from engine.turn import UNFINISHED, Limits
from tests.builders import a_passage, deleted, edited, said
from tests.fakes import ANN, Room, ScriptedModel, Shelf, TestBot, a_bot

LEAVE = a_passage("Give ten working days' notice.", title="Annual leave")
RUNBOOK = a_passage("Restart the pod.", title="Runbook")
SCRIPT = "Sorry, that's beyond my current scope. Let's talk about something else."


async def dead_letters(bot: TestBot) -> list[str]:
    return [row["cause"] for row in await Desk(bot.database).turns(state="dead")]


async def outcome(bot: TestBot) -> str:
    return await bot.database.read(
        lambda c: str(c.execute(text("SELECT outcome FROM turn ORDER BY id DESC LIMIT 1")).scalar_one()))


async def test_an_answer_names_its_source(tmp_path: Path) -> None:
    model = ScriptedModel([["Ten ", "days [1", "]."]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        post = await bot.hears(said())
    assert (post.text, post.sources, post.note) == ("Ten days [1].", ["Annual leave"], "")
    assert post.seen[0] == "Looking that up …"
    assert all("Ten days [1].".startswith(seen) for seen in post.seen[1:])
    assert post.closed == 1


async def test_marks_are_numbered_by_first_use_and_invented_ones_are_dropped(tmp_path: Path) -> None:
    model = ScriptedModel([["Restart it [2], ", "then ask [7]", " for leave [1]."]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE, RUNBOOK]) as bot:
        post = await bot.hears(said())
    assert (post.text, post.sources) == ("Restart it [1], then ask for leave [2].", ["Runbook", "Annual leave"])


async def test_an_answer_without_pages_says_so(tmp_path: Path) -> None:
    async with a_bot(tmp_path, model=ScriptedModel([["I think ten."]])) as bot:
        post = await bot.hears(said())
    assert post.note == "No page that everyone here may read stands behind this answer."


async def test_an_answer_without_pages_says_so_too_while_they_are_still_being_read(tmp_path: Path) -> None:
    early = Shelf(whole=False)
    async with a_bot(tmp_path, model=ScriptedModel([["I think ten."]]), shelf=early) as bot:
        post = await bot.hears(said())
    assert (post.text, post.note) == ("I think ten.", UNFINISHED)
    async with a_bot(tmp_path / "quoting", shelf=early) as bot:
        assert (await bot.hears(said("how much notice?"))).text == SO_FAR["en"]


async def test_nothing_is_looked_up_for_a_word_of_thanks(tmp_path: Path) -> None:
    model = ScriptedModel([["You are welcome."]])
    thanked = a_passage("Nobody will thank you for coming ill.", title="Sick leave")
    async with a_bot(tmp_path, model=model, passages=[thanked]) as bot:
        post = await bot.hears(said("Thank you!"))
    assert (post.text, post.sources, post.note) == ("You are welcome.", [], "")
    assert model.heard[0].messages[-1].text == "Thank you!"
    async with a_bot(tmp_path / "quoting", passages=[thanked]) as bot:
        post = await bot.hears(said("Thank you!"))
    assert (post.text, post.sources) == (READY, [])


async def test_a_page_that_one_reader_may_not_read_is_not_used(tmp_path: Path) -> None:
    model = ScriptedModel([["It is [1]."]])
    secret = a_passage("The merger is on.", title="Merger", acl=frozenset({"group:board"}))
    people = {"ann": frozenset({"org", "group:board"}), "bob": frozenset({"org"})}
    async with a_bot(tmp_path, model=model, passages=[secret], room=Room(people)) as bot:
        post = await bot.hears(said())
    assert "merger" not in str(model.heard[0].messages).lower()
    assert (post.text, post.sources) == ("It is.", [])


async def test_the_model_hears_the_conversation_so_far(tmp_path: Path) -> None:
    model = ScriptedModel([["Ten days [1]."], ["Yes [1]."]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        await bot.hears(said("how much notice?"))
        await bot.hears(said("for half a day, too?"))
    roles = [(m.role, m.text.partition("\n")[0]) for m in model.heard[1].messages[1:]]
    assert roles == [("user", "how much notice?"), ("assistant", "Ten days."), ("user", "for half a day, too?")]
    assert model.heard[0].messages[0] == model.heard[1].messages[0]


async def test_without_a_model_the_pages_speak(tmp_path: Path) -> None:
    async with a_bot(tmp_path, passages=[LEAVE]) as bot:
        post = await bot.hears(said())
    assert post.text == (
        "No language model is connected, so here is what the pages say, word for word:\n\n"
        "> Give ten working days' notice. [1]"
    )
    assert post.sources == ["Annual leave"]


async def test_a_model_that_is_away_is_replaced_by_the_pages(tmp_path: Path) -> None:
    model = ScriptedModel([[ModelUnavailable("connection refused")]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        post = await bot.hears(said())
    assert post.text.startswith("The language model is not answering right now, so here is what the pages say")
    assert post.sources == ["Annual leave"]


async def test_a_question_that_was_stopped_while_it_waited_is_not_answered(tmp_path: Path) -> None:
    model = ScriptedModel([["Ten ", 0.3, "days [1]."]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        first, second = said("how much notice?"), said("and for half a day?")
        await bot.inbox.receive(first)
        await bot.inbox.receive(second)
        newest = text("SELECT trace FROM turn ORDER BY id DESC LIMIT 1")
        trace = await bot.database.read(lambda c: str(c.execute(newest).scalar_one()))
        assert await bot.inbox.stop(TraceId(trace))
        assert (await bot.settles(first)).text == "Ten days [1]."
        assert (await bot.settles(second)).text == "Stopped."
        assert await outcome(bot) == "stopped"
    assert len(model.heard) == 1


async def test_a_model_that_breaks_off_is_asked_again(tmp_path: Path) -> None:
    model = ScriptedModel([["Ten wor", ModelBroken("half a stream")], ["Ten days [1]."]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        post = await bot.hears(said())
    assert post.text == "Ten days [1]."
    assert "I am still trying to answer this …" in post.seen


async def test_a_model_that_always_breaks_off_is_replaced_by_the_pages_in_the_end(tmp_path: Path) -> None:
    model = ScriptedModel([["Ten wor", ModelBroken("half a stream")]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE], options=DispatchOptions(max_failures=3)) as bot:
        post = await bot.hears(said())
    assert len(model.heard) == 3
    assert post.text.startswith("The language model is not answering right now")
    assert post.closed == 1


async def test_nothing_but_reasoning_is_no_answer_and_is_never_shown(tmp_path: Path) -> None:
    model = ScriptedModel([[Reasoning("the user is naive"), "Ten days [1]."]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        post = await bot.hears(said())
    assert "naive" not in "".join(post.seen)
    assert post.text == "Ten days [1]."


async def test_an_answer_cut_at_its_limit_says_so(tmp_path: Path) -> None:
    model = ScriptedModel([["Ten days [1] and", Finished("length")]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        post = await bot.hears(said())
    assert post.note == "The answer was cut off at its length limit."


async def test_no_piece_of_a_stock_script_is_shown_and_the_next_model_answers(tmp_path: Path) -> None:
    first = ScriptedModel([["Ten days. ", *SCRIPT]], name="first")
    second = ScriptedModel([["Ten days [1]."]], name="second")
    async with a_bot(tmp_path, model=first, others=[second], passages=[LEAVE]) as bot:
        post = await bot.hears(said())
    assert (post.text, first.closed) == ("Ten days [1].", 1)
    assert not any("Sor" in seen for seen in post.seen)


async def test_when_every_model_deflects_one_sentence_of_ours_stands(tmp_path: Path) -> None:
    async with a_bot(tmp_path, model=ScriptedModel([list(SCRIPT)]), passages=[LEAVE]) as bot:
        post = await bot.hears(said())
        assert await outcome(bot) == "refused"
    assert post.text.startswith("I could not get a useful answer from the models that I may ask about this.")
    assert f"(Reference: {post.trace[:8]})" in post.text
    assert not any("Sor" in seen for seen in post.seen)


async def test_a_secret_reaches_neither_the_model_nor_the_room(tmp_path: Path) -> None:
    key = "AKIA" + "Q3EGRWT5Z7LKMNPB"
    model = ScriptedModel([[f"Your key is {key[:7]}", f"{key[7:]}, keep it."]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        post = await bot.hears(said(f"is {key} a valid key?"))
    assert key not in str(model.heard[0].messages)
    assert key[4:] not in "".join(post.seen)
    assert post.text.startswith("Your key is [")


async def test_what_was_masked_stays_masked_in_the_memory_of_later_turns(tmp_path: Path) -> None:
    key = "AKIA" + "Q3EGRWT5Z7LKMNPB"
    model = ScriptedModel([["Yes [1]."]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        first = said(f"is {key} a valid key?")
        await bot.hears(first)
        await bot.inbox.receive(edited(first, "an edit that no guard has read"))
        await bot.hears(said("and now?"))
    memory = model.heard[1].messages[1].text
    assert memory.startswith("is [")
    assert key not in str(model.heard[1].messages)
    assert "no guard has read" not in str(model.heard[1].messages)


async def test_an_answer_is_for_those_who_may_read_all_that_it_was_made_from(tmp_path: Path) -> None:
    """Cited or not, and handed on from answer to answer."""
    secret = a_passage("The merger is on.", title="Merger", acl=frozenset({"group:board"}))
    model = ScriptedModel([["The merger is on, says no mark."], ["As I said: on."], ["I do not know."]])
    board = {"ann": frozenset({"org", "group:board"})}
    async with a_bot(tmp_path, model=model, passages=[secret], room=Room(board)) as bot:
        await bot.hears(said("is it on?"))
    async with a_bot(tmp_path, model=model, passages=[], room=Room(board)) as bot:
        await bot.hears(said("really?"))
    everyone = Room({**board, "bob": frozenset({"org"})})
    async with a_bot(tmp_path, model=model, passages=[secret], room=everyone) as bot:
        await bot.hears(said("what is on?", by="bob"))
    assert [m.role for m in model.heard[2].messages] == ["system", "user"]
    assert "merger" not in str(model.heard[2].messages)


async def test_a_refused_turn_is_no_memory(tmp_path: Path) -> None:
    model = ScriptedModel([list(SCRIPT), ["Ten days [1]."]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        await bot.hears(said("first"))
        await bot.hears(said("second"))
    assert len(model.heard[1].messages) == 2


@pytest.mark.parametrize(("words", "sentence"), [
    ("  \n ", "Your message arrived empty. What would you like to know?"),
    ("x" * 1_000_000, "Your message has 1,000,000 characters; I read up to 16,000 at a time."),
])
async def test_a_message_that_cannot_be_answered_gets_a_sentence(tmp_path: Path, words: str, sentence: str) -> None:
    async with a_bot(tmp_path, passages=[LEAVE]) as bot:
        post = await bot.hears(said(words))
        assert await dead_letters(bot) == []
    assert post.text.startswith(sentence)


async def test_without_index_and_model_it_tries_then_apologises_and_keeps_a_dead_letter(tmp_path: Path) -> None:
    async with a_bot(tmp_path, shelf=Shelf(broken=True), options=DispatchOptions(max_failures=3)) as bot:
        post = await bot.hears(said())
        assert await dead_letters(bot) == ["RetrieverUnavailable: the shelf fell down"]
        assert bot.dispatcher.metrics.dead_letters._value.get() == 1
    assert post.seen.count("I am still trying to answer this …") == 2
    assert post.text.startswith("I cannot search the documents right now.")
    assert post.closed == 1


async def test_without_an_index_the_model_answers_and_says_that_no_page_stands_behind(tmp_path: Path) -> None:
    model = ScriptedModel([["Ten, I think."]])
    async with a_bot(tmp_path, model=model, shelf=Shelf(broken=True)) as bot:
        post = await bot.hears(said())
    assert (post.text, post.note) == ("Ten, I think.", "I could not search the pages for this answer.")


async def test_with_neither_model_nor_index_it_does_not_say_that_nothing_was_found(tmp_path: Path) -> None:
    model = ScriptedModel([[ModelUnavailable("connection refused")]])
    options = DispatchOptions(max_failures=2)
    async with a_bot(tmp_path, model=model, shelf=Shelf(broken=True), options=options) as bot:
        post = await bot.hears(said())
    assert "I am still trying to answer this …" in post.seen
    assert post.text.startswith("Neither the language model nor the pages can be reached right now.")


async def test_a_bug_is_told_without_a_traceback(tmp_path: Path) -> None:
    async with a_bot(tmp_path, model=ScriptedModel([[KeyError("secret of ann")]]), passages=[LEAVE]) as bot:
        post = await bot.hears(said())
        assert await dead_letters(bot) == ["KeyError: [withheld]"]
    assert post.text.startswith("Something broke on my side. I have noted it. (Reference: ")


async def test_an_apology_that_does_not_arrive_is_tried_again(tmp_path: Path) -> None:
    room = Room(ANN, down=2)
    async with a_bot(tmp_path, passages=[LEAVE], room=room) as bot:
        post = await bot.hears(said())
    assert post.sources == ["Annual leave"]


async def test_a_stop_keeps_what_was_said_and_ends_the_generation(tmp_path: Path) -> None:
    opening = "Ten days of notice are asked for, and they are counted from the next morning on. "
    model = ScriptedModel([[opening, 30.0, "never"]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        event = said()
        await bot.inbox.receive(event)
        await until(lambda: any(p.text.startswith("Ten days") for p in bot.room.posts.values()))
        assert bot.dispatcher.stop(event.message.conversation)
        post = await bot.settles(event)
        assert await outcome(bot) == "stopped"
    said_so_far, ours = post.text.split("\n")       # the last few characters were still being judged
    assert opening.startswith(said_so_far)
    assert len(opening) - len(said_so_far) <= 40
    assert (ours, model.closed) == ("Stopped.", 1)


async def test_taking_a_question_back_stops_its_answer(tmp_path: Path) -> None:
    model = ScriptedModel([["Ten days of notice. ", 30.0]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        event = said()
        await bot.inbox.receive(event)
        await until(lambda: any(p.text.startswith("Ten days") for p in bot.room.posts.values()))
        await bot.inbox.receive(deleted(event))
        await until(lambda: model.closed == 1 and any(p.closed for p in bot.room.posts.values()))
        post = await bot.settles(event)
    assert post.text == "This question was taken back, so I stopped."


async def test_being_forgotten_in_the_middle_of_an_answer_closes_it(tmp_path: Path) -> None:
    """Forgetting is another process's doing: the next heartbeat brings the news."""
    model = ScriptedModel([["Ten days of notice. ", 30.0]])
    async with a_bot(tmp_path, model=model, passages=[LEAVE]) as bot:
        await bot.inbox.receive(said())
        await until(lambda: any(p.text.startswith("Ten days") for p in bot.room.posts.values()))
        await Privacy(bot.database, bot.inbox.keyring).forget("ann")
        await until(lambda: any(p.closed for p in bot.room.posts.values()))
        (post,) = bot.room.posts.values()
    assert (post.text, model.closed) == ("This question was taken back, so I stopped.", 1)


async def test_a_turn_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    model = ScriptedModel([[30.0]])
    options = DispatchOptions(deadline=timedelta(seconds=0.2))
    async with a_bot(tmp_path, model=model, passages=[LEAVE], options=options) as bot:
        post = await bot.hears(said())
    assert model.closed == 1
    assert post.text.startswith("This took too long")


async def test_what_a_stopped_process_left_half_said_is_finished_by_the_next(tmp_path: Path) -> None:
    room = Room(ANN)
    slow = ScriptedModel([["Ten days of notice. ", 30.0]])
    options = DispatchOptions(grace=timedelta(seconds=0.1))
    event = said()
    async with a_bot(tmp_path, model=slow, passages=[LEAVE], room=room, options=options) as bot:
        await bot.inbox.receive(event)
        await until(lambda: any(p.text.startswith("Ten days") for p in room.posts.values()))
    assert slow.closed == 1
    async with a_bot(tmp_path, model=ScriptedModel([["Eleven days [1]."]]), passages=[LEAVE], room=room) as bot:
        post = await bot.settles(event)
    assert (post.text, len(room.posts), post.closed) == ("Eleven days [1].", 1, 1)


async def test_a_checkpointed_answer_is_made_anew_when_somebody_may_not_read_it_any_more(tmp_path: Path) -> None:
    secret = a_passage("Ten days.", title="HR", acl=frozenset({"group:hr"}))
    event = said()
    away = Room({"ann": frozenset({"org", "group:hr"})}, down=1)
    first = a_bot(tmp_path, model=ScriptedModel([["Ten days [1]."]]), passages=[secret], room=away, queue=patient())
    async with first as bot:
        await bot.inbox.receive(event)
        await until(lambda: away.down == 0)         # the answer is checkpointed, its last edit fails
        await asyncio.sleep(0.1)
    room = Room({"ann": frozenset({"org"})}, posts=away.posts)
    async with a_bot(tmp_path, model=ScriptedModel([["I do not know."]]), passages=[secret], room=room) as bot:
        await bot.database.write(lambda c: c.execute(text("UPDATE turn SET not_before = 0")))
        post = await bot.settles(event)
    assert (post.text, post.sources) == ("I do not know.", [])


async def test_a_checkpointed_answer_is_made_anew_when_a_page_that_it_does_not_cite_was_deleted(
    tmp_path: Path,
) -> None:
    event, away = said(), Room(ANN, down=1)
    first = a_bot(tmp_path, model=ScriptedModel([["Ten, without a mark."]]), passages=[LEAVE], room=away,
                  queue=patient())
    async with first as bot:
        await bot.inbox.receive(event)
        await until(lambda: away.down == 0)         # the answer is checkpointed, its last edit fails
        await asyncio.sleep(0.1)
    room = Room(ANN, posts=away.posts)
    async with a_bot(tmp_path, model=ScriptedModel([["I do not know."]]), passages=[], room=room) as bot:
        await bot.database.write(lambda c: c.execute(text("UPDATE turn SET not_before = 0")))
        post = await bot.settles(event)
    assert post.text == "I do not know."


async def test_a_turn_that_kills_processes_is_given_up(tmp_path: Path) -> None:
    event = said()
    async with a_bot(tmp_path, model=ScriptedModel([[30.0]]), options=DispatchOptions(grace=timedelta(0))) as bot:
        await bot.inbox.receive(event)
        await until(lambda: bot.room.posts)
        room = bot.room
    async with open_database(f"sqlite:///{tmp_path}/bot.db") as database:       # as a kill -9 would have left it
        await database.write(lambda c: c.execute(text("UPDATE turn SET state = 'running', worker = 'gone'")))
    async with a_bot(tmp_path, passages=[LEAVE], room=room, options=DispatchOptions(max_crashes=1)) as bot:
        post = await bot.settles(event)
        assert await dead_letters(bot) == ["Poison: 1 processes died on this turn"]
    assert post.text.startswith("I had to give up on this question")


async def test_a_crowded_conversation_is_told_once(tmp_path: Path) -> None:
    queue = QueueOptions(("test",), caps=Caps(backlog=2), poll=timedelta(seconds=0.05))
    async with a_bot(tmp_path, model=ScriptedModel([[0.2, "Yes."]]), queue=queue) as bot:
        await asyncio.gather(*(bot.inbox.receive(said(f"{n}")) for n in range(10)))
        await until(lambda: sum(p.closed for p in bot.room.posts.values()) == 3)
    notices = [p.text for p in bot.room.posts.values() if "waiting" in p.text]
    assert notices == ["There are so many questions waiting in this conversation that I left 8 messages out. "
                       "Please ask again once I have caught up."]


async def test_a_model_is_told_of_a_long_message_limit_by_settings(tmp_path: Path) -> None:
    async with a_bot(tmp_path, passages=[LEAVE], limits=Limits(message_chars=5)) as bot:
        assert (await bot.hears(said("123456"))).text.startswith("Your message has 6 characters; I read up to 5")


def patient() -> QueueOptions:
    """Does not try again for a long time."""
    return QueueOptions(("test",), poll=timedelta(seconds=0.05), retry_base=timedelta(minutes=5),
                        retry_max=timedelta(minutes=5))


async def until(condition) -> None:     # type: ignore[no-untyped-def]
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)
