"""Settings from a file, from variables and from arguments; and everything that stops a start."""

from __future__ import annotations

import base64
import pickle
import re
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from bot.settings import (
    FIELDS,
    VARIABLES,
    LoopbackSettings,
    ModelSettings,
    Settings,
    SettingsError,
    load_settings,
)
from bot.values import duration_text, read_duration, redact

EXAMPLE = Path(__file__).parents[2] / "bartizan.example.toml"
KEY = bytes(range(32))
HUSH = "hush-4711-hush"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bartizan.toml"


def what_is_wrong(environ: dict[str, str] | None = None, config: Path | None = None, **overrides: object) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ or {}, config, **overrides)
    return [problem.replace(f"{config}", "bartizan.toml") for problem in caught.value.problems]


# Where values come from.


def test_with_nothing_configured_everything_has_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({})
    assert settings == Settings()
    assert settings.model.url is None
    assert settings.database == "sqlite:///.bartizan/bartizan.db"
    assert settings.master_key_file == Path(".bartizan/master.key")
    assert settings.key is None
    assert settings.http.host == "127.0.0.1"


def test_an_argument_outranks_a_variable_and_a_variable_the_file(file: Path) -> None:
    file.write_text('data_dir = "/file"\n[model]\nurl = "http://file"\nname = "file"\nretries = 7\n')
    settings = load_settings(
        {"BARTIZAN_DATA_DIR": "/var", "BARTIZAN_MODEL__URL": "http://variable", "BARTIZAN_MODEL__NAME": "variable"},
        file,
        model={"url": "http://argument", "name": None},     # an option that was not given
        data_dir=None,
    )
    assert settings.data_dir == Path("/var")
    assert settings.model == ModelSettings(url="http://argument", name="variable", retries=7)


def test_the_file_is_the_named_one_or_the_one_that_lies_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bartizan.toml").write_text('[model]\nname = "here"\n')
    Path("other.toml").write_text('[model]\nname = "there"\n')
    assert load_settings({}).model.name == "here"
    assert load_settings({"BARTIZAN_CONFIG": ""}).model.name == "here"
    assert load_settings({"BARTIZAN_CONFIG": "other.toml"}).model.name == "there"


