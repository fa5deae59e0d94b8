"""How well the right passage is found: a table for a folder of pages with questions, and one for a chat.

    .venv/bin/python bench/retrieval_quality.py DATA [--chat CHAT] [--keep INDEX] [--quick]

DATA holds ``corpus/`` and ``queries.jsonl`` (a line: id, query, perhaps a history of turns, type, and evidence as
path, start and end in characters, or a quotation instead of these): another company's pages do as well, and the
made-up handbooks in ``tests/data/rag/handbooks`` are such. In seven of them (belvarre, kestwick, lanternfold, ostrey,
rivermark, tallywren, tarnbase) most of the unanswerable questions are asked in a page's own words, for one detail that
it leaves out: no sign short of reading the page tells them apart. The follow-ups and the unanswerable questions of
``tests/data/rag`` are asked as well where they belong, which is where there is the evidence of the follow-ups.
CHAT holds ``messages.jsonl`` and ``queries.jsonl``. Nothing is asserted; behind each figure stands the target, and
behind shares of refused questions the interval of 95 %.

``--keep`` is a folder where the index stays for the next time: embedding takes minutes, asking takes seconds.
``--quick`` leaves the chat out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.chat_quality import chat_table
from bot.search import run
from bot.settings import load_settings

Query: TypeAlias = Mapping[str, Any]
OWN = Path(__file__).parent.parent / "tests" / "data" / "rag"
LONGEST = 400                   # words of one hit


def main() -> None:
    """Runs what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--chat", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    if chosen.keep:
        chosen.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        uvloop.run(pages(chosen.data, chosen.keep or Path(scratch)))
    if chosen.chat and not chosen.quick:
        asyncio.run(chat_table(chosen.chat))


async def pages(data: Path, kept: Path) -> None:
    """Asks everything through the command's own code, and prints the table."""
    corpus = data / "corpus"
    given = [_placed(query, corpus) for query in _lines(data / "queries.jsonl")]
    leaning, unanswerable = list(_lines(OWN / "followups.jsonl")), list(_lines(OWN / "unanswerable.jsonl"))
    if all((corpus / part["path"]).is_file() for query in leaning for part in query["evidence"]):
        leaning = [_placed(query, corpus) for query in leaning]
    else:
        leaning, unanswerable = [], []
    questions, out = kept / "questions.jsonl", kept / "run.jsonl"
    asking = "".join(json.dumps(query) + "\n" for query in (*given, *leaning, *unanswerable))
    await asyncio.to_thread(questions.write_text, asking)
    settings = load_settings(environ={"BARTIZAN_DATA_DIR": str(kept / "data")}, config=None)
    await run(settings, questions, out, corpus)
    answers = {line["id"]: line for line in _lines(out)}

    asked = [query for query in given if query["type"] != "unanswerable"]
    _row("passage nDCG@10", _mean(_gain(_rank(query, answers)) for query in asked), "74")
    _row("passage hit@5", _mean(_within(_rank(query, answers), 5) for query in asked), "84")
    _row("passage hit@10", _mean(_within(_rank(query, answers), 10) for query in asked), "")
    _row("file hit@5", _mean(_within(_file_rank(query, answers), 5) for query in asked), "94")
    _row("words of the longest hit", float(_longest(answers.values(), corpus)), f"<= {LONGEST}")
    groups = {
        "given": [query for query in asked if query["type"] == "followup"],
        **{f"{topic} topic": [query for query in leaning if query["topic"] == topic] for topic in ("same", "changed")},
    }
    for group, some in groups.items():
        if some:
            _row(f"follow-ups hit@5, {group} ({len(some)})", _mean(_within(_rank(q, answers), 5) for q in some), "90")
    refused = [float(answers[query["id"]]["abstained"]) for query in (*asked, *leaning)]
    _share(f"refused, answerable ({len(refused)})", refused, "<= 5")
    nothing = [query for query in given if query["type"] == "unanswerable"]
    _share(f"refused, unanswerable, given ({len(nothing)})", [_refused(q, answers) for q in nothing], "70")
    _share(f"refused, unanswerable, own ({len(unanswerable)})", [_refused(q, answers) for q in unanswerable], "70")
    times = sorted(answer["ms"] for answer in answers.values())
    _row("milliseconds, p50", times[len(times) // 2], "")
    _row("milliseconds, p95", times[int(len(times) * 0.95)], "")
    _types(asked, answers)


def _types(asked: Sequence[Query], answers: Mapping[str, Query]) -> None:
    kinds: dict[str, list[Query]] = defaultdict(list)
    for query in asked:
        kinds[query["type"]].append(query)
    for kind, some in kinds.items():
        _row(f"  {kind} hit@5 ({len(some)})", _mean(_within(_rank(query, answers), 5) for query in some), "")


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _placed(query: Query, corpus: Path) -> dict[str, Any]:
    """Evidence that is only a quotation gets its place in the file."""
    evidence = []
    for each in query["evidence"]:
        if "start" in each:
            evidence.append(each)
            continue
        start = (corpus / each["path"]).read_text(encoding="utf-8").index(each["quote"])
        evidence.append({**each, "start": start, "end": start + len(each["quote"])})
    return {**query, "evidence": evidence}


def _rank(query: Query, answers: Mapping[str, Query]) -> int | None:
    """Of the first hit that covers at least half of a piece of evidence."""
    for rank, hit in enumerate(answers[query["id"]]["hits"]):
        for part in query["evidence"]:
            shared = min(hit["end"], part["end"]) - max(hit["start"], part["start"])
            if hit["path"] == part["path"] and shared >= (part["end"] - part["start"]) / 2:
                return rank
    return None


def _file_rank(query: Query, answers: Mapping[str, Query]) -> int | None:
    wanted = {part["path"] for part in query["evidence"]}
    files = dict.fromkeys(hit["path"] for hit in answers[query["id"]]["hits"])
    return next((rank for rank, path in enumerate(files) if path in wanted), None)


def _gain(rank: int | None) -> float:
    return 0.0 if rank is None else 1 / math.log2(rank + 2)


def _within(rank: int | None, count: int) -> float:
    return float(rank is not None and rank < count)


def _refused(query: Query, answers: Mapping[str, Query]) -> float:
    return float(answers[query["id"]]["abstained"])


def _longest(answers: Iterable[Query], corpus: Path) -> int:
    hits = {(hit["path"], hit["start"], hit["end"]) for answer in answers for hit in answer["hits"]}
    texts = {path: (corpus / path).read_text(encoding="utf-8") for path, _, _ in hits}
    return max((len(texts[path][start:end].split()) for path, start, end in hits), default=0)


def _mean(values: Iterable[float]) -> float:
    each = list(values)
    return 100 * sum(each) / len(each) if each else 0.0


def _share(name: str, values: Sequence[float], target: str) -> None:
    """With the interval of 95 % after Wilson: a few questions do not say much."""
    if not values:
        return
    count, part, z = len(values), sum(values) / len(values), 1.96
    middle = (part + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(part * (1 - part) / count + (z / (2 * count)) ** 2) / (1 + z * z / count)
    _row(name, 100 * part, f"{target:6s} [{100 * (middle - half):.1f}, {100 * (middle + half):.1f}]")


def _row(name: str, value: float, target: str) -> None:
    print(f"{name:42s} {value:8.1f}   {target}")


if __name__ == "__main__":
    main()
