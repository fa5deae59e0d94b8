"""The index follows a folder, through edits, crashes and pages that do harm."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from adapters.files.folder import Folder
from adapters.qdrant.index import PassageIndex
from adapters.qdrant.points import Record
from adapters.qdrant.sync import Given, Syncer, SyncReport, sync
from adapters.sources.git import Git
from adapters.sources.journal import Journal
from engine.errors import RetrieverUnavailable
from engine.messages import Labels, Passage
from engine.rag.page import Access, Entry, Page, Unreadable
from tests.adapters.parsing.documents import a_bomb, a_pdf, an_encrypted_pdf
from tests.adapters.qdrant.worlds import ANN, an_index, ask
from tests.adapters.sources.test_git import REFUSED, Repository, served
from tests.adapters.sources.test_site import Marked, a_site, sitemap, the_site
from tests.builders import ORG, an_audience

SMALL = (sys.executable, "-m", "tests.adapters.qdrant.small_indexer")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "wiki"
    folder.mkdir()
    write(folder, leave="Give four weeks notice.", pay="Paid on the twentieth.", rota="Shifts change on Wednesday.")
    return folder


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[PassageIndex]:
    async with an_index(tmp_path / "index") as opened:
        yield opened


def write(folder: Path, **pages: str) -> None:
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(f"# {name.title()}\n\n{text}\n")


async def synced(index: PassageIndex, root: Path, acl: Labels = ORG) -> SyncReport:
    return await sync(index, Folder("wiki", root), acl, command=SMALL)


def unmount(root: Path, disk: Path) -> None:
    root.rename(disk)
    root.mkdir()


def clear(root: Path) -> None:
    for page in root.iterdir():
        page.unlink()


async def texts(index: PassageIndex) -> set[str]:
    found = await ask(index, "page", limit=1_000)
    return {passage.text for passage in found.passages}


async def test_only_what_changed_is_indexed_again(index: PassageIndex, root: Path) -> None:
    assert await synced(index, root) == SyncReport(added=3)
    assert await synced(index, root) == SyncReport(unchanged=3)
    write(root, leave="Give six weeks notice.", travel="Take the train.")
    (root / "pay.md").unlink()
    assert await synced(index, root) == SyncReport(added=1, changed=1, deleted=1, unchanged=1)
    assert await texts(index) == {
        "# Leave\n\nGive six weeks notice.", "# Travel\n\nTake the train.", "# Rota\n\nShifts change on Wednesday.",
    }


async def test_progress_counts_the_pages_to_index(index: PassageIndex, root: Path) -> None:
    said: list[tuple[int, int]] = []
    await sync(index, Folder("wiki", root), ORG, command=SMALL, tell=lambda done, total: said.append((done, total)))
    assert said == [(0, 3), (1, 3), (2, 3), (3, 3)]


async def test_other_rights_need_no_new_vectors(index: PassageIndex, root: Path) -> None:
    await synced(index, root)
    broken = await sync(index, Folder("wiki", root), frozenset({"group:hr"}), command=("/bin/false",))
    assert broken == SyncReport(changed=3)
    assert await texts(index) == set()
    assert len((await ask(index, "page", an_audience(eve="group:hr"))).passages) == 3


async def test_a_moved_site_changes_addresses_only(index: PassageIndex, root: Path) -> None:
    await synced(index, root)
    moved = Folder("wiki", root, base_url="https://wiki.acme.example")
    assert await sync(index, moved, ORG, command=("/bin/false",)) == SyncReport(changed=3)
    assert (await ask(index, "shifts change")).passages[0].url == "https://wiki.acme.example/rota.md#rota"


async def test_sources_do_not_touch_each_other(index: PassageIndex, root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, leave="Other people, other rules.")
    await synced(index, root)
    assert await sync(index, Folder("other", other), ORG, command=SMALL) == SyncReport(added=1)
    assert await sync(index, Folder("wiki", root), ORG, command=SMALL) == SyncReport(unchanged=3)
    assert len(await texts(index)) == 4


async def test_a_page_that_fails_is_named_and_the_rest_goes_on(index: PassageIndex, root: Path) -> None:
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


async def test_what_was_indexed_stays_while_its_source_is_away(index: PassageIndex, root: Path) -> None:
    await synced(index, root)
    shutil.move(root, root.with_name("elsewhere"))
    report = await synced(index, root)
    assert report == SyncReport(unchanged=3, failed=(("", "there is no such folder"),))
    assert len(await texts(index)) == 3


EMPTY = ("lists nothing where it had 3 pages: hidden, not deleted, until it lists some; if it is empty: "
         "`bartizan source sync wiki --full`")


@dataclass(frozen=True)
class Disk(Folder):
    """A folder with nothing in it but a folder that is not ours, as on a new disk."""

    def listing(self) -> Iterator[Entry | Unreadable]:
        yield Unreadable("lost+found/", "Permission denied")


@pytest.mark.parametrize("empty", [Folder, Disk])
async def test_a_folder_that_suddenly_has_nothing_is_hidden_and_not_thrown_away(
    index: PassageIndex, root: Path, tmp_path: Path, empty: type[Folder],
) -> None:
    """As one looks whose disk is not mounted."""
    disk = tmp_path / "disk"
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Folder("wiki", root, fresh=0), ORG)
        unmount(root, disk)
        for _ in range(2):
            report = await syncer.sync(empty("wiki", root, fresh=0), ORG)
            assert (report.failed[0], report.deleted, report.unchanged) == (("", EMPTY), 0, 0)
            assert (await texts(index), len(index.records)) == (set(), 3)
        await Syncer(index, journal, SMALL).resume()
        await syncer.heed(lambda: {"wiki": Given(Access(ORG))})
        await syncer.sync(empty("wiki", root, fresh=0), ORG, full=True)         # of all sources, perhaps
        assert (await texts(index), len(index.records)) == (set(), 3)
        os.rmdir(root)
        shutil.move(disk, root)
        (root / "pay.md").unlink()
        broken = Syncer(index, journal, ("/bin/false",))
        report = await broken.sync(Folder("wiki", root, fresh=0), ORG)
        assert (report, report.read) == (SyncReport(changed=2, deleted=1), 0)
        assert await texts(index) == {"# Leave\n\nGive four weeks notice.", "# Rota\n\nShifts change on Wednesday."}
        assert await broken.sync(Folder("wiki", root, fresh=0), ORG) == SyncReport(unchanged=2)
        clear(root)
        await broken.sync(Folder("wiki", root), ORG)
        assert await broken.sync(Folder("wiki", root), ORG, empty=True) == SyncReport(deleted=2)
        assert index.records == {}
        assert await broken.sync(Folder("wiki", root), ORG) == SyncReport()


async def test_the_only_page_of_a_source_is_deleted_like_any_other(index: PassageIndex, tmp_path: Path) -> None:
    root = tmp_path / "one"
    root.mkdir()
    write(root, leave="Give four weeks notice.")
    await synced(index, root)
    clear(root)
    assert await synced(index, root) == SyncReport(deleted=1)


async def test_without_a_memory_what_is_hidden_comes_back_too(index: PassageIndex, root: Path, tmp_path: Path) -> None:
    await synced(index, root)
    unmount(root, tmp_path / "disk")
    assert await synced(index, root) == SyncReport(failed=(("", EMPTY),))
    assert (await texts(index), len(index.records)) == (set(), 3)
    assert await sync(index, Folder("wiki", tmp_path / "disk"), ORG, command=("/bin/false",)) == SyncReport(changed=3)
    assert len(await texts(index)) == 3


async def test_a_repository_without_its_branch_and_one_that_was_cleared_are_hidden(
    index: PassageIndex, tmp_path: Path,
) -> None:
    repository = Repository(tmp_path / "app")
    repository.commit(leave_md="# Leave\n\nTwo days.\n", rota_md="# Rota\n\nWeekly.\n")
    repository.git("branch", "docs")

    async def synced() -> tuple[SyncReport, int]:
        return await syncer.sync(Git("app", repository.root, "docs"), ORG), len(await texts(index))

    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await synced()
        syncer.command = ("/bin/false",)
        repository.git("branch", "-m", "docs", "guides")
        for _ in range(2):
            report, shown = await synced()
            assert report.failed[0][1].startswith("it has no branch docs where it had 2 pages: hidden, not deleted")
            assert (shown, len(index.records)) == (0, 2)
        repository.git("branch", "-m", "guides", "docs")
        assert await synced() == (SyncReport(changed=2), 2)
        repository.git("checkout", "-q", "docs")
        repository.commit(leave_md=None, rota_md=None)
        for _ in range(2):
            report, shown = await synced()
            assert report.failed[0][1].startswith("lists nothing where it had 2 pages: hidden, not deleted")
            assert (shown, len(index.records)) == (0, 2)
        repository.commit(rota_md="# Rota\n\nWeekly.\n")
        assert await synced() == (SyncReport(changed=1, deleted=1), 1)


async def test_a_store_of_ours_means_it_when_it_has_nothing(index: PassageIndex, root: Path) -> None:
    """What people took back there is not kept out of sight, it goes."""
    with Journal.open(None) as journal:
        syncer, own = Syncer(index, journal, SMALL), Given(Access(ORG), own=True)
        await syncer.follow(lambda: (Folder("wiki", root), own))
        clear(root)
        assert await syncer.follow(lambda: (Folder("wiki", root), own)) == SyncReport(deleted=3)


async def test_a_page_that_became_unreadable_keeps_its_text_but_not_its_rights(index: PassageIndex, root: Path) -> None:
    await synced(index, root)
    (root / "pay.md").write_text("x" * 3_000_000)
    await synced(index, root, frozenset({"group:hr"}))
    assert await texts(index) == set()
    assert len((await ask(index, "page", an_audience(eve="group:hr"))).passages) == 3


@pytest.mark.parametrize("command", [("/bin/false",), (*SMALL, "--broken"), ("/bin/echo", "hello")])
async def test_without_a_model_nothing_is_lost(index: PassageIndex, root: Path, command: tuple[str, ...]) -> None:
    await synced(index, root)
    write(root, leave="New text.")
    with pytest.raises(RetrieverUnavailable):
        await sync(index, Folder("wiki", root), ORG, command=command)
    assert "# Leave\n\nGive four weeks notice." in await texts(index)
    assert await synced(index, root) == SyncReport(changed=1, unchanged=2)


async def test_a_cancelled_sync_takes_its_indexer_along(index: PassageIndex, root: Path) -> None:
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


SECTIONS = "\n\n".join(f"## Part {n}\n\n" + f"word{n} " * 200 for n in range(5))


async def test_only_chunks_that_changed_are_embedded(index: PassageIndex, root: Path) -> None:
    write(root, leave=SECTIONS)
    first = await synced(index, root)
    assert first.embedded == first.chunks > 5
    write(root, leave=SECTIONS.replace("word3 word3", "other3 word3", 1))
    again = await synced(index, root)
    assert (again.chunks, again.embedded) == (first.chunks - 2, 1)
    (root / "leave.md").rename(root / "absence.md")
    moved = await synced(index, root)
    assert (moved.added, moved.deleted, moved.embedded) == (1, 1, 0)


async def test_after_every_step_of_a_history_the_index_is_as_if_built_anew(root: Path, tmp_path: Path) -> None:
    history: list[dict[str, str | None]] = [
        {"leave": SECTIONS, "pay": "Paid on the twentieth."},
        {"leave": SECTIONS.replace("word3 word3", "other3 word3", 1), "rota": None},
        {"leave": SECTIONS.partition("## Part 2")[0], "absence": SECTIONS},
        {"leave": None, "rota": "Back again.", "pay": "# Pay\n\n## Part 2\n\nPaid."},
    ]
    with Journal.open(tmp_path / "sync.db") as journal:
        async with an_index(tmp_path / "index") as index:
            for number, step in enumerate(history):
                for name, text in step.items():
                    write(root, **{name: text}) if text else (root / f"{name}.md").unlink()
                await Syncer(index, journal, SMALL).sync(Folder("wiki", root, fresh=0), ORG)
                async with an_index(tmp_path / f"fresh{number}") as fresh:
                    await synced(fresh, root)
                    assert await contents(index) == await contents(fresh)


async def contents(index: PassageIndex) -> tuple[dict[str, Record], dict[str, bytes], list[Passage]]:
    """Records, vectors and every passage: all that an index is."""
    records = index.records
    found = await ask(index, "part page word", ANN, 1_000)
    assert {passage.document for passage in found.passages} == set(records)
    return dict(records), await index.vectors(records), sorted(found.passages, key=lambda passage: passage.id)


async def test_what_did_not_change_is_not_even_read(index: PassageIndex, root: Path, tmp_path: Path) -> None:
    (root / "old.pdf").write_bytes(an_encrypted_pdf("sesame"))
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        first = await syncer.sync(Folder("wiki", root, fresh=0), ORG)
        assert (first.added, first.read, first.failed) == (3, 4, (("old.pdf", "is encrypted"),))
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, ("/bin/false",))
        again = await syncer.sync(Folder("wiki", root, fresh=0), ORG)
        assert again == SyncReport(unchanged=3, failed=first.failed)
        assert again.read == 0
        full = await syncer.sync(Folder("wiki", root, fresh=0), ORG, full=True)
        assert (full.unchanged, full.read) == (3, 4)
        elsewhere = Folder("wiki", root, base_url="https://wiki.acme.example", fresh=0)
        moved = await syncer.sync(elsewhere, Access(ORG, (("pay*", frozenset({"group:hr"})),)))
        assert (moved.changed, moved.read) == (3, 0)
    assert await texts(index) == {"# Leave\n\nGive four weeks notice.", "# Rota\n\nShifts change on Wednesday."}


async def test_a_repository_is_followed_by_its_commits(index: PassageIndex, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "app")
    repository.commit(leave_md="# Leave\n\nTen days.", pay_md="# Pay\n\nMonthly.", rota_md="# Rota\n\nWeekly.")
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        assert (await syncer.sync(Git("app", repository.root), ORG)).read == 3
        repository.commit(leave_md="# Leave\n\nTwo days.", pay_md=None)
        report = await syncer.sync(Git("app", repository.root), ORG)
        assert report == SyncReport(changed=1, deleted=1, unchanged=1)
        assert report.read == 1
        repository.root.rename(tmp_path / "away")
        away = await syncer.sync(Git("app", repository.root), ORG)
        assert (away.unchanged, [path for path, _ in away.failed]) == (2, [""])
        (tmp_path / "away").rename(repository.root)
        assert await syncer.sync(Git("app", repository.root), ORG) == SyncReport(unchanged=2)
    assert await texts(index) == {"# Leave\n\nTwo days.", "# Rota\n\nWeekly."}


@dataclass(frozen=True)
class Losing(Folder):
    """A source whose line breaks after some pages."""

    lines: list[int] = field(default_factory=lambda: [0])

    def read(self, path: str) -> Page | Unreadable:
        self.lines[0] -= 1
        return super().read(path) if self.lines[0] >= 0 else Unreadable(path, "the line broke")


async def test_a_source_that_is_lost_in_the_middle_loses_nothing(
    index: PassageIndex, root: Path, tmp_path: Path
) -> None:
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Folder("wiki", root, fresh=0), ORG)
        before = await texts(index)
        for lines in range(4):
            write(root, leave="New.", pay="New.", rota="New.")
            report = await syncer.sync(Losing("wiki", root, fresh=0, lines=[lines]), ORG)
            assert {why for _, why in report.failed} == {"the line broke"}
            assert len(await texts(index)) == 3
            assert (await texts(index) == before) == (lines < 4)
        healed = await syncer.sync(Folder("wiki", root, fresh=0), ORG)
    assert (healed.changed, healed.failed) == (3, ())
    assert await texts(index) == {f"# {name}\n\nNew." for name in ("Leave", "Pay", "Rota")}


@dataclass(frozen=True)
class Stale(Folder):
    """A source whose listing names a page that is gone."""

    gone: str = ""

    def read(self, path: str) -> Page | Unreadable:
        return Unreadable(path, "is answered with HTTP 404", gone=True) if path == self.gone else super().read(path)


async def test_a_page_that_its_source_says_is_gone_is_forgotten(
    index: PassageIndex, root: Path, tmp_path: Path,
) -> None:
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Stale("wiki", root), ORG)
        for deleted in (1, 0):
            report = await syncer.sync(Stale("wiki", root, gone="pay.md"), ORG)
            assert report == SyncReport(deleted=deleted, unchanged=2, notes=(("pay.md", "is answered with HTTP 404"),))
        assert await syncer.sync(Stale("wiki", root), ORG) == SyncReport(added=1, unchanged=2)


@dataclass(frozen=True)
class Breaking(Folder):
    """An adapter with a mistake in it."""

    listed: bool = False

    def listing(self) -> Iterator[Entry | Unreadable]:
        for entry in super().listing():
            if not self.listed and "pay" in entry.path:
                raise ZeroDivisionError
            yield entry

    def read(self, path: str) -> Page | Unreadable:
        return super().read(path) if "pay" not in path else Unreadable(path, str(1 / 0))


async def test_a_source_that_breaks_breaks_nothing_else(index: PassageIndex, root: Path) -> None:
    await synced(index, root)
    for source, failure in ((Breaking("wiki", root), ("", "the source breaks: ZeroDivisionError")),
                            (Breaking("wiki", root, listed=True), ("pay.md", "reading it breaks: ZeroDivisionError"))):
        with capture_logs() as lines:
            report = await sync(index, source, ORG, command=SMALL)
        assert report == SyncReport(unchanged=3, failed=(failure,))
        line, = lines
        assert (line["source"], line.get("path", ""), line["exc_info"]) == ("wiki", failure[0], True)
    assert len(await texts(index)) == 3


async def test_another_spelling_of_a_name_embeds_nothing_and_a_folder_may_take_its_place(
    index: PassageIndex, root: Path,
) -> None:
    await synced(index, root)
    (root / "leave.md").rename(root / "Leave.md")
    report = await synced(index, root)
    assert (report.added, report.deleted, report.embedded) == (1, 1, 0)
    (root / "Leave.md").unlink()
    (root / "Leave.md").mkdir()
    write(root / "Leave.md", sick="Call in the morning.")
    assert await synced(index, root) == SyncReport(added=1, deleted=1, unchanged=2)
    assert "# Sick\n\nCall in the morning." in await texts(index)


async def test_a_page_with_nothing_in_it_is_one(index: PassageIndex, root: Path) -> None:
    (root / "empty.md").write_text("")
    (root / "blank.txt").write_text(" \n\n")
    assert await synced(index, root) == SyncReport(added=5)
    assert len(await texts(index)) == 3
    write(root, empty="Not any more.")
    assert await synced(index, root) == SyncReport(changed=1, unchanged=4)


async def test_rights_do_not_wait_for_vectors(index: PassageIndex, root: Path) -> None:
    await synced(index, root)
    write(root, leave="A secret now.")
    with pytest.raises(RetrieverUnavailable):
        await sync(index, Folder("wiki", root), frozenset({"group:hr"}), command=("/bin/false",))
    assert await texts(index) == set()
    assert len((await ask(index, "page", an_audience(eve="group:hr"))).passages) == 3


async def test_what_was_taken_back_stays_away_until_there_is_a_newer_one(
    index: PassageIndex, root: Path, tmp_path: Path
) -> None:
    (root / "leave.md").write_text("---\nupdated: 2026-01-10\n---\n# Leave\n\nFour weeks.\n")
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Folder("wiki", root), ORG)
        await syncer.forget("wiki", ["leave.md", "never.md"], datetime(2026, 1, 12, tzinfo=UTC))
        assert "# Leave\n\nFour weeks." not in await texts(index)
        late = await syncer.sync(Folder("wiki", root), ORG)
        assert (late.added, late.unchanged) == (0, 2)
        assert late.notes == (("leave.md", "was taken back on 2026-01-12 00:00 UTC; this is not newer"),)
        (root / "leave.md").write_text("---\nupdated: 2026-01-11\n---\n# Leave\n\nFive weeks, late.\n")
        assert (await syncer.sync(Folder("wiki", root), ORG)).added == 0
        (root / "leave.md").write_text("---\nupdated: 2026-01-13\n---\n# Leave\n\nSix weeks.\n")
        assert (await syncer.sync(Folder("wiki", root), ORG)).added == 1
    assert "# Leave\n\nSix weeks." in await texts(index)


async def test_what_is_taken_back_while_it_is_embedded_does_not_come(
    index: PassageIndex, root: Path, tmp_path: Path
) -> None:
    forgetting: list[asyncio.Task[None]] = []
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)

        def tell(done: int, _total: int) -> None:
            if not done:
                forgetting.append(asyncio.create_task(syncer.forget("wiki", ["leave.md"])))

        report = await syncer.sync(Folder("wiki", root), ORG, tell=tell)
        await asyncio.gather(*forgetting)
    assert report.added == 2
    assert set(index.records) == {"wiki/pay.md", "wiki/rota.md"}


async def test_a_source_that_was_removed_is_forgotten(index: PassageIndex, root: Path, tmp_path: Path) -> None:
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Folder("wiki", root), ORG)
        assert await syncer.drop("wiki") == 3
        assert journal.sources() == set()
    assert await texts(index) == set()
    assert index.records == {}


async def test_a_source_that_is_removed_while_it_or_another_is_read_is_forgotten_at_once(
    index: PassageIndex, root: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, lunch="Noon.")
    dropping: list[asyncio.Task[int]] = []
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Folder("other", other), ORG)
        seen: list[set[str]] = []

        def tell(done: int, _total: int) -> None:
            if not done:
                dropping.append(asyncio.create_task(syncer.drop("other")))
            elif done == 1:
                dropping.append(asyncio.create_task(syncer.drop("wiki")))
            seen.append({record.source for record in index.records.values()})

        report = await syncer.sync(Folder("wiki", root), ORG, tell=tell)
        others, pages = await asyncio.gather(*dropping)
        assert (others, pages) in {(1, 1), (1, 2)}      # the second page may have been on its way
        assert (seen[:2], seen[-1]) == ([{"other"}, {"wiki"}], set())
        assert (report.notes, index.records) == ((("", "is no source any more, or another one"),), {})
        assert (journal.sources(), journal.givens()) == (set(), {})
        assert await syncer.sync(Folder("wiki", root), ORG) == SyncReport(added=3)     # which is another one by then


async def test_another_allow_list_holds_at_once_also_for_what_is_still_read(
    index: PassageIndex, root: Path, tmp_path: Path
) -> None:
    (root / "board").mkdir()
    write(root / "board", minutes="Sell it.", plans="Buy it.")
    heeding: list[asyncio.Task[Mapping[str, int]]] = []
    hr, board = frozenset({"group:hr"}), frozenset({"group:board"})
    narrow = {"wiki": Given(Access(hr, (("board/*", board),)))}
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)

        def tell(done: int, _total: int) -> None:
            if done == 2:
                heeding.append(asyncio.create_task(syncer.heed(lambda: narrow)))

        await syncer.sync(Folder("wiki", root), ORG, tell=tell)
        assert await asyncio.gather(*heeding) == [{}]
        assert await texts(index) == set()
        assert {path.partition("/")[2]: record.acl for path, record in index.records.items()} == {
            "board/minutes.md": board, "board/plans.md": board, "leave.md": hr, "pay.md": hr, "rota.md": hr}
        await syncer.withhold("wiki", ["pay.md"])
        wide = {"wiki": Given(Access(ORG)), "none": Given(Access(ORG))}
        assert await syncer.heed(lambda: wide) == {}
        assert {path for path, record in index.records.items() if record.acl != ORG} == {"wiki/pay.md"}
        assert await syncer.sync(Folder("wiki", root), ORG) == SyncReport(changed=5)
        assert await syncer.heed(dict) == {"wiki": 5}
        assert await syncer.heed(dict) == {"wiki": 5}       # whoever comes late is told, too


async def test_another_place_under_the_same_name_is_another_source(
    index: PassageIndex, root: Path, tmp_path: Path
) -> None:
    """Pages of the one must not get the readers of the other, not even until it is read, nor when it cannot be."""
    other = tmp_path / "other"
    other.mkdir()
    write(other, lunch="Noon.", pay="Paid on the twentieth.")
    hr, org = Given(Access(frozenset({"group:hr"})), "first"), Given(Access(ORG), "second")

    def open_pages() -> set[str]:
        return {path for path, record in index.records.items() if record.acl}

    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.follow(lambda: (Folder("wiki", root), hr))
        assert await syncer.heed(lambda: {"wiki": org}) == {}
        assert (open_pages(), len(index.records)) == (set(), 3)
        report = await syncer.follow(lambda: (Folder("wiki", tmp_path / "none"), org))
        assert (report.failed, open_pages()) == ((("", "there is no such folder"),), set())
        assert await syncer.heed(lambda: {"wiki": org}) == {}
        await Syncer(index, journal, SMALL).resume()
        assert open_pages() == set()
        report = await syncer.follow(lambda: (Folder("wiki", other), org))
        assert (report, report.embedded) == (SyncReport(added=1, changed=1, deleted=2), 1)      # pay is what it was
        assert await texts(index) == {"# Lunch\n\nNoon.", "# Pay\n\nPaid on the twentieth."}
        opened: list[set[str]] = []
        await syncer.follow(        # nobody has heeded it before
            lambda: (Folder("wiki", root), hr), tell=lambda *_: opened.append(open_pages()))
        assert opened[0] == {"wiki/pay.md"}
        heeding: list[asyncio.Task[Mapping[str, int]]] = []

        def tell(done: int, _total: int) -> None:
            if done == 1:
                heeding.append(asyncio.create_task(syncer.heed(lambda: {"wiki": org})))

        write(root, tour="On Mondays.", trip="Take the train.")
        report = await syncer.follow(lambda: (Folder("wiki", root), hr), tell=tell)
        assert (report.added, len(heeding), await texts(index), open_pages()) == (0, 1, set(), set())


async def test_a_source_whose_removal_was_cut_off_may_come_back(
    index: PassageIndex, root: Path, tmp_path: Path
) -> None:
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Folder("wiki", root), ORG)
        await index.remove(list(index.records))         # and no further: the journal still has all of it
        assert await syncer.heed(dict) == {"wiki": 0}
        assert journal.sources() == set()
        await syncer.sync(Folder("wiki", root), ORG)
        await index.remove(list(index.records))
        assert await syncer.sync(Folder("wiki", root), ORG) == SyncReport(added=3)


async def test_pages_of_which_nobody_knows_what_their_source_says_get_no_new_readers(
    index: PassageIndex, root: Path, tmp_path: Path
) -> None:
    """A page's own restriction stands in the journal; without it the readers of all the others are too many."""
    hr = frozenset({"group:hr"})
    await sync(index, Folder("wiki", root), frozenset({*hr, *ORG}), command=SMALL)
    await index.relabel([replace(index.records["wiki/pay.md"], acl=hr)])
    with Journal.open(tmp_path / "sync.db") as journal:
        await Syncer(index, journal, SMALL).heed(lambda: {"wiki": Given(Access(ORG))})
    assert {path: record.acl for path, record in index.records.items()} == {
        "wiki/leave.md": ORG, "wiki/pay.md": frozenset(), "wiki/rota.md": ORG}


