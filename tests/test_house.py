"""House rules that a reader should be able to rely on."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(p for package in ("engine", "adapters", "bot") for p in (ROOT / package).rglob("*.py"))
MAY_IMPORT = {
    "engine": {"engine"},
    "adapters": {"engine", "adapters"},
    "bot": {"engine", "adapters", "bot", "migrations"},
}
OURS = {"engine", "adapters", "bot", "migrations", "tests", "bench"}
COMPUTING = {"re2", "markdown_it", "numpy", "ahocorasick_rs"}
"""Libraries that compute and nothing else: the engine may use them."""
ENVIRONMENT = {
    "bot/settings.py": "the one reader",
    "bot/chat.py": "asks what kind of terminal this is",
    "adapters/qdrant/embed.py": "tells a library to stay offline",
    "adapters/qdrant/sync.py": "hands the environment on to its child process",
}
WORLD = {"asyncio.subprocess", "socket", "subprocess", "sqlite3", "urllib.request", "http", "os", "pathlib", "time"}
"""Standard modules by which the engine would reach network, disk or clock."""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    allowed = MAY_IMPORT[package] | ({"migrations"} if path.match("adapters/sql/database.py") else set())
    wrong = [f"line {n}: {name}" for n, name in imports(path)
             if (top := name.partition(".")[0]) in OURS and top not in allowed]
    assert not wrong


@pytest.mark.parametrize("path", [p for p in MODULES if p.is_relative_to(ROOT / "engine")],
                         ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_reaches_neither_network_nor_disk_nor_clock(path: Path) -> None:
    for line, name in imports(path):
        top = name.partition(".")[0]
        assert name not in WORLD, f"line {line}: {name}"
        assert top in sys.stdlib_module_names or top in OURS | COMPUTING, f"line {line}: {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_one_module_reads_the_environment(path: Path) -> None:
    tree = ast.parse(path.read_text())
    reads = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in ("environ", "getenv")]
    assert not reads or str(path.relative_to(ROOT)) in ENVIRONMENT, f"lines {reads}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_log_line_begins_with_words_of_ours(path: Path) -> None:
    """What people wrote would slip through in an event's name; a literal cannot hold it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name) and node.func.value.id in ("log", "_log") and node.args):
            assert isinstance(node.args[0], ast.Constant), f"line {node.lineno}"
