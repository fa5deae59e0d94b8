"""Rights that change while an answer is being made."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from engine.messages import Audience, Conversation, Found
from engine.turn import WITHDRAWN
from tests.builders import ORG, a_passage, said
from tests.fakes import ANN, Room, ScriptedModel, Shelf, TestBot, a_bot

MERGER = a_passage("The merger is on.", title="Merger")
RUMOUR = "The merger is announced to all departments in the coming week. "      # longer than what is held back
LEAVE = a_passage("Give ten working days' notice.", title="Annual leave")


@dataclass(slots=True)
class Vanishing(Shelf):
    """A page is deleted in the moment after it was found."""

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        found = await Shelf.find(self, question, past=past, audience=audience, limit=limit)
        self.passages = [LEAVE]
        return found


@dataclass(slots=True)
class Forgetful(Shelf):
    """Its pages are there, and are not always found."""

    finds: bool = True

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        found = await Shelf.find(self, question, past=past, audience=audience, limit=limit)
        return found if self.finds else Found()


async def words(bot: TestBot, text: str) -> None:
    """Waits until they stand in the room."""
    async with asyncio.timeout(10):
        while not any(text in post.text for post in bot.room.posts.values()):
            await asyncio.sleep(0.005)


async def test_a_page_deleted_before_the_prompt_does_not_enter_it(tmp_path: Path) -> None:
    model = ScriptedModel([["Ten days [1]."]])
    async with a_bot(tmp_path, model=model, shelf=Vanishing([MERGER, LEAVE])) as bot:
        post = await bot.hears(said())
    assert "merger" not in str(model.heard[0].messages).lower()
    assert (post.text, post.sources) == ("Ten days [1].", ["Annual leave"])


async def test_when_all_pages_are_gone_the_answer_says_that_none_stands_behind_it(tmp_path: Path) -> None:
    model = ScriptedModel([["It is [1]."]])
    shelf = Vanishing([MERGER])
    async with a_bot(tmp_path, model=model, shelf=shelf) as bot:
        post = await bot.hears(said())
    assert "merger" not in str(model.heard[0].messages).lower()
    assert (post.text, post.sources, post.note != "") == ("It is.", [], True)


async def test_words_made_of_a_page_that_is_deleted_meanwhile_are_taken_back(tmp_path: Path) -> None:
    model = ScriptedModel([[RUMOUR, 0.3, "It is on [1]."], ["Ten days [1]."]])
    shelf = Shelf([MERGER, LEAVE])
    async with a_bot(tmp_path, model=model, shelf=shelf) as bot, asyncio.TaskGroup() as group:
        hearing = group.create_task(bot.hears(said()))
        await words(bot, "The merger")
        shelf.passages = [LEAVE]
        post = await hearing
    assert (post.text, post.sources) == ("Ten days [1].", ["Annual leave"])
    assert "merger" not in str(model.heard[1].messages).lower()


async def test_words_that_somebody_new_in_the_room_may_not_read_are_taken_back(tmp_path: Path) -> None:
    board = a_passage("The merger is on.", title="Merger", acl=frozenset({"group:board"}))
    model = ScriptedModel([[RUMOUR, 0.3, "It is on [1]."], ["I do not know."]])
    people = {"ann": ORG | {"group:board"}}
    async with a_bot(tmp_path, model=model, passages=[board], room=Room(people)) as bot, asyncio.TaskGroup() as group:
        hearing = group.create_task(bot.hears(said()))
        await words(bot, "The merger")
        people["bob"] = ANN["ann"]
        post = await hearing
    assert (post.text, post.sources) == ("I do not know.", [])
    assert len(model.heard) == 2


async def test_an_earlier_answer_whose_page_was_deleted_says_so_and_nothing_else(tmp_path: Path) -> None:
    model = ScriptedModel([["Heron flies in May [1]."], ["Ten days [1]."], ["Yes."]])
    shelf = Shelf([MERGER])
    async with a_bot(tmp_path, model=model, shelf=shelf) as bot:
        await bot.hears(said("when does it fly?"))
        shelf.passages = [LEAVE]
        await bot.hears(said("how much notice?"))
        await bot.hears(said("for half a day, too?"))
    history = [message.text for message in model.heard[2].messages if message.role == "assistant"]
    assert history == [WITHDRAWN, "Ten days."]
    assert "heron" not in f"{model.heard[1].messages} {model.heard[2].messages}".lower()


async def test_an_answer_from_a_page_that_it_does_not_cite_goes_with_that_page_and_so_does_what_it_led_to(
    tmp_path: Path,
) -> None:
    model = ScriptedModel([["Heron flies in May."], ["In spring, as I said."], ["I do not know."], ["Ten days [1]."]])
    shelf = Shelf([MERGER])
    async with a_bot(tmp_path, model=model, shelf=shelf) as bot:
        await bot.hears(said("when does it fly?"))
        shelf.passages = [MERGER, LEAVE]
        await bot.hears(said("roughly?"))
        shelf.passages = [replace(MERGER, acl=frozenset({"group:hr"})), LEAVE]
        await bot.hears(said("really?"))
        await bot.hears(said("how much notice?"))
    history = [message.text for message in model.heard[3].messages if message.role == "assistant"]
    assert history == [WITHDRAWN, WITHDRAWN, "I do not know."]
    assert "heron" not in f"{model.heard[2].messages} {model.heard[3].messages}".lower()


async def test_what_is_handed_on_goes_with_its_page_though_nobody_found_that_again(tmp_path: Path) -> None:
    model = ScriptedModel([["Heron flies in May."], ["In spring, as I said."], ["I do not know."]])
    shelf = Forgetful([MERGER])
    async with a_bot(tmp_path, model=model, shelf=shelf) as bot:
        await bot.hears(said("when does it fly?"))
        shelf.finds = False
        await bot.hears(said("roughly?"))
        shelf.passages = []
        await bot.hears(said("really?"))
    history = [message.text for message in model.heard[2].messages if message.role == "assistant"]
    assert "Heron" in str(model.heard[1].messages)
    assert history == [WITHDRAWN, WITHDRAWN]


async def test_words_made_of_an_earlier_answer_are_taken_back_when_its_page_is_deleted_meanwhile(
    tmp_path: Path,
) -> None:
    model = ScriptedModel([["Heron flies in May [1]."], [RUMOUR, 0.3, "As I said."], ["I do not know."]])
    shelf = Forgetful([MERGER])
    async with a_bot(tmp_path, model=model, shelf=shelf) as bot, asyncio.TaskGroup() as group:
        await bot.hears(said("when does it fly?"))
        shelf.finds = False
        hearing = group.create_task(bot.hears(said("roughly?")))
        await words(bot, "The merger")
        shelf.passages = []
        post = await hearing
    assert post.text == "I do not know."
    assert "heron" not in str(model.heard[2].messages).lower()


async def test_words_made_of_an_earlier_answer_are_taken_back_when_somebody_comes_who_may_not_read_it(
    tmp_path: Path,
) -> None:
    board = replace(MERGER, acl=frozenset({"group:board"}))
    model = ScriptedModel([["Heron flies in May [1]."], [RUMOUR, 0.3, "As I said."], ["I do not know."]])
    people, shelf = {"ann": ORG | {"group:board"}}, Forgetful([board])
    async with a_bot(tmp_path, model=model, shelf=shelf, room=Room(people)) as bot, asyncio.TaskGroup() as group:
        await bot.hears(said("when does it fly?"))
        shelf.finds = False
        hearing = group.create_task(bot.hears(said("roughly?")))
        await words(bot, "The merger")
        people["bob"] = ANN["ann"]
        post = await hearing
    assert post.text == "I do not know."
    assert "heron" not in str(model.heard[2].messages).lower()


async def test_while_the_index_is_away_no_earlier_answer_from_pages_is_leant_on(tmp_path: Path) -> None:
    model = ScriptedModel([["Heron flies in May [1]."], ["I do not know."]])
    shelf = Shelf([MERGER])
    async with a_bot(tmp_path, model=model, shelf=shelf) as bot:
        await bot.hears(said("when does it fly?"))
        shelf.broken = True
        post = await bot.hears(said("really?"))
    assert (post.text, "heron" in str(model.heard[1].messages).lower()) == ("I do not know.", False)
