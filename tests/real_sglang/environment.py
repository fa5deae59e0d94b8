"""The Python environment of the real server: built once, outside the clone, and found again by its requirements."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from uv import find_uv_bin

PACKAGE: Final = Path(__file__).parents[2] / "adapters" / "sglang"
REQUIREMENTS: Final = PACKAGE / "requirements-cpu.txt"
TORCH: Final = "torch==2.13.0"
PYTHON: Final = (3, 11)     # what the requirements were resolved for


def prepared() -> Path:
    """The environment's Python. The first call builds it: minutes, 2.8 GB, and the package index."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bartizan"
    home = cache / f"sglang-cpu-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with home.with_name(home.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)        # a second test run waits for the first one's environment
        if not home.exists():
            half = home.with_name(home.name + ".building")
            shutil.rmtree(half, ignore_errors=True)
            _build(half)
            half.rename(home)                   # only a complete one gets the name that is looked for
    return home / "bin" / "python"


def _build(home: Path) -> None:
    here = sys.executable if sys.version_info[:2] == PYTHON else ".".join(map(str, PYTHON))
    _uv("venv", "--relocatable", "--python", here, str(home))
    install = ("pip", "install", "--python", str(home / "bin" / "python"), "--compile-bytecode")
    wheels = os.environ.get("PIP_FIND_LINKS")   # where a machine keeps CPU builds of torch, if it does
    _uv(*install, *(("--find-links", wheels) if wheels else ()), TORCH)
    _uv(*install, "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS))


def _uv(*arguments: str) -> None:
    done = subprocess.run([find_uv_bin(), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"uv {arguments[0]} failed:\n{done.stderr}")
