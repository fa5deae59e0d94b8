"""The client, against a server on loopback that answers, stalls, fails or talks nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.guardmodels.config import GuardModelConfig
from adapters.guardmodels.judgement import Choice, Judgement
from adapters.guardmodels.model import GuardModel, pieces
from engine.prompt import ChatMessage
from tests.adapters.guardmodels.answers import ASKED, body, choice, plain, token
from tests.adapters.sglang.talk import AN_INSTANT, patient
from tests.fake_sglang import (
    CRASHED,
    FULL,
    TOO_LONG,
    UNAUTHORIZED,
    Behaviour,
    Breaks,
    FakeSglang,
    Hushes,
    Moves,
    Request,
    Script,
    Sends,
    fake_sglang,
    says,
)

SAFE = plain("\n\nsafe")
UNSAFE = plain("\n\nunsafe\nS9")


def answers(*said: Choice) -> list[Behaviour]:
    return [Sends((body(each),)) for each in said]


def a_config(url: str, **changes: object) -> GuardModelConfig:
    config = GuardModelConfig(patient(url), "llama-guard-3", timeout=timedelta(seconds=30))
    return replace(config, **changes)      # type: ignore[arg-type]


@asynccontextmanager
async def a_model(script: Script, **changes: object) -> AsyncGenerator[tuple[GuardModel, FakeSglang], None]:
    async with (
        fake_sglang(script) as server,
        GuardModel.open(a_config(server.url, **changes), fingerprint) as model,
    ):
        yield model, server


def fingerprint(text: str) -> str:
    return f"{hash(text)}"


def question(text: str) -> list[ChatMessage]:
    return [ChatMessage("user", text)]


async def test_a_text_is_judged_with_probabilities() -> None:
    said = choice("\n\n", token("unsafe", {"unsafe": 0.9, "safe": 0.1}), "\n", "S9")
    async with a_model(answers(said)) as (model, server):
        judged = await model.judge(ASKED)
    assert (judged.severity, judged.categories) == ("unsafe", ("Indiscriminate Weapons",))
    assert judged.score == pytest.approx(0.9)
    (asked,) = server.requests
    assert {key: asked[key] for key in ("model", "temperature", "stream", "logprobs", "top_logprobs", "priority")} == {
        "model": "tiny-chat", "temperature": 0.0, "stream": False, "logprobs": True, "top_logprobs": 20, "priority": 30,
    }


async def test_the_servers_plain_shape_is_understood() -> None:
    async with a_model([says("sa", "fe")]) as (model, _):
        assert await model.judge(ASKED) == Judgement("safe", raw="safe")


async def test_a_text_is_asked_about_once() -> None:
    async with a_model(answers(SAFE, UNSAFE)) as (model, server):
        first, again, other = await model.judge(ASKED), await model.judge(ASKED), await model.judge(question("b"))
    assert (first.severity, again.severity, other.severity) == ("safe", "safe", "unsafe")
    assert again.raw == ""      # what the model said is not kept
    assert len(server.requests) == 2


async def test_a_verdict_ages_and_gives_way_to_newer_ones() -> None:
    now = [0.0]
    async with fake_sglang(answers(SAFE)) as server:
        config = a_config(server.url, cached=2, cached_for=timedelta(minutes=1))
        async with GuardModel.open(config, fingerprint, lambda: now[0]) as model:
            for text in "ab":
                await model.judge(question(text))
            await model.judge(question("a"))            # looked at again, so "b" goes first
            await model.judge(question("c"))
            await model.judge(question("a"))
            assert len(server.requests) == 3
            now[0] = 60.0
            await model.judge(question("a"))
            assert len(server.requests) == 4


async def test_an_error_is_not_remembered() -> None:
    async with a_model(answers(plain("As an AI, I cannot say."), SAFE)) as (model, _):
        assert (await model.judge(ASKED)).severity == "error"
        assert (await model.judge(ASKED)).severity == "safe"


@pytest.mark.parametrize("behaviour", [
    CRASHED, UNAUTHORIZED, TOO_LONG, Moves("/elsewhere"), Breaks(), Sends((b"<html>",)), Sends((b"{}",)),
    Sends((b'{"choices": []}',)), Sends((b"\xff\xfe",)), Sends((b'{"choices": [{"message": {"content": null}}]}',)),
    Sends((b"[" + b"1," * 3_000_000,)), Sends(()),
])
async def test_whatever_the_server_does_instead_is_an_error(behaviour: Behaviour) -> None:
    async with a_model([behaviour]) as (model, _):
        assert (await model.judge(ASKED)).severity == "error"


async def test_a_server_that_is_away_is_an_error() -> None:
    async with a_model(answers(SAFE)) as (model, server):
        pass
    async with GuardModel.open(a_config(server.url), fingerprint) as model:
        assert (await model.judge(ASKED)).severity == "error"


async def test_a_slow_verdict_is_an_error_and_is_dropped_upstream() -> None:
    async with a_model([Hushes()], timeout=AN_INSTANT) as (model, server):
        assert await model.judge(ASKED) == Judgement("error", raw="no judgement in time")
        await server.until_aborted()


async def test_a_full_server_is_asked_once_more() -> None:
    async with a_model([FULL, *answers(SAFE)]) as (model, server):
        assert (await model.judge(ASKED)).severity == "safe"
        assert len(server.requests) == 2


async def test_after_failures_in_a_row_nobody_waits_for_it() -> None:
    async with a_model([CRASHED]) as (model, server):
        for text in "abcdefgh":
            assert (await model.judge(question(text))).severity == "error"
        before = len(server.requests)
        judged = await model.judge(question("i"))
    assert judged.raw == "not asked: it failed too many times in a row"
    assert len(server.requests) == before


async def test_a_long_text_is_judged_in_pieces_and_the_worst_counts() -> None:
    def script(request: Request) -> Behaviour:
        return answers(UNSAFE if "needle" in request["messages"][-1]["content"] else SAFE)[0]

    async with a_model(script, longest=400, pieces=5) as (model, server):
        assert (await model.judge(question("hay " * 300 + "needle" + " hay" * 100))).severity == "unsafe"
        assert 1 < len(server.requests) <= 5
        too_long = await model.judge(question("hay " * 2000))
    assert too_long.severity == "error"


def test_what_straddles_a_cut_is_whole_in_one_piece() -> None:
    text = "".join(chr(0x4E00 + n) for n in range(5000))
    parts = pieces(text, 400)
    assert all(len(part) <= 400 for part in parts)
    assert all(any(text[at : at + 50] in part for part in parts) for at in range(len(text) - 50))


async def test_who_gives_up_waiting_leaves_nothing_running() -> None:
    async with a_model([Hushes()]) as (model, server):
        asking = asyncio.create_task(model.judge(ASKED))
        while not server.running:
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await server.until_aborted()


async def test_an_unknown_family_is_named_at_the_start() -> None:
    with pytest.raises(ValueError, match="llama-guard-3"):
        async with GuardModel.open(a_config("http://127.0.0.1:1", family="oracle"), fingerprint):
            pass
