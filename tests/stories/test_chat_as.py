"""`bartizan chat --as USER`: the program through somebody else's eyes, over pages that not everybody may read."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.sources import Definition, SourceKind, add
from tests.bot.test_chat import run

QUESTION = "what is the salary band of an engineer?"
BANDS = "# Salary bands\n\nThe salary band of an engineer is 50,000 to 80,000 a year.\n"
LEAVE = "# Annual leave\n\nGive ten working days' notice before annual leave.\n"
PEOPLE = '[groups]\nhr = ["ann"]\n'


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder over two pages, one of them for HR, indexed once."""
    folder = tmp_path_factory.mktemp("company")
    pages = folder / "pages"
    (pages / "hr").mkdir(parents=True)
    (pages / "hr" / "bands.md").write_text(BANDS)
    (pages / "leave.md").write_text(LEAVE)
    (folder / "people.toml").write_text(PEOPLE)
    add(folder / "data", Definition("wiki", SourceKind.FOLDER, str(pages), ("org",), (("hr/*", ("group:hr",)),)))
    asked(folder, "ann", "is anybody there?")
    return folder


def asked(
    company: Path, person: str, question: str = QUESTION,
) -> tuple[dict[str, Any], subprocess.CompletedProcess[bytes]]:
    done = run(company / "data", "--as", person, "--ask", question, "--json",
               BARTIZAN_KNOWLEDGE__PEOPLE=str(company / "people.toml"))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    del said["trace"]
    return said, done


def test_who_may_read_a_page_is_answered_from_it(company: Path) -> None:
    said, _ = asked(company, "ann")
    assert "50,000" in said["answer"]
    assert [each["title"] for each in said["citations"]] == ["Salary bands"]


def test_who_may_not_is_answered_as_if_it_did_not_exist(company: Path, tmp_path: Path) -> None:
    shutil.copytree(company, tmp_path / "without")
    said, done = asked(company, "user:bob")
    (tmp_path / "without" / "pages" / "hr" / "bands.md").unlink()
    (tmp_path / "without" / "data" / "sources.toml").unlink()
    add(tmp_path / "without" / "data", Definition("wiki", SourceKind.FOLDER, str(tmp_path / "without" / "pages"),
                                                  ("org",)))
    never, _ = asked(tmp_path / "without", "bob")
    here, there = (json.dumps(each).replace(str(root), "") for each, root in (
        (said, company), (never, tmp_path / "without")))
    assert here == there
    assert "salary" not in (here + done.stderr.decode()).replace(QUESTION, "").lower()


def test_it_is_on_record(company: Path) -> None:
    asked(company, "bob")
    lines = [json.loads(line) for line in (company / "data" / "bartizan.log").read_text().splitlines()]
    assert ("chat.as", "bob", True) in [(each.get("command"), each.get("subject"), each.get("allowed"))
                                        for each in lines if each["event"] == "admin"]
