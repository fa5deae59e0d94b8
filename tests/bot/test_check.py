"""`bartizan check` tries what the settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.check import check
from bot.settings import GuardSettings, KnowledgeSettings, Settings


async def test_what_is_right_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "policy.yaml").write_text("version: 1\n")
    guards = GuardSettings(policy=tmp_path / "policy.yaml")
    assert await check(Settings(data_dir=tmp_path / "data", guards=guards)) == 0
    assert "guards  ready" in capsys.readouterr().out


async def test_a_policy_that_stops_the_start_is_explained_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "policy.yaml").write_text("version: 1\ncategories:\n  secret: maks\n")
    guards = GuardSettings(policy=tmp_path / "policy.yaml")
    away = KnowledgeSettings(folder=tmp_path / "away")
    assert await check(Settings(data_dir=tmp_path / "data", guards=guards, knowledge=away)) == 1
    said = capsys.readouterr().out
    assert "policy.yaml:3: categories.secret.action: no action; did you mean mask?" in said
    assert f"The folder of pages is not there: {tmp_path / 'away'}" in said