async def test_pages_that_their_host_still_has_are_not_read_again(index: PassageIndex, tmp_path: Path) -> None:
    def page(text: str) -> Marked:
        return Marked(f"<html><body><main><h1>Page</h1><p>{text}</p></main></body></html>", f'"{text}"')

    leave, pay = page("Leave."), page("Pay.")
    pages = sitemap("http://HOST/leave", "http://HOST/pay")
    async with a_site(sitemap_xml=pages, leave=leave, pay=pay) as host:
        with Journal.open(tmp_path / "sync.db") as journal:
            syncer = Syncer(index, journal, SMALL)
            assert await syncer.sync(the_site(host), ORG) == SyncReport(added=2)
            again = await syncer.sync(the_site(host), frozenset({"group:hr"}))
            assert (again, again.read) == (SyncReport(changed=2), 0)
            pay.text, pay.etag = page("Paid.").text, '"other"'
            again = await syncer.sync(the_site(host), ORG)
            assert (again, again.read) == (SyncReport(changed=2), 1)
            assert {text.splitlines()[-1] for text in await texts(index)} == {"Leave.", "Paid."}
            assert (await syncer.sync(the_site(host), ORG, full=True)).read == 2


async def test_where_a_site_asks_who_we_are_nobody_finds_what_it_said(index: PassageIndex, tmp_path: Path) -> None:
    """Whoever knows what was there may be one for whom it is not any more. It costs no vectors to be wrong."""
    words = "<html><body><main><h1>{0}</h1><p>{0} is dealt with here.</p></main></body></html>"
    login = "<html><body><h1>Log in</h1><form><input name=a><input type=password name=b></form></body></html>"
    state = {"pay": "page", "rota": "page", "sitemap.xml": "page"}

    def page(name: str, text: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            if state[name].isdigit():
                return web.Response(status=int(state[name]))
            shown = login if state[name] == "login" else text.replace("HOST", request.host)
            return web.Response(text=shown, content_type="text/html")
        return answer

    async def synced(**now: str) -> tuple[SyncReport, int]:
        state.update(now)
        return await syncer.sync(the_site(host), ORG), len(await texts(index))

    places = sitemap("http://HOST/leave", "http://HOST/pay", "http://HOST/rota")
    async with a_site(leave=words.format("Leave"), pay=page("pay", words.format("Pay")),
                      rota=page("rota", words.format("Rota")), sitemap_xml=page("sitemap.xml", places)) as host:
        with Journal.open(tmp_path / "sync.db") as journal:
            syncer = Syncer(index, journal, SMALL)
            assert await synced(rota="login") == (SyncReport(added=2, failed=(
                (f"http://{host}/rota", "asks who we are, or shows what other pages show: one may have to log in"),
            )), 2)
            await synced(rota="page")
            syncer.command = ("/bin/false",)
            for how, why in (("login", "asks who we are, or shows what other pages show: one may have to log in"),
                             ("403", "is answered with HTTP 403")):
                for _ in range(2):
                    report, shown = await synced(pay=how)
                    assert report == SyncReport(unchanged=2, failed=(
                        (f"http://{host}/pay", f"{why}; it is hidden, not deleted, until that can be read"),))
                    assert (shown, len(index.records)) == (2, 3)
            assert (await synced(pay="500"))[1] == 2        # away, and still nobody's
            assert await synced(pay="page") == (SyncReport(changed=1, unchanged=2), 3)
            report, shown = await synced(**{"sitemap.xml": "401"})
            assert (report, shown, len(index.records)) == (SyncReport(failed=(("", (
                "the sitemap is answered with HTTP 401: it asks who we are: name a file that holds a token for it, as "
                "token_file in sources.toml; its 3 pages are hidden, not deleted, until that can be read")),
            )), 0, 3)
            assert (await synced(**{"sitemap.xml": "500"}))[1] == 0
            assert await synced(**{"sitemap.xml": "page"}) == (SyncReport(changed=3), 3)


async def test_where_each_page_asks_who_we_are_the_source_is_told_and_not_only_its_pages(
    index: PassageIndex, tmp_path: Path,
) -> None:
    shut = False

    async def page(request: web.Request) -> web.StreamResponse:
        if shut:
            return web.Response(status=403)
        return web.Response(text=f"<html><body><h1>Of {request.path}</h1></body></html>", content_type="text/html")

    pages = dict.fromkeys("abc", page)
    async with a_site(sitemap_xml=sitemap(*(f"http://HOST/{each}" for each in pages)), **pages) as host:
        with Journal.open(tmp_path / "sync.db") as journal:
            syncer = Syncer(index, journal, SMALL)
            assert await syncer.sync(the_site(host), ORG) == SyncReport(added=3)
            shut = True
            for _ in range(2):
                report = await syncer.sync(the_site(host), ORG)
                assert report.failed == (
                    ("", "asks who we are for each of its 3 pages: it needs a token that may read them, as token_file "
                         "in sources.toml, or a new one there"),
                    *((f"http://{host}/{each}", "is answered with HTTP 403; it is hidden, not deleted, until that can "
                                                "be read") for each in pages))
                assert (await texts(index), len(index.records)) == (set(), 3)
            shut, syncer.command = False, ("/bin/false",)
            assert await syncer.sync(the_site(host), ORG) == SyncReport(changed=3)
            assert len(await texts(index)) == 3


async def test_where_a_remote_lets_us_in_no_more_nobody_finds_what_it_had_until_it_does(
    index: PassageIndex, tmp_path: Path,
) -> None:
    repository = Repository(tmp_path / "app")
    repository.commit(leave_md="# Leave\n\nTen days.\n", pay_md="# Pay\n\nMonthly.\n")
    with served(repository) as (address, remote), Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)

        async def synced(token: str) -> SyncReport:
            return await syncer.sync(Git("app", tmp_path / "ours", "main", address, token=token), ORG)

        assert await synced("right") == SyncReport(added=2)
        syncer.command = ("/bin/false",)
        remote.token = "new"
        for _ in range(2):
            assert await synced("right") == SyncReport(failed=(
                ("", f"{REFUSED}; its 2 pages are hidden, not deleted, until that can be read"),))
            assert (await texts(index), len(index.records)) == (set(), 2)
        assert await synced("new") == SyncReport(changed=2)
        assert len(await texts(index)) == 2


