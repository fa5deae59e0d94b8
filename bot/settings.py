"""The one reader of the environment and of `bartizan.toml`: typed, frozen, checked before anything starts.

A value comes from the file, from a variable that outranks it, or from an argument that outranks both. Whatever
is unknown or wrong stops the start, all of it in one `SettingsError`. No value is ever quoted in an error: what
stands in the wrong place may be a secret.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)

from bot.values import (
    LISTEN,
    MASKED,
    Count,
    DatabaseUrl,
    Duration,
    FilePath,
    Filled,
    HostAndPort,
    HttpUrl,
    MasterKey,
    Names,
    Patience,
    Port,
    Secret,
    Size,
    SocketUrl,
    Tally,
    decoded_key,
    duration_text,
    read_list,
    read_lower,
    read_number,
    redact,
)
from engine.errors import BotError

PREFIX: Final = "BARTIZAN_"
CONFIG: Final = "BARTIZAN_CONFIG"
"""The variable that names the file."""
DEFAULT_FILE: Final = "bartizan.toml"

Keys: TypeAlias = tuple[str, ...]
"""``("data_dir",)`` or ``("model", "url")``."""


class SettingsError(BotError):
    """The settings cannot be used; `problems` has one line for each reason, none of which holds a value."""

    def __init__(self, problems: Sequence[str]) -> None:
        many = f"{len(problems)} settings cannot be used" if len(problems) > 1 else "a setting cannot be used"
        super().__init__("\n  ".join((f"{many}:", *problems)))
        self.problems = tuple(problems)


# The settings themselves. What each of them means stands in bartizan.example.toml; a test keeps the two in step.


class Section(BaseModel):
    """A part that is handed down by itself: each adapter sees its own and no other."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)


class ModelSettings(Section):
    """The model server; without `url` the bot quotes passages."""

    url: HttpUrl | None = None
    name: Filled = "chat"
    api_key: Secret | None = None
    connect_timeout: Duration = timedelta(seconds=3)
    first_token_timeout: Duration = timedelta(seconds=30)
    idle_timeout: Duration = timedelta(seconds=20)
    answer_timeout: Duration = timedelta(minutes=3)
    retries: Tally = 2
    context: Count = 8192           # tokens
    max_tokens: Count = 1024
    tokenizer: FilePath | None = None
    temperature: Annotated[float, BeforeValidator(read_number), Field(ge=0, le=2, allow_inf_nan=False)] = 0.2
    reasoning_effort: Annotated[Literal["none", "low", "medium", "high"] | None, BeforeValidator(read_lower)] = None
    breaker_failures: Count = 5
    breaker_cooldown: Duration = timedelta(seconds=15)

    @model_validator(mode="after")
    def _fits(self) -> ModelSettings:
        if self.max_tokens >= self.context:
            raise ValueError("max_tokens must be less than context: the question needs room, too")
        return self


class OtherModelSettings(Section):
    """A further model, of another family: asked when the ones before it deflect or decline. Off without `url`."""

    url: HttpUrl | None = None
    name: Filled = "chat"
    api_key: Secret | None = None
    reasoning_effort: Annotated[Literal["none", "low", "medium", "high"] | None, BeforeValidator(read_lower)] = None


class GuardModelSettings(Section):
    """A guard model for what our own guards are not sure about. Off without `url`."""

    url: HttpUrl | None = None
    name: Filled = "guard"
    api_key: Secret | None = None
    family: Annotated[
        Literal["llama-guard-3", "llama-guard-4", "qwen3guard-gen", "gpt-oss-safeguard", "granite-guardian-3.0",
                "granite-guardian-3.1", "granite-guardian-3.2", "granite-guardian-3.3", "granite-guardian-4.1"],
        BeforeValidator(read_lower),
    ] = "granite-guardian-3.3"
    timeout: Duration = timedelta(seconds=2)
    strict: bool = False            # what it calls controversial counts as unsafe
    breaker_failures: Count = 5
    breaker_cooldown: Duration = timedelta(seconds=15)


