"""What the guards cost: a message on its way in, a step of a stream, the classifier, and being imported at all.

    .venv/bin/python bench/guards_speed.py ../shared/data/guards [--rows 300] [--answers 40] [--chars 4]

Each message and each step is timed a few times, in processor time, and the fastest counts, since machines are noisy.
Targets stand beside the numbers; nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.guards_stream import at, at_once, outbound, table, timed
from bot.guards import Remembering, Scaled, chains, load_weights
from engine.guards.policy import Policy
from engine.ports import Guard

REPEATS = 5
LONGEST = 2000
"""Characters of a message; what people write is shorter."""
GUARDS = (
    "classifier", "deflection", "disclosure", "grounding", "injection", "leak", "links", "mentions", "narrative",
    "personal", "refusal", "secrets", "terms", "topics", "unsafe",
)
IMPORT = (
    f"import resource, time; begun = time.process_time(); from engine.guards import {', '.join(GUARDS)};"
    "print(time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
)


def messages(folder: Path, count: int) -> list[str]:
    """Questions of the folder, drawn at random."""
    found = [
        json.loads(line)["text"][:LONGEST]
        for name in ("inbound_prompts.jsonl", "injection.jsonl", "overblock.jsonl")
        for line in (folder / name).read_text(encoding="utf-8").strip().split("\n")
    ]
    return random.Random(7).sample(found, min(count, len(found)))


def fastest(work: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Microseconds of processor time for each text, in order of size.

    Blanks behind it make it another text for whatever remembers the texts that it has read.
    """
    taken = []
    for text in texts:
        best = float("inf")
        for number in range(REPEATS):
            again = text + " " * number
            begun = time.thread_time_ns()
            work(again)
            best = min(best, (time.thread_time_ns() - begun) / 1000)
        taken.append(best)
    return sorted(taken)


def line(name: str, taken: Sequence[float], target: str = "") -> str:
    """Mean, median and 99th percentile."""
    mean = sum(taken) / len(taken)
    return f"  {name:22} mean {mean:8.1f}   p50 {at(taken, 0.5):8.1f}   p99 {at(taken, 0.99):8.1f}   {target}"


def main() -> None:
    """Prints three tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--answers", type=int, default=40)
    parser.add_argument("--chars", type=int, default=4)
    asked = parser.parse_args()
    seconds, megabytes = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent,
    ).stdout.split()
    print(f"import of all guards: {float(seconds):.2f} s (target 0.5), {float(megabytes):.0f} MB (target 150)")

    texts = messages(asked.folder, asked.rows)
    inbound, _ = chains(Policy.default().rules_for(), None)
    print("rules, microseconds a message")

    def asks(guards: Sequence[Guard]) -> Callable[[str], None]:
        def ask(text: str) -> None:
            for guard in guards:
                at_once(guard.check(text))
        return ask

    for guard in inbound:
        print(line(guard.name, fastest(asks([guard]), texts)))
    print(line("all", fastest(asks(inbound), texts), "target p99 300"))

    classifier = Remembering(Scaled(load_weights()))
    words = " ".join(texts).split(" ")
    long = [" ".join(words[n * 400 : (n + 1) * 400]) for n in range(min(40, len(words) // 400))]
    print("classifier, microseconds for about 512 tokens")
    print(line("inbound", fastest(classifier.inner.inbound, long), "target p99 5000"))
    print(line("outbound", fastest(lambda text: classifier.inner.outbound("Why is that so?", text), long), "5000"))

    fine = [row for row in outbound(asked.folder) if row["label"] == "ok"]
    sample = random.Random(5).sample(fine, min(asked.answers, len(fine)))
    print(f"microseconds a step of {asked.chars} characters, all rules (target: p99 50)")
    print("  " + timed(sample, asked.chars, table))


if __name__ == "__main__":
    main()
