"""What the `bartizan guard` commands do: try a text on every guard, scan files of texts, and read the record."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, TextIO, TypeAlias

from adapters.evaluation.measures import TARGETS, Target
from adapters.evaluation.rows import Row
from bot.guards import Remembering, Scaled, Scorer, chains, suspicions
from engine.errors import BotError
from engine.guards.policy import Category, Policy, Rules
from engine.guards.suspicion import joined
from engine.guards.verdict import Allow, Mask, Verdict
from engine.messages import Found
from engine.ports import Finished, Guard, OutboundGuard, Text
from engine.prompt import SYSTEM

Direction: TypeAlias = Literal["in", "out"]
GRAVITY: Final[Mapping[str, int]] = {"allow": 0, "flag": 1, "mask": 2, "reroute": 3, "refuse": 4, "error": 5}
MILD: Final[Mapping[str, float]] = {Category.LINK: 0.3, Category.MENTION: 0.4}
"""What only puts a text into a safe form is no ground for suspicion; such a find weighs so much."""
SCORED: Final[tuple[Category, ...]] = (Category.DEFLECTION, Category.REFUSAL, Category.NARRATIVE)
JUDGED: Final = (Category.INJECTION, Category.UNSAFE, Category.POLITICAL, Category.SECRET, Category.PROTECTED_TERM)
ONE_KIND: Final[Mapping[str, str]] = {Category.PERSONAL: Category.SECRET}
"""Labelled rows call personal data secrets, too."""
CLASSIFIER: Final = "classifier"
WHOLE: Final = frozenset({CLASSIFIER, "narrative"})
"""The classifier itself, and the guard that asks nobody else."""
FORM: Final[Mapping[str, float]] = {"deflection": 0.99, "refusal": 0.9}
"""What a form that a guard acts on weighs beside the classifier. Of 3,170 harmless answers none had the form of a
deflection, and ten that of a refusal: "I can't give you a phone number for somebody who never lived"."""
LINE: Final = 64 * 1024 * 1024
"""Bytes of one line of a file."""


class BadFile(BotError):
    """A file that cannot be opened, read or written."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one guard said. ``suspicion``: on one scale for all, 0 to 1; ``score``: as the guard gave it."""

    direction: Direction
    guard: str
    version: str
    action: str
    rule: str = ""
    category: str = ""
    score: float | None = None
    suspicion: float = 0.0


@dataclass(frozen=True, slots=True)
class Explained:
    """What all guards said of one text. ``text``: as it goes on, or is shown, when nothing stops it.

    ``action`` is what the chain does. ``score`` weighs everything: an answer that the classifier dislikes as a whole,
    but in which no guard found a place to act on, is allowed and suspicious.
    """

    stages: tuple[Stage, ...]
    text: str
    flags: tuple[str, ...] = ()

    @property
    def worst(self) -> Stage | None:
        """The gravest stage; of equals the most suspicious one."""
        return max(self.stages, key=lambda stage: (GRAVITY[stage.action], stage.suspicion), default=None)

    @property
    def action(self) -> str:
        """What becomes of the text."""
        return self.worst.action if self.worst else "allow"

    @property
    def category(self) -> str:
        """What was found, or what is suspected most when nothing was."""
        if self.worst is None:
            return ""
        if self.worst.action != "allow":
            return self.worst.category
        return max(self.stages, key=lambda stage: stage.suspicion).category

    @property
    def score(self) -> float:
        """How suspicious the text is, 0 to 1; nothing that a guard finds more ever lowers it.

        That an answer has the form of a deflection or refusal and that the classifier takes it for one are two
        doubts about the same thing: together they weigh more than either, and a form alone less than a known line.
        """
        classified = max((stage.suspicion for stage in self.stages if stage.guard == CLASSIFIER), default=None)
        doubts = [stage for stage in self.stages if stage.guard in FORM and 0.0 < (stage.score or 0.0) < 1.0]
        if classified is None:
            return max((stage.suspicion for stage in self.stages), default=0.0)
        certain = max((stage.suspicion for stage in self.stages if stage not in doubts and stage.guard not in WHOLE),
                      default=0.0)
        form = max((FORM[stage.guard] * (stage.score or 0.0) for stage in doubts if stage.action != "allow"),
                   default=0.0)
        return max(certain, joined(form, classified))