class GuardSettings(Section):
    """What the guards go by: the company's policy, and an existing NeMo Guardrails configuration."""

    policy: FilePath | None = None
    same_maker: bool = False        # allows models of one maker to judge, or to stand in for, each other
    nemo_folder: FilePath | None = None
    nemo_python: FilePath | None = None
    nemo_timeout: Duration = timedelta(seconds=5)

    @model_validator(mode="after")
    def _fits(self) -> GuardSettings:
        if (self.nemo_folder is None) != (self.nemo_python is None):
            raise ValueError("nemo_folder and nemo_python go together: NeMo runs in an environment of its own")
        return self


class KnowledgeSettings(Section):
    """The pages that answers are made from; without `folder` the handbook that ships with the project."""

    folder: FilePath | None = None
    acl: Annotated[Names, Field(min_length=1)] = ("org",)
    base_url: HttpUrl | None = None
    passages: Annotated[Count, Field(le=50)] = 6
    refresh: Duration = timedelta(minutes=1)
    people: Annotated[tuple[FilePath, ...], BeforeValidator(read_list)] = ()
    keep_uploads: Duration = timedelta(days=30)
    embedding_model: FilePath | None = None
    reranking_model: FilePath | None = None
    qdrant_url: HttpUrl | None = None
    qdrant_api_key: Secret | None = None
    qdrant_index: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = "bartizan"
    qdrant_tenant: Annotated[str, Field(pattern=r"^[a-z0-9_-]{0,40}$")] = ""


class QueueSettings(Section):
    """The durable queue and the turns that run from it."""

    concurrency: Count = 64
    lease: Duration = timedelta(seconds=15)
    poll: Duration = timedelta(milliseconds=500)
    max_failures: Count = 5
    max_unreachable: Count = 60
    max_crashes: Count = 10
    backlog: Count = 200            # per conversation
    quota: Count = 120              # per person and quota_window
    quota_window: Duration = timedelta(hours=1)
    keep: Duration = timedelta(days=7)
    deadline: Duration = timedelta(minutes=5)
    grace: Patience = timedelta(seconds=20)
    retry_base: Duration = timedelta(milliseconds=500)
    retry_max: Duration = timedelta(seconds=60)

    @model_validator(mode="after")
    def _fits(self) -> QueueSettings:
        if self.retry_base > self.retry_max:
            raise ValueError("retry_base must not be longer than retry_max")
        if self.poll > self.lease:
            raise ValueError("poll must not be longer than lease: a turn would be lost before it is looked for")
        return self


class LimitSettings(Section):
    """What is read at once."""

    message_chars: Count = 16_000
    history_turns: Tally = 30
    event_bytes: Size = ByteSize(1024 * 1024)


class HttpSettings(Section):
    """The health and metrics pages. ``port``: None is off, 0 takes a free one."""

    host: Filled = "127.0.0.1"
    port: Port = 8642


class LogSettings(Section):
    """What is logged, and how it looks; ``auto`` is console on a terminal and JSON elsewhere."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(read_lower)] = "info"
    format: Annotated[Literal["auto", "json", "console"], BeforeValidator(read_lower)] = "auto"


class LoopbackSettings(Section):
    """The chat server for tests and benches; off unless `url` or `listen` is set."""

    url: HttpUrl | None = None
    listen: HostAndPort | None = None
    token: Secret | None = None

    @property
    def address(self) -> tuple[str, int] | None:
        """`listen` as host and port."""
        found = LISTEN.fullmatch(self.listen or "")
        return (found["six"] or found["host"], int(found["port"])) if found else None


class TerminalSettings(Section):
    """Who the person at the terminal is, to the access lists."""

    labels: Names = ("org",)


class SlackSettings(Section):
    """Slack. The variables keep the names that Slack's own tools use."""

    bot_token: Secret | None = None
    app_token: Secret | None = None
    signing_secret: Secret | None = None
    client_id: Filled | None = None
    client_secret: Secret | None = None
    redirect_url: HttpUrl | None = None
    api_base_url: HttpUrl | None = None
    sockets: Annotated[Count, Field(le=10)] = 2
    rate_share: Annotated[float, BeforeValidator(read_number), Field(gt=0, le=1)] = 1.0
    thread_idle: Duration = timedelta(hours=12)
    lookback: Patience = timedelta(days=2)
    answer_missed: Patience = timedelta(hours=1)
    group_handles: bool = False
    file_bytes: Size = ByteSize(25 * 1024 * 1024)

    @model_validator(mode="after")
    def _fits(self) -> SlackSettings:
        if bool(self.client_id) != bool(self.client_secret):
            raise ValueError("client_id and client_secret belong together")
        if self.client_id and not self.signing_secret:
            raise ValueError("client_id needs signing_secret: an installation comes over HTTP")
        return self

    @property
    def on(self) -> bool:
        """Whether there is anything to talk to Slack with."""
        return bool(self.bot_token or self.client_id)


