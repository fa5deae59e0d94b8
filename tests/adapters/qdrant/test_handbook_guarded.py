"""Ordinary questions to the handbook, with every guard in place as on the first day: nothing is taken from anybody."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.qdrant.socket import open_index
from adapters.qdrant.sync import sync
from bot.guards import Guards
from engine.guards.citations import CitationGuard
from engine.guards.egress import Egress
from engine.messages import Claim, Found, Mode, TraceId, Trail
from engine.ports import Finished, Text
from engine.quote import quote
from engine.turn import Chains, PassageScreen
from tests.adapters.qdrant.test_handbook import ELSEWHERE, HANDBOOK, QUESTIONS
from tests.adapters.qdrant.worlds import ask
from tests.builders import ORG, a_message, an_answer
from tests.fakes import house


@pytest.fixture(scope="module")
def quoted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    path: Path = tmp_path_factory.mktemp("guarded")

    async def found() -> dict[str, Found]:
        async with open_index(path) as index:
            assert index.own
            await sync(index.own, HANDBOOK, ORG)
            return {question: await ask(index, question) for question in (*QUESTIONS, *ELSEWHERE)}

    return asyncio.run(found())


def around(question: str, guards: Guards) -> Chains:
    return guards.for_turn(Claim(TraceId("t"), a_message(question)))


async def bare(words: str, question: str, found: Found) -> str:
    """With its marks put in order, and nothing else."""
    screen = Egress((CitationGuard(),), str).open(question, found, Trail(TraceId("t")))
    await screen.feed(Text(words))
    await screen.close()
    return screen.text


@pytest.mark.parametrize("alone", [True, False], ids=["one model", "two models"])
async def test_nobody_who_asks_the_handbook_is_stopped_masked_or_flagged(
    quoted: dict[str, Found], alone: bool,
) -> None:
    for question, found in quoted.items():
        chains, trail = around(question, house(alone=alone)), Trail(TraceId("t"))
        first = await chains.inbound.first(question, trail)
        passed = await chains.inbound.beside(first.text, trail)
        assert (passed.text, first.flags + passed.flags) == (question, ())
        assert isinstance(chains.passages, PassageScreen)
        assert await chains.passages.screen(found, trail) == found
        assert {decision.action for decision in trail.decisions} == {"allow"}


async def test_a_quoted_page_stands_as_it_was_written(quoted: dict[str, Found]) -> None:
    for question, found in quoted.items():
        chains, trail = around(question, house(alone=True)), Trail(TraceId("t"))
        words = quote(found, question, connected=False)
        screen = chains.egress.recite(question, found, trail)
        await screen.feed(Text(words))
        await screen.feed(Finished("stop"))
        await screen.close()
        assert screen.text == await bare(words, question, found)
        assert {decision.action for decision in trail.decisions if decision.guard != "citations"} == {"allow"}
        if not found.answers:
            continue
        shown = await chains.egress.show(replace(an_answer(words, *found.passages), mode=Mode.QUOTE), trail)
        assert shown.text == await bare(words, question, found)
        assert [source.quote for source in shown.sources] == [passage.text for passage in found.passages]
