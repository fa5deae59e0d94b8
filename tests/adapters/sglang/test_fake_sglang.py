"""The stand-in itself: what other tests, the benches and the crash run build on."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing

import pytest

from adapters.sglang.model import SglangModel
from engine.messages import Found, Passage, PassageId
from engine.ports import Text
from engine.prompt import ask
from tests.adapters.sglang.talk import a_prompt, heard, patient, words
from tests.fake_sglang import answering, echo, fake_sglang

FOUND = Found((Passage(PassageId("p"), "Two weeks.", "Leave", "/leave"),), answers=True)


async def test_each_question_gets_an_answer_that_only_it_gets() -> None:
    questions = ["how much notice?", "how much notice? ", "who is on call?", "who is\non call? " * 20, ""]
    async with fake_sglang(answering(0, 0.0)) as fake, SglangModel.open(patient(fake.url)) as model:
        said = [words(await heard(model, a_prompt(question))) for question in questions]
    assert said == [echo(question, grounded=False) for question in questions]
    assert len(set(said)) == len(questions)


async def test_a_question_with_passages_gets_a_citation() -> None:
    async with fake_sglang(answering(0, 0.0)) as fake, SglangModel.open(patient(fake.url)) as model:
        said = words(await heard(model, a_prompt(ask("how much notice?", FOUND.passages))))
    assert said == echo("how much notice?", grounded=True)
    assert "[1]" in said


@pytest.mark.parametrize("chunks", [1, 2, 3, 60])
async def test_an_answer_has_as_many_chunks_as_asked_for_and_all_that_matters(chunks: int) -> None:
    async with fake_sglang(answering(chunks, 0.0)) as fake, SglangModel.open(patient(fake.url)) as model:
        pieces = await heard(model)
    assert sum(isinstance(piece, Text) for piece in pieces) == chunks
    assert words(pieces).startswith(echo("where is the runbook?", grounded=False))


async def test_as_a_program_it_says_where_it_listens_and_answers() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fake_sglang", "--chunks", "30", "--delay-ms", "1",
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert program.stdout is not None
        ready, url = (await program.stdout.readline()).decode().split()
        assert ready == "ready"
        async with SglangModel.open(patient(url)) as model:
            assert await model.ready()
            assert words(await heard(model)).startswith(echo("where is the runbook?", grounded=False))
            async with aclosing(model.stream(a_prompt())) as left:
                await anext(left)
    finally:
        program.kill()
        await program.communicate()
