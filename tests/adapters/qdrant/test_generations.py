"""Another model, another chunker, another engine: a new generation beside the old one, which answers until the end."""

from __future__ import annotations

import asyncio
import os
import uuid
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.qdrant.index import MadeAnew, OtherModel, PassageIndex, making
from adapters.qdrant.move import NotMoved, move
from adapters.qdrant.points import MANIFEST_ID, Manifest, Point, generation
from adapters.qdrant.server import MEMORY, ServerGenerations, ServerOptions, asked, open_generations
from adapters.qdrant.store import CHUNK, LIST, RECORD, PassageStore
from engine.errors import RetrieverUnavailable
from engine.rag import chunk
from tests.adapters.qdrant.bags import SIZE
from tests.adapters.qdrant.worlds import ANN, ENGINES, QUIET, Bags, a_page, an_engine, an_index, ask, documents
from tests.builders import an_audience

pytestmark = QUIET
LEAVE = "# Leave\n\nGive four weeks notice."
NEXT = Bags(model="bags:2")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_the_old_generation_answers_until_the_new_one_is_whole(engine: str, tmp_path: Path) -> None:
    async with an_engine(engine, tmp_path) as index:
        await index.put([a_page("leave.md", LEAVE)])
        before = index.generation
        async with index.next_generation(NEXT, making(NEXT)) as fresh:
            await fresh.put([a_page("new.md", LEAVE)])
            assert documents(await ask(index, "notice")) == ["leave.md"]
            assert documents(await ask(fresh, "notice")) == ["new.md"]
        assert documents(await ask(index, "notice")) == ["new.md"]
        assert index.generation == making(NEXT).generation != before
        await index.put([a_page("newer.md", "# Newer\n\nnotice")])
        assert set(documents(await ask(index, "notice"))) == {"new.md", "newer.md"}
        assert await index._generations.answering() == index.generation
        with pytest.raises(RetrieverUnavailable, match="already active"):
            async with index.next_generation(NEXT, making(NEXT)):
                pass


async def test_rights_that_go_while_a_generation_is_built_are_gone_in_it(engine: str, tmp_path: Path) -> None:
    async with an_engine(engine, tmp_path) as index:
        pay, ill = a_page("pay.md", "# Pay\n\nnotice of pay"), a_page("ill.md", "# Ill\n\nnotice")
        pages = [a_page("leave.md", LEAVE), pay, ill]
        await index.put(pages)
        async with index.next_generation(NEXT, making(NEXT)) as fresh:
            await fresh.put(pages)
            await index.remove(["leave.md"])
            await index.relabel([replace(pay[0], acl=frozenset({"group:hr"}))])
        hr = an_audience(eve="org group:hr")
        assert documents(await ask(index, "notice")) == ["ill.md"]
        assert documents(await ask(index, "notice", hr)) == ["ill.md"]      # which of the two rights is the later?
        await index.relabel([replace(pay[0], acl=frozenset({"group:hr"}))])     # says the next sync
        assert set(documents(await ask(index, "notice", hr))) == {"ill.md", "pay.md"}


async def test_words_that_go_while_a_generation_is_built_are_gone_in_it(engine: str, tmp_path: Path) -> None:
    async with an_engine(engine, tmp_path) as index:
        before, after = a_page("lift", "# Lift\n\nThe code is 4711."), a_page("lift", "# Lift\n\nThe key is with Bo.")
        await index.put([before])
        async with index.next_generation(NEXT, making(NEXT)) as fresh:
            await fresh.put([before])
            await index.relabel([replace(before[0], acl=frozenset())])      # somebody took the code back
            await index.put([after])                                        # and the page was read again
        assert "4711" not in repr(await ask(index, "lift code"))
        await index.put([after])
        assert documents(await ask(index, "lift key")) == ["lift"]


async def test_rights_that_a_new_generation_knows_better_are_not_widened_by_the_old_one(
    engine: str, tmp_path: Path,
) -> None:
    hr = frozenset({"group:hr"})
    async with an_engine(engine, tmp_path) as index:
        pay = a_page("pay.md", "# Pay\n\nnotice of pay")
        await index.put([pay])
        async with index.next_generation(NEXT, making(NEXT)) as fresh:
            await index.relabel([replace(pay[0], acl=frozenset({"org", "group:hr"}))])
            await fresh.put([a_page("pay.md", "# Pay\n\nnotice of pay", hr)])     # closed a moment ago
        assert documents(await ask(index, "notice")) == []
        assert documents(await ask(index, "notice", an_audience(eve="org group:hr"))) == ["pay.md"]


