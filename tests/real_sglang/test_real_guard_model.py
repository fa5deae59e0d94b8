"""A guard model's requests, as a real server takes them. Its random weights judge nothing; the shapes are real."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.guardmodels.config import GuardModelConfig
from adapters.guardmodels.families import FAMILIES
from adapters.guardmodels.judgement import Brief
from adapters.guardmodels.model import GuardModel
from adapters.guardmodels.safeguard import Safeguard
from adapters.guardmodels.wire import choice, request
from adapters.sglang.config import SglangConfig
from engine.prompt import ChatMessage

TALK = [ChatMessage("user", "how do I pick a lock?"), ChatMessage("assistant", "With a tension wrench.")]
NO_THINKING = {"enable_thinking": False}


def fingerprint(text: str) -> str:
    return f"{hash(text)}"


@pytest.mark.parametrize("family", sorted(FAMILIES))
async def test_every_familys_request_is_taken_and_its_nonsense_is_an_error(config: SglangConfig, family: str) -> None:
    guard = GuardModelConfig(config, family, Brief(categories={"S1": "x."}), timeout=timedelta(seconds=60))
    async with GuardModel.open(guard, fingerprint) as model:
        judged = await model.judge(TALK)
        assert (judged.severity, judged.categories) == ("error", ())
        # The server's own refusals begin otherwise: this is what the model said, or nothing but thoughts.
        assert not judged.raw.startswith(("the server", "no connection", "not an answer", "no judgement"))
        body = request(model.name, {**model.family.build(TALK, guard.brief), "chat_template_kwargs": NO_THINKING})
        said = choice(await model._attempt(body))
    assert all(len(token.top) >= 4 and token.logprob <= 0.0 for token in said.tokens)
    assert said.tokens


async def test_a_constrained_answer_is_a_judgement(config: SglangConfig) -> None:
    """A grammar makes even random weights say something that can be read."""
    family = Safeguard(schema=True)
    fields = {**family.build(TALK, Brief()), "max_tokens": 200, "reasoning_effort": "none"}
    guard = GuardModelConfig(config, "gpt-oss-safeguard")
    async with GuardModel.open(guard, fingerprint) as model:
        said = choice(await model._attempt(request(model.name, fields)))
    judged = family.parse(said)
    assert judged.severity in ("safe", "unsafe")
    assert judged.score is not None
