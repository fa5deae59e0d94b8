"""The families by the names that the settings use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.guardmodels.granite import GraniteGuardian
from adapters.guardmodels.judgement import Family
from adapters.guardmodels.llama_guard import LlamaGuard
from adapters.guardmodels.qwen3guard import Qwen3Guard
from adapters.guardmodels.safeguard import Safeguard

FAMILIES: Final[Mapping[str, Family]] = {
    family.name: family
    for family in (
        LlamaGuard(3), LlamaGuard(4), Qwen3Guard(), Safeguard(),
        GraniteGuardian("3.0"), GraniteGuardian("3.1"), GraniteGuardian("3.2"), GraniteGuardian("3.3"),
        GraniteGuardian("4.1"),
    )
}
MAKERS: Final[Mapping[str, tuple[str, ...]]] = {
    "alibaba": ("qwen",), "google": ("gemma",), "ibm": ("granite",), "meta": ("llama",),
    "mistral": ("mistral", "mixtral", "ministral"), "openai": ("gpt-oss", "gpt"), "deepseek": ("deepseek",),
    "zhipu": ("glm",), "moonshot": ("kimi",), "microsoft": ("phi",),
}


def maker(model: str) -> str:
    """Who trained a model, guessed by its name; the name itself where nothing fits.

    Chat model, second opinion and guard should have three makers: models of one maker share their blind spots.
    """
    plain = model.lower()
    found = [(plain.find(word), who) for who, words in MAKERS.items() for word in words if word in plain]
    return min(found)[1] if found else plain
