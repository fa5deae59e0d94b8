"""A Qdrant server's REST interface on the loopback, as its documentation has it, over the client's own imitation.

It is as strict as a server may be: no filter on a field without an index, no request over 32 MB, no tenant that it
was not told of. `asked` is what came in: method, path and body.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, TypeAdapter
from qdrant_client import AsyncQdrantClient
from qdrant_client import models as m

LARGEST: Final = 32 * 2**20
SELECTOR: Final = TypeAdapter[m.FilterSelector | m.PointIdsList](m.FilterSelector | m.PointIdsList)


@dataclass
class Wire:
    """One server. ``cluster``: it takes tenants."""

    url: str
    version: str = "1.20.0"
    cluster: bool = False
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    indexed: dict[str, dict[str, Any]] = field(default_factory=dict)
    tenants: dict[str, list[str]] = field(default_factory=dict)
    deleting: float = 0.0       # seconds until it begins to delete
    inner: AsyncQdrantClient = field(default_factory=lambda: AsyncQdrantClient(":memory:"))

    async def answer(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text() or "null")
        path = request.path.strip("/").split("/")
        self.asked.append((request.method, request.path, body))
        try:
            result = await self._done(request.method, path, body)
        except (ValueError, KeyError) as error:
            missing = "not found" in str(error)
            return web.json_response({"status": {"error": str(error)}}, status=404 if missing else 400)
        if request.path == "/":
            return web.json_response(result)
        return web.json_response({"result": _plain(result), "status": "ok", "time": 0.0})

    async def _done(self, method: str, path: list[str], body: Any) -> Any:
        match method, path:
            case "GET", [""]:
                return {"title": "qdrant - vector search engine", "version": self.version}
            case "GET", ["aliases"]:
                return await self.inner.get_aliases()
            case "GET", ["collections"]:
                return await self.inner.get_collections()
            case "POST", ["collections", "aliases"]:
                return await self.inner.update_collection_aliases(m.ChangeAliasesOperation(**body).actions)
            case _, ["collections", name, *rest]:
                return await self._in_collection(method, name, "/".join(rest), body)
        raise ValueError(f"no such request: {method} {path}")

    async def _in_collection(self, method: str, name: str, what: str, body: Any) -> Any:  # noqa: PLR0911 - one for each
        match method, what:
            case "GET", "exists":
                return {"exists": await self.inner.collection_exists(name)}
            case "GET", "":
                return await self.inner.get_collection(name)
            case "PUT", "":
                made = m.CreateCollection(**body)
                if made.sharding_method and not self.cluster:
                    raise ValueError("sharding method custom needs distributed mode")
                self.tenants[name] = []
                return await self.inner.create_collection(
                    name, made.vectors, made.sparse_vectors, hnsw_config=made.hnsw_config)
            case "DELETE", "":
                return await self.inner.delete_collection(name)
            case "PUT", "index":
                self.indexed.setdefault(name, {})[body["field_name"]] = body["field_schema"]
                return {"operation_id": 0, "status": "completed"}
            case "GET", "shards":
                return {"shard_keys": [{"key": key} for key in self.tenants[name]]}
            case "PUT", "shards":
                if not self.cluster:
                    raise ValueError("distributed mode is disabled")
                self.tenants[name].append(body["shard_key"])
                return True
            case "POST", "shards/delete":
                self.tenants[name].remove(body["shard_key"])
                return True
        return await self._with_points(name, what, body)

    async def _with_points(self, name: str, what: str, body: dict[str, Any]) -> Any:   # noqa: PLR0911 - likewise
        await self._checked(name, body["searches"] if what == "points/query/batch" else [body])
        match what:
            case "points/query/batch":
                searches = [m.QueryRequest(**{**each, "shard_key": None}) for each in body["searches"]]
                return await self.inner.query_batch_points(name, searches)
            case "points/scroll":
                asked = m.ScrollRequest(**body)
                points, offset = await self.inner.scroll(
                    name, asked.filter, limit=asked.limit or 10, offset=asked.offset, with_payload=True,
                    with_vectors=asked.with_vector or False)
                return {"points": _plain(points), "next_page_offset": offset}
            case "points/count":
                return await self.inner.count(name, m.CountRequest(**body).filter)
            case "points/payload":
                return await self.inner.set_payload(name, body["payload"], m.Filter(**body["filter"]))
            case "points/delete":
                await asyncio.sleep(self.deleting)
                return await self.inner.delete(name, SELECTOR.validate_python(body))
            case "points" if "ids" in body:
                wanted = m.PointRequest(**body)
                return await self.inner.retrieve(name, wanted.ids, True, wanted.with_vector or False)
            case "points":
                return await self.inner.upsert(name, m.PointsList(**body).points)
        raise ValueError(f"no such request: {what}")

    async def _checked(self, name: str, bodies: list[dict[str, Any]]) -> None:
        aliases = {each.alias_name: each.collection_name for each in (await self.inner.get_aliases()).aliases}
        whole = aliases.get(name, name)
        for body in bodies:
            if unindexed := set(_keys(body.get("filter"))) - set(self.indexed.get(whole, ())):
                raise ValueError(f"strict mode: no index for {unindexed}")
            if self.tenants.get(whole) and body.get("shard_key") not in self.tenants[whole]:
                raise ValueError("shard key not specified")


@asynccontextmanager
async def a_wire(*, version: str = "1.20.0", cluster: bool = False, port: int = 0) -> AsyncIterator[Wire]:
    wire = Wire("", version, cluster)
    app = web.Application(client_max_size=LARGEST)
    app.router.add_route("*", "/{path:.*}", wire.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    wire.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield wire
    finally:
        await runner.cleanup()


def _keys(filters: Any) -> Iterator[str]:
    """Every field that a filter names."""
    if isinstance(filters, dict):
        if "key" in filters:
            yield filters["key"]
        filters = list(filters.values())
    if isinstance(filters, list):
        for each in filters:
            yield from _keys(each)


def _plain(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return json.loads(result.model_dump_json(exclude_none=True))
    return [_plain(each) for each in result] if isinstance(result, list) else result
