"""The whole line in one process: the fake Slack, the adapter on the real libraries, the queue, a scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from adapters.slack.actions import Actions, Around
from adapters.slack.config import SlackConfig
from adapters.slack.ids import NAME
from adapters.slack.platform import Slack, Stores
from adapters.sql.database import Database, migrate, open_database
from adapters.sql.decisions import Decisions
from adapters.sql.hearing import SqlHearing
from adapters.sql.inbox import QueueOptions, SqlInbox
from adapters.sql.installations import SqlInstallations
from adapters.sql.outbox import SqlOutbox, SqlTickets, SqlTurns
from adapters.sql.privacy import Privacy
from adapters.sql.sealed import Keyring
from adapters.sql.store import SqlStore
from adapters.sql.transcripts import SqlTranscripts
from bot.dispatch import Dispatcher
from engine.afterwards import Afterwards
from engine.guards.chain import Inbound
from engine.guards.citations import CitationGuard
from engine.guards.deflection import DeflectionGuard
from engine.guards.egress import Egress
from engine.guards.secrets import SecretsGuard
from engine.messages import Labels, Passage
from engine.prompt import Budget, Estimate
from engine.turn import Engine, Limits
from tests.fake_slack import APP_TOKEN, FakeSlack
from tests.fakes import ScriptedModel, Shelf


@dataclass(slots=True)
class Company:
    """A bot at work in Slack."""

    slack: FakeSlack
    database: Database
    inbox: SqlInbox
    shelf: Shelf
    platform: Slack


async def sources() -> Sequence[tuple[str, Labels]]:
    return [("Handbook", frozenset({"org"})), ("Board papers", frozenset({"group:board"}))]


@asynccontextmanager
async def a_company(
    slack: FakeSlack, folder: Path, *, model: ScriptedModel | None = None, passages: Sequence[Passage] = (),
) -> AsyncGenerator[Company]:
    """Hears over Socket Mode; opened again on the same folder it goes on where it stopped."""
    keyring, shelf = Keyring(b"k" * 32), Shelf(passages)
    config = SlackConfig(
        slack.workspace().token, APP_TOKEN, base_url=slack.url + "/api/", timeout=timedelta(seconds=5),
        patience=timedelta(seconds=5), sockets=1,
    )
    async with open_database(f"sqlite:///{folder}/bot.db") as database:
        await migrate(database)
        hearing, outbox, tickets = SqlHearing(database, NAME), SqlOutbox(database), SqlTickets(database)
        stores = Stores(
            installations=SqlInstallations(database, keyring, NAME), engagement=hearing, cursors=hearing,
            records=hearing, outbox=outbox, tickets=tickets,
        )
        inbox = SqlInbox(database, keyring, QueueOptions(
            (NAME,), lease=timedelta(seconds=5), poll=timedelta(seconds=0.1), retry_base=timedelta(0),
        ))
        async with Slack.open(config, stores) as platform:
            egress = Egress((SecretsGuard(), DeflectionGuard(), CitationGuard()), keyring.fingerprint)
            transcripts = SqlTranscripts(database, keyring)
            engine = Engine(
                SqlStore(database, keyring, inbox), platform, shelf, (model,) if model else (),
                Inbound((SecretsGuard(),), keyring.fingerprint), egress, Estimate(), Budget(), Limits(),
                transcripts=transcripts, links=platform.permalinks,
            )
            dispatcher = Dispatcher(inbox, engine, {NAME: platform})
            inbox.lost = dispatcher.lost
            platform.stop, platform.clear = inbox.stop, egress.notice
            platform.interactions = Actions(
                calls=platform.calls, outbox=outbox, tickets=tickets, turns=SqlTurns(database, keyring),
                ourselves=platform.homes, names=platform.people.within, inbox=inbox, stop=inbox.stop,
                appeals=Decisions(database, keyring), personal=Privacy(database, keyring),
                afterwards=Afterwards(platform, shelf, egress, transcripts),
                link=platform.permalinks.link, around=Around(readable=sources),
            )
            stopping = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(inbox.run())
                working = group.create_task(dispatcher.run(stopping))
                hearing_task = group.create_task(platform.listen(inbox))
                try:
                    await slack.delivery.connected()
                    yield Company(slack, database, inbox, shelf, platform)
                finally:
                    hearing_task.cancel()
                    stopping.set()
                    await working
                    writing.cancel()
