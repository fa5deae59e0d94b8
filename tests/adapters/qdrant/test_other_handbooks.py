"""The handbooks of companies that do not exist: what their pages answer is answered, whatever else is refused."""

from __future__ import annotations

import json
from pathlib import Path

from adapters.files.folder import Folder
from adapters.qdrant.socket import open_index
from adapters.qdrant.sync import sync
from tests.adapters.qdrant.worlds import ask
from tests.builders import ORG

MARLOW = Path(__file__).parents[2] / "data" / "rag" / "handbooks" / "marlow"


async def test_a_handbook_answers_what_it_says(tmp_path: Path) -> None:
    """As colleagues ask; half of what it does not say is near to something that it does."""
    lines = (MARLOW / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line) for line in lines]
    async with open_index(tmp_path) as index:
        assert index.own
        await sync(index.own, Folder("handbook", MARLOW / "corpus"), ORG)
        found = {each["query"]: await ask(index, each["query"]) for each in asked}
    refused = [each["query"] for each in asked if each["evidence"] and not found[each["query"]].answers]
    beyond = [each["query"] for each in asked if not each["evidence"]]
    assert len(refused) <= 0.04 * (len(asked) - len(beyond)), refused
    assert sum(not found[query].answers for query in beyond) >= 0.35 * len(beyond)


def test_every_question_has_its_evidence_word_for_word() -> None:
    for folder in MARLOW.parent.iterdir():
        for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines():
            for part in json.loads(line)["evidence"]:
                assert part["quote"] in (folder / "corpus" / part["path"]).read_text(encoding="utf-8"), line
