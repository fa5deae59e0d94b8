"""The listening half of Slack, whole: the real libraries and a real database, and the fake on the other side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from adapters.slack.config import OAuth, SlackConfig
from adapters.slack.ids import NAME, Workspace
from adapters.slack.platform import Slack, Stores
from adapters.sql.database import Database
from adapters.sql.hearing import SqlHearing
from adapters.sql.inbox import QueueOptions, SqlInbox
from adapters.sql.installations import SqlInstallations
from adapters.sql.outbox import SqlOutbox, SqlTickets
from adapters.sql.queue import Caps
from adapters.sql.sealed import Keyring
from bot.health import serve
from engine.errors import StoreUnavailable
from engine.messages import Claim, Deleted, Edited, Event, Outcome, Said, Trail
from tests.fake_slack import APP_TOKEN, SIGNING_SECRET, FakeSlack

KEYRING = Keyring(b"k" * 32)
OPTIONS = QueueOptions((NAME,), Caps(), poll=timedelta(seconds=0.05))


@dataclass(frozen=True, slots=True)
class Noted:
    """Implements `Interactions`: what people pressed, opened and removed, and in which workspace."""

    seen: list[tuple[str, ...]] = field(default_factory=list)

    async def pressed(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        self.seen.append((f"{workspace}", "pressed", body["actions"][0]["action_id"]))

    async def submitted(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        self.seen.append((f"{workspace}", "submitted", body["view"]["callback_id"]))

    async def home_opened(self, workspace: Workspace, user: str, tab: str, channel: str) -> None:
        self.seen.append((f"{workspace}", "home", user, tab, channel))

    async def thread_started(self, workspace: Workspace, user: str, channel: str, thread: str) -> None:
        self.seen.append((f"{workspace}", "assistant", user, channel, thread))

    async def reacted(self, workspace: Workspace, user: str, channel: str, ts: str, name: str, *, added: bool) -> None:
        self.seen.append((f"{workspace}", "reacted", user, channel, ts, name, "on" if added else "off"))

    async def removed(self, workspace: Workspace, channel: str, ts: str) -> None:
        self.seen.append((f"{workspace}", "removed", channel, ts))

    async def opened(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        self.seen.append((f"{workspace}", "opened", body["callback_id"]))

    async def privacy(self, workspace: Workspace, body: Mapping[str, Any]) -> None:
        self.seen.append((f"{workspace}", "privacy", body["user_id"]))


@dataclass(slots=True)
class Ledger:
    """An inbox before an inbox: what was handed in, and whether it was new. ``away``: the store does not answer."""

    inner: SqlInbox
    events: list[tuple[Event, bool]] = field(default_factory=list)
    rejected: list[tuple[bytes, str]] = field(default_factory=list)
    away: int = 0               # so many times

    async def receive(self, event: Event) -> bool:
        self._answers()
        new = await self.inner.receive(event)
        self.events.append((event, new))
        return new

    async def reject(self, platform: str, raw: bytes, reason: str) -> None:
        self._answers()
        await self.inner.reject(platform, raw, reason)
        self.rejected.append((raw, reason))

    def _answers(self) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("the disk is full")


@dataclass(slots=True)
class Tally:
    """Implements `Counts`."""

    counted: Counter[tuple[str, str]] = field(default_factory=Counter)

    def heard(self, kind: str, came: str) -> None:
        self.counted[kind, came] += 1


@dataclass(slots=True)
class Listener:
    """A platform that listens, and what it has taken in."""

    fake: FakeSlack
    slack: Slack
    inbox: SqlInbox
    ledger: Ledger
    noted: Noted
    tally: Tally

    @property
    def said(self) -> list[Said]:
        """New messages."""
        return [event for event, new in self.ledger.events if new and isinstance(event, Said)]

    @property
    def changes(self) -> list[Edited | Deleted]:
        """New edits and deletions."""
        return [event for event, new in self.ledger.events if new and not isinstance(event, Said)]

    @property
    def asked(self) -> list[str]:
        """What is to be answered, by its words."""
        return [event.message.text for event in self.said if event.addressed]

    async def hears(self) -> None:
        """Waits until everything that was sent has been taken, or given up."""
        await self.fake.until(lambda: all(each.over.is_set() for each in self.fake.delivery.log))

    async def claims(self) -> Claim:
        """The next turn, and its end."""
        async with asyncio.timeout(5):
            (claim,) = await self.inbox.claim(1)
        await self.inbox.finish(claim, Outcome.ANSWERED, Trail(claim.trace))
        return claim


def a_config(fake: FakeSlack, *, http: bool = False, oauth: bool = False, **more: Any) -> SlackConfig:
    """How the bot is known to the fake."""
    return SlackConfig(
        bot_token="" if oauth else fake.workspace().token, app_token="" if http else APP_TOKEN,
        signing_secret=SIGNING_SECRET if http else "", base_url=f"{fake.url}/api/",
        oauth=OAuth(fake.client_id, fake.client_secret, ("chat:write",)) if oauth else None,
        **{"sockets": 1, "rate_share": 1.0, **more},
    )


@asynccontextmanager
async def listening(
    fake: FakeSlack, database: Database, *, http: bool = False, ready: bool = True, **more: Any,
) -> AsyncGenerator[Listener]:
    """A platform that listens to the fake, over a socket or over HTTP."""
    config, tally, noted = a_config(fake, http=http, **more), Tally(), Noted()
    hearing = SqlHearing(database, NAME)
    stores = Stores(
        installations=SqlInstallations(database, KEYRING, NAME), engagement=hearing, cursors=hearing, records=hearing,
        outbox=SqlOutbox(database), tickets=SqlTickets(database),
    )
    inbox = SqlInbox(database, KEYRING, OPTIONS)
    ledger = Ledger(inbox)
    async with Slack.open(config, stores, tally) as slack:
        slack.interactions = noted
        app = Starlette(routes=[Route("/slack/{rest:path}", endpoint=slack)])
        async with serve(app, "127.0.0.1", 0) as (host, port):
            if http:
                fake.delivery.request_url = f"http://{host}:{port}/slack/events"
            writing = asyncio.create_task(inbox.run())
            hears = asyncio.create_task(slack.listen(ledger))
            try:
                if ready:
                    await fake.until(lambda: slack.problem is None or hears.done())
                yield Listener(fake, slack, inbox, ledger, noted, tally)
            finally:
                hears.cancel()
                await asyncio.wait([hears])
                writing.cancel()
                await asyncio.wait([writing])
                if not hears.cancelled() and (broken := hears.exception()):
                    raise broken