async def everything(store: PassageStore) -> dict[str, Point]:
    """All passages and records, by id."""
    return {point.id: point for kind in (CHUNK, RECORD) async for points in store.scroll(kind, vectors=True)
            for point in points}


async def aged(store: PassageStore, manifest: Manifest) -> None:
    """Puts what is there into the form in which the first version wrote it."""
    old: dict[str, Point] = {}
    for point in (points := await everything(store)).values():
        payload, name = dict(point.payload), f"{point.payload['doc']}\0{point.id[:-3]}"
        if payload["kind"] == CHUNK:
            payload["acl"] = hex(payload["acl"])
            if "part" in payload:
                payload["of"], name = str(uuid.uuid5(uuid.NAMESPACE_OID, name)), f"{name}\0{payload['part']}"
        id = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
        old[id] = replace(point, id=id, payload=payload)
    await store.delete(list(points))
    making = {"model": manifest.model, "chunker": manifest.chunker, "size": manifest.size, "sha256": {}, "folder": ""}
    await store.upsert([*old.values(), Point(MANIFEST_ID, {"kind": "manifest", **making})])


async def test_what_an_earlier_version_wrote_is_put_into_this_ones_form_and_nothing_is_embedded(tmp_path: Path) -> None:
    hr = frozenset({"group:hr"})
    pages = [a_page("leave.md", LEAVE), a_page("pay.md", "# Pay\n\nnotice of pay " * 60, hr), a_page("ill.md", LEAVE)]
    parts = [msgspec.structs.replace(piece, dense=2 * piece.dense, parts=2) for piece in pages[1][1]]
    pages[1] = (pages[1][0], parts)
    async with an_index(tmp_path) as index:
        await index.put(pages)
        fresh = await everything(index.store)
        await aged(index.store, index.manifest)
    async with an_index(tmp_path) as index:
        assert await everything(index.store) == fresh
        assert len(documents(await ask(index, "notice"))) == 1      # of a page and its copy
        assert "pay.md" in documents(await ask(index, "notice of pay", an_audience(eve="org group:hr")))
        await index.put([a_page("pay.md", LEAVE)])
        assert {generation(record) for record in index.records.values()} == {
            point.payload["generation"] for point in (await everything(index.store)).values()
            if point.payload["kind"] == CHUNK}
        assert await index._generations.answering() == Manifest("bags:1", chunk.VERSION, SIZE).generation
    assert len([name for name in os.listdir(tmp_path) if name.startswith("shard")]) == 1


