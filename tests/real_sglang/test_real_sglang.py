"""What the fake only claims: our client against SGLang itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from adapters.sglang.config import SglangConfig
from adapters.sglang.model import SglangModel
from adapters.sglang.wire import PieceReader, request
from engine.errors import ModelUnavailable, PromptTooLong
from engine.messages import (
    Answer,
    Conversation,
    ConversationId,
    Found,
    Message,
    MessageId,
    PersonId,
    Place,
    TraceId,
    Turn,
)
from engine.ports import Finished, Piece, Reasoning, Text
from engine.prompt import Budget, ChatMessage, Estimate, Prompt, build_prompt

SOON = 20       # seconds that the server gets to take notice


def a_prompt(question: str = "Where is the runbook?", **changes: Any) -> Prompt:
    prompt = Prompt((ChatMessage("system", "Be brief."), ChatMessage("user", question)), a_trace(), max_tokens=16)
    return replace(prompt, **changes)


def a_trace() -> TraceId:
    return TraceId(uuid4().hex)


async def heard(model: SglangModel, prompt: Prompt) -> tuple[list[Piece], Finished]:
    async with aclosing(model.stream(prompt)) as stream:
        *pieces, last = [piece async for piece in stream]
    assert isinstance(last, Finished)
    return pieces, last


@asynccontextmanager
async def plainly(config: SglangConfig) -> AsyncGenerator[aiohttp.ClientSession, None]:
    """The server without our client between."""
    async with aiohttp.ClientSession(config.root, headers={"Authorization": f"Bearer {config.api_key}"}) as session:
        yield session


async def load(session: aiohttp.ClientSession) -> tuple[int, int]:
    """How many requests run, and how many wait."""
    async with session.get("v1/loads") as answer:
        loads = (await answer.json())["loads"][0]
    return loads["num_running_reqs"], loads["num_waiting_reqs"]


async def until(session: aiohttp.ClientSession, holds: Callable[[tuple[int, int]], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds(await load(session)):
            await asyncio.sleep(0.02)


async def aborted(session: aiohttp.ClientSession) -> float:
    """How many requests the server has dropped, by its own count."""
    async with session.get("metrics/") as answer:
        lines = (await answer.text()).splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("sglang:num_aborted_requests_total"))


@asynccontextmanager
async def occupied(config: SglangConfig, requests: int, priority: int) -> AsyncGenerator[None, None]:
    """A server that is busy with so many endless answers; in the end they are all dropped."""
    async with plainly(config) as session:
        endless = [
            {**json.loads(request(a_prompt(max_tokens=6000, priority=priority), config)), "ignore_eos": True}
            for _ in range(requests)
        ]
        asked = []
        for number, body in enumerate(endless, 1):
            asked.append(asyncio.ensure_future(session.post("v1/chat/completions", json=body)))
            await until(session, lambda now, number=number: sum(now) == number)     # type: ignore[misc]
        try:
            yield
        finally:
            for task in asked:
                task.cancel()
            for answer in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(answer, aiohttp.ClientResponse):
                    answer.close()
            await until(session, lambda now: now == (0, 0))


async def test_it_is_ready_for_those_with_the_key(model: SglangModel, config: SglangConfig) -> None:
    assert await model.ready()
    async with SglangModel.open(replace(config, api_key="sk-other")) as stranger:
        assert not await stranger.ready()


async def test_words_arrive_one_by_one_and_the_usage_at_the_end(model: SglangModel) -> None:
    pieces, last = await heard(model, a_prompt(max_tokens=64))
    assert len(pieces) > 5
    assert all(isinstance(piece, Text) for piece in pieces)
    assert last.reason in ("length", "stop")
    assert 0 < last.usage.completion <= 64
    assert last.usage.prompt > 10


async def test_thoughts_are_told_from_the_answer(config: SglangConfig) -> None:
    async with SglangModel.open(replace(config, reasoning_effort=None)) as model:
        pieces, _ = await heard(model, a_prompt(max_tokens=32))
    assert pieces       # the random model never stops thinking
    assert all(isinstance(piece, Reasoning) for piece in pieces)


async def test_leaving_the_stream_ends_the_generation(model: SglangModel, config: SglangConfig) -> None:
    async with plainly(config) as session:
        before = await aborted(session)
        async with aclosing(model.stream(a_prompt(max_tokens=6000))) as pieces:
            await anext(pieces)
            await until(session, lambda now: now == (1, 0))
        await until(session, lambda now: now == (0, 0))
        async with asyncio.timeout(SOON):
            while await aborted(session) == before:
                await asyncio.sleep(0.1)


async def test_a_schema_holds_even_a_random_model(config: SglangConfig) -> None:
    schema = {
        "type": "object", "additionalProperties": False, "required": ["verdict", "score"],
        "properties": {"verdict": {"enum": ["safe", "controversial", "unsafe"]}, "score": {"type": "integer"}},
    }
    form = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema, "strict": True}}
    async with plainly(config) as session:
        for _ in range(5):
            body = request(a_prompt(max_tokens=200), config, response_format=form)
            async with session.post(
                "v1/chat/completions", data=body, headers={"Content-Type": "application/json"}
            ) as answer:
                reader = PieceReader()
                pieces = reader.feed(await answer.read())
            assert reader.finished().reason == "stop"
            said = json.loads("".join(piece.text for piece in pieces if isinstance(piece, Text)))
            assert said["verdict"] in schema["properties"]["verdict"]["enum"]       # type: ignore[index]
            assert isinstance(said["score"], int)


def a_message(text: str) -> Message:
    place = Place("terminal", "local", "chat", PersonId("local"), direct=True)
    return Message(MessageId(a_trace()), ConversationId("chat"), PersonId("local"), text, place, datetime.now(UTC))


async def test_the_second_turn_of_a_conversation_finds_the_first_in_the_cache(model: SglangModel) -> None:
    salt = a_trace()

    async def turn(past: Conversation, question: str, salt: str) -> tuple[Conversation, Finished]:
        prompt = build_prompt(past, Found(), question, trace=a_trace(), tokens=Estimate(), budget=Budget(answer=32),
                              salt=salt)
        pieces, last = await heard(model, prompt)
        answer = Answer("".join(piece.text for piece in pieces if isinstance(piece, Text)))
        return Conversation(past.id, (*past.turns, Turn(a_message(question), answer))), last

    first, opening = await turn(Conversation(ConversationId("chat")), "Where is the runbook?", salt)
    second, followed = await turn(first, "And who is on call?", salt)
    _, third = await turn(second, "Since when?", salt)
    _, stranger = await turn(second, "Since when?", a_trace())
    assert opening.usage.cached == 0
    assert opening.usage.prompt * 0.8 < followed.usage.cached < third.usage.cached
    assert stranger.usage.cached == 0       # another tenant learns nothing from our cache


async def test_a_full_server_refuses_in_both_shapes(model: SglangModel, config: SglangConfig) -> None:
    async with occupied(config, 4, priority=20), plainly(config) as session:
        body = json.loads(request(a_prompt(priority=20), config))
        whole = {**body, "stream": False, "stream_options": None}
        async with session.post("v1/chat/completions", json=whole) as answer:
            assert answer.status == 503
            assert "Retry-After" not in answer.headers
            assert await answer.json() == {
                "object": "error", "message": "The request queue is full.", "type": "503", "param": None, "code": 503,
            }
        async with session.post("v1/chat/completions", json={**body, "rid": a_trace()}) as answer:
            assert answer.status == 200
            event, usage, done, _ = (await answer.text()).split("\n\n")
            assert json.loads(event.removeprefix("data: ")) == {"error": {
                "object": "error", "message": "The request queue is full.", "type": "SERVICE_UNAVAILABLE",
                "param": None, "code": 503,
            }}
            assert json.loads(usage.removeprefix("data: "))["usage"]["prompt_tokens"] == 0
            assert done == "data: [DONE]"
        with pytest.raises(ModelUnavailable, match=r"full \(503\)"):
            await heard(model, a_prompt(priority=20))


async def test_a_person_is_served_before_a_queue_of_digests(model: SglangModel, config: SglangConfig) -> None:
    async with occupied(config, 4, priority=0):
        _, last = await heard(model, a_prompt(priority=20))
    assert last.usage.completion > 0


async def test_a_prompt_over_the_context_is_too_long(model: SglangModel) -> None:
    with pytest.raises(PromptTooLong):
        await heard(model, a_prompt("Where is the runbook? " * 2000))
    with pytest.raises(PromptTooLong):
        await heard(model, a_prompt(max_tokens=9000))


async def test_a_wrong_key_is_named_as_the_cause(config: SglangConfig) -> None:
    async with SglangModel.open(replace(config, api_key="sk-other")) as model:
        with pytest.raises(ModelUnavailable, match=r"api key \(401\)"):
            await heard(model, a_prompt())


async def test_a_turn_that_still_runs_on_the_server_can_be_asked_again(config: SglangConfig) -> None:
    prompt = a_prompt(max_tokens=6000)
    async with SglangModel.open(replace(config, retries=1)) as model, aclosing(model.stream(prompt)) as abandoned:
        await anext(abandoned)
        _, last = await heard(model, replace(prompt, max_tokens=8))
    assert last.usage.completion > 0
