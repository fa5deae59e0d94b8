"""What a value of a setting may look like: durations, addresses, paths, secrets.

Each reader raises `ValueError` with a sentence that never quotes the value, which may be a secret in the wrong place.
"""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, SecretStr

MASKED: Final = "***"

_UNITS: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_STEP: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhd])\s*")
_STEPS: Final = re.compile(f"(?:{_STEP.pattern})+")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
LISTEN: Final = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:\[\]]+)):(?P<port>\d{1,5})")
_CREDENTIALS: Final = re.compile(r"://([^\s/@:]*)(:[^\s@]*)?@")
_DRIVERS: Final = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite",
    "sqlite+aiosqlite": "sqlite",
}


def redact(text: str) -> str:
    """The text with the credentials of every address in it masked: ``https://bot:***@host``."""
    return _CREDENTIALS.sub(lambda found: f"://{found[1] if found[2] else MASKED}{':***' if found[2] else ''}@", text)


def read_duration(value: object) -> object:
    """``"30s"``, ``"1h30m"``, ``"7d"``, ``"PT5M"`` or a number of seconds; anything else raises `ValueError`."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        said = value.strip()
        if said[:1] in ("P", "p"):
            return said.upper()                     # ISO 8601: pydantic reads it
        if _STEPS.fullmatch(said):
            return _seconds(sum(float(number) * _UNITS[unit] for number, unit in _STEP.findall(said)))
        if _NUMBER.fullmatch(said):
            return _seconds(float(said))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return _seconds(value)
    raise ValueError('not a duration: write "30s", "5m", "1h", "7d", "PT30S" or a number of seconds')


def duration_text(value: timedelta) -> str:
    """The shortest way to write it down that `read_duration` understands."""
    seconds = value.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds and not seconds % _UNITS[unit]:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"


def _seconds(number: float) -> timedelta:
    try:
        return timedelta(seconds=number)
    except (OverflowError, ValueError) as error:
        raise ValueError("not a duration that a calendar could hold") from error


def read_number(value: object) -> object:
    """The value, unless it is true or false."""
    if isinstance(value, bool):
        # Python would take true for 1. pydantic reports a ValueError and lets a TypeError through.
        raise ValueError("expected a number")       # noqa: TRY004
    return value


def read_list(value: object) -> object:
    """A variable holds one string: its commas separate."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def read_lower(value: object) -> object:
    """The value in small letters, if it is a string."""
    return value.strip().lower() if isinstance(value, str) else value


def _off(value: object) -> object:
    """TOML has no null; `off` stands in for it."""
    return None if isinstance(value, str) and value.strip().lower() == "off" else read_number(value)


def _named(value: object) -> object:
    if not isinstance(value, str | Path) or not f"{value}".strip() or "\0" in f"{value}":
        raise ValueError("expected a path")         # pathlib would take an empty one for "."
    return value


def _path(value: Path) -> Path:
    try:
        return value.expanduser()
    except RuntimeError as error:
        raise ValueError("nobody knows whose home ~ is here") from error


def _filled(value: SecretStr) -> SecretStr:
    if not (plain := value.get_secret_value().strip()):     # a secret read from a file often ends in a line break
        raise ValueError("is empty; leave the key out instead")
    return SecretStr(plain)


def _address(value: str, schemes: tuple[str, ...]) -> str:
    expected = " or ".join(f"{scheme}://host:port" for scheme in schemes)
    try:
        url = urlsplit(value.strip())
        fits = url.scheme in schemes and url.hostname and (url.port is None or url.port)
    except ValueError as error:
        raise ValueError(f"not an address: expected {expected}") from error
    if not fits or any(c.isspace() or not c.isprintable() for c in value.strip()):
        raise ValueError(f"not an address: expected {expected}")
    if "@" in url.netloc:
        raise ValueError("credentials do not belong in this address: it is logged")
    return value.strip()


def _http(value: str) -> str:
    value = _address(value, ("http", "https"))
    if "?" in value or "#" in value:
        raise ValueError("expected an address without ? and #")
    return value


def _websocket(value: str) -> str:
    return _address(value, ("wss", "ws"))


def _host_and_port(value: str) -> str:
    found = LISTEN.fullmatch(value.strip())
    if not found or int(found["port"]) > 65535:
        raise ValueError("expected host:port, like 127.0.0.1:8700")
    return value.strip()


def _database(value: SecretStr) -> SecretStr:
    """The same database, addressed by the driver that we have for it. Raises `ValueError` without the address."""
    scheme, separator, rest = value.get_secret_value().strip().partition("://")
    if not separator or scheme not in _DRIVERS:
        raise ValueError("expected postgresql://user:password@host/name or sqlite:///path")
    driver = _DRIVERS[scheme]
    if driver.startswith("sqlite"):
        if not rest.startswith("/") or not rest.strip("/") or "memory" in rest.partition("?")[2] or ":memory:" in rest:
            raise ValueError("expected sqlite:///path: messages are stored before they are acknowledged, so on disk")
        return SecretStr(f"{driver}://{rest}")
    try:
        url = urlsplit(f"{driver}://{rest}")
        fits = bool(url.path.strip("/")) and (url.port is None or url.port)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            "expected postgresql://user:password@host/name; percent-encode special characters of the password"
        )
    query = parse_qsl(url.query, keep_blank_values=True)
    if any(key == "password" for key, _ in query):
        raise ValueError("the password belongs before the host: postgresql://user:password@host/name")
    # libpq says sslmode, asyncpg says ssl; the values are the same.
    query = [("ssl" if key == "sslmode" else key, said) for key, said in query]
    tail = f"?{urlencode(query, safe='/')}" if query else ""
    return SecretStr(f"{driver}://{url.netloc}{url.path}{tail}")


def _master_key(value: SecretStr) -> SecretStr:
    try:
        size = len(decoded_key(value))
    except ValueError:
        size = 0
    if size != 32:
        raise ValueError("expected 32 random bytes in base64, as `openssl rand -base64 32` prints them")
    return value


def decoded_key(value: SecretStr) -> bytes:
    """The bytes of a key in base64, in either alphabet, padded or not. Raises `ValueError`."""
    plain = value.get_secret_value().strip().replace("-", "+").replace("_", "/")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


_LONGEST: Final = timedelta(days=3660)
Duration = Annotated[timedelta, BeforeValidator(read_duration), Field(gt=timedelta(0), le=_LONGEST)]
Patience = Annotated[timedelta, BeforeValidator(read_duration), Field(ge=timedelta(0), le=_LONGEST)]
Count = Annotated[int, BeforeValidator(read_number), Field(ge=1)]
Tally = Annotated[int, BeforeValidator(read_number), Field(ge=0)]
Port = Annotated[Annotated[int, Field(ge=0, le=65535)] | None, BeforeValidator(_off)]
Filled = Annotated[str, Field(min_length=1, pattern=r"\S")]
Names = Annotated[tuple[Filled, ...], BeforeValidator(read_list)]
FilePath = Annotated[Path, BeforeValidator(_named), AfterValidator(_path)]
HttpUrl = Annotated[str, AfterValidator(_http)]
SocketUrl = Annotated[str, AfterValidator(_websocket)]
Secret = Annotated[SecretStr, AfterValidator(_filled)]
Size = Annotated[ByteSize, BeforeValidator(read_number), Field(ge=1024)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
MasterKey = Annotated[SecretStr, AfterValidator(_master_key)]
HostAndPort = Annotated[str, AfterValidator(_host_and_port)]
