"""The commands as an operator types them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bot.settings import Settings
from bot.sources import Definition, SourceKind, SourcesError, read_definitions
from bot.sources_cli import add_sources


def a_program(data: Path, audit: list[str]) -> typer.Typer:
    app = typer.Typer()

    def allowed(config: Path | None, command: str, subject: str | None) -> Settings:
        del config
        audit.append(f"{command} {subject}")
        return Settings(data_dir=data)

    def run(work: Coroutine[Any, Any, int]) -> int:
        try:
            return asyncio.run(work)
        except SourcesError as error:
            typer.echo(f"{error}")
            return 1

    add_sources(app, allowed=allowed, run=run)
    return app


def test_add_and_list(tmp_path: Path) -> None:
    audit: list[str] = []
    app, runner = a_program(tmp_path, audit), CliRunner()
    assert "No sources" in runner.invoke(app, ["source", "list"]).stdout
    words = "source add wiki folder /srv/wiki --acl org --acl group:dev --rule hr/*=group:hr,user:ann --code"
    assert runner.invoke(app, words.split()).stdout == "Added wiki. Nothing is at /srv/wiki yet.\n"
    rules = (("hr/*", ("group:hr", "user:ann")),)
    assert read_definitions(tmp_path) == (
        Definition("wiki", SourceKind.FOLDER, "/srv/wiki", ("org", "group:dev"), rules, code=True),)
    assert runner.invoke(app, ["source", "list"]).stdout == (
        "wiki  folder  /srv/wiki  for org, group:dev; hr/* for group:hr, user:ann\n")
    assert audit == ["source.list None", "source.add wiki", "source.list None"]


def test_a_place_is_kept_whole_since_a_bot_runs_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, runner, data = a_program(tmp_path / "data", []), CliRunner(), tmp_path / "data"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages").mkdir()
    here = ["source", "add", "here", "folder", "pages", "--acl", "org"]
    assert runner.invoke(app, here).stdout == "Added here.\n"
    remote = "source add app git https://git.example.com/app.git --acl org --token-file token"
    assert runner.invoke(app, remote.split()).stdout == "Added app.\n"
    near, far = read_definitions(data)
    assert near.place == str(tmp_path / "pages")
    assert (far.place, far.token_file) == ("https://git.example.com/app.git", str(tmp_path / "token"))


def test_what_is_wrong_is_a_sentence_and_an_exit_code(tmp_path: Path) -> None:
    app, runner = a_program(tmp_path, []), CliRunner()
    for words, why in (("add a ftp /x --acl org", "no such kind"), ("add a folder /x", "who may read it"),
                       ("remove b", "no source b")):
        result = runner.invoke(app, ["source", *words.split()])
        assert (result.exit_code, why in result.stdout) == (1, True), result.stdout
    assert runner.invoke(app, ["source", "add", "a", "folder", "/x", "--acl", "org", "--rule", "x"]).exit_code == 2
    assert read_definitions(tmp_path) == ()