def test_the_process_environment_is_read_when_no_other_is_given(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    file.write_text("")
    monkeypatch.setenv("BARTIZAN_MODEL__NAME", "qwen")
    assert load_settings(config=file).model.name == "qwen"


def test_platform_variables_keep_their_usual_names(file: Path) -> None:
    file.write_text('[slack]\nbot_token = "xoxb-file"\napp_token = "xapp-file"\n')
    settings = load_settings(
        {
            "SLACK_BOT_TOKEN": "xoxb-variable\n", "SLACK_SIGNING_SECRET": "abc", "SLACK_API_BASE_URL": "http://s/api",
            "DISCORD_TOKEN": "d", "DISCORD_API_BASE_URL": "http://d", "DISCORD_GATEWAY_URL": "ws://d:1/gateway",
            "SLACK_CLI_VERSION": "not ours",
        },
        file,
    )
    slack, discord = settings.slack, settings.discord
    assert slack.bot_token == SecretStr("xoxb-variable")
    assert slack.app_token == SecretStr("xapp-file")
    assert (slack.api_base_url, discord.api_base_url, discord.gateway_url) == (
        "http://s/api", "http://d", "ws://d:1/gateway"
    )
    assert discord.token == SecretStr("d")


def test_our_own_name_for_a_platform_variable_outranks_the_usual_one(file: Path) -> None:
    file.write_text("")
    environ = {"BARTIZAN_SLACK__BOT_TOKEN": "ours", "SLACK_BOT_TOKEN": "usual"}
    assert load_settings(environ, file).slack.bot_token == SecretStr("ours")
    assert load_settings(dict(reversed(environ.items())), file).slack.bot_token == SecretStr("ours")


def test_strings_of_variables_become_what_the_setting_is(file: Path) -> None:
    file.write_text("")
    settings = load_settings(
        {
            "BARTIZAN_ADMINS": "slack:T1/U1, slack:T1/U2,", "BARTIZAN_QUEUE__LEASE": "1m30s",
            "BARTIZAN_HTTP__PORT": "0", "BARTIZAN_MODEL__TEMPERATURE": "0.7", "BARTIZAN_LIMITS__EVENT_BYTES": "2MiB",
            "BARTIZAN_LOG__LEVEL": "DEBUG", "BARTIZAN_LOOPBACK__LISTEN": "[::1]:80",
            "BARTIZAN_MODEL__REASONING_EFFORT": "none",
        },
        file,
    )
    assert settings.admins == ("slack:T1/U1", "slack:T1/U2")
    assert settings.queue.lease == timedelta(seconds=90)
    assert settings.http.port == 0
    assert settings.model.temperature == 0.7
    assert settings.model.reasoning_effort == "none"
    assert settings.limits.event_bytes == 2 * 1024 * 1024
    assert settings.log.level == "debug"
    assert settings.loopback.address == ("::1", 80)


def test_the_pages_can_be_turned_off_in_a_file(file: Path) -> None:
    file.write_text('[http]\nport = "off"\n')
    assert load_settings({}, file).http.port is None


def test_a_file_may_begin_with_a_mark_and_have_any_line_ends(file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbf[model]\r\nname = "windows"\r\n')
    assert load_settings({}, file).model.name == "windows"


def test_a_service_that_is_named_after_us_does_not_stop_the_start(file: Path) -> None:
    file.write_text("")
    load_settings(
        {
            "BARTIZAN_PORT": "tcp://10.0.0.1:8642", "BARTIZAN_SERVICE_HOST": "10.0.0.1",
            "BARTIZAN_SERVICE_PORT": "8642", "BARTIZAN_PORT_8642_TCP": "tcp://10.0.0.1:8642",
            "BARTIZAN_PORT_8642_TCP_PORT": "8642", "BARTIZAN_MODEL_SERVICE_HOST": "10.0.0.2",
            "BARTIZAN_SERVICE_PORT_HTTP": "8642",
        },
        file,
    )


def test_settings_do_not_change() -> None:
    settings = Settings()
    for part, key, value in ((settings, "data_dir", Path("/elsewhere")), (settings.model, "retries", 3)):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, key, value)


def test_settings_travel_to_another_process() -> None:
    settings = Settings(master_key=SecretStr(base64.b64encode(KEY).decode()))
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301  (our own bytes)


# What stops the start.


def test_all_that_is_wrong_is_said_at_once_with_its_place_and_the_nearest_name(file: Path) -> None:
    file.write_text(
        'admins = [\n  "slack:T1/U1",\n]\n'     # lines 1 to 3
        'data_dri = "x"\n'
        "\n"
        "[modle]\n"                             # 6
        'url = "http://x"\n'
        "[queue]\n"
        "# how long\n"
        'lease = "15 parsecs"\n'                # 10
        'model.url = "http://y"\n'
        "[model]\n"
        'rul = """\nhttp://x\n"""\n'            # 13 to 15
        "retries = true\n"
    )
    environ = {"BARTIZAN_MODLE__URL": "http://x", "BARTIZAN_MODEL_NAME": "x", "BARTIZAN_HTTP__PORT": "70000",
               "BARTIZAN_HTTP_PORT": "8642"}
    assert what_is_wrong(environ, file, dataa_dir="x") == [
        "bartizan.toml:4: data_dri is unknown; did you mean data_dir?",
        "bartizan.toml:6: [modle] is unknown; did you mean [model]?",
        "bartizan.toml:11: model in [queue] is unknown; did you mean model.url?",
        "bartizan.toml:13: rul in [model] is unknown; did you mean model.url?",
        "environment variable BARTIZAN_MODLE__URL is unknown; did you mean BARTIZAN_MODEL__URL?",
        "environment variable BARTIZAN_MODEL_NAME is unknown; did you mean BARTIZAN_MODEL__NAME?",
        "environment variable BARTIZAN_HTTP_PORT is unknown; did you mean BARTIZAN_HTTP__PORT?",
        "argument dataa_dir is unknown; did you mean data_dir?",
        "bartizan.toml:16: model.retries: expected a number",
        'bartizan.toml:10: queue.lease: not a duration: write "30s", "5m", "1h", "7d", "PT30S" or a number of seconds',
        "environment variable BARTIZAN_HTTP__PORT: http.port: Input should be less than or equal to 65535",
    ]


def test_the_error_is_one_text_for_a_person() -> None:
    with pytest.raises(SettingsError, match=r"^a setting cannot be used:\n  argument x is unknown$"):
        load_settings({}, x=1)
    with pytest.raises(SettingsError, match=r"^2 settings cannot be used:\n  argument x is .*\n  argument yy is"):
        load_settings({}, x=1, yy=2)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a = 1\nb = \n", "bartizan.toml: not TOML: Invalid value (at line 2, column 5)"),
        ("[model]\n[model]\n", "bartizan.toml: not TOML: Cannot declare ('model',) twice (at line 2, column 7)"),
        ('model = "x"\n', "bartizan.toml:1: model is a section: write [model] and its settings under it"),
        ("\n[data_dir]\nx = 1\n", "bartizan.toml:2: data_dir: expected a path"),
        ("[[model]]\n", "bartizan.toml:1: model is a section: write [model] and its settings under it"),
        ('url = "http://x"\n', "bartizan.toml:1: url is unknown; did you mean model.url?"),
        ("qqqqqqqq = 1\n", "bartizan.toml:1: qqqqqqqq is unknown"),
    ],
)
def test_a_file_that_is_not_a_file_of_settings(file: Path, text: str, problem: str) -> None:
    file.write_text(text)
    assert what_is_wrong(config=file) == [problem]


