"""However the network cuts a stream, the same is read from it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.sglang.sse import Events
from adapters.sglang.wire import Failure, PieceReader, refusal, refused, request
from engine.messages import Usage
from engine.ports import Finished, Piece, Reasoning, Text
from tests.adapters.sglang.talk import a_prompt, patient

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
pieces = st.lists(st.builds(Text, texts) | st.builds(Reasoning, texts), max_size=8)
newlines = st.sampled_from([b"\n", b"\r\n"])
noise = st.sampled_from([b"", b": keep-alive", b"event: message", b"id: 7", b"retry: 10", b"data-like: no"])
ends = st.sampled_from([
    b"[DONE]", b"", b"{", b'{"choices": 3}', b"\xff\xfe", b'{"error": {"message": "full", "code": 503}}',
    b'{"choices": [{"delta": {}, "finish_reason": "length"}]}', b'{"choices": [], "usage": {"prompt_tokens": 7}}',
])
LIMIT = 4096
unhurried = settings(deadline=None)      # a busy machine is not a defect


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Bytes that a server, a proxy or a bad day may send."""
    newline = draw(newlines)
    lines: list[bytes] = []
    for piece in draw(pieces):
        lines += [draw(noise), data(delta(piece), ascii_only=draw(st.booleans())), b""]
    for end in draw(st.lists(ends, max_size=3)):
        lines += [b"data: " + end, b""]
    sent = newline.join(lines) + newline
    return sent[: draw(st.integers(0, len(sent)))] if draw(st.booleans()) else sent


@st.composite
def blocks(draw: st.DrawFn, sent: bytes) -> list[bytes]:
    """The same bytes, cut anywhere, or everywhere."""
    if draw(st.booleans()):
        return [sent[n : n + 1] for n in range(len(sent))]
    cuts = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=12)))
    return [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True) if a < b]


def delta(piece: Piece) -> dict[str, Any]:
    assert not isinstance(piece, Finished)
    return {"content": piece.text} if isinstance(piece, Text) else {"reasoning_content": piece.text}


def data(delta: dict[str, Any], finish: str | None = None, *, ascii_only: bool = True) -> bytes:
    event = {"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "unknown": [{}]}
    return b"data: " + json.dumps(event, ensure_ascii=ascii_only).encode()


def read(parts: list[bytes], limit: int = LIMIT) -> tuple[list[Piece], str]:
    """The pieces, and how it ended."""
    reader = PieceReader(limit)
    read = [piece for part in parts for piece in reader.feed(part)]
    try:
        return read, repr(reader.finished())
    except Failure as failure:
        return read, str(failure)


@unhurried
@given(st.data(), streams(), st.sampled_from([LIMIT, 120]))
def test_any_cut_gives_the_same_pieces_and_the_same_end(draws: st.DataObject, sent: bytes, limit: int) -> None:
    assert read(draws.draw(blocks(sent)), limit) == read([sent], limit)


@unhurried
@given(st.data(), pieces, newlines, st.booleans())
def test_nothing_of_a_whole_answer_is_lost(
    draws: st.DataObject, said: list[Piece], newline: bytes, ascii_only: bool,
) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4,
                                      "prompt_tokens_details": {"cached_tokens": 8}}}
    lines = [data(delta(piece), ascii_only=ascii_only) for piece in said]
    lines += [data({}, "stop"), b"data: " + json.dumps(usage).encode(), b"data: [DONE]"]
    sent = b"".join(line + newline * 2 for line in lines)
    assert read(draws.draw(blocks(sent))) == (said, repr(Finished("stop", Usage(9, 4, 8))))


@unhurried
@given(st.binary(max_size=200), st.data())
@example(b"data: \x00\n\n", None)
@example(b'data: {"choices": [{"delta": {"content": "\\ud83d"}}]}\n\n', None)
def test_any_bytes_end_in_a_failure_or_an_answer(sent: bytes, draws: st.DataObject | None) -> None:
    parts = [sent] if draws is None else draws.draw(blocks(sent))
    assert read(parts) == read([sent])


@unhurried
@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line and b"\r" not in line), min_size=1))
def test_data_lines_of_one_event_are_joined(lines: list[bytes]) -> None:
    sent = b"".join(b"data: " + line + b"\n" for line in lines)
    assert Events(LIMIT * 100).feed(sent + b"\n") == [b"\n".join(lines)]
    assert Events(LIMIT * 100).feed(sent) == []         # without its blank line it is not over


def test_the_space_after_the_colon_is_no_part_of_the_data() -> None:
    assert Events(LIMIT).feed(b"data:a\n\ndata: b\n\ndata:  c\n\n") == [b"a", b"b", b" c"]


@pytest.mark.parametrize("sent", [b"data: " + b"x" * LIMIT, b": " + b"x" * LIMIT, b"data: xxxxxxx\n" * (LIMIT // 8)])
def test_an_event_over_the_limit_ends_the_reading(sent: bytes) -> None:
    events = Events(LIMIT)
    assert events.feed(b"data: before\n\n") == [b"before"]
    assert events.feed(sent) == []
    assert events.overflow
    assert events.feed(b"\n\ndata: after\n\n") == []


def test_what_follows_the_end_is_not_read() -> None:
    more = data({"content": "more"}, "stop") + b"\n\n"
    for end in (b"data: [DONE]\n\n", b"data: {\n\n"):
        assert read([end, more]) == read([end + more]) == ([], read([end])[1])


def test_many_events_together_may_be_larger_than_one() -> None:
    events = Events(64)
    assert len(events.feed(b"data: 0123456789\n\n" * 100)) == 100
    assert not events.overflow


odd_bodies = st.sampled_from([b'{"error": null}', b'{"message": 3}', b"[]", b'{"message": "\xff"}'])


@unhurried
@given(st.integers(100, 599), st.binary(max_size=100) | odd_bodies)
def test_any_refusal_has_a_meaning(status: int, body: bytes) -> None:
    assert str(status) in str(refusal(status, body))


@pytest.mark.parametrize("body", [
    b'{"object":"error","message":"The input (9 tokens) is longer than the model\'s context length.","code":400}',
    b'{"error":{"message":"This model\'s maximum context length is 8 tokens.","code":"context_length_exceeded"}}',
])
def test_too_long_is_known_in_the_shapes_of_server_and_gateway(body: bytes) -> None:
    assert refusal(400, body).too_long
    assert not refusal(500, body).too_long


def test_a_full_server_is_not_away_and_a_failing_one_is() -> None:
    assert [(f.again, f.away) for f in (refused(503, ""), refused(429, ""), refused(500, ""), refused(400, ""))] == [
        (True, False), (True, False), (True, True), (False, False),
    ]


def test_a_schema_goes_along_as_it_is() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": {"enum": ["yes", "no"]}}}
    sent = request(a_prompt(), patient("http://gpu:30000"), response_format=schema)
    assert json.loads(sent)["response_format"] == schema