@dataclass(frozen=True, slots=True)
class Examiner:
    """Asks every guard about a text, and none less because another has spoken."""

    rules: Rules
    classifier: Scorer | None = None
    system_prompt: str = SYSTEM
    extra: Mapping[str, Any] = field(default_factory=dict)      # what `chains` takes further: judge, nemo, strict

    async def inbound(self, text: str) -> Explained:
        """A message. Each guard reads what the one before it left, as in the chain."""
        guards, _ = chains(self.rules, self.classifier, **self.extra)
        stages: list[Stage] = []
        flags: list[str] = []
        left = text
        for guard in guards:
            verdict = await _asked(guard, left)
            if isinstance(verdict, str):
                stages.append(Stage("in", guard.name, guard.version, "error", verdict, suspicion=1.0))
                continue
            stages += [self._stage("in", guard, each) for each in (*verdict.also, verdict)]
            if verdict.action == "flag":
                flags.append(verdict.category)
            if isinstance(verdict, Mask):
                left = verdict.text
        for category, suspicion in suspicions(text, self.classifier).items():
            stages.append(self._stage("in", _Suspicion(), Allow(category=category, score=suspicion)))
        return Explained(tuple(stages), left, tuple(dict.fromkeys(flags)))

    async def outbound(self, question: str, answer: str, system_prompt: str = "") -> Explained:
        """An answer. The question is read first: what it flags, the guards of the answer are told."""
        flags = (await self.inbound(question)).flags if question else ()
        _, guards = chains(self.rules, self.classifier, system_prompt=system_prompt or self.system_prompt, **self.extra)
        stages = [await self._watched(guard, question, answer, flags) for guard in guards if guard.name != "citations"]
        if self.classifier is not None:
            scores = self.classifier.outbound(question, answer)
            said = (scores.deflection, scores.refusal, scores.narrative)
            for category, score in zip(SCORED, said, strict=True):
                stages.append(Stage("out", CLASSIFIER, "1", "allow", "", category, score, min(1.0, max(0.0, score))))
        return Explained(tuple(stages), answer, flags)

    async def _watched(self, guard: OutboundGuard, question: str, answer: str, flags: tuple[str, ...]) -> Stage:
        """One detector over the whole answer, and then its end."""
        heard: list[Verdict] = []
        edited = ""
        try:
            stream = guard.open(question, Found(), flags)
            for scan in (await stream.feed(Text(answer)), await stream.feed(Finished("stop"))):
                heard += [scan.verdict] if scan.verdict else []
                edited = scan.edits[-1].rule if scan.edits else edited
            if not any(verdict.action in ("refuse", "reroute") for verdict in heard):
                scan = await stream.close()
                heard += [scan.verdict] if scan.verdict else []
                edited = scan.edits[-1].rule if scan.edits else edited
        except Exception as error:
            return Stage("out", guard.name, guard.version, "error", type(error).__name__, suspicion=1.0)
        if edited:
            heard.append(Mask("", edited, _about(guard.name)))
        stages = [self._stage("out", guard, verdict) for verdict in heard]
        return max(stages, key=lambda stage: (GRAVITY[stage.action], stage.suspicion),
                   default=Stage("out", guard.name, guard.version, "allow"))

    def _stage(self, direction: Direction, guard: Guard | OutboundGuard | _Suspicion, verdict: Verdict) -> Stage:
        threshold = 1.0
        if verdict.category:
            threshold = self.rules.rule(verdict.category, verdict.rule, outbound=direction == "out").threshold
        return Stage(direction, guard.name, guard.version, verdict.action, verdict.rule, verdict.category,
                     verdict.score, _suspicion(verdict, threshold))


@dataclass(frozen=True, slots=True)
class _Suspicion:
    """Stands in for a guard where a category's whole suspicion is listed."""

    name: str = "suspicion"
    version: str = "1"