async def test_a_page_that_cannot_be_read_any_more_gets_no_new_readers(index: PassageIndex, tmp_path: Path) -> None:
    """What its source said of its readers still stands, though the listing says only that it cannot be read."""
    ann = frozenset({"user:ann"})

    class Wiki(Folder):
        def listing(self) -> Iterator[Entry | Unreadable]:
            yield Unreadable("pay.md", "is locked") if broken else Entry("pay.md", "1", acl=ann)

    broken, root = False, tmp_path / "wiki"
    root.mkdir()
    write(root, pay="Paid on the twentieth.")
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Wiki("wiki", root), ORG)
        broken = True
        for _ in range(2):
            report = await syncer.sync(Wiki("wiki", root), ORG)
            assert (report.failed, report.unchanged) == ((("pay.md", "is locked"),), 1)
            assert index.records["wiki/pay.md"].acl == ann


async def test_bad_files_are_named_and_the_rest_goes_on(index: PassageIndex, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("# Secret\n\nOutside.")
    (root / "link.md").symlink_to(tmp_path / "outside.md")
    (root / "long.pdf").write_bytes(a_pdf(*(f"Stands on page {n}." for n in range(1, 301))))
    (root / "locked.pdf").write_bytes(an_encrypted_pdf("sesame"))
    (root / "bomb.docx").write_bytes(a_bomb())
    (root / "image.md").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (root / "claims.pdf").write_text("# Claims\n\nI am Markdown.")
    (root / "latin.md").write_bytes("# Latin\n\ncaf\xe9".encode("latin-1"))
    (root / "large.html").write_text(f"<html><body>{'word ' * 1_000_000}</body></html>")
    report = await synced(index, root)
    assert dict(report.failed) == {
        "bomb.docx": "unpacks to more than it may", "image.md": "is called .md and is an image",
        "large.html": "is larger than 2,000,000 bytes", "link.md": "leads out of the folder",
        "locked.pdf": "is encrypted",
    }
    assert dict(report.notes) == {
        "claims.pdf": "is called .pdf and is text", "latin.md": "is not UTF-8 at byte 12"}
    assert report.added == 6
    page, *_ = (await ask(index, "Stands on page 250.")).passages
    assert page.url.startswith((root / "long.pdf").as_uri() + "#page=")


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


async def test_what_was_to_be_withheld_when_the_process_died_is_withheld_at_the_next_start(
    index: PassageIndex, root: Path, tmp_path: Path,
) -> None:
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Folder("wiki", root, fresh=0), ORG)
        journal.withhold("wiki", ["pay.md", "unknown.md"], time.time())     # and here it died
        await syncer.resume()
        assert await texts(index) == {
            "# Leave\n\nGive four weeks notice.", "# Rota\n\nShifts change on Wednesday."}
        report = await syncer.sync(Folder("wiki", root, fresh=0), ORG)
        assert (report.changed, report.embedded) == (1, 0)
        assert len(await texts(index)) == 3
        assert journal.unreleased() == ["wiki/unknown.md"]