class DiscordSettings(Section):
    """Discord. The variables keep their usual names."""

    token: Secret | None = None
    api_base_url: HttpUrl | None = None
    gateway_url: SocketUrl | None = None


class Settings(Section):
    """Everything, at the root. `load_settings` makes one from the world outside; a test just calls it."""

    data_dir: FilePath = Path(".bartizan")
    database_url: DatabaseUrl | None = None
    master_key_file: FilePath = Field(default_factory=lambda data: data["data_dir"] / "master.key")
    master_key: MasterKey | None = None
    admins: Names = ()
    model: ModelSettings = ModelSettings()
    second: OtherModelSettings = OtherModelSettings()
    third: OtherModelSettings = OtherModelSettings()
    guards: GuardSettings = GuardSettings()
    guard_model: GuardModelSettings = GuardModelSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    queue: QueueSettings = QueueSettings()
    limits: LimitSettings = LimitSettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    loopback: LoopbackSettings = LoopbackSettings()
    terminal: TerminalSettings = TerminalSettings()
    slack: SlackSettings = SlackSettings()
    discord: DiscordSettings = DiscordSettings()
    _sources: Mapping[Keys, str] = PrivateAttr(default_factory=dict)

    @property
    def database(self) -> str:
        """The database's address with its driver and its password: for the adapter, never for a log."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir / 'bartizan.db'}"
        return self.database_url.get_secret_value()

    @property
    def key(self) -> bytes | None:
        """The 32 bytes of `master_key`; None: they are in `master_key_file`."""
        return None if self.master_key is None else decoded_key(self.master_key)

    def secrets(self) -> frozenset[str]:
        """Every secret as it stands, so that the log can recognise it wherever it turns up."""
        found = {value.get_secret_value() for _, value in self._values() if isinstance(value, SecretStr)}
        password = urlsplit(self.database).password if self.database_url else None
        return frozenset(found | {password, unquote(password)} if password else found)

    def describe(self) -> str:
        """Every setting, as a file would say it, with where it came from. Secrets are masked."""
        lines, section = [], ""
        for keys, value in self._values():
            if len(keys) == 2 and keys[0] != section:
                section = keys[0]
                lines.append(f"\n[{section}]")
            match keys, value:
                case ("database_url",), _:
                    shown = f'"{redact(self.database)}"'
                case ("http", "port"), None:
                    shown = '"off"'
                case _:
                    shown = _shown(value)
            source = self._sources.get(keys)
            lines.append(f"{keys[-1]} = {shown}" + (f"    # {source}" if source else ""))
        return "\n".join(lines)

    def _values(self) -> Iterator[tuple[Keys, object]]:
        for keys in FIELDS:
            value: object = self
            for key in keys:
                value = getattr(value, key)
            yield keys, value


def _shown(value: object) -> str:
    match value:
        case None:
            return "(not set)"
        case SecretStr():
            return MASKED
        case timedelta():
            return f'"{duration_text(value)}"'
        case tuple():
            return "[" + ", ".join(f'"{part}"' for part in value) + "]"
        case str() | Path():
            return f'"{value}"'
        case _:
            return f"{value}".lower() if isinstance(value, bool) else f"{value}"


SECTIONS: Final[Mapping[str, type[Section]]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}
FIELDS: Final[tuple[Keys, ...]] = (
    *((name,) for name in Settings.model_fields if name not in SECTIONS),
    *((name, key) for name, section in SECTIONS.items() for key in section.model_fields),
)
"""Every setting there is."""
VARIABLES: Final[Mapping[str, Keys]] = {
    **{PREFIX + "__".join(keys).upper(): keys for keys in FIELDS},
    **{"_".join(keys).upper(): keys for keys in FIELDS if keys[0] in ("slack", "discord")},
}
"""Every variable there is, and which setting it is for."""
# Kubernetes puts the address of a service named "bartizan" into every pod beside it; that is not for us.
_SERVICE: Final = re.compile(r"BARTIZAN_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?)")
_SERVICE_PORT: Final = re.compile(r"BARTIZAN_(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")
_SERVICE_LINK: Final = re.compile(r"BARTIZAN_(\w+_)?PORT")


# Reading them.


@dataclass(frozen=True, slots=True)
class _Given:
    """One value as somebody wrote it down. ``line`` is 0 outside a file."""

    value: object = None
    source: str = ""
    line: int = 0

    @property
    def where(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


def load_settings(
    environ: Mapping[str, str] | None = None, config: Path | None = None, **overrides: object
) -> Settings:
    """Reads, merges and checks. ``overrides`` are for a command's arguments; one that is None was not given.

    ``config`` None: the file that BARTIZAN_CONFIG names, else ``bartizan.toml`` if there is one. A variable that is
    empty counts as not set. Raises `SettingsError` with everything that is wrong.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    given = {
        **_from_file(_file(environ, config), problems),
        **_from_environment(environ, problems),
        **_from_arguments(overrides, problems),
    }
    settings, wrong = _checked(given)
    if problems or settings is None:
        raise SettingsError(problems + wrong)
    settings._sources = MappingProxyType({keys: each.source for keys, each in given.items()})
    return settings