def test_a_file_that_cannot_be_read(file: Path, tmp_path: Path) -> None:
    assert what_is_wrong({"BARTIZAN_CONFIG": str(file)}) == [f"{file}: cannot be read: No such file or directory"]
    assert what_is_wrong(config=tmp_path) == ["bartizan.toml: cannot be read: Is a directory"]
    file.write_bytes(b"a = 1\nb = '\xff'\n")
    assert what_is_wrong(config=file) == ["bartizan.toml:2: not UTF-8"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BARTIZAN_MODEL__URL", "localhost:30000"),
        ("BARTIZAN_MODEL__URL", "ftp://host"),
        ("BARTIZAN_MODEL__URL", "http://"),
        ("BARTIZAN_MODEL__URL", "http://[::1"),
        ("BARTIZAN_MODEL__URL", f"http://bot:{HUSH}@host"),
        ("BARTIZAN_MODEL__URL", f"http://host/?key={HUSH}"),
        ("BARTIZAN_DATABASE_URL", f"mysql://bot:{HUSH}@host/db"),
        ("BARTIZAN_DATABASE_URL", f"postgresql://bot:{HUSH}[@host/db"),
        ("BARTIZAN_DATABASE_URL", f"postgresql://bot:{HUSH}@host"),
        ("BARTIZAN_DATABASE_URL", f"postgresql:///db?password={HUSH}"),
        ("BARTIZAN_DATABASE_URL", "sqlite://"),
        ("BARTIZAN_DATABASE_URL", "sqlite:///:memory:"),
        ("BARTIZAN_MASTER_KEY", HUSH),
        ("BARTIZAN_MASTER_KEY", base64.b64encode(b"short").decode()),
        ("BARTIZAN_LOOPBACK__LISTEN", "8700"),
        ("BARTIZAN_LOOPBACK__LISTEN", "host:99999"),
        ("BARTIZAN_QUEUE__LEASE", "0s"),
        ("BARTIZAN_QUEUE__LEASE", "-5s"),
        ("BARTIZAN_QUEUE__LEASE", "99999999999999999d"),
        ("BARTIZAN_QUEUE__LEASE", "P1Z"),
        ("BARTIZAN_MODEL__TEMPERATURE", "nan"),
        ("BARTIZAN_MODEL__CONTEXT", "8k"),
        ("BARTIZAN_KNOWLEDGE__ACL", ","),
        ("BARTIZAN_LOG__LEVEL", "loud"),
        ("BARTIZAN_DATA_DIR", "a\0b"),
        ("DISCORD_GATEWAY_URL", "https://host"),
    ],
)
def test_a_wrong_value_is_named_and_never_quoted(file: Path, variable: str, value: str) -> None:
    file.write_text("")
    (problem,) = what_is_wrong({variable: value}, file)
    assert problem.startswith(f"environment variable {variable}: {'.'.join(VARIABLES[variable])}: ")
    assert HUSH not in problem


