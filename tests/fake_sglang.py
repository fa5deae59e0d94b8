"""A stand-in for SGLang on loopback: the wire shapes of version 0.5.23, fault by fault.

In tests, `fake_sglang` serves what a script says. As a program it answers any question with words that only this
question gets, so that whoever asked can tell whether the answer is its own::

    python -m tests.fake_sglang --port 30000 --chunks 60 --delay-ms 20

With ``--say`` it says that instead, whatever it is asked, three characters at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, TypeAlias

from aiohttp import web

NAME: Final = "tiny-chat"
CONTEXT: Final = 8192               # tokens
BYTES_A_TOKEN: Final = 4
REMEMBERED: Final = 64              # prompts per salt that the prefix cache holds
PASSAGES: Final = "\n\n<passages>\n"    # how engine/prompt.py parts question and passages


@dataclass(frozen=True, slots=True)
class Word:
    """One chunk with words of the answer, after ``delay`` seconds."""

    text: str
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Thought:
    """One chunk of reasoning, after ``delay`` seconds."""

    text: str
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Says:
    """A stream that goes well: words, finish, usage, ``[DONE]``."""

    pieces: tuple[Word | Thought, ...]
    finish: str = "stop"
    delay: float = 0.0              # seconds until the first byte


@dataclass(frozen=True, slots=True)
class Fault:
    """An error event, as SGLang sends it in a stream; ``after`` these words."""

    code: int
    message: str
    type: str
    after: tuple[Word | Thought, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A JSON answer other than 200. No ``type``: SGLang's shape for a missing key."""

    code: int
    message: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Breaks:
    """So many words, then the connection ends: torn (``torn``), or closed as if all had been said."""

    after: tuple[Word | Thought, ...] = ()
    torn: bool = True


@dataclass(frozen=True, slots=True)
class Hushes:
    """So many words, then silence for as long as the client stays. None: not even headers."""

    after: tuple[Word | Thought, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sends:
    """These bytes as the body of a 200, block by block, then, after ``pause`` seconds, a clean end."""

    blocks: tuple[bytes, ...]
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Moves:
    """A redirection, as a misconfigured proxy gives it."""

    to: str


Behaviour: TypeAlias = Says | Fault | Refusal | Breaks | Hushes | Sends | Moves
Request: TypeAlias = Mapping[str, Any]
"""The decoded body of one chat request."""
Script: TypeAlias = Callable[[Request], Behaviour] | Sequence[Behaviour]
"""What each request gets; of a sequence each request takes the next, and the last one stays."""

NOTHING: Final[Mapping[str, Any]] = {
    "prompt_tokens": 0, "total_tokens": 0, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0},
    "reasoning_tokens": 0, "completion_tokens_details": None,
}

FULL: Final = Refusal(503, "The request queue is full.", "503")
FULL_STREAM: Final = Fault(503, "The request queue is full.", "SERVICE_UNAVAILABLE")
EVICTED: Final = Fault(503, "The request is aborted by a higher priority request.", "SERVICE_UNAVAILABLE")
UNAUTHORIZED: Final = Refusal(401, "Unauthorized")
CRASHED: Final = Refusal(500, "Internal server error", "InternalServerError")
TOO_LONG: Final = Refusal(
    400, f"The input (18010 tokens) is longer than the model's context length ({CONTEXT} tokens).", "BadRequestError"
)


def says(*words: str, delay: float = 0.0, finish: str = "stop") -> Says:
    """These words, one chunk each, ``delay`` seconds before each."""
    return Says(tuple(Word(word, delay) for word in words), finish)


def echo(question: str, *, grounded: bool) -> str:
    """What the program answers: a mark that only this question has, its first words, and ``[1]`` for passages."""
    mark = hashlib.sha256(question.encode("utf-8", "replace")).hexdigest()[:8]
    opening = " ".join(question.split()[:8])
    return f"q-{mark}: {opening}{' [1]' if grounded else ''}."


def answering(chunks: int, delay: float) -> Callable[[Request], Behaviour]:
    """A script of `echo` in exactly ``chunks`` pieces (0: as many as it has words), ``delay`` seconds apart."""
    def answer(request: Request) -> Behaviour:
        asked, found, _ = str(request["messages"][-1]["content"]).partition(PASSAGES)
        said = echo(asked, grounded=bool(found)).split(" ")
        words = [said[0], *(f" {word}" for word in said[1:])]
        if 0 < chunks < len(words):
            words = [*words[: chunks - 1], "".join(words[chunks - 1 :])]
        words += [" Noted."] * (chunks - len(words))
        return says(*words, delay=delay)

    return answer


