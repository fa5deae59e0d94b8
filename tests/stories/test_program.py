"""`bartizan run` as an operator starts it: a process, a chat server, a model server, signals and pages."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from tests.adapters.qdrant.wire import a_wire
from tests.adapters.qdrant.worlds import QUIET
from tests.chat_server import ChatServer, chat_server
from tests.fake_sglang import answering, fake_sglang
from tests.postgres import die_with_parent, free_port

ROOT = Path(__file__).parent.parent.parent


@dataclass(slots=True)
class Program:
    process: asyncio.subprocess.Process
    http: str
    log: Path

    async def page(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as web, web.get(self.http + path) as answer:
            return answer.status, await answer.text()

    async def ready(self, status: int = 200) -> None:
        async with asyncio.timeout(30):
            while True:
                assert self.process.returncode is None, self.log.read_text()
                with suppress(aiohttp.ClientError):
                    if (await self.page("/readyz"))[0] == status:
                        return
                await asyncio.sleep(0.05)

    async def counts(self, line: str) -> None:
        """The last commit comes a moment after the last edit."""
        async with asyncio.timeout(5):
            while line not in (await self.page("/metrics"))[1].splitlines():
                await asyncio.sleep(0.02)

    async def ends(self) -> int:
        async with asyncio.timeout(20):
            return await self.process.wait()


@asynccontextmanager
async def program(
    folder: Path, chat: ChatServer, model: str, status: int = 200, **settings: str,
) -> AsyncGenerator[Program]:
    """Started on the same folder again, it goes on where the last one was. ``status``: of its page when it is up."""
    http, door = free_port(), free_port()
    chat.bot = f"http://127.0.0.1:{door}"
    (folder / "pages").mkdir(exist_ok=True)
    (folder / "pages" / "leave.md").write_text("# Annual leave\n\nGive ten working days' notice before annual leave.\n")
    environment = {
        **os.environ, "BARTIZAN_DATA_DIR": str(folder / "data"), "BARTIZAN_HTTP__PORT": str(http),
        "BARTIZAN_KNOWLEDGE__FOLDER": str(folder / "pages"), "BARTIZAN_MODEL__URL": model,
        "BARTIZAN_LOOPBACK__URL": chat.url, "BARTIZAN_LOOPBACK__LISTEN": f"127.0.0.1:{door}", **settings,
    }
    log = folder / "log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=ROOT, env=environment, stdout=output, stderr=output,
            stdin=asyncio.subprocess.DEVNULL, preexec_fn=die_with_parent,
        )
    running = Program(process, f"http://127.0.0.1:{http}", log)
    try:
        await running.ready(status)
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def message(number: int, text: str = "how much notice before annual leave?") -> dict[str, object]:
    return {
        "type": "message", "key": f"k{number}", "id": f"m{number}", "conversation": f"c{number}", "channel": "general",
        "workspace": "acme", "author": "ann", "text": text, "at": datetime.now(UTC).isoformat(),
    }


@asynccontextmanager
async def a_chat() -> AsyncGenerator[ChatServer]:
    async with chat_server() as chat:
        chat.members["general"] = [{"id": "ann", "labels": ["org"]}]
        yield chat


async def test_a_question_is_answered_with_its_source_and_the_pages_tell(tmp_path: Path) -> None:
    async with a_chat() as chat, fake_sglang(answering(12, 0.0)) as model, \
            program(tmp_path, chat, model.url) as running:
        assert await chat.push(message(1)) == (200, {"new": True})
        assert await chat.push(message(1)) == (200, {"new": False})
        async with asyncio.timeout(10):
            await chat.until(lambda: any(p.final for p in chat.posts.values()))
        (post,) = chat.posts.values()
        assert post.text.startswith("q-")
        assert "[1]" in post.text
        assert [s["title"] for s in post.sources] == ["Annual leave"]
        assert (await running.page("/healthz"))[0] == 200
        await running.counts('bartizan_turns_total{outcome="answered"} 1.0')
        await running.counts('bartizan_events_total{platform="loopback",state="duplicate"} 1.0')
        running.process.send_signal(signal.SIGTERM)
        assert await running.ends() == 0
    log = (tmp_path / "log").read_text()
    assert "annual leave?" not in log
    assert '"event": "stopped"' in log


async def test_a_stop_in_the_middle_of_an_answer_hands_the_turn_back(tmp_path: Path) -> None:
    async with a_chat() as chat:
        async with fake_sglang(answering(400, 0.05)) as slow, \
                program(tmp_path, chat, slow.url, BARTIZAN_QUEUE__GRACE="0s") as running:
            await chat.push(message(1))
            async with asyncio.timeout(10):
                await chat.until(lambda: any("q-" in p.text for p in chat.posts.values()))
            running.process.send_signal(signal.SIGTERM)
            assert await running.ends() == 0
            await slow.until_aborted()
        assert not any(p.final for p in chat.posts.values())
        async with fake_sglang(answering(12, 0.0)) as quick, program(tmp_path, chat, quick.url):
            async with asyncio.timeout(10):
                await chat.until(lambda: any(p.final for p in chat.posts.values()))
        (post,) = chat.posts.values()
        assert (post.finals, post.text.startswith("q-")) == (1, True)


async def test_kill_9_in_the_middle_of_an_answer_leaves_one_whole_answer_in_the_end(tmp_path: Path) -> None:
    async with a_chat() as chat:
        async with fake_sglang(answering(400, 0.05)) as slow, program(tmp_path, chat, slow.url) as running:
            await chat.push(message(1))
            async with asyncio.timeout(10):
                await chat.until(lambda: any("q-" in p.text for p in chat.posts.values()))
            running.process.kill()
            await running.ends()
        async with fake_sglang(answering(12, 0.0)) as quick, program(tmp_path, chat, quick.url):
            async with asyncio.timeout(10):         # and not a lease: the dead worker's lock tells
                await chat.until(lambda: any(p.final for p in chat.posts.values()))
        (post,) = chat.posts.values()
        assert (post.finals, post.text.startswith("q-")) == (1, True)


async def test_it_starts_without_its_index_server_says_so_and_answers_without_pages(tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with a_chat() as chat, fake_sglang(answering(12, 0.0)) as model, \
            program(tmp_path, chat, model.url, 503, BARTIZAN_KNOWLEDGE__QDRANT_URL=nowhere) as running:
        assert "the index server failed" in (await running.page("/readyz"))[1]
        await chat.push(message(1))
        async with asyncio.timeout(10):
            await chat.until(lambda: any(p.final for p in chat.posts.values()))
        (post,) = chat.posts.values()
        assert (post.text.startswith("q-"), post.sources) == (True, [])
        assert running.process.returncode is None


@QUIET
async def test_its_index_server_comes_goes_and_comes_back_and_it_goes_on(tmp_path: Path) -> None:
    port = free_port()
    async with a_chat() as chat, fake_sglang(answering(12, 0.0)) as model, \
            program(tmp_path, chat, model.url, 503, BARTIZAN_KNOWLEDGE__QDRANT_URL=f"http://127.0.0.1:{port}",
                    BARTIZAN_KNOWLEDGE__REFRESH="1s") as running:

        async def sources(number: int) -> list[str]:
            await chat.push(message(number))
            async with asyncio.timeout(20):
                await chat.until(lambda: sum(p.final for p in chat.posts.values()) == number)
            return [source["title"] for source in list(chat.posts.values())[-1].sources]

        assert "the index server failed" in (await running.page("/readyz"))[1]
        assert await sources(1) == []
        async with a_wire(port=port) as wire:
            await running.ready()
            assert await sources(2) == ["Annual leave"]
        assert await sources(3) == []
        async with asyncio.timeout(10):     # what was found out a moment ago is told for a second
            while (await running.page("/readyz"))[0] == 200:
                await asyncio.sleep(0.1)
        assert "the index server failed" in (await running.page("/readyz"))[1]
        async with a_wire(port=port) as again:
            again.inner, again.indexed, again.tenants = wire.inner, wire.indexed, wire.tenants
            await running.ready()
            assert await sources(4) == ["Annual leave"]
        assert running.process.returncode is None


async def test_it_starts_without_its_pages_and_has_them_once_they_are_there(tmp_path: Path) -> None:
    pages = tmp_path / "mounted"
    async with a_chat() as chat, fake_sglang(answering(12, 0.0)) as model, \
            program(tmp_path, chat, model.url, 503, BARTIZAN_KNOWLEDGE__FOLDER=str(pages),
                    BARTIZAN_KNOWLEDGE__REFRESH="1s") as running:
        while "there is no such folder" not in (await running.page("/readyz"))[1]:
            await asyncio.sleep(0.05)
        pages.mkdir()
        (pages / "leave.md").write_text("# Annual leave\n\nGive ten working days' notice before annual leave.\n")
        await running.ready()
        await chat.push(message(1))
        async with asyncio.timeout(10):
            await chat.until(lambda: any(p.final for p in chat.posts.values()))
        (post,) = chat.posts.values()
        assert [s["title"] for s in post.sources] == ["Annual leave"]


async def test_a_sync_without_its_index_server_says_so_and_fails(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "sync", cwd=ROOT, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "BARTIZAN_DATA_DIR": str(tmp_path),
             "BARTIZAN_KNOWLEDGE__QDRANT_URL": f"http://127.0.0.1:{free_port()}"},
    )
    _, said = await process.communicate()
    assert (process.returncode, said.decode().splitlines()[-1].startswith("bartizan: the index server failed")) == (
        1, True)


async def a_sync(folder: Path, **settings: str) -> asyncio.subprocess.Process:
    """`bartizan sync` beside the running program of this folder."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "sync", cwd=ROOT, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "BARTIZAN_DATA_DIR": str(folder / "data"),
             "BARTIZAN_KNOWLEDGE__FOLDER": str(folder / "pages"), **settings},
    )