def test_settings_that_contradict_each_other(file: Path) -> None:
    file.write_text("[model]\nmax_tokens = 9000\n")
    assert what_is_wrong({"BARTIZAN_QUEUE__RETRY_BASE": "2h"}, file) == [
        "bartizan.toml:2: model: max_tokens must be less than context: the question needs room, too",
        "environment variable BARTIZAN_QUEUE__RETRY_BASE: queue: retry_base must not be longer than retry_max",
    ]


@given(st.text(max_size=200))
def test_no_file_whatsoever_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    problems: tuple[str, ...] = ()
    try:
        load_settings({}, file)
    except SettingsError as error:
        problems = error.problems
    assert all(problem.startswith(f"{file}:") for problem in problems)


# Durations.


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("30s", 30), ("5m", 300), ("1h", 3600), ("7d", 604800), ("500ms", 0.5), ("1h30m", 5400), ("1.5h", 5400),
     ("PT5M", 300), ("P1DT1S", 86401), ("45", 45), (" 2 m ", 120), (0.25, 0.25), (90, 90)],
)
def test_durations_are_written_in_many_ways(said: object, seconds: float) -> None:
    assert ModelSettings.model_validate({"idle_timeout": said}).idle_timeout == timedelta(seconds=seconds)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3660)))
@example(timedelta(microseconds=1))
@example(timedelta(days=3660) - timedelta(microseconds=1))
def test_a_duration_that_we_write_is_the_one_that_we_read(value: timedelta) -> None:
    assert read_duration(duration_text(value)) == value


@given(st.one_of(st.text(max_size=20), st.floats(), st.integers(), st.booleans(), st.none(), st.binary(max_size=4)))
def test_whatever_stands_for_a_duration_is_one_or_is_refused(said: object) -> None:
    try:
        read = ModelSettings.model_validate({"idle_timeout": said}).idle_timeout
    except ValidationError:
        return
    assert timedelta(0) < read <= timedelta(days=3660)


# The database.


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("postgres://u:p@h:5/db", "postgresql+asyncpg://u:p@h:5/db"),
        ("postgresql://h/db", "postgresql+asyncpg://h/db"),
        ("postgresql+asyncpg://h/db?ssl=require", "postgresql+asyncpg://h/db?ssl=require"),
        ("postgresql://h/db?sslmode=verify-full", "postgresql+asyncpg://h/db?ssl=verify-full"),
        ("postgresql:///db?host=/run/pg", "postgresql+asyncpg:///db?host=/run/pg"),
        ("sqlite:///here.db", "sqlite:///here.db"),
        ("sqlite+aiosqlite:////var/lib/b.db", "sqlite:////var/lib/b.db"),
    ],
)
def test_a_database_is_named_by_its_address_alone(said: str, meant: str) -> None:
    assert Settings(database_url=SecretStr(said)).database == meant


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_master_key_is_32_bytes_in_base64(encode: Callable[[bytes], bytes]) -> None:
    key = bytes([251, 255] * 16)
    assert Settings(master_key=SecretStr(encode(key).decode().rstrip("="))).key == key


# Secrets.


