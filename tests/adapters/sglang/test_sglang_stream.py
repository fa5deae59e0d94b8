"""An answer that goes well, and one that its reader leaves."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing

import pytest

from adapters.sglang.config import SglangConfig
from adapters.sglang.model import SglangModel
from engine.messages import TraceId
from engine.ports import ChatModel, Finished, Reasoning, Text
from tests.adapters.sglang.talk import AGES, AN_INSTANT, TRACE, a_prompt, heard, patient, words
from tests.fake_sglang import Hushes, Says, Sends, Thought, Word, fake_sglang, says


async def test_an_answer_arrives_word_by_word_and_ends_with_its_usage() -> None:
    async with fake_sglang([says("In ", "ops/ ", "[1].")]) as fake, SglangModel.open(patient(fake.url)) as model:
        *pieces, last = await heard(model)
    assert pieces == [Text("In "), Text("ops/ "), Text("[1].")]
    assert isinstance(last, Finished)
    assert (last.reason, last.usage.completion, last.usage.cached) == ("stop", 3, 0)
    assert last.usage.prompt > 0


async def test_each_word_is_passed_on_before_the_next_one_is_there() -> None:
    async with (
        fake_sglang([Hushes((Word("first"),))]) as fake, SglangModel.open(patient(fake.url)) as model,
        aclosing(model.stream(a_prompt())) as pieces,
    ):
        assert await anext(pieces) == Text("first")     # the server will never send another


async def test_reasoning_is_kept_apart_from_the_answer() -> None:
    script = [Says((Thought("Hmm, ops."), Word("In ops/."), Thought("Sure?"), Word(" Yes.")))]
    async with fake_sglang(script) as fake, SglangModel.open(patient(fake.url)) as model:
        pieces = await heard(model)
    assert words(pieces) == "In ops/. Yes."
    assert [piece for piece in pieces if isinstance(piece, Reasoning)] == [Reasoning("Hmm, ops."), Reasoning("Sure?")]


async def test_an_answer_without_a_word_is_an_answer() -> None:
    async with fake_sglang([Says((), "length")]) as fake, SglangModel.open(patient(fake.url)) as model:
        assert [piece.reason for piece in await heard(model) if isinstance(piece, Finished)] == ["length"]


async def test_the_request_carries_what_the_server_sorts_and_isolates_by() -> None:
    config = {"api_key": "sk-live", "reasoning_effort": "none"}
    async with (
        fake_sglang([says("Yes.")], api_key="sk-live") as fake, SglangModel.open(patient(fake.url, **config)) as model,
    ):
        await heard(model, a_prompt("Grüße, 世界?", priority=30, salt="slack:T1", max_tokens=64, temperature=0.0))
    assert fake.requests == [{
        "model": "tiny-chat",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Grüße, 世界?"}],
        "stream": True, "stream_options": {"include_usage": True},
        "max_tokens": 64, "temperature": 0.0, "priority": 30, "rid": TRACE, "cache_salt": "slack:T1",
        "reasoning_effort": "none",
    }]


async def test_what_was_not_set_is_not_sent() -> None:
    async with fake_sglang([says("Yes.")]) as fake, SglangModel.open(patient(fake.url)) as model:
        await heard(model, a_prompt(trace=TraceId("")))
    assert not {"rid", "cache_salt", "reasoning_effort", "response_format"} & set(fake.requests[0])
    assert "Authorization" not in fake.headers[0]


async def test_half_a_character_in_a_question_does_not_stop_it() -> None:
    async with fake_sglang([says("Yes.")]) as fake, SglangModel.open(patient(fake.url)) as model:
        assert words(await heard(model, a_prompt("cut \ud83d"))) == "Yes."
    assert fake.requests[0]["messages"][1]["content"] == "cut ?"


async def test_the_second_turn_finds_the_first_in_the_cache_but_only_under_its_own_salt() -> None:
    async with fake_sglang([says("In ops/.")]) as fake, SglangModel.open(patient(fake.url)) as model:
        cached = []
        for salt in ("slack:T1", "slack:T1", "slack:T2"):
            *_, last = await heard(model, a_prompt("where? " * 50, salt=salt))
            assert isinstance(last, Finished)
            cached.append(last.usage.cached)
    assert cached[0] == cached[2] == 0 < cached[1]


async def test_answers_in_a_row_share_one_connection() -> None:
    async with fake_sglang([says("Yes.")]) as fake, SglangModel.open(patient(fake.url)) as model:
        for _ in range(5):
            await heard(model)
    assert (len(fake.requests), len(fake.connections)) == (5, 1)


async def test_a_connection_is_used_again_though_the_response_ends_later_than_the_answer() -> None:
    said = b'data: {"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    script = [Sends((said,), pause=0.02)]
    async with fake_sglang(script) as fake, SglangModel.open(patient(fake.url)) as model:
        for _ in range(3):
            assert words(await heard(model)) == "Yes."
    assert len(fake.connections) == 1


async def test_a_response_that_never_ends_does_not_hold_a_whole_answer_back() -> None:
    said = b'data: {"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    script = [Sends((said,), pause=AGES.total_seconds())]
    async with fake_sglang(script) as fake, SglangModel.open(patient(fake.url)) as model:
        assert words(await heard(model)) == "Yes."
        await fake.until_idle()


async def test_there_is_no_limit_to_open_answers() -> None:
    async with (
        fake_sglang([Hushes((Word("Well, "),))]) as fake, SglangModel.open(patient(fake.url)) as model,
        AsyncExitStack() as stack,
    ):
        for _ in range(120):
            await anext(await stack.enter_async_context(aclosing(model.stream(a_prompt()))))
        assert fake.running == 120


async def test_no_proxy_hears_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with fake_sglang([says("Yes.")]) as fake, SglangModel.open(patient(fake.url)) as model:
        assert words(await heard(model)) == "Yes."


async def test_many_answers_at_once_do_not_mix() -> None:
    def script(request: dict[str, object]) -> Says:
        return says(*(f"{request['rid']} " for _ in range(20)))

    async with fake_sglang(script) as fake, SglangModel.open(patient(fake.url)) as model:      # type: ignore[arg-type]
        said = await asyncio.gather(*(heard(model, a_prompt(trace=TraceId(str(n)))) for n in range(30)))
    assert [words(pieces) for pieces in said] == [f"{n} " * 20 for n in range(30)]


async def test_leaving_the_stream_aborts_the_generation() -> None:
    async with fake_sglang([Hushes((Word("Well, "),))]) as fake, SglangModel.open(patient(fake.url)) as model:
        async with aclosing(model.stream(a_prompt())) as pieces:
            await anext(pieces)
        assert await fake.until_aborted() == [TRACE]


@pytest.mark.parametrize("silence", [Hushes(None), Hushes(()), Hushes((Word("Well, "),))])
async def test_a_cancelled_turn_aborts_the_generation(silence: Hushes) -> None:
    async with fake_sglang([silence]) as fake, SglangModel.open(patient(fake.url)) as model:
        turn = asyncio.create_task(heard(model))
        while not fake.running:
            await asyncio.sleep(0)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        assert await fake.until_aborted() == [TRACE]


async def test_a_slow_reader_is_not_taken_for_a_silent_server() -> None:
    idle = 6 * AN_INSTANT
    async with fake_sglang([says("In ", "ops/.")]) as fake, SglangModel.open(patient(fake.url, idle=idle)) as model:
        said = []
        async with aclosing(model.stream(a_prompt())) as pieces:
            async for piece in pieces:
                said.append(piece)
                await asyncio.sleep(idle.total_seconds() * 1.3)     # a platform that makes us wait
    assert words(said) == "In ops/."


async def test_it_is_ready_when_the_server_says_so() -> None:
    async with fake_sglang([says("Yes.")], api_key="sk-live") as fake:
        async with SglangModel.open(patient(fake.url, api_key="sk-live")) as model:
            assert await model.ready()
            fake.healthy = False
            assert not await model.ready()
            fake.healthy = True
        async with SglangModel.open(patient(fake.url)) as model:
            assert not await model.ready()      # without the key no question would get through
        gone = fake.url
    async with SglangModel.open(patient(gone)) as model:
        assert not await model.ready()


async def test_it_is_a_chat_model_and_goes_by_the_served_name() -> None:
    async with SglangModel.open(SglangConfig("http://127.0.0.1:1/v1", "chat")) as model:
        port: ChatModel = model
        assert port.name == "chat"


def test_the_key_is_not_in_the_config_s_repr() -> None:
    assert "sk-live" not in repr(SglangConfig("http://gpu:30000", "chat", api_key="sk-live"))


@pytest.mark.parametrize("url", ["http://gpu:30000", "http://gpu:30000/", "http://gpu:30000/v1", "http://gpu:30000/v1/"])
def test_an_address_with_or_without_v1_means_the_same_server(url: str) -> None:
    assert str(SglangConfig(url, "chat").root) == "http://gpu:30000/"


@pytest.mark.parametrize(
    "url", ["", "gpu:30000", "ftp://gpu", "http://", "http://bot:hunter2@gpu:30000", "http://gpu/?key=hunter2", "http://[gpu"]
)
def test_a_wrong_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="model url") as refused:
        SglangConfig(url, "chat")
    assert "hunter2" not in str(refused.value)


def test_a_key_that_no_header_can_carry_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="api key") as refused:
        SglangConfig("http://gpu:30000", "chat", api_key="hunter2\n")
    assert "hunter2" not in str(refused.value)
