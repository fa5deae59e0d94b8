"""What goes over the wire to SGLang and comes back: request bytes, answer pieces, and what its refusals mean.

Of an answer only the fields that are read are decoded. Nothing here waits or knows a socket.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from adapters.sglang.config import SglangConfig
from adapters.sglang.sse import Events
from adapters.sglang.thoughts import Thoughts
from engine.messages import NO_USAGE, Usage
from engine.ports import Finished, Piece, Reasoning
from engine.prompt import ChatMessage, Prompt

EVENT_LIMIT: Final = 1024 * 1024
"""Bytes of one event of a stream. A chunk of an answer has some hundred."""
TOO_LONG: Final = "context length"
DUPLICATE: Final = "duplicate request id"
BUSY: Final = frozenset({408, 429, 503})
"""The server, or a gateway before it, is there and has no room: SGLang says 503, a gateway 429 or 408."""


class Failure(Exception):
    """One attempt went wrong; the message is for the operator and quotes nothing that the server said."""

    def __init__(self, cause: str, *, again: bool = False, away: bool = False, too_long: bool = False) -> None:
        """``again``: another attempt may help. ``away``: the breaker counts it. ``too_long``: the prompt's fault."""
        super().__init__(cause)
        self.again, self.away, self.too_long = again, away, too_long


class _Message(Struct):
    role: str
    content: str


class _StreamOptions(Struct):
    include_usage: bool


class _Request(Struct, omit_defaults=True):
    model: str
    messages: list[_Message]
    stream: bool
    stream_options: _StreamOptions
    max_tokens: int
    temperature: float
    priority: int
    rid: str = ""
    cache_salt: str = ""
    reasoning_effort: str | None = None
    response_format: Mapping[str, Any] | None = None


