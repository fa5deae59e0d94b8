"""A file that came with a question is found in its conversation, by whoever is there, and by nobody anywhere else."""

from __future__ import annotations

import asyncio
import io
import sys
import zipfile
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.qdrant.attached import Attached, UploadCaps, message_of
from adapters.qdrant.index import PassageIndex, making
from adapters.qdrant.points import Manifest
from adapters.qdrant.socket import open_index
from engine.errors import FileUnavailable, PlatformUnavailable
from engine.messages import Audience, ConversationId, File, Message, MessageId, Taken, within
from tests.adapters.qdrant.worlds import ANN, ENGINES, QUIET, Bags, a_page, an_engine, ask
from tests.builders import NOON, a_message, an_audience

pytestmark = QUIET
SMALL = (sys.executable, "-m", "tests.adapters.qdrant.small_indexer")
PLAN = b"# Plan\n\nThe merger with Globex is called heron.\n"


def small(manifest: Manifest) -> tuple[tuple[str, ...], str]:
    return SMALL, manifest.model


@dataclass
class Chat:
    """A platform that has these files."""

    files: Mapping[str, bytes]
    fetched: list[str] = field(default_factory=list)
    away: Collection[str] = ()      # files that it does not serve right now

    async def fetch(self, file: File, limit: int) -> bytes:
        self.fetched.append(file.id)
        if file.id in self.away:
            raise PlatformUnavailable("a file cannot be fetched: 503")
        if file.id not in self.files:
            raise FileUnavailable("is not there any more")
        return self.files[file.id][: limit + 1]


def with_files(*names: str, conversation: str = "general") -> Message:
    files = tuple(File(f"F{number}", name, f"https://chat.acme.example/F{number}") for number, name in enumerate(names))
    return replace(a_message(conversation=conversation), files=files)


def in_(conversation: str, audience: Audience = ANN) -> Audience:
    return replace(audience, here=frozenset({within(ConversationId(f"test:{conversation}"))}))


@asynccontextmanager
async def uploads(
    engine: str, path: Path, *contents: bytes, caps: UploadCaps | None = None,
) -> AsyncIterator[tuple[PassageIndex, Attached, Chat]]:
    chat = Chat({f"F{number}": content for number, content in enumerate(contents)})
    async with an_engine(engine, path) as index:
        attached = Attached(lambda: index, {"test": chat}, caps or UploadCaps(), indexer=small)
        try:
            yield index, attached, chat
        finally:
            attached.close()


async def texts(index: PassageIndex, audience: Audience, question: str = "heron merger") -> list[str]:
    return [passage.title for passage in (await ask(index, question, audience)).passages]


@pytest.mark.parametrize("engine", ENGINES)
async def test_it_is_found_in_its_conversation_and_nowhere_else(engine: str, tmp_path: Path) -> None:
    async with uploads(engine, tmp_path, PLAN) as (index, attached, _):
        await index.put([a_page("leave.md", "# Leave\n\nThe merger changes no notice.")])
        taken = await attached.take(with_files("plan.md"))
        document, = taken.documents
        assert taken.unread == ()
        everybody = an_audience(ann="org", bob="org group:board", eve="")
        assert await texts(index, in_("general")) == ["Plan", "Leave"]
        assert "Plan" in await texts(index, in_("general", everybody))
        for elsewhere in (in_("random"), ANN, everybody, replace(in_("general"), members=())):
            found = await ask(index, "heron merger", elsewhere)
            assert "heron" not in repr(found)
            assert await index.readable([document], elsewhere) == frozenset()
        passage, = (p for p in (await ask(index, "heron", in_("general"))).passages if p.title == "Plan")
        assert (passage.url, passage.date) == ("https://chat.acme.example/F0#plan", NOON)


async def test_a_process_beside_the_one_that_has_the_index_reads_files_too(tmp_path: Path) -> None:
    chat = Chat({"F0": PLAN, "F1": b"# Odd\n\nPOISON"})
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_index(tmp_path, Bags()))
        owner = Attached(lambda: first.own, {}, indexer=small)
        second = await stack.enter_async_context(open_index(tmp_path, Bags()))
        beside = Attached(lambda: second.own, {"test": chat}, put=second.shelve)
        stack.callback(beside.close)
        message = with_files("plan.md", "odd.md")
        assert (await beside.take(message)).unread == tuple(
            f"{each}, since I cannot read files here" for each in ("plan.md", "odd.md"))    # nobody there takes them
        first.shelf = owner.shelve
        taken = await beside.take(message)
        assert taken.unread == ("odd.md: indexing it failed or took too long",)
        assert await beside.take(replace(message, files=message.files[:1])) == Taken(taken.documents)
        assert chat.fetched == ["F0", "F1"]
        for asked in (first, second):
            assert [p.title for p in (await ask(asked, "heron", in_("general"))).passages] == ["Plan"]
            assert "heron" not in repr(await ask(asked, "heron", in_("random")))
        await owner.forget(message.id)
        assert (await ask(second, "heron", in_("general"))).passages == ()
        assert (await beside.take(message)).documents == ()     # it was on its way when its message was taken back


