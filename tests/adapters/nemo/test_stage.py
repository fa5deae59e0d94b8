"""NeMo's rails as a stage of ours: over a worker that answers, hangs, dies, or talks out of turn; and over NeMo."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from uv import find_uv_bin

from adapters.guardmodels.verdicts import NoVerdict
from adapters.nemo.process import NemoConfig, NemoProcess, Reply
from adapters.nemo.stage import NemoGuard, NemoOutboundGuard
from engine.guards.egress import Egress, Tripped
from engine.guards.policy import Action, Change, FailMode, Policy
from engine.guards.verdict import Allow, Flag, Mask, Refuse
from engine.messages import Found, TraceId, Trail
from engine.ports import Text

RULES = Policy.default().rules_for()
OPEN = replace(RULES, fail={"nemo": FailMode.OPEN})
FAKE = Path(__file__).with_name("fake_worker.py")
REQUIREMENTS = Path(__file__).parents[3] / "adapters" / "nemo" / "requirements.in"


def fingerprint(text: str) -> str:
    return f"{hash(text)}"


@asynccontextmanager
async def a_worker(folder: Path, mode: str = "", *, patience: float = 30.0) -> AsyncGenerator[NemoProcess, None]:
    (folder / "mode").write_text(mode)
    config = NemoConfig(folder, Path(sys.executable), timedelta(seconds=patience), timedelta(milliseconds=10), FAKE)
    async with NemoProcess.open(config) as process:
        yield process


async def answered(guard: NemoOutboundGuard, answer: str, question: str = "why?") -> str:
    screen = Egress([guard], fingerprint).open(question, Found(), Trail(TraceId("t")))
    said = "".join([await screen.feed(Text(letter)) for letter in answer])
    return said + await screen.close()


async def test_the_rails_decide_on_what_comes_in(tmp_path: Path) -> None:
    async with a_worker(tmp_path) as process:
        guard = NemoGuard(process, RULES)
        assert await guard.check("fine, 好的 \ud800") == Allow()
        refused = await guard.check("something forbidden")
        assert isinstance(refused, Refuse)
        assert (refused.rule, refused.category) == ("nemo:regex check", "unsafe")
        assert "forbidden" not in refused.reply
        assert await guard.check("my secret") == Mask("my ******", "nemo", "topic")
        allowing = replace(RULES, changes={"unsafe.nemo": Change(action=Action.FLAG)})
        assert isinstance(await NemoGuard(process, allowing).check("forbidden"), Flag)


async def test_an_answer_is_shown_after_the_rails_have_seen_it(tmp_path: Path) -> None:
    async with a_worker(tmp_path) as process:
        guard = NemoOutboundGuard(process, RULES)
        assert await answered(guard, "It is so.") == "It is so."
        assert await answered(guard, "The secret is out.") == "The ****** is out."
        with pytest.raises(Tripped) as tripped:
            await answered(guard, "It is forbidden.")
        assert tripped.value.shown == 0
        with pytest.raises(Tripped):
            await answered(guard, "Sure!", "may I do the forbidden thing?")


async def test_an_answer_that_streams_is_taken_back(tmp_path: Path) -> None:
    async with a_worker(tmp_path) as process:
        guard = NemoOutboundGuard(process, RULES, hold=False)
        for answer in ("It is forbidden.", "The secret is out."):
            with pytest.raises(Tripped) as late:
                await answered(guard, answer)
            assert late.value.shown == len(answer)


async def test_many_are_asked_at_once(tmp_path: Path) -> None:
    async with a_worker(tmp_path) as process:
        replies = await asyncio.gather(*(process.ask("in", "", f"secret {n}") for n in range(50)))
    assert [reply.text for reply in replies] == [f"****** {n}" for n in range(50)]


async def test_a_missing_verdict_follows_the_fail_mode(tmp_path: Path) -> None:
    async with a_worker(tmp_path) as process:
        for text in ("break", "die"):
            with pytest.raises(NoVerdict):
                await NemoGuard(process, RULES).check(text)
            assert await NemoGuard(process, OPEN).check(text) == Allow("unscanned")


async def test_a_worker_that_dies_or_babbles_is_replaced(tmp_path: Path) -> None:
    async with a_worker(tmp_path) as process:
        for text in ("die", "babble", "die"):
            assert (await process.ask("in", "", text)).status == "error"
            assert (await process.ask("in", "", "fine")).status == "passed"


async def test_a_worker_that_hangs_is_late_and_then_replaced(tmp_path: Path) -> None:
    async with a_worker(tmp_path, patience=5.0) as process:
        assert (await process.ask("in", "", "fine")).status == "passed"
        process.config = replace(process.config, timeout=timedelta(milliseconds=30))
        for _ in range(3):
            assert await process.ask("in", "", "hang") == Reply("error", rail="timeout")
        process.config = replace(process.config, timeout=timedelta(seconds=30))
        assert (await process.ask("in", "", "fine")).status in ("passed", "error")
        assert (await process.ask("in", "", "fine")).status == "passed"


@pytest.mark.parametrize("mode", ["unloadable", "mute"])
async def test_a_worker_that_never_gets_ready_is_an_error(tmp_path: Path, mode: str) -> None:
    async with a_worker(tmp_path, mode, patience=0.3) as process:
        assert (await process.ask("in", "", "fine")).status == "error"


async def test_an_interpreter_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    config = NemoConfig(tmp_path, tmp_path / "python", timedelta(milliseconds=300), timedelta(milliseconds=10))
    async with NemoProcess.open(config) as process:
        assert (await process.ask("in", "", "fine")).status == "error"


async def test_a_direction_without_rails_is_passed_and_said(tmp_path: Path) -> None:
    async with a_worker(tmp_path, "inbound only") as process:
        assert (await process.ask("out", "why?", "forbidden")).rail == "absent"
        assert isinstance(await NemoGuard(process, RULES).check("forbidden"), Refuse)


async def test_the_worker_is_told_not_to_report_to_its_makers(tmp_path: Path) -> None:
    async with a_worker(tmp_path) as process:
        assert (await process.ask("in", "", "home")).text == "1"


CONFIG = """
models: []
rails:
  config:
    regex_detection:
      input: {patterns: ['forbidden'], case_insensitive: true}
      output: {patterns: ['BLUE HERON']}
  input: {flows: [regex check input]}
  output: {flows: [regex check output]}
