"""A `ChatModel` over SGLang's OpenAI-compatible endpoint.

An answer is tried again only while nobody has seen a piece of it. Leaving the stream closes its connection, and
by that the server drops the generation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import Final

import aiohttp
import stamina

from adapters.sglang.breaker import Breaker
from adapters.sglang.config import SglangConfig
from adapters.sglang.wire import Failure, PieceReader, refusal, request
from engine.errors import ModelBroken, ModelUnavailable, PromptTooLong
from engine.ports import Piece
from engine.prompt import Prompt

ERROR_BODY: Final = 64 * 1024
"""Bytes of an error answer that are read."""
RETRY_WAIT_MAX: Final = timedelta(seconds=3)
DRAIN: Final = timedelta(milliseconds=100)


class SglangModel:
    """One model behind one address. Create it with `open`."""

    def __init__(self, config: SglangConfig, session: aiohttp.ClientSession, breaker: Breaker) -> None:
        """``session`` carries the key and the connect budget; `open` makes a fitting one."""
        self._config = config
        self._session = session
        self._breaker = breaker
        self._chat = config.root / "v1/chat/completions"
        self._models = config.root / "v1/models"

    @classmethod
    @asynccontextmanager
    async def open(
        cls, config: SglangConfig, clock: Callable[[], float] = monotonic,
    ) -> AsyncGenerator[SglangModel, None]:
        """A model whose connections live as long as the context. Asks nothing of the server yet."""
        connect = config.connect.total_seconds()
        headers = {"Accept-Encoding": "identity"}   # decompressing would cost more than the local network does
        if config.api_key:
            headers["Authorization"] = f"Bearer {config.api_key}"
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),    # how many answers run at once is the dispatcher's affair
            timeout=aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,                            # questions go to the model's host and through nobody's proxy
        ) as session:
            yield cls(config, session, Breaker(config.breaker_threshold, config.breaker_cooldown, clock))

    @property
    def name(self) -> str:
        """The served model's name."""
        return self._config.name

    async def ready(self) -> bool:
        """Whether the server is up and takes our key; False also when it does not say so in time.

        Asks for the list of models: SGLang's own ``/health`` computes a token and takes a second.
        """
        try:
            async with asyncio.timeout(self._config.probe.total_seconds()):
                async with self._session.get(self._models, allow_redirects=False) as response:
                    return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Pieces, the last of them `Finished`.

        Raises `ModelUnavailable` or `PromptTooLong` before the first piece, `ModelBroken` after it.
        """
        end = asyncio.get_running_loop().time() + self._config.whole.total_seconds()
        idle = self._config.idle.total_seconds()
        answer = await self._started(prompt)
        try:
            while True:
                for piece in answer.pieces:
                    yield piece
                if answer.over:
                    break
                await answer.read_within(idle, end)
            finished = answer.reader.finished()
            await answer.drain()
        except Failure as failure:
            if failure.away:
                self._breaker.failed()
            raise ModelBroken(f"{self.name}: {failure}") from failure
        finally:
            answer.close()
        self._breaker.succeeded()
        yield finished

    async def _started(self, prompt: Prompt) -> _Answer:
        """An answer that has its first pieces, after as many attempts as that takes."""
        if not self._breaker.admits():
            raise ModelUnavailable(f"{self.name}: not asked, it failed too many times in a row")
        try:
            answer = await self._attempts(prompt)
        except Failure as failure:
            if failure.away:
                self._breaker.failed()
            else:
                self._breaker.alive()
            kind = PromptTooLong if failure.too_long else ModelUnavailable
            raise kind(f"{self.name}: {failure}") from failure
        self._breaker.alive()
        return answer

    async def _attempts(self, prompt: Prompt) -> _Answer:
        budget = min(self._config.first_token, self._config.whole).total_seconds()
        attempts = stamina.retry_context(
            on=_again,
            attempts=self._config.retries + 1,
            timeout=None,               # the budget below covers attempts and pauses alike
            wait_initial=self._config.retry_wait,
            wait_max=RETRY_WAIT_MAX,
            wait_jitter=self._config.retry_wait,
        )
        try:
            async with asyncio.timeout(budget):
                async for attempt in attempts:
                    with attempt:
                        return await self._attempt(request(prompt, self._config, attempt=attempt.num))
        except TimeoutError as error:
            raise Failure(f"no first piece within {budget:g} s", away=True) from error
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, body: bytes) -> _Answer:
        with ExitStack() as unless_returned:
            try:
                response = await self._session.post(
                    self._chat, data=body, headers={"Content-Type": "application/json"}, allow_redirects=False
                )
                unless_returned.callback(response.close)
                if response.status != 200:
                    raise refusal(response.status, await _start_of(response.content))
            except aiohttp.ClientError as error:
                raise _unreachable(error) from error
            answer = _Answer(response)
            while not answer.pieces and not answer.over:
                await answer.read()
            if not answer.pieces:
                answer.reader.finished()        # raises, unless this is a complete answer without a word
            unless_returned.pop_all()
            return answer


class _Answer:
    """One open response, and the pieces of its latest read."""

    __slots__ = ("_ended", "_response", "pieces", "reader")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._ended = False
        self.reader = PieceReader()
        self.pieces: list[Piece] = []

    @property
    def over(self) -> bool:
        """Nothing more will come."""
        return self._ended or self.reader.done or self.reader.failure is not None

    async def read_within(self, idle: float, end: float) -> None:
        """`read`, or a `Failure` after ``idle`` seconds, or when the event loop's clock says ``end``."""
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout_at(min(clock() + idle, end)):
                await self.read()
        except TimeoutError as error:
            cause = "took longer than a whole answer may" if clock() >= end else f"fell silent for {idle:g} s"
            raise Failure(f"the stream {cause}", away=True) from error

    async def read(self) -> None:
        """One network read, however many pieces it brings. Raises `Failure`."""
        try:
            block = await self._response.content.readany()
        except aiohttp.ClientError as error:
            raise _unreachable(error) from error
        self._ended = not block
        self.pieces = self.reader.feed(block)

    async def drain(self) -> None:
        """Reads past the last event to the end of the response: only then can its connection be used again."""
        if self._ended:
            return
        with suppress(TimeoutError, aiohttp.ClientError):       # the answer is whole; a connection is lost, no more
            async with asyncio.timeout(DRAIN.total_seconds()):
                while await self._response.content.readany():
                    pass

    def close(self) -> None:
        """Hangs up, unless the response was read to its end; then its connection is in the pool already."""
        self._response.close()


async def _start_of(content: aiohttp.StreamReader) -> bytes:
    parts: list[bytes] = []
    room = ERROR_BODY
    while room > 0 and (part := await content.read(room)):
        parts.append(part)
        room -= len(part)
    return b"".join(parts)


def _again(error: Exception) -> bool:
    return isinstance(error, Failure) and error.again


def _unreachable(error: aiohttp.ClientError) -> Failure:
    return Failure(f"no connection, or it broke off: {type(error).__name__}", again=True, away=True)
