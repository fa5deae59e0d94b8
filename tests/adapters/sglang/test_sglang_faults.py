"""Everything a server can do instead of answering, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import aclosing
from datetime import timedelta

import pytest

from adapters.sglang.config import SglangConfig
from adapters.sglang.model import SglangModel
from engine.errors import BotError, ModelBroken, ModelUnavailable, PromptTooLong
from engine.ports import Piece
from tests.adapters.sglang.talk import AGES, AN_INSTANT, TRACE, a_prompt, heard, patient, words
from tests.fake_sglang import (
    CRASHED,
    EVICTED,
    FULL,
    FULL_STREAM,
    TOO_LONG,
    UNAUTHORIZED,
    Behaviour,
    Breaks,
    Fault,
    Hushes,
    Moves,
    Refusal,
    Sends,
    Thought,
    Word,
    fake_sglang,
    says,
)

WELL = says("In ops/.")
HALF = (Word("In "), Word("op"))
GARBAGE = Sends((b"data: {\"choices\": [{\"del\n\n",))
PAGE = Sends((b"<html>\n<body>It works!</body>\n</html>\n",))
DUPLICATE = Refusal(400, f"Duplicate request ID detected: {TRACE}", "BadRequestError")


def chunk(text: str) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\n\n".encode()


async def ends(script: list[Behaviour], **changes: object) -> tuple[str, BotError, int]:
    """What was said before it went wrong, how it went wrong, and how many requests that took."""
    said: list[Piece] = []

    async def listen(model: SglangModel) -> None:
        async with aclosing(model.stream(a_prompt())) as pieces:
            async for piece in pieces:
                said.append(piece)

    async with fake_sglang(script) as fake, SglangModel.open(patient(fake.url, **changes)) as model:
        with pytest.raises(BotError) as raised:
            await listen(model)
        await fake.until_idle()     # nothing goes on behind our back
    return words(said), raised.value, len(fake.requests)


@pytest.mark.parametrize("fault", [
    FULL, FULL_STREAM, EVICTED, CRASHED, Refusal(429, "Too many", "rate_limit_error"), DUPLICATE,
    Fault(500, "Generation aborted.", "INTERNAL_SERVER_ERROR"), Breaks(()), Breaks((), torn=False),
])
async def test_before_the_first_piece_another_attempt_makes_it_good(fault: Behaviour) -> None:
    async with fake_sglang([fault, fault, WELL]) as fake, SglangModel.open(patient(fake.url)) as model:
        assert words(await heard(model)) == "In ops/."
    assert [request["rid"] for request in fake.requests] == [TRACE, f"{TRACE}-2", f"{TRACE}-3"]


@pytest.mark.parametrize(("fault", "cause"), [
    (FULL, "full (503)"), (FULL_STREAM, "full (503)"), (EVICTED, "full (503)"), (CRASHED, "failed (500)"),
    (Breaks(()), "broke off"), (Breaks((), torn=False), "without a finish reason"),
])
async def test_when_no_attempt_is_good_the_model_is_unavailable(fault: Behaviour, cause: str) -> None:
    said, error, requests = await ends([fault])
    assert (said, type(error), requests) == ("", ModelUnavailable, 3)
    assert cause in str(error)


@pytest.mark.parametrize(("fault", "kind", "cause"), [
    (UNAUTHORIZED, ModelUnavailable, "api key (401)"),
    (TOO_LONG, PromptTooLong, "context length"),
    (Refusal(400, "Requested token count exceeds the model's maximum context length of 8 tokens.", "BadRequestError"),
     PromptTooLong, "context length"),
    (Refusal(400, "1 validation error in /sglang/protocol.py", "BadRequestError"), ModelUnavailable, "(400)"),
    (Refusal(404, "Not Found", "NotFoundError"), ModelUnavailable, "(404)"),
    (GARBAGE, ModelUnavailable, "not an answer"),
    (Sends((b"data: [1, 2]\n\n",)), ModelUnavailable, "not an answer"),
    (Sends((b"data: {}\n\n",)), ModelUnavailable, "not an answer"),
    (Sends((b"data: {\"choices\": [{\"delta\": {\"content\": \"\xff\"}}]}\n\n",)), ModelUnavailable, "not an answer"),
    (Sends((b"data: " + b"x" * 1_100_000, )), ModelUnavailable, "size limit"),
])
async def test_what_another_attempt_cannot_mend_is_not_tried_again(
    fault: Behaviour, kind: type[BotError], cause: str,
) -> None:
    said, error, requests = await ends([fault, WELL])
    assert (said, type(error), requests) == ("", kind, 1)
    assert cause in str(error)
    assert "protocol.py" not in str(error)


async def test_a_page_that_is_no_stream_is_not_an_answer() -> None:
    _, error, _ = await ends([PAGE])
    assert isinstance(error, ModelUnavailable)


@pytest.mark.parametrize(("fault", "cause"), [
    (Breaks(HALF), "broke off"),
    (Breaks(HALF, torn=False), "without a finish reason"),
    (Fault(500, "Generation aborted.", "INTERNAL_SERVER_ERROR", HALF), "failed (500)"),
    (Fault(503, EVICTED.message, EVICTED.type, HALF), "full (503)"),
    (Sends((chunk("In "), chunk("op"), *GARBAGE.blocks)), "not an answer"),
    (Sends((chunk("In "), chunk("op"), b"data: [DONE]\n\n")), "without a finish reason"),
    (Sends((chunk("In "), chunk("op"), b": " + b"x" * 1_100_000)), "size limit"),
])
async def test_after_the_first_piece_it_is_broken_and_never_tried_again(fault: Behaviour, cause: str) -> None:
    said, error, requests = await ends([fault, WELL])
    assert (said, type(error), requests) == ("In op", ModelBroken, 1)
    assert cause in str(error)


async def test_a_thought_is_a_piece_too() -> None:
    _, error, requests = await ends([Breaks((Thought("Hmm"),)), WELL])
    assert (type(error), requests) == (ModelBroken, 1)


async def test_a_server_that_never_begins_runs_out_the_first_token_budget() -> None:
    said, error, requests = await ends([Hushes(None)], first_token=AN_INSTANT)
    assert (said, type(error), requests) == ("", ModelUnavailable, 1)
    assert "no first piece" in str(error)


async def test_headers_are_not_a_first_token() -> None:
    _, error, _ = await ends([Hushes(())], first_token=AN_INSTANT)
    assert isinstance(error, ModelUnavailable)


async def test_all_attempts_share_the_first_token_budget() -> None:
    _, error, requests = await ends([FULL], first_token=AN_INSTANT, retries=1000, retry_wait=AN_INSTANT)
    assert isinstance(error, ModelUnavailable)
    assert requests < 10


async def test_a_stream_that_falls_silent_runs_out_the_idle_budget_and_is_aborted() -> None:
    async with (
        fake_sglang([Hushes(HALF)]) as fake, SglangModel.open(patient(fake.url, idle=AN_INSTANT)) as model,
    ):
        with pytest.raises(ModelBroken, match="fell silent"):
            await heard(model)
        assert await fake.until_aborted() == [TRACE]


async def test_a_stream_that_never_ends_runs_out_the_budget_of_a_whole_answer() -> None:
    endless = says(*("on and ",) * 100_000, delay=0.005)
    said, error, _ = await ends([endless], whole=10 * AN_INSTANT)
    assert isinstance(error, ModelBroken)
    assert "a whole answer" in str(error)
    assert said.startswith("on and ")


async def test_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))       # bound and not listening: refused at once
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        async with SglangModel.open(patient(url)) as model:
            with pytest.raises(ModelUnavailable, match="no connection"):
                await heard(model)


async def test_a_connection_that_does_not_come_about_runs_out_its_own_budget() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with socket.socket() as waiting, socket.socket() as another:
            for taken in (waiting, another):    # the backlog of the listener: a further handshake gets no reply
                taken.setblocking(False)
                taken.connect_ex(full.getsockname())
            async with SglangModel.open(patient(url, connect=AN_INSTANT, retries=0)) as model:
                with pytest.raises(ModelUnavailable, match="no connection"):
                    await heard(model)


async def test_a_cancelled_turn_does_not_finish_its_attempts() -> None:
    async with (
        fake_sglang([FULL]) as fake, SglangModel.open(patient(fake.url, retries=1000, retry_wait=AGES)) as model,
    ):
        turn = asyncio.create_task(heard(model))
        while not fake.requests or fake.running:
            await asyncio.sleep(0.001)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
    assert len(fake.requests) == 1


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_dead_server_is_left_alone_for_a_while_and_then_tried_again() -> None:
    clock = Clock()
    script: list[Behaviour] = [CRASHED, CRASHED, WELL]
    async with fake_sglang(script) as fake:
        config = patient(fake.url, retries=0, breaker_threshold=2, breaker_cooldown=timedelta(seconds=15))
        async with SglangModel.open(config, clock) as model:
            for _ in range(2):
                with pytest.raises(ModelUnavailable, match="failed"):
                    await heard(model)
            with pytest.raises(ModelUnavailable, match="not asked"):
                await heard(model)
            assert len(fake.requests) == 2
            clock.now = 15.0
            assert words(await heard(model)) == "In ops/."
            assert words(await heard(model)) == "In ops/."


async def broken_and_cooled(model: SglangModel, clock: Clock) -> None:
    """One failure opens its breaker, and the time of a trial has come."""
    with pytest.raises(ModelUnavailable, match="failed"):
        await heard(model)
    clock.now += AGES.total_seconds()


def touchy(url: str) -> SglangConfig:
    return patient(url, retries=0, breaker_threshold=1, breaker_cooldown=AGES)


async def test_failures_between_answers_do_not_add_up() -> None:
    script: list[Behaviour] = [CRASHED, WELL] * 3
    async with (
        fake_sglang(script) as fake,
        SglangModel.open(patient(fake.url, retries=0, breaker_threshold=2)) as model,
    ):
        for _ in range(3):
            with pytest.raises(ModelUnavailable, match="failed"):
                await heard(model)
            assert words(await heard(model)) == "In ops/."


async def test_the_first_word_of_a_trial_opens_the_door_for_others() -> None:
    clock = Clock()
    script: list[Behaviour] = [CRASHED, Hushes(HALF), WELL]
    async with fake_sglang(script) as fake, SglangModel.open(touchy(fake.url), clock) as model:
        await broken_and_cooled(model, clock)
        async with aclosing(model.stream(a_prompt())) as trial:
            await anext(trial)
            assert words(await heard(model)) == "In ops/."


async def test_a_trial_that_finds_the_server_full_has_found_it_alive() -> None:
    clock = Clock()
    script: list[Behaviour] = [CRASHED, FULL, WELL]
    async with fake_sglang(script) as fake, SglangModel.open(touchy(fake.url), clock) as model:
        await broken_and_cooled(model, clock)
        with pytest.raises(ModelUnavailable, match="full"):
            await heard(model)
        assert words(await heard(model)) == "In ops/."


async def test_a_redirection_is_not_followed() -> None:
    async with fake_sglang([WELL]) as elsewhere:
        _, error, requests = await ends([Moves(f"{elsewhere.url}/v1/chat/completions")])
    assert (type(error), requests, elsewhere.requests) == (ModelUnavailable, 1, [])


@pytest.mark.parametrize("fault", [FULL, TOO_LONG, UNAUTHORIZED])
async def test_a_server_that_refuses_is_not_a_dead_one(fault: Behaviour) -> None:
    async with fake_sglang([fault]) as fake:
        async with SglangModel.open(patient(fake.url, retries=0, breaker_threshold=1)) as model:
            for _ in range(3):
                with pytest.raises(BotError):
                    await heard(model)
        assert len(fake.requests) == 3


async def test_a_server_that_keeps_breaking_off_is_a_dead_one() -> None:
    async with (
        fake_sglang([Breaks(HALF)]) as fake, SglangModel.open(patient(fake.url, breaker_threshold=3)) as model,
    ):
        for _ in range(3):
            with pytest.raises(ModelBroken):
                await heard(model)
        with pytest.raises(ModelUnavailable, match="not asked"):
            await heard(model)


async def test_an_error_names_the_model_and_quotes_neither_server_nor_question() -> None:
    fault = Refusal(400, "cannot parse 'my salary is 5000'", "BadRequestError")
    async with fake_sglang([fault]) as fake, SglangModel.open(patient(fake.url, api_key="sk-live")) as model:
        with pytest.raises(ModelUnavailable) as raised:
            await heard(model, a_prompt("my salary is 5000"))
    assert str(raised.value) == "tiny-chat: the server refused the request (400)"