"""


@pytest.fixture(scope="module")
def nemo() -> Path:
    """The interpreter of an environment with NeMo Guardrails, built once: 230 MB, and the package index."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bartizan"
    home = cache / f"nemo-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]}"
    if not home.exists():
        half = home.with_name(f"{home.name}.building")
        shutil.rmtree(half, ignore_errors=True)
        python = half / "bin" / "python"
        for step in (["venv", "--relocatable", "--python", "3.11", half],
                     ["pip", "install", "--python", python, "-r", REQUIREMENTS]):
            done = subprocess.run([find_uv_bin(), *step], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"NeMo Guardrails could not be installed: {done.stderr[-300:]}")
        half.rename(home)
    return home / "bin" / "python"


@pytest.mark.long
async def test_a_real_configuration_runs_as_a_stage(tmp_path: Path, nemo: Path) -> None:
    (tmp_path / "config.yml").write_text(CONFIG)
    async with NemoProcess.open(NemoConfig(tmp_path, nemo, timedelta(seconds=120))) as process:
        inbound, outbound = NemoGuard(process, RULES), NemoOutboundGuard(process, RULES)
        assert await inbound.check("how much notice before annual leave?") == Allow()
        refused = await inbound.check("tell me the FORBIDDEN thing")
        assert isinstance(refused, Refuse)
        assert refused.rule == "nemo:regex check input"
        assert await answered(outbound, "Ten working days.") == "Ten working days."
        with pytest.raises(Tripped) as tripped:
            await answered(outbound, "Project BLUE HERON starts in May.")
        assert tripped.value.shown == 0
