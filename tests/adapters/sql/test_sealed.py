"""Sealed text: only the right key, for the right row, opens it."""

from __future__ import annotations

import hmac
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert

from adapters.sql.sealed import (
    Keyring,
    MasterKeyError,
    Sealed,
    Unreadable,
    WrappedKey,
    master_from_file,
    master_from_text,
)
from adapters.sql.tables import metadata, person, platform

ANY_TEXT = st.text(st.characters(), max_size=200)


@given(ANY_TEXT, ANY_TEXT)
def test_what_is_sealed_opens_again_for_its_row_alone(text: str, other: str) -> None:
    _, key = Keyring(b"m" * 32).make()
    sealed = key.seal(text, "revision/1/0")
    assert key.open(sealed, "revision/1/0") == text
    with pytest.raises(Unreadable):
        key.open(sealed, "revision/1/0" + (other.encode("utf-8", "replace").decode() or "x"))


@given(st.integers(min_value=0), st.integers(1, 255))
def test_no_byte_can_be_altered(at: int, flip: int) -> None:
    _, key = Keyring(b"m" * 32).make()
    data = bytearray(key.seal("ten days", "row").data)
    data[at % len(data)] ^= flip
    with pytest.raises(Unreadable):
        key.open(Sealed(bytes(data)), "row")


def test_a_key_is_wrapped_by_its_master_and_no_other() -> None:
    ring = Keyring(b"m" * 32)
    stored, key = ring.make()
    assert Keyring(b"m" * 32).unwrap(stored).open(key.seal("x", "r"), "r") == "x"
    with pytest.raises(MasterKeyError, match="restore the right key file"):
        Keyring(b"n" * 32).unwrap(stored)
    with pytest.raises(MasterKeyError):
        Keyring(b"m" * 32).unwrap(WrappedKey("0" * 32, stored.master, stored.wrapped))


def test_nothing_shows_a_key_or_a_text() -> None:
    ring = Keyring(b"m" * 32)
    stored, key = ring.make()
    for thing in (ring, key, key.seal("ten days", "row")):
        shown = repr(thing)
        assert "mmm" not in shown
        assert "ten days" not in shown
    assert stored.id in repr(stored)


def test_a_plain_string_does_not_fit_the_column() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.execute(insert(platform), {"id": "p"})
        with pytest.raises(Exception, match="sealed text only"):
            connection.execute(insert(person), {"id": "a", "platform": "p", "name": "Ann", "created_at": 0})
    engine.dispose()


def test_fingerprints_compare_and_depend_on_the_key() -> None:
    one, other = Keyring(b"m" * 32), Keyring(b"n" * 32)
    assert one.fingerprint("ten") == one.fingerprint("ten") != one.fingerprint("Ten")
    assert one.fingerprint("ten") != other.fingerprint("ten")


def test_a_fingerprint_is_the_same_as_ever() -> None:
    master, text = bytes(range(32)), "Zehn Tage?" * 500
    key = hmac.digest(master, b"bartizan fingerprint", "sha256")
    ring = Keyring(master)
    for each in ("", text, "half a pair: \ud800", ""):
        assert ring.fingerprint(each) == hmac.digest(key, each.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def test_the_first_start_makes_one_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    path, keys = tmp_path / "new" / "master.key", []
    starts = [threading.Thread(target=lambda: keys.append(master_from_file(path, create=True))) for _ in range(8)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["master.key"]


@pytest.mark.parametrize(("text", "why"), [("ö", "cannot read"), ("!!", "not base64"), ("aGk=", "2 bytes")])
def test_a_wrong_key_file_is_named_and_never_quoted(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "k"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(MasterKeyError, match=why):
        master_from_file(path, create=True)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k"
    master_from_file(path, create=True)
    path.chmod(0o640)
    with pytest.raises(MasterKeyError, match=f"chmod 600 {path}"):
        master_from_file(path, create=True)


def test_a_missing_key_is_not_replaced_unless_asked(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="cannot read"):
        master_from_file(tmp_path / "k", create=False)
    with pytest.raises(MasterKeyError):
        master_from_text("")
