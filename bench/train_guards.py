"""Rebuild the guards' weights from a data folder, bit for bit.

    .venv/bin/python bench/train_guards.py DATA_FOLDER [-o FILE] [--check FILE]

Takes a few minutes on one core. ``--check`` compares with a file and exits with 1 when a byte differs.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from adapters.evaluation.rows import load
from adapters.evaluation.training import train

WEIGHTS = Path(__file__).parent.parent / "engine" / "guards" / "weights" / "guards.npz"


def main() -> int:
    """0: written, or the same; 1: not the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=WEIGHTS)
    parser.add_argument("--check", type=Path)
    chosen = parser.parse_args()
    began = time.perf_counter()
    raw = train(load(chosen.folder))
    print(f"{len(raw)} bytes, sha256 {hashlib.sha256(raw).hexdigest()}, {time.perf_counter() - began:.0f} s")
    if chosen.check is not None:
        same = chosen.check.read_bytes() == raw
        print("the same" if same else "NOT the same")
        return 0 if same else 1
    chosen.output.write_bytes(raw)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
