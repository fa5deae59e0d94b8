"""Slack as a `Platform`, and who reads its channels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import structlog
from slack_sdk.signature import SignatureVerifier
from yarl import URL

from adapters.slack import install
from adapters.slack.backfill import Backfill
from adapters.slack.calls import Calls, Closed, Revoked, open_calls
from adapters.slack.config import SlackConfig
from adapters.slack.files import Files
from adapters.slack.homes import Homes
from adapters.slack.http import Door, Receive, Scope, Send
from adapters.slack.ids import NAME
from adapters.slack.listen import Ears, Reception, bolt_app
from adapters.slack.membership import Rooms
from adapters.slack.names import People
from adapters.slack.permalinks import Permalinks
from adapters.slack.ports import (
    Clear,
    Counts,
    Cursors,
    Engagement,
    Installations,
    Interactions,
    Records,
    Uncounted,
)
from adapters.slack.reply import Voice
from adapters.slack.review import Review
from adapters.slack.sockets import Sockets
from engine.errors import BotError, PlatformUnavailable, StoreUnavailable
from engine.messages import Audience, Claim, File, MessageId, Place, Visibility
from engine.ports import Hold, Inbox, Reply
from engine.spoken import Outbox, Stop, Tickets, deaf

log = structlog.get_logger()

AGAIN: Final = 5.0              # seconds before Slack is asked again who we are


@dataclass(frozen=True, slots=True)
class Stores:
    """What Slack keeps."""

    installations: Installations
    engagement: Engagement
    cursors: Cursors
    records: Records
    outbox: Outbox
    tickets: Tickets


@dataclass(slots=True)
class Slack:
    """Implements the engine's `Platform`, `Membership` and `Links`. Create it with `open`.

    Over HTTP it is itself the ASGI app that Slack calls; until `listen` runs, and after, it asks Slack to come again.
    """

    config: SlackConfig
    stores: Stores
    calls: Calls
    homes: Homes
    people: People
    rooms: Rooms
    files: Files
    counts: Counts
    permalinks: Permalinks
    interactions: Interactions = field(init=False)  # wired before `listen`, after the engine that they need
    stop: Stop = deaf                               # the same
    clear: Clear | None = None                      # the same
    _door: Door | None = None
    _sockets: Sockets | None = None
    _backfill: Backfill | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, config: SlackConfig, stores: Stores, counts: Counts | None = None,
    ) -> AsyncGenerator[Slack]:
        """The platform; its connections to the Web API are closed with the context, after the last reply."""
        homes = Homes(config.bot_token, stores.installations, config.patience.total_seconds())
        async with open_calls(config, homes) as calls:
            people = People(calls, homes)
            rooms = Rooms(calls, homes, people, config.fresh.total_seconds(), config.group_handles)
            session = calls.client.session
            assert session is not None      # noqa: S101  (for the type checker)
            files = Files(session, homes, URL(config.base_url))
            yield cls(config, stores, calls, homes, people, rooms, files, counts or Uncounted(), Permalinks(calls))

    @property
    def name(self) -> str:
        """As in `Place.platform`."""
        return NAME

    @property
    def problem(self) -> str | None:
        """Why nothing is heard, or nothing can be said; None when all is well."""
        return self._deaf or self.calls.problem

    @property
    def _deaf(self) -> str | None:
        """Why nothing is heard. Where we cannot speak we may still hear."""
        if not self.homes.identified:
            return "Slack has not told yet who we are"
        if self.config.socket_mode:
            return self._sockets.problem if self._sockets else "not listening"
        return None if self._door else "not listening"

    @property
    def settled(self) -> bool:
        """Whether all that may be missing is in a gap, and heard or being fetched."""
        return self._backfill is not None and self._backfill.settled

    async def listen(self, inbox: Inbox) -> None:
        """Takes events until cancelled. Raises `Revoked` when Slack does not know our token."""
        await self._identify()
        for me in self.homes.all:
            await self.people.introduce(me.workspace)
        async with asyncio.TaskGroup() as group:
            jobs = _Jobs(group)
            backfill = self._backfill = Backfill(
                self.homes, self.calls, self.people, self.stores.cursors, self.stores.engagement,
                lookback=self.config.lookback, recent=self.config.recent, idle=self.config.engaged,
                hearing=lambda: self._deaf is None,
            )
            ears = Ears(
                self.homes, self.people, self.rooms, inbox, self.stores.engagement, self.stores.cursors,
                self.interactions, self.counts, self.config.engaged, jobs.spawn, backfill.missed,
            )
            backfill.hear = ears.hear
            backfill.review = Review(
                self.calls, self.people, self.stores.records, ears.hear, self.interactions.removed,
            )
            group.create_task(backfill.catch_up())
            group.create_task(backfill.run())
            group.create_task(backfill.beat())
            reception = Reception(bolt_app(ears, self.config.base_url), ears)

            def restored(since: datetime | None) -> None:
                for me in self.homes.all if since else ():
                    self.rooms.drop_all(me.workspace)
                backfill.restored(since)

            try:
                if self.config.socket_mode:
                    self._sockets = Sockets(
                        self.calls.client, self.config.app_token, self.config.sockets,
                        self.config.apart.total_seconds(), reception, restored,
                    )
                    group.create_task(self._sockets.run())
                if self.config.signing_secret:
                    self._door = self._opened(reception)
                if not self.config.socket_mode:
                    restored(None)
                await asyncio.Event().wait()
            finally:
                self._door = self._sockets = self._backfill = None

    async def reply_to(self, claim: Claim, hold: Hold) -> Reply:
        """A reply; a resumed claim's is what an earlier attempt left. Raises `PlatformUnavailable`."""

        stores = self.stores
        voice = Voice(self.calls, stores.outbox, stores.tickets, self.homes, self.stop, self.config, self.clear)
        return await voice.reply_to(claim, hold)

    async def audience(self, place: Place, visibility: Visibility) -> Audience:
        """Everyone in the channel, or only who asked. Raises `MembershipUnavailable`."""
        return await self.rooms.audience(place, visibility)

    async def link(self, place: Place, message: MessageId) -> str:
        """Where a message is opened; "" when Slack does not say."""
        return await self.permalinks.link(place, message)

    async def fetch(self, file: File, limit: int) -> bytes:
        """What came with a message. Raises `FileTooLarge`, `NotAFile`, or `PlatformUnavailable`."""
        return await self.files.fetch(file, min(limit, self.config.file_bytes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request of Slack's, or of somebody who installs the app."""
        if self._door is not None:
            await self._door(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": int(HTTPStatus.SERVICE_UNAVAILABLE), "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def _opened(self, reception: Reception) -> Door:
        pages = {}
        if self.config.oauth:
            pages = dict(install.pages(self.config.oauth, self.calls.client, self.homes, self.stores.installations))
        verifier = SignatureVerifier(self.config.signing_secret)
        return Door(verifier, self.config.event_bytes, reception, pages)

    async def _identify(self) -> None:
        while True:
            try:
                await self.homes.identify(self.calls)
            except (Revoked, Closed):
                raise
            except (PlatformUnavailable, StoreUnavailable) as error:
                log.warning("Slack does not tell who we are", cause=str(error))
                await asyncio.sleep(AGAIN)
            else:
                return


@dataclass(frozen=True, slots=True)
class _Jobs:
    """What runs beside the listening. One that fails is logged, and ends nothing else."""

    group: asyncio.TaskGroup

    def spawn(self, name: str, job: Coroutine[Any, Any, None]) -> None:
        """Begins one."""
        self.group.create_task(self._run(name, job), name=f"slack {name}")

    @staticmethod
    async def _run(name: str, job: Coroutine[Any, Any, None]) -> None:
        try:
            await job
        except BotError as error:
            log.warning("interaction failed", kind=name, cause=str(error))
        except Exception:       # what somebody pressed must not end what all others do
            log.exception("interaction failed", kind=name)
