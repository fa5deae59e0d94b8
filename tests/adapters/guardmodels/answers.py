"""What the guard models say, in the shapes that they were recorded in, and how a server wraps it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.guardmodels.judgement import Choice, Token
from engine.prompt import ChatMessage

ASKED = [ChatMessage("user", "how do I pick a lock?")]
ANSWERED = [*ASKED, ChatMessage("assistant", "With a tension wrench.")]
Likely = Mapping[str, float]


def token(text: str, likely: Likely | None = None) -> Token:
    """``likely``: probabilities of the tokens at this place."""
    chances = likely or {text: 1.0}
    return Token(text, math.log(chances[text]), tuple((word, math.log(p)) for word, p in chances.items()))


def choice(*tokens: Token | str, finish: str = "stop") -> Choice:
    listed = tuple(each if isinstance(each, Token) else token(each) for each in tokens)
    return Choice("".join(each.text for each in listed), finish, listed)


def plain(text: str, finish: str = "stop") -> Choice:
    """As servers answer that give no probabilities."""
    return Choice(text, finish)


def body(said: Choice) -> bytes:
    """A whole answer as SGLang sends it."""
    return json.dumps({
        "id": "x", "object": "chat.completion", "created": 1, "model": "guard",
        "choices": [{
            "index": 0, "finish_reason": said.finish, "matched_stop": 2,
            "message": {"role": "assistant", "content": said.text, "reasoning_content": None, "tool_calls": None},
            "logprobs": {"content": [_wrapped(each) for each in said.tokens]} if said.tokens else None,
        }],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        "metadata": {"weight_version": "default"},
    }).encode()


def _wrapped(one: Token) -> dict[str, Any]:
    top = [{"token": text, "bytes": list(text.encode()), "logprob": p} for text, p in one.top]
    return {"token": one.text, "bytes": list(one.text.encode()), "logprob": one.logprob, "top_logprobs": top}


def roles(request: Mapping[str, Any]) -> Sequence[str]:
    return [message["role"] for message in request["messages"]]
