"""The index follows a folder, through edits, crashes and pages that do harm."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from adapters.files.folder import Folder
from adapters.qdrant.index import EdgeIndex
from adapters.qdrant.sync import SyncReport, sync
from engine.errors import RetrieverUnavailable
from engine.messages import Labels
from tests.adapters.qdrant.worlds import ANN, an_index, ask
from tests.builders import ORG, an_audience

SMALL = (sys.executable, "-m", "tests.adapters.qdrant.small_indexer")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "wiki"
    folder.mkdir()
    write(folder, leave="Give four weeks notice.", pay="Paid on the twentieth.", rota="Shifts change on Wednesday.")
    return folder


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[EdgeIndex]:
    async with an_index(tmp_path / "index") as opened:
        yield opened


def write(folder: Path, **pages: str) -> None:
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(f"# {name.title()}\n\n{text}\n")


async def synced(index: EdgeIndex, root: Path, acl: Labels = ORG) -> SyncReport:
    return await sync(index, Folder("wiki", root), acl, command=SMALL)


async def texts(index: EdgeIndex) -> set[str]:
    found = await ask(index, "page", limit=1_000)
    return {passage.text for passage in found.passages}


async def test_only_what_changed_is_indexed_again(index: EdgeIndex, root: Path) -> None:
    assert await synced(index, root) == SyncReport(added=3)
    assert await synced(index, root) == SyncReport(unchanged=3)
    write(root, leave="Give six weeks notice.", travel="Take the train.")
    (root / "pay.md").unlink()
    assert await synced(index, root) == SyncReport(added=1, changed=1, deleted=1, unchanged=1)
    assert await texts(index) == {
        "# Leave\n\nGive six weeks notice.", "# Travel\n\nTake the train.", "# Rota\n\nShifts change on Wednesday.",
    }


async def test_progress_counts_the_pages_to_index(index: EdgeIndex, root: Path) -> None:
    said: list[tuple[int, int]] = []
    await sync(index, Folder("wiki", root), ORG, command=SMALL, tell=lambda done, total: said.append((done, total)))
    assert said == [(0, 3), (1, 3), (2, 3), (3, 3)]


async def test_other_rights_need_no_new_vectors(index: EdgeIndex, root: Path) -> None:
    await synced(index, root)
    broken = await sync(index, Folder("wiki", root), frozenset({"group:hr"}), command=("/bin/false",))
    assert broken == SyncReport(changed=3)
    assert await texts(index) == set()
    assert len((await ask(index, "page", an_audience(eve="group:hr"))).passages) == 3


async def test_a_moved_site_changes_addresses_only(index: EdgeIndex, root: Path) -> None:
    await synced(index, root)
    moved = Folder("wiki", root, base_url="https://wiki.acme.example")
    assert await sync(index, moved, ORG, command=("/bin/false",)) == SyncReport(changed=3)
    assert (await ask(index, "shifts change")).passages[0].url == "https://wiki.acme.example/rota.md#rota"


async def test_sources_do_not_touch_each_other(index: EdgeIndex, root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, leave="Other people, other rules.")
    await synced(index, root)
    assert await sync(index, Folder("other", other), ORG, command=SMALL) == SyncReport(added=1)
    assert await sync(index, Folder("wiki", root), ORG, command=SMALL) == SyncReport(unchanged=3)
    assert len(await texts(index)) == 4


async def test_a_page_that_fails_is_named_and_the_rest_goes_on(index: EdgeIndex, root: Path) -> None:
    write(root, b_poison="POISON", c_odd="ODD", d_fine="Fine.", e_poison="POISON")
    (root / "large.md").write_text("x" * 3_000_000)
    (root / "latin.md").write_bytes("# Latin\n\ncaf\xe9".encode("latin-1"))
    report = await synced(index, root)
    assert dict(report.failed) == {
        "b_poison.md": "indexing it failed or took too long", "c_odd.md": "too odd",
        "e_poison.md": "indexing it failed or took too long", "large.md": "is larger than 2,000,000 bytes",
    }
    assert (report.added, report.notes) == (5, (("latin.md", "is not UTF-8 at byte 12"),))
    assert await synced(index, root) == SyncReport(unchanged=5, failed=report.failed, notes=report.notes)


async def test_what_was_indexed_stays_while_its_source_is_away(index: EdgeIndex, root: Path) -> None:
    await synced(index, root)
    shutil.move(root, root.with_name("elsewhere"))
    report = await synced(index, root)
    assert report == SyncReport(unchanged=3, failed=(("", "there is no such folder"),))
    assert len(await texts(index)) == 3


async def test_a_page_that_became_unreadable_keeps_its_text_but_not_its_rights(index: EdgeIndex, root: Path) -> None:
    await synced(index, root)
    (root / "pay.md").write_text("x" * 3_000_000)
    await synced(index, root, frozenset({"group:hr"}))
    assert await texts(index) == set()
    assert len((await ask(index, "page", an_audience(eve="group:hr"))).passages) == 3


@pytest.mark.parametrize("command", [("/bin/false",), (*SMALL, "--broken"), ("/bin/echo", "hello")])
async def test_without_a_model_nothing_is_lost(index: EdgeIndex, root: Path, command: tuple[str, ...]) -> None:
    await synced(index, root)
    write(root, leave="New text.")
    with pytest.raises(RetrieverUnavailable):
        await sync(index, Folder("wiki", root), ORG, command=command)
    assert "# Leave\n\nGive four weeks notice." in await texts(index)
    assert await synced(index, root) == SyncReport(changed=1, unchanged=2)


async def test_a_cancelled_sync_takes_its_indexer_along(index: EdgeIndex, root: Path) -> None:
    write(root, leave="FOREVER")
    begun = asyncio.Event()
    syncing = asyncio.create_task(
        sync(index, Folder("wiki", root), ORG, command=SMALL, tell=lambda *_: begun.set())
    )
    await begun.wait()
    while not (children := indexers()):
        await asyncio.sleep(0.01)
    syncing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await syncing
    assert not any(child.is_running() for child in children)


def indexers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "tests.adapters.qdrant.small_indexer" in child.cmdline()]


def test_a_sync_that_was_killed_is_completed_by_the_next(root: Path, tmp_path: Path) -> None:
    pages = {f"page{n}": f"SLOW page number {n}, first edition." for n in range(12)}
    write(root, **pages)
    for edition, after in (("second", 3), ("third", 7), ("fourth", 1)):
        kill_a_sync(root, tmp_path / "index", after=after)
        write(root, **{name: text.replace("first", edition) for name, text in list(pages.items())[after::2]})
        (root / f"page{after}.md").unlink(missing_ok=True)
    kill_a_sync(root, tmp_path / "index", after=1)
    asyncio.run(completed(root, tmp_path))


def kill_a_sync(root: Path, path: Path, *, after: int) -> None:
    """SIGKILL, once it has told of so many pages; its own child has to end by itself."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.adapters.qdrant.sync_once", str(root), str(path), *SMALL], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        children: list[psutil.Process] = []
        for line in process.stdout:
            children = psutil.Process(process.pid).children() or children
            if int(line) >= after:
                break
        os.kill(process.pid, signal.SIGKILL)
    assert children
    assert psutil.wait_procs(children, timeout=10)[1] == []


async def completed(root: Path, tmp_path: Path) -> None:
    async with an_index(tmp_path / "index") as index, an_index(tmp_path / "fresh") as fresh:
        report = await synced(index, root)
        assert report.unchanged > 0
        await synced(fresh, root)
        again, anew = await ask(index, "page number", ANN, 1_000), await ask(fresh, "page number", ANN, 1_000)
        assert again.passages == anew.passages
        assert index.records == fresh.records
