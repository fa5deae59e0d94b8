"""Llama Guard 3 (1B, 8B, 11B vision) and 4 (12B). The server's own chat template adds the task and the categories.

The answer is ``safe``, or ``unsafe`` and a line of categories: ``S1,S10``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from adapters.guardmodels.clean import conversation
from adapters.guardmodels.judgement import Brief, Choice, Judgement, broken
from adapters.guardmodels.logprobs import label_score
from engine.prompt import ChatMessage

CATEGORIES: Final[Mapping[str, str]] = {
    "S1": "Violent Crimes", "S2": "Non-Violent Crimes", "S3": "Sex-Related Crimes", "S4": "Child Sexual Exploitation",
    "S5": "Defamation", "S6": "Specialized Advice", "S7": "Privacy", "S8": "Intellectual Property",
    "S9": "Indiscriminate Weapons", "S10": "Hate", "S11": "Suicide & Self-Harm", "S12": "Sexual Content",
    "S13": "Elections", "S14": "Code Interpreter Abuse",
}
_ANSWER: Final = re.compile(r"\s*(?:(?P<safe>safe)|(?P<unsafe>unsafe)\b(?P<rest>.*))\s*\Z", re.DOTALL)
_CODE: Final = re.compile(r"\bS\d{1,2}\b")
_WEIGHTS: Final = {"safe": 0.0, "unsafe": 1.0}


@dataclass(frozen=True, slots=True)
class LlamaGuard:
    """``generation`` 3 or 4. Neither knows Chinese."""

    generation: Literal[3, 4] = 3

    @property
    def name(self) -> str:
        """As the settings call it."""
        return f"llama-guard-{self.generation}"

    def build(self, messages: Sequence[ChatMessage], brief: Brief) -> dict[str, Any]:
        """The last message's role decides whether the user or the agent is judged."""
        arguments: dict[str, Any] = {}
        if brief.categories:
            arguments["categories"] = dict(brief.categories)
        if brief.excluded:
            arguments["excluded_category_keys"] = list(brief.excluded)
        said = [{"role": each.role, "content": self._content(each.text)} for each in conversation(messages)]
        request = {"messages": said, "max_tokens": 32}
        return {**request, "chat_template_kwargs": arguments} if arguments else request

    def parse(self, choice: Choice) -> Judgement:
        """``safe`` must be all that is said; anything may follow ``unsafe``."""
        found = _ANSWER.match(choice.text)
        if found is None or choice.finish not in ("stop", "length"):
            return broken(choice)
        score = label_score(choice.tokens, _WEIGHTS)
        if found["safe"]:
            return Judgement("safe", score=score, raw=choice.text)
        codes = dict.fromkeys(_CODE.findall(found["rest"]))
        return Judgement("unsafe", tuple(CATEGORIES.get(code, code) for code in codes), score=score, raw=choice.text)

    def ours(self, category: str) -> str:
        """Elections are politics, privacy is personal data; the rest is unsafe."""
        return {"Elections": "political", "Privacy": "personal"}.get(category, "unsafe")

    def _content(self, text: str) -> str | list[dict[str, str]]:
        # The fourth generation sees images, and its template walks over a list of parts.
        return text if self.generation == 3 else [{"type": "text", "text": text}]