async def test_vectors_of_the_old_model_that_wait_for_the_change_are_turned_away(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with an_engine(engine, tmp_path) as index:
        made_with, waiting = index.manifest, list[asyncio.Task[None]]()
        activate = type(index._generations).activate

        async def slowly(generations: Any, name: str) -> None:
            waiting.append(asyncio.create_task(index.put([a_page("leave.md", LEAVE)], made_with=made_with)))
            await asyncio.sleep(0)      # now it waits for us
            await activate(generations, name)

        monkeypatch.setattr(type(index._generations), "activate", slowly)
        async with index.next_generation(NEXT, making(NEXT)):
            pass
        with pytest.raises(MadeAnew, match="has just been built anew"):
            await waiting[0]
        assert index.records == {}


async def half_built(index: PassageIndex) -> None:
    async with index.next_generation(NEXT, making(NEXT)) as fresh:
        await fresh.put([a_page("new.md", LEAVE)])
        raise ZeroDivisionError


async def test_a_generation_that_fails_changes_nothing(engine: str, tmp_path: Path) -> None:
    async with an_engine(engine, tmp_path) as index:
        await index.put([a_page("leave.md", LEAVE)])
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await half_built(index)
            assert documents(await ask(index, "notice")) == ["leave.md"]
        assert index.generation == making(Bags()).generation


async def test_after_a_restart_the_active_generation_answers_and_only_to_its_own_model(tmp_path: Path) -> None:
    async with an_index(tmp_path) as index:
        await index.put([a_page("leave.md", LEAVE)])
        async with index.next_generation(NEXT, making(NEXT)) as fresh:
            await fresh.put([a_page("new.md", LEAVE)])
    assert [name for name in os.listdir(tmp_path) if name.startswith("shard")] == [f"shard-{making(NEXT).generation}"]
    with pytest.raises(OtherModel, match="made with bags:2, not with bags:1") as other:
        async with PassageIndex.open(tmp_path, Bags()):
            pass
    assert other.value.manifest == making(NEXT)
    async with PassageIndex.open(tmp_path, NEXT) as index:
        assert documents(await ask(index, "notice")) == ["new.md"]


async def test_another_chunker_makes_another_generation() -> None:
    assert len({making(Bags()).generation, making(Bags(), "chunk-99").generation, making(NEXT).generation}) == 3


@asynccontextmanager
async def a_target(engine: str, path: Path) -> Any:
    async with an_engine(engine, path) as index:
        yield index._generations


async def test_an_index_moves_with_all_that_it_knows(engine: str, tmp_path: Path) -> None:
    hr = frozenset({"group:hr"})
    parts = ("vpn", "laptop", "travel", "notice", "expenses", "parental leave")
    long = "\n\n".join(f"## About {part}\n\n" + f"{part} means {part[::-1]} here " * 8 for part in parts)
    seen: list[tuple[int, int]] = []
    async with an_index(tmp_path / "old") as old, a_target(engine, tmp_path / "new") as target:
        pay = a_page("pay.md", "# Pay\n\nOn the 20th.", hr)
        await old.put([a_page("leave.md", LEAVE), pay, a_page("long.md", long)])
        for times in (1, 2):
            moved = await move(old.store, target, tell=lambda done, total: seen.append((done, total)))
            async with PassageIndex.over(target, Bags()) as new:
                assert (moved.pages, moved.passages) == (3, await old.store.count(CHUNK))
                assert new.records == old.records, times
                for question, people in (("notice", ANN), ("when is pay?", an_audience(eve="org group:hr"))):
                    there, here = await ask(new, question, people, 2), await ask(old, question, people, 2)
                    assert [replace(p, score=0) for p in there.passages] == [replace(p, score=0) for p in here.passages]
                    assert there.answers == here.answers
                assert await new.store.count(LIST) == 2
        assert seen[-1][0] == seen[-1][1] == 3 + moved.passages


async def test_a_move_that_loses_something_leaves_the_target_as_it_was(tmp_path: Path) -> None:
    async with an_index(tmp_path / "old") as old, a_target("memory", tmp_path) as target:
        await old.put([a_page("leave.md", LEAVE)])
        await move(old.store, target)
        await old.put([a_page("pay.md", "# Pay\n\nOn the 20th.")])
        with pytest.raises(NotMoved, match="1 of 2 pages"):
            await move(Forgetful(old.store), target)    # type: ignore[arg-type]
        async with PassageIndex.over(target, Bags()) as new:
            assert set(new.records) == {"leave.md"}


class Forgetful:
    """A store that hands over one page only."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def scroll(self, kind: str, *, vectors: bool = False) -> Any:
        async for points in self.inner.scroll(kind, vectors=vectors):
            yield points[:1] if kind == RECORD else points


async def test_what_another_process_wrote_holds_for_the_next_question() -> None:
    async with open_generations(ServerOptions(MEMORY)) as server:   # noqa: SIM117 - the second line needs the first
        async with PassageIndex.over(server, Bags()) as here, PassageIndex.over(server, Bags()) as there:
            page = a_page("pay.md", "# Pay\n\nOn the 20th.")
            await there.put([page, a_page("leave.md", LEAVE)])
            found = await ask(here, "pay on the 20th?")
            assert set(documents(found)) == {"pay.md", "leave.md"}
            await there.relabel([replace(page[0], acl=frozenset({"group:hr"}))])
            assert documents(await ask(here, "pay on the 20th?")) == ["leave.md"]
            assert [p.document for p in await here.still_readable(found.passages, ANN)] == ["leave.md"]
            await there.remove(["leave.md"])
            assert await here.still_readable(found.passages, ANN) == ()
            assert (await ask(here, "notice")).passages == ()


async def test_an_index_whose_name_begins_like_anothers_is_left_alone() -> None:
    async with open_generations(ServerOptions(MEMORY)) as server:
        beside = ServerGenerations(server.client, ServerOptions(MEMORY, index="bartizan-test"))
        async with PassageIndex.over(server, Bags()) as index, PassageIndex.over(beside, Bags()) as other:
            await other.put([a_page("leave.md", LEAVE)])
            async with index.next_generation(NEXT, making(NEXT)):
                pass
            assert documents(await ask(other, "notice")) == ["leave.md"]


async def test_a_server_that_is_away_is_unavailable_and_says_no_more() -> None:
    options = ServerOptions("https://127.0.0.1:9", api_key="secret", timeout=2)
    async with open_generations(options) as server:
        with pytest.raises(RetrieverUnavailable) as failed:
            async with PassageIndex.over(server, Bags()):
                pass
    assert "secret" not in str(failed.value)
    assert str(failed.value).startswith("the index server ")


async def test_a_server_that_is_silent_is_given_up() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RetrieverUnavailable, match=r"no answer in 0\.01 s"):
        await asked(forever(), 0.01)

