"""Replies without a queue and a model: what the engine would say is said by the test, to the fake Slack."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from adapters.slack.budget import Budget
from adapters.slack.calls import Calls, open_calls
from adapters.slack.config import SlackConfig
from adapters.slack.ephemeral import PrivateReply
from adapters.slack.ids import Workspace, moment
from adapters.slack.reply import SlackReply, Voice
from adapters.sql.database import Database, migrate, open_database
from adapters.sql.outbox import SqlOutbox, SqlTickets
from engine.guards.egress import Cleared, Egress, Shown
from engine.messages import Answer, Claim, Message, Place, TraceId, Trail
from tests.builders import an_answer
from tests.fake_slack import FakeSlack, Post

EGRESS = Egress((), lambda text: text)
PERSON = Workspace("T1").person


async def cleared(text: str) -> Cleared:
    return await EGRESS.notice(text)


async def shown(text: str, *, sources: bool = True, note: str = "") -> Shown:
    answer = an_answer(text) if sources else Answer(text)
    return await EGRESS.show(answer, Trail(TraceId("")), note)


@dataclass(frozen=True, slots=True)
class OneToken:
    token_: str

    async def token(self, workspace: str) -> str:
        del workspace
        return self.token_


@dataclass(frozen=True, slots=True)
class Bot:
    user: str
    bot: str

    async def me(self, workspace: Workspace) -> Bot:
        del workspace
        return self


@dataclass(slots=True)
class Speaker:
    """Opens replies, and notes which turns were stopped."""

    slack: FakeSlack
    calls: Calls
    voice: Voice
    database: Database
    held: bool = True
    stopped: list[str] = field(default_factory=list)
    _turns: int = 0

    def hold(self) -> None:
        from engine.errors import Fenced

        if not self.held:
            raise Fenced("somebody else has it")

    async def stop(self, trace: TraceId) -> bool:
        self.stopped.append(trace)
        return True

    def claim(self, post: Post, *, private: bool = False, url: str = "") -> Claim:
        self._turns += 1
        home, direct = Workspace("T1"), post.channel.startswith("D")
        thread = post.thread_ts or (None if direct else post.ts)
        place = Place("slack", "T1", post.channel, PERSON(post.user), None if private else thread, direct, private)
        message = Message(
            home.message(post.channel, post.ts), home.conversation(post.channel, thread), PERSON(post.user), post.text,
            place, moment(post.ts),
        )
        raw = json.dumps({"response_url": url}).encode() if url else b""
        return Claim(TraceId(f"{self._turns:032x}"), message, raw=raw)

    async def reply(self, claim: Claim) -> SlackReply:
        reply = await self.voice.reply_to(claim, self.hold)
        assert isinstance(reply, SlackReply)
        return reply

    async def private(self, claim: Claim) -> PrivateReply:
        reply = await self.voice.reply_to(claim, self.hold)
        assert isinstance(reply, PrivateReply)
        return reply

    async def resumed(self, claim: Claim) -> SlackReply:
        """What the next attempt gets, in another process."""
        return await self.reply(replace(claim, attempt=claim.attempt + 1))


@asynccontextmanager
async def a_speaker(
    slack: FakeSlack, folder: Path, *, budget: Budget | None = None, patience: float = 5.0,
    stream_life: float = 240.0, status_every: float = 100.0,
) -> AsyncGenerator[Speaker]:
    workspace = slack.workspace()
    config = SlackConfig(
        workspace.token, base_url=slack.url + "/api/", timeout=timedelta(seconds=5),
        patience=timedelta(seconds=patience),
    )
    async with open_database(f"sqlite:///{folder}/slack.db") as database:
        await migrate(database)
        async with open_calls(config, OneToken(workspace.token), budget) as calls:
            bot = Bot(workspace.bot.id, workspace.bot_id)
            speaker: Speaker

            async def stop(trace: TraceId) -> bool:
                return await speaker.stop(trace)

            voice = Voice(
                calls, SqlOutbox(database), SqlTickets(database), bot, stop, config, stream_life=stream_life,
                clear=cleared, status_every=status_every, looks=(0.0, 0.05, 0.1),
            )
            speaker = Speaker(slack, calls, voice, database)
            yield speaker