def _checked(given: Mapping[Keys, _Given]) -> tuple[Settings | None, list[str]]:
    """The settings, or what is wrong with them. pydantic's own error holds the values, so it does not leave here."""
    tree: dict[str, Any] = {}
    for keys, each in given.items():
        if len(keys) == 2:
            tree.setdefault(keys[0], {})[keys[1]] = each.value
        else:
            tree[keys[0]] = each.value
    try:
        return Settings.model_validate(tree), []
    except ValidationError as error:
        return None, [
            _problem(tuple(str(part) for part in each["loc"]), each["msg"].removeprefix("Value error, "), given)
            for each in error.errors(include_url=False, include_context=False, include_input=False)
            if each["type"] != "default_factory_not_called"     # it only follows from another one
        ]


def _problem(loc: Keys, reason: str, given: Mapping[Keys, _Given]) -> str:
    keys = next((loc[:n] for n in (2, 1) if loc[:n] in given), loc)
    if keys in given:
        return f"{given[keys].where}: {'.'.join(keys)}: {reason}"
    # A rule about several settings of one section; its sentence names them.
    places = [each.where for other, each in given.items() if other[:1] == loc[:1] and other[-1] in reason]
    return f"{', '.join(places)}: {'.'.join(loc)}: {reason}"


def _file(environ: Mapping[str, str], config: Path | None) -> Path | None:
    if config is not None:
        return config
    if named := environ.get(CONFIG, "").strip():
        return Path(named)
    default = Path(DEFAULT_FILE)
    return default if default.exists() else None