def _suspicion(verdict: Verdict, threshold: float) -> float:
    """A guard's score on one scale for all: below 0.5 while it lets pass, from there on when it acts."""
    if isinstance(verdict, Allow):
        if verdict.score is None or verdict.rule:      # a rule that is named was met, and allowed or in shadow
            return 0.0
        return 0.499 * min(1.0, verdict.score / threshold) if threshold > 0 else 0.0
    if verdict.category in MILD:
        return MILD[verdict.category]
    return 0.5 + 0.5 * (1.0 if verdict.score is None else min(1.0, max(0.0, verdict.score)))


def _about(guard: str) -> str:
    from engine.guards.governed import EDITS  # noqa: PLC0415

    return EDITS.get(guard, "")


async def _asked(guard: Guard, text: str) -> Verdict | str:
    """The verdict, or the name of the error in its place."""
    try:
        return await guard.check(text)
    except Exception as error:
        return type(error).__name__


# --- guard check


def explanation(explained: Explained, direction: Direction) -> Iterator[str]:
    """What each stage said, a line each, and what comes of it."""
    for stage in explained.stages:
        found = "/".join(part for part in (stage.category, stage.rule) if part)
        score = "" if stage.score is None else f"{stage.score:.3f}"
        yield f"{stage.direction:<4}{stage.guard:<12}{stage.action:<9}{score:<7}{found}".rstrip()
    yield f"=> {explained.action}" + (f" ({explained.category})" if explained.action != "allow" else "")
    yield f"   suspicion {explained.score:.3f}"
    if direction == "in" and explained.flags:
        yield f"   the answer will be looked at more closely for: {', '.join(explained.flags)}"


# --- guard eval


def measured_chain(rules: Rules) -> Callable[[Scorer], Callable[[Row], Awaitable[Mapping[str, float]]]]:
    """The whole chain, as `adapters.evaluation.evaluate` measures one: its suspicion of a row, by category."""
    def chain(classifier: Scorer) -> Callable[[Row], Awaitable[Mapping[str, float]]]:
        examiner = Examiner(rules, Remembering(Scaled(classifier)))

        async def judge(row: Row) -> Mapping[str, float]:
            if row.outbound:
                explained = await examiner.outbound(row.prompt, row.text, row.system)
                said = replace(explained, stages=tuple(s for s in explained.stages if s.category in SCORED))
                return {Category.DEFLECTION: said.score}        # the three are measured as one
            explained = await examiner.inbound(row.text)
            return {
                category: max((stage.suspicion for stage in explained.stages
                               if ONE_KIND.get(stage.category, stage.category) == category), default=0.0)
                for category in JUDGED
            }

        return judge

    return chain


def targets(policy: Policy) -> dict[str, Target]:
    """What an evaluation must reach: the policy's own numbers, and the house's where it names none."""
    own = {
        name: Target(most=value) if "alarms" in name or "look-alikes" in name else Target(least=value)
        for name, value in policy.targets.items()
    }
    return {**TARGETS, **own}


# --- guard scan


@dataclass(slots=True)
class Scanned:
    """How a scan went. ``bad``: lines that could not be read, by number, with the reason."""

    rows: int = 0
    actions: dict[str, int] = field(default_factory=dict)
    bad: list[tuple[int, str]] = field(default_factory=list)


async def scan(source: Path, target: Path, examiner: Examiner, report: Any = None) -> Scanned:
    """Reads rows, writes a verdict for each as it goes, and skips what is no row. ``-``: standard input or output.

    A row with ``response`` is an answer (``prompt``, ``system`` may stand beside it), one with ``text`` a message.
    ``report`` is called with the line's number and a reason for each bad line. Raises `BadFile`.
    """
    done = Scanned()
    try:
        with _reading(source) as lines, _writing(target) as out:
            for number, raw in enumerate(lines, 1):
                if not raw.strip():
                    continue
                try:
                    row = _row(raw, number)
                except ValueError as error:
                    done.bad.append((number, str(error)))
                    if report is not None:
                        report(number, str(error))
                    continue
                judged = await judged_row(row, examiner)
                out.write(json.dumps(judged) + "\n")
                done.rows += 1
                done.actions[judged["action"]] = done.actions.get(judged["action"], 0) + 1
                if number % 64 == 0:
                    await asyncio.sleep(0)      # an interruption is heard
    except (OSError, EOFError, UnicodeError) as error:
        raise BadFile(f"cannot scan {source}: {error.__class__.__name__}: {getattr(error, 'strerror', None) or error}"
                      ) from error
    return done


