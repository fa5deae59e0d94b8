"""`bartizan search`: what retrieval finds, without a model and without a chat; one question, or a file of them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from adapters.files.folder import Folder
from adapters.parsing.media import CODE, DOCUMENTS
from adapters.people.membership import People
from adapters.qdrant.socket import SharedIndex, open_index
from adapters.qdrant.sync import Syncer
from adapters.sources.journal import Journal
from bot.app import make_private
from bot.indexes import open_knowledge, open_retriever, open_settled, people
from bot.settings import Settings
from bot.sources import Candid
from bot.syncing import bar
from engine.errors import BotError
from engine.harmless import line
from engine.messages import (
    ORG,
    Audience,
    Conversation,
    ConversationId,
    Found,
    Member,
    Message,
    MessageId,
    Passage,
    PersonId,
    Place,
    Turn,
)
from engine.ports import Retriever

LIMIT: Final = 10               # passages of a run: what its measures look at
SHOWN: Final = 8                # passages of one question
LOCAL: Final = "local"
NAMED: Final = 20               # lines of a file of questions that are told to be none
PREVIEW: Final = 300            # characters of a passage on the terminal
UNFINISHED: Final = " Not all pages were read yet: `bartizan sync` reads the rest."
_SOURCE: Final = "folder"


class SearchError(BotError):
    """The file of questions, or the folder, is not what it should be; the sentence is for the operator."""


async def audience_of(person: str | None, groups: People | None = None) -> Audience:
    """Who is taken to read along: one person, or else the one at this terminal.

    Everybody is taken to belong to the organisation, unless ``groups`` says otherwise.
    """
    who = (person or LOCAL).removeprefix("user:")
    member = Member(PersonId(who), frozenset({f"user:{who}", ORG}))
    if groups is not None:
        member = (await groups.now()).completed(member)
    return Audience((member,))


def place_of(channel: str) -> Place:
    """Of a channel as labels name it: "slack:T1/C01". Raises `SearchError`."""
    platform, _, rest = channel.removeprefix("channel:").partition(":")
    workspace, _, name = rest.partition("/")
    if not (platform and workspace and name):
        raise SearchError("a channel is written PLATFORM:WORKSPACE/CHANNEL, as slack:T1/C01")
    return Place(platform, workspace, name, PersonId(""))


async def search(
    settings: Settings, question: str, *, person: str | None = None, channel: str | None = None, explain: bool = False,
    as_json: bool = False,
) -> int:
    """Prints what is found for one person, or for everybody who is in a channel now.

    Exit code: 0, or 1 when nothing answers. Raises `SearchError`, and `Unavailable` when the index is away or nobody
    here knows who is in that channel.
    """
    place = place_of(channel) if channel else None
    if person is not None and not person.removeprefix("user:").strip():     # of a script whose variable is not set
        raise SearchError("--as names nobody")
    make_private(settings.data_dir)
    console = Console(soft_wrap=True)
    async with open_settled(settings) as index:
        if index.own is not None:
            async with open_knowledge(index, settings) as knowledge:
                await (knowledge.mind() if index.own.records else knowledge.sync())
        await index.ready()
        audience = await index.readers(place) if place else await audience_of(person, people(settings))
        async with open_retriever(index, settings) as retriever:
            found = await Candid(retriever, settings).find(question, past=_past([]), audience=audience, limit=SHOWN)
    if as_json:
        console.print_json(json.dumps({
            "answers": found.answers, "whole": found.whole,
            "passages": [_told(passage, explain=explain) for passage in found.passages],
        }), ensure_ascii=False)
    else:
        _show(console, found, explain=explain)
    return 0 if found.answers else 1


async def run(settings: Settings, questions: Path, out: Path, folder: Path | None) -> int:
    """Answers a file of questions with a run: a line of hits for each. Exit code: 0, or 1 when a line is no question.

    Such a line is named, and the others are answered. With ``folder`` its files are searched, source code included, in
    an index of their own that is kept for the next time; paths are relative to it. Raises `SearchError` and
    `RetrieverUnavailable`.
    """
    asked, odd = _read(questions)
    make_private(settings.data_dir)
    console = Console(stderr=True)
    async with _opened(settings, folder, console) as index, open_retriever(index, settings) as retriever:
        await index.ready()
        audience = await audience_of(None, people(settings))
        try:
            with out.open("w", encoding="utf-8") as file:
                for query in asked:
                    file.write(json.dumps(await _answered(retriever, query, audience), ensure_ascii=False) + "\n")
        except OSError as error:
            raise SearchError(f"{out} cannot be written: {error.strerror}") from error
    for problem in odd[:NAMED]:
        console.print(f"  {problem}", markup=False, highlight=False, soft_wrap=True)
    if len(odd) > NAMED:
        console.print(f"  and {len(odd) - NAMED} more")
    console.print(f"{len(asked)} questions answered{f', {len(odd)} lines left out' if odd else ''}.")
    return 1 if odd else 0


@asynccontextmanager
async def _opened(settings: Settings, folder: Path | None, console: Console) -> AsyncGenerator[SharedIndex]:
    """The index of the program, or one for a folder, brought up to it."""
    if folder is None:
        async with open_settled(settings) as index:
            if index.own is not None:
                async with open_knowledge(index, settings) as knowledge:
                    await knowledge.mind()
            yield index
        return
    if not await asyncio.to_thread(folder.is_dir):
        raise SearchError(f"there is no folder {folder}")
    whole = await asyncio.to_thread(folder.resolve)
    key = hashlib.sha256(str(whole).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    place = settings.data_dir / "searched" / key
    place.parent.mkdir(mode=0o700, exist_ok=True)
    async with open_index(place) as index:
        if index.own is None:
            raise SearchError("another search of this folder is under way")
        source = Folder(_SOURCE, folder, suffixes=(*DOCUMENTS, *CODE))
        with bar(console) as progress, Journal.open(place / "sync.db") as journal:
            task = progress.add_task("Indexing files", total=None)
            report = await Syncer(index.own, journal).sync(
                source, frozenset({ORG}), tell=lambda done, total: progress.update(task, completed=done, total=total),
            )
        for path, why in report.failed:
            console.print(f"  {line(path) or 'the folder'}: {line(why)}", markup=False, highlight=False)
        yield index


async def _answered(retriever: Retriever, query: Mapping[str, Any], audience: Audience) -> dict[str, Any]:
    began = time.perf_counter()
    found = await retriever.find(query["query"], past=_past(query.get("history") or []), audience=audience, limit=LIMIT)
    passed = time.perf_counter() - began
    return {
        "id": query["id"],
        "hits": [{"path": p.document.partition("/")[2], "start": p.start, "end": p.end} for p in found.passages],
        "ms": round(1000 * passed, 2),
        "abstained": not found.answers,
    }


def _read(questions: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The questions, and what is wrong with lines that are none. Raises `SearchError`."""
    try:
        lines = questions.read_bytes().split(b"\n")
    except OSError as error:
        raise SearchError(f"{questions} cannot be read: {error.strerror}") from error
    asked: list[dict[str, Any]] = []
    odd: list[str] = []
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            query = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (ValueError, RecursionError):
            odd.append(f"line {number} is no JSON")
            continue
        if _is_query(query):
            asked.append(query)
        else:
            odd.append(f'line {number} needs "id" and "query", and a "history" of turns at most')
    return asked, odd


