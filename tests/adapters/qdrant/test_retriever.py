"""What every retriever of ours promises: told over Edge, over the way to it from another process, and over a server.

The server is the client library's own imitation; the same stories run over a real one where QDRANT_URL names it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from math import log
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.qdrant.edge import IndexBusy
from adapters.qdrant.index import Bm25, PassageIndex
from adapters.qdrant.points import Piece, Record, list_id
from adapters.qdrant.socket import RemoteIndex, serve
from adapters.qdrant.store import Words
from engine.errors import RetrieverUnavailable
from engine.messages import Audience, Conversation, ConversationId, Labels, Member, PersonId, Turn
from engine.ports import Retriever
from tests.adapters.qdrant.worlds import ANN, QUIET, REAL, Bags, a_page, an_engine, an_index, ask, documents
from tests.builders import NOON, ORG, a_message, an_audience

pytestmark = QUIET
LEAVE = "# Leave\n\nGive four weeks notice before annual leave.\n\n## Illness\n\nNo notice is needed when ill."
HR = frozenset({"group:hr"})
PAY = "# Pay\n\nSalaries are paid on the twentieth. The head earns nothing."


@dataclass(frozen=True)
class Desk:
    """An index, and the retriever that is asked."""

    index: PassageIndex
    asked: Retriever


@pytest.fixture(params=["edge", "remote", "memory", REAL])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    if request.param != "remote":
        async with an_engine(request.param, tmp_path / "index") as index:
            yield Desk(index, index)
        return
    async with an_index(tmp_path / "index") as index, serve(index, tmp_path / "socket"):
        yield Desk(index, RemoteIndex(tmp_path / "socket"))


async def test_a_passage_names_its_page_and_heading(desk: Desk) -> None:
    await desk.index.put([a_page("leave.md", LEAVE), a_page("pay.md", PAY)])
    found = await ask(desk.asked, "how much notice before annual leave?")
    best = found.passages[0]
    assert found.answers
    assert (best.title, best.url, best.date) == ("Leave", "https://wiki.acme.example/leave.md#leave", NOON)
    assert best.text == LEAVE
    assert best.acl == {"org"}


async def test_nothing_answers_what_no_page_speaks_of(desk: Desk) -> None:
    await desk.index.put([a_page("leave.md", LEAVE)])
    assert not (await ask(desk.asked, "airspeed of swallows")).answers


@pytest.mark.parametrize("question", ["", "   \n", "\0", "\ud800", "?" * 50_000, "notice " * 10_000, "的 的"])
async def test_a_strange_question_is_only_a_question(desk: Desk, question: str) -> None:
    await desk.index.put([a_page("leave.md", LEAVE)])
    assert len((await ask(desk.asked, question)).passages) <= 2


async def test_a_short_form_finds_its_long_one_and_itself(desk: Desk) -> None:
    await desk.index.put([
        a_page("pay.md", PAY), a_page("short.md", "# Shifts\n\nThe prod db is restarted on Mondays."),
        a_page("long.md", "# Access\n\nTwo people may read the production database."),
    ])
    found = await ask(desk.asked, "who may read the prod db?")
    assert found.answers
    assert [passage.document for passage in found.passages[:2]] == ["long.md", "short.md"]


async def test_an_empty_index_finds_nothing(desk: Desk) -> None:
    found = await ask(desk.asked, "anything?")
    assert (found.passages, found.answers) == ((), False)


async def test_everyone_must_be_allowed_to_read(desk: Desk) -> None:
    await desk.index.put([a_page("leave.md", LEAVE), a_page("pay.md", PAY, frozenset({"group:hr", "user:bob"}))])
    question = "when are salaries paid?"
    alone, both = an_audience(bob="org"), an_audience(bob="org", ann="org")
    assert documents(await ask(desk.asked, question, alone))[0] == "pay.md"
    assert documents(await ask(desk.asked, question, both)) == ["leave.md"]
    assert documents(await ask(desk.asked, question, an_audience(bob="org", eve="group:hr org")))[0] == "pay.md"
    assert documents(await ask(desk.asked, question, Audience())) == []
    assert documents(await ask(desk.asked, question, an_audience(stranger=""))) == []


async def test_a_name_that_stands_only_where_nobody_may_look_is_unknown(desk: Desk) -> None:
    hidden = a_page("pay.md", "# Pay\n\nIn Atlantis.", HR)
    await desk.index.put([a_page("leave.md", LEAVE), hidden])
    question = "how much notice for leave in Atlantis?"
    assert not (await ask(desk.asked, question)).answers
    await desk.index.put([a_page("sea.md", "# Sea\n\nThe town of Atlantis.")])
    assert (await ask(desk.asked, question)).answers


async def test_a_number_is_looked_for_and_one_that_no_page_says_is_nothing_against_it(desk: Desk) -> None:
    await desk.index.put([a_page("leave.md", LEAVE)])
    assert (await ask(desk.asked, "how much notice for leave, I am 47?")).answers
    await desk.index.put([a_page(f"{code}.md", f"# Fault {code}\n\nCall the fitter.") for code in (4500, 4501, 4502)])
    store = desk.index.store
    found = await store.search([0.0] * desk.index.manifest.size, Words([*Bm25().embed_query("4,501").indices], [1.0]),
                               [list_id(ORG)])
    points = await store.fetch([hit.id for hit in found.worded])
    assert [point.payload["doc"] for point in points.values()] == ["4501.md"]


async def test_how_rare_a_word_is_among_what_one_may_read(desk: Desk) -> None:
    await desk.index.put([a_page("leave.md", LEAVE), a_page("pay.md", PAY, HR), a_page("notes.md", "Two weeks.", HR)])
    weeks, salaries, swallows = (Bm25().embed_query(word).indices[0] for word in ("weeks", "salaries", "swallows"))
    store, words = desk.index.store, (weeks, salaries, swallows)
    mine = await store.rarity(words, [list_id(ORG)])
    everyones = await store.rarity(words, [list_id(ORG), list_id(HR)])
    assert mine == pytest.approx({weeks: log(1 + 0.5 / 1.5)})           # on the one page that there is
    assert everyones == pytest.approx({weeks: log(1 + 1.5 / 2.5), salaries: log(1 + 2.5 / 1.5)})
    assert await store.rarity(words, []) == await store.rarity([], [list_id(ORG)]) == {}


async def test_two_versions_that_disagree_are_both_shown_the_newer_first(desk: Desk) -> None:
    old = a_page("archive.md", LEAVE.replace("annual leave", "annual leave, annual leave"))
    record, pieces = a_page("leave.md", LEAVE.replace("four", "six"))
    await desk.index.put([old, (replace(record, date=NOON + timedelta(400)), pieces), a_page("pay.md", PAY)])
    found = await ask(desk.asked, "how many weeks is four weeks notice before annual leave, annual leave?")
    assert documents(found)[:2] == ["leave.md", "archive.md"]
    assert [passage.date for passage in found.passages[:2]] == [NOON + timedelta(400), NOON]
    assert found.passages[0].score < found.passages[1].score        # by the words alone it would be the other way round


async def test_a_page_without_an_allow_list_is_for_nobody(desk: Desk) -> None:
    await desk.index.put([a_page("pay.md", PAY, frozenset())])
    assert documents(await ask(desk.asked, "when are salaries paid?")) == []


async def test_a_removed_page_is_gone_with_the_next_question(desk: Desk) -> None:
    await desk.index.put([a_page("leave.md", LEAVE), a_page("pay.md", PAY)])
    await desk.index.remove(["leave.md", "never-there.md"])
    assert documents(await ask(desk.asked, "how much notice before annual leave?")) == ["pay.md"]


async def test_a_changed_page_replaces_the_old_one(desk: Desk) -> None:
    await desk.index.put([a_page("leave.md", LEAVE)])
    await desk.index.put([a_page("leave.md", "# Leave\n\nGive six weeks notice.")])
    texts = [passage.text for passage in (await ask(desk.asked, "how much notice?")).passages]
    assert texts == ["# Leave\n\nGive six weeks notice."]


async def test_rights_change_without_the_text(desk: Desk) -> None:
    record, pieces = a_page("pay.md", PAY)
    await desk.index.put([(record, pieces)])
    await desk.index.relabel([replace(record, acl=frozenset({"group:hr"}), url="https://wiki.acme.example/hr/pay.md")])
    assert documents(await ask(desk.asked, "salaries paid")) == []
    assert documents(await ask(desk.asked, "salaries paid", an_audience(eve="group:hr"))) == ["hr/pay.md"]


async def test_at_most_two_passages_of_one_page_and_no_text_twice(desk: Desk) -> None:
    long = "\n\n".join(f"## Part {n}\n\n" + f"leave notice number {n} " * 8 for n in range(6))
    await desk.index.put([a_page("long.md", f"# Long\n\n{long}"), a_page("one.md", LEAVE), a_page("two.md", LEAVE)])
    found = await ask(desk.asked, "leave notice", limit=20)
    pages = [passage.url.partition("#")[0].rpartition("/")[2] for passage in found.passages]
    assert pages.count("long.md") == 2
    assert len({passage.text for passage in found.passages}) == len(found.passages)


async def test_of_two_copies_the_younger_page_is_shown(desk: Desk) -> None:
    record, pieces = a_page("leave.md", LEAVE)
    days = {"a.md": None, "b.md": NOON + timedelta(days=2), "c.md": NOON, "d.md": NOON + timedelta(days=1)}
    await desk.index.put(
        (replace(record, document=name, url=f"https://wiki.acme.example/{name}", date=date), pieces)
        for name, date in days.items()
    )
    assert documents(await ask(desk.asked, "how much notice before annual leave?")) == ["b.md"]


async def test_a_follow_up_is_searched_with_the_question_before_it(desk: Desk) -> None:
    await desk.index.put([a_page("leave.md", LEAVE), a_page("pay.md", PAY)])
    past = Conversation(ConversationId("test:general"), (Turn(a_message("when are salaries paid?"), None),))
    found = await desk.asked.find("and why?", past=past, audience=ANN, limit=6)
    assert documents(found)[0] == "pay.md"


async def test_many_ask_at_once_while_pages_change(desk: Desk) -> None:
    await desk.index.put([a_page(f"{n}.md", f"# Page {n}\n\nleave number {n}") for n in range(5)])

    async def change() -> None:
        for n in range(10):
            await desk.index.put([a_page("0.md", f"# Page 0\n\nleave edition {n}")])

    *founds, _ = await asyncio.gather(*(ask(desk.asked, f"leave number {n}") for n in range(30)), change())
    assert all(found is not None and {"1.md", "2.md", "3.md", "4.md"} <= set(documents(found)) for found in founds)


async def test_an_index_is_the_same_after_it_was_closed(tmp_path: Path) -> None:
    async with an_index(tmp_path / "index") as index:
        await index.put([a_page("leave.md", LEAVE), a_page("pay.md", PAY, frozenset({"group:hr"}))])
        before, records = await ask(index, "notice before leave"), index.records
    async with an_index(tmp_path / "index") as index:
        assert (await ask(index, "notice before leave"), index.records) == (before, records)


async def test_an_index_admits_one_at_a_time(tmp_path: Path) -> None:
    async with an_index(tmp_path / "index"):
        with pytest.raises(IndexBusy):
            async with an_index(tmp_path / "index"):
                pass
    async with an_index(tmp_path / "index"):
        pass


async def test_a_broken_index_says_so_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "index" / "shard").mkdir(parents=True)
    (tmp_path / "index" / "shard" / "edge_config.json").write_text("{")
    with pytest.raises(RetrieverUnavailable):
        async with an_index(tmp_path / "index"):
            pass
    with pytest.raises(RetrieverUnavailable):
        async with PassageIndex.open(tmp_path / "index" / "lock" / "deeper", Bags()):
            pass


async def test_an_index_made_for_another_model_is_refused(tmp_path: Path) -> None:
    async with an_index(tmp_path / "index"):
        pass
    with pytest.raises(RetrieverUnavailable):
        async with PassageIndex.open(tmp_path / "index", Bags(size=32)):
            pass


async def test_a_closed_index_is_unavailable(tmp_path: Path) -> None:
    async with an_index(tmp_path / "index") as index:
        await index.put([a_page("leave.md", LEAVE)])
    with pytest.raises(RetrieverUnavailable):
        await ask(index, "notice")


LABELS = st.frozensets(st.sampled_from(["org", "group:a", "group:b", "group:c"]), max_size=3)
TEXTS = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta"]), max_size=6).map(" ".join)
AUDIENCES = st.lists(LABELS, max_size=3).map(
    lambda held: Audience(tuple(Member(PersonId(str(n)), labels) for n, labels in enumerate(held)))
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "remove", "relabel"]), st.integers(0, 5), LABELS, TEXTS), max_size=12
)


@given(STEPS, AUDIENCES, TEXTS)
@settings(max_examples=20, deadline=None)
def test_what_may_not_be_read_might_as_well_not_exist(
    steps: list[tuple[str, int, Labels, str]], audience: Audience, words: str
) -> None:
    asyncio.run(_no_leaks(steps, audience, words))


@pytest.mark.long
@given(STEPS, AUDIENCES, TEXTS)
@settings(max_examples=200, deadline=None)
def test_what_may_not_be_read_might_as_well_not_exist_in_many_worlds(
    steps: list[tuple[str, int, Labels, str]], audience: Audience, words: str
) -> None:
    asyncio.run(_no_leaks(steps, audience, words))


async def _no_leaks(steps: list[tuple[str, int, Labels, str]], audience: Audience, words: str) -> None:
    """After each step: what is found is there and readable, all that is readable is found, and as if alone."""
    question = f"marker {words}"
    with tempfile.TemporaryDirectory() as folder:
        async with an_index(Path(folder) / "all") as index, an_index(Path(folder) / "readable") as alone:
            world: dict[str, tuple[Record, list[Piece]]] = {}
            for what, number, acl, text in steps:
                document = f"{number}.md"
                before = world.get(document)
                if what == "remove":
                    await index.remove([document])
                    world.pop(document, None)
                elif what == "relabel" and before:
                    await index.relabel([replace(before[0], acl=acl)])
                    world[document] = replace(before[0], acl=acl), before[1]
                elif what == "put":
                    page = a_page(document, f"# {document}\n\nmarker {text}", acl)
                    await index.put([page])
                    world[document] = page
                readable = {name for name, (record, _) in world.items() if audience.may_read(record.acl)}
                found = await ask(index, question, audience, limit=20)
                assert set(documents(found)) == readable
                assert all(audience.may_read(passage.acl) for passage in found.passages)
            await alone.put(page for page in world.values() if audience.may_read(page[0].acl))
            assert await ask(index, question, audience, 20) == await ask(alone, question, audience, 20)
