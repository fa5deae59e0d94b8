"""What people wrote, sealed: AES-256-GCM, one data key a person, each wrapped by one master key.

Forgetting somebody is the deletion of a key: every copy of the person's words, in this database and in its
backups, is noise from then on. A sealed value is ``version | key id | nonce | ciphertext and tag``
(1 + 16 + 12 + n + 16 bytes); its associated data names the row and the column, so that a value moved
elsewhere does not open. Nonces are random: 2**32 values under one key stay below NIST SP 800-38D's bound.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from engine.errors import StoreUnavailable

VERSION: Final = b"\x01"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
CACHED_KEYS: Final = 4096


class MasterKeyError(StoreUnavailable):
    """The master key is missing, malformed, too widely readable or not the one of this database."""


class Unreadable(StoreUnavailable):
    """A sealed value does not open: its key is gone, or it was altered or moved."""


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """Ciphertext as it lies in a column."""

    data: bytes

    @property
    def key_id(self) -> str:
        """Which data key opens it."""
        return self.data[1:17].hex()

    def __repr__(self) -> str:
        """Names the key and nothing else."""
        return f"Sealed(key={self.key_id[:8]}, {len(self.data)} bytes)"


class EncryptedText(TypeDecorator[Sealed]):
    """A column for `Sealed` values; it refuses a plain ``str``, so nothing is stored readable by mistake."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Sealed | None, dialect: Dialect) -> bytes | None:
        """Value to column."""
        del dialect
        if value is not None and not isinstance(value, Sealed):
            raise TypeError("this column takes sealed text only")
        return value.data if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> Sealed | None:
        """Column to value."""
        del dialect
        return Sealed(bytes(value)) if value is not None else None


@dataclass(frozen=True, slots=True, repr=False)
class DataKey:
    """One person's key, unwrapped."""

    id: str                     # 32 hex digits
    cipher: AESGCM

    def seal(self, text: str, row: str) -> Sealed:
        """Any text, lone surrogates included, for the row and column that ``row`` names."""
        nonce = os.urandom(NONCE_BYTES)
        body = self.cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), row.encode())
        return Sealed(VERSION + bytes.fromhex(self.id) + nonce + body)

    def open(self, sealed: Sealed, row: str) -> str:
        """The text. Raises `Unreadable`."""
        data = sealed.data
        if data[:1] != VERSION or sealed.key_id != self.id:
            raise Unreadable(f"value for {row} was sealed with another key")
        try:
            body = self.cipher.decrypt(data[17:29], data[29:], row.encode())
        except InvalidTag as error:
            raise Unreadable(f"value for {row} does not open") from error
        return body.decode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it lies in its table."""

    id: str
    master: str                 # which master key wraps it
    wrapped: bytes


@dataclass(slots=True, repr=False)
class Keyring:
    """The master key, and the data keys that were unwrapped lately."""

    master: bytes
    _known: OrderedDict[str, DataKey] = field(default_factory=OrderedDict)
    _keyed: hmac.HMAC | None = field(default=None, init=False, compare=False)   # begins each of them, once one is asked

    @property
    def master_id(self) -> str:
        """Names the master key without telling it."""
        return self._derive(b"bartizan master id").hex()[:16]

    def fingerprint(self, text: str) -> str:
        """A keyed hash, 32 hex digits: equal texts compare, none can be read or guessed from it."""
        body = text.encode("utf-8", "surrogatepass")
        if self._keyed is None:             # a turn takes a dozen of them
            self._keyed = hmac.new(self._derive(b"bartizan fingerprint"), digestmod=hashlib.sha256)
        begun = self._keyed.copy()          # `hmac.digest` hands the interpreter to another thread each time
        begun.update(body)
        return begun.hexdigest()[:32]

    def make(self) -> tuple[WrappedKey, DataKey]:
        """A new data key and the form in which it is stored."""
        key_id, secret = secrets.token_hex(16), AESGCM.generate_key(KEY_BYTES * 8)
        nonce = os.urandom(NONCE_BYTES)
        wrapped = nonce + AESGCM(self.master).encrypt(nonce, secret, key_id.encode())
        key = self._remember(DataKey(key_id, AESGCM(secret)))
        return WrappedKey(key_id, self.master_id, wrapped), key

    def unwrap(self, stored: WrappedKey) -> DataKey:
        """The data key. Raises `MasterKeyError` when another master key wrapped it."""
        if known := self._known.get(stored.id):
            self._known.move_to_end(stored.id)
            return known
        nonce, body = stored.wrapped[:NONCE_BYTES], stored.wrapped[NONCE_BYTES:]
        try:
            secret = AESGCM(self.master).decrypt(nonce, body, stored.id.encode())
        except InvalidTag as error:
            raise MasterKeyError(
                f"the master key ({self.master_id}) is not the one that this database was written with "
                f"({stored.master}): restore the right key file"
            ) from error
        return self._remember(DataKey(stored.id, AESGCM(secret)))

    def drop(self, key_id: str) -> None:
        """Forgets an unwrapped key."""
        self._known.pop(key_id, None)

    def _remember(self, key: DataKey) -> DataKey:
        self._known[key.id] = key
        if len(self._known) > CACHED_KEYS:
            self._known.popitem(last=False)
        return key

    def _derive(self, purpose: bytes) -> bytes:
        return hmac.new(self.master, purpose, hashlib.sha256).digest()


def master_from_text(text: str) -> bytes:
    """Base64 of 32 bytes. Raises `MasterKeyError`, which never repeats the text."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError as error:
        raise MasterKeyError("the master key is not base64") from error
    if len(key) != KEY_BYTES:
        raise MasterKeyError(f"the master key has {len(key)} bytes, {KEY_BYTES} are needed")
    return key


def master_from_file(path: Path, *, create: bool) -> bytes:
    """The key in a file; with ``create`` one is made (mode 600) where none is.

    Two processes that start at once end up with the same key: the file appears whole, or not at all.
    """
    if create and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass                # another process was first; its key counts
        finally:
            draft.unlink()
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise MasterKeyError(f"cannot read the master key file {path}: {error.__class__.__name__}") from error
    if mode & 0o077:
        raise MasterKeyError(f"the master key file {path} can be read by others: run chmod 600 {path}")
    return master_from_text(text)