def _is_query(query: object) -> bool:
    if not isinstance(query, dict) or not isinstance(query.get("id"), str) or not isinstance(query.get("query"), str):
        return False
    history = query.get("history") or []
    return isinstance(history, list) and all(
        isinstance(turn, dict) and isinstance(_words(turn), str) and turn.get("role") in {"user", "bot", "assistant"}
        for turn in history
    )


def _words(turn: Mapping[str, Any]) -> Any:
    """What was said; in transcripts of chat APIs "content"."""
    return turn.get("text", turn.get("content"))


def _past(history: Sequence[Mapping[str, Any]]) -> Conversation:
    """What the person said before; retrieval does not lean on what the bot said."""
    conversation = ConversationId("cli:search")
    return Conversation(conversation, tuple(
        Turn(Message(MessageId(f"cli:search/{number}"), conversation, PersonId(LOCAL), _words(turn),
                     Place("cli", "", "search", PersonId(LOCAL)), datetime.fromtimestamp(number, UTC)), None)
        for number, turn in enumerate(history) if turn["role"] == "user"
    ))


def _told(passage: Passage, *, explain: bool) -> dict[str, Any]:
    told = {
        "title": passage.title, "url": passage.url, "text": passage.text, "document": passage.document,
        "start": passage.start, "end": passage.end, "date": passage.date.isoformat() if passage.date else None,
    }
    return told | ({"score": passage.score, "acl": sorted(passage.acl)} if explain else {})


def _show(console: Console, found: Found, *, explain: bool) -> None:
    if not found.answers:
        console.print("Nothing found that answers this." + ("" if found.whole else UNFINISHED)
                      + (" The nearest passages:" if found.passages else ""))
    for number, passage in enumerate(found.passages, 1):
        date = f"  {passage.date:%Y-%m-%d}" if passage.date else ""
        console.print(f"{number}. {line(passage.title)}{date}", style="bold", markup=False, highlight=False)
        console.print(f"   {line(passage.url)}", style="dim", markup=False, highlight=False)
        if explain:
            console.print(f"   score {passage.score:.4f}, characters {passage.start} to {passage.end}, "
                          f"for {', '.join(sorted(passage.acl))}", style="dim", markup=False, highlight=False)
        text = line(passage.text)
        console.print(f"   {text[:PREVIEW]}{' …' if len(text) > PREVIEW else ''}", markup=False, highlight=False)
