"""What the tests of this folder say to a model, and how they listen."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

from adapters.sglang.config import SglangConfig
from adapters.sglang.model import SglangModel
from engine.messages import TraceId
from engine.ports import Piece, Text
from engine.prompt import ChatMessage, Prompt

TRACE = TraceId("5" * 32)
AN_INSTANT = timedelta(milliseconds=50)
AGES = timedelta(seconds=30)      # nothing in these tests takes as long, and a broken test still ends


def a_prompt(question: str = "where is the runbook?", **changes: Any) -> Prompt:
    """A short one."""
    return replace(Prompt((ChatMessage("system", "Be brief."), ChatMessage("user", question)), TRACE), **changes)


def patient(url: str, **changes: Any) -> SglangConfig:
    """Budgets that no test runs into unless it names one; retries follow at once."""
    config = SglangConfig(
        url, "tiny-chat", connect=AGES, first_token=AGES, idle=AGES, whole=AGES, probe=AGES,
        retry_wait=timedelta(milliseconds=1),
    )
    return replace(config, **changes)


async def heard(model: SglangModel, prompt: Prompt | None = None) -> list[Piece]:
    """All pieces of one answer."""
    async with aclosing(model.stream(prompt or a_prompt())) as pieces:
        return [piece async for piece in pieces]


def words(pieces: list[Piece]) -> str:
    """What a person would read."""
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))
