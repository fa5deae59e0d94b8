"""Which workers of this data folder are alive: each holds a lock on a file, and the kernel lets go when it dies.

After a crash the next start frees the dead worker's turns at once, without waiting for its lease to run out.
Workers on other machines are judged by their lease alone.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, delete

from adapters.sql.tables import worker


@contextmanager
def signed_in(folder: Path, me: str) -> Generator[None]:
    """While this is open, `the_dead` of the same folder does not name ``me``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{me}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def the_dead(folder: Path) -> list[str]:
    """Workers that signed in here and never signed out; their files are removed."""
    gone = []
    for path in folder.glob("*.lock"):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:       # signed out at this moment
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            gone.append(path.stem)
            path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
    return gone


def strike_off(workers: list[str], connection: Connection) -> None:
    """The next heartbeat of any worker frees what these held."""
    if workers:
        connection.execute(delete(worker).where(worker.c.id.in_(workers)))