def _from_file(path: Path | None, problems: list[str]) -> dict[Keys, _Given]:
    if path is None:
        return {}
    try:
        text = path.read_bytes().decode("utf-8-sig")        # some editors begin a file with a mark of their own
        tree = tomllib.loads(text)
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
        return {}
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems.append(f"{path}:{line}: not UTF-8")
        return {}
    except ValueError as error:                             # TOMLDecodeError; it says line and column itself
        problems.append(f"{path}: not TOML: {error}")
        return {}
    lines = _lines(text)
    given: dict[Keys, _Given] = {}
    for name, value in tree.items():
        leaves = [(name, key) for key in value] if name in SECTIONS and isinstance(value, dict) else [(name,)]
        for keys in leaves:
            each = _Given(value[keys[1]] if len(keys) == 2 else value, str(path), lines.get(keys, 1))
            if keys in FIELDS:
                given[keys] = each
            elif name in SECTIONS and len(keys) == 1:
                problems.append(f"{each.where}: {name} is a section: write [{name}] and its settings under it")
            else:
                problems.append(f"{each.where}: {_written(keys, value)} is unknown{_meant(keys)}")
    return given


def _lines(text: str) -> dict[Keys, int]:
    """The line that each key begins on: the first so many lines that are a document of their own and hold it."""
    found: dict[Keys, int] = {}
    lines, start = text.splitlines(), 1
    for count in range(1, len(lines) + 1):
        try:
            tree = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue                                        # in the middle of a value of several lines
        for name, value in tree.items():
            found.setdefault((name,), start)
            for key in value if isinstance(value, dict) else ():
                found.setdefault((name, key), start)
        start = count + 1
    return found


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[Keys, _Given]:
    given: dict[Keys, _Given] = {}
    # A variable of ours outranks the platform's usual name for the same setting, so it comes later.
    for variable, value in sorted(environ.items(), key=lambda item: item[0].upper().startswith(PREFIX)):
        name = variable.upper()
        if name == CONFIG or not value.strip():
            continue
        if name in VARIABLES:
            given[VARIABLES[name]] = _Given(value, f"environment variable {variable}")
        elif name.startswith(PREFIX) and not _is_service_link(name, value):
            inside = [other for other in VARIABLES if other.startswith(f"{name}__")]    # it names a whole section
            near = inside or get_close_matches(name, VARIABLES, 1, 0.6)
            problems.append(f"environment variable {variable} is unknown{_did_you_mean(near)}")
    return given


def _is_service_link(name: str, value: str) -> bool:
    linked = _SERVICE_LINK.fullmatch(name) and "://" in value
    return bool(linked or _SERVICE.fullmatch(name) or _SERVICE_PORT.fullmatch(name))


def _from_arguments(overrides: Mapping[str, object], problems: list[str]) -> dict[Keys, _Given]:
    given: dict[Keys, _Given] = {}
    for name, value in overrides.items():
        parts = {(name, str(k)): v for k, v in value.items()} if isinstance(value, Mapping) else {(name,): value}
        for keys, said in parts.items():
            if keys not in FIELDS:
                problems.append(f"argument {'.'.join(keys)} is unknown{_meant(keys)}")
            elif said is not None:
                given[keys] = _Given(said, f"argument {'.'.join(keys)}")
    return given


def _written(keys: Keys, value: object) -> str:
    """As it stands in the file."""
    if len(keys) == 2:
        return f"{keys[1]} in [{keys[0]}]"
    return f"[{keys[0]}]" if isinstance(value, dict) else keys[0]


def _meant(keys: Keys) -> str:
    """The nearest valid key: among its neighbours, else anywhere."""
    beside = {other[-1]: ".".join(other) for other in FIELDS if other[:-1] == keys[:-1]}
    if len(keys) == 1:
        beside |= {name: f"[{name}]" for name in SECTIONS}
    anywhere = {other[-1]: ".".join(other) for other in reversed(FIELDS)} | {".".join(other): ".".join(other)
                                                                             for other in FIELDS}
    for names in (beside, anywhere):
        for said in (keys[-1], ".".join(keys)):
            if near := get_close_matches(said.lower(), names, 1, 0.6):
                return _did_you_mean([names[near[0]]])
    return ""


def _did_you_mean(near: Sequence[str]) -> str:
    return f"; did you mean {near[0]}?" if near else ""
