"""One guard model behind one address: it is sent a text and says what it is. Whatever goes wrong is an `error`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import replace
from time import monotonic
from typing import Final

import aiohttp

from adapters.guardmodels.cache import Verdicts
from adapters.guardmodels.config import GuardModelConfig
from adapters.guardmodels.families import FAMILIES
from adapters.guardmodels.judgement import Family, Judgement, worst
from adapters.guardmodels.wire import NotAnAnswer, choice, request
from adapters.sglang.breaker import Breaker
from adapters.sglang.wire import Failure, refusal
from engine.ports import Fingerprint
from engine.prompt import ChatMessage

ANSWER: Final = 4 * 1024 * 1024
"""Bytes of an answer that are read. Probabilities take about 100 for each likely token at each place."""
ATTEMPTS: Final = 2


class GuardModel:
    """Create it with `open`."""

    def __init__(
        self, config: GuardModelConfig, family: Family, fingerprint: Fingerprint, session: aiohttp.ClientSession,
        clock: Callable[[], float],
    ) -> None:
        """``session`` carries the key; `open` makes a fitting one."""
        server = config.server
        self.family = family
        self._config = config
        self._fingerprint = fingerprint
        self._session = session
        self._chat = server.root / "v1/chat/completions"
        self._breaker = Breaker(server.breaker_threshold, server.breaker_cooldown, clock)
        self._verdicts = Verdicts(config.cached, config.cached_for, clock)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, config: GuardModelConfig, fingerprint: Fingerprint, clock: Callable[[], float] = monotonic,
    ) -> AsyncGenerator[GuardModel, None]:
        """A guard model whose connections live as long as the context.

        Raises `ValueError` for a family that is not known.
        """
        family = FAMILIES.get(config.family)
        if family is None:
            raise ValueError(f"guard model: no such family; there are {', '.join(FAMILIES)}")
        connect = config.server.connect.total_seconds()
        headers = {"Accept-Encoding": "identity", "Content-Type": "application/json"}
        if config.server.api_key:
            headers["Authorization"] = f"Bearer {config.server.api_key}"
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect),
            headers=headers, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False,
        ) as session:
            yield cls(config, family, fingerprint, session, clock)

    def about(self, family: Family) -> GuardModel:
        """The same model over the same connections and behind the same breaker, asked something else."""
        other = copy(self)
        other.family = family
        return other

    @property
    def name(self) -> str:
        """The served model's name."""
        return self._config.server.name

    async def judge(self, messages: Sequence[ChatMessage]) -> Judgement:
        """What the last message is, read after those before it. A long one is judged in pieces, and the worst counts.

        Never raises for what the server does: a missing verdict has the severity ``error``.
        """
        *before, last = messages
        texts = pieces(last.text, self._config.longest)
        if len(texts) > self._config.pieces:
            return Judgement("error", raw="the text is too long to be judged")
        before = [replace(each, text=each.text[: self._config.longest]) for each in before]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._piece([*before, replace(last, text=text)])) for text in texts]
        return worst([task.result() for task in tasks])

    async def _piece(self, messages: Sequence[ChatMessage]) -> Judgement:
        body = request(self.name, self.family.build(messages, self._config.brief))
        key = self._fingerprint(body.decode())      # the brief and the family's format are part of the question
        if (known := self._verdicts.find(key)) is not None:
            return known
        if not self._breaker.admits():
            return Judgement("error", raw="not asked: it failed too many times in a row")
        try:
            async with asyncio.timeout(self._config.timeout.total_seconds()):
                said = await self._asked(body)
        except TimeoutError:
            self._breaker.failed()
            return Judgement("error", raw="no judgement in time")
        except Failure as failure:
            if failure.away:
                self._breaker.failed()
            else:
                self._breaker.alive()
            return Judgement("error", raw=str(failure))
        self._breaker.succeeded()
        try:
            judgement = self.family.parse(choice(said))
        except NotAnAnswer as error:
            return Judgement("error", raw=f"not an answer: {error}")
        self._verdicts.keep(key, judgement)
        return judgement

    async def _asked(self, body: bytes) -> bytes:
        """The answer's bytes; a connection that breaks before them, or a full server, is tried once more."""
        attempt = 1
        while True:
            try:
                return await self._attempt(body)
            except Failure as failure:
                if not failure.again or attempt == ATTEMPTS:
                    raise
            attempt += 1
            await asyncio.sleep(0.05)       # a full server needs a moment

    async def _attempt(self, body: bytes) -> bytes:
        try:
            async with self._session.post(self._chat, data=body, allow_redirects=False) as response:
                said = bytearray()
                async for block in response.content.iter_any():
                    said += block
                    if len(said) > ANSWER:
                        raise Failure("the answer is over the size limit", away=True)
                if response.status != 200:
                    raise refusal(response.status, bytes(said))
                return bytes(said)
        except aiohttp.ClientError as error:
            cause = f"no connection, or it broke off: {type(error).__name__}"
            raise Failure(cause, again=True, away=True) from error


def pieces(text: str, longest: int) -> list[str]:
    """The text, or overlapping pieces of at most ``longest`` characters: what straddles a cut is whole in one."""
    if len(text) <= longest:
        return [text]
    step = longest - longest // 8
    return [text[start : start + longest] for start in range(0, len(text) - longest // 8, step)]
