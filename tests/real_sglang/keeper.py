"""Runs a server and ends it, with all its descendants, as soon as standard input closes: COMMAND...

A test run that is killed cannot clean up after itself, and the server's children outlive a parent that dies while
they are still importing. The keeper leads a process group of its own, into which all of them are born.
"""

import os
import signal
import subprocess
import sys
import threading


def main(argv: list[str]) -> None:
    server = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    threading.Thread(target=end_after, args=[server], daemon=True).start()
    while os.read(0, 4096):
        pass
    end()


def end_after(server: subprocess.Popen[bytes]) -> None:
    server.wait()
    end()


def end() -> None:
    os.killpg(0, signal.SIGKILL)


main(sys.argv[1:])