async def test_a_page_that_is_withheld_and_cannot_be_read_stays_so(
    index: PassageIndex, root: Path, tmp_path: Path,
) -> None:
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Folder("wiki", root, fresh=0), ORG)
        await syncer.withhold("wiki", ["pay.md"])
        write(root, pay="New.")
        for lines in (0, 0):            # the folder answers, the page does not
            report = await syncer.sync(Losing("wiki", root, fresh=0, lines=[lines]), ORG)
            assert report.failed == (("pay.md", "the line broke"),)
            assert len(await texts(index)) == 2
        await syncer.sync(Folder("wiki", root, fresh=0), ORG)
        assert "# Pay\n\nNew." in await texts(index)


async def test_new_words_of_a_withheld_page_come_without_the_old_ones(
    index: PassageIndex, root: Path, tmp_path: Path,
) -> None:
    with Journal.open(tmp_path / "sync.db") as journal:
        syncer = Syncer(index, journal, SMALL)
        await syncer.sync(Folder("wiki", root, fresh=0), ORG)
        await syncer.withhold("wiki", ["pay.md"])
        write(root, pay="SLOW New.")
        seen: list[set[str]] = []
        syncing = asyncio.create_task(syncer.sync(Folder("wiki", root, fresh=0), ORG))
        while not syncing.done():
            seen.append(await texts(index))
            await asyncio.sleep(0.005)      # an answer that is kept waits for nothing
        assert not any("# Pay\n\nPaid on the twentieth." in each for each in seen)
        assert "# Pay\n\nSLOW New." in await texts(index)