class _Delta(Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None


class _Choice(Struct, gc=False):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _PromptDetails(Struct, gc=False):
    cached_tokens: int | None = None


class _Usage(Struct, gc=False):
    prompt_tokens: int = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: _PromptDetails | None = None


class _Fault(Struct, gc=False):
    message: str | None = None
    code: int | str | None = None


class _Chunk(Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: _Fault | None = None


class _Refusal(Struct, gc=False):
    """The body of an answer other than 200: SGLang puts the fields at the top, gateways inside ``error``."""

    message: str | None = None
    error: _Fault | str | None = None


_chunk: Final = msgspec.json.Decoder(_Chunk)
_refusal: Final = msgspec.json.Decoder(_Refusal)
_request: Final = msgspec.json.Encoder()


def request(
    prompt: Prompt, config: SglangConfig, *, attempt: int = 1, response_format: Mapping[str, Any] | None = None,
) -> bytes:
    """The body of one streaming request.

    ``rid`` is the turn's trace id. The server refuses an id that it still works on, and it takes a moment to drop
    an abandoned request, so later attempts add their number.
    """
    def body(messages: list[_Message]) -> bytes:
        return _request.encode(_Request(
            model=config.name,
            messages=messages,
            stream=True,
            stream_options=_StreamOptions(include_usage=True),
            max_tokens=prompt.max_tokens,
            temperature=config.temperature if prompt.temperature is None else prompt.temperature,
            priority=prompt.priority,
            rid=prompt.trace if attempt == 1 or not prompt.trace else f"{prompt.trace}-{attempt}",
            cache_salt=prompt.salt,
            reasoning_effort=config.reasoning_effort,
            response_format=response_format,
        ))

    try:
        return body([_Message(message.role, message.text) for message in prompt.messages])
    except UnicodeEncodeError:      # half a surrogate pair, from a platform that cut a text in the wrong place
        return body([_Message(message.role, _encodable(message)) for message in prompt.messages])


def _encodable(message: ChatMessage) -> str:
    return message.text.encode("utf-8", "replace").decode("utf-8")


class PieceReader:
    """Reads one streamed answer, block by block.

    However the bytes are cut into blocks, the same pieces come out, and then the same end: ``failure`` is set
    when the server reported one or sent what is not an answer, ``done`` when it said that this was all.
    """

    __slots__ = ("_events", "_half", "_reason", "_thoughts", "_usage", "done", "failure")

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        """``limit``: bytes of one event."""
        self._events = Events(limit)
        self._reason: str | None = None
        self._thoughts = Thoughts()
        self._half = ""             # of a character, until the other half comes
        self._usage = NO_USAGE
        self.done = False
        self.failure: Failure | None = None

    def feed(self, block: bytes) -> list[Piece]:
        """The pieces that are complete with this block; `Finished` is not among them."""
        pieces: list[Piece] = []
        for data in self._events.feed(block):
            if self.done or self.failure is not None:
                return pieces
            if data == b"[DONE]":
                self.done = True
                return pieces
            try:
                chunk = _chunk.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the latter is msgspec's for bad UTF-8
                halved = self._halved(data)
                if halved is None:
                    self.failure = Failure(f"not an answer: {type(error).__name__}", away=True)
                    return pieces
                chunk = halved
            else:
                if self._half and chunk.choices and (delta := chunk.choices[0].delta).content:
                    delta.content, self._half = f"\ufffd{delta.content}", ""      # the other half never came
            self._take(chunk, pieces)
        if self._events.overflow and not self.done and self.failure is None:
            self.failure = Failure("an event of the stream is over the size limit", away=True)
        return pieces

    def finished(self) -> Finished:
        """The last piece, once the stream has ended. Raises `Failure` when it ended too early."""
        if self.failure is not None:
            raise self.failure
        if self._reason is None:
            raise Failure("the stream ended without a finish reason", again=True, away=True)
        return Finished(self._reason, self._usage)

    def _halved(self, data: bytes) -> _Chunk | None:
        """An event with half a surrogate pair in it: some servers cut an emoji in two. None: it is no event at all."""
        try:
            chunk = msgspec.convert(json.loads(data), _Chunk)
        except (ValueError, RecursionError, msgspec.ValidationError):
            return None
        for choice in chunk.choices or ():
            delta = choice.delta
            if delta.content:
                said = self._half + delta.content
                self._half = said[-1] if "\ud800" <= said[-1] < "\udc00" else ""
                delta.content = _whole(said[: len(said) - len(self._half)])
            if delta.reasoning_content:
                delta.reasoning_content = _whole(delta.reasoning_content)
        return chunk

    def _take(self, chunk: _Chunk, pieces: list[Piece]) -> None:
        if chunk.choices:
            choice = chunk.choices[0]
            delta = choice.delta
            if delta.reasoning_content:
                self._thoughts.apart()
                pieces.append(Reasoning(delta.reasoning_content))
            if delta.content:
                pieces += self._thoughts.parted(delta.content)
                if self._thoughts.stray:
                    self.failure = Failure("thoughts stand in the answer: start the server with --reasoning-parser")
            if choice.finish_reason is not None:
                pieces += self._thoughts.rest()
                self._reason = choice.finish_reason
        elif chunk.error is not None:
            code = chunk.error.code
            self.failure = refused(code if isinstance(code, int) else 500, chunk.error.message or "")
        elif chunk.usage is None and chunk.choices is None:
            self.failure = Failure("not an answer: an event of another shape", away=True)
        if chunk.usage is not None:
            self._usage = _usage(chunk.usage)


def _whole(text: str) -> str:
    """Halves that belong together are one character, and one alone is a mark that something is missing."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def refusal(status: int, body: bytes) -> Failure:
    """What an answer other than 200 means; ``body`` may be anything."""
    try:
        said = _refusal.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):       # a proxy's page: the status says enough
        return refused(status, "")
    inner = said.error.message if isinstance(said.error, _Fault) else None
    return refused(status, said.message or inner or "")


def refused(code: int, message: str) -> Failure:
    """The one table of what the server may say instead of an answer. ``message`` is read and never repeated."""
    said = message.lower()
    if code == 400 and TOO_LONG in said:
        return Failure("the prompt is over the server's context length", too_long=True)
    if code == 400 and DUPLICATE in said:
        return Failure("the server still works on an earlier attempt (400)", again=True)
    if code in (401, 403):
        return Failure(f"the server does not accept the api key ({code}); check the model's api_key setting")
    if code in BUSY:
        return Failure(f"the server is full ({code})", again=True)
    if code >= 500:
        return Failure(f"the server failed ({code})", again=True, away=True)
    return Failure(f"the server refused the request ({code})")


def _usage(usage: _Usage) -> Usage:
    details = usage.prompt_tokens_details
    return Usage(
        usage.prompt_tokens, usage.completion_tokens or 0, (details.cached_tokens or 0) if details is not None else 0
    )
