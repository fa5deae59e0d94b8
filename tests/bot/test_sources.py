"""Sources come and go by commands, and the index follows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.qdrant.index import PassageIndex
from adapters.qdrant.sync import SyncReport
from bot.settings import Settings
from bot.sources import (
    FILE,
    Candid,
    Definition,
    Knowledge,
    SourceKind,
    SourcesError,
    add,
    ask_for_sync,
    checked,
    opened,
    read_definitions,
    remove,
    summary,
    write_definitions,
)
from engine.errors import Unavailable
from engine.rag.page import Entry, Unreadable
from tests.adapters.qdrant.worlds import an_index, ask

SMALL = (sys.executable, "-m", "tests.adapters.qdrant.small_indexer")
WIKI = Definition("wiki", SourceKind.FOLDER, "/srv/wiki", ("org",), (("hr/*", ("group:hr", "user:ann")),))
ODD = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf", "Co", "Cn", "Zs")), max_size=20)


def a_folder(root: Path, **pages: str) -> str:
    root.mkdir(exist_ok=True)
    for name, text in pages.items():
        (root / f"{name}.md").write_text(f"# {name.title()}\n\n{text}\n")
    return str(root)


def test_a_source_is_added_listed_and_removed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert read_definitions(data) == ()
    add(data, WIKI)
    add(data, Definition("app", SourceKind.GIT, "https://git.acme.example/app.git", ("group:dev",), branch="main"))
    assert [each.name for each in read_definitions(data)] == ["wiki", "app"]
    assert read_definitions(data)[0] == WIKI
    assert (data / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in data.iterdir()] == [FILE]
    with pytest.raises(SourcesError, match="already"):
        add(data, WIKI)
    remove(data, "wiki")
    assert [each.name for each in read_definitions(data)] == ["app"]
    with pytest.raises(SourcesError, match="no source wiki"):
        remove(data, "wiki")


@given(place=ODD.filter(bool), url=ODD, pattern=ODD.filter(bool), code=st.booleans())
def test_whatever_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, place: str, url: str, pattern: str, code: bool
) -> None:
    data = tmp_path_factory.getbasetemp() / "written"
    definitions = (Definition("a", SourceKind.FOLDER, place, ("org",), ((pattern, ("group:hr",)),), url, code=code),
                   Definition("b", SourceKind.CONVERSATIONS))
    write_definitions(data, definitions)
    assert read_definitions(data) == definitions


@pytest.mark.parametrize(("wrong", "why"), [
    (Definition("Wiki", SourceKind.FOLDER, "/srv", ("org",)), "name is made of"),
    (Definition("handbook", SourceKind.FOLDER, "/srv", ("org",)), "cannot be called handbook"),
    (Definition("uploads", SourceKind.FOLDER, "/srv", ("org",)), "cannot be called uploads"),
    (Definition("wiki", SourceKind.FOLDER, "/srv"), "who may read it"),
    (Definition("wiki", SourceKind.FOLDER, "/srv", ("everyone",)), "labels are"),
    (Definition("wiki", SourceKind.FOLDER, "/srv", ("org",), (("hr/*", ("hr",)),)), "labels are"),
    (Definition("wiki", SourceKind.FOLDER, "", ("org",)), "where it is"),
    (Definition("wiki", SourceKind.FOLDER, "/srv\n", ("org",)), "nobody can see"),
    (Definition("docs", SourceKind.SITE, "ftp://docs.example/x", ("org",), hosts=("docs.example",)), "sitemap"),
    (Definition("docs", SourceKind.SITE, "https://docs.example/x", ("org",), hosts=("other.example",)), "--host"),
    (Definition("app", SourceKind.GIT, "https://a:b@git.example/app", ("org",)), "does not belong in an address"),
    (Definition("app", SourceKind.GIT, "/srv/app", ("org",), branch="--upload-pack=x"), "no branch"),
])
def test_what_cannot_work_is_refused(wrong: Definition, why: str) -> None:
    with pytest.raises(SourcesError, match=why):
        checked(wrong)


@pytest.mark.parametrize(("text", "why"), [
    ("[[source", "not TOML"), ("x = 1", "only"), ("[[source]]\nname = 'a'", "understood"),
    ("[[source]]\nname = 'a'\nkind = 'ftp'\n", "understood"), ("[[source]]\nname = 'a'\nkin = 'x'\n", "kin is unknown"),
    ("[[source]]\nname = 'a'\nkind = 'conversations'\n" * 2, "twice"),
])
def test_a_file_that_somebody_spoiled_says_where(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(SourcesError, match=why):
        read_definitions(tmp_path)


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[PassageIndex]:
    async with an_index(tmp_path / "index") as opened:
        yield opened


async def found(index: PassageIndex) -> set[str]:
    return {passage.text.partition("\n\n")[2] for passage in (await ask(index, "page", limit=100)).passages}


async def test_without_sources_there_is_the_handbook_and_then_it_goes(index: PassageIndex, tmp_path: Path) -> None:
    handbook = Path(a_folder(tmp_path / "handbook", leave="From the handbook."))
    settings = Settings(data_dir=tmp_path / "data")
    async with Knowledge.open(index, settings, handbook, command=SMALL) as knowledge:
        assert await knowledge.sync() == {"handbook": SyncReport(added=1)}
        wiki = a_folder(tmp_path / "wiki", pay="From the wiki.")
        add(settings.data_dir, Definition("wiki", SourceKind.FOLDER, wiki, ("org",)))
        assert await knowledge.sync() == {"wiki": SyncReport(added=1)}
        assert await found(index) == {"From the wiki."}


async def test_one_source_that_is_away_stops_no_other(index: PassageIndex, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    wiki = a_folder(tmp_path / "wiki", pay="Monthly.")
    for each in (Definition("gone", SourceKind.FOLDER, str(tmp_path / "gone"), ("org",)),
                 Definition("chat", SourceKind.CONVERSATIONS),
                 Definition("secret", SourceKind.GIT, "https://git.example/x", ("org",), token_file="/nowhere"),
                 Definition("wiki", SourceKind.FOLDER, wiki, ("org",))):
        add(settings.data_dir, each)
    async with Knowledge.open(index, settings, tmp_path, command=SMALL) as knowledge:
        reports = await knowledge.sync()
        assert {name: why for name, report in reports.items() for _, why in report.failed} == {
            "gone": "there is no such folder",
            "chat": "chat: the conversations are in a database that is not open here",
            "secret": "secret: its token cannot be read: FileNotFoundError",
        }
        assert await found(index) == {"Monthly."}
        with pytest.raises(SourcesError, match="no source nobody"):
            await knowledge.sync("nobody")


async def test_that_a_source_is_empty_is_believed_of_one_that_was_named(index: PassageIndex, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    for name in ("a", "b"):
        pages = a_folder(tmp_path / name, pay=f"{name}.", leave=f"Of {name}.")
        add(settings.data_dir, Definition(name, SourceKind.FOLDER, pages, ("org",)))
    async with Knowledge.open(index, settings, tmp_path, command=SMALL) as knowledge:
        await knowledge.sync()
        for name in ("a", "b"):
            (tmp_path / name / "pay.md").unlink()
            (tmp_path / name / "leave.md").unlink()
        for full in (False, True):
            reports = await knowledge.sync(full=full)
            assert {name: path for name, report in reports.items() for path, _ in report.failed} == {"a": "", "b": ""}
            assert (await found(index), index.records.keys()) == (set(), {
                "a/leave.md", "a/pay.md", "b/leave.md", "b/pay.md"})
        assert (await knowledge.sync("a"))["a"].failed
        assert await knowledge.sync("a", full=True) == {"a": SyncReport(deleted=2)}
        assert index.records.keys() == {"b/leave.md", "b/pay.md"}


async def test_watching_follows_the_file_and_the_commands(index: PassageIndex, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    add(settings.data_dir, Definition("wiki", SourceKind.FOLDER, a_folder(tmp_path / "wiki", pay="Monthly."), ("org",)))
    rounds: asyncio.Queue[Mapping[str, SyncReport] | Unavailable | SourcesError] = asyncio.Queue()
    async with Knowledge.open(index, settings, tmp_path, command=SMALL) as knowledge, asyncio.timeout(60):
        watching = asyncio.create_task(knowledge.watch(3600, said=rounds.put_nowait))
        assert await rounds.get() == {"wiki": SyncReport(added=1)}
        a_folder(tmp_path / "wiki", rota="Weekly.")
        ask_for_sync(settings.data_dir)
        assert await rounds.get() == {"wiki": SyncReport(added=1, unchanged=1)}
        (settings.data_dir / FILE).write_text("spoiled")
        assert isinstance(await rounds.get(), SourcesError)
        assert await found(index) == {"Monthly.", "Weekly."}
        empty = a_folder(tmp_path / "empty")
        write_definitions(settings.data_dir, [Definition("empty", SourceKind.FOLDER, empty, ("org",))])
        assert await rounds.get() == {"empty": SyncReport()}
        assert await found(index) == set()
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching


async def test_what_the_file_takes_back_does_not_wait_for_a_sync(index: PassageIndex, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    pages = {f"page{n}": f"Text {n}." for n in range(8)}
    gone = Definition("gone", SourceKind.FOLDER, a_folder(tmp_path / "gone", bonus="Paid in May."), ("org",))
    shut = Definition("shut", SourceKind.FOLDER, a_folder(tmp_path / "shut", pay="Monthly."), ("org",))
    slow = Definition("slow", SourceKind.FOLDER, a_folder(tmp_path / "slow", **pages), ("org",))
    told, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        """A source that is not read to its end before somebody says so."""

        def __init__(self) -> None:
            self.inner, self.loop = opened(slow, settings.data_dir, None), asyncio.get_running_loop()

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def listing(self) -> Iterator[Entry | Unreadable]:
            self.loop.call_soon_threadsafe(told.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), self.loop).result(30)
            yield from self.inner.listing()

    write_definitions(settings.data_dir, [gone, shut])
    async with Knowledge.open(index, settings, tmp_path, command=SMALL) as knowledge, asyncio.timeout(60):
        watching = asyncio.create_task(knowledge.watch(3600))
        while len(await found(index)) < 2:
            await asyncio.sleep(0.05)
        syncing = asyncio.create_task(
            knowledge.syncer.follow(lambda: (Slow(), slow.given)))      # type: ignore[arg-type, return-value]
        await told.wait()
        write_definitions(settings.data_dir, [replace(shut, acl=("group:hr",)), slow])
        while await found(index):
            await asyncio.sleep(0.05)
        assert not syncing.done()
        assert {each.document: each.acl for each in index.records.values()} == {"shut/pay.md": frozenset({"group:hr"})}
        go_on.set()
        assert (await syncing).added == 8
        watching.cancel()
        await asyncio.wait([watching])


async def test_until_each_source_was_read_to_its_end_it_is_no_news_that_nothing_is_found(
    index: PassageIndex, tmp_path: Path,
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    first, second, away = (Definition(name, SourceKind.FOLDER, str(tmp_path / name), ("org",))
                           for name in ("first", "second", "away"))
    for name in ("first", "second"):
        a_folder(tmp_path / name, pay=f"Of {name}.", leave=f"Leave of {name}.")
    write_definitions(settings.data_dir, [first, second])
    looking = Candid(index, settings)

    async def whole() -> bool:
        return (await ask(looking, "zebra?")).whole

    async with Knowledge.open(index, settings, tmp_path, command=SMALL) as knowledge:
        asked: list[tuple[str, int, asyncio.Task[bool]]] = []
        assert not await whole()
        await knowledge.sync(tell=lambda name, done, _: asked.append((name, done, asyncio.create_task(whole()))))
        assert [(name, done, await task) for name, done, task in asked if done == 1] == [
            ("first", 1, False), ("second", 1, False)]
        assert await whole()
        write_definitions(settings.data_dir, [first, second, away])
        assert not await whole()                # as it stands in the file, which no sync has looked at
        await knowledge.sync()
        assert not await whole()                # it is away
        write_definitions(settings.data_dir, [first, replace(second, place=str(tmp_path / "first"))])
        await knowledge.mind()
        assert not await whole()                # that is another one, and was not read yet
        await knowledge.sync()
        assert await whole()
        (settings.data_dir / FILE).write_text("spoiled")
        assert await whole()                    # nobody knows


async def test_a_file_that_is_just_being_written_takes_nothing_away(index: PassageIndex, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    wiki = Definition("wiki", SourceKind.FOLDER, a_folder(tmp_path / "wiki", pay="Monthly."), ("org",))
    write_definitions(settings.data_dir, [wiki])
    whole, file = (settings.data_dir / FILE).read_text(), settings.data_dir / FILE
    async with Knowledge.open(index, settings, tmp_path / "none", command=SMALL) as knowledge, asyncio.timeout(60):
        watching = asyncio.create_task(knowledge.watch(3600))
        while not await found(index):
            await asyncio.sleep(0.05)
        for written in range(0, len(whole), 8):         # for longer than two looks at it
            file.write_text(whole[:written])
            await asyncio.sleep(0.1)
            assert await found(index) == {"Monthly."}
        file.write_text(whole)
        await asyncio.sleep(1.5)
        assert await found(index) == {"Monthly."}
        file.write_text("")
        while await found(index):
            await asyncio.sleep(0.05)
        watching.cancel()
        await asyncio.wait([watching])


async def test_a_round_takes_each_source_as_the_file_says_when_its_turn_comes(
    index: PassageIndex, tmp_path: Path
) -> None:
    """A round that began with another file must not bring back what the file took away meanwhile."""
    settings = Settings(data_dir=tmp_path / "data")
    first, gone, shut, late = (
        Definition(name, SourceKind.FOLDER, a_folder(tmp_path / name, **{name: f"Of {name}."}), ("org",))
        for name in ("first", "gone", "shut", "late"))
    write_definitions(settings.data_dir, [first, gone, shut])
    async with Knowledge.open(index, settings, tmp_path, command=SMALL) as knowledge:
        await knowledge.sync()
        (tmp_path / "first" / "first.md").write_text("Another text.")
        minding: list[asyncio.Task[Mapping[str, int]]] = []

        def tell(name: str, done: int, _total: int) -> None:
            assert name == "first"
            if not done:
                write_definitions(settings.data_dir, [first, replace(shut, acl=("group:hr",)), late])
                minding.append(asyncio.create_task(knowledge.mind()))

        reports = await knowledge.sync(tell=tell)
        assert await minding[0] == {"gone": 1}
        assert reports == {"first": SyncReport(changed=1), "shut": SyncReport(changed=1)}
        assert knowledge.reports == reports
        assert {each.document: each.acl for each in index.records.values()} == {
            "first/first.md": frozenset({"org"}), "shut/shut.md": frozenset({"group:hr"})}


def test_the_last_line_is_honest() -> None:
    report = SyncReport(1, 2, 3, 4, (("a.pdf", "is encrypted"),), chunks=20, embedded=12, seconds=4.0)
    assert summary("wiki", report) == (
        "wiki: 1 page added, 2 changed, 3 deleted, 4 unchanged, 1 failed; "
        "12 of 20 chunks embedded, 3.0 a second; 4.0 s."
    )