async def begun(asked: asyncio.subprocess.Process) -> None:
    """Once the running program is asked; the first line is the audit's."""
    assert asked.stderr is not None
    while not (line := await asked.stderr.readline()).startswith(b"A running Bartizan"):
        assert line


async def test_a_sync_beside_the_running_bot_tells_what_came_of_it(tmp_path: Path) -> None:
    async with a_chat() as chat, fake_sglang(answering(12, 0.0)) as model, \
            program(tmp_path, chat, model.url) as running:
        (tmp_path / "pages" / "pay.md").write_text("# Pay\n\nSalaries are paid on the twentieth.\n")
        asked = await a_sync(tmp_path)
        _, said = await asked.communicate()
        first, line = said.decode().splitlines()[-2:]
        assert first.startswith("A running Bartizan has this index")
        assert line.startswith("folder: 1 page added, 0 changed, 0 deleted, 1 unchanged, 0 failed; 1 of 1 chunks")
        assert asked.returncode == 0
        (tmp_path / "pages" / "logo.md").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
        (tmp_path / "pages" / "pay.md").unlink()
        asked = await a_sync(tmp_path)
        _, said = await asked.communicate()
        line, failure = said.decode().splitlines()[-2:]
        assert line.startswith("folder: 0 pages added, 0 changed, 1 deleted, 1 unchanged, 1 failed; ")
        assert failure == "  logo.md: is called .md and is an image"
        assert asked.returncode == 1
        assert running.process.returncode is None
    assert '"event": "page not indexed"' in (tmp_path / "log").read_text()


