"""Qwen3Guard-Gen. The server's chat template adds the task; three labelled lines come back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.guardmodels.clean import conversation
from adapters.guardmodels.judgement import RANKS, Brief, Choice, Judgement, Severity, broken
from adapters.guardmodels.logprobs import label_score
from engine.prompt import ChatMessage

CATEGORIES: Final = (
    "Violent", "Non-violent Illegal Acts", "Sexual Content or Sexual Acts", "PII", "Suicide & Self-Harm",
    "Unethical Acts", "Politically Sensitive Topics", "Copyright Violation", "Jailbreak",
)
_OURS: Final[Mapping[str, str]] = {
    "PII": "personal", "Politically Sensitive Topics": "political", "Jailbreak": "injection",
}
_SAFETY: Final = re.compile(r"^[^\S\n]*Safety:[^\S\n]*(Safe|Unsafe|Controversial)[^\S\n]*$", re.MULTILINE)
_LISTED: Final = re.compile(r"^[^\S\n]*Categories:[^\S\n]*(.+?)[^\S\n]*$", re.MULTILINE)
_REFUSAL: Final = re.compile(r"^[^\S\n]*Refusal:[^\S\n]*(Yes|No)[^\S\n]*$", re.MULTILINE)
_KNOWN: Final = {name.lower(): name for name in CATEGORIES}
_SEVERITY: Final[Mapping[str, Severity]] = {"Safe": "safe", "Unsafe": "unsafe", "Controversial": "controversial"}
_WEIGHTS: Final = {"safe": 0.0, "controversial": 0.5, "unsafe": 1.0}


@dataclass(frozen=True, slots=True)
class Qwen3Guard:
    """Speaks 119 languages. It also says whether an answer declines: a second opinion on deflections."""

    name: str = "qwen3guard-gen"

    def build(self, messages: Sequence[ChatMessage], brief: Brief) -> dict[str, Any]:
        """Judges the prompt when the user spoke last, else the response."""
        del brief       # the template holds the policy
        return {
            "messages": [{"role": each.role, "content": each.text} for each in conversation(messages)],
            "max_tokens": 64,
        }

    def parse(self, choice: Choice) -> Judgement:
        """Of several safety lines the worst counts; "Safe" beside a category contradicts itself."""
        severities = [_SEVERITY[word] for word in _SAFETY.findall(choice.text)]
        if not severities or choice.finish not in ("stop", "length"):
            return broken(choice)
        severity = max(severities, key=lambda each: RANKS[each])
        categories = _categories(choice.text)
        if severity == "safe" and categories:
            return broken(choice)
        refusals = _REFUSAL.findall(choice.text)
        return Judgement(
            severity, categories, ("Yes" in refusals) if refusals else None,
            label_score(choice.tokens, _WEIGHTS, "Safety:"), choice.text,
        )

    def ours(self, category: str) -> str:
        """Unsafe, unless we have a category of our own for it."""
        return _OURS.get(category, "unsafe")


def _categories(text: str) -> tuple[str, ...]:
    """Whole names only: "Violent" is no part of "Non-violent Illegal Acts"."""
    names = [name.strip() for line in _LISTED.findall(text) for name in line.split(",")]
    return tuple(dict.fromkeys(_KNOWN.get(name.lower(), name) for name in names if name and name.lower() != "none"))
