"""Small companies in which people come and go, pages change hands and vanish, and everybody asks about everything.

After each event anybody may ask about any page. What comes back is judged by a second, plainer reckoning of who may
read what: nothing of an unreadable page may show, in no passage, citation, count or error, whatever is cached; and
who may read a page finds it by its own word.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from adapters.qdrant.index import PassageIndex
from adapters.qdrant.points import Record
from engine.errors import RetrieverUnavailable
from engine.messages import Audience, ConversationId, Found, Labels, Member, Passage, PersonId, within
from engine.quote import quote
from engine.rag.cite import cite
from tests.adapters.qdrant.worlds import ENGINES, QUIET, a_page, an_engine, ask

pytestmark = QUIET
PEOPLE = ("ann", "bob", "cem", "dee", "eve", "fay")
GROUPS = ("staff", "board", "hr", "ops")
THREADS = (ConversationId("test:one"), ConversationId("test:two"))
LABELS = ("org", *(f"group:{name}" for name in (*GROUPS, "ghosts")), "channel:c", *(f"user:{name}" for name in PEOPLE),
          *(within(thread) for thread in THREADS))
PAGES = tuple(f"page{number}.md" for number in range(10))
SUBJECTS = ("leave", "pay", "travel", "merger")


@dataclass
class Company:
    """What is true, kept beside the index and told to it event by event."""

    index: PassageIndex
    dice: random.Random
    groups: dict[str, set[str]] = field(default_factory=lambda: {name: {"staff"} for name in PEOPLE})
    guests: set[str] = field(default_factory=lambda: {"fay"})
    pages: dict[str, tuple[Record, str]] = field(default_factory=dict)      # and the word that only this page holds
    words: dict[str, str] = field(default_factory=dict)                     # every such word that ever was
    checks: int = 0
    expected: int = 0
    matched: int = 0
    shown: list[Passage] = field(default_factory=list)

    async def happens(self) -> None:
        """One event."""
        who, page = self.dice.choice(PEOPLE), self.dice.choice(PAGES)
        match self.dice.choice(("join", "join", "leave", "acl", "write", "write", "delete", "guest")):
            case "join":
                self.groups[who].add(self.dice.choice(GROUPS))
            case "leave":
                self.groups[who].discard(self.dice.choice(GROUPS))
            case "guest":
                self.guests ^= {who}
            case "acl" if page in self.pages:
                record, word = self.pages[page]
                record = replace(record, acl=self.a_list())
                await self.index.relabel([record])
                self.pages[page] = record, word
            case "delete":
                await self.index.remove([page])
                self.pages.pop(page, None)
            case _:
                word = f"w{len(self.words)}x"
                self.words[word] = page
                written = a_page(page, f"# {page}\n\nThe {self.dice.choice(SUBJECTS)} is {word} now.", self.a_list())
                await self.index.put([written])
                self.pages[page] = written[0], word

    async def asked(self) -> None:
        """Anybody, in any company, about any page; then what was shown a moment ago is looked at again."""
        present = self.dice.sample(PEOPLE, self.dice.choice((1, 1, 1, 2, 3, 4)))
        thread = self.dice.choice((None, *THREADS))
        readable = {
            page for page, (record, _) in self.pages.items()
            if all(self.holds(who, record.acl, thread) for who in present)
        }
        target = self.dice.choice(sorted(readable) or PAGES) if self.dice.random() < 0.5 else self.dice.choice(PAGES)
        word = self.pages[target][1] if target in self.pages else "nothing"
        question = f"what about {word} and {self.dice.choice(SUBJECTS)}?"
        audience = self.audience(present, thread)
        limit = self.dice.choice((1, 3, 20))
        found = await ask(self.index, question, audience, limit=limit)
        self.judge(found, readable)
        if target in readable and limit > 1:
            self.expected += 1
            self.matched += bool(found.passages) and any(word in passage.text for passage in found.passages)
        still = await self.index.still_readable(self.shown, audience)
        assert {p.document for p in still} == {p.document for p in self.shown} & readable
        self.shown = [*found.passages, *self.shown][:6]
        self.checks += 1

    def judge(self, found: Found, readable: set[str]) -> None:
        """Nothing shows that may not be read, and everything that shows is as it is now."""
        documents = [passage.document for passage in found.passages]
        assert set(documents) <= readable
        assert len(documents) <= len(readable)
        assert all(count <= 2 for count in Counter(documents).values())
        told, citations, _ = cite(quote(found, "?", connected=True), found.passages)
        assert {citation.passage.document for citation in citations} <= readable
        allowed = {self.pages[page][1] for page in readable}
        for text in (repr(found), told):
            assert {word for word in _words(text) if word in self.words} <= allowed

    def audience(self, present: list[str], thread: ConversationId | None) -> Audience:
        here = frozenset({within(thread)} if thread else ())
        return Audience(tuple(Member(PersonId(who), self.labels(who), who in self.guests) for who in present), here)

    def labels(self, who: str) -> Labels:
        return frozenset({"org", f"user:{who}", *(f"group:{name}" for name in self.groups[who]),
                          *(["channel:c"] if who in "ann bob fay" else [])})

    def holds(self, who: str, acl: Labels, thread: ConversationId | None) -> bool:
        """Told once more, label by label, and slowly."""
        for label in acl:
            kind, _, name = label.partition(":")
            match kind:
                case "org" if who not in self.guests:
                    return True
                case "user" if name == who:
                    return True
                case "group" if name in self.groups[who]:
                    return True
                case "channel" if name == "c" and who in "ann bob fay":
                    return True
                case "conversation" if name == thread:
                    return True
        return False

    def a_list(self) -> Labels:
        return frozenset(self.dice.sample(LABELS, self.dice.choice((0, 1, 1, 2, 3, 6))))


def _words(text: str) -> set[str]:
    return set(text.replace(".", " ").replace("'", " ").replace("\\n", " ").split())


def a_company(index: PassageIndex, seed: int) -> Company:
    return Company(index, random.Random(seed))      # noqa: S311 - dice, not keys


async def live(company: Company, checks: int) -> tuple[int, int]:
    """How many of the pages that a reader asked for by a word of their own were found, and how many there were."""
    while company.checks < checks:
        await company.happens()
        for _ in range(company.dice.randrange(6)):
            await company.asked()
    return company.matched, company.expected


def nearly_all(matched: int, expected: int, checks: int) -> bool:
    return expected > checks // 10 and matched >= 0.99 * expected


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_leaks_and_what_may_be_read_is_found(engine: str, seed: int, tmp_path: Path) -> None:
    async with an_engine(engine, tmp_path) as index:
        assert nearly_all(*await live(a_company(index, seed), 200), 200)


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
async def test_nothing_leaks_in_a_hundred_thousand_checks(engine: str, tmp_path: Path) -> None:
    each = 100 if engine == "memory" else 2_000     # that one never forgets its rows, and gets slower with each
    matched = expected = 0
    for seed in range(100_000 // each):
        async with an_engine(engine, tmp_path / str(seed)) as index:
            found, wanted = await live(a_company(index, 1_000 + seed), each)
        matched, expected = matched + found, expected + wanted
    assert nearly_all(matched, expected, 100_000)


@pytest.mark.parametrize("engine", ["edge", "memory"])
async def test_an_error_names_no_page(engine: str, tmp_path: Path) -> None:
    async with an_engine(engine, tmp_path) as index:
        await index.put([a_page("merger.md", "# Merger\n\nIt is on.", frozenset({"group:board"}))])
        closed = index
    with pytest.raises(RetrieverUnavailable) as failed:
        await closed.store.count("chunk")
    assert "merger" not in f"{failed.value} {failed.value.reply}".lower()
