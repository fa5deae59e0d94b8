"""Replays a bundle's people, access lists and events over its pages, and looks for anything that shows too much.

    .venv/bin/python bench/access.py DATA [--engine edge|memory] [--checks 100]

DATA is a folder with corpus/, access.json and queries.jsonl. After each event a number of (audience, question) pairs
are asked: alone and in company, also by people who were removed. Leaks are counted in passages, in what a quoted
answer says and cites, and in a second look at what was shown before. A page that its reader may read is asked for by a
line of its own, which has to find it. Texts are embedded by their words alone: nothing here depends on meaning.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from adapters.qdrant.index import PassageIndex
from adapters.qdrant.points import Piece, Record
from engine.messages import Audience, Labels, Member, Passage, PersonId
from engine.quote import quote
from engine.rag.cite import cite
from tests.adapters.qdrant.worlds import NO_PAST, a_page, an_engine


@dataclass
class Company:
    """What is true after each event, kept apart from the index."""

    groups: dict[str, set[str]]
    lists: dict[str, Labels]
    lines: Mapping[str, str]
    leaks: int = 0
    checks: int = 0
    expected: int = 0
    matched: int = 0
    shown: list[Passage] = field(default_factory=list)

    def may_read(self, user: str, path: str) -> bool:
        allow = self.lists.get(path, frozenset())
        return user in self.groups and any(
            name.removeprefix("user:") == user if name.startswith("user:") else name in self.groups[user]
            for name in allow
        )

    def member(self, user: str) -> Member:
        held = {f"group:{group}" for group in self.groups.get(user, ())}
        return Member(PersonId(user), frozenset(held | ({f"user:{user}"} if user in self.groups else set())))

    async def check(self, index: PassageIndex, present: Sequence[str], question: str, target: str | None) -> None:
        audience = Audience(tuple(self.member(user) for user in present))
        found = await index.find(question, past=NO_PAST, audience=audience, limit=6)
        paths = {passage.document for passage in found.passages}
        _, citations, _ = cite(quote(found, question, connected=True), found.passages)
        paths |= {citation.passage.document for citation in citations}
        still = {passage.document for passage in await index.still_readable(self.shown, audience)}
        readable = {path for path in paths | still if all(self.may_read(user, path) for user in present)}
        self.leaks += len(paths - readable) + len(still - readable)
        if target and all(self.may_read(user, target) for user in present):
            self.expected += 1
            self.matched += target in paths or any(question in passage.text for passage in found.passages)
        self.shown = [*found.passages, *self.shown][:12]
        self.checks += 1


def labels(allow: Sequence[str]) -> Labels:
    return frozenset(name if name.startswith("user:") else f"group:{name}" for name in allow)


async def happens(company: Company, index: PassageIndex, event: Mapping[str, Any]) -> None:
    """One event, in the company and in the index."""
    match event["event"]:
        case "user_removed":
            company.groups.pop(event["user"], None)
        case "user_joins_group":
            company.groups.setdefault(event["user"], set()).add(event["group"])
        case "user_leaves_group":
            company.groups.get(event["user"], set()).discard(event["group"])
        case "file_deleted":
            company.lists.pop(event["file"], None)
            await index.remove([event["file"]])
        case "file_acl_change":
            company.lists[event["file"]] = frozenset(event["allow"])
            if record := index.records.get(event["file"]):
                await index.relabel([replace(record, acl=labels(event["allow"]))])
        case other:
            raise ValueError(f"an event of an unknown kind: {other}")


def read(corpus: Path, path: str, acl: Labels) -> tuple[tuple[Record, list[Piece]], str]:
    """One page with stub vectors, and the line of it that says most; a link's address is nothing that it says."""
    page = a_page(path, (corpus / path).read_text(errors="replace"), acl, words_each=160)
    lines = [line for piece in page[1] for line in piece.text.splitlines()
             if 30 <= len(line) <= 300 and "](" not in line and "://" not in line]
    return page, max(lines, key=lambda line: len(set(re.findall(r"[a-z]{6,}", line.lower()))), default="")


async def replay(index: PassageIndex, data: Path, checks: int) -> Company:
    access = json.loads((data / "access.json").read_text())
    questions = [json.loads(line)["query"] for line in (data / "queries.jsonl").read_text().splitlines()]
    lines: dict[str, str] = {}
    for file in access["files"]:
        page, lines[file["path"]] = await asyncio.to_thread(
            read, data / "corpus", file["path"], labels(file["allow"]))
        await index.put([page])
    company = Company(
        {user["user"]: set(user["groups"]) for user in access["users"]},
        {file["path"]: frozenset(file["allow"]) for file in access["files"]}, lines,
    )
    dice, everybody, paths = random.Random(3), [user["user"] for user in access["users"]], list(lines)
    for event in access["events"]:
        await happens(company, index, event)
        touched = [event["file"]] if "file" in event else []
        for _ in range(checks):
            present = dice.sample(everybody, dice.choice((1, 1, 1, 2, 3)))
            target = dice.choice(touched * 5 + dice.sample(paths, 20)) if dice.random() < 0.6 else None
            question = lines.get(target or "") or dice.choice(questions)
            await company.check(index, present, question, target if target and lines[target] else None)
    return company


async def run(data: Path, engine: str, checks: int) -> int:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)    # what the imitation of a server cannot do and says so
        async with an_engine(engine, Path(folder)) as index:
            company = await replay(index, data, checks)
    print(f"{engine}: {company.checks:,} checks, {company.leaks} leaks; {company.matched} of {company.expected} "
          f"readable pages found by a line of their own ({100 * company.matched / max(1, company.expected):.1f} %); "
          f"{time.perf_counter() - began:.0f} s")
    return 1 if company.leaks else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--engine", choices=("edge", "memory"), default="edge")
    parser.add_argument("--checks", type=int, default=100, help="after each event")
    chosen = parser.parse_args()
    raise SystemExit(asyncio.run(run(chosen.data, chosen.engine, chosen.checks)))


if __name__ == "__main__":
    main()