async def test_a_sync_that_is_left_or_whose_bot_dies_in_the_middle(tmp_path: Path) -> None:
    async with a_chat() as chat, fake_sglang(answering(12, 0.0)) as model, \
            program(tmp_path, chat, model.url) as running:
        for number in range(600):
            words = " ".join(f"word{number}x{n}" for n in range(150))
            (tmp_path / "pages" / f"page{number}.md").write_text(f"# Page {number}\n\n{words}\n")
        left, staying = await a_sync(tmp_path), await a_sync(tmp_path)
        await begun(left)
        left.send_signal(signal.SIGINT)
        assert await left.wait() == 130
        assert (await running.page("/healthz"))[0] == 200
        await begun(staying)
        running.process.kill()
        _, said = await staying.communicate()
        assert b"bartizan: the running Bartizan ended in the middle of the sync" in said
        assert staying.returncode == 1


@pytest.mark.parametrize(("given", "why"), [
    ({}, "no chat platform is configured: give what [slack] needs; `bartizan chat` needs none"),
    ({"SLACK_APP_TOKEN": "xapp-1"}, "slack: the bot cannot speak: give bot_token (SLACK_BOT_TOKEN), too"),
])
async def test_a_start_that_cannot_be_says_why(tmp_path: Path, given: dict[str, str], why: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", cwd=tmp_path, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), **given},
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().strip().splitlines()[-2:] == ["bartizan: a setting cannot be used:", f"  {why}"]
