"""One real SGLang, with a tiny random model, for all tests of this folder."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.sglang.config import SglangConfig
from adapters.sglang.launch import LOOPBACK, CpuServer, cpu_command
from adapters.sglang.model import SglangModel
from tests.real_sglang.environment import prepared
from tests.real_sglang.server import free_port, running

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder needs the server."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real_sglang)


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of the server's own environment."""
    return prepared()


@pytest.fixture(scope="session")
def tiny_model(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights and tokenizer."""
    folder = tmp_path_factory.mktemp("tiny-model")
    made = subprocess.run([python, HERE / "tiny_model.py", folder], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="session")
def config(python: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SglangConfig]:
    """How to reach the server. It computes two requests at once and lets two more wait, so that a test can fill it."""
    port, key = free_port(), "sk-tiny"
    server = CpuServer(
        python, tiny_model, port=port, running=2, queued=2,
        extra=("--api-key", key, "--enable-priority-scheduling", "--default-priority-value", "10"),
    )
    url = f"http://{LOOPBACK}:{port}"
    with running(cpu_command(server), url, tmp_path_factory.mktemp("server") / "log"):
        # Without retries each refusal is seen, and without thinking the random words are an answer.
        yield SglangConfig(url, server.name, key, retries=0, reasoning_effort="none")


@pytest.fixture
async def model(config: SglangConfig) -> AsyncIterator[SglangModel]:
    """Our client, connected to it."""
    async with SglangModel.open(config) as model:
        yield model
