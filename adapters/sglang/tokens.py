"""Counts tokens with the model's own ``tokenizer.json``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

CACHED: Final = 1024


class FileTokens:
    """Implements the engine's `Tokens`. The past of a conversation is counted again each turn, hence the cache."""

    def __init__(self, path: Path) -> None:
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:      # the library raises bare Exceptions
            raise ValueError(f"cannot read the tokenizer {path}: {error}") from error
        self._counted = lru_cache(CACHED)(lambda text: len(tokenizer.encode(text).ids))

    def count(self, text: str) -> int:
        """Tokens, as the model will count them."""
        return self._counted(text)