async def judged_row(row: Mapping[str, Any], examiner: Examiner) -> dict[str, Any]:
    """The verdict on one row, as it is written."""
    if "response" in row:
        explained = await examiner.outbound(row.get("prompt") or "", row["response"], row.get("system") or "")
    else:
        explained = await examiner.inbound(row["text"])
    return {
        "id": row["id"], "action": explained.action, "category": explained.category,
        "score": round(explained.score, 6),
        "guards": [
            {"guard": stage.guard, "action": stage.action, "rule": stage.rule, "category": stage.category,
             "score": stage.score if stage.score is None else round(stage.score, 6)}
            for stage in explained.stages
        ],
    }


def _row(raw: bytes, number: int) -> dict[str, Any]:
    """One line as a row; its number stands in for an id. Raises `ValueError` with the reason."""
    if len(raw) > LINE:
        raise ValueError(f"longer than {LINE} bytes")
    try:
        row = json.loads(raw)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except ValueError as error:
        raise ValueError("not JSON in UTF-8") from error
    if not isinstance(row, dict):
        raise ValueError("not an object")       # noqa: TRY004 - a bad line, whatever it holds
    kind = "response" if "response" in row else "text"
    if kind not in row:
        raise ValueError("neither text nor response")
    for key in (kind, "prompt", "system"):
        if not isinstance(row.get(key, ""), str | None) or (key == kind and row[key] is None):
            raise ValueError(f"{key} is no text")
    return {"id": number, **row}


@contextmanager
def _reading(source: Path) -> Generator[Iterable[bytes]]:
    if str(source) == "-":
        yield sys.stdin.buffer
    elif source.suffix == ".gz":
        with gzip.open(source, "rb") as packed:
            yield packed
    else:
        with source.open("rb") as plain:
            yield plain


@contextmanager
def _writing(target: Path) -> Generator[TextIO]:
    """The file appears when it is whole; a scan that breaks off leaves the one before it."""
    if str(target) == "-":
        yield sys.stdout
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        try:
            out = draft.open("w", encoding="ascii")
        except OSError as error:
            raise BadFile(f"cannot write {target}: {error.strerror}") from error
        with out:
            yield out
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


# --- guard why, guard appeals


def why_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """One turn's record, a line a verdict."""
    model = f", answered by {told['model']}" if told["model"] else ""
    yield f"{told['trace']}  {told['outcome'] or told['state']}  {told['received_at']}{model}"
    for each in told["decisions"]:
        found = "/".join(part for part in (each["category"], each["rule"]) if part)
        score = "" if each["score"] is None else f" {each['score']:.3f}"
        seen = f"  read {each['scanned']}" + (f", shown {each['shown']}" if each["direction"] == "out" else "")
        late = "  late" if came_late(each) else ""
        version = f" {each['version']}" if each["version"] else ""
        yield (f"  {each['attempt']}  {each['direction']:<4}{each['guard']}{version}  {each['action']}{score}  {found}"
               f"{seen}  #{each['text_hash'][:8]}{late}").rstrip()
    for each in told["appeals"]:
        yield f"  appeal by {each['by']}: {each['state']} ({each['at']})"


ENDS: Final = ("refuse", "reroute", "error")
"""Actions that end an answer."""
AT_THE_END: Final = ("model", "nemo", "unsafe")
"""Guards that judge what has been said by then as a whole."""


def came_late(verdict: Mapping[str, Any]) -> bool:
    """Whether words that were judged stood there by then. Of a line or a secret none did, whatever was shown before."""
    return bool(
        verdict["direction"] == "out" and verdict["action"] in ENDS and verdict["shown"]
        and (verdict["rule"].startswith("late_") or verdict["guard"] in AT_THE_END)
    )


def appeal_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One line an appeal."""
    for row in rows:
        note = f"  {json.dumps(row['note'], ensure_ascii=False)}" if row["note"] else ""
        yield f"{row['trace']}  {row['state']}  {row['at']}  {row['by']}{note}"
