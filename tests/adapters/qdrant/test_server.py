"""What a server hears over the wire, and what it may say that the client's own imitation never does."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from qdrant_client import models as m

from adapters.qdrant.index import PassageIndex, making
from adapters.qdrant.move import move
from adapters.qdrant.server import ServerOptions, open_generations
from engine.errors import RetrieverUnavailable
from tests.adapters.qdrant.wire import a_wire
from tests.adapters.qdrant.worlds import ANN, QUIET, Bags, a_page, an_index, ask, documents
from tests.builders import an_audience

pytestmark = QUIET
LEAVE = "# Leave\n\nGive four weeks notice."
HR = frozenset({"group:hr"})


@pytest.mark.parametrize("tenant", ["", "acme"])
async def test_an_index_lives_on_a_strict_server(tmp_path: Path, tenant: str) -> None:
    async with a_wire(cluster=bool(tenant)) as wire, open_generations(ServerOptions(wire.url, tenant=tenant)) as server:
        async with PassageIndex.over(server, Bags()) as index:
            pay = a_page("pay.md", "# Pay\n\nOn the 20th, with notice.", HR)
            await index.put([a_page("leave.md", LEAVE), pay])
            assert documents(await ask(index, "notice")) == ["leave.md"]
            assert set(documents(await ask(index, "notice", an_audience(eve="org group:hr")))) == {"leave.md", "pay.md"}
            await index.put([a_page("leave.md", "# Leave\n\nGive six weeks notice.")])
            await index.relabel([replace(pay[0], acl=frozenset({"org"}))])
            found = await ask(index, "notice on the 20th in Atlantis 4711 ")
            assert set(documents(found)) == {"leave.md", "pay.md"}
            await index.remove(["pay.md"])
            assert [p.document for p in await index.still_readable(found.passages, ANN)] == ["leave.md"]
            following = Bags(model="bags:2")
            async with index.next_generation(following, making(following)) as fresh:
                await fresh.put([a_page("new.md", LEAVE)])
            assert documents(await ask(index, "notice")) == ["new.md"]
        async with an_index(tmp_path) as here:
            await here.put([a_page("moved.md", LEAVE)])
            await move(here.store, server)
        async with PassageIndex.over(server, Bags()) as index:
            assert documents(await ask(index, "notice")) == ["moved.md"]
        searches = [each for _, path, body in wire.asked if path.endswith("/query/batch") for each in body["searches"]]
    assert all(each["filter"]["must"][0]["key"] == "acl" for each in searches)
    assert all(each.get("shard_key") == (tenant or None) for each in searches)
    fields = next(iter(wire.indexed.values()))
    assert fields.pop("acl") == {"type": "integer", "lookup": True, "range": False}
    assert fields == dict.fromkeys(("kind", "doc", "source", "channel", "generation"), "keyword")


async def test_a_server_that_would_count_what_one_may_not_read_is_refused() -> None:
    async with a_wire(version="1.18.3") as wire, open_generations(ServerOptions(wire.url)) as server:
        with pytest.raises(RetrieverUnavailable, match=r"is Qdrant 1\.18\.3; it has to be 1\.19"):
            async with PassageIndex.over(server, Bags()):
                pass
    assert [path for _, path, _ in wire.asked] == ["/"]


async def test_tenants_need_a_cluster() -> None:
    async with a_wire() as wire, open_generations(ServerOptions(wire.url, tenant="acme")) as server:
        with pytest.raises(RetrieverUnavailable, match="answered 400"):
            async with PassageIndex.over(server, Bags()):
                pass


async def test_tenants_share_a_collection_unless_their_models_differ() -> None:
    async with a_wire(cluster=True) as wire:
        for tenant, embedder in (("acme", Bags()), ("globex", Bags())):
            options = ServerOptions(wire.url, tenant=tenant)
            async with open_generations(options) as server, PassageIndex.over(server, embedder):
                pass
        assert wire.tenants == {"bartizan-first": ["acme", "globex"]}
        async with open_generations(ServerOptions(wire.url, tenant="initech")) as server:
            with pytest.raises(RetrieverUnavailable, match="bartizan-first on the index server was made for another"):
                async with PassageIndex.over(server, Bags(size=7)):
                    pass


async def test_what_an_earlier_start_left_half_made_is_finished() -> None:
    async with a_wire() as wire:
        options = ServerOptions(wire.url)
        async with open_generations(options) as server, PassageIndex.over(server, Bags()):
            pass
        whole = dict(wire.indexed["bartizan-first"])
        wire.indexed.clear()
        named = m.DeleteAliasOperation(delete_alias=m.DeleteAlias(alias_name="bartizan"))
        await wire.inner.update_collection_aliases([named])
        async with open_generations(options) as server, PassageIndex.over(server, Bags()):
            assert wire.indexed == {"bartizan-first": whole}


async def test_a_key_goes_with_each_request_and_into_no_sentence() -> None:
    async with a_wire(version="1.1") as wire:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)        # of a key on a connection that is not encrypted
            async with open_generations(ServerOptions(wire.url, api_key="secret")) as server:
                with pytest.raises(RetrieverUnavailable) as failed:
                    async with PassageIndex.over(server, Bags()):
                        pass
    assert "secret" not in str(failed.value)
