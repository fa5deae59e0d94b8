"""A guard model's opinion on whether passages carry an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.guardmodels.guard import Judge
from engine.prompt import ChatMessage


@dataclass(frozen=True, slots=True)
class PassageJudge:
    """``judge`` is a Granite Guardian that was told to look for claims without support."""

    judge: Judge

    async def carries(self, answer: str, passages: Sequence[str]) -> bool | None:
        """Whether nothing in the answer lacks support; None: no verdict came."""
        context = "Context:\n" + "\n\n".join(passages)
        judgement = await self.judge.judge([ChatMessage("user", context), ChatMessage("assistant", answer)])
        return None if judgement.severity == "error" else judgement.severity == "safe"
