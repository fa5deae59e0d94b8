"""No server outlives its test run, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.real_sglang.server import KEEPER, members

# A server that takes no notice of anything, with a child of its own that does not either.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "child"])
    print("up", flush=True)
time.sleep(600)
"""
# A test run that starts it and is then killed.
RUN = """
import subprocess, sys
keeper = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
print(keeper.pid, flush=True)
keeper.wait()
"""


@pytest.fixture
def stubborn(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    script = tmp_path_factory.mktemp("stubborn") / "server.py"
    script.write_text(STUBBORN)
    return [sys.executable, str(KEEPER), sys.executable, str(script)]


def until_gone(group: int) -> None:
    for _ in range(200):
        if not members(group):
            return
        time.sleep(0.05)
    raise AssertionError(f"left behind: {members(group)}")


def test_a_killed_test_run_takes_its_server_along(stubborn: list[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", RUN, *stubborn], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        lines = {run.stdout.readline().strip() for _ in range(2)}       # the keeper's id and the server's "up"
        group = int((lines - {"up"}).pop())
        assert len(members(group)) >= 2
        run.kill()
        until_gone(group)


def test_a_server_that_ends_takes_its_children_along(stubborn: list[str]) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(stubborn, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "up\n"
        server = next(p for p in members(keeper.pid) if p.ppid() == keeper.pid)
        os.kill(server.pid, signal.SIGKILL)
        until_gone(keeper.pid)
