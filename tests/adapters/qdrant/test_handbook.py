"""The handbook that ships with the program, indexed as it is on the first day: real indexer, real model."""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from pathlib import Path

import pytest

from adapters.files.folder import Folder
from adapters.qdrant.socket import open_index
from adapters.qdrant.sync import SyncReport, sync
from engine.messages import Found
from tests.adapters.qdrant.worlds import ANN, ask
from tests.builders import ORG

HANDBOOK = Folder("handbook", Path(str(files("bot.handbook"))))
ASKED = [json.loads(line) for line in
         (Path(__file__).parents[2] / "data" / "rag" / "handbook.jsonl").read_text(encoding="utf-8").splitlines()]
"""Questions to the handbook with the page that answers, and near ones that no page answers."""
QUESTIONS = {
    "do I need a doctor's note when I am ill?": "sick-leave.md",
    "what is the meal limit when travelling?": "expenses.md",
    "how much may a hotel cost?": "travel.md",
    "can I work from another country?": "remote-work.md",
    "who has to approve a new laptop?": "equipment.md",
    "how long is probation?": "onboarding.md",
    "someone asked me for my password in a mail, what now?": "security-incidents.md",
    "I lost my security key": "passwords-and-mfa.md",
    "how fast must the primary on-call engineer acknowledge a page?": "on-call-rota.md",
    "what is a SEV1?": "incident-severity.md",
    "when can we deploy to production?": "deployments.md",
    "how many approvals does a change to billing need?": "code-review.md",
    "how long does an old API version live?": "api-standards.md",
    "how long are backups kept?": "data-retention.md",
    "what happens to days of leave that I did not take?": "annual-leave.md",
}
ELSEWHERE = (
    "what is the airspeed of a swallow?", "who won the world cup in 1998?", "how do I bake bread?", "tell me a joke",
    "explain quantum entanglement", "asdf qwer zxcv",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("handbook")

    async def build() -> SyncReport:
        async with open_index(path) as index:
            assert index.own
            return await sync(index.own, HANDBOOK, ORG)

    assert asyncio.run(build()) == SyncReport(added=15)
    return path


def pages(found: Found) -> list[str]:
    return [passage.url.partition("#")[0].rpartition("/")[2] for passage in found.passages]


async def test_every_question_finds_its_page(folder: Path) -> None:
    async with open_index(folder) as index:
        found = {question: await ask(index, question) for question in QUESTIONS}
    missed = {q: pages(found[q])[:3] for q, page in QUESTIONS.items() if page not in pages(found[q])[:3]}
    assert missed == {}
    assert [question for question in QUESTIONS if not found[question].answers] == []


async def test_notice_before_annual_leave(folder: Path) -> None:
    async with open_index(folder) as index:
        found = await ask(index, "how much notice before annual leave?")
    best = found.passages[0]
    assert found.answers
    assert pages(found)[0] == "annual-leave.md"
    assert best.title.startswith("Annual leave")
    assert "4 weeks'** notice" in best.text
    assert best.date is not None
    assert (best.date.year, best.url.startswith("file:///")) == (2026, True)


async def test_the_handbook_does_not_answer_everything(folder: Path) -> None:
    async with open_index(folder) as index:
        answered = [question for question in ELSEWHERE if (await ask(index, question, ANN)).answers]
    assert answered == []


async def test_terse_and_roundabout_questions_are_answered_too(folder: Path) -> None:
    """As people type them. What is refused nevertheless is named, so that a change shows what it gains and loses."""
    async with open_index(folder) as index:
        found = {line["query"]: (line["page"], await ask(index, line["query"])) for line in ASKED}
    answerable = {question: (page, each) for question, (page, each) in found.items() if page}
    refused = [question for question, (_, each) in answerable.items() if not each.answers]
    missed = [question for question, (page, each) in answerable.items() if page not in pages(each)[:3]]
    nothing = [each.answers for page, each in found.values() if page is None]
    assert len(refused) <= 0.07 * len(answerable), refused
    assert len(missed) <= 0.05 * len(answerable), missed
    assert nothing.count(False) >= 0.5 * len(nothing)


async def test_a_second_sync_embeds_nothing(folder: Path) -> None:
    async with open_index(folder) as index:
        assert index.own
        assert await sync(index.own, HANDBOOK, ORG, command=("/bin/false",)) == SyncReport(unchanged=15)


def test_every_page_is_short_and_has_a_title_and_a_date() -> None:
    for entry in HANDBOOK.listing():
        text = (HANDBOOK.root / entry.path).read_text()
        assert text.startswith("---\ntitle: "), entry.path
        assert "\nupdated: 20" in text, entry.path
        assert 200 <= len(text.split()) <= 500, entry.path