def test_secrets_show_up_nowhere(file: Path) -> None:
    key = base64.b64encode(KEY).decode()
    file.write_text(f'[model]\napi_key = "{HUSH}"\n[loopback]\ntoken = "{HUSH}"\n[discord]\ntoken = "{HUSH}"\n')
    environ = {
        "BARTIZAN_DATABASE_URL": f"postgresql://bot:{HUSH}%21@db/bartizan", "BARTIZAN_MASTER_KEY": key,
        "SLACK_BOT_TOKEN": HUSH, "SLACK_APP_TOKEN": HUSH, "SLACK_SIGNING_SECRET": HUSH,
    }
    settings = load_settings(environ, file)
    for view in (repr(settings), str(settings), settings.describe(), settings.model_dump_json(), f"{settings.slack}"):
        assert HUSH not in view
        assert key not in view
    assert settings.secrets() == {HUSH, key, f"{HUSH}!", f"{HUSH}%21", settings.database}
    assert 'database_url = "postgresql+asyncpg://bot:***@db/bartizan"' in settings.describe()


def test_a_secret_does_not_leave_with_an_error_either(file: Path) -> None:
    file.write_text(f'[model]\napi_key = ["{HUSH}"]\n[slack]\nbot_tokn = "{HUSH}"\n[log]\nlevel = "{HUSH}"\n')
    with pytest.raises(SettingsError) as caught:
        load_settings({"BARTIZAN_QUEUE__LEASE": HUSH, "BARTIZAN_MASTER_KEY": HUSH}, file)
    assert len(caught.value.problems) == 5
    assert HUSH not in f"{caught.value!s} {caught.value!r}"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_addresses_lose_their_credentials_only() -> None:
    assert redact("see postgresql://bot:p%40ss@h/db and http://host:80/x, ann@example.com") == (
        "see postgresql://bot:***@h/db and http://host:80/x, ann@example.com"
    )
    assert redact("https://token@host") == "https://***@host"


@given(st.from_regex(r"[a-zA-Z0-9%/:!$]{8,20}", fullmatch=True))
def test_no_password_survives_redaction(password: str) -> None:
    assert password not in redact(f"cannot reach postgresql://bot:{password}@host/db today")


# What an operator reads.


def test_check_shows_every_setting_and_where_it_came_from(file: Path) -> None:
    file.write_text('[model]\nname = "qwen"\n[http]\nport = "off"\n')
    shown = load_settings({"BARTIZAN_QUEUE__GRACE": "90"}, file, log={"level": "debug"}).describe()
    assert f'name = "qwen"    # {file}\n' in shown
    assert 'grace = "90s"    # environment variable BARTIZAN_QUEUE__GRACE\n' in shown
    assert 'level = "debug"    # argument log.level\n' in shown
    assert f'port = "off"    # {file}\n' in shown
    assert "\nurl = (not set)\n" in shown
    assert all(re.search(rf"^{keys[-1]} = ", shown, re.MULTILINE) for keys in FIELDS)


def test_loopback_is_off_until_it_is_asked_for() -> None:
    assert LoopbackSettings().address is None


# The sample file.


def samples() -> dict[str, object]:
    return tomllib.loads(re.sub(r"^#(?=\w+ = )", "", EXAMPLE.read_text(), flags=re.MULTILINE))


def flat(tree: dict[str, object]) -> dict[tuple[str, ...], object]:
    return {
        keys: value
        for name, part in tree.items()
        for keys, value in (
            {(name, k): v for k, v in part.items()} if isinstance(part, dict) else {(name,): part}
        ).items()
    }


def test_the_sample_file_has_every_setting_and_no_other() -> None:
    assert set(flat(samples())) == set(FIELDS)


def test_the_sample_file_as_it_is_changes_nothing() -> None:
    assert load_settings({}, EXAMPLE) == Settings()


def test_every_sample_is_valid_and_is_the_default_unless_it_says_so(file: Path) -> None:
    text = EXAMPLE.read_text()
    file.write_text(re.sub(r"^#(?=\w+ = )", "", text, flags=re.MULTILINE))
    loaded, plain = dict(load_settings({}, file)._values()), dict(Settings()._values())
    examples = set(re.findall(r"[Ff]or example:\n#(\w+) = ", text))
    for keys, default in plain.items():
        if default is None:
            assert keys[-1] in examples
            assert loaded[keys] is not None
        else:
            assert loaded[keys] == default
