"""Our rules beside NeMo Guardrails' regex rails and LLM Guard's comparable scanners, on the same texts, in one run.

    .venv/bin/python bench/guards_peers.py [--nemo PYTHON] [--llm-guard PYTHON] [--texts 300]

Each runs in a process of its own: the peers in environments of their own, named by their interpreter, since their
pins collide with ours; a peer whose interpreter is not named, or that does not import there, is skipped with its
reason. What needs model weights from elsewhere is not compared. Texts are made here: keys of seven kinds, look-alikes
of keys, stock deflections, quotations of them, and ordinary talk. Times are of one text, one after another, after a
warm-up: wall time, and processor time of the whole process.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
KINDS = ("key", "look-alike", "deflection", "quotation", "talk")
PATTERNS = [
    r"AKIA[0-9A-Z]{16}", r"gh[pousr]_[A-Za-z0-9]{36}", r"xox[abprs]-[A-Za-z0-9-]{10,}", r"sk_live_[0-9A-Za-z]{24}",
    r"AIza[0-9A-Za-z_-]{35}", r"-----BEGIN [A-Z ]*PRIVATE KEY-----", r"glpat-[0-9A-Za-z_-]{20}",
]
"""What both peers' regular expressions get for keys; ours are built in."""
SCRIPTS = ["beyond my current scope", "let's talk about something else", "让我们换个话题", "我暂时无法回答"]
"""What both get for deflections."""
LINES = [
    "Sorry, that's beyond my current scope. Let's talk about something else.",
    "你好，这个问题我暂时无法回答，让我们换个话题再聊聊吧。",
    "I am not allowed to go into this. You can begin a new session.",
    "In accordance with the relevant regulations, no answer is given to this query.",
    "这类话题在本平台不作讨论！写代码、改文章我都很乐意帮忙。",
]
QUOTES = [
    'The customer writes that he only ever got the reply "Sorry, that\'s beyond my current scope." and nothing else.',
    "Please translate this: “让我们换个话题再聊聊吧。”",
    "> Let's talk about something else.\n\nThat line is in the tests, and it should stay there.",
]
TALK = [
    "Annual leave is thirty days a year; ask your lead at least two weeks before, says the handbook [1].",
    "Run `make deploy ENV=prod` and wait for the pipeline, which takes about ten minutes.",
    "Invoices are kept for ten years under the relevant regulations, in the archive on the second floor.",
    "年假需提前十个工作日在人事门户申请，经理在三天内审批。",
]


def texts(count: int) -> list[dict[str, str]]:
    """So many of each kind."""
    rng = random.Random(5)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    def some(size: int, of: str = letters) -> str:
        return "".join(rng.choice(of) for _ in range(size))

    keys: list[Callable[[], str]] = [
        lambda: "AKIA" + some(16, letters[:26] + "23456789"), lambda: "ghp_" + some(36), lambda: "glpat-" + some(20),
        lambda: f"xoxb-{some(12, '123456789')}-{some(12, '123456789')}-{some(24)}", lambda: "sk_live_" + some(24),
        lambda: "AIza" + some(35), lambda: f"-----BEGIN PRIVATE KEY-----\n{some(64)}\n-----END PRIVATE KEY-----",
    ]
    alike: list[Callable[[], str]] = [
        lambda: "commit " + some(40, "0123456789abcdef"), lambda: "AKIAXXXXXXXXXXXXXXXX", lambda: "AKIA0123EXAMPLE",
        lambda: "ghp_<your token here>", lambda: "-----BEGIN CERTIFICATE-----", lambda: "order 4111-2222-3333",
    ]
    made = []
    for n in range(count):
        made += [
            {"kind": "key", "text": f"The build fails with {keys[n % len(keys)]()} since noon, can you help?"},
            {"kind": "look-alike", "text": f"The build fails at {alike[n % len(alike)]()} since noon, can you help?"},
            {"kind": "deflection", "text": f"{TALK[n % len(TALK)]}\n\n{LINES[n % len(LINES)]}"},
            {"kind": "quotation", "text": QUOTES[n % len(QUOTES)]}, {"kind": "talk", "text": TALK[n % len(TALK)]},
        ]
    return made


# --- what is measured; each is called once a text, and says whether something was found. The children run without us.


def ours() -> Callable[[str], bool]:
    """All rules of the house, without the classifier: inbound for what is asked, outbound for what is said."""
    sys.path.insert(0, str(ROOT))
    guards = importlib.import_module("bot.guards")
    egress = importlib.import_module("engine.guards.egress")
    messages, ports = importlib.import_module("engine.messages"), importlib.import_module("engine.ports")
    rules = importlib.import_module("engine.guards.policy").Policy.default().rules_for()
    inbound, outbound = guards.chains(rules, None)
    outbound = [guard for guard in outbound if guard.name != "citations"]      # it drops marks; that stops nothing
    out = egress.Egress(outbound, lambda text: str(len(text)))

    async def found(text: str) -> bool:
        verdicts = [await guard.check(text) for guard in inbound]
        screen = out.open("", messages.Found(), messages.Trail(messages.TraceId("0" * 32)))
        try:
            shown = await screen.feed(ports.Text(text)) + await screen.close()
        except egress.Tripped:
            return True
        return shown != text or any(verdict.action not in ("allow", "flag") for verdict in verdicts)

    loop = asyncio.new_event_loop()
    return lambda text: loop.run_until_complete(found(text))


