"""Starts the real server for one test session, and leaves nothing of it behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from adapters.sglang.launch import LOOPBACK, Command

KEEPER: Final = Path(__file__).with_name("keeper.py")
STARTING: Final = 300.0     # seconds; 15 on an idle machine, several times that on a busy one
ENDING: Final = 30.0


def free_port() -> int:
    """One that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Command, url: str, log: Path) -> Generator[subprocess.Popen[bytes], None, None]:
    """The server, once it is healthy, under its keeper (whose process it yields). Ends with everything killed."""
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, str(KEEPER), *command.argv],
            env={**os.environ, **command.env},
            stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    assert keeper.stdin is not None
    try:
        with keeper.stdin:
            _await_health(keeper, url, log)
            yield keeper
            os.killpg(keeper.pid, signal.SIGKILL)
    finally:
        keeper.wait()       # its input is closed by now, so it has killed the group, or was killed with it
        _await_end(keeper.pid)


def members(group: int) -> list[psutil.Process]:
    """The living processes of a process group."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):      # it ended while we looked
            continue
    return found


def _await_health(keeper: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + STARTING
    while not _healthy(url):
        if keeper.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.25)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:   # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _await_end(group: int) -> None:
    until = time.monotonic() + ENDING
    while left := members(group):
        if time.monotonic() > until:
            raise RuntimeError(f"still alive after SIGKILL: {left}")
        time.sleep(0.05)
