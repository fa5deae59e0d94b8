"""`bartizan search` as an operator types it, over two pages and the embedding model that ships with the program."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from bot.indexes import open_settled
from bot.search import UNFINISHED, SearchError, place_of, search
from bot.search_cli import add_search
from bot.settings import Settings
from bot.sources import Definition, SourceKind, add, write_definitions
from engine.errors import BotError
from engine.messages import Audience, Place
from tests.builders import an_audience

PAY = "what is the salary band of an engineer?"
NOTICE = "how much notice before annual leave?"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A data folder over two pages, one of them for HR; the first search indexes them."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "pages" / "hr").mkdir(parents=True)
    (folder / "pages" / "leave.md").write_text(
        "# Annual leave\n\nGive ten working days' notice before annual leave.\x1b]0;owned\x07\n")
    (folder / "pages" / "hr" / "bands.md").write_text(
        "# Salary bands\n\nThe salary band of an engineer is 50,000 to 80,000 a year.\n")
    (folder / "people.json").write_text(json.dumps({"groups": {"hr": ["ann"]}}))
    add(folder / "data", Definition("wiki", SourceKind.FOLDER, str(folder / "pages"), ("org",),
                                    (("hr/*", ("group:hr",)),)))
    return Settings.model_validate(
        {"data_dir": folder / "data", "knowledge": {"people": str(folder / "people.json")}})


def typed(settings: Settings, *words: str, audit: list[str] | None = None) -> Result:
    app = typer.Typer()

    def allowed(config: Path | None, command: str, subject: str | None) -> Settings:
        del config
        if audit is not None:
            audit.append(f"{command} {subject}")
        return settings

    def run(work: Coroutine[Any, Any, int]) -> int:
        try:
            return asyncio.run(work)
        except BotError as error:
            typer.echo(str(error))
            return 1

    @app.callback()
    def main() -> None:
        """More commands than one."""

    add_search(app, loaded=lambda _: settings, allowed=allowed, run=run)
    return CliRunner().invoke(app, ["search", *words])


def test_what_is_found_is_shown_best_first(settings: Settings) -> None:
    result = typed(settings, NOTICE)
    assert (result.exit_code, result.stdout.startswith("1. Annual leave")) == (0, True)
    assert "Give ten working days' notice" in result.stdout
    assert "score" not in result.stdout
    explained = typed(settings, NOTICE, "--explain")
    assert "characters 0 to " in explained.stdout
    assert "for org" in explained.stdout


def test_what_a_page_says_gives_the_terminal_no_orders(settings: Settings) -> None:
    result = typed(settings, NOTICE)
    assert "owned" in result.output
    assert not {"\x1b", "\x07"}.intersection(result.output)


def test_in_json_for_other_programs(settings: Settings) -> None:
    told = json.loads(typed(settings, NOTICE, "--json").stdout)
    assert told["answers"]
    assert (told["passages"][0]["document"], told["passages"][0]["start"]) == ("wiki/leave.md", 0)
    assert "acl" not in told["passages"][0]
    assert json.loads(typed(settings, NOTICE, "--json", "--explain").stdout)["passages"][0]["acl"] == ["org"]


@pytest.mark.parametrize("question", ["", "  \n", "who won the cup in 1954?"])
def test_where_nothing_answers_it_says_so_and_fails(settings: Settings, question: str) -> None:
    result = typed(settings, question)
    assert (result.exit_code, result.stdout.startswith("Nothing found that answers this.")) == (1, True)


def test_a_question_of_50_kilobytes_is_a_question(settings: Settings) -> None:
    assert "Annual leave" in typed(settings, "annual leave " * 4_000).stdout


def test_through_somebody_elses_eyes_and_on_record(settings: Settings) -> None:
    audit: list[str] = []
    assert "50,000" in typed(settings, PAY, "--as", "ann", audit=audit).stdout
    assert "Salary" not in typed(settings, PAY, "--as", "user:bob", audit=audit).stdout
    assert "Salary" not in typed(settings, PAY, audit=audit).stdout
    assert audit == ["search.as ann", "search.as user:bob"]


def test_a_channel_is_not_guessed_at(settings: Settings) -> None:
    audit: list[str] = []
    result = typed(settings, PAY, "--channel", "slack:T1/C01", audit=audit)
    assert (result.exit_code, "known only while `bartizan run`" in result.stdout) == (1, True)
    assert audit == ["search.as slack:T1/C01"]
    assert "is written PLATFORM:WORKSPACE/CHANNEL" in typed(settings, PAY, "--channel", "general").stdout


async def test_a_channel_is_who_is_in_it_as_the_running_bot_knows(
    settings: Settings, capsys: pytest.CaptureFixture[str],
) -> None:
    rooms = {
        Place("slack", "T1", "C01", place_of("slack:T1/C01").person): an_audience(ann="org group:hr", cem="group:hr"),
        Place("slack", "T1", "C02", place_of("slack:T1/C02").person): an_audience(ann="org group:hr", bob="org"),
    }

    async def room(place: Place) -> Audience:
        return rooms[place]

    async with open_settled(settings) as running:
        running.room = room
        assert await search(settings, PAY, channel="channel:slack:T1/C01") == 0
        assert "50,000" in capsys.readouterr().out
        await search(settings, PAY, channel="slack:T1/C02")
        assert "Salary" not in capsys.readouterr().out


def test_a_file_of_questions_becomes_a_run(settings: Settings, tmp_path: Path) -> None:
    questions, out = tmp_path / "questions.jsonl", tmp_path / "run.jsonl"
    asked = [{"id": "q1", "query": NOTICE}, {"id": "q2", "query": "and how long before?", "history": [
        {"role": "user", "text": "annual leave?"}, {"role": "bot", "text": "Ten days."}]}, {"id": "q3", "query": ""},
        {"id": "q4", "query": "and how long before?", "history": [
            {"role": "user", "content": "annual leave?"}, {"role": "assistant", "content": "Ten days."}]}]
    questions.write_text("\n".join(map(json.dumps, asked)) + "\n\n")
    result = typed(settings, "--jsonl", str(questions), "-o", str(out), "--folder", str(
        settings.data_dir.parent / "pages"))
    assert result.exit_code == 0, result.output
    run = {row["id"]: row for row in map(json.loads, out.read_text().splitlines())}
    assert list(run) == ["q1", "q2", "q3", "q4"]
    assert run["q4"]["hits"] == run["q2"]["hits"]
    assert [run[key]["hits"][0]["path"] for key in ("q1", "q2")] == ["leave.md", "leave.md"]
    assert (run["q3"]["hits"], run["q3"]["abstained"], run["q1"]["abstained"]) == ([], True, False)
    assert run["q1"]["hits"][0]["end"] <= len((settings.data_dir.parent / "pages" / "leave.md").read_text())


def test_lines_that_are_no_questions_are_named_and_the_others_answered(settings: Settings, tmp_path: Path) -> None:
    questions, out = tmp_path / "questions.jsonl", tmp_path / "run.jsonl"
    good = json.dumps({"id": "q1", "query": f"{NOTICE}\u2028please"}, ensure_ascii=False)
    lines = [good, "{", '{"id": 1, "query": "x"}', "\ufffd", "", "[" * 9_000,
             '{"id": "a", "query": "x", "history": [{"role": "cat", "text": ""}]}',
             '{"id": "q2", "query": "\\ud800 pay"}']
    questions.write_bytes("\n".join(lines).encode("utf-8-sig").replace(b"\xef\xbf\xbd", b"\xff"))
    result = typed(settings, "--jsonl", str(questions), "-o", str(out))
    assert result.exit_code == 1
    shape = 'needs "id" and "query", and a "history" of turns at most'
    assert result.output.splitlines()[-6:] == [
        "  line 2 is no JSON", f"  line 3 {shape}", "  line 4 is no JSON", "  line 6 is no JSON", f"  line 7 {shape}",
        "2 questions answered, 5 lines left out.",
    ]
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["q1", "q2"]


def test_a_file_that_is_no_file_of_questions_is_not_listed_as_a_whole(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").write_text("no question\n" * 1_000)
    result = typed(settings, "--jsonl", str(tmp_path / "questions.jsonl"), "-o", str(tmp_path / "run"))
    assert result.output.splitlines()[-2:] == ["  and 980 more", "0 questions answered, 1000 lines left out."]


def test_files_and_folders_that_are_not_there_are_named(settings: Settings, tmp_path: Path) -> None:
    nothing, there = str(tmp_path / "nothing"), tmp_path / "questions.jsonl"
    there.write_text('{"id": "a", "query": "x"}')
    assert "cannot be read: No such file or directory" in typed(settings, "--jsonl", nothing, "-o", "run").stdout
    assert "there is no folder" in typed(
        settings, "--jsonl", str(there), "-o", str(tmp_path / "run"), "--folder", nothing).stdout
    assert "cannot be written" in typed(settings, "--jsonl", str(there), "-o", f"{nothing}/run").stdout


@pytest.mark.parametrize("words", [
    (), ("a", "--jsonl", "b", "-o", "c"), ("--jsonl", "b"), ("a", "-o", "c"), ("a", "--folder", "d"),
    ("a", "--as", "ann", "--channel", "slack:T1/C01"), ("--jsonl", "b", "-o", "c", "--as", "ann"),
])
def test_what_does_not_go_together_is_refused_before_anything_is_on_record(
    settings: Settings, words: tuple[str, ...],
) -> None:
    audit: list[str] = []
    assert typed(settings, *words, audit=audit).exit_code == 2
    assert audit == []


@pytest.mark.parametrize("text", ["", "general", "slack:", "slack:T1", "slack:T1/", ":T1/C01"])
def test_what_is_no_channel(text: str) -> None:
    with pytest.raises(SearchError):
        place_of(text)


def test_what_the_file_of_sources_takes_back_is_so_for_the_next_search(tmp_path: Path) -> None:
    """Nothing runs that would have looked at it, and nobody syncs."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "leave.md").write_text("# Annual leave\n\nGive ten working days' notice.\n")
    settings = Settings(data_dir=tmp_path / "data")
    wiki = Definition("wiki", SourceKind.FOLDER, str(tmp_path / "pages"), ("org",))
    add(settings.data_dir, wiki)
    found = [typed(settings, NOTICE, "--json").stdout.count('"title"')]
    for definitions in ([replace(wiki, acl=("group:hr",))], [replace(wiki, acl=("org",))], []):
        write_definitions(settings.data_dir, definitions)
        found.append(typed(settings, NOTICE, "--json").stdout.count('"title"'))
    assert found[:3] == [1, 0, 1]
    assert found[3] != 1 or "Annual leave" not in typed(settings, NOTICE, "--json").stdout
    (tmp_path / "q.jsonl").write_text(json.dumps({"id": "1", "query": NOTICE}))
    write_definitions(settings.data_dir, [wiki])
    typed(settings, NOTICE)
    write_definitions(settings.data_dir, [replace(wiki, acl=("group:hr",))])
    typed(settings, "--jsonl", str(tmp_path / "q.jsonl"), "-o", str(tmp_path / "run.jsonl"))
    assert json.loads((tmp_path / "run.jsonl").read_text())["hits"] == []


def test_while_not_all_pages_were_read_that_nothing_is_found_is_not_the_last_word(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "leave.md").write_text("# Annual leave\n\nGive ten working days' notice.\n")
    settings = Settings(data_dir=tmp_path / "data")
    add(settings.data_dir, Definition("wiki", SourceKind.FOLDER, str(tmp_path / "pages"), ("org",)))
    cup = "who won the cup in 1954?"
    assert typed(settings, cup).stdout.startswith("Nothing found that answers this. The nearest")
    add(settings.data_dir, Definition("team", SourceKind.FOLDER, str(tmp_path / "team"), ("group:team",)))
    said = typed(settings, cup).stdout
    assert said.startswith(f"Nothing found that answers this.{UNFINISHED} The nearest")
    assert "team" not in said
    assert [json.loads(typed(settings, each, "--json").stdout)["whole"] for each in (cup, NOTICE)] == [False, True]