def nemo() -> Callable[[str], bool]:
    """The rails "regex check input" and "regex check output", in one configuration."""
    rails = importlib.import_module("nemoguardrails")
    kinds = importlib.import_module("nemoguardrails.rails.llm.options").RailType
    listed = "".join(f"        - {json.dumps(pattern)}\n" for pattern in [*PATTERNS, *SCRIPTS])
    config = rails.RailsConfig.from_content(yaml_content=(
        "models: []\nrails:\n  config:\n    regex_detection:\n"
        f"      input:\n        case_insensitive: true\n        patterns:\n{listed}"
        f"      output:\n        case_insensitive: true\n        patterns:\n{listed}"
        "  input:\n    flows: [regex check input]\n  output:\n    flows: [regex check output]\n"
    ))
    run = rails.LLMRails(config)
    loop = asyncio.new_event_loop()

    def found(text: str) -> bool:
        said = [{"role": "user", "content": "why?"}, {"role": "assistant", "content": text}]
        asked = loop.run_until_complete(run.check_async([{"role": "user", "content": text}], rail_types=[kinds.INPUT]))
        answer = loop.run_until_complete(run.check_async(said, rail_types=[kinds.OUTPUT]))
        return "blocked" in (asked.status.value, answer.status.value)

    return found


def llm_guard() -> Callable[[str], bool]:
    """Regex and Secrets for messages, BanSubstrings and NoRefusalLight for answers: the scanners without a model."""
    asked, said = importlib.import_module("llm_guard.input_scanners"), importlib.import_module(
        "llm_guard.output_scanners")
    scanners = [asked.Regex(patterns=PATTERNS), asked.Secrets()]
    answers = [said.BanSubstrings(substrings=SCRIPTS, match_type="str"), said.NoRefusalLight()]

    def found(text: str) -> bool:
        return not (all(scanner.scan(text)[1] for scanner in scanners)
                    and all(scanner.scan("why?", text)[1] for scanner in answers))

    return found


PEERS: dict[str, Callable[[], Callable[[str], bool]]] = {"bartizan": ours, "nemo": nemo, "llm-guard": llm_guard}


def measure(name: str, count: int) -> dict[str, Any]:
    """Import, memory, time and finds of one of them, in this process."""
    began, work = time.perf_counter(), time.process_time()
    found = PEERS[name]()
    started, spent = time.perf_counter() - began, time.process_time() - work
    rows = texts(count)
    for row in rows[:10]:
        found(row["text"])
    walls, hits = [], dict.fromkeys(KINDS, 0)
    work = time.process_time()
    for row in rows:
        at = time.perf_counter()
        hits[row["kind"]] += found(row["text"])
        walls.append(1e6 * (time.perf_counter() - at))
    walls.sort()
    return {
        "start": started, "start_cpu": spent, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "p50": walls[len(walls) // 2], "p99": walls[len(walls) * 99 // 100],
        "cpu": 1e6 * (time.process_time() - work) / len(rows), "hits": {kind: hits[kind] / count for kind in KINDS},
    }


def in_its_own(name: str, python: str, count: int) -> dict[str, Any] | str:
    """The same in a process of that interpreter; a reason when it cannot be done."""
    environment = {**os.environ, "LOG_LEVEL": "ERROR", "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            [python, __file__, "--measure", name, "--texts", str(count)], stdout=subprocess.PIPE, stderr=said,
            env=environment, text=True, check=False,
        )
        if done.returncode:
            said.seek(0)
            return (said.read().strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def main() -> None:
    """Prints one line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nemo", default="", help="an interpreter whose environment has nemoguardrails")
    parser.add_argument("--llm-guard", default="", help="an interpreter whose environment has llm-guard")
    parser.add_argument("--texts", type=int, default=60, help="of each kind")
    parser.add_argument("--measure", choices=PEERS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure, asked.texts)))
        return
    print(f"{'':<11}{'start s':>8}{'cpu s':>7}{'MB':>6}{'p50 us':>9}{'p99 us':>9}{'cpu us':>9}  found of: "
          + ", ".join(KINDS))
    for name, python in (("bartizan", sys.executable), ("nemo", asked.nemo), ("llm-guard", asked.llm_guard)):
        told = in_its_own(name, python, asked.texts) if python else "no interpreter was named that has it"
        if isinstance(told, str):
            print(f"{name:<11}skipped: {told}")
            continue
        hits = "  ".join(f"{told['hits'][kind]:.2f}" for kind in KINDS)
        print(f"{name:<11}{told['start']:>8.2f}{told['start_cpu']:>7.2f}{told['memory']:>6.0f}{told['p50']:>9.0f}"
              f"{told['p99']:>9.0f}{told['cpu']:>9.0f}  {hits}")


if __name__ == "__main__":
    main()
