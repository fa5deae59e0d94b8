"""Slack among the settings, the checks, the metrics and the pages of the program."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.slack.manifest import scope_names
from bot.check import check
from bot.run import run
from bot.settings import Settings, SettingsError, load_settings
from bot.slack import slack_config
from bot.telemetry import Metrics, PlatformCounts
from tests.fake_slack import APP_TOKEN, FakeSlack, fake_slack


@pytest.fixture
async def fake() -> AsyncGenerator[FakeSlack]:
    async with fake_slack() as slack:
        yield slack


def settings(tmp_path: Path, **variables: str) -> Settings:
    """As the environment says them."""
    return load_settings({"BARTIZAN_DATA_DIR": f"{tmp_path}/data", **variables})


def test_the_settings_become_what_the_platform_is_told(tmp_path: Path) -> None:
    config = slack_config(settings(
        tmp_path, SLACK_BOT_TOKEN="xoxb-1", SLACK_APP_TOKEN="xapp-1", SLACK_SIGNING_SECRET="shh",
        SLACK_API_BASE_URL="https://slack.example.com/api", SLACK_CLIENT_ID="1.2", SLACK_CLIENT_SECRET="cs",
        BARTIZAN_SLACK__THREAD_IDLE="1h", BARTIZAN_SLACK__RATE_SHARE="0.1", BARTIZAN_SLACK__LOOKBACK="0s",
    ))
    assert (config.bot_token, config.app_token, config.signing_secret) == ("xoxb-1", "xapp-1", "shh")
    assert config.base_url == "https://slack.example.com/api/"
    assert config.oauth is not None
    assert config.oauth.scopes == scope_names()
    assert (config.engaged, config.rate_share, config.lookback) == (timedelta(hours=1), 0.1, timedelta(0))
    assert config.socket_mode


def test_a_bot_that_could_not_hear_is_not_started(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="app_token"):
        slack_config(settings(tmp_path, SLACK_BOT_TOKEN="xoxb-1"))
    with pytest.raises(SettingsError, match=r"http\.port"):
        slack_config(settings(
            tmp_path, SLACK_BOT_TOKEN="xoxb-1", SLACK_SIGNING_SECRET="shh", BARTIZAN_HTTP__PORT="off",
        ))


@pytest.mark.parametrize("variables", [
    {"SLACK_CLIENT_ID": "1.2"}, {"SLACK_CLIENT_SECRET": "cs"}, {"SLACK_SOCKETS": "11"}, {"SLACK_RATE_SHARE": "0"},
    {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "cs"},
])
def test_settings_that_do_not_belong_together_are_named(tmp_path: Path, variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="slack"):
        settings(tmp_path, **variables)


async def test_a_token_that_slack_does_not_know_ends_the_start(fake: FakeSlack, tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await run(settings(
            tmp_path, SLACK_BOT_TOKEN="xoxb-wrong", SLACK_APP_TOKEN=APP_TOKEN, SLACK_API_BASE_URL=f"{fake.url}/api",
            BARTIZAN_HTTP__PORT="off",
        ))
    assert "auth.test: invalid_auth" in repr(caught.value.exceptions)


async def test_a_check_says_what_slack_does_not_take(
    fake: FakeSlack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"SLACK_API_BASE_URL": f"{fake.url}/api", "SLACK_APP_TOKEN": APP_TOKEN}
    workspace = fake.workspace()
    assert await check(settings(tmp_path, SLACK_BOT_TOKEN=workspace.token, **given)) == 0
    assert "slack   ready" in capsys.readouterr().out
    workspace.scopes = frozenset(workspace.scopes) - {"usergroups:read"}
    assert await check(settings(tmp_path, SLACK_BOT_TOKEN=workspace.token, **given)) == 1
    assert "lacks the scopes usergroups:read" in capsys.readouterr().out
    wrong = {**given, "SLACK_APP_TOKEN": "xapp-wrong"}
    assert await check(settings(tmp_path, SLACK_BOT_TOKEN="xoxb-wrong", **wrong)) == 1
    said = capsys.readouterr().out
    assert "the bot's token: invalid_auth" in said
    assert "the app's token: " in said
    assert "xoxb-wrong" not in said
    nowhere = {**given, "SLACK_API_BASE_URL": "http://127.0.0.1:9/"}
    assert await check(settings(tmp_path, SLACK_BOT_TOKEN="xoxb-1", **nowhere)) == 1
    assert "auth.test: not reached" in capsys.readouterr().out


def test_what_comes_is_counted_by_its_kind() -> None:
    metrics = Metrics.fresh()
    PlatformCounts(metrics, "slack").heard("message", "stored")
    assert metrics.registry.get_sample_value(
        "bartizan_platform_events_total", {"platform": "slack", "kind": "message", "came": "stored"}
    ) == 1
