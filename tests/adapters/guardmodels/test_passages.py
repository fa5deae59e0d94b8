"""A Granite Guardian, asked whether passages carry an answer, over the connections of the one that judges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.guardmodels.granite import GROUNDEDNESS, GraniteGuardian
from adapters.guardmodels.grounding import PassageJudge
from tests.adapters.guardmodels.answers import ASKED, plain
from tests.adapters.guardmodels.test_model import a_model, answers

PAGES = ["Give ten working days' notice.", "Claim expenses within 60 days."]


@pytest.mark.parametrize(("said", "carried"), [
    ("<think></think><score> no </score>", True), ("<score>yes</score>", False), ("I would rather not say.", None),
])
async def test_it_is_told_the_passages_and_says_whether_they_carry_the_answer(said: str, carried: bool | None) -> None:
    async with a_model(answers(plain(said)), family="granite-guardian-3.3") as (model, server):
        judge = PassageJudge(model.about(GraniteGuardian("3.3", GROUNDEDNESS)))
        assert await judge.carries("Ten days are enough.", PAGES) is carried
    (asked,) = server.requests
    assert asked["chat_template_kwargs"]["guardian_config"] == {"criteria_id": "groundedness"}
    context, answer = (message["content"] for message in asked["messages"])
    assert all(page in context for page in PAGES)
    assert answer == "Ten days are enough."


async def test_what_it_says_about_harm_and_about_support_are_two_questions() -> None:
    no, yes = plain("<score>no</score>"), plain("<score>yes</score>")
    async with a_model(answers(no, yes), family="granite-guardian-3.3") as (model, server):
        assert isinstance(model.family, GraniteGuardian)
        other = model.about(replace(model.family, criterion=GROUNDEDNESS))
        assert [(await each.judge(ASKED)).severity for each in (model, other, model, other)] == [
            "safe", "unsafe", "safe", "unsafe",
        ]
    assert len(server.requests) == 2
