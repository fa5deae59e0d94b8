"""Another embedding model: the index is built anew beside the one that answers, and takes over when it is whole."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.qdrant.embed import EARLIER, FOLDER, VERSION, Embedder, model_path, ours
from adapters.qdrant.index import OtherModel, PassageIndex
from adapters.qdrant.socket import open_index
from bot.indexes import open_knowledge, open_settled
from bot.settings import Settings
from bot.sources import Definition, Knowledge, SourceKind, add
from engine.errors import RetrieverUnavailable
from tests.adapters.qdrant.worlds import ANN, NO_PAST, Bags, an_index, ask, documents
from tests.bot.rebuild_once import NEXT, SMALL


def write(root: Path, **pages: str) -> None:
    root.mkdir(exist_ok=True)
    for name, text in pages.items():
        (root / f"{name}.md").write_text(f"# {name.title()}\n\n{text}\n")


@asynccontextmanager
async def knowing(data: Path, index: PassageIndex) -> AsyncIterator[Knowledge]:
    async with Knowledge.open(
        index, Settings(data_dir=data), data, command=SMALL, version="1", successor=NEXT,
    ) as knowledge:
        yield knowledge


@pytest.fixture
def wiki(tmp_path: Path) -> Path:
    write(tmp_path / "wiki", leave="Four weeks notice.", pay="Paid monthly, SLOW.", rota="Wednesdays.")
    add(tmp_path / "data", Definition("wiki", SourceKind.FOLDER, str(tmp_path / "wiki"), ("org",)))
    return tmp_path / "wiki"


async def found(index: PassageIndex) -> set[str]:
    return {name.partition("/")[2] for name in (p.document for p in (await ask(index, "page", limit=50)).passages)}


async def test_the_old_one_answers_and_learns_until_the_new_one_takes_over(wiki: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with an_index(data / "index") as index, knowing(data, index) as knowledge:
        await knowledge.sync()
        half = asyncio.Event()
        building = asyncio.create_task(knowledge.rebuild(lambda *_: half.set()))
        await half.wait()
        assert (index.embedder.model, await found(index)) == ("bags:1", {"leave.md", "pay.md", "rota.md"})
        (wiki / "leave.md").unlink()
        write(wiki, travel="By train.")
        await knowledge.sync()          # with the old model, into the old one
        assert await found(index) == {"pay.md", "rota.md", "travel.md"}
        reports = await building
        assert reports["wiki"].added >= 2
        assert (index.embedder.model, knowledge.successor) == ("bags:2", None)
        assert "leave.md" not in await found(index)
        assert (await knowledge.sync())["wiki"].added in {0, 1}     # what came while it was built
        assert await found(index) == {"pay.md", "rota.md", "travel.md"}
        assert {record.version for record in index.records.values()} == {"2"}
        assert (await knowledge.sync())["wiki"].embedded == 0


async def test_watching_builds_it_by_the_way(wiki: Path, tmp_path: Path) -> None:
    del wiki
    data = tmp_path / "data"
    async with an_index(data / "index") as index, knowing(data, index) as knowledge, asyncio.timeout(60):
        watching = asyncio.create_task(knowledge.watch(3600))
        while knowledge.successor is not None:
            await asyncio.sleep(0.01)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        assert await found(index) == {"leave.md", "pay.md", "rota.md"}


async def test_what_changed_while_it_was_built_is_read_again_at_once(wiki: Path, tmp_path: Path) -> None:
    data, begun = tmp_path / "data", asyncio.Event()
    write(tmp_path / "more", **{f"more{number}": "SLOW" for number in range(40)})
    add(data, Definition("more", SourceKind.FOLDER, str(tmp_path / "more"), ("org",)))
    async with an_index(data / "index") as index, knowing(data, index) as knowledge, asyncio.timeout(60):
        await knowledge.sync()
        watching = asyncio.create_task(knowledge.watch(3600, lambda name, *_: begun.set() if name == "more" else None))
        await begun.wait()              # it has read the wiki
        write(wiki, leave="Six weeks notice.")
        await knowledge.sync("wiki")
        assert knowledge.successor is not None
        while knowledge.successor is not None:
            assert "Four weeks" not in repr(await ask(index, "weeks notice"))
            await asyncio.sleep(0.01)
        assert "Four weeks" not in repr(await ask(index, "weeks notice"))
        while "leave.md" not in await found(index):
            await asyncio.sleep(0.01)
        assert "Six weeks" in repr(await ask(index, "weeks notice"))
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching


async def test_while_a_source_is_away_nothing_is_given_up(wiki: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with an_index(data / "index") as index, knowing(data, index) as knowledge:
        await knowledge.sync()
        shutil.move(wiki, tmp_path / "elsewhere")
        with pytest.raises(RetrieverUnavailable, match="while a source is away: wiki: there is no such folder"):
            await knowledge.rebuild()
        assert (index.embedder.model, await found(index)) == ("bags:1", {"leave.md", "pay.md", "rota.md"})
        shutil.move(tmp_path / "elsewhere", wiki)
        await knowledge.rebuild()
        assert (index.embedder.model, await found(index)) == ("bags:2", {"leave.md", "pay.md", "rota.md"})


async def test_kill_9_in_the_middle_leaves_the_old_one_whole(wiki: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    write(wiki, **{f"more{number}": "SLOW" for number in range(20)})
    async with an_index(data / "index") as index, knowing(data, index) as knowledge:
        await knowledge.sync()
        before = dict(index.records)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bot.rebuild_once", str(data), stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    while (await process.stdout.readline()).strip() != b"5":
        assert process.returncode is None
    process.kill()
    await process.wait()
    assert len(list((data / "index").glob("shard*"))) == 2
    async with an_index(data / "index") as index, knowing(data, index) as knowledge:
        assert index.records == before
        assert "leave.md" in await found(index)
        await knowledge.rebuild()
        assert index.records.keys() == before.keys()
    with pytest.raises(OtherModel):
        async with an_index(data / "index"):
            pass
    async with PassageIndex.open(data / "index", Bags(model="bags:2")) as index:
        assert documents(await ask(index, "four weeks notice", limit=1))
    assert len(list((data / "index").glob("shard*"))) == 1


async def test_an_index_of_our_models_earlier_form_is_asked_so_until_it_is_built_anew(
    wiki: Path, tmp_path: Path,
) -> None:
    settings, asked = Settings(data_dir=tmp_path / "data"), {"past": NO_PAST, "audience": ANN, "limit": 1}
    async with (
        Embedder(chosen=ours(EARLIER)).running() as before,
        open_index(settings.data_dir / "index", before) as shared, open_knowledge(shared, settings) as knowledge,
    ):
        await knowledge.sync()
        first = await shared.find("notice?", **asked)
    async with open_settled(settings) as shared, open_knowledge(shared, settings) as knowledge:
        write(wiki, pay="Paid monthly, and notice is given of what is not.")
        await knowledge.sync()          # what comes meanwhile is made as the rest was
        index = shared.own
        assert index is not None
        assert index.manifest.model == EARLIER
        assert {record.version.count(EARLIER) for record in index.records.values()} == {1}
        assert await shared.find("notice?", **asked) == first
        await knowledge.rebuild()
        assert index.manifest.model == VERSION
        assert {record.version.count(VERSION) for record in index.records.values()} == {1}
        found = await shared.find("notice?", **asked)
        assert [p.document for p in found.passages] == [p.document for p in first.passages]
    assert len(list((settings.data_dir / "index").glob("shard*"))) == 1


async def test_the_settings_name_another_model_and_the_program_does_the_rest(wiki: Path, tmp_path: Path) -> None:
    del wiki
    folder = tmp_path / "my-minilm"
    shutil.copytree(FOLDER, folder)
    shutil.copy(model_path(), folder / "model.onnx")
    ours = Settings(data_dir=tmp_path / "data")
    theirs = Settings.model_validate({"data_dir": tmp_path / "data", "knowledge": {"embedding_model": folder}})
    async with open_settled(ours) as shared, open_knowledge(shared, ours) as knowledge:
        assert knowledge.successor is None
        await knowledge.sync()
        first = await shared.find("notice?", past=NO_PAST, audience=ANN, limit=1)
    async with open_settled(theirs) as shared:
        assert shared.successor is not None
        assert await shared.find("notice?", past=NO_PAST, audience=ANN, limit=1) == first
        async with open_knowledge(shared, theirs) as knowledge:
            await knowledge.rebuild()
        assert shared.successor is None
        found = await shared.find("notice?", past=NO_PAST, audience=ANN, limit=1)
        assert [p.document for p in found.passages] == [p.document for p in first.passages]
    shutil.rmtree(folder)
    async with open_settled(ours) as shared, open_knowledge(shared, ours) as knowledge:
        with pytest.raises(RetrieverUnavailable, match=r"made with my-minilm.*not there any more"):
            await shared.find("notice?", past=NO_PAST, audience=ANN, limit=1)
        await knowledge.rebuild()       # back to the one that ships with the program
        assert await shared.find("notice?", past=NO_PAST, audience=ANN, limit=1) == first