@dataclass(slots=True)
class FakeSglang:
    """The running stand-in, and what it has seen."""

    script: Script
    api_key: str = ""
    keep: bool = True                               # what was asked; a long-running program would fill its memory
    url: str = ""
    healthy: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)    # decoded bodies, in order of arrival
    headers: list[Mapping[str, str]] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)           # each a client's address and port
    running: int = 0
    aborted: list[str] = field(default_factory=list)                # rids of generations that a client left
    _asked: int = 0
    _ended: asyncio.Condition = field(default_factory=asyncio.Condition)
    _prefixes: dict[str, dict[str, None]] = field(default_factory=dict)    # salt -> prompts, oldest first
    _ids: count[int] = field(default_factory=count)

    async def until_aborted(self, number: int = 1) -> list[str]:
        """Waits until so many generations were left by their clients."""
        async with self._ended:
            await self._ended.wait_for(lambda: len(self.aborted) >= number)
        return self.aborted

    async def until_idle(self) -> None:
        """Waits until nothing is generated."""
        async with self._ended:
            await self._ended.wait_for(lambda: not self.running)

    def app(self) -> web.Application:
        """The endpoints that a chat client needs."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/health", self._health)
        app.router.add_get("/v1/models", self._models)
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.healthy else 503)

    async def _models(self, http: web.Request) -> web.Response:
        if not self.healthy:
            return web.Response(status=503)
        if not self._admits(http):
            return _refusal(UNAUTHORIZED)
        model = {"id": NAME, "object": "model", "created": _now(), "owned_by": "sglang", "root": NAME, "parent": None,
                 "max_model_len": CONTEXT}
        return web.json_response({"object": "list", "data": [model]})

    async def _chat(self, http: web.Request) -> web.StreamResponse:
        request: dict[str, Any] = await http.json()
        if self.keep:
            self.requests.append(request)
            self.headers.append(http.headers.copy())
            if http.transport is not None:
                self.connections.add(http.transport.get_extra_info("peername"))
        if not self._admits(http):
            return _refusal(UNAUTHORIZED)
        self.running += 1
        rid = str(request.get("rid") or f"fake-{next(self._ids)}")
        try:
            return await _Exchange(http, request, rid, self._cached).run(self._behaviour(request))
        except (asyncio.CancelledError, ConnectionError):   # the client hung up: a real server drops the generation
            self.aborted.append(rid)
            raise
        finally:
            self.running -= 1
            async with self._ended:
                self._ended.notify_all()

    def _admits(self, http: web.Request) -> bool:
        return not self.api_key or http.headers.get("Authorization") == f"Bearer {self.api_key}"

    def _behaviour(self, request: Request) -> Behaviour:
        if callable(self.script):
            return self.script(request)
        self._asked += 1
        return self.script[min(self._asked, len(self.script)) - 1]

    def _cached(self, salt: str, prompt: str, answer: str) -> int:
        """Tokens of this prompt that an earlier one with the same salt has begun with."""
        known = self._prefixes.setdefault(salt, {})
        longest = max((_common(prompt, other) for other in known), default=0)
        known.pop(prompt + answer, None)
        known[prompt + answer] = None
        if len(known) > REMEMBERED:
            del known[next(iter(known))]
        return min(longest, max(len(prompt) - 1, 0)) // BYTES_A_TOKEN   # the last token is always computed


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One request and its answer."""

    http: web.Request
    request: Request
    rid: str
    cached: Callable[[str, str, str], int]

    async def run(self, behaviour: Behaviour) -> web.StreamResponse:
        match behaviour:
            case Refusal():
                return _refusal(behaviour)
            case Moves(to=to):
                return web.Response(status=307, headers={"Location": to})
            case Says(pieces=pieces, finish=finish, delay=delay) if not self.request.get("stream"):
                await asyncio.sleep(delay + sum(piece.delay for piece in pieces))
                return self._whole(pieces, finish)
            case Hushes(after=None):
                await asyncio.Event().wait()
        return await self._stream(behaviour)

    async def _stream(self, behaviour: Behaviour) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        if isinstance(behaviour, Says) and behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        await response.prepare(self.http)
        match behaviour:
            case Says(pieces=pieces, finish=finish):
                await self._speak(response, pieces)
                await response.write(self._event({"reasoning_content": None}, finish))
                await self._close(response, self._usage(pieces))
            case Fault(code=code, message=message, type=kind, after=pieces):
                await self._speak(response, pieces)
                error = {"object": "error", "message": message, "type": kind, "param": None, "code": code}
                await response.write(f"data: {json.dumps({'error': error})}\n\n".encode())
                await self._close(response, self._usage(pieces) if pieces else NOTHING)
            case Breaks(after=pieces, torn=torn):
                await self._speak(response, pieces)
                if torn and self.http.transport is not None:
                    self.http.transport.close()
                    return response
            case Hushes(after=pieces):
                await self._speak(response, pieces or ())
                await asyncio.Event().wait()
            case Sends(blocks=blocks, pause=pause):
                for block in blocks:
                    await response.write(block)
                    await asyncio.sleep(0)
                await asyncio.sleep(pause)
        await response.write_eof()
        return response

    async def _speak(self, response: web.StreamResponse, pieces: Sequence[Word | Thought]) -> None:
        if not pieces:
            return
        first = True
        for piece in pieces:
            if piece.delay:
                await asyncio.sleep(piece.delay)
            if first:       # SGLang introduces the speaker when it has the first token, not before
                await response.write(self._event({"reasoning_content": None, "role": "assistant", "content": ""}))
                first = False
            if isinstance(piece, Thought):
                await response.write(self._event({"reasoning_content": piece.text}))
            else:
                await response.write(self._event({"reasoning_content": None, "content": piece.text}))

    async def _close(self, response: web.StreamResponse, usage: Mapping[str, Any]) -> None:
        if (self.request.get("stream_options") or {}).get("include_usage"):     # after an error event, too
            await response.write(_sse({**self._head("chat.completion.chunk"), "choices": [], "usage": usage}))
        await response.write(b"data: [DONE]\n\n")

    def _whole(self, pieces: Sequence[Word | Thought], finish: str) -> web.Response:
        thoughts = "".join(piece.text for piece in pieces if isinstance(piece, Thought))
        message = {"role": "assistant", "content": "".join(piece.text for piece in pieces if isinstance(piece, Word)),
                   "reasoning_content": thoughts or None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish,
                  "matched_stop": 2 if finish == "stop" else None}
        return web.json_response({**self._head("chat.completion"), "choices": [choice], "usage": self._usage(pieces),
                                  "metadata": {"weight_version": "default"}})

    def _event(self, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish,
                  "matched_stop": 2 if finish == "stop" else None}
        return _sse({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.rid, "object": kind, "created": _now(), "model": self.request.get("model", NAME)}

    def _usage(self, pieces: Sequence[Word | Thought]) -> dict[str, Any]:
        prompt = "".join(f"{said['role']}\n{said['content']}\n" for said in self.request["messages"]) + "assistant\n"
        answer = "".join(piece.text for piece in pieces if isinstance(piece, Word))
        thoughts = sum(isinstance(piece, Thought) for piece in pieces)
        tokens = len(prompt) // BYTES_A_TOKEN
        return {
            "prompt_tokens": tokens, "total_tokens": tokens + len(pieces), "completion_tokens": len(pieces),
            "prompt_tokens_details": {
                "cached_tokens": self.cached(str(self.request.get("cache_salt") or ""), prompt, f"{answer}\n")
            },
            "reasoning_tokens": thoughts,
            "completion_tokens_details": {"reasoning_tokens": thoughts} if thoughts else None,
        }


@asynccontextmanager
async def fake_sglang(
    script: Script, *, api_key: str = "", host: str = "127.0.0.1", port: int = 0, keep: bool = True,
) -> AsyncGenerator[FakeSglang, None]:
    """The stand-in, listening; 0 picks a free port. Leaving closes it and whatever it still says."""
    fake = FakeSglang(script, api_key, keep)
    runner = web.AppRunner(fake.app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=2048).start()     # as uvicorn, which SGLang stands on
        fake.url = f"http://{host}:{runner.addresses[0][1]}"
        yield fake
    finally:
        await runner.cleanup()


def _refusal(refusal: Refusal) -> web.Response:
    if not refusal.type:
        return web.json_response({"error": refusal.message}, status=refusal.code)
    body = {"object": "error", "message": refusal.message, "type": refusal.type, "param": None, "code": refusal.code}
    return web.json_response(body, status=refusal.code)


def _sse(event: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(event, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def _now() -> int:
    return int(time.time())


def _common(one: str, other: str) -> int:
    """How many characters both begin with, by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


async def _serve(host: str, port: int, script: Script, api_key: str) -> None:
    async with fake_sglang(script, api_key=api_key, host=host, port=port, keep=False) as fake:
        print(f"ready {fake.url}", flush=True)      # whoever started us waits for this line
        await asyncio.Event().wait()


def main() -> None:
    """Serves until it is killed."""
    parser = argparse.ArgumentParser(description="Answers like SGLang, without a model.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: a free one; the ready line names it")
    parser.add_argument("--chunks", type=int, default=0, help="of each answer; 0: one per word")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="between two chunks")
    parser.add_argument("--api-key", default="", help="what requests must carry")
    parser.add_argument("--say", default="", help="whatever is asked")
    given = parser.parse_args()
    script: Callable[[Request], Behaviour] = answering(given.chunks, given.delay_ms / 1000)
    if given.say:
        spoken = says(*(given.say[at : at + 3] for at in range(0, len(given.say), 3)), delay=given.delay_ms / 1000)
        script = lambda _request: spoken    # noqa: E731 - the other is a function, too
    try:
        asyncio.run(_serve(given.host, given.port, script, given.api_key))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
