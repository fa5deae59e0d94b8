"""A judgement's request as bytes, and the answer's bytes as a `Choice`. Nothing here waits or knows a socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from adapters.guardmodels.judgement import Choice, Token

PRIORITY: Final = 30                # before people (20) and digests (0): somebody waits for the verdict already
TOP: Final = 20


class _Likely(Struct, gc=False):
    token: str
    logprob: float


class _Token(Struct, gc=False):
    token: str
    logprob: float
    top_logprobs: list[_Likely] | None = None


class _Logprobs(Struct, gc=False):
    content: list[_Token] | None = None


class _Message(Struct, gc=False):
    content: str | None = None


class _Choice(Struct, gc=False):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Answer(Struct, gc=False):
    choices: list[_Choice]


_answer: Final = msgspec.json.Decoder(_Answer)


class NotAnAnswer(ValueError):
    """Bytes that hold no choice."""


def request(model: str, fields: Mapping[str, Any]) -> bytes:
    """The body of one request; the same text is to get the same verdict twice."""
    return msgspec.json.encode({
        "model": model, "temperature": 0.0, "stream": False, "logprobs": True, "top_logprobs": TOP,
        "priority": PRIORITY, **fields,
    })


def choice(body: bytes) -> Choice:
    """The first choice. Raises `NotAnAnswer`."""
    try:
        said = _answer.decode(body).choices
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAnAnswer(type(error).__name__) from error
    if not said:
        raise NotAnAnswer("no choices")
    first = said[0]
    listed = (first.logprobs.content or ()) if first.logprobs else ()
    tokens = tuple(
        Token(each.token, each.logprob, tuple((other.token, other.logprob) for other in each.top_logprobs or ()))
        for each in listed
    )
    return Choice(first.message.content or "", first.finish_reason or "", tokens)