async def test_what_was_taken_is_not_taken_again(tmp_path: Path) -> None:
    async with uploads("edge", tmp_path, PLAN) as (_, attached, chat):
        message = with_files("plan.md")
        assert await attached.take(message) == await attached.take(message)
        assert chat.fetched == ["F0"]


async def test_one_that_cannot_be_read_is_named_and_the_others_are(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(30_000_000))
    caps = UploadCaps(files=5, size=200_000)
    contents = (PLAN, b"x" * 300_000, bomb.getvalue(), b"", b"\x7fELF" + bytes(100), PLAN)
    async with uploads("edge", tmp_path, *contents, caps=caps) as (index, attached, _):
        named = with_files("plan.md", "long.txt", "bomb.docx", "<!channel>\n.md", "tool.md", "six.md")
        assert await attached.take(named) == Taken(
            tuple(name for name in index.records), (
                "long.txt, which is larger than 200,000 bytes",
                "bomb.docx, which unpacks to more than it may",
                "__channel__.md, which is empty",
                "tool.md, which is called .md and is a program",
                "more than 5 files at once, so 1 of them not at all",
            ))
        assert len(index.records) == 1
        gone = replace(a_message(), files=(File("F9", "gone.pdf"), File("F0", "big.md", size=10**9)))
        assert (await attached.take(gone)).unread == (
            "gone.pdf, which is not there any more", "big.md, which is larger than 200,000 bytes")


async def test_one_that_the_platform_does_not_serve_right_now_is_named_and_read_with_the_next_question(
    tmp_path: Path,
) -> None:
    async with uploads("edge", tmp_path, b"# Budget\n\nTwelve.", PLAN) as (index, attached, chat):
        chat.away = ("F0",)
        message = with_files("budget.md", "plan.md")
        taken = await attached.take(message)
        assert taken.unread == ("budget.md, which cannot be fetched right now",)
        assert taken.documents == tuple(index.records)
        assert len(taken.documents) == 1

        async def sent(_: ConversationId, __: int) -> tuple[tuple[MessageId, tuple[File, ...]], ...]:
            return ((message.id, message.files),)

        attached.sent = sent
        assert await attached.take(a_message()) == Taken()
        chat.away = ()
        assert await attached.take(a_message()) == Taken()
        assert len(index.records) == 2


async def test_a_long_one_is_read_as_far_as_it_may_be(tmp_path: Path) -> None:
    caps = UploadCaps(characters=60)
    async with uploads("edge", tmp_path, PLAN + b"word " * 1_000, caps=caps) as (index, attached, _):
        await attached.take(with_files("plan.md"))
        assert "heron" in (await ask(index, "heron", in_("general"))).passages[0].text
        assert (await ask(index, "word", in_("general"))).passages[0].end <= 60


async def test_without_an_index_of_ours_the_answer_says_so() -> None:
    attached = Attached(lambda: None, {"test": Chat({"F0": PLAN})})
    assert (await attached.take(with_files("plan.md"))).unread == ("plan.md, since I cannot read files here",)
    assert await attached.take(a_message()) == Taken()


@pytest.mark.parametrize("engine", ENGINES)
async def test_it_goes_with_its_message_its_author_and_its_time(engine: str, tmp_path: Path) -> None:
    async with uploads(engine, tmp_path, PLAN) as (index, attached, _):
        first, second, third = (with_files("plan.md") for _ in range(3))
        for message in (first, second, third):
            await attached.take(message)
        await attached.forget(first.id)
        assert len(index.records) == 2

        async def standing(ids: Collection[MessageId]) -> Collection[MessageId]:
            return set(ids) - {second.id}

        assert await attached.tidy(NOON, standing) == 1
        assert [message_of(name) for name in index.records] == [third.id]
        assert await attached.tidy(NOON + timedelta(seconds=1), standing) == 1
        assert await texts(index, in_("general")) == []


async def test_one_whose_message_is_deleted_while_it_is_read_is_not_found(tmp_path: Path) -> None:
    async with uploads("edge", tmp_path, b"# Plan\n\nSLOW heron") as (index, attached, _):
        message = with_files("plan.md")
        taking = asyncio.create_task(attached.take(message))
        await asyncio.sleep(0)
        await attached.forget(message.id)
        assert (await taking).documents == ()
        assert index.records == {}


async def test_one_that_is_read_while_the_index_is_built_anew_is_named(tmp_path: Path) -> None:
    async with uploads("edge", tmp_path, PLAN) as (index, attached, _):
        begun, following, built = asyncio.Event(), Bags(model="bags:2"), tmp_path / "built"

        def indexer(manifest: Manifest) -> tuple[tuple[str, ...], str]:
            begun.set()
            return ("sh", "-c", f'until [ -e "{built}" ]; do sleep 0.02; done; exec "$@"', "sh", *SMALL), manifest.model

        attached.indexer = indexer
        taking = asyncio.create_task(attached.take(with_files("plan.md")))
        await begun.wait()
        async with index.next_generation(following, making(following)):
            pass
        built.touch()
        assert await taking == Taken(unread=("plan.md: the index has just been built anew",))
        assert index.records == {}
