"""The reader: the same sentences, with the one that answers and without."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.qdrant.reader import GRAPH, Read, Reader, ReadingModel
from engine.errors import RetrieverUnavailable
from engine.messages import Audience, Conversation, ConversationId, Found, Passage, Turn
from engine.rag.answers import FIRM, HEARD, READ, answered, doubtful
from engine.rag.reading import Stretch
from tests.adapters.qdrant.worlds import ANN, NO_PAST
from tests.builders import a_message, a_passage

# a section with a gap, what fills the gap, and a question that nothing else there answers
GAPS = [
    ("Cycling", "The bicycle cellar is open to all staff. {} Wheels may not be left in the corridors.",
     "The code of its door is changed every quarter and stands on the intranet.", "how do I get into the bike room"),
    ("Cycling", "The bicycle cellar is open to all staff. {} Wheels may not be left in the corridors.",
     "Up to two bicycles a person may be kept there.", "may I bring a second bike"),
    ("Books", "Technical books are paid by the company. {} They stay on the shelf of the team.",
     "Ask Noor to order them.", "who buys books for us"),
    ("Books", "Technical books are paid by the company. {} They stay on the shelf of the team.",
     "Each person has 300 euros a year for them.", "what's my yearly allowance for reading material"),
    ("Deploys", "Deploys to production go through the pipeline. {} A deploy that fails is rolled back by itself.",
     "Nothing is deployed on Fridays after noon.", "can I ship friday evening"),
    ("Deploys", "Deploys to production go through the pipeline. {} A deploy that fails is rolled back by itself.",
     "The on-call engineer approves each of them.", "whose ok do I need before going live"),
    ("Visitors", "Visitors sign in at the desk. {} They wear a badge all the time.",
     "Visitors must be announced one day ahead.", "my brother wants to see the office tomorrow, is that early enough"),
    ("Visitors", "Visitors sign in at the desk. {} They wear a badge all the time.",
     "Children under twelve are not let into the workshop.", "can my 8 year old come along into the workshop"),
    ("Illness", "Call your team lead before nine when you are ill. {} Get well first.",
     "From the fourth day on a doctor's note is needed.", "when do they want a certificate from the doctor"),
    ("Illness", "Call your team lead before nine when you are ill. {} Get well first.",
     "Wages go on for six weeks.", "how long am I paid while I am sick"),
    ("Backups", "The database is copied every night. {} Restores are tried each month.",
     "Copies are kept for 35 days.", "how far back can we restore"),
    ("Backups", "The database is copied every night. {} Restores are tried each month.",
     "The copies lie in the second data centre in Graz.", "where are the backups stored"),
]


@pytest.fixture(scope="module")
def model() -> ReadingModel:
    return ReadingModel.load()


def read(model: ReadingModel, question: str, *stretches: tuple[str, str]) -> list[float]:
    return model.scores(question, [Stretch(heading, text) for heading, text in stretches])


def test_a_sentence_that_answers_makes_the_difference(model: ReadingModel) -> None:
    with_it, without = [], []
    for heading, text, answer, question in GAPS:
        one, other = read(model, question, (heading, text.format(answer)), (heading, text.format("")))
        with_it.append(one)
        without.append(other)
    assert sum(a > b for a, b in zip(with_it, without, strict=True)) >= 0.9 * len(GAPS)
    assert sum(with_it) / len(GAPS) > sum(without) / len(GAPS) + 1


def test_of_a_long_story_the_end_is_read(model: ReadingModel) -> None:
    heading, text, answer, question = GAPS[2]
    there, gap = (heading, text.format(answer)), (heading, text.format(""))
    story = "we moved desks last week and I am still unpacking boxes, " * 9
    assert read(model, story + question, there, gap) != pytest.approx(read(model, story, there, gap), abs=0.1)
    assert read(model, question + "? " + story, there, gap) == pytest.approx(read(model, story, there, gap))


def test_what_is_read_beside_it_changes_nothing(model: ReadingModel) -> None:
    every = [(heading, text.format(answer)) for heading, text, answer, _ in GAPS]
    together = read(model, "who buys books?", *every)
    assert together == pytest.approx([read(model, "who buys books?", each)[0] for each in every], abs=0.02)


def test_whatever_is_asked_and_read_it_says_something(model: ReadingModel) -> None:
    for question in ("", "\ud800", "word " * 10_000, "有多少年假", "\0"):
        assert len(read(model, question, ("", ""), ("\ud800", "word " * 10_000))) == 2
    assert read(model, "who?") == []
    assert model.best("who?", []) == 0.0


def test_another_graph_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "reader.onnx"
    other.write_bytes(GRAPH.read_bytes()[:-1])
    with pytest.raises(RetrieverUnavailable, match=r"reader\.onnx of the embedding model is not the file"):
        ReadingModel.load(other)


async def test_it_loads_behind_and_reads_off_the_event_loop() -> None:
    heading, text, answer, question = GAPS[2]
    async with Reader.running() as reader:
        one, other = await asyncio.gather(
            reader.best(question, [a_passage(text.format(answer), title=heading)]),
            reader.best(question, [a_passage(text.format(""), title=heading)]),
        )
    assert one > other


@dataclass
class Shelf:
    """Finds the same passages whatever is asked."""

    found: Found

    async def find(self, question: str, *, past: Conversation, audience: Audience, limit: int) -> Found:
        del question, past, audience, limit
        return self.found

    async def still_readable(self, passages: Sequence[Passage], audience: Audience) -> tuple[Passage, ...]:
        return tuple(passage for passage in passages if audience.may_read(passage.acl))


@pytest.mark.parametrize("answers", [True, False])
async def test_only_whether_it_answers_is_judged_once_more(answers: bool) -> None:
    """Of a search that stands in the middle, what is read decides; order and passages stay."""
    heading, text, answer, question = GAPS[2]
    passages = (a_passage("Parking costs 30 dollars.", title="Parking"),
                a_passage(text.format(answer if answers else ""), title=heading))
    async with Reader.running() as reader:
        there = Found(passages, answers=not answers, certainty=HEARD - READ * await _middle(reader))
        found = await Read(Shelf(there), reader).find(question, past=NO_PAST, audience=ANN, limit=6)
    assert (found.passages, found.answers) == (passages, answers)


async def _middle(reader: Reader) -> float:
    """What is read of the two, on average."""
    heading, text, answer, question = GAPS[2]
    both = [await reader.best(question, [a_passage(text.format(each), title=heading)]) for each in (answer, "")]
    return sum(both) / 2


@pytest.mark.parametrize("question", ["Wer bestellt hier die Bücher?", "谁给我们买书"])
async def test_another_language_is_left_to_the_search(question: str) -> None:
    """It was taught English, and knows no better than chance of others."""
    for answers in (True, False):
        there = Found((a_passage("Noor bestellt Bücher."),), answers=answers, certainty=HEARD)
        async with Reader.running() as reader:
            assert await Read(Shelf(there), reader).find(question, past=NO_PAST, audience=ANN, limit=6) == there


async def test_a_follow_up_is_read_with_the_question_before_it() -> None:
    heading, text, answer, _ = GAPS[5]
    passages = (a_passage(text.format(answer), title=heading),)
    past = Conversation(ConversationId("test:general"), (Turn(a_message("whose ok do I need to deploy?"), None),))
    async with Reader.running() as reader:
        alone = await reader.best("and who is that?", passages)
        whole = await reader.best("whose ok do I need to deploy? and who is that?", passages)
        there = Found(passages, certainty=HEARD - READ * (alone + whole) / 2)
        found = await Read(Shelf(there), reader).find("and who is that?", past=past, audience=ANN, limit=6)
        assert alone != pytest.approx(whole, abs=0.1)
        assert found.answers == (whole > alone)


async def test_nothing_found_is_not_read() -> None:
    async with Reader.running() as reader:
        assert await Read(Shelf(Found()), reader).find("who?", past=NO_PAST, audience=ANN, limit=6) == Found()
        assert await Read(Shelf(Found()), reader).still_readable((a_passage("a"),), Audience()) == ()


@given(st.floats(-1, 2), st.floats(-9, 9), st.floats(-9, 9))
def test_who_is_asked_only_in_doubt_decides_nothing_else(certainty: float, one: float, other: float) -> None:
    assert doubtful(certainty) or answered(certainty, one) == answered(certainty, other)


def test_a_reader_decides_in_doubt_and_not_beyond() -> None:
    assert answered(HEARD, 0.1)
    assert not answered(HEARD, -0.1)
    assert not answered(HEARD - READ * FIRM - 0.01, 99.0)
    assert answered(HEARD + READ * FIRM + 0.01, -99.0)


@pytest.mark.parametrize("certainty", [HEARD - READ * FIRM - 0.01, HEARD + READ * FIRM + 0.01])
async def test_where_the_search_is_sure_nothing_is_read(certainty: float) -> None:
    """Nobody waits for a model that never loads."""
    never = asyncio.get_running_loop().create_future()
    with ThreadPoolExecutor(1) as worker:
        there = Found((a_passage("Parking costs 30 dollars."),), certainty=certainty)
        found = await Read(Shelf(there), Reader(worker, never)).find("who?", past=NO_PAST, audience=ANN, limit=6)
    assert found.answers == (certainty > HEARD)


async def test_a_reader_that_does_not_load_leaves_it_to_the_search() -> None:
    failed = asyncio.get_running_loop().create_future()
    failed.set_exception(RetrieverUnavailable("the reader does not load"))
    with ThreadPoolExecutor(1) as worker:
        for answers in (True, False):
            there = Found((a_passage("Parking costs 30 dollars."),), answers=answers, certainty=HEARD)
            read = Read(Shelf(there), Reader(worker, failed))
            assert await read.find("who?", past=NO_PAST, audience=ANN, limit=6) == there
