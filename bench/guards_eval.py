"""How the classifier does on sources that it was not trained on.

    .venv/bin/python bench/guards_eval.py DATA_FOLDER [--by source|model] [--weights FILE]

Exits with 1 when a target is missed. With ``--weights`` that file is measured as it is, training rows and all.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from adapters.evaluation.evaluate import evaluate
from engine.guards.classifier import Classifier


def main() -> int:
    """0: every target is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--by", choices=("source", "model"), default="source")
    chosen = parser.parse_args()
    classifier = Classifier.load(chosen.weights.read_bytes()) if chosen.weights else None
    report = asyncio.run(evaluate(chosen.folder, classifier=classifier, by=chosen.by))
    print(report)
    return 0 if report.met else 1


if __name__ == "__main__":
    raise SystemExit(main())
